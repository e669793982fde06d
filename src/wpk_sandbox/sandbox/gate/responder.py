"""Reads what comes out of the TUN device: records it, and answers, leads or refuses it.

Needs the standard library alone: it runs in a thread of ours for a shell on this host, and in the gate's container.
"""

import errno
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from . import names, packets
from .attribution import Attribution
from .device import LOOPBACK, LOOPBACK6, RESOLVER, RESOLVER6
from .directory import Directory, packed, written
from .flows import End, Flow, Flows
from .netlink import NAME
from .recorder import Recorder, Seen, Taken

# The number of the route to the gate's own answers about names, over TCP.
NAMES = -1

_LARGEST = 65536
_AT_ONCE = 1024
_BREATH = 0.02
_SETTLE_TIMEOUT = 1.0
_IDLE = 10.0
_LONGEST_QUESTION = 512
_MOST_ASKERS = 16
_LOST = {errno.EAGAIN, errno.EINVAL, errno.ENOBUFS, errno.ENOMEM}
_PROTOCOLS = {packets.TCP: "tcp", packets.UDP: "udp", packets.ICMP: "icmp", packets.ICMP6: "icmp"}

_ROUTERS = {version: packed(address) or b"" for version, address in ((4, RESOLVER), (6, RESOLVER6))}

# Takes a connection that a route answers, and owns it from then on.
Connect = Callable[[socket.socket, int], None]


