"""Which commands change a system so that their failure must be noticed."""

import re

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell import data, paths
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse

# The verbs of clients that change what others rely on.
_VERBS = {
    "kubectl": names("apply replace patch drain scale rollout set edit taint cordon uncordon autoscale"),
    "oc": names("apply replace patch drain scale rollout set edit adm"),
    "helm": names("install upgrade uninstall delete rollback"),
    "terraform": names("apply destroy import taint"),
    "tofu": names("apply destroy import taint"),
    "pulumi": names("up destroy"),
    "flux": names("suspend delete"),
    "etcdctl": names("del put restore"),
    "pg_ctl": names("promote stop restart"),
    "lvextend": frozenset[str](),
    "resize2fs": frozenset[str](),
}
# What `kubectl delete` may miss without harm: it is made anew.
_REPLACEABLE = names("pod pods po job jobs event events lease leases rs replicaset replicasets")
_ALWAYS = names(
    "dd mkfs pg_restore pg_dump mysqldump pg_basebackup dropdb createdb fsck xfs_repair alembic flyway liquibase"
    " lvremove vgremove zfs shred"
)
_CHANGES = Pattern(r"\b(?:drop|truncate|delete\s+from|update|insert\s+into|alter|create|vacuum)\b", re.I)
_SCRATCH = Pattern(r"/\.?(?:cache|te?mp|scratch)(?:/|$)")
# Tools that change the schema of a database, and the words by which others are told to.
_MIGRATORS = names("migrate goose dbmate sqitch atlas golang-migrate")
_MIGRATES = names("db:migrate migrate:deploy migrations:migrate db:migrate:up migrate:up")
_DATABASES = names("psql mysql mariadb mongosh sqlite3 cqlsh clickhouse-client")


def changes(command: Command) -> bool:
    """True for a command that changes data, a cluster or infrastructure."""
    name = command.name
    values = [word.value for word in command.arguments]
    if name in ("kubectl", "oc") and "delete" in values:
        return not _replaceable(command)
    if name in _VERBS:
        return bool(_VERBS[name] & {value for value in values if value}) and not _only_asks(values)
    if (name == "shred" and not _overwrites_data(command)) or (name == "dd" and not _writes_absolutely(values)):
        return False
    if name in _ALWAYS or name.startswith("mkfs."):
        return True
    if name in _DATABASES:
        return any(_CHANGES.search(word.when_empty) for word in command.arguments)
    migrates = name in _MIGRATORS or not _MIGRATES.isdisjoint(values)
    return (migrates and not _only_asks(values)) or (name == "rm" and _deletes_data(command))


def _writes_absolutely(values: list[str | None]) -> bool:
    """False for a `dd` into a file of the folder at hand, which most often is made to be deleted again."""
    return any((value or "").startswith("of=/") for value in values)


def _replaceable(command: Command) -> bool:
    """A pod or a job by its name, which a controller or the next run makes anew."""
    operands = parse(
        command.arguments, names("n namespace l selector f filename context grace-period timeout")
    ).operands
    kinds = {(word.value or "").partition("/")[0] for word in operands[1:2]}
    broad = any(word.value in ("--all", "-A", "--all-namespaces") for word in command.arguments)
    return bool(kinds & _REPLACEABLE) and not broad


def _only_asks(values: list[str | None]) -> bool:
    return not {"status", "history", "diff", "template"}.isdisjoint(values) or any(
        (value or "").startswith("--dry-run") for value in values
    )


def _deletes_data(command: Command) -> bool:
    options = parse(command.arguments)
    if not options.has("r", "R", "recursive"):
        return False
    resolved = (paths.resolve(word, command.folder) for word in options.operands)
    return any(path is not None and path.startswith("/") and not _is_scratch(path) for path in resolved)


def _overwrites_data(command: Command) -> bool:
    """False where `shred` clears up what the script made: files of `mktemp`, and below scratch folders."""
    operands = parse(command.arguments, names("n s iterations size random-source")).operands
    made = [word.pieces[0].commands[:1] for word in operands if word.pieces]
    temporary = [bool(each) and each[0].name == "mktemp" for each in made]
    resolved = [paths.resolve(word, command.folder) for word in operands]
    return not all(new or _is_scratch(path or "") for new, path in zip(temporary, resolved, strict=True))


def _is_scratch(path: str) -> bool:
    return data.is_temporary(path) or _SCRATCH.search(path) is not None
