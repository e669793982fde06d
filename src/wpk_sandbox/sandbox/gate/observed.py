"""What the gate recorded, in the words of the result: attempts, and an event for each that was refused."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from wpk_sandbox.finding import Severity
from wpk_sandbox.sandbox.gate.recorder import Seen, Taken
from wpk_sandbox.sandbox.sandbox import Answer, Attempt, Observed, Route, SecurityEvent, Threat

# Where clouds tell a machine its credentials.
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
# https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
# https://www.alibabacloud.com/help/ecs/user-guide/view-instance-metadata
_METADATA = {
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "168.63.129.16",
    "100.100.100.200",
    "metadata.google.internal",
    "metadata.goog",
    "instance-data",
    "instance-data.ec2.internal",
}

# Names that carry data: nobody gives so long a name, nor one with so long a piece that is no word, nor several of
# them. One alone may be an id, as in `<32 digits>.gr7.eu-central-1.eks.amazonaws.com`.
_LONG_NAME, _LONG_PIECE, _CODED_PIECE = 150, 40, 20
_ENTROPY = 3.4
_PIECE = re.compile(r"[^.-]+")
_MANY_BELOW_ONE = 20
_NULL = 10  # the type of record that holds anything (RFC 1035)


def observed(taken: Taken, routes: Sequence[Route]) -> Observed:
    """The attempts, and the events that some of them are."""
    attempts = tuple(_attempt(seen, routes) for seen in taken.seen)
    refused = [seen for seen in taken.seen if seen.route is None]
    events = [*_events(refused), *_more(taken.more)]
    return Observed(attempts, tuple(events))


def ended(words: str = "") -> Observed:
    """The end of a gate that nobody asked to end; `words` are its last ones."""
    message = "the gate ended, so for a while nothing was recorded; the network stayed closed"
    return Observed(events=(SecurityEvent(Threat.NETWORK, Severity.MEDIUM, message, words),))


def joined(several: Iterable[Observed]) -> Observed:
    """What was observed at several times, in their order."""
    several = list(several)
    return Observed(
        tuple(attempt for each in several for attempt in each.attempts),
        tuple(event for each in several for event in each.events),
    )


def _attempt(seen: Seen, routes: Sequence[Route]) -> Attempt:
    known = seen.route is not None and 0 <= seen.route < len(routes)
    answer = routes[seen.route].answer if known and seen.route is not None else Answer.REFUSED
    return Attempt(seen.protocol, seen.address, seen.port, seen.name, seen.process, answer, seen.count)


def _events(refused: Iterable[Seen]) -> Iterator[SecurityEvent]:
    refused = list(refused)
    crowded = _crowded(refused)
    for seen in refused:
        metadata = seen.address in _METADATA or seen.name in _METADATA
        carries = seen.protocol == "dns" and (_carries_data(seen) or _parent(seen.name) in crowded)
        why = " (credentials of the cloud's machine)" if metadata else " (the name seems to carry data)"
        yield SecurityEvent(
            Threat.NETWORK,
            Severity.HIGH if metadata or carries else Severity.MEDIUM,
            f"{described(seen)} was refused{why if metadata or carries else ''}",
            evidence=f"seen by the gate{f', {seen.count} times' if seen.count > 1 else ''}",
            process=seen.process,
            count=seen.count,
        )


def described(seen: Seen) -> str:
    """One attempt in words."""
    if seen.protocol == "dns":
        return f"asking for the name {seen.name}" if seen.name else "a question about a name that cannot be read"
    if seen.protocol == "icmp":
        return f"a ping of {_host(seen)}"
    if seen.protocol == "udp":
        return f"a datagram to {_host(seen)} port {seen.port}"
    if seen.protocol == "tcp":
        return f"a connection to {_host(seen)} port {seen.port}"
    return f"a packet of protocol {seen.protocol} to {_host(seen)}"


def _host(seen: Seen) -> str:
    return f"{seen.name} ({seen.address})" if seen.name else seen.address


def _more(count: int) -> Iterator[SecurityEvent]:
    if count:
        yield SecurityEvent(
            Threat.NETWORK,
            Severity.MEDIUM,
            f"and {count} more attempts, too many different ones to list",
            evidence="counted by the gate",
            count=count,
        )


def _crowded(refused: Iterable[Seen]) -> set[str]:
    """Domains that were asked for so many names that the names must be what is told to them."""
    parents = Counter(_parent(seen.name) for seen in refused if seen.protocol == "dns")
    return {parent for parent, names in parents.items() if parent and names >= _MANY_BELOW_ONE}


def _parent(name: str) -> str:
    return name.partition(".")[2]


def _carries_data(seen: Seen) -> bool:
    if len(seen.name) > _LONG_NAME or seen.kind == _NULL:
        return True
    pieces = [piece for piece in _PIECE.findall(seen.name) if len(piece) >= _CODED_PIECE]
    coded = [piece for piece in pieces if _entropy(piece) >= _ENTROPY]
    return len(coded) > 1 or any(len(piece) >= _LONG_PIECE for piece in coded)


def _entropy(text: str) -> float:
    """Bits that each of its characters tells, were they independent."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())
