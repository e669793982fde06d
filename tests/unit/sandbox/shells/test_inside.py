import pytest

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox.sandbox import Limits, ShellAccess
from wpk_sandbox.sandbox.shells import inside


@pytest.mark.parametrize(
    "words",
    [
        b"sh: can't fork: Resource temporarily unavailable",
        b"sh: 1: Cannot fork",
        b"bash: fork: retry: Resource temporarily unavailable",
        b"bash: fork: Resource temporarily unavailable",
    ],
)
def test_complaints_of_shells_about_forks_are_known(words: bytes) -> None:
    assert inside.refused_fork(b"before\n" + words + b"\nafter")


@pytest.mark.parametrize("words", [b"", b"curl: Resource temporarily unavailable", b"the fork is in the drawer"])
def test_other_words_are_not_taken_for_one(words: bytes) -> None:
    assert not inside.refused_fork(words)


def test_working_folder_gets_half_of_the_memory_at_most() -> None:
    assert inside.workspace_size(Limits(step_memory=100, storage=1000)) == 50
    assert inside.workspace_size(Limits(step_memory=100, storage=10)) == 10


@pytest.mark.parametrize(("share", "cores"), [(0.1, 1), (1.0, 1), (1.5, 2), (4, 4)])
def test_share_of_a_core_is_rounded_up(share: float, cores: int) -> None:
    assert inside.cores(Limits(step_cpu=share)) == cores


@pytest.mark.parametrize("path", ["/workspace/a", "/workspace/.kube/config", "/tmp/a"])
def test_files_below_the_writable_folders_can_be_placed(path: str) -> None:
    inside.require_placeable(ShellAccess({path: ""}))


@pytest.mark.parametrize("path", ["/etc/passwd", "/workspace", "/workspaces/a", "/tmp/../etc/a", "relative"])
def test_files_elsewhere_cannot(path: str) -> None:
    with pytest.raises(SandboxError, match="cannot be placed") as raised:
        inside.require_placeable(ShellAccess({path: ""}))
    assert "/workspace" in raised.value.remedy
