"""Packages that leave the sight of the check, in real repositories; and what else only a hostile change does to git."""

import pytest

from package.repositories import Folder, repository
from package.text_of import PACKAGE
from wpk_sandbox.finding import Severity
from wpk_sandbox.package import changes
from wpk_sandbox.package.changes import changed
from wpk_sandbox.package.earlier import Earlier
from wpk_sandbox.package.load import load_file
from wpk_sandbox.package.repository import Repository
from wpk_sandbox.package.selection import Selection, matches, matches_whole

OTHER = PACKAGE.replace("1.2.0", "1.3.0")
NEW = "apiVersion: v1\nkind: WorkflowPackage\nmetadata: {name: new}\nspec: {handlers: []}\n"


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    made = repository(tmp_path_factory.mktemp("uncovered") / "up")
    made.add("a.wpk.yaml", "books/b.wpk.yaml")
    return made


def told(selection: Selection) -> list[tuple[str, str, Severity]]:
    return [(each.rule, each.location.path, each.severity) for each in selection.findings]


@pytest.mark.parametrize("name", ["a.yaml", "a.json", "a.wpk", "a.wpk.yaml.off", "kept/a", "a.wpk.yaml "])
def test_a_package_that_is_renamed_out_of_sight_is_hidden(folder: Folder, name: str) -> None:
    (folder.path / "kept").mkdir()
    folder.git("mv", "a.wpk.yaml", name)
    folder.commit()
    selection = changed(folder.path, "HEAD^")
    assert told(selection) == [("package-hidden", name, Severity.HIGH)]
    assert "`a.wpk.yaml` moves here" in selection.findings[0].message.replace("the package of ", "")


@pytest.mark.parametrize("more", ["# " + "x" * 200_000 + "\n", "\t: broken\n"])
def test_a_package_that_moves_and_cannot_be_read_there_is_hidden(folder: Folder, more: str) -> None:
    long = PACKAGE + "# " + "x" * 950_000 + "\n"
    folder.write("a.wpk.yaml", long)
    folder.commit()
    (folder.path / "a.wpk.yaml").unlink()
    folder.write("a.yaml", long + more if "x" in more else more + long)
    folder.commit()
    assert told(changed(folder.path, "HEAD^")) == [("package-hidden", "a.yaml", Severity.HIGH)]


def test_a_package_that_goes_out_of_sight_by_its_name_alone_is_hidden_too(folder: Folder) -> None:
    name = next(line for line in PACKAGE.splitlines() if line.strip().startswith("name:")).strip()
    (folder.path / "a.wpk.yaml").unlink()
    (folder.path / "books/b.wpk.yaml").unlink()
    folder.write("kept.txt", NEW.replace("name: new", name))
    folder.commit()
    assert told(changed(folder.path, "HEAD^")) == [("package-hidden", "kept.txt", Severity.HIGH)]


@pytest.mark.parametrize("text", [NEW, f"kind: ConfigMap\n---\n{NEW}"])
def test_a_new_package_where_no_pattern_finds_it_is_told(folder: Folder, text: str) -> None:
    folder.write("new.yaml", text)
    folder.commit()
    assert told(changed(folder.path, "HEAD^")) == [("package-uncovered", "new.yaml", Severity.MEDIUM)]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("README.md", f"# Packages\n\n```yaml\n{NEW}```\n"),
        ("words.yaml", "text: kind is WorkflowPackage\n"),
        ("code.py", 'KIND = "WorkflowPackage"\n'),
        ("crd.yaml", "kind: CustomResourceDefinition\nspec: {names: {kind: WorkflowPackage}}\n"),
        ("new.wpk.yml", NEW),
        ("binary", "WorkflowPackage\0"),
    ],
)
def test_what_only_speaks_of_packages_is_none(folder: Folder, path: str, text: str) -> None:
    folder.write(path, text)
    folder.commit()
    assert changed(folder.path, "HEAD^").findings == ()


def test_a_package_outside_of_the_patterns_that_stays_as_it_is_is_not_told_again(folder: Folder) -> None:
    folder.write("new.yaml", NEW)
    folder.commit()
    folder.write("a.wpk.yaml", OTHER)
    folder.commit()
    assert changed(folder.path, "HEAD^").findings == ()


def test_a_package_that_is_deleted_hides_nothing(folder: Folder) -> None:
    folder.git("rm", "-q", "a.wpk.yaml")
    folder.commit()
    assert changed(folder.path, "HEAD^").findings == ()


def test_the_case_of_a_name_hides_nothing() -> None:
    assert matches("A.WPK.Yaml", ("*.wpk.yaml",))
    assert matches("Books/A.wpk.yaml", ("books/*",))
    assert not matches("a.yaml", ("*.wpk.yaml",))


