"""Code that comes from the network, or out of an encoding, straight into an interpreter."""

from collections.abc import Iterator, Sequence

from wpk_sandbox.finding import Rule, Severity
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.issue import Issue
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.words import Piece
from wpk_sandbox.rules.shell.wrappers import INTERPRETERS, SHELLS, script_files

FETCH_AND_RUN = Rule(
    "shell-fetch-and-run",
    Severity.CRITICAL,
    "A download is run without being checked",
    "Whoever controls the server, or the way to it, runs anything with the rights of the runbook; and what was"
    " reviewed is not what runs tomorrow.",
    "Put the script into the repository or the image; or download a fixed version, compare its checksum"
    " (`sha256sum -c`), and then run it.",
    cwe=494,
    points=POINTS[Severity.CRITICAL],
)
HIDDEN_CODE = Rule(
    "shell-hidden-code",
    Severity.HIGH,
    "Encoded text is decoded and run",
    "A reviewer cannot read what runs. Runbooks have no reason to hide code; attackers do.",
    "Write the commands out.",
    cwe=506,
    points=POINTS[Severity.HIGH],
)

RULES = (FETCH_AND_RUN, HIDDEN_CODE)

DOWNLOADERS = frozenset({"curl", "wget", "aria2c", "http", "https", "fetch", "lwp-request", "axel"})
_VERIFIERS = frozenset(
    {"sha256sum", "sha512sum", "sha1sum", "shasum", "md5sum", "gpg", "cosign", "minisign", "openssl"}
)
# Options with which an interpreter takes its program from an argument or a module, not from its input.
_GIVEN_PROGRAM = names("c m e E r n p pe ne le lne eval print require")


def check(commands: Sequence[Command]) -> Iterator[Issue]:
    """Where the commands of a script run what they did not hold."""
    files: dict[str, Command] = {}
    for command in commands:
        yield from _piped(command)
        yield from _substituted(command)
        if command.name in DOWNLOADERS:
            files.update(dict.fromkeys(_saved(command), command))
        elif command.name in _VERIFIERS:
            files.clear()
        elif (name := _run_file(command)) in files:
            message = f"`{command.shown}` runs what `{files[name].shown}` downloaded"
            yield Issue(FETCH_AND_RUN, command.span, message)


def _piped(command: Command) -> Iterator[Issue]:
    """`curl … | sh`."""
    if not command.upstream or not _runs_its_input(command):
        return
    for source in command.upstream:
        span = (min(source.span[0], command.span[0]), command.span[1])
        if source.name in DOWNLOADERS:
            yield Issue(FETCH_AND_RUN, span, f"`{source.shown}` is run by `{command.shown}`")
            return
        if _decodes(source):
            yield Issue(HIDDEN_CODE, span, f"what `{source.shown}` decodes is run by `{command.shown}`")
            return


def _runs_its_input(command: Command) -> bool:
    name = command.name
    if name in SHELLS:
        options = parse(command.arguments, frozenset({"o", "O"}), first_operand_ends=True)
        return "c" not in options.flags and ("s" in options.flags or not options.operands or _is_input(command))
    if name in ("source", "."):
        return _is_input(command)
    if name not in INTERPRETERS:
        return False
    options = parse(command.arguments, first_operand_ends=True)
    given = any(flag in _GIVEN_PROGRAM for flag in options.flags)
    return not given and (not options.operands or _is_input(command))


def _is_input(command: Command) -> bool:
    return any(word.value in ("-", "/dev/stdin", "/proc/self/fd/0") for word in command.arguments)


def _decodes(command: Command) -> bool:
    options = parse(command.arguments)
    match command.name:
        case "base64" | "base32" | "basenc":
            return options.has("d", "D", "decode")
        case "xxd":
            return options.has("r")
        case "openssl":
            return options.has("d") or options.has("decrypt")
        case "uudecode":
            return True
    return False


def _substituted(command: Command) -> Iterator[Issue]:
    """`sh -c "$(curl …)"`, `eval "$(…)"`, `bash <(curl …)`."""
    if command.name not in INTERPRETERS and command.name not in ("eval", "source", "."):
        return
    for word in command.arguments:
        first = next((piece for piece in word.pieces if piece.text or not piece.exact), None)
        if first is None or not first.commands:
            continue
        if any(inner.name in DOWNLOADERS for inner in first.commands):
            yield Issue(FETCH_AND_RUN, command.span, f"`{command.shown}` runs what it downloads")
        elif _hides(first):
            yield Issue(HIDDEN_CODE, command.span, f"`{command.shown}` runs what it decodes")


def _hides(piece: Piece) -> bool:
    return any(_decodes(inner) for inner in piece.commands)


def _saved(command: Command) -> Iterator[str]:
    """The names of the files that a download is saved as."""
    takes = names("o O d H X u A e output output-document data header request user")
    if command.name == "curl":
        takes -= {"O"}
    options = parse(command.arguments, takes)
    saved = [options.value("o", "output")] if command.name != "wget" else []
    if command.name == "wget":
        saved.append(options.value("O", "output-document"))
    yield from (_base(word.value) for word in saved if word is not None and word.value)
    if command.name == "wget" or options.has("O", "remote-name"):
        yield from (_base(word.value) for word in options.operands if word.value and "/" in word.value)
    for redirect in command.redirects:
        if redirect.writes and redirect.target.value:
            yield _base(redirect.target.value)


def _base(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _run_file(command: Command) -> str:
    """The name of the file that a command runs as a program."""
    if not command.words:
        return ""
    if command.name in SHELLS:
        files = script_files(command)
        return _base(files[0].value or "") if files else ""
    if command.name in INTERPRETERS or command.name in ("source", "."):
        operands = parse(command.arguments, first_operand_ends=True).operands
        return _base(operands[0].value or "") if operands else ""
    path = command.words[0].value or ""
    return _base(path) if "/" in path else ""
