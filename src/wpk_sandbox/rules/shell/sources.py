"""Which commands put secrets into their output, and through which others a secret comes unchanged."""

import re
from collections.abc import Iterator, Mapping, Sequence

from wpk_sandbox.rules.shell import sensitive
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.readers import COPIERS, GREPS, READERS, TAKES, files, stays
from wpk_sandbox.rules.shell.revealing import REVEALERS
from wpk_sandbox.rules.shell.secret import Kind, Secret
from wpk_sandbox.rules.shell.words import Word
from wpk_sandbox.rules.shell.wrappers import INTERPRETERS, SHELLS, here_documents

Stored = Mapping[str, Secret]
_NOTHING: Stored = {}

# Stages behind which nothing of a secret can be read any more, and those that use it as it is meant.
_ENDINGS = names(
    "wc md5sum sha1sum sha256sum sha512sum shasum b2sum cksum ssh-add ssh-keygen cmp true : test [ cryptsetup"
    " passwd chpasswd htpasswd"
)
FILTERS = names(
    "cat tac head tail tee sed awk gawk mawk grep egrep fgrep rg tr cut jq yq sort uniq base64 base32 basenc xxd od"
    " hexdump strings column fold rev echo printf xargs gunzip zcat gzip openssl less more nl python3 python iconv"
    " paste perl"
)
# `$(< file)`, which the shell reads by itself.
_FILE_SUBSTITUTION = re.compile(r"\$\(\s*<\s*([^\s()$]+)\s*\)$")
_STRING = re.compile(r"""(['"])((?:(?!\1).)+)\1""")


def source(command: Command, stored: Stored = _NOTHING) -> Secret | None:
    """The secret that a command itself puts into its output (or, for `cp` and `tar`, into a file)."""
    name = command.name
    if name in REVEALERS and (found := REVEALERS[name](command)):
        return found
    if name in ("echo", "printf") or (name == "cat" and not command.arguments and here_documents(command)):
        words = command.arguments or here_documents(command)
        return next((found for word in words if (found := within(word, shown=True))), None)
    if name in READERS:
        return _read(command, stored)
    if name in INTERPRETERS - SHELLS:
        return _program(command)
    return _from_input(command, stored) if _reads_input(name) else None


def within(word: Word, *, shown: bool = False) -> Secret | None:
    """The secret in a word: an output of its substitutions or, if `shown`, a variable that is called so."""
    for piece in word.pieces:
        if (read := _FILE_SUBSTITUTION.match(piece.source)) and (found := _of_path(read[1], read[1], _NOTHING)):
            return found
        for index, command in enumerate(piece.commands):
            found = source(command)
            if found and not any(
                ends(later)
                for later in piece.commands[index + 1 :]
                if any(each is command for each in later.upstream)
            ):
                return found
    if shown and (piece_ := sensitive.secret_variable(word)) and not word.when_empty.startswith("::add-mask::"):
        return Secret(Kind.VALUE, f"the variable {piece_.name}")
    return None


def ends(command: Command) -> bool:
    """True for a stage of a pipeline that lets nothing of a secret through."""
    words = command.arguments
    if command.name in _ENDINGS:
        return True
    if command.name in GREPS:
        options = parse(words, TAKES["grep"])
        return options.has("q", "c", "quiet", "silent", "count", "l", "files-with-matches")
    if command.name in ("jq", "yq"):
        program = " ".join(word.when_empty for word in words if not word.when_empty.startswith("-"))
        return bool(program) and (
            re.search(r"\bkeys\b|\blength\b", program) is not None or not _shows_values(program)
        )
    if command.name == "openssl":
        values = [word.value for word in words]
        return values[:1] in (["x509"], ["dgst"], ["verify"]) or "-noout" in values or "-pubout" in values
    return False


def _shows_values(program: str) -> bool:
    """True for a program of `jq` that may show values: all of it, or the data of a Secret."""
    plain = program.strip() in (".", "'.'", "..", "-")
    return (
        plain
        or re.search(
            r"(?<!meta)data|auth|base64d|value|\.\[\]|to_entries|del\(|secret|token|user", program, re.IGNORECASE
        )
        is not None
    )


def carried(command: Command, stored: Stored = _NOTHING) -> Secret | None:
    """The secret that reaches the output of a command: its own, or one that comes in and goes through."""
    own = source(command, stored)
    if own or ends(command):
        return own
    return incoming(command, stored)


def incoming(command: Command, stored: Stored = _NOTHING) -> Secret | None:
    """The secret that a command is given on its input."""
    for index in range(len(command.upstream) - 1, -1, -1):
        stage = command.upstream[index]
        if ends(stage):
            return None
        if found := source(stage, stored):
            return found
    return _from_input(command, stored)


def _from_input(command: Command, stored: Stored) -> Secret | None:
    for redirect in command.redirects:
        if redirect.operator == "<" and (found := of_file(redirect.target, stored)):
            return found
        if (
            redirect.operator in ("<<<", "<<")
            and command.name not in SHELLS
            and (found := within(redirect.target, shown=True))
        ):
            return found
    return None


def _reads_input(name: str) -> bool:
    return name in ("", "tr", "xargs", "read", "mapfile", "readarray", "while")


def of_file(word: Word, stored: Stored) -> Secret | None:
    """The secret that a file is, or that an earlier command put into it (`stored`)."""
    # `<(…)` is a file that holds the output of commands.
    return within(word) or _of_path(sensitive.path_of(word), word.shown, stored)


def _of_path(path: str, shown: str, stored: Stored) -> Secret | None:
    if path in stored:
        return stored[path]
    if sensitive.is_token(path):
        return Secret(Kind.TOKEN, "the token of the pod's service account")
    if sensitive.is_credential(path):
        return Secret(Kind.FILE, shown)
    if sensitive.is_personal(path):
        return Secret(Kind.PERSONAL, shown)
    return Secret(Kind.DATA, shown) if sensitive.is_system_file(path) else None


def _read(command: Command, stored: Stored) -> Secret | None:
    """The worst secret among the files that a command reads."""
    if command.name == "sed" and parse(command.arguments, TAKES["sed"]).has("i", "in-place"):
        return None
    if command.name in GREPS and ends(command):
        return None
    found = [secret for word in files(command) if (secret := of_file(word, stored))]
    if command.name in COPIERS and stays(command):
        return None
    if not found and (given := _from_input(command, stored)):
        found = [given]
    order = list(Kind)
    return min(found, key=lambda secret: order.index(secret.kind), default=None)


def _program(command: Command) -> Secret | None:
    """A program in an argument (`python3 -c`) that opens a file of credentials."""
    options = parse(command.arguments, names("c e r"))
    for word in (word for name in ("c", "e", "r") for word in options.values.get(name, ())):
        text = word.when_empty
        for found in _STRING.finditer(text):
            path = found[2]
            if sensitive.is_token(path):
                return Secret(Kind.TOKEN, "the token of the pod's service account")
            if sensitive.is_credential(path) and "/" in path:
                return Secret(Kind.FILE, path)
        if re.search(
            r"\bos\.environ\b(?!\.get|\[|\.setdefault|\.pop|\.update)|\bENV\.to_|process\.env\b(?![.\[])|%ENV\b",
            text,
        ):
            return Secret(Kind.ENVIRONMENT, "the environment")
    return None


def stages(commands: Sequence[Command]) -> Iterator[tuple[Command, tuple[Command, ...]]]:
    """Each command that ends a pipeline (or stands alone), with those before it in order."""
    feeding = {id(stage) for command in commands for stage in command.upstream}
    for command in commands:
        if id(command) not in feeding:
            yield command, command.upstream
