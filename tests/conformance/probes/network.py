"""Ways out: numbers 24 to 29. Whoever can be reached answers with the word in `given["word"]`.

All targets are documentation addresses and the well-known ones of clouds. What a control reaches stands on its own
loopback; what a sandbox would reach is nowhere.
"""

import contextlib
import errno
import fcntl
import socket
import struct
import time

from probes.trying import BlockedError, Given, attempt

SECONDS = 1.5
ETHERNET = 1  # ARPHRD_ETHER; a tunnel has none of the hardware
SIOCGIFHWADDR = 0x8927


@attempt("interfaces")
def interfaces(_: Given) -> str:
    """A link that leads to others, rather than a loopback or a tunnel that ends in a program."""
    found = [name for name in _interfaces() if _hardware(name) == ETHERNET]
    if found:
        return f"has {', '.join(found)}"
    raise BlockedError(f"has {', '.join(_interfaces()) or 'none'}")


@attempt("metadata")
def metadata(given: Given) -> str:
    return _connected("169.254.169.254", 80, given)


@attempt("metadata-ipv6")
def metadata_ipv6(given: Given) -> str:
    return _connected("fd00:ec2::254", 80, given)


@attempt("metadata-azure")
def metadata_azure(given: Given) -> str:
    return _connected("168.63.129.16", 80, given)


@attempt("metadata-name")
def metadata_name(given: Given) -> str:
    return _connected("metadata.google.internal", 80, given)


@attempt("address")
def address(given: Given) -> str:
    return _connected("203.0.113.10", 443, given)


@attempt("address-ipv6")
def address_ipv6(given: Given) -> str:
    return _connected("2001:db8::10", 443, given)


@attempt("address-mapped")
def address_mapped(given: Given) -> str:
    """An IPv4 address in the clothes of an IPv6 one."""
    return _connected("::ffff:203.0.113.10", 443, given)


@attempt("name-over-udp")
def name_over_udp(given: Given) -> str:
    return _asked("203.0.113.53", given)


@attempt("name-of-docker")
def name_of_docker(given: Given) -> str:
    return _asked("127.0.0.11", given)


@attempt("name-over-tcp")
def name_over_tcp(given: Given) -> str:
    question = _question(given["name"])
    with socket.create_connection(("203.0.113.53", 53), SECONDS) as stream:
        stream.sendall(struct.pack(">H", len(question)) + question)
        return _answered(stream.recv(4096)[2:])


@attempt("name-over-tls")
def name_over_tls(given: Given) -> str:
    return _connected("203.0.113.54", 853, given)


@attempt("name-over-https")
def name_over_https(given: Given) -> str:
    return _connected("203.0.113.54", 443, given)


@attempt("name-of-system")
def name_of_system(given: Given) -> str:
    """As every program asks, with a secret for a label."""
    try:
        found = socket.getaddrinfo(given["name"], 443, proto=socket.IPPROTO_TCP)
    except socket.gaierror as error:
        raise BlockedError(f"{given['name']}: {error}") from error
    return f"{given['name']} is {found[0][4][0]}"


@attempt("datagram")
def datagram(given: Given) -> str:
    return _echoed("203.0.113.10", 9999, given)


@attempt("datagram-ipv6")
def datagram_ipv6(given: Given) -> str:
    return _echoed("2001:db8::10", 9999, given)


@attempt("echo-raw")
def echo_raw(_: Given) -> str:
    return _echo(socket.SOCK_RAW)


@attempt("echo-plain")
def echo_plain(_: Given) -> str:
    return _echo(socket.SOCK_DGRAM)


@attempt("packets")
def packets(_: Given) -> str:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as opened:
        return f"descriptor {opened.fileno()}"


@attempt("packets-plain")
def packets_plain(_: Given) -> str:
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3)) as opened:
        return f"descriptor {opened.fileno()}"


@attempt("raw-ip")
def raw_ip(_: Given) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as opened:
        return f"descriptor {opened.fileno()}"


@attempt("gateway")
def gateway(given: Given) -> str:
    return _connected(given["gateway"], given["host_port"], given)


@attempt("host-loopback")
def host_loopback(given: Given) -> str:
    return _connected("127.0.0.1", given["host_port"], given)


@attempt("host-loopback-ipv6")
def host_loopback_ipv6(given: Given) -> str:
    return _connected("::1", given["host_port"], given)


