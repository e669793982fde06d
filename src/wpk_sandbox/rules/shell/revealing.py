"""Programs that show secrets when they are asked: clients of clusters and clouds, the environment, searches."""

import re
from collections.abc import Callable

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell import readers, sensitive
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import Options, names, parse
from wpk_sandbox.rules.shell.secret import Kind, Secret
from wpk_sandbox.rules.shell.words import Word

_KUBECTL_TAKES = names(
    "to n namespace o output context kubeconfig l selector template field-selector cluster user s server c"
    " container f"
)
_PUBLIC_KEY = Pattern(r"(?:ca|tls|cert|client|server)?\\?\.?(?:crt|pub|cert)\b")
_PUBLIC_FIELD = Pattern(r"certificate-authority|\.server\b|current-context|\.namespace\b|\.name\b")
_USER_FIELD = Pattern(r"\buser\b|users.*\.user|token|password|client-|auth-|exec")
_DATA = Pattern(r"\.\s*(?:stringD|d)ata\b|\[['\"]data['\"]\]|\{\s*\.\s*\}|\bdata\b")


def _kubectl(command: Command) -> Secret | None:
    options = parse(command.arguments, _KUBECTL_TAKES)
    words = [word.when_empty for word in options.operands]
    what = ""
    match words[:2]:
        case ["create", "token"]:
            what = "a token of a service account"
        case ["config", "view"] if options.has("raw") and not _is_public(options):
            what = "the kubeconfig with its keys"
        case ["extract", *_] if options.has("to") and any(word.startswith("secret/") for word in words):
            what = "the values of a Secret"
        case ["get", *_]:
            what = _got(command, options, words)
    return Secret(Kind.VALUE, what) if what else None


def _is_public(options: Options) -> bool:
    """True where of a kubeconfig only what is no secret is shown: a server's address and certificate, names."""
    path = (word.template("x") if (word := options.value("o", "output")) else "").partition("=")[2]
    return _PUBLIC_FIELD.search(path) is not None and _USER_FIELD.search(path) is None


def _names_secret(word: Word) -> bool:
    """True for a name out of `$(kubectl get secret -o name)`."""
    made = [inner for piece in word.unknown for inner in piece.commands[:4]]
    return any({"get", "secret"} <= {each.when_empty.rstrip("s") for each in inner.arguments} for inner in made)


def _got(command: Command, options: Options, words: list[str]) -> str:
    """What a `kubectl get` shows of Secrets; their names, types and times are nothing."""
    raw = parse(command.arguments, _KUBECTL_TAKES | {"raw"}).value("raw")
    if raw is not None and re.search(r"/secrets\b", raw.when_empty):
        return "Secrets of the cluster"
    kinds = words[1].partition("/")[0].split(",") if len(words) > 1 else []
    if len(words) > 1 and not words[1] and _names_secret(options.operands[1]):
        kinds, words = ["secret"], [*words, "one"]
    if not {"secret", "secrets", "secrets.v1"} & set(kinds):
        return ""
    output, template = options.value("o", "output"), options.value("template")
    kind, _, path = (output.template("x") if output else "").partition("=")
    path += template.template("x") if template else ""
    if kind not in ("yaml", "json") and (not _DATA.search(path) or _PUBLIC_KEY.search(path)):
        return ""
    every = len(words) < 3 and "/" not in words[1]
    return "the values of Secrets" if every else "the values of a Secret"


def _environment(command: Command) -> Secret | None:
    options = parse(command.arguments, names("u unset C chdir"))
    if command.name == "printenv" and options.operands:
        named = next((word for word in options.operands if sensitive.is_secret_name(word.when_empty)), None)
        return Secret(Kind.VALUE, f"the variable {named.shown}") if named else None
    listing = {
        "export": options.flags <= {"p"} and not options.operands,
        "declare": bool(options.flags & {"p", "x"}) and not options.operands,
        "typeset": bool(options.flags & {"p", "x"}) and not options.operands,
        "compgen": options.has("e", "v"),
        "env": all("=" in word.when_empty for word in options.operands) and not options.has("i"),
    }
    everything = listing.get(command.name, not command.arguments)
    return Secret(Kind.ENVIRONMENT, "the environment") if everything else None


def _history(command: Command) -> Secret | None:
    shows = all(not word.when_empty.startswith("-") for word in command.arguments)
    return Secret(Kind.FILE, "the history of the shell") if shows else None


def _getent(command: Command) -> Secret | None:
    words = [word.value for word in command.arguments[:1]]
    return Secret(Kind.FILE, "the shadow database") if words in (["shadow"], ["gshadow"]) else None


_ASKED = Pattern(
    r"aws (?:secretsmanager get-secret-value|ssm get-parameters?(?:-by-path)? .*--with-decryption"
    r"|sts (?:get-session-token|assume-role)\b|ecr get-login-password"
    r"|configure (?:export-credentials|get aws_secret_access_key))"
    r"|gcloud (?:secrets versions access|auth (?:application-default )?print-(?:access|identity)-token)"
    r"|az (?:keyvault secret show|account get-access-token)|vault (?:kv get|read) (?!.*-format=\S+ sys)|op read"
    r"|pass show|gh auth token|doppler secrets"
)


