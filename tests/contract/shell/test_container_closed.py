"""What only a container shell promises, each against a container of ours that is not closed.

The open twins are bounded in processes and memory, have a network namespace of their own, and are thrown away.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from socket import socket
from typing import Any

import pytest
from gate_image import gate_image
from shell_suite import BUSYBOX, DEBIAN, LIMITS, Kind, eventually

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox import canary, daemon
from wpk_sandbox.sandbox.sandbox import Answer, Evidence, Network, Route, SandboxSpec, Shell, ShellAccess
from wpk_sandbox.sandbox.shells import docker, docker_options
from wpk_sandbox.sandbox.shells.docker import DOCKER
from wpk_sandbox.sandbox.shells.docker_evidence import bridge_gateway
from wpk_sandbox.sandbox.shells.docker_exec import execute
from wpk_sandbox.sandbox.shells.docker_options import facts
from wpk_sandbox.sandbox.shells.docker_posture import posture_evidence
from wpk_sandbox.sandbox.shells.output import STDOUT
from wpk_sandbox.sandbox.shells.probe import Answers

pytestmark = pytest.mark.needs("docker")

Say = Callable[..., str]

SPEC = SandboxSpec(shell_image=BUSYBOX, limits=LIMITS, pull=False, network=Network(record=False))
BOUNDED = {"pids_limit": 60, "mem_limit": "128m"}
OPEN = {
    "cap_add": ["NET_ADMIN", "SYS_ADMIN"],
    "security_opt": ["seccomp=unconfined"],
    "sysctls": {"net.ipv6.conf.all.disable_ipv6": "0"},
}

# Each address that the canary tries, on the loopback of the twin, and somebody who listens there.
ANSWERS = """
ip link set lo up
for address in {addresses}; do ip addr add "$address" dev lo; done
for port in 80 443; do nc -ll -p $port -e cat & done
wait
"""
# Packets go somewhere, where nothing ever answers: the loopback drops what is for nobody.
SWALLOWS = "ip route add 169.254.169.254/32 dev lo && sleep 600"


def kind(image: str = BUSYBOX, **spec: object) -> Kind:
    return Kind(DOCKER, replace(SPEC, shell_image=image, **spec))


@contextmanager
def container(image: str, script: str, **host: object) -> Iterator[tuple[str, Say]]:
    """A container of ours that runs a script, and what commands in it print."""
    ledger = kind().ledger()
    api = daemon.client().api
    options = {
        "entrypoint": ["sh", "-c", script],
        "host_config": api.create_host_config(**{"network_mode": "none", **BOUNDED, **host}),
    }
    with daemon.container(ledger, daemon.resource_name(ledger, "twin"), image, **options) as made:
        api.start(made)

        def say(command: str, user: str = "0") -> str:
            return str(api.exec_start(api.exec_create(made, ["sh", "-c", command], user=user)["Id"]).decode())

        yield made, say


@contextmanager
def answering() -> Iterator[tuple[str, Say]]:
    """A container in whose namespace every target of the canary answers."""
    addresses = [target.host for target in canary.targets(bridge_gateway()) if target.name != "DNS"]
    script = ANSWERS.format(addresses=" ".join(addresses))
    with container(BUSYBOX, script, **OPEN, extra_hosts={"example.com": "192.0.2.10"}) as (made, say):
        assert eventually(lambda: say("nc -w 1 192.0.2.10 443 </dev/null && echo yes") == "yes\n")
        yield made, say


def canaries(evidence: tuple[Evidence, ...]) -> dict[str, Evidence]:
    return {each.probe.removeprefix("canary: "): each for each in evidence if each.probe.startswith("canary: ")}


@pytest.fixture(scope="module", params=[BUSYBOX, DEBIAN])
def image(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def shell(image: str) -> Iterator[Shell]:
    with kind(image).open() as opened:
        yield opened


def test_all_evidence_holds_and_the_canary_was_really_sent(shell: Shell) -> None:
    evidence = shell.evidence()
    assert [each for each in evidence if not each.held] == []
    sent = canaries(evidence)
    assert {"DNS", "TCP to a test address", "metadata address", "host's gateway", "rights"} <= set(sent)
    assert not [each for each in sent.values() if "not tried" in each.seen]


def test_a_command_that_is_held_runs_when_it_may_and_never_without_a_word() -> None:
    order: list[str] = []

    def refuse() -> None:
        raise SandboxError("there is no gate")

    with container(BUSYBOX, "mkdir -m 777 /workspace; sleep 600") as (made, say):
        assert eventually(lambda: say("ls -d /workspace") == "/workspace\n")

        def look() -> None:
            order.append(say("ls /workspace/*"))

        limits: dict[str, Any] = {"timeout": 10.0, "output_limit": 1024}
        outcome = execute(made, "touch first; cat; ls", {}, **limits, meanwhile=look)
        assert ["first" in each for each in order] == [False]
        assert (outcome.exit_code, outcome.output.text(STDOUT)) == (0, "first\n")
        with pytest.raises(SandboxError, match="no gate"):
            execute(made, "touch second", {}, **limits, meanwhile=refuse)
        assert eventually(lambda: "read -r _" not in say("ps -o args | grep -v grep"))
        assert say("ls /workspace") == "first\n"


def test_the_canary_finds_an_open_network_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real shell, put into a namespace of ours in which all that must not answer answers."""

    def opened(spec: SandboxSpec) -> dict[str, Any]:
        options = docker_options.container_options(spec)
        host = {name: value for name, value in options["host_config"].items() if not name.startswith("Dns")}
        return {**options, "hostname": None, "host_config": {**host, "NetworkMode": f"container:{made}"}}

    with answering() as (made, _):
        monkeypatch.setattr(docker, "container_options", opened)
        with kind(network=Network(record=False)).open() as shell:
            evidence = shell.evidence()
    assert not next(each for each in evidence if each.probe == "container: network").held
    sent = canaries(evidence)
    assert sent.pop("rights").held
    assert {name for name, each in sent.items() if each.held} == set()
    assert all("connected" in each.seen for each in sent.values())


