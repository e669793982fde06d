"""Credentials that are read where no runbook needs them, or shown to whoever reads the log."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from wpk_sandbox.finding import Rule, Severity
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell import sensitive, sources
from wpk_sandbox.rules.shell.command import Command, Redirect
from wpk_sandbox.rules.shell.issue import Issue
from wpk_sandbox.rules.shell.options import parse
from wpk_sandbox.rules.shell.secret import Kind, Secret
from wpk_sandbox.rules.shell.written import written_paths

CREDENTIAL_ACCESS = Rule(
    "shell-credential-access",
    Severity.HIGH,
    "A command reads or shows credentials",
    "What a runbook prints stands in its log, which many can read and nobody clears. And keys, tokens, password"
    " files and histories that belong to others are what an attacker reads first.",
    "Hand a secret to the program that needs it without showing it: by `secretKeyRef`, by a mounted file, or by a"
    " variable that a command takes (`PGPASSWORD`). Use a service account of the runbook's own.",
    cwe=522,
    points=POINTS[Severity.HIGH],
)

RULES = (CREDENTIAL_ACCESS,)

# Ways of a secret that are looked at in one script, since a script may be made to have millions.
MOST_FLOWS = 10_000

_PASSES = frozenset({"sort", "cat", "tee", "nl", "uniq"})
# What anybody turns back, and no mask of a log knows again.
_ENCODERS = frozenset(
    {"base64", "base32", "basenc", "xxd", "od", "hexdump", "uuencode", "rev", "gzip", "bzip2", "xz", "zstd"}
)
_PLAIN_OPENSSL = frozenset({"enc", "base64", "-base64", "-a", "-A", "-e"})
_PICKED = Pattern(r"\^(\w+)=")
_KUBECONFIG = Pattern(r"(?:^|/)\.kube/|kubeconfig|admin\.conf", re.IGNORECASE)
_DECODERS = frozenset({"base64", "base32", "openssl", "jq", "yq", "python3", "python"})
_LOG = Pattern(r"\.log$|^/var/log/|^/proc/(?:1|self)/fd/[12]$|^/dev/(?:stdout|stderr|tty)$")


def check(commands: Sequence[Command]) -> Iterator[Issue]:
    """Which commands of a script read or show credentials."""
    captured = {command.name for command in commands if command.piped and command.name}
    said: set[int] = set()
    for command, secret, behind in islice(_flows(commands), MOST_FLOWS):
        if id(command) in said or _is_used(secret, (command, *behind), captured):
            continue
        if _is_first(command, secret, said):
            said.add(id(command))
            does = "shows" if secret.kind in (Kind.VALUE, Kind.ENVIRONMENT, Kind.SETTINGS) else "reads"
            shown = f"`{command.shown}`" if command.words else "this"
            yield Issue(CREDENTIAL_ACCESS, command.span, f"{shown} {does} {secret.what}")


def _flows(commands: Sequence[Command]) -> Iterator[tuple[Command, Secret, Sequence[Command]]]:
    """Each command that puts out a secret, with the stages that its output goes through."""
    known: dict[int, Secret | None] = {}
    for last, before in sources.pipelines(commands):
        chain = (*before, last)
        for index, command in enumerate(chain):
            if id(command) not in known:
                known[id(command)] = sources.source(command)
            secret = known[id(command)]
            if secret is not None and secret.kind not in (Kind.DATA, Kind.PERSONAL):
                behind = chain[index + 1 :]
                near = behind if len(behind) <= sources.MOST_STAGES else (*behind[: sources.MOST_STAGES], last)
                yield command, secret, near


def _is_first(command: Command, secret: Secret, said: set[int]) -> bool:
    """False for a further command of a block whose redirection has been told of already."""
    given = [redirect for redirect in command.redirects if redirect.operator == "<"]
    repeated = any(id(redirect) in said for redirect in given if redirect.target.shown == secret.what)
    said.update(map(id, given))
    return not repeated


def _is_used(secret: Secret, chain: Sequence[Command], captured: set[str]) -> bool:
    """True where a secret goes only where it may go; `chain` is the command and what its output goes through."""
    if any(sources.ends(stage) for stage in chain[1:]):
        return True
    last = chain[-1]
    kept = last.piped or any(name in captured for name in last.functions)
    if secret.kind in (Kind.ENVIRONMENT, Kind.SETTINGS):
        return kept or not (any(_picks_secrets(stage) for stage in chain[1:]) or _is_shown_whole(secret, chain))
    if secret.kind is Kind.FILE and secret.what.endswith("/environ") and _picks_plain(chain):
        return True
    if secret.kind in (Kind.FILE, Kind.TOKEN):
        return _picks_public(chain) and ".kube/config" in secret.what
    if kept or _is_silent(last):
        return True
    handed = any(stage.name not in sources.FILTERS for stage in chain[1:])
    return handed or _is_stored(secret, chain)


def _picks_secrets(stage: Command) -> bool:
    """`grep -i password` behind `env`."""
    if stage.name not in ("grep", "egrep", "rg", "awk", "sed"):
        return False
    options = parse(stage.arguments)
    inverted = options.has("v", "invert-match")
    return not inverted and any(sensitive.SECRET_WORDS.search(word.when_empty) for word in options.operands)


def _is_shown_whole(secret: Secret, chain: Sequence[Command]) -> bool:
    """True for `printenv | sort` that goes to the log as it is, and for whatever is encoded: `set | base64`."""
    behind = chain[1:]
    encoded = any(map(_encodes, behind))
    whole = secret.kind is Kind.ENVIRONMENT and (encoded or chain[0].name in ("env", "printenv"))
    return whole and all(stage.name in _PASSES or _encodes(stage) for stage in behind) and not _outputs(chain[-1])


def _encodes(stage: Command) -> bool:
    """True for what writes all that it reads in other letters; with a key it is for whoever has that."""
    if stage.name == "openssl":
        return {word.value for word in stage.arguments} <= _PLAIN_OPENSSL
    return stage.name in _ENCODERS


def _picks_plain(chain: Sequence[Command]) -> bool:
    """True where of an environment only variables are taken that are not called like secrets: `grep ^DISPLAY=`."""
    picks = [stage for stage in chain if stage.name in ("grep", "egrep", "sed")]
    names = [name for stage in picks for word in stage.arguments for name in _PICKED.findall(word.when_empty)]
    return bool(names) and not any(map(sensitive.is_secret_name, names))


def _picks_public(chain: Sequence[Command]) -> bool:
    """True where of a kubeconfig only the server, the context or the names are taken."""
    greps = [stage for stage in chain if stage.name in ("grep", "egrep", "awk")]
    words = [word.when_empty for stage in greps for word in stage.arguments if "config" not in word.when_empty]
    return any(re.search(r"server|current-context|namespace|cluster:|name:", word) for word in words)


def _outputs(command: Command) -> list[Redirect]:
    return [
        redirect
        for redirect in command.redirects
        if redirect.writes and redirect.descriptor in ("", "1") and redirect.operator != ">&"
    ]


def _is_silent(command: Command) -> bool:
    return any(redirect.target.value == "/dev/null" for redirect in _outputs(command))


def _is_stored(secret: Secret, chain: Sequence[Command]) -> bool:
    """True for what is written into a file that is no log: a backup, a configuration, but not many Secrets at once.

    A value that is decoded for it counts as shown, since it stays readable there.
    """
    last = chain[-1]
    targets = [word.template("*") for word in written_paths(last) if word.value != "/dev/null"]
    if not _outputs(last) or any(_LOG.search(path) for path in targets):
        return False
    if secret.what.startswith("the kubeconfig"):
        return any(_KUBECONFIG.search(path) for path in targets)
    of_cluster = chain[0].name in ("kubectl", "oc")
    decoded = any(stage.name in _DECODERS for stage in chain[1:])
    return not (of_cluster and (decoded or "Secrets" in secret.what))
