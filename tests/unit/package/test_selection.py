"""Packages by name, folder and glob."""

import os
from pathlib import Path

import pytest

from wpk_sandbox.errors import UsageError
from wpk_sandbox.package.discover import find
from wpk_sandbox.package.selection import matches


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path in (
        "a.wpk.yaml",
        "books/b.wpk.yml",
        "books/b.wpk.test.yaml",
        "books/deep/c.wpk.yaml",
        "books/notes.yaml",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/x.wpk.yaml").write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("paths", "files"),
    [
        (["."], ["a.wpk.yaml", "books/b.wpk.yml", "books/deep/c.wpk.yaml"]),
        (["books"], ["books/b.wpk.yml", "books/deep/c.wpk.yaml"]),
        (["books/"], ["books/b.wpk.yml", "books/deep/c.wpk.yaml"]),
        (["books/notes.yaml"], ["books/notes.yaml"]),
        (["books/*"], ["books/b.wpk.yml", "books/deep/c.wpk.yaml", "books/notes.yaml"]),
        (["**/*.wpk.yaml"], ["a.wpk.yaml", "books/deep/c.wpk.yaml"]),
        (["./a.wpk.yaml", "books/../a.wpk.yaml", "."], ["a.wpk.yaml", "books/b.wpk.yml", "books/deep/c.wpk.yaml"]),
    ],
)
def test_files_folders_and_globs(folder: Path, paths: list[str], files: list[str]) -> None:
    selection = find(paths, root=folder)
    assert (list(selection.files), selection.findings, selection.everything) == (files, (), False)


def test_an_absolute_path_in_the_root_is_relative_to_it(folder: Path) -> None:
    assert find([str(folder / "books")], root=folder).files == ("books/b.wpk.yml", "books/deep/c.wpk.yaml")


def test_a_path_outside_of_the_root_stays_absolute(folder: Path) -> None:
    assert find(["../a.wpk.yaml"], root=folder / "books").files == (str(folder / "a.wpk.yaml"),)


def test_the_patterns_may_name_folders(folder: Path) -> None:
    assert find(["."], ["books/**/*.yaml"], root=folder).files == (
        "books/b.wpk.test.yaml",
        "books/deep/c.wpk.yaml",
        "books/notes.yaml",
    )


@pytest.mark.parametrize(
    ("path", "pattern", "answer"),
    [
        ("a/b.wpk.yaml", "*.wpk.yaml", True),
        ("a/b.wpk.yaml", "a/*.yaml", True),
        ("a/c/b.wpk.yaml", "a/*.yaml", False),
        ("a/c/b.wpk.yaml", "a/**", True),
        ("bXwpk.yaml", "*.wpk.yaml", False),
        ("a\n.wpk.yaml", "*.wpk.yaml", True),
    ],
)
def test_patterns(path: str, pattern: str, answer: bool) -> None:
    assert matches(path, [pattern]) is answer


def test_a_missing_path_is_refused_with_the_nearest_name(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no `books/b.wpk.yaml`") as caught:
        find(["books/b.wpk.yaml"], root=folder)
    assert "books/b.wpk.yml" in caught.value.remedy


def test_a_missing_folder_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError) as caught:
        find(["elsewhere/b.wpk.yaml"], root=folder)
    assert "no folder" in caught.value.remedy


@pytest.mark.parametrize("path", ["empty", "empty/*.wpk.yaml"])
def test_a_folder_or_glob_without_packages_is_noted(folder: Path, path: str) -> None:
    (folder / "empty").mkdir()
    selection = find([path], root=folder)
    assert selection.files == ()
    assert selection.notes == (f"`{path}` holds no package (*.wpk.yaml, *.wpk.yml)",)


def test_a_link_in_a_folder_is_refused_and_one_that_is_named_is_taken(folder: Path) -> None:
    (folder / "books/link.wpk.yaml").symlink_to("b.wpk.yml")
    selection = find(["books"], root=folder)
    assert [(f.rule, f.location.path) for f in selection.findings] == [("file-link", "books/link.wpk.yaml")]
    assert "books/link.wpk.yaml" not in selection.files
    assert find(["books/link.wpk.yaml"], root=folder).files == ("books/link.wpk.yaml",)


def test_a_folder_that_is_a_link_is_not_entered(folder: Path) -> None:
    (folder / "loop").symlink_to(".")
    assert find(["."], root=folder).files == ("a.wpk.yaml", "books/b.wpk.yml", "books/deep/c.wpk.yaml")


def test_a_name_that_is_not_utf_8_is_refused(folder: Path) -> None:
    os.close(os.open(os.fsencode(folder) + b"/books/\xff.wpk.yaml", os.O_CREAT | os.O_WRONLY))
    selection = find(["books"], root=folder)
    assert [(f.rule, f.location.path) for f in selection.findings] == [("file-name", "books/\\udcff.wpk.yaml")]
    assert len(selection.files) == 2
