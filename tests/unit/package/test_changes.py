"""What changed, in real repositories: nothing is ever missed in silence."""

import os
from pathlib import Path

import pytest

from package.repositories import Folder, repository
from package.text_of import PACKAGE
from package.text_of import changed as rewritten
from wpk_sandbox.errors import UsageError
from wpk_sandbox.package.discover import changed

OTHER = PACKAGE.replace("1.2.0", "1.3.0")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = repository(tmp_path / "up")
    made.add("a.wpk.yaml", "books/b.wpk.yaml", "books/c.wpk.yaml")
    return made


def test_only_what_changed_is_taken(folder: Folder) -> None:
    folder.write("books/b.wpk.yaml", OTHER)
    folder.write("README.md", "x")
    folder.commit()
    selection = changed(folder.path, "HEAD^")
    assert selection.files == ("books/b.wpk.yaml",)
    assert (selection.findings, selection.everything) == ((), False)


def test_nothing_changed_is_an_empty_answer_that_says_what_was_compared(folder: Folder) -> None:
    selection = changed(folder.path, "HEAD")
    assert (selection.files, selection.everything) == ((), False)
    assert "compared with" in selection.notes[0]


def test_what_the_base_brought_meanwhile_is_not_taken(folder: Folder) -> None:
    folder.git("checkout", "-q", "-b", "feature")
    folder.add("new.wpk.yaml")
    folder.git("checkout", "-q", "main")
    folder.add("meanwhile.wpk.yaml")
    folder.git("checkout", "-q", "feature")
    assert changed(folder.path, "main").files == ("new.wpk.yaml",)


def test_exact_compares_with_the_base_itself(folder: Folder) -> None:
    folder.git("checkout", "-q", "-b", "feature")
    folder.add("new.wpk.yaml")
    folder.git("checkout", "-q", "main")
    folder.add("meanwhile.wpk.yaml")
    folder.git("checkout", "-q", "feature")
    selection = changed(folder.path, "main", exact=True)
    assert selection.files == ("new.wpk.yaml",)
    assert any("meanwhile.wpk.yaml" in note for note in selection.notes)


def test_a_deleted_package_is_noted(folder: Folder) -> None:
    folder.git("rm", "-q", "a.wpk.yaml")
    folder.commit()
    selection = changed(folder.path, "HEAD^")
    assert selection.files == ()
    assert "`a.wpk.yaml` was deleted, so nothing of it is tried" in selection.notes


def test_a_renamed_package_is_taken_under_its_new_name_and_noted(folder: Folder) -> None:
    folder.git("mv", "a.wpk.yaml", "books/z.wpk.yaml")
    folder.commit()
    selection = changed(folder.path, "HEAD^")
    assert "books/z.wpk.yaml" in selection.files
    assert "`a.wpk.yaml` → `books/z.wpk.yaml` was renamed" in selection.notes


def test_a_file_that_became_executable_counts_as_changed(folder: Folder) -> None:
    (folder.path / "a.wpk.yaml").chmod(0o755)
    folder.commit()
    assert changed(folder.path, "HEAD^").files == ("a.wpk.yaml",)


ODD = [
    "line\nbreak.wpk.yaml",
    'quo"te.wpk.yaml',
    "-rf.wpk.yaml",
    "$(id).wpk.yaml",
    "::error::.wpk.yaml",
    "é 😀\t.wpk.yaml",
]


@pytest.mark.parametrize("name", ODD)
def test_odd_names(folder: Folder, name: str) -> None:
    folder.add(f"books/{name}")
    assert changed(folder.path, "HEAD^").files == (f"books/{name}",)


def test_a_name_that_is_not_utf_8_is_refused(folder: Folder) -> None:
    os.close(os.open(os.fsencode(folder.path) + b"/\xff.wpk.yaml", os.O_CREAT | os.O_WRONLY))
    folder.commit()
    selection = changed(folder.path, "HEAD^")
    assert [(f.rule, f.location.path) for f in selection.findings] == [("file-name", "\\udcff.wpk.yaml")]
    assert selection.files == ()


