"""What a kind cluster needs of the host, without one."""

from pathlib import Path

import pytest

from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.clusters.kind import KIND, host
from wpk_sandbox.sandbox.sandbox import SandboxSpec


@pytest.fixture
def _daemon_with_a_node_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "why_not", lambda: None)
    monkeypatch.setattr(daemon, "has_image", lambda name: name == "kindest/node:v1.34.4")
    monkeypatch.setattr(host, "_local_node_images", lambda: ["kindest/node:v1.34.4"])
    monkeypatch.setattr(host, "_daemon_is_here", lambda: False)
    monkeypatch.setattr(host, "find", lambda program: f"/usr/bin/{program}")


@pytest.mark.usefixtures("_daemon_with_a_node_image")
def test_host_with_everything_can() -> None:
    assert KIND.why_not(SandboxSpec(pull=False)) is None


@pytest.mark.usefixtures("_daemon_with_a_node_image")
def test_no_daemon_is_the_first_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "why_not", lambda: "no daemon; start Docker")
    assert KIND.why_not(SandboxSpec()) == "no daemon; start Docker"


@pytest.mark.usefixtures("_daemon_with_a_node_image")
@pytest.mark.parametrize("missing", ["docker", "kind"])
def test_missing_program_is_named_with_where_to_get_it(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setattr(host, "find", lambda program: None if program == missing else "/usr/bin/it")
    reason = KIND.why_not(SandboxSpec()) or ""
    assert reason.startswith(f"the program {missing} is not installed; see https://")


@pytest.mark.usefixtures("_daemon_with_a_node_image")
def test_image_that_is_missing_is_a_reason_only_where_it_may_not_be_pulled() -> None:
    wanted = SandboxSpec(node_image="kindest/node:v9.9.9", pull=False)
    assert "kindest/node:v9.9.9 is not on this daemon; pull it" in (KIND.why_not(wanted) or "")
    assert KIND.why_not(SandboxSpec(node_image="kindest/node:v9.9.9", pull=True)) is None


@pytest.mark.usefixtures("_daemon_with_a_node_image")
def test_named_image_comes_before_a_local_one() -> None:
    assert host.node_image(SandboxSpec(node_image="mine/node:1")) == "mine/node:1"
    assert host.node_image(SandboxSpec()) == "kindest/node:v1.34.4"


@pytest.mark.usefixtures("_daemon_with_a_node_image")
def test_without_any_image_kind_chooses_but_only_if_it_may_pull(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "_local_node_images", list)
    assert host.node_image(SandboxSpec()) is None
    assert KIND.why_not(SandboxSpec(pull=True)) is None
    assert "kindest/node is not on this daemon" in (KIND.why_not(SandboxSpec(pull=False)) or "")


def test_newest_is_by_number_and_not_by_letter() -> None:
    tags = ["kindest/node:v1.9.10", "kindest/node:v1.34.4", "kindest/node:v1.34.10", "kindest/node:latest"]
    assert host.newest(tags) == "kindest/node:v1.34.10"
    assert host.newest(["kindest/node:latest"]) is None
    assert host.newest([]) is None


def inotify(folder: Path, instances: str, watches: str) -> Path:
    (folder / "max_user_instances").write_text(f"{instances}\n")
    (folder / "max_user_watches").write_text(f"{watches}\n")
    return folder


def test_enough_file_watches_are_no_reason(tmp_path: Path) -> None:
    assert host.inotify_why_not(inotify(tmp_path, "128", "8192")) is None


@pytest.mark.parametrize(
    ("instances", "watches", "named"), [("127", "8192", "max_user_instances"), ("128", "100", "max_user_watches")]
)
def test_too_few_file_watches_are_a_reason_with_the_command(
    tmp_path: Path, instances: str, watches: str, named: str
) -> None:
    reason = host.inotify_why_not(inotify(tmp_path, instances, watches)) or ""
    assert f"fs.inotify.{named} is" in reason
    assert "sudo sysctl fs.inotify" in reason


def test_bounds_that_cannot_be_read_are_no_reason(tmp_path: Path) -> None:
    assert host.inotify_why_not(tmp_path / "nowhere") is None


@pytest.mark.usefixtures("_daemon_with_a_node_image")
def test_file_watches_of_another_machine_are_not_ours_to_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "inotify_why_not", lambda: "too few")
    assert KIND.why_not(SandboxSpec()) is None
    monkeypatch.setattr(host, "_daemon_is_here", lambda: True)
    assert KIND.why_not(SandboxSpec()) == "too few"
