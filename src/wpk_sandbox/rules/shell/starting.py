"""Notes commands, and reads what each of them starts: functions, scripts in its arguments, files written before."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from wpk_sandbox.rules.shell import effects, lists, programs, wrappers
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.progress import MOST_NESTED, Context, Function, Reading
from wpk_sandbox.rules.shell.source import Source, Span
from wpk_sandbox.rules.shell.started import Started, Text, text_of
from wpk_sandbox.rules.shell.words import Word

# Reads a source that a command starts.
Read = Callable[[Source, Context], None]


class Starter:
    """Takes the commands of one reading; `read` reads the scripts inside of them."""

    def __init__(self, reading: Reading, read: Read) -> None:
        self._reading, self._read = reading, read

    def emit(self, words: tuple[Word, ...], span: Span, context: Context) -> None:
        """Record a command, then whatever it starts."""
        made = Command(
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
            context.forgiven,
            context.assigns,
        )
        command = self._reading.files.given(made)
        self._reading.record(command)
        self._reading.files.note(command)
        effects.apply(command, self._reading, certain=context.certain)
        if words and self._reading.nested < MOST_NESTED:
            self._nested(command, context)
        elif words and next(wrappers.inner(command), None) is not None:
            raise self._reading.stop(f"interpreters are nested more than {MOST_NESTED} deep", span)

    def _nested(self, command: Command, context: Context) -> None:
        self._reading.nested += 1
        function = self._reading.bodies.get(command.name)
        calls = function is not None and command.name not in context.functions
        inner = (*wrappers.inner(command), *self._aliased(command), *_defaulted(command))
        within = replace(context, via=(*context.via, command.name)) if inner or calls else context
        if inner and programs.language(command.name) in programs.LANGUAGES:
            # A here-document was the program, and is no input of what that starts.
            within = replace(
                within, redirects=tuple(each for each in within.redirects if each.operator[:2] != "<<")
            )
        self._each(inner, command, within)
        if function is not None and calls:
            self._call(function, command, within)
        else:
            self._file(command, context)
        self._reading.nested -= 1

    def _each(self, started: Iterable[Started], command: Command, context: Context) -> None:
        for each in started:
            if isinstance(each, Text):
                self._script(each, context)
            elif each:
                start, end = each[0].span[0], each[-1].span[1]
                self.emit(each, (start, end if end > start else max(start, command.span[1])), context)

    def _script(self, started: Text, context: Context) -> None:
        """Read a script inside of a command, which has its input unless it was the script itself."""
        scope = self._reading.scope
        upstream = () if started.is_input else context.upstream
        here = () if started.is_input else tuple(each for each in context.redirects if each.operator[:2] == "<<")
        arguments = scope.get(lists.ARGUMENTS)
        if started.arguments is not None:
            scope.set(lists.ARGUMENTS, lists.listed(started.arguments), certain=True)
        self._read(Source(started.text, started.places), replace(context, redirects=here, upstream=upstream))
        if started.arguments is not None:
            scope.set(lists.ARGUMENTS, arguments, certain=True)

    def _aliased(self, command: Command) -> Iterator[Started]:
        """What an alias stands for; one that names itself stands for the program of its name."""
        text = self._reading.aliases.get(command.name)
        if text is not None and (text.value or "").split()[:1] != [command.name]:
            yield text_of((text, *command.arguments))

    def _call(self, function: Function, command: Command, context: Context) -> None:
        """A function's body, with the arguments that it is called with and the variables as they are now."""
        if not self._reading.follows(context, command.span, known=function.called):
            return
        scope = self._reading.scope
        arguments = scope.get(lists.ARGUMENTS)
        scope.set(lists.ARGUMENTS, lists.listed(command.arguments), certain=True)
        function.walker.enter(function, context)
        scope.set(lists.ARGUMENTS, arguments, certain=True)

    def _file(self, command: Command, context: Context) -> None:
        """A file that the script has written and runs here."""
        files = self._reading.files
        path, started = files.script(command)
        if path and self._reading.follows(context, command.span, known=files.was_run(path)):
            files.running.add(path)
            self._each(started, command, replace(context, via=(*context.via, command.name)))
            files.running.discard(path)


def _defaulted(command: Command) -> Iterator[Text]:
    """`${PROGRAM:-rm -rf /}`: what runs when the variable that names the program is not set."""
    name = command.words[0]
    if name.value is None and name.when_empty.strip():
        text = " ".join(word.when_empty for word in command.words)
        start, end = name.span[0], command.words[-1].span[1]
        yield Text(text, [*[start] * len(text), end])