@attempt("host-name-of-docker")
def host_name_of_docker(given: Given) -> str:
    return _connected("host.docker.internal", given["host_port"], given)


@attempt("neighbour")
def neighbour(given: Given) -> str:
    """Another container of the same daemon."""
    return _connected(given["neighbour"], given["host_port"], given)


@attempt("abstract-socket")
def abstract_socket(given: Given) -> str:
    """A socket without a file, which belongs to a network namespace."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(SECONDS)
        client.connect("\0" + given["abstract"])
        return _word(client, given)


@attempt("multicast")
def multicast(given: Given) -> str:
    return _echoed("224.0.0.251", 5353, given)


@attempt("multicast-ipv6")
def multicast_ipv6(given: Given) -> str:
    """To all that share a link, on each link that there is."""
    reasons: list[OSError] = []
    for name in _interfaces():
        try:
            return _echoed(f"ff02::fb%{name}", 5353, given)
        except (OSError, BlockedError) as error:
            reasons += [error] if isinstance(error, OSError) else []
    raise reasons[0] if reasons else BlockedError("nobody answered on any link")


@attempt("broadcast")
def broadcast(given: Given) -> str:
    return _echoed("255.255.255.255", 9999, given)


@attempt("link-neighbours")
def link_neighbours(_: Given) -> str:
    """Whose hardware addresses are known here."""
    with open("/proc/net/arp", encoding="ascii") as file:
        known = [line.split()[0] for line in file.readlines()[1:]]
    if known:
        return ", ".join(known)
    raise BlockedError("nobody is known")


def _connected(host: str, port: int, given: Given) -> str:
    try:
        stream = socket.create_connection((host, port), SECONDS)
    except socket.gaierror as error:
        raise BlockedError(f"{host}: {error}") from error
    except TimeoutError as error:
        raise OSError(errno.ETIMEDOUT, "no answer", host) from error
    with stream:
        return _word(stream, given)


def _word(stream: socket.socket, given: Given) -> str:
    stream.settimeout(SECONDS)
    try:
        told = stream.recv(64).decode("utf-8", "replace")
    except TimeoutError:
        told = ""
    where = "the one who was looked for" if given["word"] in told else "somebody"
    return f"connected to {where}"


def _echoed(host: str, port: int, given: Given) -> str:
    family, kind, protocol, _name, where = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        client.settimeout(SECONDS)
        client.sendto(b"?", where)
        try:
            told = client.recv(64)
        except TimeoutError as error:
            raise BlockedError(f"sent to {host}, and nobody answered") from error
        return f"answered with {told.decode('utf-8', 'replace')!r}"


def _asked(resolver: str, given: Given) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(SECONDS)
        client.connect((resolver, 53))
        client.send(_question(given["name"]))
        try:
            return _answered(client.recv(512))
        except TimeoutError as error:
            raise BlockedError(f"asked {resolver}, and nobody answered") from error


def _question(name: str) -> bytes:
    """For the address of a name (RFC 1035, 4.1)."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">6H", 4711, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", 1, 1)


def _answered(answer: bytes) -> str:
    _id, flags, _questions, answers = struct.unpack(">4H", answer[:8])
    if flags & 15 or not answers:
        raise BlockedError(f"answered with code {flags & 15} and {answers} addresses")
    return f"answered with {answers} addresses"


def _echo(kind: int) -> str:
    with socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP) as client:
        client.settimeout(SECONDS)
        body = struct.pack(">BBHHH", 8, 0, 0, 7, 1)
        total = sum(struct.unpack(">4H", body))
        client.sendto(struct.pack(">BBHHH", 8, 0, ~(total + (total >> 16)) & 0xFFFF, 7, 1), ("203.0.113.10", 0))
        until = time.monotonic() + SECONDS
        with contextlib.suppress(TimeoutError):
            while time.monotonic() < until:
                told = client.recv(512)
                if (told[20] if kind == socket.SOCK_RAW else told[0]) == 0:
                    return "203.0.113.10 answered"
        raise BlockedError("sent, and nobody answered")


def _interfaces() -> list[str]:
    with open("/proc/net/dev", encoding="ascii") as file:
        return [line.partition(":")[0].strip() for line in file if ":" in line]


def _hardware(name: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        answer = fcntl.ioctl(any_socket, SIOCGIFHWADDR, struct.pack("256s", name.encode()))
    family: int = struct.unpack_from("H", answer, 16)[0]
    return family
