"""What built-in commands change in the shell itself: the folder, variables, arguments, aliases."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

from wpk_sandbox.rules.shell import lists
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.printed import input_words, lines, printed_words
from wpk_sandbox.rules.shell.progress import Reading
from wpk_sandbox.rules.shell.scope import MOST_VALUES, Value
from wpk_sandbox.rules.shell.words import Known, Piece, Word, split


def apply(command: Command, reading: Reading, *, certain: bool) -> None:
    """Take in what a command changes; nothing for one that is no built-in."""
    effect = _EFFECTS.get(command.name)
    if effect is not None:
        effect(command, reading, certain)


def _cd(command: Command, reading: Reading, certain: bool) -> None:
    if not command.arguments:
        return
    word = command.arguments[-1]
    known = word.value is not None and word.value.startswith(("/", "~"))
    reading.scope.set("PWD", word.pieces if known else None, certain=certain)


def _set(command: Command, reading: Reading, certain: bool) -> None:
    """`set -- a b`."""
    values = [word.value for word in command.arguments]
    if "--" in values:
        words = command.arguments[values.index("--") + 1 :]
        reading.scope.set(lists.ARGUMENTS, lists.listed(words), certain=certain)


def _shift(command: Command, reading: Reading, certain: bool) -> None:
    value = reading.scope.get(lists.ARGUMENTS)
    count = command.arguments[0].value if command.arguments else "1"
    if value is not None:
        known = count is not None and count.isdecimal()
        left = lists.without_first(value, int(count[:6])) if known and count else None
        reading.scope.set(lists.ARGUMENTS, left, certain=certain)


def _read(command: Command, reading: Reading, certain: bool) -> None:
    """`read a b`: each line of what is known of its input may be the one that is read."""
    options = parse(command.arguments, names("a d i n N p t u"))
    targets = [word.value for word in options.operands if word.value] or ["REPLY"]
    read = list(islice(_lines(command), MOST_VALUES))
    array = options.value("a")
    if array is not None and array.value:
        fields = tuple(_fields(read[0])) if read else ()
        reading.scope.set(lists.key(array.value), lists.listed(fields) if fields else None, certain=certain)
        return
    for index, name in enumerate(targets):
        last = index + 1 == len(targets)
        values: list[Value | None] = [_part(line, index, last=last) for line in read]
        reading.scope.set_any(name, values or [_unknown(name, command) if command.upstream else None])


def _unknown(name: str, command: Command) -> Value:
    """A line that a command before the pipe prints: none is taken to be empty."""
    return (Piece("", command.span, Known.NEVER_EMPTY, source=f"${name}", name=name),)


def _mapfile(command: Command, reading: Reading, certain: bool) -> None:
    operands = parse(command.arguments, names("d n O s u C c")).operands
    name = operands[0].value if operands else "MAPFILE"
    words = tuple(Word(line, command.span) for line in _lines(command))
    if name:
        reading.scope.set(lists.key(name), lists.listed(words) if words else None, certain=certain)


def _lines(command: Command) -> Iterator[Value]:
    for words in input_words(command):
        yield from lines(words)


def _fields(line: Value) -> Iterator[Word]:
    pieces = [replace(piece, splits=True) if piece.exact else piece for piece in line]
    yield from split(pieces, (0, 0))


def _part(line: Value, index: int, *, last: bool) -> Value | None:
    """The field of a line that goes into one of several variables; the last one takes the rest."""
    if index == 0 and last:
        return line
    fields = list(_fields(line))
    if index >= len(fields):
        return None
    rest = fields[index:] if last else fields[index : index + 1]
    return lists.listed(rest)


def _printf(command: Command, reading: Reading, certain: bool) -> None:
    """`printf -v NAME …`."""
    words = command.arguments
    if len(words) > 2 and words[0].value == "-v" and words[1].value:
        made = printed_words(replace(command, words=(command.words[0], *words[2:])))
        reading.scope.set(words[1].value, made[0].pieces if made else None, certain=certain)


def _alias(command: Command, reading: Reading, _: bool) -> None:
    for word in command.arguments:
        name, equals, _text = word.when_empty.partition("=")
        if equals and name and word.value is not None:
            reading.aliases[name] = word.after(len(name) + 1)


_EFFECTS: dict[str, Callable[[Command, Reading, bool], None]] = {
    "cd": _cd,
    "pushd": _cd,
    "set": _set,
    "shift": _shift,
    "read": _read,
    "mapfile": _mapfile,
    "readarray": _mapfile,
    "printf": _printf,
    "alias": _alias,
}