def test_the_canary_finds_every_target_and_every_right_of_an_unhardened_twin() -> None:
    tried = canary.targets(bridge_gateway())
    with answering() as (_, say):
        found = canary.evidence(Answers(say(canary.script(tried))), tried)
    assert [each.probe for each in found if each.held] == []
    assert {"a user namespace", "a mount", "another root", "a device"} <= set(
        found[-1].seen.removeprefix("gained ").split(", ")
    )


@pytest.mark.parametrize("tools", ["bash timeout", "perl", "python3"])
def test_each_program_that_an_image_may_have_tells_open_from_closed(tools: str) -> None:
    tried = canary.targets(bridge_gateway())
    only = f"mkdir /only && for tool in {tools}; do ln -s $(command -v $tool) /only/; done; sleep 600"

    def held(network: str) -> dict[str, bool]:
        with container(gate_image(), only, network_mode=network) as (_, say):
            assert eventually(lambda: say("ls /only | wc -l").strip() == str(len(tools.split())))
            answers = Answers(say(f"PATH=/only; {canary.script(tried)}"))
        assert answers.one("tool") == tools.split(maxsplit=1)[0]
        return {each.probe: each.held for each in canary.evidence(answers, tried)[: len(tried)]}

    assert set(held("none").values()) == {True}
    with answering() as (made, _):
        assert set(held(f"container:{made}").values()) == {False}


def test_a_packet_that_goes_somewhere_is_open_even_if_nobody_answers() -> None:
    target = canary.Target("metadata address", "169.254.169.254", 80)
    with container(BUSYBOX, SWALLOWS, **OPEN) as (_, say):
        assert eventually(lambda: "169.254" in say("ip route"))
        (found, _) = canary.evidence(Answers(say(canary.script([target]))), [target])
    assert not found.held


def test_an_unhardened_container_is_not_as_asked_for() -> None:
    with container(BUSYBOX, "sleep 600") as (made, _):
        inspected = daemon.client().api.inspect_container(made)
    found = {each.probe.removeprefix("container: ") for each in posture_evidence(inspected, facts(), SPEC)}
    assert found >= {"capabilities", "system call filter", "no new privileges", "read-only root", "CPU", "log"}


# Calls that fail in the shell with EPERM (the name of the error), by a program that the image has.
REFUSED = {
    "unshare -U true": "unshare",
    "unshare -m true": "unshare",
    "mount -t tmpfs none /tmp": "mount",
    "chroot / true": "chroot",
    "mknod /tmp/disk b 8 0": "mknod",
    "dmesg": "syslog",
}


