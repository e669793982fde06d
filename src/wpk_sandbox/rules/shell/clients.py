"""Which addresses the network programs of a script are told to contact."""

import re
from collections.abc import Callable, Iterator

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell import programs
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import Options, names, parse
from wpk_sandbox.rules.shell.words import Piece, Word

_URL = Pattern(
    r"(?:https?|ftps?|git|ssh|rsync|oci|wss?|tcp|ldaps?|amqps?|mongodb(?:\+srv)?|rediss?|postgres(?:ql)?|mysql)://"
)
_METADATA_URL = Pattern(
    r"http://(?:169\.254\.169\.254|169\.254\.170\.2|100\.100\.100\.200|metadata\.google\.internal|\[fd00:ec2::254\])/[^\s'\"]{0,200}"
)
_NETWORK_FILE = Pattern(r"/dev/(?:tcp|udp)/")
_REMOTE_PATH = Pattern(r"(?:[^/:\s]+@)?[^/:\s]+:(?!//)")


# Options with a value: https://curl.se/docs/manpage.html, https://www.gnu.org/software/wget/manual/wget.html
_CURL = names(
    "A b c C d D e E F h H K m o P Q r t T u U w x X y Y z request header data data-raw data-binary data-urlencode"
    " json output user user-agent cacert cert key max-time connect-timeout retry retry-delay retry-max-time form"
    " write-out proxy resolve cookie cookie-jar referer url upload-file limit-rate range interface unix-socket"
    " oauth2-bearer aws-sigv4 capath ciphers dns-servers engine noproxy tlsv1-max stderr trace config"
)
_WGET = names(
    "O o a t T U P e i Q B A R D I X l output-document output-file tries timeout header user password post-data"
    " post-file method body-data body-file user-agent referer directory-prefix ca-certificate certificate"
    " private-key wait limit-rate input-file execute"
)
_NETCAT = names("e c p s w q i g G o x X exec sh-exec source source-port wait idle-timeout")
_SSH = names("b c D E e F I i J L l m O o p Q R S W w P B")
_PING = names("c i s t w W I M Q S T p l m")


def _operands(takes: frozenset[str], most: int | None = None) -> Callable[[Command], Iterator[Word]]:
    def addresses(command: Command) -> Iterator[Word]:
        yield from parse(command.arguments, takes).operands[:most]

    return addresses


def _curl(command: Command) -> Iterator[Word]:
    options = parse(command.arguments, _CURL)
    if options.has("unix-socket"):
        return
    yield from options.operands
    yield from options.values.get("url", ())


def _httpie(command: Command) -> Iterator[Word]:
    words = parse(command.arguments, names("a auth o output s style")).operands
    if words and words[0].when_empty.isupper():
        words = words[1:]
    yield from words[:1]


def _netcat(command: Command) -> Iterator[Word]:
    options = parse(command.arguments, _NETCAT)
    if not options.has("l", "listen", "U"):
        yield from options.operands[:1]


def _ssh(command: Command) -> Iterator[Word]:
    yield from parse(command.arguments, _SSH, first_operand_ends=True).operands[:1]


def _copy(command: Command) -> Iterator[Word]:
    """`scp` and `rsync`: the operands with a host before a colon."""
    for word in parse(command.arguments, _SSH | names("rsh exclude include filter")).operands:
        match = _REMOTE_PATH.match(word.template("\0"))
        if match:
            yield _host_only(word, match.end() - 1)


def _host_only(word: Word, length: int) -> Word:
    """The word up to a colon, where its text is known."""
    if word.value is None:
        return word
    piece = word.pieces[0]
    return Word((type(piece)(word.value[:length], piece.places[:length]),), word.span)


def _git(command: Command) -> Iterator[Word]:
    operands = parse(command.arguments, names("C c b branch o origin depth reference")).operands
    if operands and operands[0].value in ("clone", "ls-remote", "fetch", "pull", "push", "remote", "submodule"):
        for word in operands[1:]:
            match = _REMOTE_PATH.match(word.template("\0"))
            if _URL.match(word.when_empty):
                yield word
            elif match and "@" in word.when_empty:
                yield _host_only(word, match.end() - 1)


def _urls(command: Command) -> Iterator[Word]:
    """Programs that take URLs among other things (`kubectl apply -f https://…`, `helm repo add`)."""
    for word in command.arguments:
        if _URL.match(word.when_empty):
            yield word
        elif word.when_empty.startswith("-") and (match := re.match(r"-[-\w]*=", word.when_empty)):
            rest = word.after(match.end())
            if _URL.match(rest.when_empty):
                yield rest


def _host_option(command: Command) -> Iterator[Word]:
    """Database clients: `-h host`, or a URL."""
    options: Options = parse(command.arguments, names("h host p port U u username user d dbname D a n c e P"))
    word = options.value("h", "host")
    if word is not None:
        yield word
    yield from _urls(command)


def _socat(command: Command) -> Iterator[Word]:
    for word in command.arguments:
        text = word.when_empty.lower()
        if match := re.match(r"(?:tcp|udp|openssl|ssl)[46]?(?:-connect)?:", text):
            yield word.after(match.end())


def _openssl(command: Command) -> Iterator[Word]:
    word = parse(command.arguments, names("connect servername host")).value("connect")
    if word is not None:
        yield word


_CLIENTS: dict[str, Callable[[Command], Iterator[Word]]] = {
    "curl": _curl,
    "wget": _operands(_WGET),
    "aria2c": _operands(names("d o x s dir out")),
    "http": _httpie,
    "https": _httpie,
    "nc": _netcat,
    "ncat": _netcat,
    "netcat": _netcat,
    "telnet": _operands(names("l"), 1),
    "ftp": _operands(frozenset(), 1),
    "ssh": _ssh,
    "sftp": _ssh,
    "scp": _copy,
    "rsync": _copy,
    "git": _git,
    "ping": _operands(_PING, 1),
    "socat": _socat,
    "openssl": _openssl,
    **dict.fromkeys(
        ("psql", "pg_dump", "pg_restore", "mysql", "mysqldump", "mariadb", "redis-cli", "mongosh"), _host_option
    ),
    **dict.fromkeys(
        ("kubectl", "oc", "helm", "pip", "pip3", "npm", "go", "docker", "skopeo", "wrk", "ab", "hey", "k6"), _urls
    ),
}
# Programs that contact one well-known service without being told an address.
SERVICES = {
    "aws": "amazonaws.com",
    "gcloud": "googleapis.com",
    "gsutil": "googleapis.com",
    "az": "management.azure.com",
    "gh": "api.github.com",
}


def _by_program(command: Command) -> Iterator[Word]:
    """The metadata service of a cloud, where a program in another language asks it."""
    for found in _METADATA_URL.finditer(programs.text(command)):
        yield Word((Piece(found[0], [command.span[0]] * len(found[0]), quoted=True),), command.span)


def addresses(command: Command) -> Iterator[Word]:
    """The words of a command that name whom it contacts: URLs, hosts, `host:port`."""
    yield from _by_program(command)
    client = _CLIENTS.get(command.name)
    if client is not None:
        yield from (word for word in client(command) if not word.when_empty.startswith("file:"))
    for redirect in command.redirects:
        if _NETWORK_FILE.match(redirect.target.when_empty):
            yield redirect.target.after(len("/dev/tcp/"))
