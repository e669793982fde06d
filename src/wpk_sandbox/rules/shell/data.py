"""Where machines keep data that exists only once: databases, queues, backups."""

import posixpath

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell.options import names
from wpk_sandbox.rules.shell.paths import EVERYTHING

# Folders of data servers: everything below them is theirs.
_SERVERS = Pattern(
    r"^(?:/var/lib|/data|/mnt/data|/srv|/bitnami|/opt)?/(?:mysql|mariadb|postgresql|postgres|pgsql|pgdata|mongodb|mongo"
    r"|redis|elasticsearch|opensearch|cassandra|kafka|rabbitmq|clickhouse|influxdb2?|zookeeper|etcd|couchdb|neo4j|minio"
    r")(?=/|$)"
)
# Folders whose parts may be scratch, so that only the whole of them counts.
_PLACES = names(
    "/data /data/db /backup /backups /var/backup /var/backups /mnt/data /mnt/backup /mnt/backups /srv/data"
    " /opt/data /opt/backup /opt/backups /storage /volumes /var/mail /var/spool/mail /var/spool/cron /var/www"
    " /var/lib/grafana /var/lib/prometheus /prometheus /home/git /var/opt/gitlab /var/lib/jenkins /var/jenkins_home"
)
_SCRATCH = Pattern(
    r"/(?:te?mp|cache|logs?|lost\+found|pg_stat_tmp|pg_log|plugins?|bin|conf|config)(?=/|$)|/[^/]*\.(?:te?mp|log|pid|lock|sock"
    r"|err|old|swp)(?:\.[^/]*)?$|/core\.[^/]*$"
)
_TEMPORARY = Pattern(r"^(?:/host)?/(?:tmp|var/tmp|dev/shm|run|var/run)(?:/|$)")
_EXTENSION = Pattern(r"\.(?:flag|pid|lock|sock|log|err|cnf|conf|tmp|txt|html|md|pyc?|sh|gz|xz)$")
_FILE = Pattern(
    r"\.(?:db|sqlite3?|ibd|mdb|frm|myd|myi|rdb|aof|wt|sql|dump|bak|qcow2|vmdk|kdbx)(?:\.(?:gz|zst|xz|bz2))?$|/ibdata\d$"
)


def is_temporary(path: str) -> bool:
    """True below the folders that every start of the machine empties."""
    return _TEMPORARY.match(path) is not None


def is_by_product(path: str) -> bool:
    """True for files of a kind that no data server keeps its data in: `/var/lib/mysql/debian-*.flag`."""
    return _EXTENSION.search(path) is not None and _FILE.search(path.lower()) is None


def is_place(path: str) -> bool:
    """True for a folder of data, a part of a data server's, or a pattern of everything in one."""
    if _SCRATCH.search(path) or is_temporary(path):
        return False
    folder, last = posixpath.split(path)
    return path in _PLACES or (last in EVERYTHING and folder in _PLACES) or _SERVERS.match(path) is not None


def is_file(path: str) -> bool:
    """True for a file that holds data, by its place or by its kind; logs, locks and temporary files do not."""
    if _SCRATCH.search(path) or is_temporary(path):
        return False
    below = any(path.startswith(f"{place}/") for place in _PLACES)
    return below or _SERVERS.match(path) is not None or _FILE.search(path.lower()) is not None


def is_database_file(path: str) -> bool:
    """True for a file of a data server itself."""
    return _SERVERS.match(path) is not None and not _SCRATCH.search(path) and _FILE.search(path.lower()) is not None
