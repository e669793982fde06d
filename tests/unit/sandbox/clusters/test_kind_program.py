"""The small program of a node, run here over folders that look like either version of control groups."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from wpk_sandbox.sandbox.clusters.kind import watcher

pytestmark = pytest.mark.skipif(shutil.which("perl") is None, reason="Perl is not installed")

UID, STATIC = "b1c5a6f0-0000-4000-8000-000000000001", "0123456789abcdef0123456789abcdef"
Write = Callable[..., None]


@contextmanager
def program(root: Path) -> Iterator[Callable[[], list[str]]]:
    """Gives a function that asks it, and returns what it says but of the disk."""
    text = Path(watcher.__file__).with_name("watcher.pl").read_text()
    # It listens to no network, and looks at no disk but what stands for one.
    for real, here in (
        ("/sys/fs/cgroup", f"{root}"),
        ("/var/", f"{root}/var/"),
        ("if (socket my", "if (0 and socket my"),
    ):
        assert real in text
        text = text.replace(real, here)
    # So that only what is asked for is said.
    text = text.replace("$PAUSE = 0.2", "$PAUSE = 600")
    argv = ["perl", "-e", text]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as running:
        assert running.stdin
        assert running.stdout

        def said() -> list[str]:
            lines = []
            for line in running.stdout or ():
                if line == "end\n":
                    break
                lines.append(line.strip())
            return [line for line in lines if not line.startswith("disk")]

        first: list[list[str]] = [said()]

        def ask() -> list[str]:
            if first:
                return first.pop()
            assert running.stdin
            running.stdin.write("\n")
            return said()

        yield ask
        running.stdin.close()


def file(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{content}\n")


def first_version(root: Path) -> Write:
    """Of the cgroupfs driver: one folder for each controller."""

    def write(place: str = "", cpu: int = 0, memory: tuple[int, int, int] = (0, 0, 0), processes: int = 0) -> None:
        place = f"kubelet/kubepods{place and f'/burstable/pod{place}'}"
        now, cache, most = memory
        file(root / "cpuacct" / place / "cpuacct.usage", cpu)
        file(root / "memory" / place / "memory.usage_in_bytes", now)
        file(root / "memory" / place / "memory.stat", f"inactive_file 7\ntotal_inactive_file {cache}")
        file(root / "memory" / place / "memory.max_usage_in_bytes", most)
        file(root / "pids" / place / "pids.current", processes)

    return write


def second_version(root: Path) -> Write:
    """Of the systemd driver: one folder for everything, in slices."""
    file(root / "cgroup.controllers", "cpu memory pids")

    def write(place: str = "", cpu: int = 0, memory: tuple[int, int, int] = (0, 0, 0), processes: int = 0) -> None:
        pods = "kubelet.slice/kubelet-kubepods.slice"
        slices = f"{pods}/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable"
        folder = root / (f"{slices}-pod{place.replace('-', '_')}.slice" if place else pods)
        now, cache, most = memory
        file(folder / "cpu.stat", f"usage_usec {cpu // 1000}\nuser_usec 1")
        file(folder / "memory.current", now)
        file(folder / "memory.stat", f"anon 5\ninactive_file {cache}")
        file(folder / "memory.peak", most)
        file(folder / "pids.current", processes)

    return write


VERSIONS = pytest.mark.parametrize("version", [first_version, second_version])


@VERSIONS
def test_every_pod_is_told_and_what_all_took(tmp_path: Path, version: Callable[[Path], Write]) -> None:
    write = version(tmp_path)
    write(cpu=9_000_000)
    write(UID, 2_000_000, (100, 30, 100), 4)
    write(STATIC, 5_000_000, (50, 0, 50), 2)
    with program(tmp_path) as ask:
        said = ask()
    assert set(said[:2]) == {f"pod {UID} 2000000 70 4", f"pod {STATIC} 5000000 50 2"}
    assert said[2:] == ["all 9000000", "look"]


@VERSIONS
def test_a_peak_between_two_looks_is_told_without_the_file_cache_and_once(
    tmp_path: Path, version: Callable[[Path], Write]
) -> None:
    write = version(tmp_path)
    write(UID, 1000, (100, 30, 100), 1)
    with program(tmp_path) as ask:
        assert ask()[0] == f"pod {UID} 1000 70 1"
        write(UID, 2000, (60, 20, 500), 1)
        assert ask()[0] == f"pod {UID} 2000 470 1", "what the mark rose to, less the larger cache"
        assert ask()[0] == f"pod {UID} 2000 40 1", "it did not rise again"
