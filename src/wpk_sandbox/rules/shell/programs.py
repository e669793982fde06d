"""Shell commands inside of programs in other languages: `python -c`, `perl -e`, `awk '{system(…)}'`.

These programs are not parsed. What is read are the calls that start a command with a literal text or list, as each
language's manual names them; a command that a program puts together is not seen.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.printed import input_words
from wpk_sandbox.rules.shell.started import Started, Text
from wpk_sandbox.rules.shell.words import Piece, Word, joined

MOST_CALLS = 32
LONGEST_LIST = 32

_LITERAL = Pattern(r"""[rbuf]{0,2}("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')""")
_BETWEEN = Pattern(r"\s*,\s*")
_MODE = Pattern(r"\bchmod\b\s*\(?\s*(?:[^,()]{1,200},\s*)?0o?([0-7]{3,4})\b")
_BACKSLASH = Pattern(r"\\(.)", re.DOTALL)


@dataclass(frozen=True)
class Language:
    """How a language starts commands.

    `calls` ends right before the first argument, or before the `[` of a list. `deletes` are calls that delete the
    folder that they are given. `quotes` hold a command as their group 1. `takes` are the options with a program.
    """

    calls: Pattern
    takes: frozenset[str]
    deletes: Pattern | None = None
    quotes: Pattern | None = None
    others: frozenset[str] = field(default_factory=frozenset)


_BACKQUOTES = Pattern(r"`([^`]+)`|(?:qx|%x)\s*[{(\[|!]([^})\]|!]+)")
_PYTHON = Language(
    Pattern(
        r"(?:\bos\.(?:system|popen|exec[lv]p?e?|spawn[lv]p?e?)|\bsystem|\bpopen|\bsubprocess\.(?:run|call|Popen|check_call|check_output"
        r"|getoutput|getstatusoutput)|\b(?:run|call|Popen|check_call|check_output|getoutput)|\bpty\.spawn"
        r"|\bspawn)\s*\(\s*(?:os\.P_\w+\s*,\s*)?"
    ),
    names("c"),
    Pattern(r"\b(?:shutil\.)?rmtree\(\s*"),
    others=names("W X m"),
)
_PERL = Language(
    Pattern(r"\b(?:system|exec)\b\s*\(?\s*"),
    names("e E"),
    Pattern(r"\b(?:rmtree|remove_tree)\s*\(?\s*"),
    _BACKQUOTES,
    names("I M x C"),
)
_RUBY = Language(
    Pattern(r"\b(?:system|exec|spawn|popen|Open3\.\w+)\b\s*\(?\s*"),
    names("e"),
    Pattern(r"\b(?:FileUtils\.)?(?:rm_rf|rm_r|remove_dir|remove_entry)\b\s*\(?\s*"),
    _BACKQUOTES,
    names("I r C"),
)
_NODE = Language(
    Pattern(r"\b(?:exec|execSync|spawn|spawnSync|execFile|execFileSync)\s*\(\s*"),
    names("e eval p print pe"),
    Pattern(r"\b(?:rmSync|rmdirSync|rm|rmdir)\s*\(\s*"),
    others=names("r require"),
)
_PHP = Language(
    Pattern(r"\b(?:system|exec|shell_exec|passthru|popen|proc_open)\s*\(\s*"),
    names("r"),
    None,
    Pattern(r"`([^`]+)`()"),
    names("d c"),
)
_LUA = Language(Pattern(r"\b(?:os\.execute|io\.popen)\s*\(?\s*"), names("e"))
_AWK = Language(Pattern(r"\bsystem\s*\(\s*"), frozenset(), others=names("F v f"))

LANGUAGES = {
    "python": _PYTHON,
    "pypy": _PYTHON,
    "perl": _PERL,
    "ruby": _RUBY,
    "node": _NODE,
    "nodejs": _NODE,
    "php": _PHP,
    "lua": _LUA,
    "awk": _AWK,
    "gawk": _AWK,
    "mawk": _AWK,
    "nawk": _AWK,
}


