"""Which commands put secrets into their output, and through which others a secret comes unchanged."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell import memory, programs, queries, sensitive, vaults
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.printed import here_documents
from wpk_sandbox.rules.shell.readers import COPIERS, GREPS, READERS, TAKES, files, stays
from wpk_sandbox.rules.shell.revealing import REVEALERS
from wpk_sandbox.rules.shell.secret import Kind, Secret
from wpk_sandbox.rules.shell.words import Word
from wpk_sandbox.rules.shell.wrappers import INTERPRETERS, SHELLS

# The files that earlier commands put a secret into.
Stored = Mapping[str, Secret]
_NOTHING: Stored = {}

# Bounds, since a script may be made to be costly: the stages of a pipeline that are followed back, and the commands
# inside of words (`$(…)`, variables that hold one) that one question looks at, and how deep they are.
MOST_STAGES = 32
MOST_INSIDE = 64
MOST_LEVELS = 12


@dataclass(frozen=True)
class _Search:
    """One question for the source of a secret: the files that hold one, and the commands that were looked at."""

    stored: Stored = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    level: int = 0

    def enters(self, command: Command) -> bool:
        """True for a command that has to be looked at: not yet, not too many before it and around it."""
        if self.level > MOST_LEVELS:
            return False
        new = id(command) not in self.seen and len(self.seen) < MOST_INSIDE
        self.seen.add(id(command))
        return new


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
_INPUT_READERS = frozenset({"", "tr", "xargs", "read", "mapfile", "readarray"})
_WHOLE_ENVIRONMENT = Pattern(
    r"\bos\.environ\b(?!\.get|\[|\.setdefault|\.pop|\.update)|\bENV\.to_|process\.env\b(?![.\[])|%ENV\b"
)
# One output of Terraform.
_VALUE_OF = Pattern(r"\.(?!data\b)[\w-]+\.value")
# `$(< file)`, which the shell reads by itself.
_FILE_SUBSTITUTION = Pattern(r"\$\(\s*<\s*([^\s()$]+)\s*\)$")
_STRING = Pattern(r"""(['"])((?:(?!\1).)+)\1""")


def source(command: Command, stored: Stored = _NOTHING) -> Secret | None:
    """The secret that a command itself puts into its output (or, for `cp` and `tar`, into a file)."""
    return _source(command, _Search(stored))


def _source(command: Command, search: _Search) -> Secret | None:
    name = command.name
    if name in REVEALERS and (found := REVEALERS[name](command)):
        return found
    if found := vaults.asked(command) or queries.queried(command) or memory.seen(command):
        return found
    if name in ("echo", "printf") or (name == "cat" and not command.arguments and here_documents(command)):
        words = command.arguments or here_documents(command)
        return next((found for word in words if (found := _within(word, search, shown=True))), None)
    if name in READERS:
        return _read(command, search)
    if name in INTERPRETERS - SHELLS:
        return _program(command)
    return _from_input(command, search) if name in _INPUT_READERS else None


def within(word: Word, *, shown: bool = False) -> Secret | None:
    """The secret in a word: an output of its substitutions or, if `shown`, a variable that is called so."""
    return _within(word, _Search(), shown=shown)


def _within(word: Word, search: _Search, *, shown: bool = False) -> Secret | None:
    inside = _Search(search.stored, search.seen, search.level + 1)
    for piece in word.pieces:
        if (read := _FILE_SUBSTITUTION.match(piece.source)) and (found := _of_path(read[1], read[1], _NOTHING)):
            return found
        for index, command in enumerate(piece.commands[:MOST_INSIDE]):
            found = _source(command, inside) if inside.enters(command) else None
            if found and not any(ends(later) for later in _behind(command, piece.commands[index + 1 :])):
                return found
    variable = sensitive.secret_variable(word) if shown else None
    if variable is None or word.when_empty.startswith("::add-mask::"):
        return None
    return Secret(Kind.VALUE, f"the variable {variable.name}")


def _behind(command: Command, others: Sequence[Command]) -> Iterator[Command]:
    """The stages among others that the output of a command goes through."""
    for other in others[:MOST_STAGES]:
        if any(stage is command for stage in other.upstream[-MOST_STAGES:]):
            yield other


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
    if _VALUE_OF.fullmatch(program.strip()):
        return sensitive.SECRET_WORDS.search(program) is not None
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
    for stage in reversed(command.upstream[-MOST_STAGES:]):
        if ends(stage):
            return None
        if found := source(stage, stored):
            return found
    return _from_input(command, _Search(stored))


def _from_input(command: Command, search: _Search) -> Secret | None:
    """The secret that redirections give to a command; what they give to a shell is a script."""
    for redirect in command.redirects:
        found = None
        if redirect.operator == "<":
            found = _of_file(redirect.target, search)
        elif redirect.operator.startswith("<<") and command.name not in SHELLS:
            found = _within(redirect.target, search, shown=True)
        if found:
            return found
    return None


def of_file(word: Word, stored: Stored) -> Secret | None:
    """The secret that a file is, or that an earlier command put into it (`stored`)."""
    return _of_file(word, _Search(stored))


def _of_file(word: Word, search: _Search) -> Secret | None:
    # `<(…)` is a file that holds the output of commands.
    return _within(word, search) or _of_path(sensitive.path_of(word), word.shown, search.stored)


def _of_path(path: str, shown: str, stored: Stored) -> Secret | None:
    if path in stored:
        return stored[path]
    below = next((secret for file, secret in stored.items() if file.startswith(f"{path}/")), None)
    if below is not None:
        return below
    if sensitive.is_token(path):
        return Secret(Kind.TOKEN, "the token of the pod's service account")
    if sensitive.is_credential(path):
        return Secret(Kind.FILE, shown)
    if sensitive.is_personal(path):
        return Secret(Kind.PERSONAL, shown)
    return Secret(Kind.DATA, shown) if sensitive.is_system_file(path) else None


def _read(command: Command, search: _Search) -> Secret | None:
    """The worst secret among the files that a command reads."""
    if command.name == "sed" and parse(command.arguments, TAKES["sed"]).has("i", "in-place"):
        return None
    if command.name in GREPS and ends(command):
        return None
    found = [secret for word in files(command) if (secret := _of_file(word, search))]
    if command.name in COPIERS and stays(command):
        return None
    if not found and (given := _from_input(command, search)):
        found = [given]
    order = list(Kind)
    return min(found, key=lambda secret: order.index(secret.kind), default=None)


def _program(command: Command) -> Secret | None:
    """A program in an argument (`python3 -c`) that opens a file of credentials."""
    text = programs.text(command)
    token = None
    for found in _STRING.finditer(text):
        path = found[2]
        if sensitive.is_credential(path) and "/" in path:
            return Secret(Kind.FILE, path)
        if sensitive.is_token(path):
            token = Secret(Kind.TOKEN, "the token of the pod's service account")
    if _WHOLE_ENVIRONMENT.search(text):
        return Secret(Kind.ENVIRONMENT, "the environment")
    return token


def pipelines(commands: Sequence[Command]) -> Iterator[tuple[Command, tuple[Command, ...]]]:
    """Each command that ends a pipeline (or stands alone), with those before it in order."""
    feeding = {id(stage) for command in commands for stage in command.upstream[-MOST_INSIDE:]}
    for command in commands:
        if id(command) not in feeding:
            yield command, command.upstream
