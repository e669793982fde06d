"""Further programs that can send a file or a text: old transfer tools, messengers, queues, logs, repositories."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.printed import here_documents
from wpk_sandbox.rules.shell.words import Word


@dataclass(frozen=True)
class Parcel:
    """What a program sends: to whom, the texts and the files; `input` says that its standard input is sent too."""

    target: Word | None
    body: tuple[Word, ...] = ()
    files: tuple[Word, ...] = ()
    input: bool = False


# https://gtfobins.github.io/#+file%20upload, https://attack.mitre.org/tactics/TA0010/
@dataclass(frozen=True)
class _Way:
    """Options with a value; which of them name files, hosts, texts; which operand is the host, which are sent."""

    takes: frozenset[str]
    files: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    host: int | None = None
    sends: int | None = None
    input: bool = True
    verbs: frozenset[str] = frozenset()


_WAYS = {
    "tftp": _Way(names("l r m c b g"), files=("l",), host=0, input=False),
    "ftpput": _Way(names("u p P"), host=0, sends=1, input=False),
    "ncftpput": _Way(names("u p P m"), host=0, sends=2, input=False),
    "curlftpfs": _Way(names("o"), host=0),
    "lwp-request": _Way(names("m c H b t"), host=0),
    "ab": _Way(names("p u T n c H"), files=("p", "u"), host=0, input=False),
    "siege": _Way(names("f H"), host=0),
    "whois": _Way(names("h p H"), hosts=("h",), sends=0),
    "finger": _Way(frozenset(), sends=0),
    "rlogin": _Way(names("l p"), texts=("l",), host=0),
    "rsh": _Way(names("l"), host=0),
    "cancel": _Way(names("u h"), texts=("u",), hosts=("h",)),
    "lp": _Way(names("d h o n"), hosts=("h",), sends=0),
    "lpr": _Way(names("H P o"), hosts=("H",), sends=0),
    "smbclient": _Way(names("c U A W p I"), texts=("c",), host=0),
    "logger": _Way(
        names("n server P port f file t tag p priority"), files=("f", "file"), hosts=("n", "server"), sends=0
    ),
    "hping3": _Way(
        names("E file d data p e sign i c s"), files=("E", "file"), texts=("e", "sign"), host=0, input=False
    ),
    "hping": _Way(
        names("E file d data p e sign i c s"), files=("E", "file"), texts=("e", "sign"), host=0, input=False
    ),
    "nping": _Way(names("data data-string c p"), texts=("data", "data-string"), host=0, input=False),
    "mosquitto_pub": _Way(names("h p t f m u P i q"), files=("f",), hosts=("h",), texts=("m",)),
    "kcat": _Way(names("b t p X K"), hosts=("b",), sends=0),
    "kafkacat": _Way(names("b t p X K"), hosts=("b",), sends=0),
    "kafka-console-producer.sh": _Way(names("bootstrap-server broker-list topic"), hosts=("bootstrap-server",)),
    "amqp-publish": _Way(
        names("u url e exchange r routing-key b body s server"), texts=("b", "body"), hosts=("u", "url")
    ),
    "telegram-send": _Way(names("file image caption config format"), files=("file", "image"), sends=0),
    "slackcat": _Way(names("c channel n filename"), sends=0),
    "ntfy": _Way(
        names("t title p priority f file token"), files=("f", "file"), sends=1, verbs=names("publish pub send")
    ),
    "apprise": _Way(names("b body t title a attach"), files=("a", "attach"), texts=("b", "body")),
    "websocat": _Way(names("H"), host=0),
    "wscat": _Way(names("c connect x execute H"), hosts=("c", "connect"), texts=("x", "execute")),
    "grpcurl": _Way(names("d H cacert"), texts=("d",), host=0),
    "mutt": _Way(names("a s i c b e F"), files=("a", "i"), host=0),
    "mpack": _Way(names("s d m"), sends=0),
    "swaks": _Way(
        names("to from server s attach body data header h-Subject"), files=("attach",), texts=("body", "data")
    ),
    "sendemail": _Way(names("t f u m s a o"), files=("a",), texts=("m",)),
    "sshpass": _Way(names("p f e")),
    "restic": _Way(
        names("r repo p password-file tag host"), hosts=("r", "repo"), sends=1, verbs=names("backup"), input=False
    ),
    "borg": _Way(names("C e"), sends=2, verbs=names("create"), input=False),
    "duplicity": _Way(names("encrypt-key"), sends=0, input=False),
    "nmap": _Way(names("p script script-args"), texts=("script-args",), host=0, input=False),
    "yarn": _Way(names("registry"), verbs=names("npm-publish")),
    "xh": _Way(names("a"), host=0),
    "dnscat": _Way(names("secret"), host=0),
    "dog": _Way(frozenset(), sends=0),
    "q": _Way(frozenset(), sends=0),
    "doggo": _Way(frozenset(), sends=0),
}
# Clients of clouds, queues and forges: the verbs with which they send, and the options with texts and files.
_MESSAGES: dict[str, tuple[Pattern, frozenset[str], frozenset[str]]] = {
    "aws": (
        Pattern(
            r"(?:sns publish|sqs send-message|lambda invoke|kinesis put-record|events put-events|ses send-\w*email)"
        ),
        names("message message-body payload data entries text"),
        frozenset(),
    ),
    "gcloud": (Pattern(r"pubsub topics publish"), names("message"), frozenset()),
    "az": (
        Pattern(r"(?:storage (?:blob|file) upload|storage message put|servicebus \S+ send|eventgrid \S+ publish)"),
        names("content data message body"),
        names("source file f"),
    ),
    "gh": (
        Pattern(
            r"(?:issue (?:create|comment)|pr (?:create|comment)|release (?:create|upload)|api|gist (?:create|edit))"
        ),
        names("b body n notes f raw-field F field"),
        names("F body-file notes-file input"),
    ),
    "glab": (Pattern(r"(?:issue|mr|snippet|release|api)"), names("d description m message f field"), names("F")),
}
_FTP_PUT = Pattern(r"^\s*(?:put|mput|send|append)\s+(\S+)", re.MULTILINE)
_ALL_TAKES = names("topic-arn queue-url function-name region profile topic name t title R repo")


def parcels(command: Command) -> Iterator[Parcel]:
    """What a command sends by one of these programs."""
    way = _WAYS.get(command.name)
    if way is not None:
        yield from _sent(command, way)
    if command.name in _MESSAGES:
        yield from _message(command)
    if command.name in ("ftp", "sftp", "lftp", "smbclient", "psftp"):
        yield from _transferred(command)
    if command.name == "tar" and (archive := _remote_archive(command)) is not None:
        yield Parcel(archive, files=parse(command.arguments, names("f file C rsh-command")).operands[1:])


def _sent(command: Command, way: _Way) -> Iterator[Parcel]:
    options = parse(command.arguments, way.takes)
    operands = options.operands
    if way.verbs and not any(word.value in way.verbs for word in operands[:2]):
        return
    if command.name == "tftp" and not (options.has("p") or "put" in (word.value for word in operands)):
        return
    given = [word for name in way.hosts for word in options.values.get(name, ())]
    if way.host is not None and len(operands) > way.host:
        given.append(operands[way.host])
    rest = operands[way.sends :] if way.sends is not None else ()
    if way.hosts and not given:
        return
    files = [word for name in way.files for word in options.values.get(name, ())]
    texts = [word for name in way.texts for word in options.values.get(name, ())]
    local = tuple(word for word in rest if word not in given)
    yield Parcel(given[0] if given else None, (*texts, *local), (*files, *local), input=way.input and not local)


def _message(command: Command) -> Iterator[Parcel]:
    pattern, texts, files = _MESSAGES[command.name]
    options = parse(command.arguments, texts | files | _ALL_TAKES)
    if not pattern.match(" ".join(word.when_empty for word in options.operands)):
        return
    body = tuple(word for name in sorted(texts) for word in options.values.get(name, ()))
    named = [word for name in sorted(files) for word in options.values.get(name, ())]
    given = [word.after(word.when_empty.find("@") + 1) for word in body if re.match(r"[^=]*=@|@", word.when_empty)]
    given += [word.after(len("file://")) for word in body if word.when_empty.startswith("file://")]
    given += [word.after(len("fileb://")) for word in body if word.when_empty.startswith("fileb://")]
    yield Parcel(None, body, (*named, *given), input=any(word.value == "-" for word in named))


def _transferred(command: Command) -> Iterator[Parcel]:
    """`sftp host <<< 'put file'`, `lftp -e 'put file' host`, `smbclient -c 'put file'`."""
    texts = [*here_documents(command), *command.arguments]
    for text in texts:
        for found in _FTP_PUT.finditer(re.sub(r"[;&|]+\s*", "\n", text.when_empty)):
            at = text.when_empty.find(found[1])
            whole = text.after(at)
            end = len(found[1])
            piece = type(whole.pieces[0])(found[1], range(end)) if whole.pieces else None
            target = command.arguments[-1] if command.arguments else None
            if piece is not None:
                yield Parcel(target, files=(Word((piece,), text.span),))


def _remote_archive(command: Command) -> Word | None:
    """`tar cf user@host:/path file`."""
    archive = parse(command.arguments, names("f file C rsh-command rmt-command")).value("f", "file")
    if archive is None and len(command.arguments) > 1 and "f" in command.arguments[0].when_empty:
        archive = command.arguments[1]
    remote = archive is not None and re.match(r"[\w.-]+@[\w.-]+:", archive.when_empty) is not None
    return archive if remote else None
