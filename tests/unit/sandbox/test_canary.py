import socket
import subprocess
import sys
from pathlib import Path

import pytest

from wpk_sandbox.sandbox import canary
from wpk_sandbox.sandbox.canary import Target
from wpk_sandbox.sandbox.sandbox import Answer, Evidence, Route
from wpk_sandbox.sandbox.shells.probe import Answers

METADATA = Target("metadata address", "169.254.169.254", 80)
SYSTEM = ("sh", "cat", "rm")


def route(host: str) -> Route:
    return Route(host, 443, Answer.MOCKED, lambda connection: connection.close())


def judged(line: str, **how: bool) -> Evidence:
    answers = Answers(f"uid\t1\ntool\tbash\nreach metadata address\t{line}\ndenied\ta mount\n")
    return canary.evidence(answers, (METADATA,), **how)[0]


@pytest.mark.parametrize(
    "words",
    [
        "1 169.254.169.254: connect: Network is unreachable",
        "1 nc: can't connect to remote host: Cannot assign requested address",
        "1 [Errno 113] No route to host",
        "1 [Errno 97] Address family not supported by protocol",
        "1 nc: bad address 'example.com'",
        "1 example.com: line 1: example.com: Temporary failure in name resolution",
        "1 [Errno -2] Name or service not known",
        "1 nc: can't connect to remote host (192.0.2.10): Network unreachable",
        "1 nc: can't connect to remote host: Address not available",
        "1 [Errno -3] Try again",
        "1 [Errno -2] Name does not resolve",
    ],
)
def test_no_way_and_no_name_are_what_a_closed_network_says(words: str) -> None:
    assert judged(words).held


@pytest.mark.parametrize(
    "words",
    ["0 ", "0 something", "124 ", "143 ", "1 nc: timed out", "1 Operation timed out", "1 odd words", "", "1 "],
)
def test_a_connection_silence_and_whatever_is_not_understood_are_open(words: str) -> None:
    assert not judged(words).held
    assert not judged(words, gate=True).held


def test_a_refusal_is_somebody_unless_there_is_a_gate_to_refuse() -> None:
    assert not judged("1 bash: connect: Connection refused").held
    assert judged("1 bash: connect: Connection refused", gate=True).held


def test_evidence_tells_what_was_tried_with_what_and_the_answer() -> None:
    seen = judged("1 169.254.169.254: connect: Network is unreachable").seen
    assert seen == "169.254.169.254, port 80: Network is unreachable (bash)"


def test_what_no_program_could_try_is_said_to_be_untried_and_judged_by_the_interfaces() -> None:
    def untried(*interfaces: str, gate: bool = False) -> list[Evidence]:
        lines = "".join(f"interface\t{name}\n" for name in interfaces)
        return canary.evidence(Answers(f"uid\t1\ntool\t\n{lines}"), (METADATA,), gate=gate)

    closed, rights = untried("lo")
    assert closed.held
    assert closed.seen.startswith("not tried")
    assert (rights.held, rights.seen.partition(":")[0]) == (True, "not tried")
    assert not untried("lo", "eth0", gate=True)[0].held
    assert untried("lo", "wpk0", gate=True)[0].held
    assert not untried("lo", "wpk0")[0].held


def test_a_script_that_never_ran_proves_nothing() -> None:
    assert not any(found.held for found in canary.evidence(Answers(""), ()))


def test_a_right_that_was_gained_is_open() -> None:
    answers = Answers("uid\t1\ngained\ta mount\ndenied\tsudo\n")
    assert canary.evidence(answers, ()) == [Evidence("canary: rights", False, "gained a mount")]


def test_what_a_route_answers_for_is_not_tried() -> None:
    targets = {each.name: each for each in canary.targets("10.0.0.1", [route("169.254.169.254"), route("*.com")])}
    assert targets["metadata address"].answered
    assert targets["DNS"].host == "example.org"
    assert not targets["host's gateway"].answered
    assert "169.254.169.254" not in canary.script(targets.values())
    (found, *_) = canary.evidence(Answers("uid\t1\ntool\tnc\n"), [targets["metadata address"]])
    assert (found.held, "route" in found.seen) == (True, True)