@pytest.mark.parametrize("command", REFUSED)
def test_calls_of_the_table_are_refused_which_a_twin_allows(shell: Shell, image: str, command: str) -> None:
    completed = shell.run(command, environment={}, timeout=20)
    assert completed.exit_code != 0, completed
    words = (completed.stderr + completed.stdout).lower()
    assert "not permitted" in words or "denied" in words or "must be superuser" in words, completed
    with container(
        image, "sleep 600", cap_add=["SYS_ADMIN", "SYSLOG"], security_opt=["seccomp=unconfined"]
    ) as made:
        assert made[1](f"{command} >/dev/null 2>&1 && echo worked") == "worked\n"


ASK_THE_KERNEL = """
use strict; my %calls = (unshare => [272, 0], keyctl => [250, 0, 0, 0], bpf => [321, 9999, 0, 0], alg => [41, 38, 5, 0],
  vsock => [41, 40, 1, 0], packet => [41, 17, 3, 0], ptrace => [101, 9999, 0, 0, 0], userfaultfd => [323, 1],
  io_uring => [425, 0, 0], perf => [298, 0, 0, 0, 0, 0], clone3 => [435, 0, 0], user => [56, 0x10000011, 0, 0, 0, 0],
  setns => [308, -1, 0], newest => [1023], unix => [41, 1, 1, 0], netlink => [41, 16, 3, 0], nfnetlink => [41, 16, 3, 12]);
for my $name (sort keys %calls) { my @call = @{$calls{$name}};
  $! = 0; my $answer = syscall(shift @call, @call, (0) x (6 - @call)); exit if $name eq "user" && $answer == 0;
  print "$name ", $answer < 0 ? $! + 0 : "done", "\\n"; }
"""
EPERM, ENOSYS = "1", "38"


def test_the_kernel_itself_answers_as_the_table_says() -> None:
    """The profile went through the daemon, its runtime and libseccomp; here is what came out."""
    if facts()["Architecture"] != "x86_64":
        pytest.skip("the numbers are those of x86_64")
    with kind(DEBIAN).open() as shell:
        said = shell.run('perl -e "$PROGRAM"', environment={"PROGRAM": ASK_THE_KERNEL}, timeout=20)
    answers = dict(line.split() for line in said.stdout.splitlines())
    assert {name for name, answer in answers.items() if answer == "done"} == {"unix", "netlink"}
    assert {name for name, answer in answers.items() if answer == ENOSYS} == {"clone3", "newest"}
    assert set(answers.values()) == {EPERM, ENOSYS, "done"}
    with container(DEBIAN, "sleep 600", security_opt=["seccomp=unconfined"], cap_add=["SYS_ADMIN"]) as (_, say):
        control = say(f"perl -e '{ASK_THE_KERNEL}'")
    twin = dict(line.split() for line in control.splitlines())
    assert not {name for name, answer in twin.items() if answer == EPERM} - {"packet"}, twin


def test_no_file_system_takes_files_without_end(shell: Shell) -> None:
    """20 MiB of `/tmp` are 5120 files, however empty; the control makes more of them where there is room."""
    many = "cd {0} && i=0; while [ $i -lt {1} ] && true >$i; do i=$((i+1)); done 2>/dev/null; ls | wc -l; rm -f *"
    made = shell.run(many.format("/tmp", 6000), environment={}, timeout=60).stdout
    assert int(made) < 5120
    assert int(shell.run(many.format("/workspace", 6000), environment={}, timeout=60).stdout) == 6000


LIMITS_INSIDE = {"n": "1024", "c": "0", "l": "64"}


@pytest.mark.parametrize("letter", LIMITS_INSIDE)
def test_each_process_is_limited_and_cannot_raise_it(shell: Shell, image: str, letter: str) -> None:
    said = shell.run(f"ulimit -H{letter}; ulimit -{letter} unlimited && echo raised", environment={}, timeout=20)
    assert said.stdout == f"{LIMITS_INSIDE[letter]}\n"
    with container(image, "sleep 600") as (_, say):
        assert say(f"ulimit -H{letter}") != said.stdout