def test_a_package_that_became_a_link_is_refused(folder: Folder) -> None:
    (folder.path / "a.wpk.yaml").unlink()
    (folder.path / "a.wpk.yaml").symlink_to("/etc/passwd")
    folder.commit()
    selection = changed(folder.path, "HEAD^")
    assert [(f.rule, f.location.path) for f in selection.findings] == [("file-link", "a.wpk.yaml")]
    assert "symbolic link" in selection.findings[0].message
    assert selection.files == ()


def test_a_submodule_called_like_a_package_is_refused(folder: Folder, tmp_path: Path) -> None:
    other = repository(tmp_path / "other")
    other.add("x.wpk.yaml")
    folder.git("submodule", "--quiet", "add", str(other.path), "s.wpk.yaml")
    folder.commit()
    selection = changed(folder.path, "HEAD^")
    assert [(f.rule, f.location.path) for f in selection.findings] == [("file-link", "s.wpk.yaml")]
    assert "submodule" in selection.findings[0].message


def test_a_changed_case_file_takes_its_package(folder: Folder) -> None:
    folder.write("books/b.wpk.test.yaml", "cases: [{name: a}]\n")
    folder.commit()
    selection = changed(folder.path, "HEAD^")
    assert selection.files == ("books/b.wpk.yaml",)
    assert "`books/b.wpk.yaml` is taken because `books/b.wpk.test.yaml` changed" in selection.notes


def test_a_deleted_case_file_takes_its_package(folder: Folder) -> None:
    folder.write("books/b.wpk.test.yaml", "cases: [{name: a}]\n")
    folder.commit()
    folder.git("rm", "-q", "books/b.wpk.test.yaml")
    folder.commit()
    assert changed(folder.path, "HEAD^").files == ("books/b.wpk.yaml",)


def test_a_changed_object_of_a_case_takes_its_package(folder: Folder) -> None:
    folder.write("books/b.wpk.test.yaml", "cases: [{name: a, objects: [../objects/web.yaml]}]\n")
    folder.write("objects/web.yaml", "a: 1\n")
    folder.commit()
    folder.write("objects/web.yaml", "a: 2\n")
    folder.commit()
    assert changed(folder.path, "HEAD^").files == ("books/b.wpk.yaml",)


@pytest.mark.parametrize("name", ["manifests/job.yaml", "../manifests/job.yaml"])
def test_a_changed_manifest_takes_the_packages_that_name_it(folder: Folder, name: str) -> None:
    folder.write("books/b.wpk.yaml", rewritten("action: restart", f"manifest: {name}, action: apply"))
    folder.write("manifests/job.yaml", "a: 1\n")
    folder.commit()
    folder.write("manifests/job.yaml", "a: 2\n")
    folder.commit()
    assert changed(folder.path, "HEAD^").files == ("books/b.wpk.yaml",)


def test_a_root_inside_the_repository_sees_only_its_own_files(folder: Folder) -> None:
    folder.write("a.wpk.yaml", OTHER)
    folder.write("books/b.wpk.yaml", OTHER)
    folder.commit()
    assert changed(folder.path / "books", "HEAD^").files == ("b.wpk.yaml",)


def test_an_unknown_revision_is_refused_with_the_nearest_branch(folder: Folder) -> None:
    with pytest.raises(UsageError, match="no revision `mian`") as caught:
        changed(folder.path, "mian")
    assert "did you mean `main`?" in caught.value.remedy


@pytest.mark.parametrize("base", ["--upload-pack=touch /tmp/x", "-rf", "", "a\0b"])
def test_a_revision_is_never_taken_for_an_option(folder: Folder, base: str) -> None:
    with pytest.raises(UsageError, match="no revision"):
        changed(folder.path, base)


