"""What deletes a system is found however it is written; what only mentions it is not."""

import pytest
from checking import of_shell, one, shell

from wpk_sandbox.finding import Severity

SYSTEM, DATA, EXPANSION = "shell-destroy-system", "shell-destroy-data", "shell-unsafe-expansion"

DESTROYS_THE_SYSTEM = [
    "rm -rf /",
    "rm -rf  /",
    "rm -fr -- /",
    "rm -r -f /",
    "rm --recursive --force /",
    "rm / -rf",
    "rm -Rf //",
    "rm -rf /*",
    "rm -rf /.",
    "rm -rf /..",
    "rm -rf /tmp/../",
    "rm -rf /./etc",
    'rm -rf "/"',
    "rm -rf '/'",
    "rm -rf $'/'",
    "rm -rf $'\\x2f'",
    'r"m" -rf /',
    "\\rm -rf /",
    "/bin/rm -rf /",
    "rm -rf /etc /tmp/x",
    "rm -rf /usr/*",
    "rm -rf /{bin,usr}",
    "rm -rf /[a-z]*",
    "rm -rf /b*",
    "rm -rf /var/lib/kubelet",
    "rm -rf /host/etc",
    "rm -f /etc/*",
    "rm -f /etc/passwd",
    "rm -rf / # clean",
    "rm -rf / || true",
    "true && rm -rf /",
    "! rm -rf /",
    "{ rm -rf /; }",
    "(rm -rf /)",
    "rm -rf / &",
    "if true; then rm -rf /; fi",
    "case $x in a) rm -rf /;; esac",
    "while read x; do rm -rf /; done",
    "for d in /tmp/a /; do rm -rf $d; done",
    "f() { rm -rf /; }",
    'f() { rm -rf "$1"; }; f /',
    "echo $(rm -rf /)",
    "echo `rm -rf /`",
    "cat <(rm -rf /)",
    'if [ "$(rm -rf /)" = x ]; then echo; fi',
    "cat <<EOF\n$(rm -rf /)\nEOF\n",
    "sudo rm -r -f /*",
    "sudo -u root -- rm -rf /",
    "doas rm -rf /",
    "env X=1 rm -rf /",
    "env -i PATH=/bin rm -rf /",
    "X=1 rm -rf /",
    "timeout 5 rm -rf /",
    "timeout -s KILL 5s rm -rf /",
    "nice -n 19 rm -rf /",
    "nohup rm -rf / &",
    "time rm -rf /",
    "exec rm -rf /",
    "command rm -rf /",
    "busybox rm -rf /",
    "chroot /host rm -rf /",
    "nsenter -t 1 -m -- rm -rf /",
    "xargs rm -rf /",
    "echo / | xargs rm -rf",
    "find /tmp -exec rm -rf / \\;",
    "flock /tmp/lock rm -rf /",
    "flock /tmp/lock -c 'rm -rf /'",
    "trap 'rm -rf /' EXIT",
    "su - root -c 'rm -rf /'",
    "watch rm -rf /",
    "ssh db.default.svc rm -rf /",
    "kubectl exec web -- rm -rf /",
    "docker exec -it web rm -rf /",
    "sh -c 'rm -rf /'",
    'bash -lc "rm -rf /"',
    "bash -e -c 'rm -rf /'",
    "sudo sh -c 'rm -rf /'",
    "sh -c \"sh -c 'rm -rf /'\"",
    "eval 'rm -rf /'",
    "eval rm -rf /",
    "bash <<EOF\nrm -rf /\nEOF\n",
    "bash <<< 'rm -rf /'",
    "echo 'rm -rf /' | sh",
    "printf '%s' 'rm -rf /' | bash -s",
    "cat <<'EOF' | sh\nrm -rf /\nEOF\n",
    "X=/; rm -rf $X",
    "X=/; rm -rf ${X}",
    'export X=/; rm -rf "$X"',
    "X=/; Y=$X; rm -rf $Y",
    "X=$(echo /); rm -rf $X",
    "if a; then X=/; else X=/tmp/y; fi; rm -rf $X",
    'CMD="rm -rf /"; $CMD',
    'CMD="rm -rf /"; sh -c "$CMD"',
    "cd / && rm -rf *",
    "cd / || exit 1; rm -rf ./*",
    "cd /etc; rm -rf .",
    "rm > /tmp/log -rf / 2>&1",
    "find / -delete",
    "find / -type f -delete",
    "find /etc -exec rm -rf {} +",
    "find / -exec shred {} \\;",
    "mv / /dev/null",
    "mv /etc /tmp/etc.old",
    "chmod -R 777 /",
    "chown -R nobody: /etc",
    "rsync -a --delete /empty/ /",
    "truncate -s 0 /etc/passwd",
    "> /etc/passwd",
    "echo x > /etc/shadow",
]
HARMLESS = [
    'echo "rm -rf /"',
    "echo rm -rf /",
    "printf 'rm -rf /\\n' > /tmp/advice",
    "# rm -rf /",
    "true # rm -rf /",
    "cat <<'EOF'\nrm -rf /\nEOF\n",
    "cat <<EOF > /tmp/x\nrm -rf /\nEOF\n",
    "cat <<'EOF'\n$(rm -rf /)\nEOF\n",
    "grep 'rm -rf /' /tmp/log",
    "git -C /repo log --grep 'rm -rf /'",
    "rm -rf /tmp/x",
    "rm -rf /tmp/*",
    "rm -rf /var/cache/app",
    "rm -rf /var/log/app/*",
    "rm -rf ./build",
    "rm -rf build/*",
    "rm -f /tmp/*",
    "rm /tmp/x /",
    "rm -i /etc/motd",
    'rm -rf "/*"/x',
    "rm -rf /tmp/{a,b}",
    "cd /tmp && rm -rf *",
    "(cd / && ls); rm -rf *",
    "cd / && rm -rf tmp/x",
    "X=/tmp/x; rm -rf $X",
    "X=/; X=/tmp/x; rm -rf $X",
    "X=/tmp/x; rm -rf ${X:-/}",
    "for d in /tmp/a /tmp/b; do rm -rf $d; done",
    'f() { rm -rf "$1"; }; f /tmp/x',
    "sh -c 'echo rm -rf /'",
    "bash -c 'echo \"$1\"' -- 'rm -rf /'",
    "xargs echo rm -rf / < /tmp/list",
    "find /tmp -mtime +7 -delete",
    "find / -name core -print",
    "find / -type f -exec grep -l x {} +",
    "mv /tmp/a /etc",
    "mv /etc/app.conf /etc/app.conf.old",
    "chmod 644 /etc/hosts",
    "chmod -R 755 /srv/app",
    "rsync -a --delete /srv/a/ /srv/b/",
    "rsync -a / /backup/",
    "echo '127.0.0.1 db' >> /etc/hosts",
    "ls /",
    "kubectl exec web -- ls /",
    "trap - EXIT",
    "sudo -v",
    "test -d / && echo rm",
]
DESTROYS_WHEN_EMPTY = [
    'rm -rf "${DIR}/"*',
    'rm -rf "$DIR"/*',
    "rm -rf $DIR/",
    "rm -rf ${DIR}/",
    "rm -rf /${DIR}",
    "rm -rf /home/${NAME}",
    'rm -rf "${PREFIX}/usr"',
    'sh -c "rm -rf $DIR/*"',
    "rm -rf ${DIR:-/}",
    "rm -rf ${DIR%/}/",
    'rm -rf "$(cat /tmp/dir)/"',
    'DIR=$(cat /tmp/dir); rm -rf "$DIR"/*',
    "find $DIR/ -delete",
    'f() { rm -rf "$1"/*; }',
    "rm -rf ~",
    "rm -rf ~/*",
    "rm -rf $HOME",
    'rm -rf "$HOME"/*',
    "find / -name core -delete",
]
HARMLESS_WHEN_EMPTY = [
    'rm -rf "${DIR:?}/"*',
    'rm -rf "${DIR:?is not set}"/*',
    'rm -rf "${DIR}"',
    "rm -rf ${DIR}",
    'rm -rf "/tmp/${DIR}"',
    'rm -rf "/var/cache/app/${DIR}/"*',
    "rm -rf ${DIR:-/tmp/work}/*",
    "DIR=$(mktemp -d); rm -rf $DIR/*",
    'DIR=/tmp/x; rm -rf "${DIR%/}"/*',
    'echo "${DIR}/"*',
    "rm -rf $DIR/cache",
    "rm -rf /tmp/$$/*",
    "rm -rf ~/.cache/app",
]


