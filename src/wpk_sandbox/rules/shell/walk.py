"""Walks a syntax tree and collects the simple commands, keeping track of variables, pipes and functions."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from wpk_sandbox.rules.shell import assignments, escapes, lists, redirects, rounds
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.expand import Expander
from wpk_sandbox.rules.shell.parser import TooMuchWork
from wpk_sandbox.rules.shell.printed import output
from wpk_sandbox.rules.shell.progress import (
    MOST_DEPTH,
    PLAIN,
    Context,
    Function,
    Reading,
    Stop,
)
from wpk_sandbox.rules.shell.redirects import WORDS, Redirects
from wpk_sandbox.rules.shell.scope import Value
from wpk_sandbox.rules.shell.source import Source, Span
from wpk_sandbox.rules.shell.starting import Starter
from wpk_sandbox.rules.shell.words import Word

if TYPE_CHECKING:
    from tree_sitter import Node

SUBSTITUTION_LEVELS = 5

_NOTHING = frozenset({"true", ":", "/bin/true", "exit 0", "return 0"})
_FOREVER = re.compile(r"true|:|1|\[\[? (?:[^\s$]+|([^\s$]+) (?:=|==|-eq|-le|-ge) \1) \]\]?|\(\(\s*1\s*\)\)")


class Walker:
    """Reads one source into a reading."""

    def __init__(self, source: Source, reading: Reading) -> None:
        self._source, self._reading = source, reading
        self._starter = Starter(reading, lambda inside, context: Walker(inside, reading).read(context))
        self._expander = Expander(source, reading.scope, self._substitute)
        self._substituted: dict[int, tuple[tuple[Command, ...], str | None]] = {}

    def read(self, context: Context = PLAIN) -> None:
        """Read the whole source, as far as bounds and syntax allow."""
        outermost = not self._reading.nested
        try:
            self._children(self._parsed(context), context)
            if outermost:
                self._uncalled()
        except Stop:
            if not outermost:
                raise

    def _parsed(self, context: Context) -> "Node":
        try:
            root = self._source.parse(self._reading.budget)
        except TooMuchWork as reason:
            raise self._reading.stop(str(reason), self._source.line(reason.byte)) from reason
        error = self._source.error(root)
        # Until its variables are filled in, nobody can tell whether the text of an `eval` is shell.
        unfilled = context.via[-1:] == ("eval",) and "$" in self._source.text
        if error is not None and not unfilled:
            self._reading.problems.append(error)
        return root

    def start(self, words: tuple[Word, ...]) -> None:
        """Read a command that is given as its words."""
        try:
            self._starter.emit(words, (words[0].span[0], words[-1].span[1]), PLAIN)
        except Stop:
            return

    def _visit(self, node: "Node", context: Context) -> None:
        self._descend(node, 1)
        if context.ending and node.type not in _SEQUENCES:
            context = replace(context, redirects=context.redirects + context.ending, ending=())
        _VISITS.get(node.type, Walker._children)(self, node, context)
        self._reading.depth -= 1

    def _descend(self, node: "Node", levels: int) -> None:
        """Count levels of nesting, each of which takes some of Python's own stack."""
        self._reading.depth += levels
        if self._reading.depth > MOST_DEPTH:
            raise self._reading.stop("commands are nested too deep to be read", self._span(node))

    def _children(self, node: "Node", context: Context) -> None:
        self._each(node.children, context)

    def _each(self, children: Sequence["Node"], context: Context) -> None:
        for index, child in enumerate(children):
            if not child.is_named or (child.child_count == 0 and child.type != "command"):
                continue
            last = index + 1 == len(children)
            started = not last and children[index + 1].type == "&"
            self._visit(child, replace(context, background=True) if started else context)

    def _list(self, node: "Node", context: Context) -> None:
        """`a && b || c`, which the tree nests to the left; only the first is sure to run."""
        parts: list[tuple[Node, bool]] = []
        forgiven = context.forgiven
        while node.type == "list" and node.child_count >= 3:
            parts.append((node.children[2], forgiven))
            forgiven = forgiven or (
                self._text(node.children[1]) == "||" and escapes.unquoted(self._text(node.children[2])) in _NOTHING
            )
            node = node.children[0]
        self._visit(node, replace(context, forgiven=forgiven, ending=() if parts else context.ending))
        for index, (part, ignored) in reversed([*enumerate(parts)]):
            ending = () if index else context.ending
            self._visit(part, replace(context, certain=False, forgiven=ignored, ending=ending))

    def _test(self, node: "Node", context: Context) -> None:
        words = assignments.tested(node, self._expander)
        self._substitutions(node)
        if words:
            self._starter.emit(tuple(words), self._span(node), context)

    def _maybe(self, node: "Node", context: Context) -> None:
        self._children(node, replace(context, certain=False))

    def _case(self, node: "Node", context: Context) -> None:
        """A `case` with a branch for everything else looks at its value, as a test does."""
        value = node.child_by_field_name("value")
        default = any(self._text(item).lstrip("( ").startswith("*)") for item in node.children)
        if value is not None and default:
            name = self._expander.literal(node.start_byte, node.start_byte + len("case"))
            words = (name, *self._expander.words(value))
            self._reading.record(Command(words, self._span(value), piped=context.piped, endless=context.endless))
        self._maybe(node, context)

    def _if(self, node: "Node", context: Context) -> None:
        """Each branch from where the condition leaves the variables; after it, they may be as after any of them."""
        scope, children = self._reading.scope, node.children
        then = next((index for index, child in enumerate(children) if child.type == "then"), 0)
        self._each(children[:then], context)
        clauses = [child for child in children if child.type in ("elif_clause", "else_clause")]
        before = scope.snapshot()
        self._each([child for child in children[then:] if child not in clauses], context)
        after = [scope.snapshot()]
        for clause in clauses:
            scope.restore(dict(before))
            self._children(clause, context)
            after.append(scope.snapshot())
        if not any(clause.type == "else_clause" for clause in clauses):
            after.append(before)
        scope.merge(after)

    def _while(self, node: "Node", context: Context) -> None:
        named = [child for child in node.children[1:] if child.is_named and child.type != "do_group"]
        condition = escapes.unquoted(" ".join(map(self._text, named)))
        until = self._text(node.children[0]) == "until"
        forever = condition == "false" if until else _FOREVER.fullmatch(condition) is not None
        endless = context.endless or forever or rounds.only_looks(node, self._source)
        self._children(node, replace(context, certain=False, endless=endless, background=False))

    def _c_style_for(self, node: "Node", context: Context) -> None:
        endless = context.endless or ";;" in self._text(node).partition("do")[0].replace(" ", "")
        if endless:
            # A loop of assignments alone has no command that could tell of it.
            self._reading.record(Command((), self._span(node), endless=True))
        self._children(node, replace(context, certain=False, endless=endless, background=False))

    def _for(self, node: "Node", context: Context) -> None:
        names = [child for child in node.children if child.type == "variable_name"]
        items = [child for child in node.children if child.type in WORDS]
        values: list[Value | None] = [
            lists.item(word.pieces) for item in items for word in self._expander.words(item)
        ]
        if not any(child.type == "in" for child in node.children):
            # `for NAME; do` goes through the arguments.
            values = [*lists.elements(self._reading.scope.get(lists.ARGUMENTS) or ())]
        if names:
            self._reading.scope.set_any(self._text(names[0]), [value for value in values if value] or [None])
        self._maybe(node, context)

    def _subshell(self, node: "Node", context: Context) -> None:
        before = self._reading.scope.snapshot()
        self._children(node, context)
        self._reading.scope.restore(before)

    def _function(self, node: "Node", _: Context) -> None:
        """A definition; the body is read by each call, or at the end where nothing calls it."""
        name = next((self._text(child) for child in node.children if child.type == "word"), "")
        body = node.child_by_field_name("body")
        if body is not None:
            self._reading.define(Function(name, self, body))

    def _uncalled(self) -> None:
        """Read the functions that are only defined, with arguments that nobody knows."""
        for function in self._reading.functions:
            if not function.called:
                self._reading.scope.set(lists.ARGUMENTS, None, certain=True)
                self.enter(function, Context(certain=False))

    def enter(self, function: Function, context: Context) -> None:
        """Read the body of a function that this walker has met, with the scope as it is."""
        function.called = True
        walker = function.walker
        known, walker._substituted = walker._substituted, {}
        walker._visit(function.body, replace(context, functions=(*context.functions, function.name)))
        walker._substituted = known

    def _pipeline(self, node: "Node", context: Context) -> None:
        stages = [child for child in node.children if child.is_named]
        self._stages(stages, context, context.upstream)

    def _stages(self, stages: Sequence["Node"], context: Context, upstream: tuple[Command, ...]) -> None:
        for index, stage in enumerate(stages):
            last = index + 1 == len(stages)
            before = len(self._reading.commands)
            ending = context.ending if last else ()
            self._visit(stage, replace(context, upstream=upstream, piped=context.piped or not last, ending=ending))
            upstream += tuple(self._reading.commands[before:])

    def _assignment(self, node: "Node", context: Context) -> None:
        name, value = assignments.read(node, self._source, self._expander, self._reading.scope)
        if name:
            self._reading.scope.set(name, value, certain=context.certain)
        self._substitutions(node)

    def _declaration(self, node: "Node", context: Context) -> None:
        words = assignments.declared(node, self._source, self._expander)
        self._children(node, context)
        self._starter.emit(words, self._span(node), context)

    def _unset(self, node: "Node", context: Context) -> None:
        for child in node.children:
            if child.type == "variable_name":
                self._reading.scope.set(self._text(child), None, certain=context.certain)
        self._starter.emit(assignments.declared(node, self._source, self._expander), self._span(node), context)

    def _redirected(self, node: "Node", context: Context) -> None:
        body = node.child_by_field_name("body")
        around = redirects.read(node.children, self._source, self._expander)
        self._heredocs(node)
        before = len(self._reading.commands)
        if body is not None and body.type == "command":
            self._command(body, context, around, self._dash(node, body))
        elif body is not None and body.type in _SEQUENCES:
            self._visit(body, replace(context, ending=context.ending + around.redirects))
        elif body is not None:
            self._visit(body, replace(context, redirects=context.redirects + around.redirects))
        elif around.redirects:
            self._reading.record(Command((), self._span(node), around.redirects))
        self._after_heredoc(around.after, context, tuple(self._reading.commands[before:]))

    def _dash(self, node: "Node", body: "Node") -> tuple[Word, ...]:
        """The `-` of `program - <<EOF`, which the tree leaves out between the command and its redirection."""
        after = next((child for child in node.children if child.start_byte >= body.end_byte), body)
        gap = self._source.data[body.end_byte : after.start_byte]
        if gap.strip() != b"-":
            return ()
        start = body.end_byte + gap.index(b"-")
        return (self._expander.literal(start, start + 1),)

    def _heredocs(self, node: "Node") -> None:
        for child in node.children:
            if child.type == "heredoc_redirect":
                self._substitutions(child)

    def _after_heredoc(self, nodes: Sequence["Node"], context: Context, upstream: tuple[Command, ...]) -> None:
        for node in nodes:
            if node.type == "pipeline":
                stages = [child for child in node.children if child.is_named]
                self._stages(stages, context, context.upstream + upstream)
            else:
                self._visit(node, replace(context, certain=False))

    def _simple(self, node: "Node", context: Context) -> None:
        self._command(node, context, redirects.NONE)

    def _command(self, node: "Node", context: Context, around: Redirects, further: tuple[Word, ...] = ()) -> None:
        parts = [child for child in node.children if child.type in WORDS or child.type == "command_name"]
        assigned = [child for child in node.children if child.type == "variable_assignment"]
        own = redirects.read(node.children, self._source, self._expander)
        if around.redirects or own.redirects:
            context = replace(context, redirects=(*context.redirects, *around.redirects, *own.redirects))
        parts += [*own.words, *around.words]
        span = self._reach(node, parts, around)
        seen: list[tuple[tuple[Word, ...], str | None]] = []
        for _ in self._reading.scope.choices():
            words = (*(word for part in parts for word in self._expander.words(part)), *further)
            turn = words, self._folder()
            if turn not in seen:
                seen.append(turn)
        self._substitutions(node)
        given = tuple(assignments.written(each, self._source, self._expander) for each in assigned)
        if given or context.assigns:
            context = replace(context, assigns=given)
        before = self._reading.scope.snapshot() if assigned else {}
        for assignment in assigned:
            self._assignment(assignment, context)
        for words, folder in seen:
            self._starter.emit(
                words, span, context if folder == context.folder else replace(context, folder=folder)
            )
        if assigned:
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

    def _substitution(self, node: "Node", _: Context) -> None:
        self._substitute(node)

    def _substitute(self, node: "Node") -> tuple[tuple[Command, ...], str | None]:
        if node.id not in self._substituted:
            self._substituted[node.id] = ((), None)
            scope, before = self._reading.scope.snapshot(), len(self._reading.commands)
            self._descend(node, SUBSTITUTION_LEVELS)
            self._children(node, Context(piped=True))
            self._reading.depth -= SUBSTITUTION_LEVELS
            self._reading.scope.restore(scope)
            commands = tuple(self._reading.commands[before:])
            self._substituted[node.id] = (commands, output(commands) if node.type[0] == "c" else None)
        return self._substituted[node.id]

    def _text(self, node: "Node") -> str:
        return self._source.slice(node.start_byte, node.end_byte)

    def _span(self, node: "Node") -> Span:
        return self._source.span(node.start_byte, node.end_byte)


# What the tree counts the redirections of the last command to.
_SEQUENCES = frozenset({"list", "pipeline"})
_VISITS: dict[str, Callable[[Walker, "Node", Context], None]] = {
    "command": Walker._simple,
    "redirected_statement": Walker._redirected,
    "pipeline": Walker._pipeline,
    "list": Walker._list,
    "subshell": Walker._subshell,
    "if_statement": Walker._if,
    "case_statement": Walker._case,
    "while_statement": Walker._while,
    "for_statement": Walker._for,
    "c_style_for_statement": Walker._c_style_for,
    "function_definition": Walker._function,
    "variable_assignment": Walker._assignment,
    "test_command": Walker._test,
    "declaration_command": Walker._declaration,
    "unset_command": Walker._unset,
    "command_substitution": Walker._substitution,
    "process_substitution": Walker._substitution,
}
