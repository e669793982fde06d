"""Files and folders that everybody on the machine may change."""

import re
from collections.abc import Iterator, Sequence

from wpk_sandbox.finding import Rule, Severity
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell import modes
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.issue import Issue
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.words import Word

WORLD_WRITABLE = Rule(
    "shell-world-writable",
    Severity.MEDIUM,
    "Everybody may change a file",
    "Any process on the machine, a compromised one too, can put its own text into the file: a script that root runs"
    " later, a configuration, a certificate. A shell that runs with the rights of its owner opens all of them.",
    "Give the right to the user or group that needs it: `chown app: file`, `chmod 640`, `chmod g+w`.",
    cwe=732,
    points=POINTS[Severity.MEDIUM],
)

RULES = (WORLD_WRITABLE,)

_OCTAL = Pattern(r"[0-7]{1,5}")
_CLAUSE = Pattern(r"([ugoa]*)([-+=])([rwxXstugo]*)")
# Devices that everybody may write to by design, also in the root of another system.
_SHARED = Pattern(r"(?:^|/)dev/(?:null|zero|full|u?random|tty\d*|ptmx|fuse|net/tun|kvm)$")
# Their numbers, major and minor: https://docs.kernel.org/admin-guide/devices.html
_SHARED_NUMBERS = Pattern(r"c (?:1 [35789]|4 \d+|5 [0-2]|10 (?:200|229|232))")


def check(commands: Sequence[Command]) -> Iterator[Issue]:
    """Which commands of a script open files to everybody."""
    for command in commands:
        mode = _mode(command)
        if mode is not None and mode.value is not None and _opens(mode.value):
            yield Issue(WORLD_WRITABLE, command.span, f"`{command.shown}` lets everybody write")
        elif command.name == "umask" and _masks_nothing(command):
            message = f"`{command.shown}` lets everybody write to all that is made from here on"
            yield Issue(WORLD_WRITABLE, command.span, message, "Use `umask 022`, or `umask 077` for secrets.")
        elif command.name == "setfacl" and any(_opens_list(word) for word in command.arguments):
            yield Issue(WORLD_WRITABLE, command.span, f"`{command.shown}` lets everybody write")
        elif how := modes.opened(command):
            yield Issue(
                WORLD_WRITABLE, command.span, f"`{command.shown}` {how}" if command.words else f"this {how}"
            )


def _mode(command: Command) -> Word | None:
    """The rights that a command gives, numeric or as clauses."""
    match command.name:
        case "chmod":
            # A mode may begin with `-` itself, as in `chmod -x file`; that takes rights away.
            operands = parse(command.arguments, names("reference")).operands
            shared = len(operands) > 1 and all(_SHARED.search(word.template("*")) for word in operands[1:])
            return operands[0] if operands and not shared else None
        case "install":
            return parse(command.arguments, names("m mode o owner g group t S")).value("m", "mode")
        case "mkdir" | "mkfifo" | "mknod":
            options = parse(command.arguments, names("m mode Z context"))
            made = " ".join(word.when_empty for word in options.operands[1:])
            return None if _SHARED_NUMBERS.fullmatch(made) else options.value("m", "mode")
    return None


def _opens(mode: str) -> bool:
    """True when a mode lets others write, and no sticky bit keeps them from each other's files."""
    if _OCTAL.fullmatch(mode):
        number = int(mode, 8)
        return bool(number & 0o002) and not number & 0o1000
    clauses = [found.groups() for part in mode.split(",") if (found := _CLAUSE.fullmatch(part))]
    if any("t" in rights for _, operator, rights in clauses if operator != "-"):
        return False
    return any(
        operator != "-" and "w" in rights and ("o" in who or "a" in who) for who, operator, rights in clauses
    )


def _masks_nothing(command: Command) -> bool:
    words = [word.value or "" for word in command.arguments if word.value not in ("-S", "-p")]
    if not words:
        return False
    if _OCTAL.fullmatch(words[0]):
        return not int(words[0], 8) & 0o002
    return _opens(words[0])


def _opens_list(word: Word) -> bool:
    """`setfacl -m o::rwx`."""
    entries = re.split(r"[,\s]", word.when_empty)
    return any(
        re.fullmatch(r"(?:d(?:efault)?:)?o(?:ther)?::?[r-]?w[xX-]?|.*\bo(?:ther)?:.*w.*", each) for each in entries
    )
