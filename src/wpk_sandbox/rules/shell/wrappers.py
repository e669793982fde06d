"""Commands that start others (`sudo`, `env`, `xargs`) and interpreters that are given a script (`sh -c`)."""

from collections.abc import Iterator
from dataclasses import dataclass

from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.words import Word, joined

SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "rbash"})
# What reads a program in another language from its input or from an argument.
INTERPRETERS = SHELLS | {"python", "python2", "python3", "perl", "ruby", "node", "php", "lua", "pwsh"}
_SHELL_TAKES = frozenset({"c", "o", "O", "rcfile", "init-file"})


@dataclass(frozen=True)
class Text:
    """A script inside of a command, with the place of each character and of the end."""

    text: str
    places: list[int]


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
    "env": Wrapper(names("u C unset chdir"), assigns=True),
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
_CONTAINER_CLIENTS = frozenset({"kubectl", "oc"})


def inner(command: Command) -> Iterator[tuple[Word, ...] | Text]:
    """What a command starts: other commands as their words, scripts as text."""
    name = command.name
    if name in SHELLS:
        yield from _script(command)
    elif name in WRAPPERS:
        yield from _wrapped(command, WRAPPERS[name])
    elif name in _CONTAINER_CLIENTS:
        yield from _in_container(command)
    elif name in _SPECIAL:
        yield from _SPECIAL[name](command)


def script_files(command: Command) -> tuple[Word, ...]:
    """The operands of a shell that is not given a script by `-c`: its script file first."""
    options = parse(command.arguments, _SHELL_TAKES, first_operand_ends=True)
    return () if "c" in options.values or "s" in options.flags else options.operands


def _text(words: tuple[Word, ...]) -> Text:
    return Text(*joined(words, words[-1].span[1]))


def _script(command: Command) -> Iterator[Text]:
    options = parse(command.arguments, _SHELL_TAKES, first_operand_ends=True)
    if "c" in options.values or "c" in options.flags:
        script = _argument_of_c(command)
        if script is not None:
            yield _text((script,))
    elif not options.operands or "s" in options.flags or options.operands[0].value == "-":
        yield from _standard_input(command)


def _argument_of_c(command: Command) -> Word | None:
    """The script of `sh -c`: the first operand, since options may stand between it and the `c` (`-ce`, `-c -e`)."""
    return next((word for word in command.arguments if not word.when_empty.startswith(("-", "+"))), None)


def _standard_input(command: Command) -> Iterator[Text]:
    """What a shell reads: a here-document, a here-string, or what an `echo` before it prints."""
    here = here_documents(command) or (printed_words(command.upstream[-1]) if command.upstream else ())
    if here:
        yield _text(here)


def here_documents(command: Command) -> tuple[Word, ...]:
    """The here-document or here-string that a command reads, as it is the last one that counts."""
    return tuple(redirect.target for redirect in command.redirects if redirect.operator.startswith("<<"))[-1:]


def printed_words(command: Command) -> tuple[Word, ...]:
    """What an `echo`, a `printf` or a `cat` of a here-document prints; empty for other commands."""
    words = command.arguments
    if command.name == "cat" and not words:
        return here_documents(command)
    if command.name == "echo":
        while words and words[0].when_empty in ("-n", "-e", "-E", "-ne", "-en"):
            words = words[1:]
        return words
    if command.name != "printf":
        return ()
    if len(words) > 1 and words[0].when_empty.strip("\\n") in ("%s", "%b"):
        return words[1:]
    return words[:1]


def _wrapped(command: Command, wrapper: Wrapper) -> Iterator[tuple[Word, ...] | Text]:
    words = parse(command.arguments, wrapper.takes, first_operand_ends=True).operands
    while wrapper.assigns and words and "=" in words[0].when_empty:
        words = words[1:]
    words = words[wrapper.skips :]
    if not words:
        return
    if command.name == "xargs" and command.upstream:
        words += printed_words(command.upstream[-1])
    if command.name == "parallel" and len(words) == 1:
        yield _text(words)
    yield words


def _in_container(command: Command) -> Iterator[tuple[Word, ...]]:
    """`kubectl exec pod -- rm -rf /`."""
    values = [word.value for word in command.arguments]
    if "--" in values and ("exec" in values or "run" in values or "debug" in values):
        words = command.arguments[values.index("--") + 1 :]
        if words:
            yield words


def _eval(command: Command) -> Iterator[Text]:
    if command.arguments:
        yield _text(command.arguments)


def _trap(command: Command) -> Iterator[Text]:
    words = parse(command.arguments).operands
    if len(words) > 1:
        yield _text(words[:1])


def _su(command: Command) -> Iterator[Text]:
    script = parse(command.arguments, names("c command s shell g u user group session-command")).value(
        "c", "command"
    )
    if script:
        yield _text((script,))


def _runuser(command: Command) -> Iterator[tuple[Word, ...] | Text]:
    yield from _su(command)
    yield from _wrapped(command, Wrapper(names("c u g s user group shell command")))


def _flock(command: Command) -> Iterator[tuple[Word, ...] | Text]:
    options = parse(command.arguments, names("w timeout E conflict-exit-code"), first_operand_ends=True)
    words = options.operands[1:]
    if words and words[0].value in ("-c", "--command"):
        yield _text(words[1:2] or words)
    elif words:
        yield words


def _watch(command: Command) -> Iterator[Text]:
    words = parse(command.arguments, names("n interval"), first_operand_ends=True).operands
    if words:
        yield _text(words)


def _ssh(command: Command) -> Iterator[Text]:
    takes = names("b c D E e F I i J L l m O o p Q R S W w")
    words = parse(command.arguments, takes, first_operand_ends=True).operands[1:]
    if words:
        yield _text(words)


def _find(command: Command) -> Iterator[tuple[Word, ...]]:
    """`find … -exec rm -rf {} ;`."""
    words = command.arguments
    for index, word in enumerate(words):
        if word.value in ("-exec", "-execdir", "-ok", "-okdir"):
            end = next((at for at in range(index, len(words)) if words[at].value in (";", "+")), len(words))
            if end > index + 1:
                yield words[index + 1 : end]


def _docker(command: Command) -> Iterator[tuple[Word, ...]]:
    """`docker exec [options] container command`."""
    words = command.arguments
    if words and words[0].value == "exec":
        rest = parse(words[1:], names("e env u user w workdir env-file detach-keys"), first_operand_ends=True)
        if rest.operands[1:]:
            yield rest.operands[1:]


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
    "docker": _docker,
    "podman": _docker,
    "nerdctl": _docker,
}
