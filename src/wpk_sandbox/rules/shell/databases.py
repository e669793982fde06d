"""Statements and commands that empty a database, in the clients that are given them."""

import re
from collections.abc import Iterator

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.printed import here_documents, printed_words
from wpk_sandbox.rules.shell.words import Word

# Options with a value of each client, and those among them (or the operands) that hold statements.
_PSQL = names("c command d dbname f file h host p port U username v set variable o output L F R P T")
_MYSQL = names("e execute h host P port u user D database S socket p defaults-file default-character-set")
_SQL_CLIENTS: dict[str, tuple[frozenset[str], tuple[str, ...], int | None]] = {
    # name: (options with a value, options that are statements, first operand that is one)
    "psql": (_PSQL, ("c", "command"), None),
    "mysql": (_MYSQL - {"p"}, ("e", "execute"), None),
    "mariadb": (_MYSQL - {"p"}, ("e", "execute"), None),
    "sqlite3": (names("cmd separator init"), ("cmd",), 1),
    "cqlsh": (names("e execute u username p password k keyspace f file"), ("e", "execute"), None),
    "clickhouse-client": (names("q query h host u user password port d database"), ("q", "query"), None),
    "sqlcmd": (names("Q q S U P d i o"), ("Q", "q"), None),
    "cockroach": (names("e execute host url d database u user certs-dir port"), ("e", "execute"), None),
    "duckdb": (names("c cmd s"), ("c", "s"), 1),
    "snowsql": (names("q query a u d s w r c f"), ("q", "query"), None),
    "bq": (frozenset(), (), 1),
    "vsql": (names("c command d h U w p f"), ("c", "command"), None),
}
_COMMENT = Pattern(r"--[^\n]*|/\*.*?(?:\*/|\Z)|(?<=\n)#[^\n]*", re.DOTALL)
_STRING = Pattern(r"'(?:[^']|'')*'")
_TEMPORARY = (
    r"(?!(?:if\s+exists\s+)?[`\"\[]?(?:\w+[`\"\]]?\.[`\"\[]?)?(?:te?mp_|\w+_te?mp\b|staging_|scratch_|test_))"
)
_STATEMENTS = tuple(
    (Pattern(pattern, re.IGNORECASE | re.DOTALL), what)
    for pattern, what in (
        (rf"drop\s+(?:foreign\s+)?table\s+{_TEMPORARY}", "drops a table"),
        (r"drop\s+(?:database|schema|keyspace|tablespace|owned)\b", "drops a database"),
        (rf"truncate\s+(?:table\s+|only\s+)*{_TEMPORARY}(?=[\w`\"\[*\0])", "empties a table"),
        (r"alter\s+table\b.*\bdrop\s+column\b", "drops a column"),
        (r"drop\s+collection\b", "drops a collection"),
    )
)
_CREATES = Pattern(
    r"create\s+(?:(?:global|local)\s+)?(?:te?mp(?:orary)?\s+|unlogged\s+)?table\s+[`\"\[]?([\w.]+)", re.IGNORECASE
)
_DROPS = Pattern(
    r"(?:drop|truncate)\s+table\s+(?:if\s+exists\s+)?[`\"\[]?([\w.]+)[`\"\]]?\s*(?:cascade)?$", re.IGNORECASE
)
_DELETE = Pattern(rf"(?:with\b.*\b)?delete\s+from\s+{_TEMPORARY}", re.IGNORECASE | re.DOTALL)
_WHERE = Pattern(
    r"\bwhere\s+(?!(?:1\s*=\s*1|true|''\s*=\s*'')\s*(?:$|returning|limit|--))|\blimit\s+\d", re.IGNORECASE
)
_MONGO = Pattern(
    r"\.dropDatabase\s*\(|\.drop\s*\(\s*\)|\.(?:deleteMany|remove)\s*\(\s*(?:\{\s*\})?\s*\)|\bdropAllUsers\b"
)
_MONGO_STRING_FREE = Pattern(r"\bprint(?:json)?\s*\([^()]*\)")
_REDIS_TAKES = names("h host p port a pass user n u uri s socket r i d x cacert cert key sni")


