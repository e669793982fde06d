"""Addresses and routes by rtnetlink(7), and a TUN device: what `ip` would do, where there is no `ip`.

Needs the standard library alone, and CAP_NET_ADMIN over the network namespace that it runs in.
"""

import fcntl
import os
import socket
import struct
from contextlib import suppress

NAME = "wpk0"

# As large as a packet may be, so that nothing is ever cut into fragments, and a stream needs few of them.
MTU = 65535

# linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h, linux/if_tun.h
_NEWLINK, _NEWADDR, _NEWROUTE = 16, 20, 24
_REQUEST, _ACK, _REPLACE, _CREATE, _EXCLUSIVE = 1, 4, 0x100, 0x400, 0x200
_ERROR = 2
_IFLA_MTU, _IFLA_AF_SPEC, _INET6_ADDR_GEN_MODE, _NO_ADDRESSES = 4, 26, 8, 1
_IFA_ADDRESS, _IFA_LOCAL, _NODAD = 1, 2, 2
_RTA_OIF = 4
_TABLE_MAIN, _PROTOCOL_STATIC, _SCOPE_LINK, _UNICAST = 254, 4, 253, 1
_UP = 1
_TUNSETIFF, _IFF_TUN, _NO_PREFIX = 0x400454CA, 1, 0x1000

_HEADER = struct.Struct("=IHHII")


def open_tun(path: str = "/dev/net/tun", name: str = NAME) -> int:
    """Make the device; its descriptor, which gives and takes whole packets. Raises OSError."""
    device = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _NO_PREFIX))
    except OSError:
        os.close(device)
        raise
    return device


def lead_everything_to(name: str, addresses: tuple[tuple[bytes, int], ...]) -> None:
    """Bring the loopback and the device up, give it the addresses, and make it the way to everywhere.

    Without IPv6 in the kernel its addresses are left out. Raises OSError.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        loopback, device = socket.if_nametoindex("lo"), socket.if_nametoindex(name)
        _set_link(kernel, loopback, _UP)
        # No address that the kernel makes up, and so none of its own talk about it.
        quiet = _attribute(_INET6_ADDR_GEN_MODE, bytes([_NO_ADDRESSES]))
        specific = _attribute(_IFLA_AF_SPEC, _attribute(socket.AF_INET6, quiet))
        mtu = _attribute(_IFLA_MTU, struct.pack("=I", MTU))
        with suppress(OSError):  # without IPv6 in the kernel
            _set_link(kernel, device, 0, specific)
        _set_link(kernel, device, _UP, mtu)
        for address, prefix in addresses:
            try:
                _add_address(kernel, device, address, prefix)
                _add_default_route(kernel, device, len(address))
            except OSError:
                if len(address) == 4:
                    raise


def _set_link(kernel: socket.socket, index: int, flags: int, attributes: bytes = b"") -> None:
    body = struct.pack("=BxHiII", socket.AF_UNSPEC, 0, index, flags, flags) + attributes
    _ask(kernel, _NEWLINK, 0, body)


def _add_address(kernel: socket.socket, index: int, address: bytes, prefix: int) -> None:
    body = struct.pack("=BBBBi", _family(len(address)), prefix, _NODAD, 0, index)
    body += _attribute(_IFA_LOCAL, address) + _attribute(_IFA_ADDRESS, address)
    _ask(kernel, _NEWADDR, _CREATE | _REPLACE, body)


def _add_default_route(kernel: socket.socket, index: int, width: int) -> None:
    kind = (_TABLE_MAIN, _PROTOCOL_STATIC, _SCOPE_LINK, _UNICAST)
    body = struct.pack("=BBBBBBBBI", _family(width), 0, 0, 0, *kind, 0)
    _ask(kernel, _NEWROUTE, _CREATE | _EXCLUSIVE, body + _attribute(_RTA_OIF, struct.pack("=I", index)))


def _family(width: int) -> int:
    return socket.AF_INET if width == 4 else socket.AF_INET6


def _attribute(kind: int, value: bytes) -> bytes:
    length = 4 + len(value)
    return struct.pack("=HH", length, kind) + value + bytes(-length % 4)


def _ask(kernel: socket.socket, kind: int, flags: int, body: bytes) -> None:
    """Send one request; raises OSError with what the kernel says against it."""
    kernel.send(_HEADER.pack(_HEADER.size + len(body), kind, _REQUEST | _ACK | flags, 0, 0) + body)
    reply = kernel.recv(65536)
    _, answered, _, _, _ = _HEADER.unpack_from(reply)
    if answered == _ERROR:
        (number,) = struct.unpack_from("=i", reply, _HEADER.size)
        if number:
            raise OSError(-number, f"the kernel refuses request {kind}: {os.strerror(-number)}")
