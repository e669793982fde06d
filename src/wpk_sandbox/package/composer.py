"""YAML events to plain data, in one pass that stops at the first sign of abuse.

PyYAML's own composer recurses (its C form crashes the process at depth 30,000), resolves YAML 1.1 types, expands
merge keys in exponential time and lets a second key silently win. So the data is built from the parser's events
instead: bounded in depth, number and size, with every reference copied against the same bounds, so that the result
is a tree that any code may walk. The places of values and keys fall out of the same pass.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from wpk_sandbox.finding import Finding, Location, Rule
from wpk_sandbox.package import problems, scalars
from wpk_sandbox.package.package import Document
from wpk_sandbox.package.text import BIDI, excerpt, position

MOST_DOCUMENTS = 32
MOST_NODES = 20_000
MOST_DEPTH = 64
MOST_ALIASES = 100
_LINE_ENDS = "\r\n\x85\u2028\u2029"
LONGEST_SCALAR = 64 * 1024
MOST_ALIASED_TEXT = 1024 * 1024

# The parser that is written in C, where PyYAML has it; both give the same events.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_YAML_TAG = "tag:yaml.org,2002:"
_SCALAR_TAGS = frozenset({"str", "int", "float", "bool", "null"})
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_HINTS = {
    "cannot start any token": "Indent with spaces, not with tabs, and put text that begins with `@`, `%` or a"
    " backquote in quotes.",
    "mapping values are not allowed": "Put text that holds `: ` in quotes, and check the indentation.",
    "did not find expected key": "Check the indentation of this line and of the one before.",
    "did not find expected '-' indicator": "Check the indentation of this line and of the one before.",
}


class _Stop(Exception):  # noqa: N818 - not an error: it ends the reading of a file
    """Reading goes no further; the finding says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


class Places(Mapping[str, Location]):
    """JSON pointers to locations, made from the parser's marks only when they are asked for."""

    def __init__(self, path: str, text: str, marks: dict[str, tuple[Any, Any]]) -> None:
        self._path, self._text, self._marks = path, text, marks

    def __getitem__(self, pointer: str) -> Location:
        start, end = self._marks[pointer]
        return between(self._path, self._text, start, end)

    def __iter__(self) -> Iterator[str]:
        return iter(self._marks)

    def __len__(self) -> int:
        return len(self._marks)

    def __contains__(self, pointer: object) -> bool:
        return pointer in self._marks


class _Frame:
    """A list or mapping that is still open. `key` is the mapping's key whose value is next, if one was read."""

    __slots__ = ("anchor", "end", "key", "key_pointer", "keys", "pointer", "start", "value")

    def __init__(self, value: list[Any] | dict[str, Any], pointer: str, event: CollectionStartEvent) -> None:
        self.value, self.pointer, self.anchor = value, pointer, event.anchor
        self.start, self.end = event.start_mark, event.end_mark
        self.key: str | None = None
        self.key_pointer = ""
        self.keys: dict[str, Any] = {}


def between(path: str, text: str, start: Any, end: Any) -> Location:
    """The location from one mark of the parser to another.

    The parser adds the line end that the last line may lack: what ends there ends with the last line that exists.
    """
    (line, column), (end_line, end_column) = (
        (mark.line + 1, mark.column + 1) if mark.index < len(text) else position(text, len(text))
        for mark in (start, end)
    )
    return Location(path, line, column, end_line, end_column)


