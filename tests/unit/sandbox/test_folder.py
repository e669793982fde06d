import os
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox import folder
from wpk_sandbox.sandbox.ledger import RUN_LABEL, Ledger


@pytest.fixture(autouse=True)
def _own_temporary_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def ledger() -> Ledger:
    return Ledger("unit", datetime(2030, 1, 1, tzinfo=UTC))


def test_folder_is_private_marked_and_removed(ledger: Ledger) -> None:
    with folder.temporary_folder(ledger) as path:
        (path / "deep").mkdir()
        (path / "deep" / "file").write_text("x")
        assert path.stat().st_mode & 0o777 == 0o700
        assert list(folder.marked_folders()) == [(path, ledger.labels)]
    assert not path.exists()
    assert str(ledger.close()) == "made 1, removed 1, left 0"


def test_folder_that_was_removed_already_is_no_failure(ledger: Ledger) -> None:
    with folder.temporary_folder(ledger) as path:
        folder.remove_folder(path)
    assert str(ledger.close()) == "made 1, removed 1, left 0"


def test_only_marked_folders_of_ours_are_seen(ledger: Ledger, tmp_path: Path) -> None:
    with folder.temporary_folder(ledger) as real:
        (tmp_path / "wpk-sandbox-unmarked").mkdir()
        (tmp_path / "wpk-sandbox-link").symlink_to(real)
        for name, marker in {"broken": "{", "list": "[]", "empty": "{}", "number": f'{{"{RUN_LABEL}": 1}}'}.items():
            (tmp_path / f"wpk-sandbox-{name}").mkdir()
            (tmp_path / f"wpk-sandbox-{name}" / folder.MARKER).write_text(marker)
        (tmp_path / "wpk-sandbox-file").write_text("x")
        assert [path for path, _ in folder.marked_folders()] == [real]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_folder_of_another_user_is_not_seen(ledger: Ledger) -> None:
    with folder.temporary_folder(ledger) as path:
        os.chown(path, 65532, 65532)
        assert list(folder.marked_folders()) == []


def test_folder_that_cannot_be_made_is_told_with_the_remedy(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").write_text("a file")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "taken"))
    with pytest.raises(SandboxError, match="Not a directory") as raised, folder.temporary_folder(ledger):
        pass
    assert "TMPDIR" in raised.value.remedy
    assert str(ledger.close()) == "made 1, removed 1, left 0"


def test_what_a_package_left_in_it_is_removed_however_it_looks(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    made = tmp_path / "made"
    (made / "locked" / "inner").mkdir(parents=True)
    (made / "link").symlink_to(outside)
    (made / "locked" / "link").symlink_to(outside)
    (made / "locked" / "inner" / "dangling").symlink_to("nowhere")
    os.mkfifo(made / "pipe")
    (made / "locked" / "inner").chmod(0)
    (made / "locked").chmod(0)
    made.chmod(0o500)
    folder.remove_folder(made)
    assert not made.exists()
    assert (outside / "precious").read_text() == "x"


def test_link_in_place_of_a_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match="Not a directory"):
        folder.remove_folder(tmp_path / "link")
    assert (tmp_path / "precious" / "file").exists()


def test_two_that_remove_the_same_folder_do_not_mind(tmp_path: Path) -> None:
    made = tmp_path / "made"
    for number in range(200):
        (made / str(number) / "inner").mkdir(parents=True)
    removing = [threading.Thread(target=folder.remove_folder, args=(made,)) for _ in range(3)]
    for each in removing:
        each.start()
    for each in removing:
        each.join(60)
    assert not made.exists()
