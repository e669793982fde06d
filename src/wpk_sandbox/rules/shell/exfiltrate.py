"""Secrets and files that leave the machine."""

import re
from collections.abc import Callable, Iterator, Sequence

from wpk_sandbox.finding import Rule, Severity
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.hosts import UNKNOWN_MARK, Where
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell import programs, publishing, sensitive, sinks, sources
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.issue import Issue
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.secret import Kind, Secret
from wpk_sandbox.rules.shell.sinks import Sent
from wpk_sandbox.rules.shell.words import Word
from wpk_sandbox.rules.shell.wrappers import INTERPRETERS, SHELLS
from wpk_sandbox.rules.shell.written import written_paths

EXFILTRATION = Rule(
    "shell-exfiltration",
    Severity.HIGH,
    "A command sends secrets or files away",
    "What has left the machine cannot be called back: keys must be changed, and a loss of data must be reported. A"
    " name that is asked of the DNS leaves every network, whatever the firewall forbids.",
    "Keep secrets where they are, and hand them to the program that needs them. Copy data with a tool that proves"
    " who receives it, to a place that the policy names in `allowed_hosts`.",
    cwe=200,
    points=POINTS[Severity.HIGH],
)

RULES = (EXFILTRATION,)

# Says where an address leads, with the hosts that the policy allows counted as inside.
Locate = Callable[[str], Where]

# What a program prints that is not about a name to look up.
_CONTENTS = names("base64 base32 basenc xxd od hexdump cat tail head whoami id uname env printenv openssl gzip tar")
# Variables that no request has to carry, not even one that logs in.
_NEVER_SENT = Pattern(
    r"AWS_SECRET_ACCESS_KEY|(?:DB|DATABASE|PG|POSTGRES|MYSQL|ROOT)_?(?:ROOT_)?PASS(?:WORD)?|PRIVATE_KEY$"
)
_CONNECTS = Pattern(
    r"urllib|requests\.|http\.client|httpx|socket|Net::HTTP|LWP|fetch\(|https?\.(?:request|get)|file_get_contents"
)
_URL = Pattern(r"\bhttps?://[^\s'\")]+")
_ALL_SECRET = frozenset({Kind.FILE, Kind.ENVIRONMENT, Kind.PERSONAL})


def check(commands: Sequence[Command], locate: Locate) -> Iterator[Issue]:
    """What the commands of a script send away."""
    stored: dict[str, Secret] = {}
    opened: Word | None = None
    made_up, tracked = False, False
    for command in commands:
        opened = sinks.opened_by(command) or opened
        made_up = made_up or publishing.makes_account(command)
        tracked = tracked or publishing.tracks_secrets(command)
        told = publishing.given_away(command, made_up, tracked) or next(_told(command, stored, opened, locate), "")
        if told:
            shown = f"`{command.shown}`" if command.words else "this"
            yield Issue(EXFILTRATION, command.span, f"{shown} {told}")
        _keep(command, stored)


def _keep(command: Command, stored: dict[str, Secret]) -> None:
    """Note the files that a secret is written into."""
    targets = [sensitive.path_of(word) for word in written_paths(command)]
    if command.name in ("tar", "zip", "gpg", "openssl", "split", "mysqldump", "pg_dump", "kubectl"):
        targets += [sensitive.path_of(word) for word in _made_files(command)]
    secret = sources.carried(command, stored) if targets else None
    for target in targets:
        if secret is not None and secret.kind is not Kind.SETTINGS and target not in ("", "/dev/null"):
            stored[target] = secret


def _made_files(command: Command) -> Iterator[Word]:
    """The archive or the dump that a program makes."""
    words = command.arguments
    if command.name == "zip":
        yield from parse(words).operands[:1]
    elif command.name == "tar":
        options = parse(words, names("f file C directory exclude"))
        yield from options.values.get("f", ()) or options.values.get("file", ())
        if words and not words[0].when_empty.startswith("-") and "f" in words[0].when_empty:
            yield from words[1:2]
    else:
        marks = ("-out", "-o", "--output", "-f", "--file", "--result-file")
        yield from (words[at + 1] for at, word in enumerate(words[:-1]) if word.value in marks)