def test_names_are_not_waited_for_long(shell: Shell) -> None:
    said = shell.run("cat /etc/resolv.conf", environment={}, timeout=20).stdout
    assert "timeout:1 attempts:1" in said
    with container(BUSYBOX, "sleep 600") as (_, say):
        assert "attempts:1" not in say("cat /etc/resolv.conf")


def test_orphans_are_collected(shell: Shell) -> None:
    """Whoever loses its parent becomes a child of process 1, and is nobody's zombie when it ends."""
    shell.run("(sh -c 'sleep 0.1 & exit' &)", environment={}, timeout=20)
    states = (
        'for each in /proc/[0-9]*/stat; do read -r line <$each; echo "${line##*) }"; done 2>/dev/null | cut -c1'
    )
    assert eventually(lambda: "Z" not in shell.run(states, environment={}, timeout=20).stdout)


def test_nothing_that_can_be_written_to_lies_on_a_disk(shell: Shell) -> None:
    (storage,) = [each for each in shell.evidence() if each.probe == "storage"]
    assert storage.seen.startswith("in memory alone: ")
    assert set(storage.seen.partition(": ")[2].split(", ")) == {"/tmp", "/workspace", "/dev/shm"}


@pytest.fixture
def image_with_a_volume() -> Iterator[str]:
    """An image of ours that says VOLUME."""
    api = daemon.client().api
    name = "wpk-sandbox-test-volume:1"
    with container(BUSYBOX, "true") as (made, _):
        api.commit(made, *name.split(":"), changes=["VOLUME /data"])
    yield name
    api.remove_image(name, force=True)


def test_a_volume_of_the_image_is_no_way_to_the_disk(image_with_a_volume: str) -> None:
    with container(image_with_a_volume, "sleep 600") as (made, _):
        control = daemon.client().api.inspect_container(made)["Mounts"]
        assert [mount["Type"] for mount in control] == ["volume"], "the control has a volume on the disk"
    with kind(image_with_a_volume).open() as shell:
        assert [each for each in shell.evidence() if not each.held] == []
        full = shell.run("head -c 30000000 /dev/zero >/data/full", environment={}, timeout=20)
        assert full.exit_code != 0, "20 MiB is all there is"


def test_a_runtime_that_the_daemon_has_is_taken_and_another_refused() -> None:
    runtime = str(facts()["DefaultRuntime"])
    with kind(runtime=runtime).open() as shell:
        assert shell.run("echo ran", environment={}, timeout=20).stdout == "ran\n"
    reason = DOCKER.why_not(replace(SPEC, runtime="runsc-of-nobody"))
    assert reason is not None
    assert "no runtime `runsc-of-nobody`" in reason
    assert runtime in reason
    assert "shell.runtime" in reason.partition("; ")[2]


def test_the_canarys_own_attempts_are_refused_by_the_gate_and_not_told_as_the_packages() -> None:
    recorded = Network(record=True, gate_image=gate_image())
    with kind(DEBIAN, network=recorded).open() as shell:
        evidence = shell.evidence()
        assert [each for each in evidence if not each.held] == []
        assert "Connection refused" in canaries(evidence)["metadata address"].seen
        assert shell.observed().attempts == ()
        shell.run("bash -c 'exec 3<>/dev/tcp/192.0.2.10/443'", environment={}, timeout=20)
        assert {attempt.address for attempt in shell.observed().attempts} == {"192.0.2.10"}


def test_a_shell_with_routes_is_closed_to_all_but_them() -> None:
    """As a kind cluster's shell is, and as one is for which the settings mock the metadata service."""

    def serve(connection: socket) -> None:
        connection.sendall(b"served\n")
        connection.close()

    cluster = Route("kubernetes.default.svc", 443, Answer.CLUSTER, serve)
    mocked = Route("169.254.169.254", 80, Answer.MOCKED, serve)
    network = Network(routes=(mocked,), gate_image=gate_image())
    with kind(DEBIAN, network=network, access=ShellAccess(routes=(cluster,))).open() as shell:
        evidence = shell.evidence()
        assert [each for each in evidence if not each.held] == []
        assert "a route of the settings answers" in canaries(evidence)["metadata address"].seen
        for host, port in (("kubernetes.default.svc", 443), ("169.254.169.254", 80)):
            read = f"bash -c 'exec 3<>/dev/tcp/{host}/{port} && cat <&3'"
            assert shell.run(read, environment={}, timeout=20).stdout == "served\n"
