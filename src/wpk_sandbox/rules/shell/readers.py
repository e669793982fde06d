"""Programs that read files into their output, and which files those are."""

import re
from collections.abc import Iterator

from wpk_sandbox.rules.shell import sensitive
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import Options, names, parse
from wpk_sandbox.rules.shell.words import Piece, Word

READERS = names(
    "cat tac less more head tail nl od xxd hexdump strings base64 base32 basenc grep egrep fgrep zgrep rg awk gawk"
    " mawk sed cut sort uniq rev cp mv install scp rsync tar zip gzip bzip2 xz zstd 7z dd jq yq paste fold column"
    " tee vi vim nano view bat gpg openssl split diff comm iconv ar cpio pr fmt expand zcat xargs unshadow"
    " john hashcat"
)
# Programs whose last operand is where they write.
COPIERS = frozenset({"cp", "mv", "install", "scp", "rsync"})
GREPS = frozenset({"grep", "egrep", "fgrep", "zgrep", "rg"})
_PATTERN_FIRST = GREPS | names("awk gawk mawk sed jq yq")
# Options with a value, so that it is not taken for a file.
TAKES: dict[str, frozenset[str]] = {
    **dict.fromkeys(GREPS, names("e f A B C m regexp file after-context before-context context max-count")),
    **dict.fromkeys(("awk", "gawk", "mawk"), names("F v f")),
    "sed": names("e f expression file"),
    "cut": names("d f c b delimiter fields"),
    **dict.fromkeys(("head", "tail"), names("n c lines bytes")),
    "base64": names("w wrap"),
    "sort": names("k t o"),
    "tar": names("f file C directory exclude"),
    "rsync": names("e rsh exclude include filter"),
    "scp": names("i P o F c J l S"),
    "xxd": names("l s c g"),
    "od": names("A t N j w"),
    "jq": names("arg argjson"),
    "openssl": names("in out pass k kfile"),
    "xargs": names("I L n P s d E a max-args max-procs delimiter arg-file replace max-lines"),
    "gpg": names("o output r recipient passphrase u"),
}


def files(command: Command) -> Iterator[Word]:
    """The files that a command reads, as far as its operands name them."""
    name = command.name
    options = parse(command.arguments, TAKES.get(name, frozenset()))
    operands = options.operands
    if name == "tar":
        yield from _archived(command, options)
    elif name == "xargs":
        yield from options.values.get("a", ()) or options.values.get("arg-file", ())
    elif name == "dd":
        yield from (word.after(3) for word in operands if word.when_empty.startswith("if="))
    elif name == "openssl":
        yield from _single_dash(command, "-in")
    elif name in COPIERS:
        yield from operands[:-1]
    else:
        yield from operands[_not_files(name, options) :]


def _not_files(name: str, options: Options) -> int:
    """How many operands come before the files: an archive, a pattern, a program."""
    if name in ("zip", "7z"):
        return 1 if name == "zip" else 2
    given = options.has("e", "f", "regexp", "expression", "file")
    return 1 if name in _PATTERN_FIRST and not given else 0


def _single_dash(command: Command, option: str) -> tuple[Word, ...]:
    words = command.arguments
    return tuple(words[at + 1] for at, word in enumerate(words[:-1]) if word.value == option)


def _archived(command: Command, options: Options) -> Iterator[Word]:
    """What `tar` packs; nothing where it unpacks or lists."""
    first = command.arguments[0].when_empty if command.arguments else ""
    creates = options.has("c", "create", "r", "append") or (not first.startswith("-") and "c" in first)
    operands = options.operands if first.startswith("-") else options.operands[1:]
    if not first.startswith("-") and "f" in first:
        operands = operands[1:]
    folder = options.value("C", "directory")
    for word in operands if creates else ():
        yield word if folder is None or word.when_empty.startswith("/") else _below(folder, word)


def _below(folder: Word, word: Word) -> Word:
    """The path of a word in a folder."""
    return Word((*folder.pieces, Piece("/", range(1)), *word.pieces), word.span)


def stays(command: Command) -> bool:
    """True for a copy from one place of credentials to another: `cp /etc/kubernetes/admin.conf ~/.kube/config`."""
    operands = parse(command.arguments, TAKES.get(command.name, frozenset())).operands
    target = sensitive.path_of(operands[-1]) if operands else ""
    return sensitive.is_credential(re.sub(r"[.-](?:bak|old|backup|orig|\*|\d+)$", "", target))
