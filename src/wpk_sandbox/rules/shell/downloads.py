"""Which commands fetch something from elsewhere, and the files that they save it as."""

import re
from collections.abc import Callable, Iterator

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell import programs
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.ran import file_key
from wpk_sandbox.rules.shell.words import Word
from wpk_sandbox.rules.shell.written import written_paths

MOST_STAGES = 32

DOWNLOADERS = names(
    "curl wget aria2c http https xh fetch lwp-request lwp-download axel lynx w3m links elinks ftpget tftp wget2 GET"
)
_CONNECTORS = names("nc ncat netcat nc.traditional nc.openbsd telnet socat openssl")
_LOOKUPS = names("dig host nslookup drill kdig delv dog doggo q")
_TEXT_RECORD = Pattern(r"-?-?(?:q(?:uery)?=|type=|t=?|querytype=)?txt", re.IGNORECASE)
# Clients of what keeps objects: the operand with the verb, and whether the file is the last operand.
_BUCKETS = {
    "aws": names("cp mv sync get-object"),
    "gsutil": names("cp mv cat rsync"),
    "gcloud": names("cp mv cat rsync"),
    "rclone": names("copy copyto cat sync move"),
    "mc": names("cp cat get mirror"),
    "s3cmd": names("get sync"),
    "s5cmd": names("cp cat sync"),
    "az": names("download download-batch"),
    "swift": names("download"),
}
_BUCKET = Pattern(r"(?:s3|gs|az|https?)://|[\w.-]+:[\w./-]|[\w.-]+/")
_KEPT = {
    **dict.fromkeys(("redis-cli", "valkey-cli"), names("get hget GET HGET lpop LPOP rpop RPOP lindex LINDEX")),
    "etcdctl": names("get"),
    "consul": names("kv"),
    **dict.fromkeys(("kubectl", "oc"), names("cm configmap configmaps")),
}
_SHOWS = Pattern(r"jsonpath|template|json\b|yaml\b")
_URLRETRIEVE = Pattern(r"urlretrieve\s*\([^,()]{1,300},\s*[\"']([^\"'\n]{1,200})[\"']")
_CURL = names(
    "o d H X u A e x T F b c m w r K E C y Y z output data header request user retry max-time output-dir form"
)
_CURL_NAMED = ("o", "output")
_WGET = names("O o a P U T t e i header output-document directory-prefix user password tries timeout post-data")


def fetches(command: Command) -> bool:
    """True for a command that prints or saves what it takes from elsewhere."""
    name = command.name
    if name in DOWNLOADERS:
        return True
    if name in _LOOKUPS:
        return any(_TEXT_RECORD.fullmatch(word.when_empty) for word in command.arguments)
    if name in _CONNECTORS:
        # With a request before it: `printf 'GET …' | nc host 80`. Without one it is for another rule.
        asked = any(each.name in ("echo", "printf", "cat") for each in command.upstream[-MOST_STAGES:])
        return asked and not _is_cipher(command)
    return name in _BUCKETS and _from_bucket(command)


def shows_kept(command: Command) -> bool:
    """True for a client that prints what a store keeps: a ConfigMap, a key."""
    kinds = _KEPT.get(command.name)
    values = [word.when_empty for word in command.arguments]
    if kinds is None or not any(value.partition("/")[0] in kinds for value in values[:6]):
        return False
    return command.name not in ("kubectl", "oc") or ("get" in values and any(map(_SHOWS.search, values)))


def saved(command: Command) -> Iterator[Word]:
    """The files that a download is saved as, as far as they are named."""
    name = command.name
    if name in _SAVERS:
        yield from _SAVERS[name](command)
    elif name in _BUCKETS and _from_bucket(command):
        yield from _bucket_files(command)
    if fetches(command) or any(map(fetches, command.upstream[-MOST_STAGES:])) or repeats(command):
        yield from written_paths(command)


def saved_by_program(command: Command) -> Iterator[str]:
    """The keys of files that a program in another language saves: `urlretrieve(url, "/tmp/x")`."""
    for found in _URLRETRIEVE.finditer(programs.text(command)):
        yield found[1].rpartition("/")[2]


def repeats(command: Command) -> bool:
    """True for `echo "$text"`, where the text is what a download printed."""
    if command.name not in ("echo", "printf"):
        return False
    return any(fetches(each) for word in command.arguments for piece in word.pieces for each in piece.commands)


def _is_cipher(command: Command) -> bool:
    return command.name == "openssl" and not any(word.value == "s_client" for word in command.arguments)


def _curl(command: Command) -> Iterator[Word]:
    options = parse(command.arguments, _CURL)
    yield from (word for name in _CURL_NAMED for word in options.values.get(name, ()) if word.value != "-")
    if options.has("O", "remote-name", "J", "remote-name-all"):
        yield from (*options.operands, *options.values.get("url", ()))


def _wget(command: Command) -> Iterator[Word]:
    options = parse(command.arguments, _WGET)
    named = options.value("O", "output-document")
    if named is None:
        yield from options.operands
    elif named.value != "-":
        yield named


def _other(command: Command) -> Iterator[Word]:
    """Programs with `-o FILE`, and else the name that the address ends with."""
    options = parse(command.arguments, names("o out output d dir n"))
    named = options.value("o", "out", "output")
    yield from (named,) if named is not None else options.operands


def _by_operand(command: Command) -> Iterator[Word]:
    """`ftpget host local remote`, `tftp -g -r remote -l local host`."""
    options = parse(command.arguments, names("l r u p P b"))
    given = options.value("l") or options.value("r")
    yield from (given,) if given is not None else options.operands[1:2]


def _from_bucket(command: Command) -> bool:
    operands = parse(command.arguments, _TAKES).operands
    values = [word.when_empty for word in operands]
    if not _BUCKETS[command.name] & set(values[:4]):
        return False
    if command.name in ("az", "swift") or values[:2] == ["s3api", "get-object"]:
        return True
    sources = [word.template("x") for word in operands[1:-1] if word.when_empty not in _BUCKETS[command.name]]
    last = values[-1:] if "cat" in values[:4] else []
    return any(_BUCKET.match(each) and not each.startswith((".", "/")) for each in (*sources[-1:], *last))


def _bucket_files(command: Command) -> Iterator[Word]:
    options = parse(command.arguments, _TAKES)
    named = options.value("f", "file")
    target = named if named is not None else (options.operands[-1] if options.operands else None)
    if target is None or target.value == "-":
        return
    inside = target.when_empty.endswith("/") or target.value in (".", "..")
    yield options.operands[-2] if inside and len(options.operands) > 1 else target


_TAKES = names(
    "profile region endpoint-url exclude include config f file n name c container-name account-name bucket key"
)
_SAVERS: dict[str, Callable[[Command], Iterator[Word]]] = {
    "curl": _curl,
    **dict.fromkeys(("wget", "wget2", "lwp-download"), _wget),
    **dict.fromkeys(("aria2c", "axel", "fetch", "http", "https", "xh"), _other),
    **dict.fromkeys(("ftpget", "tftp"), _by_operand),
}


def key_of(word: Word) -> str:
    """The name by which a saved file is known again; without what follows the `?` of an address."""
    key = file_key(word)
    return key.partition("?")[0] if "://" in word.when_empty else key
