"""The corrections of one document: for each kind of problem the few characters that would have to change."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from wpk_sandbox.finding import Finding, Location
from wpk_sandbox.package.package import Document, Handler, Package
from wpk_sandbox.package.units import seconds
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.edit import Edit, apply
from wpk_sandbox.rules.place import Places
from wpk_sandbox.rules.quoting import unquoted

_NUMBER = Pattern(r"(['\"]?)(\d{1,9}(?:\.\d+)?)\1")
_VERSION = Pattern(r"(['\"]?)\s*(?:>=\s*)?[vV]?(\d+\.\d+(?:\.\d+)?)\s*(\+?)\s*\1")
_CANONICAL = Pattern(r"\d+\.\d+(?:\.\d+)?\+?")
_TO_LINE_END = Pattern(r"[ \t]*(?:#[^\r\n]*)?(?=\r|\n|$)")
_DURATIONS = ("timeout", "retry/backoff", "config/timeout", "config/grace_period")


@dataclass(frozen=True)
class Change:
    """The value at a pointer of a document (the number `index` of its file) after a fix; with `key` its key."""

    index: int
    pointer: str
    value: Any
    key: bool = False


@dataclass(frozen=True)
class Fix:
    """A correction: what it is called and does, where, the edits of the file's text, and what they change."""

    name: str
    message: str
    location: Location
    edits: tuple[Edit, ...]
    change: Change | None = None


def corrections(package: Package, findings: Sequence[Finding], timeout: float) -> Iterator[Fix]:
    """What could be corrected in a package; `timeout` is what a handler gets that names none, in seconds."""
    mixed = any(finding.rule == "yaml-line-endings" for finding in findings)
    writer = _Writer(package, line_feeds=mixed)
    handlers = (*package.handlers, *package.rollback.handlers)
    bare = {finding.location for finding in findings if finding.rule == "timeout-missing" and not finding.waiver}
    yield from writer.version()
    for handler in handlers:
        if package.document.locate(f"{handler.pointer}/name") in bare:
            yield from writer.timeout(handler, _duration(timeout))
    for pointer in _durations(handlers):
        yield from writer.unit(pointer)
    for pointer, command in _commands(package.document, handlers):
        yield from writer.quotes(pointer, command)


def _duration(length: float) -> str:
    for unit, size in (("h", 3600), ("m", 60)):
        if length and length % size == 0:
            return f"{length // size:.0f}{unit}"
    return f"{length:g}s"


def _durations(handlers: Iterable[Handler]) -> Iterator[str]:
    pointers = [pointer for each in handlers for pointer in (each.pointer, *(step.pointer for step in each.steps))]
    for pointer in dict.fromkeys(pointers):  # a handler that is one step has its pointer
        yield from (f"{pointer}/{ending}" for ending in _DURATIONS)


def _commands(document: Document, handlers: Iterable[Handler]) -> Iterator[tuple[str, str]]:
    """Every shell command with its pointer: of a shell step, and after the `-c` of a container's shell."""
    for pointer in dict.fromkeys(step.pointer for handler in handlers for step in handler.steps):
        for ending in ("config/command", "shell/command"):
            text = _value(document, f"{pointer}/{ending}")
            if isinstance(text, str):
                yield f"{pointer}/{ending}", text
        for key in ("command", "args"):
            words = _value(document, f"{pointer}/container/{key}")
            for index, word in enumerate(words if isinstance(words, list) else ()):
                if index and words[index - 1] == "-c" and isinstance(word, str):
                    yield f"{pointer}/container/{key}/{index}", word


def _value(document: Document, pointer: str) -> Any:
    """The value at a pointer where the file itself has it, else None."""
    if pointer not in document.places:
        return None
    place = document.data
    for part in pointer.split("/")[1:]:
        place = place[int(part)] if isinstance(place, list) else place[part]
    return place