TABLE = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
"""


@pytest.mark.skipif(sys.byteorder != "little", reason="the table is written in the order of the processor's bytes")
def test_the_way_out_of_a_host_is_its_gateway() -> None:
    assert canary.next_hop(TABLE) == "192.0.2.1"


@pytest.mark.parametrize(
    "table", ["", TABLE.replace("010200C0", "00000000"), "eth0\t00000000\tno number\t0003", "eth0"]
)
def test_a_host_without_a_way_out_has_no_gateway(table: str) -> None:
    assert canary.next_hop(table) is None


def test_an_address_is_the_same_in_every_form() -> None:
    targets = {each.name: each for each in canary.targets(None, [route("[fd00:0ec2:0::254]")])}
    assert targets["metadata address, IPv6"].answered
    assert "host's gateway" not in targets


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A host whose only programs are those that a test puts there: nothing can leave it."""
    for name in SYSTEM:
        (tmp_path / name).symlink_to(Path("/bin") / name)
    return tmp_path


def program(host: Path, name: str, script: str) -> None:
    (host / name).write_text(f"#!/bin/sh\n{script}\n")
    (host / name).chmod(0o755)


def ran(host: Path, *targets: Target) -> Answers:
    argv = ["/bin/sh", "-c", canary.script(targets)]
    done = subprocess.run(argv, env={"PATH": str(host)}, capture_output=True, text=True, timeout=30, check=False)
    return Answers(done.stdout)


def test_the_script_tries_each_target_with_the_first_program_that_it_finds(host: Path) -> None:
    program(host, "nc", 'echo "nc: no way to $5 $6" >&2; echo more; exit 1')
    assert ran(host, METADATA).one("reach metadata address") == "1 nc: no way to 169.254.169.254 80"
    program(host, "timeout", 'shift; exec "$@"')
    program(host, "bash", 'echo "bash: no way to $3 $4" >&2; exit 1')
    answers = ran(host, METADATA)
    assert answers.one("tool") == "bash"
    assert answers.one("reach metadata address") == "1 bash: no way to 169.254.169.254 80"


@pytest.fixture
def bash(host: Path) -> Path:
    """A host with a real bash, and a `timeout` that notes each start of it."""
    (host / "bash").symlink_to("/bin/bash")
    program(host, "timeout", f'echo start >>{host}/starts; shift; exec "$@"')
    return host


def starts(host: Path) -> int:
    return len((host / "starts").read_text().splitlines())


def test_bash_is_started_once_for_all_targets(bash: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        targets = Target("open", "127.0.0.1", listener.getsockname()[1]), Target("it's closed", "127.0.0.1", 1)
        answers = ran(bash, *targets)
    assert answers.one("reach open") == "0 "
    assert answers.one("reach it's closed").endswith(": Connection refused")
    assert answers.one("reach it's closed").startswith("1 ")
    assert starts(bash) == 1


def test_what_bash_did_not_come_to_while_it_was_kept_waiting_is_tried_by_itself(bash: Path) -> None:
    program(bash, "timeout", f'echo start >>{bash}/starts; shift; [ $(wc -l <{bash}/starts) = 1 ] || exec "$@"')
    (bash / "wc").symlink_to("/usr/bin/wc")
    answers = ran(bash, Target("one", "127.0.0.1", 1), Target("another", "127.0.0.1", 2))
    assert [answers.one(f"reach {name}")[:2] for name in ("one", "another")] == ["1 ", "1 "]
    assert starts(bash) == 3


def test_each_target_has_one_answer_though_one_is_named_like_the_beginning_of_another(bash: Path) -> None:
    answers = ran(bash, Target("address, IPv6", "127.0.0.1", 2), Target("address", "127.0.0.1", 1))
    assert [len(answers.all(f"reach {name}")) for name in ("address", "address, IPv6")] == [1, 1]


def test_the_script_knows_busyboxs_own_way(host: Path) -> None:
    program(host, "nc", '[ "$1" = --help ] && echo BusyBox || echo "$*"; exit 1')
    assert ran(host, METADATA).one("reach metadata address") == f"1 -w {canary.PATIENCE} 169.254.169.254 80 -e true"


def test_the_script_says_that_it_is_connected(host: Path) -> None:
    program(host, "python3", "exit 0")
    assert not canary.evidence(ran(host, METADATA), (METADATA,))[0].held


def test_the_script_says_so_where_there_is_nothing_to_try_with(host: Path) -> None:
    answers = ran(host, METADATA)
    assert answers.all("tool") == [""]
    assert not answers.all("reach metadata address")


def test_the_script_tells_rights_that_it_gained_from_those_that_were_denied(host: Path) -> None:
    program(host, "unshare", "exit 1")
    program(host, "sudo", "exit 0")
    answers = ran(host)
    assert (answers.all("denied"), answers.all("gained")) == (["a user namespace"], ["sudo"])