def test_a_pattern_of_a_waiver_means_the_letters_and_the_folder_that_it_names() -> None:
    assert matches_whole("ops/a.wpk.yaml", "ops/*.wpk.yaml")
    assert not matches_whole("ops/x/a.wpk.yaml", "ops/*.wpk.yaml")
    assert matches_whole("ops/x/a.wpk.yaml", "ops/**/*.wpk.yaml")
    assert not matches_whole("OPS/a.wpk.yaml", "ops/*.wpk.yaml")
    assert not matches_whole("ops/a.wpk.yaml", "a.wpk.yaml")


@pytest.mark.parametrize("text", ["bash scripts/x.sh", "set -e\n./scripts/x.sh --now", 'cat "scripts/x.sh"|sh'])
def test_a_package_is_taken_when_a_script_changes_that_it_calls(folder: Folder, text: str) -> None:
    lines = "".join(f"          {line}\n" for line in text.splitlines())
    step = f"    - name: s\n      type: shell\n      config:\n        command: |\n{lines}"
    folder.write("books/b.wpk.yaml", NEW.replace("{handlers: []}", f"\n  handlers:\n{step}"))
    folder.write("scripts/x.sh", "true\n")
    folder.commit()
    folder.write("scripts/x.sh", "false\n")
    folder.write("scripts/y.sh", "false\n")
    folder.commit()
    assert changed(folder.path, "HEAD^").files == ("books/b.wpk.yaml",)
    folder.write("scripts/y.sh", "true\n")
    folder.commit()
    assert changed(folder.path, "HEAD^").files == ()


def test_branches_that_were_merged_into_one_another_hide_nothing_behind_the_one_base(folder: Folder) -> None:
    """There are two newest common commits then, and whichever is taken, some file is as it was there."""
    folder.git("checkout", "-q", "-b", "feature")
    folder.write("a.wpk.yaml", OTHER)
    folder.commit("one base")
    folder.git("checkout", "-q", "main")
    folder.write("books/b.wpk.yaml", OTHER)
    folder.commit("the other")
    folder.git("branch", "-q", "before")
    folder.git("merge", "-q", "--no-ff", "-m", "merge", "feature")
    folder.write("a.wpk.yaml", PACKAGE)
    folder.write("books/b.wpk.yaml", PACKAGE)
    folder.commit("take both back")
    folder.git("checkout", "-q", "feature")
    folder.git("merge", "-q", "--no-ff", "-m", "merge", "before")
    assert len(Repository(folder.path).merge_bases("main", "feature")) == 2
    assert changed(folder.path, "main").files == ("a.wpk.yaml", "books/b.wpk.yaml")


def test_a_flood_of_deleted_packages_hides_no_other_note(folder: Folder) -> None:
    folder.add(*(f"many/{number}.wpk.yaml" for number in range(changes.MOST_NOTES + 5)))
    folder.git("rm", "-rq", "many")
    folder.commit()
    notes = changed(folder.path, "HEAD^").notes
    assert len(notes) == changes.MOST_NOTES + 2
    assert notes[-1] == "and 5 more packages were deleted or renamed"


@pytest.mark.parametrize(("name", "path"), [("new-299", "many/299.wpk.yaml"), ("new-300", None)])
def test_a_package_is_found_by_its_name_among_many_that_went(folder: Folder, name: str, path: str | None) -> None:
    step = "\n  handlers:\n    - {{name: s{}, type: shell, config: {{command: ls}}}}\n"
    text = NEW.replace("{handlers: []}", step.format(0))
    for number in range(300):
        folder.write(f"many/{number}.wpk.yaml", text.replace("name: new", f"name: new-{number}"))
    base = folder.commit()
    folder.git("rm", "-rq", "many")
    rewritten = text + "".join(step.format(number).partition("handlers:\n")[2] for number in range(1, 90))
    folder.write("moved.wpk.yaml", rewritten.replace("name: new", f"name: {name}"))
    folder.commit()
    (moved,) = load_file(folder.path / "moved.wpk.yaml", display="moved.wpk.yaml").packages
    found = Earlier(Repository(folder.path), base).version_of(moved)
    assert (found[0].path if found else None) == path


def test_what_the_base_lacks_is_not_what_cannot_be_had(folder: Folder) -> None:
    base = folder.git("rev-parse", "HEAD")
    earlier = Earlier(Repository(folder.path), base)
    assert earlier.read("a.wpk.yaml") == PACKAGE.encode()
    assert earlier.read("./books/../a.wpk.yaml") == PACKAGE.encode()
    assert [earlier.read(path) for path in ("none.yaml", "books", "/etc/passwd", "../x")] == [None] * 4