def emptied(command: Command) -> Iterator[str]:
    """What a command destroys in a database, as the end of a sentence."""
    if command.name in _SQL_CLIENTS:
        for text in _statements(command):
            yield from _of_sql(text)
    elif command.name in ("mongo", "mongosh"):
        texts = [
            _text(word) for word in parse(command.arguments, names("eval host port u p f")).values.get("eval", ())
        ]
        if any(_MONGO.search(_MONGO_STRING_FREE.sub("", text)) for text in (*texts, *_input(command))):
            yield "empties a database"
    elif command.name in _SIMPLE and (what := _SIMPLE[command.name](command)):
        yield what


def _text(word: Word) -> str:
    return word.template("\0")


def _input(command: Command) -> Iterator[str]:
    """What is piped into a client, where it is known."""
    here = here_documents(command) or (printed_words(command.upstream[-1]) if command.upstream else ())
    if here:
        yield " ".join(map(_text, here))


def _statements(command: Command) -> Iterator[str]:
    takes, holders, first = _SQL_CLIENTS[command.name]
    options = parse(command.arguments, takes)
    yield from (_text(word) for holder in holders for word in options.values.get(holder, ()))
    if first is not None:
        yield from (_text(word) for word in options.operands[first:])
    yield from _input(command)


def _of_sql(text: str) -> Iterator[str]:
    """What the statements of a text destroy; text in quotes and comments is no statement."""
    made: set[str] = set()
    for statement in _COMMENT.sub(" ", _STRING.sub("''", text)).split(";"):
        words = statement.strip()
        if created := _CREATES.match(words):
            made.add(created[1].lower())
        dropped = _DROPS.match(words)
        if dropped and dropped[1].lower() in made:
            # A table that the same text made holds nothing of before.
            continue
        for pattern, what in _STATEMENTS:
            if pattern.match(words):
                yield f"{what}: `{_short(words)}`"
        if _DELETE.match(words) and not _WHERE.search(words):
            yield f"deletes every row of a table: `{_short(words)}`"


def _short(statement: str) -> str:
    line = " ".join(statement.replace("\0", "…").split())
    return line if len(line) <= 60 else line[:57] + "..."


def _redis(command: Command) -> str:
    operands = parse(command.arguments, _REDIS_TAKES, first_operand_ends=True).operands
    given = [" ".join(word.when_empty for word in operands), *_input(command)]
    flushes = any(re.search(r"(?:^|\n)\s*(?:FLUSHALL|FLUSHDB)\b", text, re.IGNORECASE) for text in given)
    return "empties a Redis database" if flushes else ""


def _etcd(command: Command) -> str:
    takes = names("endpoints cacert cert key user password command-timeout dial-timeout w write-out")
    options = parse(command.arguments, takes)
    deletes = options.operands and options.operands[0].value == "del" and options.has("prefix", "from-key")
    return "deletes a whole range of keys of etcd" if deletes else ""


def _drop(command: Command) -> str:
    return "drops a database" if parse(command.arguments, _PSQL).operands else ""


def _mysqladmin(command: Command) -> str:
    operands = parse(command.arguments, _MYSQL - {"p"}).operands
    return "drops a database" if operands and operands[0].value == "drop" else ""


def _kafka(command: Command) -> str:
    return "deletes a topic with its messages" if parse(command.arguments, names("topic")).has("delete") else ""


def _rabbit(command: Command) -> str:
    operands = [word.value for word in parse(command.arguments, names("n node p vhost q t timeout")).operands]
    verb = operands[0] if operands else ""
    return "empties the message broker" if verb in ("reset", "force_reset", "delete_vhost", "purge_queue") else ""


def _curl(command: Command) -> str:
    """`DELETE /_all`, `DELETE /*` and `DELETE /logs-*` of Elasticsearch and OpenSearch."""
    options = parse(command.arguments, names("X request H header u user d data o output m max-time cacert"))
    method = options.value("X", "request")
    if method is None or (method.value or "").upper() != "DELETE":
        return ""
    paths = [re.sub(r"^\w+://", "", word.when_empty).partition("/")[2] for word in options.operands]
    everything = any(re.match(r"_all(?:$|\?)|[\w.,-]*\*[\w.,*-]*(?:$|\?)", path) for path in paths)
    return "deletes every index, or those of a pattern" if everything else ""


_SIMPLE = {
    "redis-cli": _redis,
    "valkey-cli": _redis,
    "etcdctl": _etcd,
    "dropdb": _drop,
    "mysqladmin": _mysqladmin,
    "mariadb-admin": _mysqladmin,
    "kafka-topics": _kafka,
    "kafka-topics.sh": _kafka,
    "rabbitmqctl": _rabbit,
    "curl": _curl,
}
