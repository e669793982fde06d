"""What is checked must be what the commit holds, whatever git made of it on the way to the work tree."""

from pathlib import Path

import pytest

from package.repositories import Folder, repository
from wpk_sandbox.package.committed import not_as_committed
from wpk_sandbox.package.repository import Repository


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = repository(tmp_path / "up")
    made.add("a.wpk.yaml", "line\nend.wpk.yaml")
    return made


def told(folder: Folder, *paths: str) -> list[str]:
    return [each.location.path for each in not_as_committed(Repository(folder.path), paths)]


def again(folder: Folder, attributes: str) -> None:
    """Commit attributes, and check everything out under them."""
    folder.commit()
    folder.write(".gitattributes", attributes)
    folder.git("add", ".gitattributes")
    folder.git("commit", "-q", "-m", "attributes")
    for path in folder.path.glob("*.wpk.yaml"):
        path.unlink()
    folder.git("checkout", "-q", "--", ".")


def test_a_fresh_checkout_is_what_was_committed(folder: Folder) -> None:
    assert told(folder, "a.wpk.yaml", "line\nend.wpk.yaml", "none.wpk.yaml") == []


@pytest.mark.parametrize("path", ["a.wpk.yaml", "line\nend.wpk.yaml"])
def test_what_a_step_of_the_job_rewrote_is_told(folder: Folder, path: str) -> None:
    folder.write(path, "kind: WorkflowPackage\n")
    assert told(folder, "a.wpk.yaml", "line\nend.wpk.yaml") == [path.replace("\n", "\\n")]


def test_what_an_attribute_expands_is_told(folder: Folder) -> None:
    folder.write("a.wpk.yaml", "# $Id:\tanything\t$\n")
    again(folder, "*.wpk.yaml ident\n")
    assert told(folder, "a.wpk.yaml") == ["a.wpk.yaml"]


def test_what_an_attribute_encodes_is_told(folder: Folder) -> None:
    again(folder, "a.wpk.yaml working-tree-encoding=UTF-16\n")
    assert told(folder, "a.wpk.yaml", "line\nend.wpk.yaml") == ["a.wpk.yaml"]


def test_other_line_ends_are_no_other_file(folder: Folder) -> None:
    again(folder, "*.wpk.yaml text eol=crlf\n")
    assert b"\r\n" in (folder.path / "a.wpk.yaml").read_bytes()
    assert told(folder, "a.wpk.yaml", "line\nend.wpk.yaml") == []


def test_what_the_job_made_or_removed_is_its_own(folder: Folder) -> None:
    folder.write("made.wpk.yaml", "a: 1\n")
    (folder.path / "a.wpk.yaml").unlink()
    assert told(folder, "made.wpk.yaml", "a.wpk.yaml") == []