def language(name: str) -> str:
    """The key of `LANGUAGES` that a program's name stands for (`python3.12`), or the name."""
    return name.rstrip("0123456789.")


def started(command: Command) -> Iterator[Started]:
    """The commands that the program in a command's arguments or input starts."""
    spoken = LANGUAGES[language(command.name)]
    for word in _programs(command, spoken):
        text, places = joined((word,), word.span[1])
        yield from _calls(text, places, spoken)


def text(command: Command) -> str:
    """What an interpreter is given to run, with its other arguments, which load modules; empty if no program."""
    spoken = LANGUAGES.get(language(command.name))
    given = [word.when_empty for word in _programs(command, spoken)] if spoken else []
    return "\n".join([*given, *(word.when_empty for word in command.arguments)]) if given else ""


def _programs(command: Command, spoken: Language) -> Iterator[Word]:
    options = parse(command.arguments, spoken.takes | spoken.others, first_operand_ends=True)
    if not spoken.takes:
        yield from options.operands[:1]
        return
    given = [word for name in sorted(spoken.takes) for word in options.values.get(name, ())]
    yield from given
    if not given and (not options.operands or options.operands[0].value == "-"):
        for words in input_words(command):
            yield from words


def _calls(text: str, places: list[int], spoken: Language) -> Iterator[Started]:
    for found in _first(spoken.calls, text):
        words = _arguments(text, places, found.end())
        if len(words) > 1:
            yield words
        elif words:
            yield Text(*joined(words, words[0].span[1]))
    for found in _first(spoken.deletes, text) if spoken.deletes else ():
        words = _arguments(text, places, found.end())
        if words:
            yield (*_deletion(places[found.start()]), words[0])
    yield from _modes(text, places)
    for found in _first(spoken.quotes, text) if spoken.quotes else ():
        start, end = found.span(1) if found[1] is not None else found.span(2)
        yield Text(text[start:end], places[start : end + 1])


def _modes(text: str, places: list[int]) -> Iterator[Started]:
    """`os.chmod(path, 0o777)`, `chmod 0666, path`: as the program of that name."""
    for found in _first(_MODE, text):
        words = ("chmod", found[1])
        spans = (places[found.start()], places[found.start(1)])
        yield tuple(
            Word((Piece(word, [at] * len(word), quoted=True),), (at, at + 1))
            for word, at in zip(words, spans, strict=True)
        )


def _first(pattern: Pattern, text: str) -> list[re.Match[str]]:
    return [found for _, found in zip(range(MOST_CALLS), pattern.finditer(text), strict=False)]


def _deletion(place: int) -> tuple[Word, ...]:
    return tuple(
        Word((Piece(text, [place] * len(text), quoted=True),), (place, place + 1)) for text in ("rm", "-rf")
    )


def _arguments(text: str, places: list[int], position: int) -> tuple[Word, ...]:
    """The literals from a position on, with commas between: of a call, a list, or both (`spawn('rm', ['-rf'])`)."""
    words: list[Word] = []
    while len(words) < LONGEST_LIST:
        while position < len(text) and text[position] in "[( ":
            position += 1
        found = _LITERAL.match(text, position)
        if found is None:
            break
        words.append(_literal(found, places))
        comma = _BETWEEN.match(text, found.end())
        if comma is None:
            break
        position = comma.end()
    return tuple(words)


def _literal(found: re.Match[str], places: list[int]) -> Word:
    start, end = found.span(1)
    raw = found[1][1:-1]
    kept: list[str] = []
    at: list[int] = []
    position = 0
    for escape in _BACKSLASH.finditer(raw):
        kept.append(raw[position : escape.start()] + {"n": "\n", "t": "\t"}.get(escape[1], escape[1]))
        at += places[start + 1 + position : start + 1 + escape.start() + 1]
        position = escape.end()
    kept.append(raw[position:])
    at += places[start + 1 + position : end - 1]
    return Word((Piece("".join(kept), at, quoted=True),), (places[start], places[end - 1] + 1))