def _asked(command: Command) -> Secret | None:
    line = " ".join([command.name, *(word.template("x") for word in command.arguments)])
    query = parse(command.arguments, names("query")).value("query")
    if query is not None and not re.search(r"secret|value|token|credential|\.\.", query.when_empty, re.IGNORECASE):
        return None
    bare = re.sub(r" --?(?:profile|region|project|output|format|n|g|query)[ =]\S+", "", line)
    matched = _ASKED.match(line) or _ASKED.match(bare)
    return Secret(Kind.VALUE, "a secret") if matched else None


def _gpg(command: Command) -> Secret | None:
    exports = parse(command.arguments).has("export-secret-keys", "export-secret-subkeys")
    return Secret(Kind.FILE, "secret keys") if exports else None


def _locate(command: Command) -> Secret | None:
    asked = (word.when_empty for word in command.arguments)
    name = next((word for word in asked if sensitive.is_searched_name(word)), None)
    return Secret(Kind.FILE, f"where files named {name} are") if name else None


def _dump(command: Command) -> Secret | None:
    return Secret(Kind.DATA, "a dump of a database") if command.arguments or command.name == "pg_dumpall" else None


_SHOWN_BY = readers.READERS | {"sh", "bash", "ls", "echo", "printf"}
_WIDE = Pattern(r"(?:/|/(?:home|root|etc|Users|host|hostfs|var|opt|srv|mnt|usr|data|app|host/\S*)(?:/\*)?|~)/?")


def _first_test(words: list[str]) -> int:
    """How many words of a `find` are folders."""
    return next(
        (at for at, word in enumerate(words) if word.startswith(("-", "(", "!")) or word == "\\("), len(words)
    )


def _find(command: Command) -> Secret | None:
    """A search for the files of credentials; to delete or to protect them is no search."""
    words = [word.when_empty for word in command.arguments]
    started = [words[at + 1] for at, word in enumerate(words[:-1]) if word in ("-exec", "-execdir", "-ok")]
    if not {"-delete", "-perm", "!", "x509", "-mtime"}.isdisjoint(words) or not _SHOWN_BY.issuperset(started):
        return None
    asked = [
        word for at, word in enumerate(words) if at and words[at - 1] in ("-name", "-iname", "-path", "-wholename")
    ]
    name = next((word for word in asked if sensitive.is_searched_name(word.rpartition("/")[2])), None)
    if name is None and started:
        name = next((word for word in asked if sensitive.may_hold_secrets(word)), None)
    starts = [word.template("~") for word in command.arguments[: _first_test(words)]]
    wide = [word for word in starts if _WIDE.fullmatch(word)]
    return Secret(Kind.FILE, f"where files named {name} are") if name and wide else None


def _grep(command: Command) -> Secret | None:
    """A search of whole machines for passwords."""
    options = parse(command.arguments, readers.TAKES["grep"])
    if not options.has("r", "R", "recursive", "dereference-recursive") or options.has("q", "c"):
        return None
    pattern = options.value("e", "regexp") or (options.operands[0] if options.operands else None)
    paths = [sensitive.path_of(word) for word in options.operands[0 if options.has("e", "regexp") else 1 :]]
    wide = any(re.fullmatch(r"/(?:\*|home|root|etc|var|opt|srv|usr|home/\*)?|~", path) for path in paths)
    hunts = pattern is not None and sensitive.SECRET_WORDS.search(pattern.when_empty)
    if (
        pattern is not None
        and len({found.lower() for found in sensitive.SECRET_WORDS.findall(pattern.when_empty)}) > 1
    ):
        wide = wide or any(re.match(r"/(?:home|root|etc|var|opt|srv|usr|mnt|host)/|~/", path) for path in paths)
    return Secret(Kind.FILE, "passwords anywhere on the machine") if wide and hunts else None


def _api(command: Command) -> Secret | None:
    """Secrets that are read from the API server without `kubectl`."""
    reads = any(
        re.search(r"/api/v1/(?:namespaces/[^/]+/)?secrets\b", word.template("x")) for word in command.arguments
    )
    return Secret(Kind.VALUE, "Secrets of the cluster") if reads else None


REVEALERS: dict[str, Callable[[Command], Secret | None]] = {
    **dict.fromkeys(("kubectl", "oc"), _kubectl),
    **dict.fromkeys(("env", "printenv", "export", "set", "declare", "typeset", "compgen"), _environment),
    "history": _history,
    "getent": _getent,
    **dict.fromkeys(("aws", "gcloud", "az", "vault", "op", "pass", "gh", "doppler"), _asked),
    "gpg": _gpg,
    **dict.fromkeys(("locate", "plocate"), _locate),
    **dict.fromkeys(("mysqldump", "pg_dump", "pg_dumpall", "mongodump", "mariadb-dump", "sqldump"), _dump),
    "find": _find,
    **dict.fromkeys(("grep", "rg", "egrep"), _grep),
    **dict.fromkeys(("curl", "wget"), _api),
}
