"""The TUN device of a shell with everything around it, made inside of the shell's network namespace.

Needs the standard library alone, and nothing of this folder but `netlink`: a supervisor that is about to give up
its rights loads it too, and every millisecond of that counts.
"""

import os
import socket
from collections.abc import Iterable
from contextlib import suppress

from . import netlink

PATH = "/dev/net/tun"

# The shell's own addresses: of 198.18.0.0/15, kept for tests of networks (RFC 2544), and of a local prefix.
LOOPBACK, LOOPBACK6 = socket.inet_pton(socket.AF_INET, "127.0.0.1"), socket.inet_pton(socket.AF_INET6, "::1")
# And the gate's: who answers for names and refuses.
RESOLVER, RESOLVER6 = "198.18.0.1", "fd77:706b::1"
SHELL, SHELL6 = socket.inet_pton(socket.AF_INET, "198.18.0.2"), socket.inet_pton(socket.AF_INET6, "fd77:706b::2")


def opened(path: str = PATH, loopback: Iterable[int] = ()) -> tuple[int, list[socket.socket]]:
    """The device, to which all routes lead, and a listener on each of the shell's addresses.

    No packet to the loopback ever comes out of the device: the ports of routes that lead there are listened at by
    themselves. Raises OSError.
    """
    tun = netlink.open_tun(path)
    try:
        netlink.lead_everything_to(netlink.NAME, ((SHELL, 32), (SHELL6, 128)))
        own: list[tuple[int, bytes, int]] = [(socket.AF_INET, SHELL, 0), (socket.AF_INET6, SHELL6, 0)]
        for port in loopback:
            own += [(socket.AF_INET, LOOPBACK, port), (socket.AF_INET6, LOOPBACK6, port)]
        return tun, _listeners(own)
    except OSError:
        os.close(tun)
        raise


def handed_out(path: str, group: int, loopback: list[int]) -> dict[str, int]:
    """Descriptors for whoever serves the device from outside; instead of them a file that says why there are none.

    `group` may ping, so that pings are seen. Ports below 1024 are nothing special in a namespace of one user.
    """
    for name, value in (("ping_group_range", f"{group} {group}"), ("ip_unprivileged_port_start", "0")):
        with suppress(OSError), open(f"/proc/sys/net/ipv4/{name}", "w", encoding="ascii") as file:
            file.write(value)
    try:
        tun, listeners = opened(path, loopback)
    except OSError as error:
        reason = os.memfd_create("wpk")
        os.write(reason, str(error).encode())
        return {"why no gate": reason}
    made = {f"listener {number}": listener.detach() for number, listener in enumerate(listeners)}
    return {"tun": tun, "processes": os.open("/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), **made}


def _listeners(addresses: list[tuple[int, bytes, int]]) -> list[socket.socket]:
    made = []
    for family, address, port in addresses:
        try:
            listener = socket.socket(family, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((socket.inet_ntop(family, address), port))
            listener.listen(128)
        except OSError:
            if family == socket.AF_INET:
                raise
            continue  # a kernel without IPv6
        made.append(listener)
    return made