def escaped(key: str) -> str:
    """A key as a part of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1") if "~" in key or "/" in key else key


def compose(text: str, path: str, findings: list[Finding]) -> list[Document]:
    """The documents of a text that have no finding of severity high; what is wrong is added to `findings`."""
    composer = _Composer(text, path, findings)
    loader = LOADER(text)
    try:
        while loader.check_event():
            composer.take(loader.get_event())
    except _Stop as stop:
        findings.append(stop.finding)
    except yaml.MarkedYAMLError as error:
        findings.append(_syntax(error, text, path))
    except (yaml.YAMLError, ValueError) as error:
        # The text is printable UTF-8, so this is a parser's way to say that an escape means no character.
        message = " ".join(str(error).split())[:200]
        findings.append(problems.YAML_SYNTAX.at(Location(path), f"the file cannot be read as YAML: {message}"))
    finally:
        loader.dispose()
    return composer.documents


def _syntax(error: yaml.MarkedYAMLError, text: str, path: str) -> Finding:
    mark = error.problem_mark or error.context_mark
    index = min(mark.index, len(text)) if mark else 0
    line, column = position(text, index)
    problem = error.problem or "it is not YAML"
    message = f"{problem} ({error.context})" if error.context else str(problem)
    fix = next((fix for part, fix in _HINTS.items() if part in problem), "")
    at_character = text[index : index + 1] not in ("", *_LINE_ENDS)
    place = Location(path, line, column, line, column + at_character)
    return problems.YAML_SYNTAX.at(place, message, fix=fix, excerpt=excerpt(text, line))


class _Composer:
    """Takes the events of one file one by one."""

    def __init__(self, text: str, path: str, findings: list[Finding]) -> None:
        self.documents: list[Document] = []
        self._text, self._path, self._findings = text, path, findings
        self._index = -1
        self._nodes = 0
        self._aliases = 0
        self._aliased_text = 0
        self._takers: dict[type[Event], Callable[[Any], None]] = {
            ScalarEvent: self._scalar,
            MappingStartEvent: self._start_mapping,
            SequenceStartEvent: self._start_sequence,
            MappingEndEvent: self._end,
            SequenceEndEvent: self._end,
            AliasEvent: self._alias,
            DocumentStartEvent: self._start_document,
            DocumentEndEvent: self._end_document,
        }

    def take(self, event: Event) -> None:
        """Take the next event; raises `_Stop` at a bound."""
        taker = self._takers.get(type(event))
        if taker:
            taker(event)

    def _start_document(self, event: DocumentStartEvent) -> None:
        self._index += 1
        if self._index >= MOST_DOCUMENTS:
            raise self._stop(problems.YAML_TOO_LARGE, event, f"the file has more than {MOST_DOCUMENTS} documents")
        self._stack: list[_Frame] = []
        self._anchors: dict[str, Any] = {}
        self._open: set[str] = set()
        self._places: dict[str, tuple[Any, Any]] = {}
        self._keys: dict[str, tuple[Any, Any]] = {}
        self._data: Any = None
        self._refused = False

    def _end_document(self, _: DocumentEndEvent) -> None:
        if not self._refused:
            places, keys = (Places(self._path, self._text, marks) for marks in (self._places, self._keys))
            self.documents.append(Document(self._path, self._text, self._index, self._data, places, keys))

    def _scalar(self, event: ScalarEvent) -> None:
        self._count(event)
        text = event.value
        if len(text) > LONGEST_SCALAR:
            message = f"a text of {len(text)} characters, and the most that is read is {LONGEST_SCALAR}"
            raise self._stop(problems.YAML_TOO_LARGE, event, message)
        if event.style == '"' and not text.isprintable():
            self._check_characters(event)
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.key is None and type(frame.value) is dict:
            self._key(frame, event)
        else:
            self._place(self._value(event), event, event.anchor)

    def _value(self, event: ScalarEvent) -> scalars.Scalar:
        text, tag = event.value, event.tag
        if tag is None or tag == "!":
            if not event.implicit[0] or tag == "!":
                return str(text)
            if scalars.too_large(text):
                self._report(problems.INVALID_VALUE, event, "a number of more than 64 bits; write it in quotes")
            return scalars.plain(text)
        name = tag.removeprefix(_YAML_TAG)
        if name == tag or name not in _SCALAR_TAGS:
            self._report(problems.YAML_TAG, event, f"the tag `{_shown(tag)}` is refused")
            return str(text)
        fits, value = scalars.tagged(text, name)
        if not fits:
            self._report(problems.YAML_TAG, event, f"`{text[:40]}` is not what its tag `!!{name}` says")
        return value

    def _key(self, frame: _Frame, event: ScalarEvent) -> None:
        key = event.value
        if event.tag == _YAML_TAG + "merge" or (key == "<<" and not event.style and event.tag is None):
            self._report(problems.YAML_MERGE_KEY, event, "the merge key `<<` is refused")
        elif event.tag not in (None, "!", _YAML_TAG + "str"):
            self._report(problems.YAML_TAG, event, f"the tag `{_shown(event.tag)}` is refused for a key")
        if key in frame.keys:
            first = frame.keys[key].line + 1
            self._report(problems.YAML_DUPLICATE_KEY, event, f"the key `{key[:80]}` stands already in line {first}")
        frame.keys.setdefault(key, event.start_mark)
        frame.key, frame.key_pointer = key, f"{frame.pointer}/{escaped(key)}"
        self._keys[frame.key_pointer] = (event.start_mark, event.end_mark)
        if event.anchor:
            self._anchors[event.anchor] = key

    def _start_mapping(self, event: MappingStartEvent) -> None:
        self._start({}, event, "map")

    def _start_sequence(self, event: SequenceStartEvent) -> None:
        self._start([], event, "seq")

    def _start(self, value: list[Any] | dict[str, Any], event: CollectionStartEvent, tag: str) -> None:
        self._count(event)
        if len(self._stack) >= MOST_DEPTH:
            raise self._stop(problems.YAML_TOO_DEEP, event, f"values are nested more than {MOST_DEPTH} deep")
        if event.tag not in (None, "!", _YAML_TAG + tag):
            self._report(problems.YAML_TAG, event, f"the tag `{_shown(event.tag)}` is refused")
        if event.anchor:
            self._open.add(event.anchor)
            self._anchors.pop(event.anchor, None)
        self._stack.append(_Frame(value, self._pointer(event), event))

    def _end(self, event: Any) -> None:
        frame = self._stack.pop()
        # The end of an indented block is known at the next token, lines later; of a flow, at its bracket.
        flow = event.end_mark.index > event.start_mark.index
        end = event.end_mark if flow else frame.end
        if frame.anchor:
            self._open.discard(frame.anchor)
        self._put(frame.value, frame.pointer, frame.start, end, frame.anchor)

    def _alias(self, event: AliasEvent) -> None:
        self._aliases += 1
        if self._aliases > MOST_ALIASES:
            raise self._stop(problems.YAML_ALIAS_BOMB, event, f"the file has more than {MOST_ALIASES} references")
        if event.anchor in self._open:
            raise self._stop(problems.YAML_RECURSION, event, f"`*{event.anchor}` refers to what it stands in")
        if event.anchor not in self._anchors:
            raise self._stop(problems.YAML_SYNTAX, event, f"`*{event.anchor}` refers to nothing")
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.key is None and type(frame.value) is dict:
            raise self._stop(problems.YAML_COMPLEX_KEY, event, f"the reference `*{event.anchor}` stands as a key")
        self._place(self._copy(self._anchors[event.anchor], event, len(self._stack)), event, None)

    def _copy(self, value: Any, event: AliasEvent, depth: int) -> Any:
        """What a reference stands for, counted as if it had been written out."""
        self._nodes += 1
        self._aliased_text += len(value) if isinstance(value, str) else 0
        if self._nodes > MOST_NODES or self._aliased_text > MOST_ALIASED_TEXT:
            raise self._stop(problems.YAML_ALIAS_BOMB, event, "written out, its references make the file too large")
        if depth > MOST_DEPTH:
            raise self._stop(problems.YAML_TOO_DEEP, event, f"values are nested more than {MOST_DEPTH} deep")
        if isinstance(value, list):
            return [self._copy(item, event, depth + 1) for item in value]
        if isinstance(value, dict):
            self._aliased_text += sum(map(len, value))
            return {key: self._copy(item, event, depth + 1) for key, item in value.items()}
        return value

    def _pointer(self, event: Event) -> str:
        """The pointer of the value that begins with this event."""
        if not self._stack:
            return ""
        frame = self._stack[-1]
        if type(frame.value) is list:
            return f"{frame.pointer}/{len(frame.value)}"
        if frame.key is None:
            raise self._stop(problems.YAML_COMPLEX_KEY, event, "a list or a mapping stands as a key")
        return frame.key_pointer

    def _place(self, value: Any, event: Event, anchor: str | None) -> None:
        self._put(value, self._pointer(event), event.start_mark, event.end_mark, anchor)

    def _put(self, value: Any, pointer: str, start: Any, end: Any, anchor: str | None) -> None:
        """A value is complete: give it to what it stands in."""
        self._places[pointer] = (start, end)
        if anchor:
            self._anchors[anchor] = value
        if not self._stack:
            self._data = value
            return
        frame = self._stack[-1]
        frame.end = end
        if isinstance(frame.value, list):
            frame.value.append(value)
        elif frame.key is not None:
            frame.value[frame.key] = value
            frame.key = None

    def _count(self, event: Event) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise self._stop(problems.YAML_TOO_LARGE, event, f"the file has more than {MOST_NODES} values")

    def _check_characters(self, event: Any) -> None:
        """Find what escapes brought into quotes: the text of the file itself was checked before."""
        text = event.value
        if any("\ud800" <= character <= "\udfff" for character in text):
            self._report(problems.YAML_ENCODING, event, "an escape stands for half of a character (a surrogate)")
        if control := _CONTROL.search(text):
            self._report(problems.YAML_CONTROL_CHARACTER, event, f"the text holds U+{ord(control[0]):04X}")
        written = self._text[event.start_mark.index : event.end_mark.index]
        if (bidi := BIDI.search(text)) and not BIDI.search(written):
            message = f"the text holds U+{ord(bidi[0]):04X}, which changes its reading direction"
            self._report(problems.YAML_BIDI, event, message)

    def _report(self, rule: Rule, event: Event, message: str) -> None:
        self._findings.append(self._finding(rule, event, message))
        self._refused = self._refused or problems.fatal(rule.severity)

    def _stop(self, rule: Rule, event: Event, message: str) -> _Stop:
        return _Stop(self._finding(rule, event, message))

    def _finding(self, rule: Rule, event: Event, message: str) -> Finding:
        place = between(self._path, self._text, event.start_mark, event.end_mark)
        return rule.at(place, message, excerpt=excerpt(self._text, place.line))


def _shown(tag: str) -> str:
    return tag.replace(_YAML_TAG, "!!")[:80]