def test_a_folder_outside_of_git_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not in a git repository"):
        changed(tmp_path, "main")


def test_the_settings_of_the_repository_run_nothing(folder: Folder, tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {witness}\n")
    script.chmod(0o755)
    for setting in ("core.fsmonitor", "diff.external", "core.pager", "diff.evil.textconv", "core.askPass"):
        folder.git("config", setting, str(script))
    folder.write(".gitattributes", "*.yaml diff=evil\n")
    folder.write("a.wpk.yaml", OTHER)
    folder.git("-c", "core.fsmonitor=false", "add", "-A")
    folder.git("-c", "core.fsmonitor=false", "commit", "-q", "-m", "x")
    assert changed(folder.path, "HEAD^").files == ("a.wpk.yaml",)
    assert not witness.exists()
    folder.git("status")
    assert witness.exists(), "the settings would have run the script"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_checkout_of_another_user_is_read(folder: Folder) -> None:
    folder.write("a.wpk.yaml", OTHER)
    folder.commit()
    for path in [folder.path, *folder.path.rglob("*")]:
        os.chown(path, 65534, 65534)
    assert changed(folder.path, "HEAD^").files == ("a.wpk.yaml",)


@pytest.fixture
def long(folder: Folder) -> Folder:
    """A feature that left `main` long ago: 70 commits of its own, 30 on `main` since."""
    folder.git("checkout", "-q", "-b", "feature")
    folder.add("new.wpk.yaml")
    for number in range(69):
        folder.commit(f"feature {number}")
    folder.git("checkout", "-q", "main")
    folder.add("meanwhile.wpk.yaml")
    for number in range(29):
        folder.commit(f"main {number}")
    return folder


@pytest.mark.parametrize("base", ["main", "hash"])
def test_a_shallow_clone_is_deepened_until_the_history_meets(long: Folder, base: str) -> None:
    clone = long.clone("clone", "--depth", "1", "--branch", "feature", "--single-branch")
    assert clone.git("rev-list", "--count", "HEAD") == "1"
    selection = changed(clone.path, long.git("rev-parse", "main") if base == "hash" else "main")
    assert (selection.files, selection.everything) == (("new.wpk.yaml",), False)


def test_a_shallow_clone_that_cannot_be_deepened_takes_everything(long: Folder) -> None:
    clone = long.clone("clone", "--depth", "1", "--no-single-branch", "--branch", "feature")
    long.path.rename(long.path.with_name("gone"))
    selection = changed(clone.path, "origin/main")
    assert selection.everything
    assert set(selection.files) == {"a.wpk.yaml", "books/b.wpk.yaml", "books/c.wpk.yaml", "new.wpk.yaml"}
    assert "every package is taken" in selection.notes[0]


def test_an_unknown_commit_takes_everything(folder: Folder) -> None:
    selection = changed(folder.path, "1" * 40)
    assert selection.everything
    assert len(selection.files) == 3


def test_histories_without_a_common_commit_take_everything(folder: Folder) -> None:
    folder.git("checkout", "-q", "--orphan", "island")
    folder.add("island.wpk.yaml")
    selection = changed(folder.path, "main")
    assert selection.everything
    assert "island.wpk.yaml" in selection.files


def test_a_full_clone_does_not_become_a_shallow_one(folder: Folder) -> None:
    clone = folder.clone("clone")
    folder.git("checkout", "-q", "-b", "later")
    later = folder.add("later.wpk.yaml")
    changed(clone.path, later)
    assert clone.git("rev-parse", "--is-shallow-repository") == "false"


def test_another_commit_than_the_one_checked_out_is_noted(folder: Folder) -> None:
    folder.write("a.wpk.yaml", OTHER)
    folder.commit()
    folder.commit()
    assert not any("packages are read" in note for note in changed(folder.path, "HEAD^^").notes)
    assert any("packages are read" in note for note in changed(folder.path, "HEAD^^", "HEAD^").notes)
