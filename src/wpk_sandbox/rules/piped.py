"""The objects that a script gives to kubectl: `kubectl apply -f - <<EOF`, or a file that it has just written.

What stands there reaches the cluster like any manifest, so the rules about objects hold for it too. Each document
is read as if it was a package of its own, and what is found in it is told at its place in the script.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from wpk_sandbox.finding import Location
from wpk_sandbox.package.package import Document, Package
from wpk_sandbox.package.source import parse
from wpk_sandbox.rules.attached import applied
from wpk_sandbox.rules.place import Places
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names
from wpk_sandbox.rules.shell.options import parse as parse_options
from wpk_sandbox.rules.shell.printed import input_words
from wpk_sandbox.rules.shell.words import Word, joined
from wpk_sandbox.rules.subject import ShellText, Subject

MOST_TEXTS = 50
_CLIENTS = names("kubectl oc k")
_VERBS = names("apply create replace")


@dataclass(frozen=True)
class Piped:
    """A document in a script, as a package that applies it; `places` are those of its characters in the script."""

    package: Package
    script: ShellText
    places: list[int]

    def location(self, within: Location, subject: Subject) -> Location:
        """Where in the file of the subject a place of this document stands."""
        start, end = Places(self.package.document).range(within)
        last = len(self.places) - 2
        start, end = min(start, last), min(max(end, start + 1), last + 1)
        pointer, value, span = self.script.part((self.places[start], self.places[end - 1] + 1))
        return subject.places.locate(pointer, value, span)


def piped(subject: Subject) -> Iterator[Piped]:
    """Each document that the scripts of a package hand to kubectl, as far as its text is known."""
    told: set[str] = set()
    for script in subject.scripts:
        for command in script.script.commands:
            if not _applies(command):
                continue
            for words in input_words(command):
                text, places = _text(words)
                if text not in told and len(told) < MOST_TEXTS:
                    told.add(text)
                    for document in parse(text.encode("utf-8", "replace"), subject.package.path).documents:
                        yield Piped(_applied(subject, script, document), script, places)


def _applied(subject: Subject, script: ShellText, document: Document) -> Package:
    return applied(subject.package, script.step, document)


def _applies(command: Command) -> bool:
    if command.name not in _CLIENTS:
        return False
    operands = parse_options(command.arguments, names("n namespace f filename context kubeconfig")).operands
    return bool(operands) and operands[0].value in _VERBS


def _text(words: tuple[Word, ...]) -> tuple[str, list[int]]:
    """The text with the place of each character; what is not known stands as a parameter does: `${NAME}`."""
    shown = [
        replace(
            word, pieces=tuple(replace(piece, source=f"${{{piece.name or 'output'}}}") for piece in word.pieces)
        )
        for word in words
    ]
    return joined(shown, words[-1].span[1])
