"""What a supervisor does for Landlock's shell: modes, folders, descendants; and its bounded samples."""

import ctypes
import errno
import json
import mmap
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from wpk_sandbox.sandbox.emptying import empty
from wpk_sandbox.sandbox.shells.supervisor import folders, modes, sampling

ROOMY = (10**9, 10**6)


def changed(path: str, mode: int, own: Path, at: int | None = None) -> int:
    """What becomes of `chmod` (or `fchmodat` at a descriptor) by this very process."""
    text = ctypes.create_string_buffer(os.fsencode(path))
    address = ctypes.addressof(text)
    arguments = [address, mode, 0, 0] if at is None else [at & (1 << 64) - 1, address, mode, 0]
    return modes.change_mode(os.getpid(), arguments, relative=at is not None, folders=[str(own)])


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "file").touch(mode=0o600)
    (tmp_path / "other").touch(mode=0o600)
    return folder


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def test_mode_of_an_own_file_is_changed(own: Path) -> None:
    assert changed(str(own / "file"), 0o755, own) == 0
    assert mode(own / "file") == 0o755


def test_path_may_be_relative_to_a_folder(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    descriptor = os.open(own, os.O_PATH)
    assert changed("file", 0o711, own, at=descriptor) == 0
    os.close(descriptor)
    assert mode(own / "file") == 0o711
    monkeypatch.chdir(own)
    assert changed("file", 0o700, own, at=modes.AT_FDCWD) == 0
    assert mode(own / "file") == 0o700


@pytest.mark.parametrize("way", ["{0}/../other", "{0}/link", "{0}/up/other", "{0}x/file", "/", ""])
def test_file_elsewhere_is_refused_whatever_leads_to_it(own: Path, way: str) -> None:
    (own / "link").symlink_to(own.parent / "other")
    (own / "up").symlink_to("..")
    (own.parent / "ownx").mkdir()
    (own.parent / "ownx/file").touch(mode=0o600)
    assert changed(way.format(own), 0o777, own) == errno.EPERM
    assert mode(own.parent / "other") == mode(own.parent / "ownx/file") == 0o600


def test_missing_file_is_said_to_be_missing(own: Path) -> None:
    assert changed(str(own / "none"), 0o777, own) == errno.ENOENT


def test_no_program_becomes_anybody_elses(own: Path) -> None:
    assert changed(str(own / "file"), 0o6755, own) == 0
    assert mode(own / "file") == 0o755


def test_path_without_memory_is_refused(own: Path) -> None:
    assert modes.change_mode(os.getpid(), [1, 0o777, 0], relative=False, folders=[str(own)]) == errno.EPERM


def test_bytes_of_all_folders_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    before = folders.taken(str(tmp_path), *ROOMY)
    (tmp_path / "a/b/file").write_bytes(b"x" * 1_000_000)
    (tmp_path / "link").symlink_to("/usr")
    assert 1_000_000 <= folders.taken(str(tmp_path), *ROOMY) - before < 1_100_000


HIDDEN = """
import os, sys
source, folder, user, closed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4], 8)
sys.path.insert(0, source)
if os.geteuid() == 0:
    # Nothing is closed to root.
    os.chown(folder, user, user)
    os.setgroups([]), os.setgid(user), os.setuid(user)
os.mkdir(f"{folder}/closed")
with open(f"{folder}/closed/file", "wb") as file:
    file.write(b"x" * 1_000_000)
os.chmod(f"{folder}/closed", closed)
from supervisor import folders
print(folders.taken(folder, 10**9, 10**6))
"""


def as_another(script: str, argument: str) -> str:
    """What a script prints as an ordinary user: it is given the supervisor's modules, and a folder of its own."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        shutil.copytree(Path(folders.__file__).parent, Path(name, "supervisor"))
        (own := Path(name, "own")).mkdir()
        for folder in (Path(name), Path(name, "supervisor")):
            folder.chmod(0o755)
        python = sys.executable if os.geteuid() else "/usr/bin/python3"
        argv = [python, "-c", script, name, str(own), "64444", argument]
        done = subprocess.run(argv, capture_output=True, text=True, check=True, cwd="/", timeout=60)
    return done.stdout.strip()


@pytest.mark.parametrize("closed", ["300", "400", "000"])
def test_files_cannot_be_hidden_in_a_closed_folder(closed: str) -> None:
    assert int(as_another(HIDDEN, closed)) >= 1_000_000


def test_removed_files_count_as_long_as_they_are_held(tmp_path: Path) -> None:
    looked = folders.Folders({str(tmp_path): ROOMY}, lambda: [os.getpid()])
    before = looked(True)
    with (tmp_path / "open").open("wb") as opened, (tmp_path / "mapped").open("w+b") as mapped:
        for file in (opened, mapped):
            file.write(b"x" * 1_000_000)
            file.flush()
        memory = mmap.mmap(mapped.fileno(), 0)
        mapped.close()
        for name in ("open", "mapped"):
            (tmp_path / name).unlink()
        assert 2_000_000 <= looked(True) - before < 2_100_000
        memory.close()
        assert 1_000_000 <= looked(True) - before < 1_100_000
    assert looked(True) == before


HOLDING = """
import ctypes, os, sys, time
source, folder, user, dumpable = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
sys.path.insert(0, source)
if os.geteuid() == 0:
    # Nothing is hidden from root.
    os.setgroups([]), os.setgid(user), os.setuid(user)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
reading, writing = os.pipe()
if (child := os.fork()) == 0:
    ctypes.CDLL(None).prctl(4, dumpable, 0, 0, 0)
    os.write(writing, b"ready")
    time.sleep(60)
os.read(reading, 5)
from supervisor import folders
looked = folders.Folders({}, lambda: [child])
found = [looked(True) == folders.BEYOND for _ in range(2)]
os.kill(child, 9)
# Until it is waited for, it shows nothing either.
os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
print(found + [looked(True) == folders.BEYOND for _ in range(2)])
"""


@pytest.mark.parametrize(("dumpable", "hides"), [("1", False), ("0", True)])
def test_process_that_goes_on_hiding_what_it_holds_is_beyond_all(dumpable: str, hides: bool) -> None:
    assert as_another(HOLDING, dumpable) == str([False, hides, False, False])


def test_folder_beyond_a_bound_is_beyond_all(tmp_path: Path) -> None:
    for number in range(12):
        (tmp_path / str(number)).write_bytes(b"x" * 10_000)
    assert folders.taken(str(tmp_path), 10**9, 12) < folders.BEYOND
    assert folders.taken(str(tmp_path), 10**9, 11) == folders.BEYOND
    assert folders.taken(str(tmp_path), 100_000, 12) == folders.BEYOND


def test_folders_too_deep_for_a_path_are_beyond_all(tmp_path: Path) -> None:
    at = os.open(tmp_path, os.O_RDONLY)
    for _ in range(30):
        os.mkdir("d" * 250, dir_fd=at)
        at, above = os.open("d" * 250, os.O_RDONLY, dir_fd=at), at
        os.close(above)
    os.close(at)
    assert folders.taken(str(tmp_path), *ROOMY) == folders.BEYOND
    empty(tmp_path)


def test_folders_are_looked_at_again_when_it_is_time_or_asked_for(tmp_path: Path) -> None:
    looked = folders.Folders({str(tmp_path): ROOMY})
    before = looked(True)
    (tmp_path / "file").write_bytes(b"x" * 100_000)
    assert looked(False) == before
    assert looked(True) > before


TREE = """
import ctypes, functools, json, os, subprocess, sys, time
sys.path.insert(0, sys.argv[1])
from supervisor.ending import end_descendants
from supervisor.measuring import descendants
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
subprocess.Popen(["sh", "-c", "setsid sleep 97531 & sleep 97531 & (sleep 97531 &) ; wait"])
deadline = time.monotonic() + 10
while len(descendants()) < 4 and time.monotonic() < deadline:
    time.sleep(0.01)
before = len(descendants())
while end_descendants(descendants):
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
print(json.dumps([before, len(descendants())]))
"""


def test_everything_that_came_of_a_process_is_ended() -> None:
    shells = Path(folders.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", TREE, str(shells)], capture_output=True, text=True, timeout=60, check=True
    )
    before, after = json.loads(done.stdout)
    assert before >= 4
    assert after == 0


def test_samples_stay_few_however_long_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = sampling.Samples()
    for number in range(2000):
        samples.add(number, number, 1, 0, now=True)
    assert len(samples.taken) <= sampling.KEPT
    assert samples.every > sampling.EVERY
    assert len(samples.take()) > 100
    assert samples.take() == []


def test_the_most_memory_is_kept_whenever_it_was_seen() -> None:
    samples = sampling.Samples()
    for memory in (10, 700, 900, 20):
        samples.add(memory, memory, 1, 0)
    samples.add(21, 15, 1, 0, now=True)
    samples.told(500)
    samples.add(22, 5, 1, 0, now=True)
    samples.add(23, 5, 1, 0, now=True)
    assert [look[2] for look in samples.take()] == [10, 900, 15, 500, 5, 5]
    for number in range(2000):
        samples.add(number, 10_000 if number == 777 else 1, 1, 0, now=True)
    assert max(look[2] for look in samples.take()) == 10_000


def test_sample_is_taken_when_it_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = sampling.Samples()
    samples.add(0, 0, 0, 0)
    samples.add(0, 0, 0, 0)
    assert len(samples.taken) == 1
    samples.add(0, 0, 0, 0, now=True)
    assert len(samples.taken) == 2
