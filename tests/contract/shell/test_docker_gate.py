"""What only a gate in a container of its own can suffer."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest
from gate_image import gate_image
from shell_suite import LIMITS, PROVIDERS, Kind, containers_of

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.sandbox import Answer, Network, Route, SandboxSpec

pytestmark = pytest.mark.needs("docker")


@pytest.fixture
def gated() -> Kind:
    image = gate_image()
    network = Network(gate_image=image)
    return Kind(PROVIDERS["docker"], SandboxSpec(shell_image=image, limits=LIMITS, network=network, pull=False))


def test_gate_that_is_killed_leaves_the_shell_closed_and_is_told(gated: Kind) -> None:
    ledger = gated.ledger()
    connect = "python3 -I -c \"import socket; socket.create_connection(('192.0.2.9', 22), 5)\""
    with gated.open(ledger) as shell:
        assert "refused" in shell.run(connect, environment={}, timeout=20).stderr
        (gate,) = [each for each in containers_of(ledger.run_id) if "gate" in _name(each)]
        waiting = f"sleep 1.5; {connect}"
        daemon.client().api.kill(gate)
        during = shell.run(waiting, environment={}, timeout=20)
        assert during.exit_code != 0
        observed = shell.observed()
        assert any("the gate ended" in event.message for event in observed.events)
        assert {each.port for each in observed.attempts} >= {22}
        shell.run(connect.replace("22", "24"), environment={}, timeout=20)
        assert {each.port for each in shell.observed().attempts} == {24}


def test_commands_cannot_end_or_read_the_gate(gated: Kind) -> None:
    script = """
        for id in /proc/[0-9]*; do
          id=${id#/proc/}
          if grep -q gate /proc/$id/cmdline 2>/dev/null && [ $id != $$ ]; then echo found; kill -9 $id; fi
          cat /proc/$id/environ >/dev/null 2>&1 && [ "$(stat -c %u /proc/$id)" != 65532 ] && echo read
        done; true
    """
    with gated.open() as shell:
        said = shell.run(script, environment={}, timeout=20).stdout
        assert "found" in said
        assert "read" not in said
        connect = "python3 -I -c \"import socket; socket.create_connection(('192.0.2.9', 22), 5)\""
        shell.run(connect, environment={}, timeout=20)
        observed = shell.observed()
    assert [each.port for each in observed.attempts] == [22]
    assert [event for event in observed.events if "ended" in event.message] == []


def test_image_without_python_leaves_the_shell_closed_and_unrecorded(gated: Kind) -> None:
    bare = replace(gated, spec=replace(gated.spec, shell_image="busybox:1.36", network=Network()))
    with bare.open() as shell:
        completed = shell.run("nc -w 2 192.0.2.9 22", environment={}, timeout=20)
        assert "unreachable" in completed.stderr
        assert "not recorded" in shell.details
        assert all(item.held for item in shell.evidence())


def test_routes_without_a_gate_are_an_error(gated: Kind) -> None:
    routed = Route("mocked.test", 80, Answer.MOCKED, socket.socket.close)
    network = Network(routes=(routed,))
    bare = replace(gated, spec=replace(gated.spec, shell_image="busybox:1.36", network=network))
    with pytest.raises(SandboxError, match="routes cannot be had") as raised, bare.open() as shell:
        shell.run("true", environment={}, timeout=20)
    assert "name an image with Python" in raised.value.remedy


@pytest.mark.parametrize("has_python", [False, True])
def test_gate_is_not_kept_with_its_shell_because_it_ends_with_us(gated: Kind, has_python: bool) -> None:
    ledger = gated.ledger()
    ledger.keep = True
    network = gated.spec.network if has_python else Network(gate_image="busybox:1.36")
    kept = replace(gated, spec=replace(gated.spec, shell_image="busybox:1.36", network=network))
    try:
        with kept.open(ledger) as shell:
            shell.run("true", environment={}, timeout=20)
            assert ("not recorded" in shell.details) != has_python
            gates = [each for each in containers_of(ledger.run_id) if "gate" in _name(each)]
            assert len(gates) == has_python, "one that cannot start is removed at once"
        (left,) = containers_of(ledger.run_id)
        assert left not in gates
        assert ledger.tally().kept == 1
    finally:
        for each in containers_of(ledger.run_id):
            daemon.remove_container(each)


def test_gate_has_no_rights_in_effect(gated: Kind) -> None:
    ledger = gated.ledger()
    with gated.open(ledger) as shell:
        shell.run("true", environment={}, timeout=20)
        (gate,) = [each for each in containers_of(ledger.run_id) if "gate" in _name(each)]
        process = daemon.client().api.inspect_container(gate)["State"]["Pid"]
        status = dict(
            line.split(":\t", 1)
            for line in Path(f"/proc/{process}/status").read_text().splitlines()
            if ":\t" in line
        )
    assert int(status["CapEff"], 16) == 0
    assert status["Seccomp"] == "2"
    assert status["NoNewPrivs"] == "1"
    assert status["Uid"].split() == ["0", "65532", "0", "65532"]


def _name(container: str) -> str:
    return str(daemon.client().api.inspect_container(container)["Name"])
