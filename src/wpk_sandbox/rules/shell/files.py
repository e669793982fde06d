"""Files that a script writes with a known text and then uses: runs, reads, hands to another command.

`cat > x.sh <<EOF … EOF; sh x.sh` runs what stands in the here-document, and is read like it.
"""

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from wpk_sandbox.rules.shell import programs
from wpk_sandbox.rules.shell.command import Command, Redirect
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.printed import printed_words
from wpk_sandbox.rules.shell.started import Started, text_of
from wpk_sandbox.rules.shell.words import Piece, Word
from wpk_sandbox.rules.shell.wrappers import SHELLS, script_files

MOST_FILES = 64
# Of one file, where a piece of a word counts as some characters: `>> file` may add one after the other.
MOST_CHARACTERS = 64 * 1024
COST_OF_A_PIECE = 16
# What all commands that read files may be given; beyond it, the texts of files count as unknown.
MOST_GIVEN = 500_000

_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_COPIES = names("cp mv install ln")
_APPLIES = names("kubectl oc")


@dataclass(frozen=True)
class Written:
    """The text of a file as words, the redirection that wrote it last, and what it counts as, in characters."""

    words: tuple[Word, ...]
    by: Redirect | None = None
    length: int = 0

    @cached_property
    def here(self) -> Redirect:
        """The text as a here-document, made once for all that read it."""
        return Redirect("<<", "0", _one(self.words))


@dataclass
class Files:
    """The files of known text, those of them that are read as scripts at the moment, and those that were."""

    written: dict[str, Written] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)
    run: dict[str, Written] = field(default_factory=dict)
    given_away: int = 0

    def note(self, command: Command) -> None:
        """Take in what a command writes."""
        for each in command.redirects:
            if each.writes and each.descriptor in ("", "1") and (path := _path(each.target, command.folder)):
                self._write(path, command, each, adds=each.operator in (">>", "&>>"))
        if command.name == "tee":
            options = parse(command.arguments)
            for word in options.operands:
                if path := _path(word, command.folder):
                    self._write(path, command, None, adds=options.has("a", "append"))
        elif command.name in _COPIES and self.written:
            self._copy(command)

    def given(self, command: Command) -> Command:
        """The command with the known text of a file that it reads, as if it stood in a here-document."""
        if not self.written:
            return command
        for word in _read(command):
            written = self.written.get(_path(word, command.folder))
            if written is not None and self._affords(written):
                return replace(command, redirects=(*command.redirects, written.here))
        return command

    def was_run(self, path: str) -> bool:
        """True if the file was run before with the text that it has now; it counts as run from now on."""
        before, self.run[path] = self.run.get(path), self.written[path]
        return before is self.written[path]

    def script(self, command: Command) -> tuple[str, Iterable[Started]]:
        """The path of the file that a command runs, and what it starts; nothing for one that is being read."""
        if self.written:
            for word, arguments in _run(command):
                path = _path(word, command.folder)
                path = path if path in self.written else _on_path(word, self.written)
                if path in self.written and path not in self.running:
                    return path, _started(command, self.written[path], arguments)
        return "", ()

    def _affords(self, written: Written) -> bool:
        """Count a use of a file's text; False when the script has used up what it may."""
        self.given_away += written.length
        return self.given_away <= MOST_GIVEN

    def _write(self, path: str, command: Command, by: Redirect | None, *, adds: bool) -> None:
        before = self.written.get(path)
        words = printed_words(command)
        length = sum(len(piece.text) + COST_OF_A_PIECE for word in words for piece in word.pieces)
        # Each command of `{ …; } > file` has the one redirection, and adds to the file.
        adds = adds or (before is not None and by is not None and before.by is by)
        if adds and before is not None and words:
            words = (*before.words, _line_end(command), *words)
            length += before.length + COST_OF_A_PIECE
        if length > MOST_CHARACTERS:
            words = ()
        if words and (path in self.written or len(self.written) < MOST_FILES):
            self.written[path] = Written(words, by, length)
        elif not adds:
            self.written.pop(path, None)

    def _copy(self, command: Command) -> None:
        options = parse(command.arguments, names("m o g t S mode owner group"))
        if len(options.operands) == 2:
            source = _path(options.operands[0], command.folder)
            path = _path(options.operands[1], command.folder)
            if source in self.written and path:
                self.written[path] = replace(self.written[source], by=None)


def _path(word: Word, folder: str | None) -> str:
    """The path that a word names, without its detours; empty if it is not known."""
    value = word.value
    if not value or value.startswith("/dev/"):
        return ""
    return posixpath.normpath(posixpath.join(folder or "", value))


def _on_path(word: Word, written: dict[str, Written]) -> str:
    """The file behind a bare name, in one of the folders that a shell searches."""
    name = word.value or ""
    return "" if "/" in name else next((f"{each}/{name}" for each in _PATH if f"{each}/{name}" in written), "")


def _read(command: Command) -> Iterator[Word]:
    """The files that become the input or the output of a command, or the objects that it applies."""
    yield from (each.target for each in command.redirects if each.operator == "<")
    if command.name == "cat":
        yield from parse(command.arguments).operands
    elif command.name in _APPLIES:
        options = parse(command.arguments, names("f filename n namespace"))
        yield from (*options.values.get("f", ()), *options.values.get("filename", ()))


def _run(command: Command) -> Iterator[tuple[Word, tuple[Word, ...]]]:
    """The script file of a command, with the arguments that it is given."""
    if not command.words:
        return
    if command.name in SHELLS:
        operands = script_files(command)
    elif command.name in (".", "source"):
        operands = command.arguments
    elif programs.language(command.name) in programs.LANGUAGES:
        operands = parse(command.arguments, names("W X m I"), first_operand_ends=True).operands
    else:
        operands = command.words
    if operands:
        yield operands[0], operands[1:]


def _started(command: Command, written: Written, arguments: tuple[Word, ...]) -> Iterator[Started]:
    if programs.language(command.name) in programs.LANGUAGES:
        yield from programs.started(replace(command, words=command.words[:1], redirects=(written.here,)))
    else:
        yield text_of(written.words, arguments)


def _one(words: tuple[Word, ...]) -> Word:
    """Printed words as the one text of a here-document."""
    pieces: list[Piece] = []
    for number, word in enumerate(words):
        if number:
            pieces.append(Piece(" ", word.span[:1], quoted=True))
        pieces += word.pieces
    return Word(tuple(pieces), words[0].span)


def _line_end(command: Command) -> Word:
    return Word((Piece("\n", command.span[:1], quoted=True),), command.span)
