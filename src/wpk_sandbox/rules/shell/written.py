"""Which files a command writes, whether by a redirection or as its operand."""

from collections.abc import Iterator

from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.words import Word


def written_paths(command: Command) -> Iterator[Word]:
    """The paths that a command writes: `> file`, `tee file`, `dd of=file`, `cp x file`."""
    for redirect in command.redirects:
        if redirect.writes and redirect.operator not in (">&", "<>") and redirect.target.value != "/dev/null":
            yield redirect.target
    match command.name:
        case "tee":
            yield from parse(command.arguments).operands
        case "dd":
            yield from (word.after(3) for word in command.arguments if word.when_empty.startswith("of="))
        case "cp" | "install":
            options = parse(command.arguments, names("t S m o g target-directory suffix mode owner group"))
            target = options.value("t", "target-directory")
            yield from (target,) if target is not None else options.operands[1:][-1:]
        case "sed":
            options = parse(command.arguments, names("e f expression file l"))
            if options.has("i", "in-place"):
                yield from options.operands[0 if options.has("e", "f", "expression", "file") else 1 :]
