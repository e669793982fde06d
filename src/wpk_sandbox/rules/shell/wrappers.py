"""Commands that start others (`sudo`, `env`, `xargs`) and interpreters that are given a script (`sh -c`)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from wpk_sandbox.rules.shell import containers, embedded, programs, remote, scheduled
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.printed import fields, here_documents, input_words, printed_words
from wpk_sandbox.rules.shell.started import Started, Text, text_of
from wpk_sandbox.rules.shell.words import Piece, Word

__all__ = ["INTERPRETERS", "SHELLS", "here_documents", "inner", "printed_words", "script_files"]

SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "rbash"})
# What reads a program in another language from its input or from an argument.
INTERPRETERS = SHELLS | {"python", "python2", "python3", "perl", "ruby", "node", "php", "lua", "pwsh"}
# Marks of `xargs -I` that are replaced in one word.
MOST_REPLACED = 16
_SHELL_TAKES = frozenset({"c", "o", "O", "rcfile", "init-file"})
_INPUTS = frozenset({"-", "/dev/stdin", "/proc/self/fd/0", "/dev/fd/0"})


@dataclass(frozen=True)
class Wrapper:
    """How a command names the one that it starts.

    `takes` are its options with a value, `skips` the operands before the other command; `assigns` allows
    `NAME=value` before it.
    """

    takes: frozenset[str] = frozenset()
    skips: int = 0
    assigns: bool = False


WRAPPERS: dict[str, Wrapper] = {
    "sudo": Wrapper(names("u g h p C r t T U D R user group host prompt chdir chroot"), assigns=True),
    "doas": Wrapper(names("u C")),
    "env": Wrapper(names("u C S unset chdir split-string"), assigns=True),
    "timeout": Wrapper(names("s k signal kill-after"), skips=1),
    "nice": Wrapper(names("n adjustment")),
    "ionice": Wrapper(names("c n class classdata")),
    "nohup": Wrapper(),
    "setsid": Wrapper(),
    "stdbuf": Wrapper(names("i o e input output error")),
    "time": Wrapper(names("o f output format")),
    "exec": Wrapper(names("a")),
    "command": Wrapper(),
    "builtin": Wrapper(),
    "coproc": Wrapper(),
    "xargs": Wrapper(names("I L n P s d E a max-args max-procs delimiter arg-file replace max-lines")),
    "catchsegv": Wrapper(),
    "cgexec": Wrapper(names("g")),
    "chpst": Wrapper(names("u U b e n l L m d o p f c")),
    "fakeroot": Wrapper(names("l s i b lib faked")),
    "faketime": Wrapper(skips=1),
    "linux32": Wrapper(),
    "linux64": Wrapper(),
    "numactl": Wrapper(names("i m N C p membind cpunodebind physcpubind interleave preferred")),
    "pkexec": Wrapper(names("user")),
    "prlimit": Wrapper(names("p pid o output")),
    "run0": Wrapper(names("u g user group unit property chdir")),
    "setarch": Wrapper(skips=1),
    "sshpass": Wrapper(names("p f d P")),
    "systemd-run": Wrapper(names("u p M H E unit property uid gid nice slice description on-active on-calendar")),
    "unbuffer": Wrapper(names("p")),
    "proot": Wrapper(names("r b q w i v")),
    "parallel": Wrapper(names("j jobs a arg-file colsep delay timeout")),
    "busybox": Wrapper(),
    "toybox": Wrapper(),
    "chroot": Wrapper(names("userspec groups"), skips=1),
    "nsenter": Wrapper(names("t target S G setuid setgid")),
    "unshare": Wrapper(names("S G R w setuid setgid root wd propagation map-user map-group")),
    "setpriv": Wrapper(names("reuid regid groups bounding-set inh-caps ambient-caps")),
    "taskset": Wrapper(skips=1),
    "chrt": Wrapper(skips=1),
    "gosu": Wrapper(skips=1),
    "su-exec": Wrapper(skips=1),
    "tini": Wrapper(names("e p")),
    "dumb-init": Wrapper(names("r rewrite")),
    "strace": Wrapper(names("e o p s u E a O S")),
    "ltrace": Wrapper(names("e o p s u")),
}


def inner(command: Command) -> Iterator[Started]:
    """What a command starts: other commands as their words, scripts as text."""
    name = command.name
    yield from scheduled.written(command)
    if name in SHELLS:
        yield from _script(command)
    elif name in WRAPPERS:
        yield from _wrapped(command, WRAPPERS[name])
    elif name in _SPECIAL:
        yield from _SPECIAL[name](command)
    elif name in containers.CLIENTS:
        yield from containers.CLIENTS[name](command)
    elif name in remote.CLIENTS:
        yield from remote.CLIENTS[name](command)
    elif name in embedded.PROGRAMS:
        yield from embedded.PROGRAMS[name](command)
    elif programs.language(name) in programs.LANGUAGES:
        yield from programs.started(command)


def script_files(command: Command) -> tuple[Word, ...]:
    """The operands of a shell that runs a file: the file first. None with `-c`, `-s`, or `-n`, which only reads."""
    options = parse(command.arguments, _SHELL_TAKES, first_operand_ends=True)
    return () if "c" in options.values or options.flags & {"s", "n"} else options.operands


def _script(command: Command) -> Iterator[Started]:
    options = parse(command.arguments, _SHELL_TAKES, first_operand_ends=True)
    if "c" in options.values or "c" in options.flags:
        words = _from_c(command)
        if words:
            yield text_of(words[:1], words[2:])
    elif not options.operands or "s" in options.flags or options.operands[0].value in _INPUTS:
        yield from _standard_input(command)
    else:
        yield from _substituted(options.operands)


def _from_c(command: Command) -> tuple[Word, ...]:
    """The script of `sh -c`, its name and its arguments.

    The script is the first operand, since options may stand between it and the `c` (`-ce`, `-co pipefail`).
    """
    words = command.arguments
    skip = False
    for index, word in enumerate(words):
        text = word.when_empty
        if skip:
            skip = False
        elif not text.startswith(("-", "+")):
            return words[index:]
        else:
            skip = text in ("--rcfile", "--init-file") or (text[:2] != "--" and text.endswith(("o", "O")))
    return ()


def _standard_input(command: Command) -> Iterator[Text]:
    """What a shell reads: a here-document, a here-string, or what an `echo` before it prints."""
    for words in input_words(command):
        yield text_of(words, (), is_input=True)


def _substituted(operands: tuple[Word, ...]) -> Iterator[Text]:
    """`bash <(echo …)`: a script file whose text is known."""
    made = [piece for piece in operands[0].pieces if piece.commands]
    if len(operands[0].pieces) == 1 and made and made[0].source.startswith("<("):
        words = printed_words(made[0].commands[-1])
        if words:
            yield text_of(words, operands[1:])


def _wrapped(command: Command, wrapper: Wrapper) -> Iterator[Started]:
    options = parse(command.arguments, wrapper.takes, first_operand_ends=True)
    words = options.operands
    if command.name == "env" and (split := options.value("S", "split-string")) is not None:
        yield text_of((split, *words))
        return
    while wrapper.assigns and words and "=" in words[0].when_empty:
        words = words[1:]
    words = words[wrapper.skips :]
    if command.name == "xargs":
        words = _with_input(command, words, options.value("I", "replace"))
    if not words:
        return
    if command.name == "parallel" and len(words) == 1:
        yield text_of(words)
    yield words


def _with_input(command: Command, words: tuple[Word, ...], mark: Word | None) -> tuple[Word, ...]:
    """The command of `xargs` with what it reads, at its end or in place of the mark of `-I`."""
    read = tuple(word for printed in input_words(command) for word in fields(printed))
    if mark is None or not mark.value:
        return words + read if words else ()
    if not read:
        return words
    return tuple(_replaced(word, mark.value, read[0]) for word in words)


def _replaced(word: Word, mark: str, by: Word) -> Word:
    pieces: list[Piece] = []
    for piece in word.pieces:
        parts = piece.text.split(mark, MOST_REPLACED) if piece.exact else [piece.text]
        position = 0
        for index, part in enumerate(parts):
            if index:
                pieces += by.pieces
                position += len(mark)
            places = piece.places[position : position + len(part)] if piece.exact else piece.places
            pieces.append(replace(piece, text=part, places=places))
            position += len(part)
    return Word(tuple(piece for piece in pieces if piece.text or not piece.exact), word.span)


def _eval(command: Command) -> Iterator[Text]:
    if command.arguments:
        yield text_of(command.arguments)


def _trap(command: Command) -> Iterator[Text]:
    words = parse(command.arguments).operands
    if len(words) > 1:
        yield text_of(words[:1])


def _su(command: Command) -> Iterator[Text]:
    script = parse(command.arguments, names("c command s shell g u user group session-command")).value(
        "c", "command"
    )
    if script:
        yield text_of((script,))


def _runuser(command: Command) -> Iterator[Started]:
    yield from _su(command)
    yield from _wrapped(command, Wrapper(names("c u g s user group shell command")))


def _flock(command: Command) -> Iterator[Started]:
    options = parse(command.arguments, names("w timeout E conflict-exit-code"), first_operand_ends=True)
    words = options.operands[1:]
    if words and words[0].value in ("-c", "--command"):
        yield text_of(words[1:2] or words)
    elif words:
        yield words


def _watch(command: Command) -> Iterator[Text]:
    words = parse(command.arguments, names("n interval"), first_operand_ends=True).operands
    if words:
        yield text_of(words)


def _ssh(command: Command) -> Iterator[Started]:
    yield from embedded.ssh_settings(command)
    takes = names("b c D E e F I i J L l m O o p Q R S W w")
    words = parse(command.arguments, takes, first_operand_ends=True).operands[1:]
    if words:
        yield text_of(words)
    else:
        yield from _standard_input(command)


def _find(command: Command) -> Iterator[tuple[Word, ...]]:
    """`find … -exec rm -rf {} ;`."""
    words, end = command.arguments, 0
    for index, word in enumerate(words):
        if index >= end and word.value in ("-exec", "-execdir", "-ok", "-okdir"):
            end = next((at for at in range(index, len(words)) if words[at].value in (";", "+")), len(words))
            if end > index + 1:
                yield words[index + 1 : end]


def _source(command: Command) -> Iterator[Text]:
    """`source /dev/stdin <<< …`, `. <(…)`."""
    words = command.arguments
    if words and words[0].value in _INPUTS:
        yield from _standard_input(command)
    elif words:
        yield from _substituted(words)


def _netns(command: Command) -> Iterator[tuple[Word, ...]]:
    """`ip netns exec NAME command`."""
    words = command.arguments
    values = [word.value for word in words]
    if "exec" in values and ("netns" in values or "vrf" in values):
        started = words[values.index("exec") + 2 :]
        if started:
            yield started


_SPECIAL = {
    "eval": _eval,
    "trap": _trap,
    "su": _su,
    "runuser": _runuser,
    "flock": _flock,
    "watch": _watch,
    "script": _su,
    "ssh": _ssh,
    "find": _find,
    "source": _source,
    ".": _source,
    "ip": _netns,
    "at": _standard_input,
    "batch": _standard_input,
    "crontab": scheduled.crontab,
}
