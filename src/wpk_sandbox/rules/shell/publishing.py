"""Data that is given away where it lies: shared with others, made public, sent by the database itself."""

import re

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.phrases import meaning, table
from wpk_sandbox.rules.shell.printed import here_documents

_SHARED = "shares a copy of a disk or a database with others"
_PUBLIC = "lets everybody read what is stored there"
_LINK = "makes a link by which anybody can read what is stored there"
_FOREIGN = "mirrors data to an account that is made up on the spot"
_SERVED = "serves files of the machine to whoever asks"

# https://attack.mitre.org/techniques/T1537/, …/T1567/, and the sharing commands of each cloud's reference
_KNOWN = table(
    (
        _SHARED,
        """
        aws ec2 modify-snapshot-attribute --operation-type=add --user-ids|--group-names
        aws ec2 modify-snapshot-attribute --create-volume-permission=*Add*
        aws ec2 modify-image-attribute --launch-permission=*Add*
        aws ec2 modify-image-attribute --operation-type=add --user-ids|--user-groups
        aws rds modify-db-snapshot-attribute|modify-db-cluster-snapshot-attribute --values-to-add
        aws redshift authorize-snapshot-access --account-with-restore-access
        aws docdb|neptune modify-db-cluster-snapshot-attribute --values-to-add
        aws ram create-resource-share --allow-external-principals
        aws ec2 create-store-image-task --bucket
        aws lightsail export-snapshot
        gcloud compute images|snapshots|disks|machine-images add-iam-policy-binding \
            --member=*allUsers*|*allAuthenticatedUsers*|user:*|domain:*
        az snapshot|disk grant-access
        az sig share add|enable-community
        doctl compute image|snapshot transfer
        openstack image set --public|--shared
        openstack image add project
        """,
    ),
    (
        _PUBLIC,
        """
        aws s3api put-bucket-acl|put-object-acl --acl=public-read|public-read-write|authenticated-read
        aws s3api put-bucket-acl|put-object-acl --grant-read|--grant-full-control=*AllUsers*|*AuthenticatedUsers*
        aws s3api put-bucket-policy --policy=*Allow*Principal*"[*]"*
        aws ecr|ecr-public set-repository-policy --policy-text=*"[*]"*
        aws lambda add-permission --principal=[*]
        aws sns|sqs add-permission --aws-account-id|--aws-account-ids=[*]
        aws secretsmanager put-resource-policy --resource-policy=*"[*]"*
        aws kms put-key-policy --policy=*"AWS":"[*]"*
        gcloud storage buckets|objects add-iam-policy-binding --member=allUsers|allAuthenticatedUsers
        gcloud storage objects update --add-acl-grant=*allUsers*|*AllUsers*
        gcloud storage objects|buckets update --canned-acl|--predefined-acl=publicRead|public-read
        gcloud secrets|pubsub|kms|artifacts|sql * add-iam-policy-binding --member=allUsers|allAuthenticatedUsers
        gcloud secrets add-iam-policy-binding --member=allUsers|allAuthenticatedUsers
        gcloud projects add-iam-policy-binding --member=allUsers|allAuthenticatedUsers
        gsutil iam ch allUsers:*|allAuthenticatedUsers:*
        gsutil acl ch -u=AllUsers:*|AllAuthenticatedUsers:*|allUsers:*
        gsutil acl set public-read|public-read-write|authenticated-read
        gsutil defacl set|ch public-read|AllUsers:*
        bq update|add-iam-policy-binding --member=allUsers|allAuthenticatedUsers
        az storage container set-permission|create --public-access=blob|container
        mc anonymous set|set-json public|download|upload
        mc policy set public|download
        s3cmd setacl --acl-public|-P
        rclone link *
        aws s3 cp|mv|sync --acl=public-read|public-read-write|authenticated-read \
            *.db|*.sql*|*dump*|*backup*|*snapshot*|*secret*|*export*|/etc*|/var/lib*|/home*|/root*
        gsutil cp -a=public-read \
            *.db|*.sql*|*dump*|*backup*|*snapshot*|*secret*|*export*|/etc*|/var/lib*|/home*|/root*
        gh repo edit --visibility=public
        gh repo create --public --source|--push
        glab repo|project update --visibility|--public=public
        """,
    ),
    (
        _LINK,
        """
        aws s3 presign *dump*|*backup*|*.sql*|*.bak*|*secret*|*.db*|*.env|*export*|*customers*|*users*
        gsutil signurl *dump*|*backup*|*.sql*|*.bak*|*secret*|*.db*|*export*|*customers*|*users*
        gcloud storage sign-url *dump*|*backup*|*.sql*|*.bak*|*secret*|*.db*|*export*|*customers*|*users*
        ngrok|cloudflared|bore|lt|localtunnel|frpc|zrok tunnel|http|tcp|share|local *
        """,
    ),
    (
        _FOREIGN,
        """
        redis-cli|valkey-cli replicaof|slaveof|REPLICAOF|SLAVEOF *.*.* [0-9]*
        redis-cli|valkey-cli migrate|MIGRATE *.*.* [0-9]*
        mega-put|megaput|megacopy|mega-sync *
        megatools put|copy
        dropbox_uploader.sh|gdrive|drive upload|push
        transfer.sh|ffsend|onionshare|onionshare-cli|croc|wormhole|magic-wormhole send|upload|/*
        ipfs add
        """,
    ),
)
# Where a web server is told to serve more than documents.
_WIDE = Pattern(
    r"^(?:/|/(?:etc|root|home|var/lib|var/backups|mnt|host|var|run)(?:/.*)?|/(?:srv|opt)|~|\$HOME|/home/.*)$"
)
_SERVERS = Pattern(r"\bhttp\.server\b|\bSimpleHTTPServer\b|\bpyftpdlib\b|\bun -e? ?httpd\b|-run -e ?httpd")
_PROGRAM = Pattern(
    r"\bto\s+program\s+['$].{0,200}?\b(?:curl|wget|nc|ncat|ssh|scp|rsync|mail|aws|gsutil|rclone|socat|python\d?"
    r"|perl|bash|sh\s+-c|base64|openssl|dig|nslookup)\b",
    re.IGNORECASE | re.DOTALL,
)
_SENDING_QUERY = Pattern(
    r"\bxp_cmdshell\b.{0,200}?\b(?:curl|certutil|bitsadmin|powershell|nslookup|copy|net use)\b"
    r"|\butl_(?:http|inaddr|smtp|tcp)\."
    r"|\binto\s+(?:out|dump)file\s+'(?:/var/www|/srv/www|/usr/share/nginx|\\\\)|\bbackup\s+database\b.{0,200}?\bto\s+url\b"
    r"|\binsert\s+into\s+function\s+(?:url|s3|remote(?:secure)?|hdfs)\s*\(|\binto\s+outfile\s+s3\b"
    r"|\bload_file\s*\(\s*concat\s*\(\s*'\\\\",
    re.IGNORECASE | re.DOTALL,
)
_DBLINK = Pattern(
    r"\bdblink(?:_connect|_exec)?\s*\(\s*'[^']{0,200}\bhost(?:addr)?\s*=\s*([\w.-]+)|\bpostgres_fdw\b.{0,300}?\bhost\s+'([\w.-]+)'"
    r"|\bcreate\s+subscription\b.{0,200}?\bhost=([\w.-]+)|\bopenrowset\s*\(.{0,200}?server=([\w.-]+)",
    re.IGNORECASE | re.DOTALL,
)
_INSIDE = Pattern(r"(?:^localhost$|^127\.|^10\.|^192\.168\.|\.svc\b|\.local$|\.internal$|^[\w-]+$)")
_CONSUMER = Pattern(
    r"^:(?:mega|drive|dropbox|onedrive|box|pcloud|putio|yandex|sftp|ftp|webdav|http|sugarsync|jottacloud|protondrive)\b"
)
_ON_THE_SPOT = Pattern(r"^RCLONE_CONFIG_\w+_(?:TYPE|PASS|USER|HOST|URL)=")
_SECRET_FILE = Pattern(
    r"(?:^|/)(?:\.env\b|\.ssh|\.aws|\.kube|id_rsa|secrets?\b|credentials?\b)|\.(?:pem|key|tfstate|kdbx)$"
)
_COPIES = frozenset({"copy", "sync", "move", "copyto", "moveto", "rcat", "bisync"})