class Responder:
    """Serves one TUN device with its listeners, until it is closed or the device goes."""

    def __init__(
        self,
        tun: int,
        listeners: list[socket.socket],
        directory: Directory,
        recorder: Recorder,
        attribution: Attribution,
        connect: Connect,
    ) -> None:
        """Owns `tun` and `listeners`."""
        self._tun, self._listeners = tun, listeners
        self._directory, self._recorder, self._attribution = directory, recorder, attribution
        self._connect = connect
        ends = [end for end in map(_own_end, listeners) if not self._is_route(end)]
        self._flows = Flows({4 if len(end[0]) == 4 else 6: end for end in ends})
        self._settled = threading.Event()
        self._bell, self._ringer = socket.socketpair()
        self._closing = False
        self._lost = 0
        self._askers = threading.BoundedSemaphore(_MOST_ASKERS)
        self.ended = threading.Event()

    def start(self) -> None:
        """Serve in threads of our own."""
        for listener in self._listeners:
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        threading.Thread(target=self._serve, daemon=True).start()

    def take(self) -> Taken:
        """Every attempt since the last time, those included whose packets still wait in the device.

        Packets that came faster than we read them are counted too.
        """
        self._settled.clear()
        with suppress(OSError):
            self._ringer.send(b".")
            self._settled.wait(_SETTLE_TIMEOUT)
        self._attribution.renew()
        lost, self._lost = self._lost, self._attribution.lost(NAME)
        taken = self._recorder.take()
        return replace(taken, more=taken.more + max(0, self._lost - lost))

    def close(self) -> None:
        """Stop; the device goes, and with it every route. May be called again."""
        if self._closing:
            return
        self._closing = True
        with suppress(OSError):
            self._ringer.send(b".")
        self.ended.wait(_SETTLE_TIMEOUT)

    def respond(self, raw: bytes) -> bytes | None:
        """What goes back into the device for one packet that came out of it."""
        packet = packets.parse(raw)
        if packet is None or packet.later_fragment:
            return None
        if packet.protocol == packets.TCP:
            return self._tcp(packet)
        if packet.protocol == packets.UDP and packet.target_port == names.PORT and not packet.to_many:
            answer = self.name_answer(packet.payload, packet)
            if answer:
                return packets.udp_answer(packet, answer)
        if packets.is_attempt(packet):
            self._record(packet, None)
        return self._refusal(packet)

    def name_answer(self, message: bytes, packet: packets.Packet) -> bytes | None:
        """The answer to a question about a name, which is recorded; None for what is no question."""
        question = names.parse(message)
        if question is None:
            return None
        if isinstance(question, names.Code):
            self._recorder.add(Seen("dns"), lambda: self._attribution.process(packet))
            return names.failure(message, question)
        answer = self._directory.answered(question)
        name = self._directory.meant(question)
        route = self._directory.about(name) if self._directory.address_of(name) else None
        seen = Seen("dns", name=question.name, kind=question.kind, route=route)
        self._recorder.add(seen, lambda: self._attribution.process(packet))
        return answer

    def _tcp(self, packet: packets.Packet) -> bytes | None:
        begins = packet.flags & (packets.SYN | packets.ACK) == packets.SYN
        if not begins:
            return self._flows.led(packet) or self._refusal(packet)
        by_name = packet.target_port == names.PORT and not packet.to_many
        route = NAMES if by_name else self._directory.route(packet.target, packet.target_port)
        if route is not None and self._flows.begin(packet, route):
            if route != NAMES:
                self._record(packet, route)
            return self._flows.led(packet)
        self._record(packet, None)
        return self._refusal(packet)

    def _record(self, packet: packets.Packet, route: int | None) -> None:
        has_port = packet.protocol in (packets.TCP, packets.UDP)
        seen = Seen(
            _PROTOCOLS.get(packet.protocol, str(packet.protocol)),
            written(packet.target),
            packet.target_port if has_port else None,
            self._directory.name_of(packet.target),
            route=route,
        )
        self._recorder.add(seen, lambda: self._attribution.process(packet))

    def _refusal(self, packet: packets.Packet) -> bytes | None:
        return packets.refusal(packet, _ROUTERS[packet.version])

    def _serve(self) -> None:
        ready = select.poll()
        bell = self._bell.fileno()
        try:
            for source in (self._tun, bell):
                ready.register(source, select.POLLIN)
            while not self._closing:
                woken = bell in dict(ready.poll())
                if woken:
                    self._bell.recv(4096)
                emptied = self._empty()
                if woken:
                    self._settled.set()
                if not emptied:
                    # Whoever floods us shall not have all of our processor; what is lost meanwhile is counted.
                    time.sleep(_BREATH)
        except OSError:
            pass  # the device went with its network namespace
        finally:
            self._end()

    def _empty(self) -> bool:
        """Serve what waits; False when there is more: whoever sends without end must not keep us from ending."""
        for _ in range(_AT_ONCE):
            try:
                raw = os.read(self._tun, _LARGEST)
            except BlockingIOError:
                return True
            answer = self.respond(raw)
            if answer:
                self._write(answer)
        return False

    def _write(self, answer: bytes) -> None:
        """Put a packet in. One that finds the queue full, or that the kernel does not like, is lost."""
        try:
            os.write(self._tun, answer)
        except OSError as error:
            if error.errno not in _LOST:
                raise

    def _end(self) -> None:
        self._closing = True
        os.close(self._tun)
        for listener in self._listeners:
            # shutdown() wakes the thread that waits in accept(); close() alone does not.
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self._bell.close()
        self._ringer.close()
        self._settled.set()
        self.ended.set()

    def _is_route(self, end: tuple[bytes, int]) -> bool:
        """True for a listener on the loopback that is a route by itself."""
        return end[0] in (LOOPBACK, LOOPBACK6) and end[1] in self._directory.loopback

    def _accept(self, listener: socket.socket) -> None:
        own = _own_end(listener)
        direct = self._directory.loopback[own[1]] if self._is_route(own) else None
        while not self._closing:
            try:
                connection, peer = listener.accept()
            except OSError:
                # The device went; or we are short of descriptors or memory, which passes.
                time.sleep(_BREATH)
                continue
            source = (packed(peer[0]) or b"", int(peer[1]))
            if direct is None:
                self._take_led(connection, self._flows.accepted(source))
            else:
                self._record(_first(source, own), direct)
                self._connect(connection, direct)

    def _take_led(self, connection: socket.socket, flow: Flow | None) -> None:
        if flow is None:
            connection.close()
        elif flow.route != NAMES:
            self._connect(connection, flow.route)
        elif self._askers.acquire(blocking=False):
            threading.Thread(target=self._answer_names, args=(connection, flow), daemon=True).start()
        else:
            connection.close()

    def _answer_names(self, connection: socket.socket, flow: Flow) -> None:
        """Questions over TCP: each with its length before it (RFC 1035, 4.2.2)."""
        try:
            packet = _first(flow.client, flow.target)
            if not self._asked_names(connection, packet):
                self._record(packet, None)
        finally:
            self._askers.release()

    def _asked_names(self, connection: socket.socket, packet: packets.Packet) -> bool:
        """Answer until there is no further question; False when there was none at all."""
        connection.settimeout(_IDLE)
        asked = False
        with connection, suppress(OSError, struct.error):
            stream = connection.makefile("rwb")
            while header := stream.read(2):
                (length,) = struct.unpack(">H", header)
                # Longer than any question: what else is told to this port is nobody's business.
                answer = self.name_answer(stream.read(length), packet) if length <= _LONGEST_QUESTION else None
                if answer is None:
                    break
                asked = True
                stream.write(struct.pack(">H", len(answer)) + answer)
                stream.flush()
        return asked


def _own_end(listener: socket.socket) -> tuple[bytes, int]:
    host, port = listener.getsockname()[:2]
    return packed(host) or b"", int(port)


def _first(source: End, target: End) -> packets.Packet:
    """The packet that began a connection, as far as it matters."""
    version = 4 if len(target[0]) == 4 else 6
    return packets.Packet(b"", version, packets.TCP, source[0], target[0], 0, source[1], target[1])