@pytest.mark.parametrize("command", DESTROYS_THE_SYSTEM)
def test_a_command_that_destroys_the_system_is_critical(command: str) -> None:
    assert SYSTEM in of_shell(command)


@pytest.mark.parametrize("command", HARMLESS)
def test_a_command_that_destroys_nothing_is_left_alone(command: str) -> None:
    assert not {SYSTEM, DATA} & of_shell(command)


@pytest.mark.parametrize("command", DESTROYS_WHEN_EMPTY)
def test_a_command_that_destroys_when_a_variable_is_empty_is_told_of_once(command: str) -> None:
    assert {SYSTEM, DATA, EXPANSION} & of_shell(command) in ({DATA}, {EXPANSION})


@pytest.mark.parametrize("command", HARMLESS_WHEN_EMPTY)
def test_a_variable_that_cannot_be_empty_or_does_no_harm_is_left_alone(command: str) -> None:
    assert not {SYSTEM, DATA} & of_shell(command)


def test_the_fix_shows_the_guarded_word() -> None:
    found = one(DATA, shell('rm -rf "/var/lib/mysql/${DIR}"'))
    assert found.severity is Severity.HIGH
    assert (
        found.message == "`rm -rf /var/lib/mysql/${DIR}` deletes the data in /var/lib/mysql when `${DIR}` is empty"
    )
    assert found.fix == "Write `/var/lib/mysql/${DIR:?}`: the shell then stops when `DIR` is empty."


@pytest.mark.parametrize("test", ['[ -n "$DIR" ] || exit 1', 'test -z "$DIR" && exit 1', ": ${DIR:?}", "set -u"])
def test_a_variable_that_is_looked_at_before_is_left_alone(test: str) -> None:
    command = 'rm -rf "/var/lib/mysql/${DIR}"'
    assert DATA in of_shell(command)
    assert DATA not in of_shell(f"{test}\n{command}")
