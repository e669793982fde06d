import os
import re
from contextlib import ExitStack
from pathlib import Path

import pytest

from wpk_sandbox.sandbox.sandbox import SandboxSpec
from wpk_sandbox.sandbox.shells import bubblewrap_root, delivery
from wpk_sandbox.sandbox.shells.bubblewrap import BUBBLEWRAP


def test_host_without_bubblewrap_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    reason = BUBBLEWRAP.why_not(SandboxSpec())
    assert reason is not None
    assert "apt install bubblewrap" in reason


def test_host_that_refuses_namespaces_is_told_what_bubblewrap_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    refusing = tmp_path / "bwrap"
    refusing.write_text("#!/bin/sh\necho 'No permissions to create a new namespace' >&2\nexit 1\n")
    refusing.chmod(0o755)
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    reason = BUBBLEWRAP.why_not(SandboxSpec())
    assert reason is not None
    assert "No permissions to create a new namespace" in reason
    assert "; " in reason, "a remedy follows"


def test_nothing_of_the_host_is_writable_or_outside_of_what_is_named() -> None:
    with ExitStack() as files:
        arguments, descriptors = bubblewrap_root.root_arguments(Path("/usr/bin/python3"), "{}", files)
        contents = {number: os.read(number, 65536) for number in descriptors}
    binds = [(option, *arguments[at + 1 : at + 3]) for at, option in enumerate(arguments) if "bind" in option]
    assert {option for option, source, _ in binds if not source.startswith("/dev/")} <= {
        "--ro-bind",
        "--ro-bind-try",
    }
    sources = {source for _, source, _ in binds}
    assert "/usr" in sources, "the control is bound"
    assert all(
        re.match(r"/(usr|s?bin|lib\w*|dev/(\w+|net/tun)|etc/(ssl|pki|alternatives|ld\.so)\S*)$", path)
        for path in sources
    )
    assert arguments.index("--remount-ro") > max(at for at, option in enumerate(arguments) if "bind" in option)
    assert any(b"wpk:x:65532:65532" in content for content in contents.values())


def test_interpreter_outside_usr_is_bound_without_the_rest_of_its_home() -> None:
    with ExitStack() as files:
        arguments, _ = bubblewrap_root.root_arguments(Path("/home/me/python/bin/python3.12"), "{}", files)
    mine = [part for part in arguments if part.startswith("/home/me")]
    assert set(mine) == {"/home/me/python/bin/python3.12", "/home/me/python/lib"}


def test_every_namespace_is_asked_for() -> None:
    for namespace in ("user", "pid", "net", "ipc", "uts", "cgroup-try"):
        assert f"--unshare-{namespace}" in bubblewrap_root.NAMESPACES


def test_interpreter_is_one_that_the_sandbox_can_read() -> None:
    own = delivery.interpreter(None)
    assert own is not None
    assert own.is_absolute()
    others = delivery.interpreter(65532)
    assert others is None or all(folder.stat().st_mode & 0o001 for folder in others.parents)
