"""What a shell is given of the network: routes, files and variables; and whether it gets a gate."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from wpk_sandbox import command
from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox.gate.local import LocalGate
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import Answer, Network, Observed, Route, SandboxSpec, ShellAccess
from wpk_sandbox.sandbox.shells import docker_gate
from wpk_sandbox.sandbox.shells.given import given, routes
from wpk_sandbox.sandbox.shells.placing import LARGEST_FILE, placing

MOCK = Route("a.test", 1, Answer.MOCKED, print)
API = Route("kubernetes.default.svc", 443, Answer.CLUSTER, print)
SILENT = SandboxSpec(network=Network(record=False))


def test_cluster_comes_before_the_network() -> None:
    spec = SandboxSpec(
        access=ShellAccess(files={"/tmp/a": "cluster"}, environment={"A": "cluster"}, routes=(API,)),
        network=Network((MOCK,), {"/tmp/a": "net", "/tmp/b": "net"}, {"A": "net", "B": "net"}),
    )
    assert routes(spec) == (API, MOCK)
    assert given(spec).files == {"/tmp/a": "cluster", "/tmp/b": "net"}
    assert given(spec).environment == {"A": "cluster", "B": "net"}
    assert given(SandboxSpec()) == ShellAccess()


def test_gate_is_there_to_record_or_for_a_route() -> None:
    assert docker_gate.has_gate(SandboxSpec())
    assert not docker_gate.has_gate(SILENT)
    assert docker_gate.has_gate(replace(SILENT, network=Network((MOCK,), record=False)))
    assert docker_gate.has_gate(replace(SILENT, access=ShellAccess(routes=(API,))))


def test_shell_with_a_gate_asks_nobody_else_for_names() -> None:
    options = docker_gate.network_options(SandboxSpec())
    assert (options["dns"], options["dns_search"]) == (["198.18.0.1"], ["."])
    assert docker_gate.network_options(SILENT) == {}


def test_runtime_with_a_kernel_of_its_own_has_no_gate() -> None:
    ledger = Ledger("unit", datetime.now(UTC))
    gate = docker_gate.gate(SandboxSpec(runtime="runsc"), ledger, "shell")
    assert gate is not None
    gate.begin()
    assert not gate.ready()
    assert "runsc" in gate.why_not
    assert gate.observed() == Observed()
    gate.close()
    assert ledger.close().made == 0


def test_route_without_a_gate_is_an_error() -> None:
    spec = SandboxSpec(runtime="runsc", network=Network((MOCK,)))
    gate = docker_gate.gate(spec, Ledger("unit", datetime.now(UTC)), "shell")
    assert gate is not None
    gate.begin()
    with pytest.raises(SandboxError, match=r"routes cannot be had.*runsc") as raised:
        gate.ready()
    assert "image with Python" not in raised.value.remedy
    gate.close()


def test_local_gate_without_a_device_says_why(tmp_path: Path) -> None:
    reason = tmp_path / "reason"
    reason.write_text("Operation not permitted")
    gate = LocalGate(())
    with reason.open("rb") as file:
        gate.begin({"why no gate": file.fileno()})
        assert gate.why_not == "the TUN device could not be made: Operation not permitted"
        with pytest.raises(SandboxError, match="routes cannot be had"):
            LocalGate((MOCK,)).begin({"why no gate": file.fileno()})
    assert gate.observed() == Observed()
    gate.close()
    gate.begin({})
    assert gate.why_not == "there is no TUN device"


def test_files_are_written_for_their_user_alone(tmp_path: Path) -> None:
    contents = {str(tmp_path / "a b/c'd"): "x 'y' \"z\" $HOME\n\n✓", str(tmp_path / "plain"): ""}
    script, variables = placing(contents)
    command.run(["sh", "-c", script], env=variables, timeout=10).require()
    assert {path: Path(path).read_text(encoding="utf-8") for path in contents} == contents
    assert [Path(path).stat().st_mode & 0o777 for path in contents] == [0o600, 0o600]


def test_file_that_is_too_large_is_refused() -> None:
    placing({"/tmp/a": "x" * LARGEST_FILE})
    with pytest.raises(SandboxError, match=r"/tmp/a is larger than 120"):
        placing({"/tmp/a": "x" * (LARGEST_FILE + 1)})
