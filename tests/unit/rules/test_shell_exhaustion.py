"""Loops that never rest, streams that never end and processes without number: found, and told from patient ones."""

import pytest
from checking import of_shell, one, shell

EXHAUSTS = [
    # loops that nothing ends and that never rest
    "while true; do :; done",
    "while :; do :; done &",
    "for ((;;)); do echo busy > /dev/null; done",
    'a=x; while true; do a="$a$a"; done',
    'i=0; while :; do touch "/data/f$i"; i=$((i+1)); done',
    "while true; do kubectl get pods; done",
    'while true; do echo "$(date)"; done',
    "while true; do echo a; done; sleep 5",
    "until false; do curl -s http://web/; done",
    "bash -c 'while true; do echo a; done'",
    # streams
    'yes "fill" | tee /srv/fill.log > /dev/null',
    "yes | sudo tee -a /srv/fill.log",
    "yes | tr y x > /tmp/fill",
    "cat /dev/zero | gzip > /tmp/fill",
    "ssh web-1 'docker exec web sh -c \"yes | tr y x > /tmp/fill\"'",
    "for i in 1 2 3; do yes > /dev/null & done",
    "dd if=/dev/zero of=/dev/shm/fill",
    "dd if=/dev/zero of=/dev/null",
    # tools that make load
    "stress-ng --cpu 0 --vm 4 --vm-bytes 95%",
    "stress -c 8",
]
PATIENT = [
    "while ! pg_isready; do sleep 1; done",
    "while sleep 5; do kubectl get pods; done",
    "while true; do kubectl get pods; sleep 5; done",
    "while true; do check && break; done",
    "while true; do check || exit 1; done",
    "while true; do inotifywait -e create /srv; kubectl get pods; done",
    "while true; do nc -l 8080 < page.http; done",
    "while true; do tail -f /var/log/app.log; done",
    "while true; do kubectl get pods -w; done",
    "while true; do kubectl wait --for=condition=ready pod/web; done",
    "while true; do journalctl -f -u web; done",
    "while true; do ./worker; done",
    "while true; do $COMMAND; done",
    'while read -r line; do echo "$line"; done < hosts.txt',
    'while true; do read -r line; echo "$line"; done',
    "while [ $i -lt 5 ]; do i=$((i+1)); done",
    "timeout 5 sh -c 'while true; do :; done'",
    'for ((i = 0; i < 5; i++)); do echo "$i"; done',
    "rest() { sleep 5; }; while true; do echo a; rest; done",
    # streams with an end
    "yes | head -n 5 > /tmp/x",
    "yes | head -n 5 | tee /tmp/x",
    "yes | tr y n | fsck /dev/vg0/data",
    "cat /dev/urandom | tr -dc a-z | head -c 16 > /tmp/x",
    "yes | tee /dev/null > /dev/null | true",
    "cat /var/log/app.log | tee /tmp/x",
    # a device has an end, and a rule of its own
    "dd if=/dev/zero of=/dev/sdb bs=1M",
    # load with an end
    "stress-ng --cpu 2 --timeout 30s",
    "stress -c 8 -t 30",
    "timeout 30 stress -c 8",
    "stress-ng --version",
]
FORKS = [
    "perl -e 'fork while fork'",
    "perl -e 'while (1) { fork; }'",
    "python3 -c 'import os\nwhile True: os.fork()'",
    "python3 -c 'import os\nwhile 1:\n    os.fork()'",
    "ruby -e 'loop { fork }'",
    "while true; do sh -c work & done",
]
COLLECTS = [
    "perl -e 'fork'",
    "python3 -c 'import os\nwhile True:\n    os.fork()\n    os.wait()'",
    "python3 -c 'while True: print(1)'",
    "while true; do sh -c work & sleep 5; done",
    "while true; do work; done &",
    "while :; do :; done &",
]


@pytest.mark.parametrize("command", EXHAUSTS)
def test_what_uses_the_machine_up_is_found(command: str) -> None:
    assert "shell-exhaustion" in of_shell(command)


@pytest.mark.parametrize("command", PATIENT)
def test_what_rests_or_ends_is_left_alone(command: str) -> None:
    assert "shell-exhaustion" not in of_shell(command)


@pytest.mark.parametrize("command", FORKS)
def test_processes_without_number_are_found(command: str) -> None:
    assert "shell-fork-bomb" in of_shell(command)


@pytest.mark.parametrize("command", COLLECTS)
def test_processes_that_are_waited_for_are_left_alone(command: str) -> None:
    assert "shell-fork-bomb" not in of_shell(command)


def test_a_loop_that_forks_is_one_finding() -> None:
    assert "shell-exhaustion" not in of_shell("while true; do work & done")


def test_the_message_names_a_command_of_the_loop() -> None:
    found = one("shell-exhaustion", shell("while true; do touch a; done"))
    assert found.message == "a loop around `touch a` never ends and never rests"
