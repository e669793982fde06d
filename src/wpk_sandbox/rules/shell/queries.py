"""Queries of databases and directories that show passwords."""

import re

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names
from wpk_sandbox.rules.shell.printed import here_documents
from wpk_sandbox.rules.shell.secret import Kind, Secret

LONGEST_QUERY = 8192

_DATABASES = names(
    "psql mysql mariadb sqlite3 mongosh mongo sqlplus sqlcmd cqlsh clickhouse-client"
    " redis-cli valkey-cli usql duckdb ldapsearch slapcat pdbedit kdb5_util"
)
# Tables and columns in which databases keep passwords.
_OF_DATABASE = Pattern(
    r"\bpg_(?:authid|shadow|user_mappings?)\b|\bauthentication_string\b|\bmysql\.user\b.*\bpassword|\bpassword\b.*\bmysql\.user\b"
    r"|\bsys\.(?:user\$|sql_logins)|\bsysxlogins\b|\bdba_users\b.*password|\bsystem\.users\b|\brolpassword\b|\bpasswd\b.*\bpg_"
    r"|\bsystem_auth\.roles\b|\bsalted_hash\b|\bmoz_logins\b|\bpassword_value\b",
    re.IGNORECASE | re.DOTALL,
)
_OF_APPLICATION = Pattern(
    r"\bselect\b(?P<columns>(?:(?!\bfrom\b).){1,400}?\b(?:\w*passw(?:or)?d\w*|\w*pwd_?hash\w*|\w*api_?keys?\b|\w*secret(?:s|_key)?\b"
    r"|access_token|refresh_token|\w*private_key|totp_\w+|credit_card\w*|card_number|ssn)\b(?:(?!\bfrom\b).){0,400}?)\bfrom\b",
    re.IGNORECASE | re.DOTALL,
)
_ONLY_COUNTS = Pattern(
    r"count\s*\(|is (?:not )?null|\blength\s*\(|expir|changed|updated|_at\b|\bmd5\s*\(|_set\b", re.IGNORECASE
)
_REDIS = Pattern(r"\bconfig get (?:requirepass|masterauth|\*)|\bacl (?:list|getuser)|\bauth_pass\b", re.IGNORECASE)


def queried(command: Command) -> Secret | None:
    """The passwords that a query shows, of a database's users or of an application's."""
    if command.name not in _DATABASES:
        return None
    texts = [word.when_empty for word in (*command.arguments, *here_documents(command))]
    line = " ".join(texts)[:LONGEST_QUERY]
    if _OF_DATABASE.search(line) and not re.search(r"\bcount\s*\(", line, re.IGNORECASE):
        return Secret(Kind.VALUE, "passwords of the database's users")
    for found in _OF_APPLICATION.finditer(line):
        if not _ONLY_COUNTS.search(found["columns"]):
            return Secret(Kind.VALUE, "passwords of an application's users")
    if command.name in ("redis-cli", "valkey-cli") and _REDIS.search(line):
        return Secret(Kind.VALUE, "the password of the database")
    if command.name in ("ldapsearch", "slapcat", "pdbedit", "kdb5_util"):
        return _directory(command.name, texts)
    return None


def _directory(name: str, texts: list[str]) -> Secret | None:
    shows = {
        "ldapsearch": any(
            text.lower() in ("userpassword", "unicodepwd", "ntpassword", "sambantpassword") for text in texts
        ),
        "slapcat": True,
        "pdbedit": any(re.fullmatch(r"-\w*w\w*", text) for text in texts),
        "kdb5_util": "dump" in texts,
    }
    return Secret(Kind.VALUE, "passwords of the directory") if shows[name] else None
