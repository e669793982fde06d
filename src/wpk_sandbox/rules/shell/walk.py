"""Walks a syntax tree and collects the simple commands, keeping track of variables, pipes and functions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from wpk_sandbox.rules.shell import redirects, wrappers
from wpk_sandbox.rules.shell.command import Command, Redirect
from wpk_sandbox.rules.shell.expand import Expander
from wpk_sandbox.rules.shell.redirects import WORDS, Redirects
from wpk_sandbox.rules.shell.scope import Scope
from wpk_sandbox.rules.shell.source import Source, Span
from wpk_sandbox.rules.shell.words import Piece, Word

if TYPE_CHECKING:
    from tree_sitter import Node

MOST_COMMANDS = 4000
MOST_NESTED = 8
MOST_DEPTH = 120
SUBSTITUTION_LEVELS = 5

_LOOPS_FOREVER = frozenset({"true", ":", "[ 1 ]", "[[ 1 ]]", "[ true ]"})


class _Stop(Exception):  # noqa: N818 - not an error: it ends the reading of a script
    """The script is too large in some way; the reading has noted which."""


@dataclass
class Reading:
    """What was read so far, shared by a script and the scripts inside of it."""

    commands: list[Command] = field(default_factory=list)
    problems: list[tuple[str, Span]] = field(default_factory=list)
    scope: Scope = field(default_factory=Scope)
    bodies: dict[str, tuple["Walker", "Node"]] = field(default_factory=dict)
    nested: int = 0
    depth: int = 0

    def stop(self, message: str, span: Span) -> _Stop:
        """The signal to stop, with the reason noted."""
        self.problems.append((message, span))
        return _Stop()


@dataclass(frozen=True, slots=True)
class _Context:
    """What surrounds a node; `certain` is False where it may not be reached."""

    certain: bool = True
    piped: bool = False
    background: bool = False
    endless: bool = False
    functions: tuple[str, ...] = ()
    upstream: tuple[Command, ...] = ()
    redirects: tuple[Redirect, ...] = ()
    via: tuple[str, ...] = ()
    folder: str | None = None


_PLAIN = _Context()


class Walker:
    """Reads one source into a reading."""

    def __init__(self, source: Source, reading: Reading) -> None:
        self._source, self._reading = source, reading
        self._expander = Expander(source, reading.scope, self._substitute)
        self._substituted: dict[int, tuple[tuple[Command, ...], str | None]] = {}

    def read(self, context: _Context = _PLAIN) -> None:
        """Read the whole source, as far as bounds and syntax allow."""
        root = self._source.parse()
        error = self._source.error(root)
        if error is not None:
            self._reading.problems.append(error)
        outermost = not self._reading.nested
        try:
            self._children(root, context)
        except _Stop:
            if not outermost:
                raise

    def start(self, words: tuple[Word, ...]) -> None:
        """Read a command that is given as its words."""
        try:
            self._emit(words, (words[0].span[0], words[-1].span[1]), _PLAIN)
        except _Stop:
            return

    # Structure

    def _visit(self, node: "Node", context: _Context) -> None:
        self._descend(node, 1)
        _VISITS.get(node.type, Walker._children)(self, node, context)
        self._reading.depth -= 1

    def _descend(self, node: "Node", levels: int) -> None:
        """Count levels of nesting, each of which takes some of Python's own stack."""
        self._reading.depth += levels
        if self._reading.depth > MOST_DEPTH:
            raise self._reading.stop("commands are nested too deep to be read", self._span(node))

    def _children(self, node: "Node", context: _Context) -> None:
        children = node.children
        for index, child in enumerate(children):
            if not child.is_named or (child.child_count == 0 and child.type != "command"):
                continue
            last = index + 1 == len(children)
            started = not last and children[index + 1].type == "&"
            self._visit(child, replace(context, background=True) if started else context)

    def _list(self, node: "Node", context: _Context) -> None:
        """`a && b || c`, which the tree nests to the left; only the first is sure to run."""
        parts: list[Node] = []
        while node.type == "list" and node.child_count >= 3:
            parts.append(node.children[2])
            node = node.children[0]
        self._visit(node, context)
        for part in reversed(parts):
            self._visit(part, replace(context, certain=False))

    def _maybe(self, node: "Node", context: _Context) -> None:
        self._children(node, replace(context, certain=False))

    def _while(self, node: "Node", context: _Context) -> None:
        condition = " ".join(
            self._text(child) for child in node.children[1:] if child.is_named and child.type != "do_group"
        )
        word = self._text(node.children[0])
        endless = condition in (_LOOPS_FOREVER if word == "while" else {"false"})
        self._children(node, replace(context, certain=False, endless=endless or context.endless))

    def _c_style_for(self, node: "Node", context: _Context) -> None:
        endless = ";;" in self._text(node).partition("do")[0].replace(" ", "")
        self._children(node, replace(context, certain=False, endless=endless or context.endless))

    def _for(self, node: "Node", context: _Context) -> None:
        names = [child for child in node.children if child.type == "variable_name"]
        items = [child for child in node.children if child.type in WORDS]
        values = [word.pieces for item in items for word in self._expander.words(item)]
        if names:
            self._reading.scope.set_any(self._text(names[0]), [value for value in values if value] or [None])
        self._maybe(node, context)

    def _subshell(self, node: "Node", context: _Context) -> None:
        before = self._reading.scope.snapshot()
        self._children(node, context)
        self._reading.scope.restore(before)

    def _function(self, node: "Node", context: _Context) -> None:
        name = next((self._text(child) for child in node.children if child.type == "word"), "")
        body = node.child_by_field_name("body")
        if body is None:
            return
        self._reading.bodies[name] = (self, body)
        before = self._reading.scope.snapshot()
        for number in "123456789@*":
            self._reading.scope.set(number, None, certain=True)
        self._visit(body, replace(context, certain=False, functions=(*context.functions, name)))
        self._reading.scope.restore(before)

    def _pipeline(self, node: "Node", context: _Context) -> None:
        stages = [child for child in node.children if child.is_named]
        self._stages(stages, context, context.upstream)

    def _stages(self, stages: Sequence["Node"], context: _Context, upstream: tuple[Command, ...]) -> None:
        for index, stage in enumerate(stages):
            last = index + 1 == len(stages)
            before = len(self._reading.commands)
            self._visit(stage, replace(context, upstream=upstream, piped=context.piped or not last))
            upstream += tuple(self._reading.commands[before:])

    # Assignments

    def _assignment(self, node: "Node", context: _Context) -> None:
        name, value = self._assigned(node)
        if name:
            self._reading.scope.set(name, value, certain=context.certain)
        self._substitutions(node)

    def _assigned(self, node: "Node") -> tuple[str, tuple[Piece, ...] | None]:
        """The name and value of `NAME=value`; no name for an element of an array."""
        names = [child for child in node.children if child.type == "variable_name"]
        plain = len(node.children) > 1 and self._text(node.children[1]) == "="
        if not names or not plain:
            return (self._text(names[0]), None) if names else ("", None)
        value = node.children[2] if len(node.children) > 2 else None
        if value is None:
            return self._text(names[0]), (Piece("", range(0), quoted=True),)
        if value.type == "array":
            return self._text(names[0]), None
        return self._text(names[0]), self._expander.word(value).pieces

    def _unset(self, node: "Node", context: _Context) -> None:
        for child in node.children:
            if child.type == "variable_name":
                self._reading.scope.set(self._text(child), None, certain=context.certain)

    # Commands

    def _redirected(self, node: "Node", context: _Context) -> None:
        body = node.child_by_field_name("body")
        around = redirects.read(node.children, self._source, self._expander)
        self._heredocs(node)
        before = len(self._reading.commands)
        if body is not None and body.type == "command":
            self._command(body, context, around)
        elif body is not None:
            self._visit(body, replace(context, redirects=context.redirects + around.redirects))
        elif around.redirects:
            self._record(Command((), self._span(node), around.redirects))
        self._after_heredoc(around.after, context, tuple(self._reading.commands[before:]))

    def _heredocs(self, node: "Node") -> None:
        for child in node.children:
            if child.type == "heredoc_redirect":
                self._substitutions(child)

    def _after_heredoc(self, nodes: Sequence["Node"], context: _Context, upstream: tuple[Command, ...]) -> None:
        for node in nodes:
            if node.type == "pipeline":
                stages = [child for child in node.children if child.is_named]
                self._stages(stages, context, context.upstream + upstream)
            else:
                self._visit(node, replace(context, certain=False))

    def _simple(self, node: "Node", context: _Context) -> None:
        self._command(node, context, redirects.NONE)

    def _command(self, node: "Node", context: _Context, around: Redirects) -> None:
        parts = [child for child in node.children if child.type in WORDS or child.type == "command_name"]
        assignments = [child for child in node.children if child.type == "variable_assignment"]
        own = redirects.read(node.children, self._source, self._expander)
        if around.redirects or own.redirects:
            context = replace(context, redirects=(*context.redirects, *around.redirects, *own.redirects))
        parts += [*own.words, *around.words]
        span = self._reach(node, parts, around)
        seen: list[tuple[tuple[Word, ...], str | None]] = []
        for _ in self._reading.scope.choices():
            turn = tuple(word for part in parts for word in self._expander.words(part)), self._folder()
            if turn not in seen:
                seen.append(turn)
        self._substitutions(node)
        before = self._reading.scope.snapshot() if assignments else {}
        for assignment in assignments:
            self._assignment(assignment, context)
        for words, folder in seen:
            self._emit(words, span, context if folder == context.folder else replace(context, folder=folder))
        if assignments:
            self._reading.scope.restore(before)

    def _reach(self, node: "Node", parts: Sequence["Node"], around: Redirects) -> Span:
        """The range of a command with its redirections, but without the text of a here-document."""
        start, end = self._span(node)
        ends = [each.target.span[1] for each in around.redirects if not each.operator.startswith("<<")]
        return start, max([end, *ends, *(self._span(part)[1] for part in parts)])

    def _folder(self) -> str | None:
        """The folder that the shell is in, if it is known."""
        pieces = self._reading.scope.get("PWD")
        return "".join(piece.text for piece in pieces) if pieces and all(piece.exact for piece in pieces) else None

    def _emit(self, words: tuple[Word, ...], span: Span, context: _Context) -> None:
        """Record a command, then whatever it starts."""
        command = Command(
            words,
            span,
            context.redirects,
            context.upstream,
            context.piped,
            context.background,
            context.functions,
            context.endless,
            context.via,
            context.folder,
        )
        self._record(command)
        self._effects(command, context)
        if words and self._reading.nested < MOST_NESTED:
            self._nested(command, context)
        elif words and next(wrappers.inner(command), None) is not None:
            raise self._reading.stop(f"interpreters are nested more than {MOST_NESTED} deep", span)

    def _record(self, command: Command) -> None:
        if len(self._reading.commands) >= MOST_COMMANDS:
            raise self._reading.stop(f"the script has more than {MOST_COMMANDS} commands", command.span)
        self._reading.commands.append(command)

    def _nested(self, command: Command, context: _Context) -> None:
        self._reading.nested += 1
        calls = command.name in self._reading.bodies and command.name not in context.functions
        inner = tuple(wrappers.inner(command))
        within = replace(context, via=(*context.via, command.name)) if inner or calls else context
        for started in inner:
            if isinstance(started, wrappers.Text):
                inside = Source(started.text, started.places)
                Walker(inside, self._reading).read(replace(within, redirects=(), upstream=()))
            else:
                start, end = started[0].span[0], started[-1].span[1]
                self._emit(started, (start, end if end > start else max(start, command.span[1])), within)
        if calls:
            self._call(command, within)
        self._reading.nested -= 1

    def _call(self, command: Command, context: _Context) -> None:
        """A function's body again, with the arguments that it is called with."""
        walker, body = self._reading.bodies[command.name]
        scope = self._reading.scope
        arguments = command.arguments[:9]
        if not any(word.value for word in arguments):
            return
        before = scope.snapshot()
        for number, word in enumerate(arguments, 1):
            scope.set(str(number), word.pieces, certain=True)
        walker._visit(body, replace(context, functions=(*context.functions, command.name)))
        scope.restore(before)

    def _effects(self, command: Command, context: _Context) -> None:
        """What a command changes in the shell itself: the folder."""
        if command.name not in ("cd", "pushd") or not command.arguments:
            return
        word = command.arguments[-1]
        known = word.value is not None and word.value.startswith(("/", "~"))
        self._reading.scope.set("PWD", word.pieces if known else None, certain=context.certain)

    # Substitutions

    def _substitutions(self, node: "Node") -> None:
        """Read every `$(…)` below a node, whether it became a part of a word or not."""
        text = self._source.data[node.start_byte : node.end_byte]
        if b"$(" not in text and b"`" not in text and b"<(" not in text and b">(" not in text:
            return
        waiting = list(reversed(node.children))
        while waiting:
            child = waiting.pop()
            if child.type in ("command_substitution", "process_substitution"):
                self._substitute(child)
            elif node.type != "heredoc_redirect" or child.type not in redirects.FOLLOWING:
                waiting += reversed(child.children)

    def _substitution(self, node: "Node", _: _Context) -> None:
        self._substitute(node)

    def _substitute(self, node: "Node") -> tuple[tuple[Command, ...], str | None]:
        if node.id not in self._substituted:
            self._substituted[node.id] = ((), None)
            scope, before = self._reading.scope.snapshot(), len(self._reading.commands)
            self._descend(node, SUBSTITUTION_LEVELS)
            self._children(node, _Context(piped=True))
            self._reading.depth -= SUBSTITUTION_LEVELS
            self._reading.scope.restore(scope)
            commands = tuple(self._reading.commands[before:])
            self._substituted[node.id] = (commands, _output(commands) if node.type[0] == "c" else None)
        return self._substituted[node.id]

    def _text(self, node: "Node") -> str:
        return self._source.slice(node.start_byte, node.end_byte)

    def _span(self, node: "Node") -> Span:
        return self._source.span(node.start_byte, node.end_byte)


def _output(commands: tuple[Command, ...]) -> str | None:
    """What a substitution prints, if it is a single `echo` of known words."""
    words = wrappers.printed_words(commands[0]) if len(commands) == 1 else ()
    values = [word.value for word in words]
    return " ".join(value for value in values if value is not None) if values and None not in values else None


_VISITS: dict[str, Callable[[Walker, "Node", _Context], None]] = {
    "command": Walker._simple,
    "redirected_statement": Walker._redirected,
    "pipeline": Walker._pipeline,
    "list": Walker._list,
    "subshell": Walker._subshell,
    "if_statement": Walker._maybe,
    "case_statement": Walker._maybe,
    "while_statement": Walker._while,
    "for_statement": Walker._for,
    "c_style_for_statement": Walker._c_style_for,
    "function_definition": Walker._function,
    "variable_assignment": Walker._assignment,
    "unset_command": Walker._unset,
    "command_substitution": Walker._substitution,
    "process_substitution": Walker._substitution,
}
