"""The gate stands whatever a command does to it, and the shell is as closed without it."""

from dataclasses import replace

from shell_suite import Kind
from tried import Try, refused

from wpk_sandbox.sandbox.sandbox import Ended, Network, Shell


def test_flood_is_counted_and_the_next_command_is_served(attempt: Try, shell: Shell) -> None:
    tried = attempt("""
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for number in range(5000):
            try:
                opened.sendto(b"x", (f"192.0.2.{number % 250}", 1000 + number))
            except OSError:
                pass
        print("sent")
    """)
    assert tried.said == "sent"
    assert len(tried.observed.attempts) == 500
    assert "more attempts" in tried.observed.events[-1].message
    assert len(tried.observed.attempts) + tried.observed.events[-1].count == 5000
    again = attempt("tried(lambda: connected(('192.0.2.9', 22)))")
    assert (again.said, again.attempts) == ("Connection refused", {refused("tcp", "192.0.2.9", 22)})


def test_what_the_network_brings_is_there(shell: Shell) -> None:
    completed = shell.run("cat /tmp/ca.pem; echo $GIVEN; ls -l /tmp/ca.pem", environment={}, timeout=20)
    assert completed.stdout.startswith("trust me\n42\n-rw-------")


def test_listener_of_the_gate_serves_nobody_who_calls_it(attempt: Try) -> None:
    tried = attempt("""
        with open("/proc/net/tcp") as file:
            rows = [line.split() for line in file.readlines()[1:]]
        ports = [int(row[1].split(":")[1], 16) for row in rows if row[1].startswith("020012C6") and row[3] == "0A"]
        print(len(ports))
        for port in ports:
            tried(lambda: connected(("198.18.0.2", port)))
    """)
    assert tried.said.splitlines()[0] == "1"
    assert "you said" not in tried.said


def test_device_cannot_be_changed_or_made_anew(attempt: Try) -> None:
    tried = attempt("""
        import fcntl
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
            tried(lambda: fcntl.ioctl(opened, 0x8914, struct.pack("16sH22x", b"wpk0", 0)))
        tried(lambda: open("/dev/net/tun", "r+b", buffering=0))
    """)
    assert tried.said.splitlines()[0] == "Operation not permitted"
    assert tried.said.splitlines()[1] in (
        "No such file or directory",
        "Permission denied",
        "Operation not permitted",
    )


def test_shell_that_is_made_anew_is_watched_again(gated: Kind) -> None:
    bomb = "bomb() { bomb | bomb & }; bomb; sleep 3"
    with gated.open() as shell:
        connect = "python3 -I -c \"import socket; socket.create_connection(('192.0.2.9', 22), 5)\""
        shell.run(connect, environment={}, timeout=20)
        ended = shell.run(bomb, environment={}, timeout=20)
        assert ended.ended in (Ended.PROCESSES, Ended.DEADLINE), ended
        completed = shell.run(connect.replace("22", "23"), environment={}, timeout=20)
        assert "refused" in completed.stderr
        ports = {each.port for each in shell.observed().attempts}
        assert ports >= {22, 23}
        route = "python3 -I -c \"import socket; s=socket.create_connection(('10.1.2.3', 5432), 5); s.send(b'hi'); print(s.recv(99))\""
        assert "you said hi" in shell.run(route, environment={}, timeout=20).stdout


def test_without_a_gate_the_shell_is_as_closed(gated: Kind) -> None:
    silent = replace(gated, spec=replace(gated.spec, network=Network(record=False)))
    with silent.open() as shell:
        completed = shell.run(
            "python3 -I -c \"import socket; socket.create_connection(('192.0.2.9', 22), 5)\"",
            environment={},
            timeout=20,
        )
        assert "unreachable" in completed.stderr
        assert shell.observed().attempts == ()
        assert all(item.held for item in shell.evidence())
