"""Connections are led to a listener and back; whoever calls the listener itself is nobody's."""

from making import address, tcp

from wpk_sandbox.sandbox.gate import packets
from wpk_sandbox.sandbox.gate.flows import Flows
from wpk_sandbox.sandbox.gate.packets import ACK, SYN, Packet

HERE, THERE, HERE6 = "198.18.0.2", "10.1.2.3", "fd77:706b::2"
LISTENER = (address(HERE), 9999)


def read(raw: bytes | None) -> Packet:
    packet = packets.parse(raw or b"")
    assert packet is not None
    return packet


def begun(flows: Flows, port: int = 40000, seq: int = 1) -> Packet:
    """The first packet of a connection as the listener gets it."""
    first = read(tcp(HERE, THERE, (port, 443), SYN, seq=seq))
    assert flows.begin(first, route=7)
    return read(flows.led(first))


def test_first_packet_seems_to_come_from_where_it_was_meant_to_go() -> None:
    led = begun(Flows({4: LISTENER}))
    assert led.source == address(THERE)
    assert (led.target, led.target_port) == LISTENER
    assert led.flags == SYN


def test_answer_seems_to_come_from_there_too() -> None:
    flows = Flows({4: LISTENER})
    led = begun(flows)
    answer = read(flows.led(read(tcp(HERE, THERE, (9999, led.source_port), SYN | ACK))))
    assert (answer.source, answer.source_port) == (address(THERE), 443)
    assert (answer.target, answer.target_port) == (address(HERE), 40000)


def test_listener_is_told_whose_connection_it_is() -> None:
    flows = Flows({4: LISTENER})
    led = begun(flows)
    flow = flows.accepted((led.source, led.source_port))
    assert flow is not None
    assert (flow.client, flow.target, flow.route) == ((address(HERE), 40000), (address(THERE), 443), 7)
    assert flows.accepted((address(HERE), led.source_port)) is None, "who calls the listener by itself"
    assert flows.accepted((led.source, led.source_port + 1)) is None


def test_packets_of_no_known_connection_lead_nowhere() -> None:
    flows = Flows({4: LISTENER})
    assert flows.led(read(tcp(HERE, THERE, (40000, 443), ACK))) is None
    assert flows.led(read(tcp(HERE, THERE, (9999, 1024), ACK))) is None
    begun(flows)
    assert flows.led(read(tcp(HERE, THERE, (40000, 443), ACK))) is not None, "the control is led"
    assert flows.led(read(tcp(HERE, "10.9.9.9", (9999, 1024), ACK))) is None


def test_repeated_first_packet_is_the_same_connection_and_a_new_one_is_not() -> None:
    flows = Flows({4: LISTENER})
    first = begun(flows, seq=1)
    assert begun(flows, seq=1).source_port == first.source_port
    again = begun(flows, seq=2)
    assert again.source_port != first.source_port
    assert flows.accepted((first.source, first.source_port)) is None


def test_connections_are_bounded_and_the_oldest_is_forgotten() -> None:
    flows = Flows({4: LISTENER}, most=3)
    ports = [begun(flows, port).source_port for port in (1, 2, 3, 4)]
    known = [flows.accepted((address(THERE), port)) is not None for port in ports]
    assert known == [False, True, True, True]


def test_version_without_a_listener_is_not_led() -> None:
    assert not Flows({4: LISTENER}).begin(read(tcp(HERE6, "fd00::1", (1, 2))), route=0)
