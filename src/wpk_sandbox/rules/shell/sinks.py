"""Which commands send something away: what they send, and to whom."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import Options, names, parse
from wpk_sandbox.rules.shell.senders import parcels
from wpk_sandbox.rules.shell.words import Word

_CURL = names(
    "A b c C d D e E F h H K m o P Q r t T u U w x X y Y z request header data data-raw data-binary data-urlencode"
    " data-ascii json output user user-agent cacert cert key max-time connect-timeout retry retry-delay form"
    " form-string retry-max-time write-out proxy resolve cookie cookie-jar referer url upload-file limit-rate range"
    " interface unix-socket oauth2-bearer aws-sigv4 capath ciphers noproxy stderr trace config"
)
_CURL_BODY = (
    "d",
    "data",
    "data-binary",
    "data-ascii",
    "data-raw",
    "data-urlencode",
    "json",
    "F",
    "form",
    "form-string",
)
_CURL_HEAD = ("H", "header", "u", "user", "b", "cookie", "A", "user-agent", "e", "referer", "oauth2-bearer")
_WGET = names(
    "O o a t T U P e i Q B A R D X output-document output-file tries timeout header user password post-data"
    " post-file method body-data body-file user-agent referer directory-prefix ca-certificate certificate"
    " private-key wait"
)
_NETCATS = frozenset({"nc", "ncat", "netcat", "nc.traditional", "nc.openbsd"})
_NETCAT_TAKES = names("e c p s w q i g G o x X exec sh-exec source source-port wait idle-timeout")
_REMOTE = Pattern(r"(?:[^/:\s]+@)?[^/:\s]+:(?!\\)")
_NETWORK_FILE = Pattern(r"/dev/(?:tcp|udp)/")
_LOOKUPS = {
    "dig": names("t c p q x b f k y type"),
    "nslookup": frozenset[str](),
    "host": names("t c N R W"),
    "drill": names("t c"),
    "ping": names("c i s t w W I M Q S T p l m"),
    "getent": frozenset[str](),
    "resolvectl": frozenset[str](),
}


@dataclass(frozen=True)
class Sent:
    """What a command sends away.

    `target` names whom to, None where it cannot be told; `body`, `head` and `files` are words and files of what is
    sent; `input` says that its standard input is sent too. `plain` is for a bare connection, without a protocol
    that asks for any rights; `store` for a bucket or a machine that copies are usually made to.
    """

    target: Word | None
    body: tuple[Word, ...] = ()
    head: tuple[Word, ...] = ()
    files: tuple[Word, ...] = ()
    input: bool = False
    plain: bool = False
    store: bool = False


def sent(command: Command, opened: Word | None = None) -> Iterator[Sent]:
    """What a command sends; `opened` is a connection that an `exec 3<>/dev/tcp/…` before it opened."""
    sends = _SENDERS.get(command.name)
    if sends is not None:
        yield from sends(command)
    for each in parcels(command):
        yield Sent(each.target, each.body, files=each.files, input=each.input)
    for redirect in command.redirects:
        target = redirect.target
        to_network = redirect.writes and _NETWORK_FILE.match(target.when_empty)
        if to_network and command.words and command.name != "exec":
            yield Sent(target.after(len("/dev/tcp/")), input=True, plain=True)
        elif opened is not None and redirect.operator == ">&" and target.value not in ("1", "2", "-"):
            yield Sent(opened, input=True, plain=True)


def opened_by(command: Command) -> Word | None:
    """The connection that `exec 3<>/dev/tcp/host/port` opens."""
    if command.name not in ("exec", ""):
        return None
    found = (each.target for each in command.redirects if _NETWORK_FILE.match(each.target.when_empty))
    return next((target.after(len("/dev/tcp/")) for target in found), None)


def looked_up(command: Command) -> Iterator[Word]:
    """The names that a command asks the DNS for."""
    takes = _LOOKUPS.get(command.name)
    if takes is not None:
        options = parse(command.arguments, takes)
        yield from (word for word in options.operands if not word.when_empty.startswith(("@", "+")))
        yield from options.values.get("q", ())


def _curl(command: Command) -> Iterator[Sent]:
    options = parse(command.arguments, _CURL)
    urls = (*options.operands, *options.values.get("url", ()))
    body: list[Word] = list(urls)
    files: list[Word] = []
    for name in _CURL_BODY:
        for word in options.values.get(name, ()):
            file = _named_file(name, word)
            body.append(word)
            if file is not None:
                files.append(file)
    files += [*options.values.get("T", ()), *options.values.get("upload-file", ())]
    head = tuple(word for name in _CURL_HEAD for word in options.values.get(name, ()))
    reads_input = any(word.value in ("-", ".", "/dev/stdin") for word in files)
    sent_files = tuple(word for word in files if word.value not in ("-", "."))
    for url in urls[:1]:
        yield Sent(url, tuple(body), head, sent_files, input=reads_input or _from_xargs(command))


def _named_file(option: str, word: Word) -> Word | None:
    """The file in `-d @file`, `--data-urlencode name@file`, `-F name=@file;type=x`."""
    if option in ("data-raw", "form-string"):
        return None
    text = word.when_empty
    if option in ("F", "form"):
        match = re.match(r"[^=]*=[@<]", text)
    elif option == "data-urlencode":
        match = re.match(r"[^=@]*@", text)
    else:
        match = re.match(r"@", text)
    if match is None:
        return None
    rest = word.after(match.end())
    end = (rest.value or "").find(";")
    return rest if end < 0 else Word((type(rest.pieces[0])(rest.when_empty[:end], range(end)),), rest.span)


def _from_xargs(command: Command) -> bool:
    return "xargs" in command.via


def _wget(command: Command) -> Iterator[Sent]:
    options = parse(command.arguments, _WGET)
    files = tuple(word for name in ("post-file", "body-file") for word in options.values.get(name, ()))
    data = tuple(word for name in ("post-data", "body-data") for word in options.values.get(name, ()))
    for url in options.operands[:1]:
        reads_input = any(word.value in ("-", "/dev/stdin") for word in files) or _from_xargs(command)
        yield Sent(url, (*options.operands, *data), options.values.get("header", ()), files, input=reads_input)


def _httpie(command: Command) -> Iterator[Sent]:
    operands = parse(command.arguments, names("a auth o output s style")).operands
    if operands and operands[0].when_empty.isupper():
        operands = operands[1:]
    for url in operands[:1]:
        files = tuple(word.after(word.when_empty.find("@") + 1) for word in operands[1:] if "@/" in word.when_empty)
        yield Sent(url, operands, (), files, input=True)


def _netcat(command: Command) -> Iterator[Sent]:
    options = parse(command.arguments, _NETCAT_TAKES)
    if options.has("z"):
        return
    target = options.operands[0] if options.operands and not options.has("l", "listen") else None
    yield Sent(target, input=True, plain=True)


def _telnet(command: Command) -> Iterator[Sent]:
    for target in parse(command.arguments, names("l")).operands[:1]:
        yield Sent(target, input=True, plain=True)


def _socat(command: Command) -> Iterator[Sent]:
    for word in command.arguments:
        if match := re.match(r"(?:tcp|udp|openssl|ssl)[46]?(?:-connect)?:", word.when_empty.lower()):
            others = [each for each in command.arguments if each is not word]
            files = [each.after(each.when_empty.find(":") + 1) for each in others if _reads_file(each.when_empty)]
            yield Sent(word.after(match.end()), files=tuple(files), input=True, plain=True)


def _reads_file(address: str) -> bool:
    return re.match(r"(?:file|open|gopen):", address.lower()) is not None


def _openssl(command: Command) -> Iterator[Sent]:
    words = command.arguments
    for at, word in enumerate(words[:-1]):
        if word.value == "-connect":
            yield Sent(words[at + 1], input=True, plain=True)


def _copy(command: Command) -> Iterator[Sent]:
    """`scp` and `rsync` to another machine."""
    options = parse(command.arguments, names("i P o F c J l S e rsh exclude include filter password-file"))
    if len(options.operands) > 1 and _REMOTE.match(options.operands[-1].template("x")):
        yield Sent(options.operands[-1], files=options.operands[:-1], store=True)


def _ssh(command: Command) -> Iterator[Sent]:
    takes = names("b c D E e F I i J L l m O o p Q R S W w P B")
    for target in parse(command.arguments, takes, first_operand_ends=True).operands[:1]:
        yield Sent(target, input=True, store=True)


def _bucket(command: Command) -> Iterator[Sent]:
    """`aws s3 cp`, `gsutil cp`, `rclone copy`: from here to a bucket."""
    takes = names("profile region endpoint-url acl sse storage-class exclude include o h config expected-size")
    operands = parse(command.arguments, takes).operands
    verbs = [word.value for word in operands[:3]]
    at = next((at for at, verb in enumerate(verbs) if verb in _COPY_VERBS), None)
    if at is None or len(operands) < at + 3:
        return
    source, target = operands[at + 1 : -1], operands[-1]
    if re.match(r"(?:s3|gs|az|https?)://|[\w-]+[:/]", target.template("x")):
        files = tuple(word for word in source if word.value != "-")
        yield Sent(target, files=files, input=len(files) < len(source), store=True)


_COPY_VERBS = frozenset({"cp", "mv", "sync", "copy", "move", "copyto", "pipe"})


def _az(command: Command) -> Iterator[Sent]:
    options: Options = parse(command.arguments, names("f file n name c container-name account-name"))
    if [word.value for word in options.operands[:3]] == ["storage", "blob", "upload"]:
        files = (*options.values.get("f", ()), *options.values.get("file", ()))
        yield Sent(None, files=files, store=True)


def _mail(command: Command) -> Iterator[Sent]:
    options = parse(command.arguments, names("s a A r c b S subject attach"))
    attached = tuple(word for name in ("a", "A", "attach") for word in options.values.get(name, ()))
    yield Sent(options.operands[0] if options.operands else None, files=attached, input=True, store=True)


def _paste(command: Command) -> Iterator[Sent]:
    """Services where anybody can read: `gh gist create`, `pastebinit`, `termbin`."""
    operands = parse(command.arguments, names("d desc f filename i a b")).operands
    if command.name != "gh":
        yield Sent(None, files=operands, input=not operands)
    elif [word.value for word in operands[:2]] == ["gist", "create"]:
        yield Sent(None, files=operands[2:], input=len(operands) < 3)


def _ping(command: Command) -> Iterator[Sent]:
    """`ping -p bytes host`: sixteen bytes of anything in each packet."""
    options = parse(command.arguments, _LOOKUPS["ping"])
    for target in options.operands[:1]:
        yield Sent(target, body=options.values.get("p", ()), plain=True)


_SENDERS: dict[str, Callable[[Command], Iterator[Sent]]] = {
    "curl": _curl,
    "wget": _wget,
    **dict.fromkeys(("http", "https", "xh"), _httpie),
    **dict.fromkeys(_NETCATS, _netcat),
    "telnet": _telnet,
    "socat": _socat,
    "openssl": _openssl,
    **dict.fromkeys(("scp", "rsync"), _copy),
    "ssh": _ssh,
    **dict.fromkeys(("aws", "gsutil", "gcloud", "rclone", "mc", "s3cmd", "s5cmd"), _bucket),
    "az": _az,
    "ping": _ping,
    **dict.fromkeys(("mail", "mailx", "mutt", "sendmail", "msmtp", "swaks"), _mail),
    **dict.fromkeys(("gh", "pastebinit", "sprunge"), _paste),
}
