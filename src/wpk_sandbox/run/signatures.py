"""Known shapes of attacks in what a step tried to reach and said. Pure, and rather silent than wrong.

A runbook that calls a webhook, asks a health endpoint or names a long host is none of these; each shape below is
one that ordinary runbooks do not have by chance.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from wpk_sandbox.finding import Severity
from wpk_sandbox.sandbox.sandbox import Answer, Attempt, SecurityEvent, Threat

# The metadata services of AWS (both families, and of tasks), Azure's agent, Alibaba and Oracle Cloud.
_METADATA = {
    "169.254.169.254",
    "fd00:ec2::254",
    "169.254.170.2",
    "fd00:ec2::23",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
}
_METADATA_NAMES = {"metadata.google.internal", "instance-data.ec2.internal", "instance-data"}

# Pools that miners are pointed at, by a part of their names.
_POOL = re.compile(
    r"(^|[.-])(minexmr|supportxmr|moneroocean|nanopool|hashvault|nicehash|minergate|xmrpool|f2pool|2miners"
    r"|c3pool|herominers|unmineable|ethermine|antpool)\.|(^|\.)(xmr|monero|stratum)[a-z0-9-]*\.",
    re.IGNORECASE,
)
_STRATUM = re.compile(r"\bstratum\+(?:tcp|ssl|tls)://[^\s'\"]{1,200}", re.IGNORECASE)
_MINER = re.compile(r'"method"\s*:\s*"(?:mining\.(?:subscribe|authorize)|eth_submitLogin)"')

# Where the listeners of common tools wait by default; none is a service of an ordinary runbook.
_HANDLER_PORTS = {1337, 4443, 4444, 4445, 5554, 6666, 9001, 31337}
# A shell or a netcat that connects by itself (`bash -i >& /dev/tcp/…`, `nc -e`), named as sandboxes do: `bash (7)`.
_BARE = re.compile(r"^(?:sh|bash|dash|ash|zsh|ksh|nc|ncat|netcat|nc\.\w+|socat|telnet)(?: \(|$)")
_CALLED_BACK = re.compile(
    r"/dev/(?:tcp|udp)/[^\s/]{1,253}/\d{1,5}.{0,40}(?:Connection refused|No route|unreachable)"
)

# A label that carries data is long and has no words in it. One alone may be the name of a load balancer.
_LONG, _VERY_LONG = 24, 48
_FEW, _MANY = 3, 25
_LEAST_BITS = 3.0


def signatures(attempts: Sequence[Attempt], output: str) -> Iterator[SecurityEvent]:
    """What looks like a known attack; `output` is what the step said on both streams."""
    refused = [attempt for attempt in attempts if attempt.answer is Answer.REFUSED]
    yield from _metadata(refused)
    yield from _mining(refused, output)
    yield from _reverse_shell(refused, output)
    yield from _exfiltration(refused)


def _metadata(attempts: Iterable[Attempt]) -> Iterator[SecurityEvent]:
    for attempt in attempts:
        if attempt.address in _METADATA or attempt.name.rstrip(".").lower() in _METADATA_NAMES:
            message = "asked for the cloud's metadata, which hands out credentials"
            yield _event(Severity.MEDIUM, message, attempt)


def _mining(attempts: Iterable[Attempt], output: str) -> Iterator[SecurityEvent]:
    pools = [attempt for attempt in attempts if _POOL.search(attempt.name)]
    for attempt in pools:
        yield _event(Severity.HIGH, "called a pool of crypto miners", attempt)
    said = _STRATUM.search(output) or _MINER.search(output)
    if said:
        severity = Severity.HIGH if pools else Severity.LOW
        yield SecurityEvent(Threat.SIGNATURE, severity, "spoke the protocol of crypto miners", said[0][:200])


def _reverse_shell(attempts: Iterable[Attempt], output: str) -> Iterator[SecurityEvent]:
    for attempt in attempts:
        if attempt.protocol == "tcp" and attempt.port in _HANDLER_PORTS and _BARE.match(attempt.process):
            yield _event(Severity.HIGH, "a shell called a port where attackers' listeners wait", attempt)
    called = _CALLED_BACK.search(output)
    if called and "-i" in output:
        message = "an interactive shell tried to call out"
        yield SecurityEvent(Threat.SIGNATURE, Severity.MEDIUM, message, called[0][:200])


def _exfiltration(attempts: Iterable[Attempt]) -> Iterator[SecurityEvent]:
    """Data in names: questions under one domain whose labels are long, many, and without words."""
    asked: dict[str, set[str]] = defaultdict(set)
    by: dict[str, str] = {}
    for attempt in attempts:
        if attempt.protocol == "dns":
            name = attempt.name.rstrip(".").lower()
            domain = _domain(name)
            asked[domain].add(name.removesuffix(domain).rstrip("."))
            by.setdefault(domain, attempt.process)
    for domain, names in asked.items():
        labels = [label for name in sorted(names) for label in name.split(".")]
        carriers = [label for label in labels if _carries_data(label)]
        if len(carriers) >= _FEW or any(len(label) >= _VERY_LONG for label in carriers):
            severity = Severity.HIGH if len(carriers) >= _FEW else Severity.MEDIUM
            evidence = (
                f"{carriers[0][:63]}.{domain} and {len(names) - 1} more" if len(names) > 1 else carriers[0][:63]
            )
            message = f"sent data in names below {domain}"
            yield SecurityEvent(Threat.SIGNATURE, severity, message, evidence, by[domain])
        elif len(names) >= _MANY and sum(map(_random, labels)) > len(labels) / 2:
            message = f"asked for {len(names)} random names below {domain}"
            yield SecurityEvent(Threat.SIGNATURE, Severity.MEDIUM, message, process=by[domain])


def _domain(name: str) -> str:
    """The last two labels, or three where the second is one of a registry (`co.uk`)."""
    labels = name.split(".")
    short = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3:] if short else labels[-2:])


def _carries_data(label: str) -> bool:
    return len(label) >= _LONG and _random(label)


def _random(label: str) -> bool:
    """True for hexadecimal, Base32 and Base64 data: as many different letters as chance gives, and digits."""
    if len(label) < 8 or label.count("-") > 1 or not any(letter.isdigit() for letter in label):
        return False
    return _entropy(label) >= min(_LEAST_BITS, math.log2(len(label)) - 0.8)


def _entropy(text: str) -> float:
    """Bits for each letter, by how often each stands in the text."""
    counts = Counter(text).values()
    return -sum(number / len(text) * math.log2(number / len(text)) for number in counts)


def _event(severity: Severity, message: str, attempt: Attempt) -> SecurityEvent:
    target = attempt.name or attempt.address
    evidence = f"{target}:{attempt.port}" if attempt.port else target
    return SecurityEvent(Threat.SIGNATURE, severity, message, evidence, attempt.process, attempt.count)