def given_away(command: Command, made_up: bool, tracked: bool) -> str:
    """How a command gives data away where it lies, as the end of a sentence.

    `made_up` says that the script set up an account for it, `tracked` that it put secrets into a repository.
    """
    if tracked and command.name == "git" and any(word.value == "push" for word in command.arguments):
        return "sends a repository away with secrets in it"
    return meaning(command, _KNOWN) or _mirrored(command, made_up) or _queried(command) or _served(command)


def makes_account(command: Command) -> bool:
    """True where a script sets up an account of `rclone` for itself."""
    words = [*command.assigns, *command.arguments]
    if any(_ON_THE_SPOT.match(word.when_empty) for word in words):
        return True
    return command.name == "rclone" and [word.value for word in command.arguments[:2]] == ["config", "create"]


def tracks_secrets(command: Command) -> bool:
    """`git add -f .env secrets/`: what a repository was told to leave out."""
    if command.name != "git":
        return False
    words = [word.when_empty for word in command.arguments]
    adds = "add" in words and bool({"-f", "--force"} & set(words))
    return adds and any(_SECRET_FILE.search(word) for word in words)


def _mirrored(command: Command, made_up: bool) -> str:
    if command.name != "rclone":
        return ""
    words = [word.when_empty for word in command.arguments if not word.when_empty.startswith("-")]
    if not words or words[0] not in _COPIES:
        return ""
    if any(_CONSUMER.match(word) for word in words[1:]):
        return _FOREIGN
    sources = [word for word in words[1:-1] if word.startswith(("/", "~"))]
    return _FOREIGN if made_up and sources and not all(word.startswith("/tmp/") for word in sources) else ""  # noqa: S108 - what a script names


