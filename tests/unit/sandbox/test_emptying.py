"""A folder is emptied whatever hostile programs left in it."""

import os
from pathlib import Path

import pytest

from wpk_sandbox.sandbox.emptying import empty


def nest(folder: Path, levels: int) -> None:
    """Make folders in one another, deeper than a path can say."""
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(levels):
        os.mkdir("deeper", dir_fd=at)
        inner = os.open("deeper", os.O_RDONLY | os.O_DIRECTORY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=at))
    os.close(at)


def test_thousands_of_nested_folders_go(tmp_path: Path) -> None:
    nest(tmp_path, 3000)
    empty(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_wide_trees_go(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"a{number}/b/c").mkdir(parents=True)
        (tmp_path / f"a{number}/b/file").write_text("x")
    empty(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_closed_folders_go(tmp_path: Path) -> None:
    (tmp_path / "closed/inner").mkdir(parents=True)
    (tmp_path / "closed/inner/file").touch()
    for folder in (tmp_path / "closed/inner", tmp_path / "closed"):
        folder.chmod(0)
    empty(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_links_lead_to_stays(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/kept").touch(mode=0o640)
    (own := tmp_path / "own").mkdir()
    (own / "link").symlink_to(tmp_path / "outside")
    (own / "to file").symlink_to(tmp_path / "outside/kept")
    (own / "in" / "deep").mkdir(parents=True)
    (own / "in" / "deep" / "up").symlink_to("../../..")
    empty(own)
    assert list(own.iterdir()) == []
    assert (tmp_path / "outside/kept").stat().st_mode & 0o777 == 0o640


def test_names_that_are_taken_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".emptying-0").mkdir()
    (tmp_path / ".emptying-1").touch()
    (tmp_path / "a/b/c").mkdir(parents=True)
    empty(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    empty(tmp_path / "none")


def test_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/kept").touch()
    (tmp_path / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(OSError, match="link"):
        empty(tmp_path / "link")
    assert (tmp_path / "outside/kept").exists()
