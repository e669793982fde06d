"""Streams that never end, and what keeps them: a file, memory, a processor, another machine."""

from collections.abc import Sequence

from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.written import written_paths

MOST_STAGES = 32

_ENDLESS = names("/dev/zero /dev/urandom /dev/random /dev/full")
# What passes on all that it reads; what reads to the end, in a pipe or from a file.
_FILTERS = names(
    "tr tee cat sed awk gawk mawk base64 base32 gzip pigz xz bzip2 zstd lz4 pv mbuffer rev nl xxd od hexdump"
    " openssl fold cut strings paste uniq grep egrep iconv gpg split logger dd"
)
# What keeps all that it reads, or the last line, which may be all.
_KEEPERS = names("tail sort tac shuf sponge column grep egrep sed awk gawk rev wc mapfile readarray")
_SUMS = names("md5sum sha1sum sha256sum sha512sum shasum b2sum cksum sum cmp")
_READERS = _FILTERS | _KEEPERS | _SUMS | names("cp")
_SENDERS = names("nc ncat netcat socat telnet ssh curl")
_STARTERS = names("xargs parallel")
_BOUNDED = names("timeout prlimit")
# With one of these a program stops reading early.
_STOPS = {
    **dict.fromkeys(("grep", "egrep"), names("m max-count q quiet silent")),
    "od": names("N read-bytes"),
    "xxd": names("l len"),
    "hexdump": names("n"),
    **dict.fromkeys(("mapfile", "readarray"), names("n")),
}
_MESSAGE = "reads a source that never ends"


def endings(commands: Sequence[Command]) -> set[int]:
    """The ids of the commands whose output a `$(…)` keeps: they are in a pipe, and nothing in it reads them."""
    read = {id(stage) for command in commands for stage in command.upstream[-MOST_STAGES:]}
    for command in commands:
        targets = (redirect.target for redirect in command.redirects)
        for word in (*command.words, *targets):
            for piece in word.pieces:
                if piece.commands and piece.source.startswith(("<(", ">(")):
                    read.update(map(id, piece.commands))
    return {id(command) for command in commands if command.piped and id(command) not in read}


def kept(command: Command, *, substituted: bool) -> str:
    """What a command does with a stream that never ends, for the message; empty if nothing that harms.

    `substituted` says that a `$(…)` is to hold its output.
    """
    if not _BOUNDED.isdisjoint(command.via) or (command.piped and not substituted):
        return ""
    own = _source(command)
    if not own and not _passed(command):
        return ""
    if substituted:
        return "is to print what never ends into a variable"
    if command.name in _STARTERS:
        return "starts a process for each line of what never ends"
    if _thrown_away(command) and command.name not in _KEEPERS:
        busy = command.background or any(path.value not in (None, "/dev/null") for path in written_paths(command))
        return _MESSAGE if busy else ""
    return _held(command, own=own)


def feeds_itself(command: Command) -> bool:
    """`tail -f log >> log`, `cat log log | tee -a log`: what is written is read again."""
    if command.name not in ("cat", "tail"):
        return False
    follows = parse(command.arguments, names("n c lines bytes")).has("f", "F", "follow")
    read = {word.value for word in command.arguments if word.value}
    added = [each.target.value for each in command.redirects if each.operator == ">>"]
    return (command.name == "cat" or follows) and any(path in read for path in added if path)


def _held(command: Command, *, own: bool) -> str:
    """What a program does with the stream that it reads to its end."""
    writes = any(written_paths(command))
    if own:
        return _MESSAGE if writes or command.name != "yes" else ""
    if command.name in _SENDERS:
        return "sends what never ends"
    return "keeps what never ends" if writes or command.name in _KEEPERS | _SUMS | {"logger"} else ""


def _source(command: Command) -> bool:
    """True for `yes`, and for a program that reads a device without end to its end."""
    if command.name == "yes":
        return True
    return command.name in _READERS - {"dd"} and _reads_endless(command) and not _stops(command)


def _passed(command: Command) -> bool:
    """True behind a pipe through which all of an endless stream goes."""
    depth = len(command.upstream)
    if not depth or depth > MOST_STAGES:
        return False
    stages = [each for each in command.upstream if each.name not in _WRAPPERS]
    if not stages:
        return False
    source, *between = stages
    if not (_source(source) or _copies(source)) or not _BOUNDED.isdisjoint(source.via):
        return False
    # `cp` reads files only: what comes by the pipe answers its questions.
    reads = command.name in (_READERS | _SENDERS | _STARTERS) - {"cp"} and not _stops(command)
    return reads and all(each.name in _READERS and not _stops(each) for each in between)


def _reads_endless(command: Command) -> bool:
    words = command.arguments[:-1] if command.name == "cp" else command.arguments
    inputs = [redirect.target for redirect in command.redirects if redirect.operator == "<"]
    return any(word.value in _ENDLESS for word in (*words, *inputs))


def _copies(command: Command) -> bool:
    """`dd if=/dev/zero` with no count, into a pipe."""
    operands = [word.when_empty for word in command.arguments]
    if command.name != "dd" or any(word.startswith("count=") for word in operands):
        return False
    return any(word.startswith("if=") and word[3:] in _ENDLESS for word in operands) or _reads_endless(command)


def _stops(command: Command) -> bool:
    """True for a program that stops reading by itself."""
    words = [word.when_empty for word in command.arguments]
    if command.name == "dd":
        return any(word.startswith("count=") for word in words)
    if command.name == "sed":
        return any("q" in word.lower() for word in words if not word.startswith("-"))
    if command.name in ("awk", "gawk", "mawk"):
        return any("exit" in word for word in words)
    stops = _STOPS.get(command.name)
    return stops is not None and parse(command.arguments, stops - {"q", "quiet", "silent"}).has(*stops)


def _thrown_away(command: Command) -> bool:
    return any(redirect.writes and redirect.target.value == "/dev/null" for redirect in command.redirects)


_WRAPPERS = names("sudo doas env nice ionice nohup setsid stdbuf time command builtin exec busybox unbuffer")
