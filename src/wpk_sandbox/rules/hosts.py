"""Whether an address leaves the cluster, as far as its text tells."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase

from wpk_sandbox.pattern import Pattern

# Stands in an address where a parameter or an output will be.
UNKNOWN_MARK = "\0"

_SCHEME = Pattern(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
_NUMBER_HOST = Pattern(r"0x[0-9a-f]+|\d+")
_INTERNAL = (".svc", ".cluster.local", ".localhost")
# Namespaces that nearly every cluster has: `prometheus.monitoring` is a service, no domain.
_COMMON_NAMESPACES = frozenset(
    {"default", "monitoring", "logging", "observability", "ingress", "database", "databases", "production", "prod"}
)
# RFC 1918, RFC 6598, RFC 4193 and link-local; the reserved addresses of examples count as outside.
_PRIVATE = tuple(
    map(
        ipaddress.ip_network,
        (
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",
            "169.254.0.0/16",
            "fc00::/7",
            "fe80::/10",
        ),
    )
)
# The address at which clouds hand out the credentials of a machine, as IPv4, IPv6 and by name.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html has the addresses of containers.
_METADATA = frozenset(
    {
        "169.254.169.254",
        "fd00:ec2::254",
        "169.254.170.2",
        "169.254.170.23",
        "fd00:ec2::23",
        "metadata.google.internal",
        "100.100.100.200",
    }
)


class Where(Enum):
    """Where an address leads."""

    INSIDE = "this machine or this cluster"
    OUTSIDE = "somewhere outside"
    PRIVATE = "a private address, which may be inside or not"
    METADATA = "the cloud's metadata service"
    UNKNOWN = "a parameter decides"


@dataclass(frozen=True)
class Address:
    """The host of an address, for a reader, and where it leads."""

    host: str
    where: Where


def address(text: str, allowed: Iterable[str], namespaces: frozenset[str]) -> Address:
    """Where a URL or a host leads; `UNKNOWN_MARK` stands for what is unknown in it.

    `allowed` are the policy's patterns; `namespaces` those that the package names, whose services are inside.
    """
    host = _host(text)
    shown = host.replace(UNKNOWN_MARK, "…")
    if host.rstrip(UNKNOWN_MARK) in _METADATA:  # a path may follow in a variable
        return Address(host.rstrip(UNKNOWN_MARK), Where.METADATA)
    if not host or _decided_later(host):
        return Address(shown, Where.UNKNOWN)
    probe = host.replace(UNKNOWN_MARK, "x")
    if any(fnmatchcase(probe, pattern.lower()) for pattern in allowed):
        return Address(shown, Where.INSIDE)
    if host in _METADATA:
        return Address(shown, Where.METADATA)
    number = _ip(host)
    if number is not None:
        return Address(shown, _where_ip(number))
    return Address(shown, Where.INSIDE if _is_service(probe, namespaces) else Where.OUTSIDE)


def _host(text: str) -> str:
    """The host of `scheme://user@host:port/path`, in lower case."""
    match = _SCHEME.match(text)
    rest = text[match.end() :] if match else text
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0].rpartition("@")[2]
    if authority.startswith("["):
        return authority[1:].partition("]")[0].lower()
    host = authority if authority.count(":") > 1 else authority.partition(":")[0]
    return host.rstrip(".").lower()


def _decided_later(host: str) -> bool:
    """True when the unknown part decides where it leads: all of the host, or the end of its name."""
    if UNKNOWN_MARK not in host or host.endswith(_INTERNAL):
        return False
    labels = host.split(".")
    return len(labels) < 3 or any(UNKNOWN_MARK in label for label in labels[-2:])


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if _NUMBER_HOST.fullmatch(host):  # `http://2130706433/` is an address too
        number = int(host, 0) if host.startswith("0x") else int(host)
        return ipaddress.IPv4Address(number) if number < 2**32 else None
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _where_ip(number: ipaddress.IPv4Address | ipaddress.IPv6Address) -> Where:
    if str(number) in _METADATA:
        return Where.METADATA
    if number.is_loopback or number.is_unspecified:
        return Where.INSIDE
    return Where.PRIVATE if any(number in network for network in _PRIVATE) else Where.OUTSIDE


def _is_service(host: str, namespaces: frozenset[str]) -> bool:
    """True for localhost and for the names that services of a cluster have.

    https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/
    """
    labels = host.split(".")
    if len(labels) == 1 or host.endswith(_INTERNAL):
        return True
    # No top-level domain has a hyphen, except the encoded ones.
    last = labels[-1]
    is_namespace = last in namespaces or last in _COMMON_NAMESPACES or ("-" in last and not last.startswith("xn--"))
    return len(labels) == 2 and is_namespace
