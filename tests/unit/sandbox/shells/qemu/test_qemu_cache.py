"""What is kept is made once, whole or not at all, and never grows beyond its bound."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox.shells.qemu import cache

Make = Callable[[Path], None]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "wpk-sandbox/vm"


def writes(content: bytes, made: list[bytes]) -> Make:
    def make(path: Path) -> None:
        made.append(content)
        path.write_bytes(content)

    return make


def test_a_thing_is_made_once() -> None:
    made: list[bytes] = []
    for _ in range(3):
        with cache.made("one", writes(b"whole", made)) as file:
            assert file.read() == b"whole"
    assert made == [b"whole"]


def test_eight_at_once_make_it_once_and_all_read_it() -> None:
    made: list[bytes] = []
    read: list[bytes] = []

    def use() -> None:
        with cache.made("one", writes(b"x" * 100_000, made)) as file:
            read.append(file.read())

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert read == [b"x" * 100_000] * 8


def test_what_breaks_while_it_is_made_is_not_kept(folder: Path) -> None:
    def broken(path: Path) -> None:
        path.write_bytes(b"half")
        raise SandboxError("broken")

    with pytest.raises(SandboxError, match="broken"):
        cache.made("one", broken)
    assert [path.name for path in folder.iterdir()] == ["one.lock"]
    with cache.made("one", writes(b"whole", [])) as file:
        assert file.read() == b"whole"


def test_oldest_goes_when_there_is_too_much_and_stays_whole_for_its_user(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "LARGEST", 250)
    first = cache.made("first", writes(b"1" * 100, []))
    cache.made("second", writes(b"2" * 100, [])).close()
    os.utime(folder / "first.squashfs", (1, 1))
    cache.made("third", writes(b"3" * 100, [])).close()
    assert {path.stem for path in folder.glob("*.squashfs")} == {"second", "third"}
    with first:
        assert first.read() == b"1" * 100


def test_one_that_is_larger_than_all_may_be_is_kept_while_it_is_the_newest(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "LARGEST", 10)
    cache.made("large", writes(b"1" * 100, [])).close()
    assert [path.stem for path in folder.glob("*.squashfs")] == ["large"]


def test_what_was_left_half_made_a_day_ago_goes(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "old.part").write_bytes(b"half")
    (folder / "new.part").write_bytes(b"half")
    os.utime(folder / "old.part", (1, 1))
    cache.made("one", writes(b"whole", [])).close()
    assert [path.name for path in folder.glob("*.part")] == ["new.part"]


def test_folder_that_cannot_be_used_is_named_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(SandboxError, match="cannot be used") as raised:
        cache.made("one", writes(b"", []))
    assert "XDG_CACHE_HOME" in raised.value.remedy
