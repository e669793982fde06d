"""Which shell `local` takes, and what it says of a host that gives less."""

from pathlib import Path

import pytest

from wpk_sandbox.sandbox.sandbox import Answer, Network, Route, SandboxSpec
from wpk_sandbox.sandbox.shells.landlock import LANDLOCK
from wpk_sandbox.sandbox.shells.local import LOCAL, shortcomings
from wpk_sandbox.sandbox.table import SANDBOXES

ROUTED = SandboxSpec(network=Network((Route("example.com", 443, Answer.MOCKED, lambda stream: stream.close()),)))


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A host whose bubblewrap gets no namespaces."""
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'No permissions to create a new namespace' >&2\nexit 1\n")
    for path in (program, tmp_path, *tmp_path.parents[:-2]):
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


def test_table_has_it_for_local() -> None:
    assert SANDBOXES["local"].shell() is LOCAL


@pytest.mark.needs("bwrap")
def test_nothing_is_weaker_where_namespaces_are_to_be_had() -> None:
    assert LOCAL.why_not(SandboxSpec()) is None
    assert not any("Landlock" in what for what, _ in shortcomings(SandboxSpec()))


@pytest.mark.needs("landlock")
@pytest.mark.usefixtures("refusing")
def test_refused_namespaces_are_told_with_the_remedy() -> None:
    assert LOCAL.why_not(SandboxSpec()) is None
    what, remedy = shortcomings(SandboxSpec())[0]
    assert "weaker than namespaces" in what
    assert "No permissions to create a new namespace" in what
    assert remedy


@pytest.mark.usefixtures("refusing")
def test_routes_need_namespaces() -> None:
    assert "no sockets" in (LANDLOCK.why_not(ROUTED) or "")
    assert "refuses namespaces" in (LOCAL.why_not(ROUTED) or "")
    assert shortcomings(ROUTED) == ()


def test_limits_that_nobody_holds_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wpk_sandbox.sandbox.shells.local.hierarchies", lambda: ())
    if LOCAL.why_not(SandboxSpec()):
        pytest.skip("this host has no shell for local")
    (what, remedy), *_ = [found for found in shortcomings(SandboxSpec()) if "control groups" in found[0]]
    assert what.startswith("memory, processes, CPU bounded")
    assert "`systemd-run --user --scope" in remedy
