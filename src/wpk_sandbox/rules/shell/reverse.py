"""Shells that are handed to somebody on the network."""

from collections.abc import Iterator, Sequence

from wpk_sandbox.finding import Rule, Severity
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell import programs
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.handover import hands_over
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

_NETWORK_FILE = Pattern(r"/dev/(?:tcp|udp)/")
_NETCATS = frozenset({"nc", "ncat", "netcat", "nc.traditional", "nc.openbsd"})
_CONNECTORS = _NETCATS | {"telnet", "socat", "openssl"}
_AWKS = frozenset({"awk", "gawk", "mawk", "nawk"})
_AWK_NETWORK = Pattern(r"/inet[46]?/(?:tcp|udp)/")
_AWK_READS = Pattern(r"\|&?\s*getline\s+(\w+)")
_AWK_RUNS = Pattern(r"(\w+)\s*\|&?\s*getline|\bsystem\s*\(\s*(\w+)")


def check(commands: Sequence[Command]) -> Iterator[Issue]:
    """Which commands of a script connect a shell to the network."""
    for command in _handing(commands):
        yield Issue(REVERSE_SHELL, command.span, f"`{command.shown}` hands a shell to the network")


def _handing(commands: Sequence[Command]) -> Iterator[Command]:
    opened = any(_opens(command) for command in commands)
    read = {
        word.value for command in commands if command.name == "read" for word in command.arguments if word.value
    }
    coprocess = any(command.name == "coproc" or "coproc" in command.via for command in commands)
    replaced = False
    for command in commands:
        replaced = replaced or (command.name == "exec" and _takes_input(command))
        fed = opened and _on_descriptor(command)
        runs_line = _obeys(command, read) and (fed or _hears(command))
        talks = (fed and command.name in INTERPRETERS) or (replaced and _is_bare_shell(command))
        between = coprocess and _is_connector(command) and _on_descriptor(command)
        if _connects(command) or _answered(command) or runs_line or talks or between:
            yield command


def _takes_input(command: Command) -> bool:
    """`exec 0</dev/tcp/…`: from here on the network is the input of everything."""
    return any(
        each.operator in ("<", "<>")
        and each.descriptor in ("", "0")
        and _NETWORK_FILE.match(each.target.when_empty)
        for each in command.redirects
    )


def _is_bare_shell(command: Command) -> bool:
    """True for a shell that takes its commands from its input."""
    options = parse(command.arguments, names("c o O rcfile init-file"), first_operand_ends=True)
    return command.name in SHELLS and not options.operands and not options.has("c")


def _opens(command: Command) -> bool:
    """`exec 3<>/dev/tcp/…`, `coproc nc …`: from here on a descriptor leads to the network."""
    return (command.name in ("exec", "ztcp") and (_on_network(command) or command.name == "ztcp")) or (
        "coproc" in command.via and _is_connector(command)
    )


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
    return hands_over(command)


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