def _queried(command: Command) -> str:
    if command.name not in _DATABASES:
        return ""
    text = "\n".join(word.when_empty for word in (*command.arguments, *here_documents(command)))[:8192]
    if _PROGRAM.search(text) or _SENDING_QUERY.search(text):
        return "lets the database send its data away"
    hosts = [host for found in _DBLINK.finditer(text) for host in found.groups() if host]
    outside = any(not _INSIDE.search(host) for host in hosts)
    return "lets the database send its data away" if outside else ""


def _served(command: Command) -> str:
    """`python3 -m http.server --directory /`, `php -S 0.0.0.0:80 -t /etc`, `busybox httpd -h /`."""
    line = " ".join(word.when_empty for word in command.arguments)
    serves = (
        _SERVERS.search(line) is not None
        or (command.name == "php" and "-S" in line)
        or (command.name in ("httpd", "darkhttpd", "caddy", "miniserve", "webfsd", "twistd", "serve"))
        or (command.name == "kubectl" and "proxy" in line and ("--www=/" in line or "accept-hosts" in line))
    )
    if not serves:
        return ""
    folders = [word.when_empty for word in command.arguments if word.when_empty.startswith(("/", "~"))]
    folders += [word.when_empty.partition("=")[2] for word in command.arguments if "=/" in word.when_empty]
    named = any(word.when_empty.startswith(("--directory", "-d", "-t", "-h")) for word in command.arguments)
    if not folders and not named and command.folder is not None:
        folders = [command.folder]
    return _SERVED if any(_WIDE.match(folder) for folder in folders) else ""


_DATABASES = frozenset(
    {
        "psql",
        "mysql",
        "mariadb",
        "sqlcmd",
        "sqlplus",
        "clickhouse-client",
        "usql",
        "tsql",
        "osql",
        "duckdb",
        "sqlite3",
    }
)
