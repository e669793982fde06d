"""Commands that use up processes, disk or memory until the machine gives in."""

import re
from collections.abc import Iterator, Sequence

from wpk_sandbox.finding import Rule, Severity
from wpk_sandbox.package.units import quantity
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.endless import program
from wpk_sandbox.rules.shell.issue import Issue
from wpk_sandbox.rules.shell.loops import endless_loops, forks, program_forks, spins
from wpk_sandbox.rules.shell.options import parse
from wpk_sandbox.rules.shell.streams import endings, feeds_itself, kept
from wpk_sandbox.rules.shell.words import Word

FORK_BOMB = Rule(
    "shell-fork-bomb",
    Severity.CRITICAL,
    "A command starts processes without end",
    "Each copy starts further copies in the background, until the machine can start no process at all, not even the"
    " one that would stop it.",
    "Start a fixed number of processes, and `wait` for them.",
    cwe=400,
    points=POINTS[Severity.CRITICAL],
)
EXHAUSTION = Rule(
    "shell-exhaustion",
    Severity.CRITICAL,
    "A command uses up disk, memory or processors without end",
    "A source that never ends (`/dev/zero`, `yes`) is read until the disk or the memory is full, or a loop that"
    " never rests takes a whole processor. Then everything else on the machine fails or waits too.",
    "Say how much and how long: `head -c 100M /dev/zero`, `dd … count=100`, `stress-ng --timeout 30s`; in a loop,"
    " `sleep` between two rounds and leave it after a number of them.",
    cwe=400,
    points=POINTS[Severity.CRITICAL],
)

RULES = (FORK_BOMB, EXHAUSTION)

# The specification's storage for a whole sandbox; a runbook that writes more at once fills it.
MOST_BYTES = 10 * 1024**3
_ENDLESS = frozenset({"/dev/zero", "/dev/urandom", "/dev/random", "/dev/full"})
# What tells how much room there is: whoever writes as much leaves none.
_MEASURERS = frozenset({"df", "free", "vgs", "lvs"})
# Below /dev, and yet no device with an end.
_NO_DEVICE = Pattern(r"/dev/(?:null$|shm/)")
_DD_SUFFIXES = {"c": 1, "w": 2, "b": 512, "kB": 1000, "K": 1024, "MB": 1000**2, "GB": 1000**3, "TB": 1000**4}


def check(commands: Sequence[Command]) -> Iterator[Issue]:
    """What the commands of a script would use up."""
    known: set[tuple[str, ...]] = set()
    substituted = endings(commands)
    for command in commands:
        if (_is_bomb(command) and command.functions not in known) or program_forks(command):
            known.add(command.functions)
            yield Issue(FORK_BOMB, command.span, f"`{command.shown}` starts itself again without end")
        if what := _exhausts(command, substituted=id(command) in substituted):
            yield Issue(EXHAUSTION, command.span, f"`{command.shown}` {what}")
    for loop in endless_loops(commands):
        started = forks(loop)
        for command in started:
            yield Issue(FORK_BOMB, command.span, f"`{command.shown}` is started again and again without end")
        if not started and spins(loop):
            span = min(command.span[0] for command in loop), max(command.span[1] for command in loop)
            yield Issue(EXHAUSTION, span, f"a loop around `{loop[-1].shown}` never ends and never rests")


def _is_bomb(command: Command) -> bool:
    """A function (or the script) that starts itself in the background or twice in a pipe."""
    if not command.words:
        return False
    itself = command.name in command.functions if command.name else _is_script(command.words[0])
    if not itself:
        return False
    same = sum(1 for other in command.upstream if other.words and other.words[0].shown == command.words[0].shown)
    return command.background or same > 0


def _is_script(word: Word) -> bool:
    return len(word.pieces) == 1 and word.pieces[0].name == "0"


def _exhausts(command: Command, *, substituted: bool) -> str:
    """What is used up, for the message; empty if nothing is."""
    if command.name in _MEASURED and (what := _MEASURED[command.name](command)):
        return what
    if feeds_itself(command):
        return "copies a file to its own end"
    return kept(command, substituted=substituted) or program(command)


def _load(command: Command) -> str:
    """`stress-ng --cpu 0`, which goes on until somebody ends it."""
    options = parse(command.arguments, frozenset({"t", "timeout"}))
    time = options.value("t", "timeout")
    never = time is not None and re.fullmatch(r"0+[smhd]?", time.when_empty) is not None
    ends = (
        (options.has("t", "timeout") and not never)
        or options.has("help", "version", "V", "h")
        or "timeout" in command.via
    )
    return "" if ends or not command.arguments else "loads the machine with no end in time"


def _dd(command: Command) -> str:
    operands: dict[str, Word] = {}
    for word in command.arguments:
        key, equals, _ = word.when_empty.partition("=")
        if equals:
            operands[key] = word.after(len(key) + 1)
    source = operands.get("if")
    if source is None or source.value not in _ENDLESS:
        return ""
    output = operands.get("of")
    if output is not None and _is_device(output.when_empty):
        # It ends with the device; that the device is overwritten is for another rule to say.
        return ""
    if any(map(_all_there_is, operands.values())):
        return "takes all the room that there is"
    if "count" not in operands:
        if output is None and command.piped:
            return ""
        return f"copies {source.value} without end"
    size = _dd_size(operands["count"].value) * (_dd_size(operands["bs"].value) if "bs" in operands else 512)
    return f"writes {size / 1024**3:.0f} GiB" if size > MOST_BYTES else ""


def _is_device(path: str) -> bool:
    return path.startswith("/dev/") and not _NO_DEVICE.match(path)


def _dd_size(text: str | None) -> float:
    """A number of dd with its suffix; 0 for what cannot be known."""
    if not text:
        return 0
    for suffix, factor in _DD_SUFFIXES.items():
        if text.endswith(suffix) and text[: -len(suffix)].isdigit():
            return int(text[: -len(suffix)]) * factor
    return _bytes(text)


def _large(command: Command) -> str:
    if command.piped:
        return ""
    if command.name == "head" and not any(redirect.writes for redirect in command.redirects):
        return ""
    options = parse(command.arguments, frozenset({"l", "length", "o", "offset", "c", "bytes", "n", "lines"}))
    word = options.value("l", "length") if command.name == "fallocate" else options.value("c", "bytes")
    if word is not None and _all_there_is(word):
        return "takes all the room that there is"
    size = _bytes(word.value) if word is not None and word.value else 0
    return f"writes {size / 1024**3:.0f} GiB" if size > MOST_BYTES else ""


def _all_there_is(word: Word) -> bool:
    """True for a number that `df` has told."""
    return any(each.name in _MEASURERS for piece in word.pieces for each in piece.commands)


def _bytes(text: str) -> float:
    """A size as coreutils write it: `100M` is MiB, `1GB` is decimal; 0 for what is none."""
    text = text.removesuffix("iB").removesuffix("B")
    try:
        return quantity(f"{text}i" if text[-1:] in tuple("KMGTPE") else text.replace("k", "Ki"))
    except ValueError:
        return 0


_MEASURED = {"dd": _dd, "stress": _load, "stress-ng": _load, "fallocate": _large, "head": _large}
