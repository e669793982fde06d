"""Trying to connect from inside a container, and reading what came of it."""

from collections.abc import Mapping

from wpk_sandbox.sandbox.clusters.kind.firewall import TABLE
from wpk_sandbox.sandbox.sandbox import Evidence

# Addresses that belong to nobody (RFC 5737, RFC 3849): even a packet that slipped out would reach no one.
OUTSIDE = {"192.0.2.1": ("192.0.2.1", 443), "2001:db8::1": ("2001:db8::1", 443)}

_CLOSED = "closed"
_REACHED, _REFUSED = "reached", "refused"


def script(targets: Mapping[str, tuple[str, int]]) -> str:
    """A Bash script that says of each target, a line each, whether a TCP connection to it was made.

    Nothing is tried where our table of rules is missing: a probe must not be what leaves the sandbox.
    """
    tries = (
        f"(exec 3<>/dev/tcp/{address}/{port}) 2>/dev/null && echo '{name} {_REACHED}' || echo '{name} {_REFUSED}'"
        for name, (address, port) in targets.items()
    )
    return "\n".join([f"nft list table inet {TABLE} >/dev/null || exit 1", f"echo {_CLOSED}", *tries])


def evidence(probe: str, answers: str, *, reachable: str) -> Evidence:
    """Held when one target was reached, which shows that the probe works, and every other was not."""
    lines = answers.split("\n")
    if _CLOSED not in lines:
        return Evidence(probe, held=False, seen="the rules are not there, so nothing was tried")
    seen = dict(line.rsplit(" ", 1) for line in lines if " " in line)
    held = all((outcome == _REACHED) == (name == reachable) for name, outcome in seen.items())
    told = ", ".join(f"{name} {outcome}" for name, outcome in seen.items())
    return Evidence(probe, held and reachable in seen, told)
