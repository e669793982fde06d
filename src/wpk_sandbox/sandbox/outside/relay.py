"""Relays to hosts that the settings allow by name and port: the only way out of a sandbox that there is."""

import ipaddress
import logging
import socket
import threading
import time
from contextlib import suppress

from wpk_sandbox.sandbox.outside.allowed import Allowed

log = logging.getLogger(__name__)

CONNECT_TIMEOUT = 10.0
IDLE_TIMEOUT = 300.0
_CHUNK = 65536


class Pace:
    """The bandwidth that all relays of a run share, in bits a second."""

    def __init__(self, bandwidth: int) -> None:
        self._bandwidth = bandwidth
        self._free_at = 0.0
        self._lock = threading.Lock()

    def take(self, size: int) -> None:
        """Return when so many bytes may pass."""
        with self._lock:
            now = time.monotonic()
            self._free_at = max(now, self._free_at) + size * 8 / self._bandwidth
            wait = self._free_at - now
        time.sleep(max(0.0, wait))


def relay(target: Allowed, pace: Pace, connection: socket.socket) -> None:
    """Join a connection of the sandbox to the host that it is allowed to reach, until either side ends."""
    with connection:
        try:
            there = _connect(target)
        except OSError as error:
            log.warning("could not reach the allowed host %s: %s", target, error)
            return
        with there:
            back = threading.Thread(target=_pump, args=(there, connection, pace), daemon=True)
            back.start()
            _pump(connection, there, pace)
            back.join(IDLE_TIMEOUT)


def _connect(target: Allowed) -> socket.socket:
    """Connect to the first address that answers. Raises OSError.

    A name must not lead to this host or its neighbours: whoever controls it could turn it to the metadata service
    after it was allowed (DNS rebinding, https://owasp.org/www-community/attacks/Server_Side_Request_Forgery). An
    address that the settings name as such is meant.
    """
    refused: OSError = OSError("the name has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM):
        if str(address[0]) != target.host and _is_near(str(address[0])):
            refused = OSError(f"its name leads to {address[0]}, an address of this host or its neighbours")
            continue
        there = socket.socket(family, kind, protocol)
        try:
            there.settimeout(CONNECT_TIMEOUT)
            there.connect(address)
        except OSError as error:
            there.close()
            refused = error
        else:
            return there
    raise refused


def _is_near(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    ip = mapped or ip
    return ip.is_loopback or ip.is_link_local or ip.is_unspecified or ip.is_multicast


def _pump(source: socket.socket, sink: socket.socket, pace: Pace) -> None:
    with suppress(OSError):
        source.settimeout(IDLE_TIMEOUT)
        while chunk := source.recv(_CHUNK):
            pace.take(len(chunk))
            sink.sendall(chunk)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
