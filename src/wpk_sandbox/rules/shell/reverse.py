"""Shells that are handed to somebody on the network."""

import re
from collections.abc import Iterator, Sequence

from wpk_sandbox.finding import Rule, Severity
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell import programs
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.issue import Issue
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.ran import produced
from wpk_sandbox.rules.shell.wrappers import INTERPRETERS, SHELLS

REVERSE_SHELL = Rule(
    "shell-reverse-shell",
    Severity.CRITICAL,
    "A shell is connected to the network",
    "Whoever is at the other end types commands with the rights of the runbook. No operations task needs this.",
    "Remove it. If a person must look at the machine, use `kubectl exec` or `ssh` with their own account.",
    cwe=506,
    points=POINTS[Severity.CRITICAL],
)

RULES = (REVERSE_SHELL,)

_NETWORK_FILE = re.compile(r"/dev/(?:tcp|udp)/")
_NETCATS = frozenset({"nc", "ncat", "netcat", "nc.traditional", "nc.openbsd"})
_CONNECTORS = _NETCATS | {"telnet", "socat", "openssl"}
_AWKS = frozenset({"awk", "gawk", "mawk", "nawk"})
_AWK_NETWORK = re.compile(r"/inet[46]?/(?:tcp|udp)/")
_AWK_READS = re.compile(r"\|&?\s*getline\s+(\w+)")
_AWK_RUNS = re.compile(r"(\w+)\s*\|&?\s*getline|\bsystem\s*\(\s*(\w+)")
_TELLING = {
    "python": (re.compile(r"\bsocket\b"), re.compile(r"dup2|subprocess|pty\.spawn|os\.system|/bin/(?:ba)?sh")),
    "perl": (re.compile(r"\bSocket\b|socket\("), re.compile(r"exec|system|/bin/(?:ba)?sh")),
    "ruby": (re.compile(r"TCPSocket"), re.compile(r"exec|spawn|/bin/(?:ba)?sh")),
    "php": (re.compile(r"fsockopen"), re.compile(r"exec|popen|passthru|/bin/(?:ba)?sh")),
    "node": (re.compile(r"\bnet\b"), re.compile(r"child_process|spawn|/bin/(?:ba)?sh")),
    "lua": (re.compile(r"socket"), re.compile(r"os\.execute|io\.popen")),
}


def check(commands: Sequence[Command]) -> Iterator[Issue]:
    """Which commands of a script connect a shell to the network."""
    for command in _handing(commands):
        yield Issue(REVERSE_SHELL, command.span, f"`{command.shown}` hands a shell to the network")


def _handing(commands: Sequence[Command]) -> Iterator[Command]:
    opened = any(_opens(command) for command in commands)
    read = {
        word.value for command in commands if command.name == "read" for word in command.arguments if word.value
    }
    for command in commands:
        fed = opened and _on_descriptor(command)
        runs_line = _obeys(command, read) and (fed or _hears(command))
        if _connects(command) or _answered(command) or runs_line or (fed and command.name in INTERPRETERS):
            yield command


def _opens(command: Command) -> bool:
    """`exec 3<>/dev/tcp/…`, `coproc nc …`: from here on a descriptor leads to the network."""
    return (command.name == "exec" and _on_network(command)) or ("coproc" in command.via and _is_connector(command))


def _connects(command: Command) -> bool:
    name = command.name
    if name in SHELLS and (_on_network(command) or any(map(_is_connector, command.upstream))):
        return True
    if _is_connector(command) and any(up.name in SHELLS for up in command.upstream):
        return True
    if name in _NETCATS:
        options = parse(command.arguments, names("e c p s w q i exec sh-exec lua-exec"))
        return options.has("e", "c", "exec", "sh-exec", "lua-exec")
    if name == "socat":
        return _socat(command)
    if name in _AWKS:
        return _awk_obeys(programs.text(command))
    return name.rstrip("0123456789.") in _TELLING and _program_connects(command)


def _answered(command: Command) -> bool:
    """`sh -c "$(nc …)"`, `bash <(nc …)`, `nc … | xargs sh -c`: what the other end sends is run."""
    return any(_is_connector(source) for group in produced(command) for source in group)


def _obeys(command: Command, read: set[str]) -> bool:
    """`$line`, `eval "$line"`, `sh -c "$line"` where `read` filled the variable."""
    words = command.words[:1]
    if command.name == "eval" or (command.name in SHELLS and command.arguments):
        words = command.arguments
    return any(word.pieces and word.pieces[0].name in read for word in words)


def _hears(command: Command) -> bool:
    """True behind a connection to which nothing is said first: `nc … | while read line`."""
    return bool(command.upstream) and _is_connector(command.upstream[0])


def _awk_obeys(program: str) -> bool:
    """True when awk runs what a connection sends: `s |& getline c`, and then `c | getline` or `system(c)`."""
    if _AWK_NETWORK.search(program) is None:
        return False
    heard = {found[1] for found in _AWK_READS.finditer(program)}
    run = {found[1] or found[2] for found in _AWK_RUNS.finditer(program)}
    return not heard.isdisjoint(run)


def _is_connector(command: Command) -> bool:
    """`openssl` is one as `s_client` only; it decodes and hashes too."""
    if command.name == "openssl":
        return any(word.value == "s_client" for word in command.arguments)
    return command.name in _CONNECTORS


def _on_network(command: Command) -> bool:
    return any(_NETWORK_FILE.match(redirect.target.when_empty) for redirect in command.redirects)


def _on_descriptor(command: Command) -> bool:
    """`sh <&3`, or a shell behind `cat <&3`."""
    return any(
        redirect.operator in ("<&", ">&") and redirect.target.value not in ("1", "2", "-")
        for source in (command, *command.upstream)
        for redirect in source.redirects
    )


def _socat(command: Command) -> bool:
    addresses = [word.when_empty.lower() for word in command.arguments]
    runs = any(address.startswith(("exec:", "system:", "shell:")) for address in addresses)
    return runs and any(address.startswith(("tcp", "udp", "openssl", "ssl")) for address in addresses)


def _program_connects(command: Command) -> bool:
    """A program in an argument (`python -c`) that both opens a connection and starts a shell."""
    connects, starts = _TELLING[command.name.rstrip("0123456789.")]
    options = parse(command.arguments, frozenset({"c", "e", "r"}))
    given = [word.when_empty for name in ("c", "e", "r") for word in options.values.get(name, ())]
    return any(connects.search(program) and starts.search(program) for program in given)