class _Writer:
    """Makes edits of one document's text; new lines end as those around them, or with a line feed if asked."""

    def __init__(self, package: Package, *, line_feeds: bool) -> None:
        self._line_feeds = line_feeds
        self._document = package.document
        self._text = package.document.text
        self._places = Places(package.document)

    def unit(self, pointer: str) -> Iterator[Fix]:
        """A bare number of seconds gets its unit."""
        value = _value(self._document, pointer)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            yield from self._rewritten(pointer, _NUMBER, lambda found: _with_unit(found, value), "duration-unit")

    def version(self) -> Iterator[Fix]:
        """`v1.28+`, `>= 1.28` and the number 1.28 become the form that the format names."""
        pointer = "/spec/runtime/version"
        value = _value(self._document, pointer)
        if isinstance(value, float) or (isinstance(value, str) and not _CANONICAL.fullmatch(value)):
            yield from self._rewritten(pointer, _VERSION, _plain_version, "runtime-version")

    def _rewritten(
        self,
        pointer: str,
        pattern: Pattern,
        better: Callable[[re.Match[str]], tuple[str, str] | None],
        name: str,
    ) -> Iterator[Fix]:
        """A scalar written anew: `better` gives its text and its value, if the pattern fits the whole of it."""
        location = self._document.locate(pointer)
        start, end = self._places.range(location)
        found = pattern.fullmatch(self._text[start:end])
        new = better(found) if found else None
        if found and new:
            message = f"`{found[0]}` is `{new[0]}`"
            yield Fix(name, message, location, (Edit(start, end, new[0]),), self._change(pointer, new[1]))

    def timeout(self, handler: Handler, length: str) -> Iterator[Fix]:
        """`timeout:` on a line of its own below the name, or behind it in a flow mapping."""
        name = f"{handler.pointer}/name"
        if name not in self._document.keys:
            return
        value, key = self._places.range(self._document.locate(name)), self._document.keys[name]
        if self._text[self._places.range(self._document.locate(handler.pointer))[0]] == "{":
            quote = '"' if self._text[self._places.range(key)[0]] == '"' else ""
            edit = Edit(value[1], value[1], f", {quote}timeout{quote}: {quote}{length}{quote}")
        else:
            rest = _TO_LINE_END.match(self._text, value[1])
            if rest is None:
                return
            windows = self._text.startswith("\r\n", rest.end()) and not self._line_feeds
            ending = "\r\n" if windows else "\n"
            edit = Edit(rest.end(), rest.end(), f"{ending}{' ' * (key.column - 1)}timeout: {length}")
        change = self._change(f"{handler.pointer}/timeout", length)
        yield Fix("timeout-missing", f"added `timeout: {length}`", self._document.locate(name), (edit,), change)

    def quotes(self, pointer: str, command: str) -> Iterator[Fix]:
        """Double quotes around the variables of a command that stand for one path, all in one fix."""
        spans = unquoted(command)
        edits = [edit for span in spans for edit in self._quoted(pointer, command, span)]
        if not edits or len(edits) != len(spans):
            return
        names = ", ".join(f"`{command[start:end]}`" for start, end in spans)
        quoted = apply(command, (Edit(start, end, f'"{command[start:end]}"') for start, end in spans))
        location = self._places.locate(pointer, command, spans[0])
        yield Fix("shell-quote", f"quoted {names}", location, tuple(edits), self._change(pointer, quoted))

    def _quoted(self, pointer: str, command: str, span: tuple[int, int]) -> Iterator[Edit]:
        """The edit, if the file writes the variable just as the command has it."""
        start, end = self._places.range(self._places.locate(pointer, command, span))
        written = self._text[start:end]
        if written == command[slice(*span)]:
            first = self._places.range(self._document.locate(pointer))[0]
            quote = '\\"' if self._text[first] == '"' else '"'
            yield Edit(start, end, f"{quote}{written}{quote}")

    def _change(self, pointer: str, value: Any) -> Change:
        return Change(self._document.index, pointer, value)


def _with_unit(found: re.Match[str], value: str | float) -> tuple[str, str] | None:
    if float(found[2]) != seconds(value):
        return None
    return f"{found[1]}{found[2]}s{found[1]}", f"{found[2]}s"


def _plain_version(found: re.Match[str]) -> tuple[str, str]:
    later = "+" if found[3] or ">=" in found[0] else ""
    return f"{found[1] or chr(34)}{found[2]}{later}{found[1] or chr(34)}", f"{found[2]}{later}"