def _told(command: Command, stored: dict[str, Secret], opened: Word | None, locate: Locate) -> Iterator[str]:
    """What is said of a command that sends something away."""
    for each in sinks.sent(command, opened):
        where = locate(each.target.template(UNKNOWN_MARK)) if each.target is not None else Where.UNKNOWN
        if _is_loopback(each.target):
            continue
        for content in _contents(command, each, stored):
            if _leaves(content, each, where):
                yield f"sends {content.what} away"
        if each.plain or each.target is not None:
            yield from _variables(each, where)
    for word in sinks.looked_up(command):
        if what := _in_name(command, word, stored, locate):
            yield f"sends {what} away in a name that it looks up"
    if command.name in INTERPRETERS - SHELLS and (secret := sources.source(command)):
        program = programs.text(command)
        outside = any(locate(url) is Where.OUTSIDE for url in _URL.findall(program))
        if _CONNECTS.search(program) and (secret.kind in _ALL_SECRET or (outside and secret.kind is Kind.TOKEN)):
            yield f"sends {secret.what} away"


def _is_loopback(target: Word | None) -> bool:
    text = re.sub(r"^\w+://", "", target.when_empty) if target is not None else ""
    return re.match(r"(?:[^/@]*@)?(?:localhost|127\.[\d.]+|\[?::1\]?)(?:[:/]|$)", text) is not None


def _contents(command: Command, each: Sent, stored: dict[str, Secret]) -> Iterator[Secret]:
    """The secrets in what a command sends."""
    for word in each.body:
        if found := sources.within(word):
            yield found
    for word in each.head:
        found = sources.within(word)
        if found and found.kind is not Kind.VALUE:
            yield found
    for word in each.files:
        if "{}" in word.when_empty and {"find", "xargs"} & set(command.via):
            yield Secret(Kind.DATA, "every file that was found")
        if found := sources.of_file(word, stored):
            yield found
    looped = any(piece.name and not piece.commands for word in each.body for piece in word.unknown)
    if each.input or looped:
        given = sources.carried(command, stored) if each.plain else sources.incoming(command, stored)
        if given and (each.input or given.kind in _ALL_SECRET):
            yield given


def _leaves(secret: Secret, each: Sent, where: Where) -> bool:
    """True where a secret of this kind must not go there."""
    match secret.kind:
        case Kind.FILE | Kind.ENVIRONMENT | Kind.PERSONAL:
            # A copy of home folders or of `/etc` to a bucket, or to a machine that has a name, is a backup.
            return secret.kind is not Kind.PERSONAL or not each.store or _is_nameless(each.target, where)
        case Kind.TOKEN:
            return where in (Where.OUTSIDE, Where.METADATA) or (each.plain and where is not Where.INSIDE)
        case Kind.VALUE:
            return each.plain or (each.store and each.input) or where is Where.OUTSIDE
        case Kind.DATA:
            if each.store or secret.what.endswith((".json", ".yaml", ".yml", ".xml")):
                return False
            return where is not Where.INSIDE if each.plain else where is Where.OUTSIDE
    return False


def _is_nameless(target: Word | None, where: Where) -> bool:
    """True for a machine outside that is called by its number."""
    text = target.when_empty if target is not None else ""
    return where is Where.OUTSIDE and re.match(r"(?:[^@/]*@)?\d+(?:\.\d+){3}(?::|$)", text) is not None


def _variables(each: Sent, where: Where) -> Iterator[str]:
    """Variables that are called like a secret, in a request to the outside that has no use for them."""
    if where is not Where.OUTSIDE:
        return
    for word in each.body:
        piece = sensitive.secret_variable(word)
        if piece is not None and (_NEVER_SENT.search(piece.name) or _is_all_of(word, piece.source)):
            yield f"sends the variable {piece.name} away"


def _is_all_of(word: Word, source: str) -> bool:
    """True for a body that is nothing but the variable."""
    return word.shown.strip("\"' \n") == source


def _in_name(command: Command, word: Word, stored: dict[str, Secret], locate: Locate) -> str:
    """What is hidden in a name below a domain of somebody: `$(base64 key).example.com`."""
    mark = word.template(UNKNOWN_MARK)
    if not re.search(rf"{UNKNOWN_MARK}[^.]*\.[^{UNKNOWN_MARK}]+$", mark):
        return ""
    domain = mark.rpartition(UNKNOWN_MARK)[2].partition(".")[2]
    if "." not in domain or locate(f"x.{domain}") is Where.INSIDE or domain.endswith(("local", "internal")):
        return ""
    if found := sources.within(word, shown=True):
        return found.what
    if (given := sources.incoming(command, stored)) and any(piece.name for piece in word.unknown):
        return given.what
    for piece in word.unknown:
        if any(inner.name in _CONTENTS for inner in piece.commands):
            return f"the output of {piece.source}"
    return ""
