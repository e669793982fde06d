"""Bad input of every kind that we know of: each is a finding at its place, quickly and in little memory."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from package.text_of import PACKAGE, changed, found
from wpk_sandbox.package import composer
from wpk_sandbox.package.load import load_bytes, load_file

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGES = "a: &a {x: 1}\n" + "".join(
    f"{new}: &{new} {{<<: [{', '.join([f'*{old}'] * 9)}]}}\n" for old, new in zip("abcdef", "bcdefg", strict=True)
)
COMMAND = 'command: "curl -fs http://web/healthz"'


def with_command(command: str) -> str:
    return changed(COMMAND, f"command: {command}")


# What it is, its bytes, the rule, and its place.
FILES: list[tuple[str, bytes | str, str, str]] = [
    ("empty", "", "not-a-package", "1:1"),
    ("only comments", "# a\n# b\n", "not-a-package", "1:1"),
    ("only separators", "---\n---\n", "not-a-package", "1:1"),
    ("a list", "- a\n- b\n", "not-a-package", "1:1"),
    ("a text", "hello\n", "not-a-package", "1:1"),
    ("another kind", "apiVersion: v1\nkind: Pod\n", "not-a-package", "2:7"),
    ("a kind that is a list", "kind: [WorkflowPackage]\n", "not-a-package", "1:7"),
    ("a misspelt kind", "apiVersion: v1\nkind: workflowPackage\n", "not-a-package", "2:7"),
    ("not YAML", "a: b: c\n", "yaml-syntax", "1:5"),
    ("a tab", "a:\n\t- b\n", "yaml-syntax", "2:1"),
    ("an open quote", 'a: "b\nc: d\n', "yaml-syntax", "3:1"),
    ("an open bracket", "a: [b\nc: d\n", "yaml-syntax", "2:2"),
    ("an unknown reference", "a: *b\n", "yaml-syntax", "1:4"),
    ("a YAML of another version", "%YAML 3.0\n---\na\n", "yaml-syntax", "1:1"),
    ("half a character by an escape", 'a: "\\ud800"\n', "yaml-syntax", "1:7"),
    ("binary", bytes(range(256)), "yaml-encoding", "3:115"),
    ("a PNG", b"\x89PNG\r\n\x1a\n\0", "yaml-encoding", "1:1"),
    ("NUL", "a: b\nc: \0\n", "yaml-encoding", "2:4"),
    ("a raw escape character", "a: \x1b[31m\n", "yaml-encoding", "1:4"),
    ("UTF-16", PACKAGE.encode("utf-16"), "yaml-encoding", "1:1"),
    ("UTF-16 without a mark", PACKAGE.encode("utf-16-le"), "yaml-encoding", "1:2"),
    ("UTF-32", PACKAGE.encode("utf-32"), "yaml-encoding", "1:1"),
    ("latin-1", "a: b\nname: café\n".encode("latin-1"), "yaml-encoding", "2:10"),
    ("surrogates in UTF-8", b"a: \xed\xa0\x80\n", "yaml-encoding", "1:4"),
    ("a byte order mark", b"\xef\xbb\xbf" + PACKAGE.encode(), "yaml-byte-order-mark", "1:1"),
    ("CR only", PACKAGE.replace("\n", "\r"), "yaml-line-endings", "1:15"),
    ("10 MB", "a: b\n" * 2_000_000, "yaml-too-large", "1:1"),
    ("300 KiB", PACKAGE + "# comment\n" * 30_000, "file-large", "1:1"),
    ("10,000 documents", "---\n" * 10_000, "yaml-too-large", "33:1"),
    ("30,000 values", "a:\n" + "- 1\n" * 30_000, "yaml-too-large", "19999:3"),
    ("a text of 100 KB", f"a: {'b' * 100_000}\n", "yaml-too-large", "1:4"),
    ("a duplicate key", "a: 1\nb: 2\na: 3\n", "yaml-duplicate-key", "3:1"),
    ("a duplicate key in quotes", 'x:\n  a: 1\n  "a": 3\n', "yaml-duplicate-key", "3:3"),
    ("a duplicate key of another type", '1: a\n"1": b\n', "yaml-duplicate-key", "2:1"),
    ("a merge key", "a: &a {x: 1}\nb:\n  <<: *a\n", "yaml-merge-key", "3:3"),
    ("a merge bomb", MERGES, "yaml-merge-key", "2:8"),
    ("an alias bomb", BOMB, "yaml-alias-bomb", "5:12"),
    ("200 references", "a: &a b\nc: [" + "*a, " * 200 + "]\n", "yaml-alias-bomb", "2:405"),
    ("long texts by references", f"a: &a {'b' * 60_000}\nc: [{'*a, ' * 30}]\n", "yaml-alias-bomb", "2:73"),
    ("a cycle", "a: &a [*a]\n", "yaml-recursion", "1:8"),
    ("a cycle through a mapping", "a: &a\n  b:\n    c: *a\n", "yaml-recursion", "3:8"),
    ("depth 100,000", "[" * 100_000, "yaml-too-deep", "1:65"),
    ("depth 100,000 in mappings", "{a: " * 100_000, "yaml-too-deep", "1:257"),
    ("depth 5,000 in lines", "\n".join(" " * n + "a:" for n in range(1000)), "yaml-too-deep", "65:65"),
    (
        "depth by references",
        "a: &a " + "[" * 40 + "]" * 40 + "\nb: " + "[" * 40 + "*a" + "]" * 40,
        "yaml-too-deep",
        "2:44",
    ),
    ("a foreign tag", "a: !!python/object/apply:os.system [id]\n", "yaml-tag", "1:4"),
    ("a private tag", "a: !vault x\n", "yaml-tag", "1:4"),
    ("a binary tag", 'a: !!binary "@@"\n', "yaml-tag", "1:4"),
    ("a timestamp tag", "a: !!timestamp 2001-13-45\n", "yaml-tag", "1:4"),
    ("a set", "a: !!set {b, c}\n", "yaml-tag", "1:4"),
    ("a tag that lies", "a: !!int b\n", "yaml-tag", "1:4"),
    ("a tagged key", "!!binary a: b\n", "yaml-tag", "1:1"),
    ("a list as key", "? [a, b]\n: c\n", "yaml-complex-key", "1:3"),
    ("a reference as key", "- &a b\n- *a : c\n", "yaml-complex-key", "2:3"),
    ("escapes in a text", with_command('"echo \\e]0;title\\a"'), "yaml-control-character", "40:28"),
    ("a carriage return in a text", with_command('"echo a\\r::error"'), "yaml-control-character", "40:28"),
    ("a bidi control", with_command("echo \u202eolleh"), "yaml-bidi", "40:33"),
    ("a bidi control in a comment", "# \u2066x\n" + PACKAGE, "yaml-bidi", "1:3"),
    ("a bidi control by an escape", with_command('"echo \\u202eolleh"'), "yaml-bidi", "40:28"),
    ("a huge integer", changed("lines: 100", f"lines: {'9' * 5000}"), "invalid-value", "27:16"),
    ("handlers that are no list", changed("  handlers:\n", "  handlers: none\n  x:\n"), "wrong-structure", "20:13"),
]


def printed(program: str, *arguments: str) -> str:
    """What a Python program of its own process prints."""
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, text=True, check=True
    ).stdout


@pytest.mark.parametrize(
    ("data", "rule", "place"), [entry[1:] for entry in FILES], ids=[entry[0] for entry in FILES]
)
@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
def test_bad_input_is_a_finding_at_its_place(
    data: bytes | str, rule: str, place: str, loader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composer, "LOADER", getattr(composer.yaml, loader))
    path = tmp_path / "web.wpk.yaml"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    began = time.process_time()
    loaded = load_file(path, display="web.wpk.yaml")
    assert time.process_time() - began < 2
    if loader == "SafeLoader" and rule == "yaml-syntax":
        # The parser written in Python finds the same mistakes, but may name another token of theirs.
        assert {name for name, _ in found(loaded)} & {rule, "yaml-encoding"}
    else:
        assert (rule, place) in found(loaded)
    assert all(finding.location.path == "web.wpk.yaml" for finding in loaded.findings)


def test_all_bad_input_together_takes_less_than_200_mb(tmp_path: Path) -> None:
    for number, (_, data, _, _) in enumerate(FILES):
        (tmp_path / f"{number}.wpk.yaml").write_bytes(data if isinstance(data, bytes) else data.encode())
    program = (
        "import sys, pathlib; from wpk_sandbox.package.load import load_bytes, load_file;"
        "print(sum(bool(load_file(p).findings) for p in pathlib.Path(sys.argv[1]).iterdir()));"
        # Its own peak in KiB: getrusage(2) counts that of the process which started it too.
        "print(pathlib.Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])"
    )
    told, memory = printed(program, str(tmp_path)).split()
    assert told == str(len(FILES))
    assert 10 * 1024 < int(memory) < 200 * 1024


def test_a_missing_file(tmp_path: Path) -> None:
    loaded = load_file(tmp_path / "web.wpk.yaml", display="web.wpk.yaml")
    assert found(loaded) == [("file-unreadable", "1:1")]
    assert "no such file" in loaded.findings[0].message


def test_a_folder_called_like_a_package(tmp_path: Path) -> None:
    path = tmp_path / "x.wpk.yaml"
    path.mkdir()
    loaded = load_file(path)
    assert found(loaded) == [("file-unreadable", "1:1")]
    assert "a folder, not a file" in loaded.findings[0].message


def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "x.wpk.yaml"
    os.mkfifo(path)
    loaded = load_file(path)
    assert found(loaded) == [("file-unreadable", "1:1")]
    assert "a named pipe" in loaded.findings[0].message


def test_a_device() -> None:
    assert found(load_file("/dev/zero")) == [("file-unreadable", "1:1")]


def test_a_name_with_a_nul() -> None:
    assert found(load_file("a\0b")) == [("file-unreadable", "1:1")]


def test_an_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "x.wpk.yaml"
    path.write_text(PACKAGE)
    path.chmod(0)
    tmp_path.chmod(0o755)
    program = (
        "import os, sys; from wpk_sandbox.package.load import load_bytes, load_file;"
        "os.geteuid() or os.setuid(65534); print(load_file(sys.argv[1], root='/').findings[0])"
    )
    output = printed(program, str(path))
    assert "file-unreadable" in output
    assert "permission denied" in output


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "repository").mkdir()
    (tmp_path / "outside.yaml").write_text(PACKAGE)
    (tmp_path / "repository/inside.yaml").write_text(PACKAGE)
    return tmp_path / "repository"


@pytest.mark.parametrize("target", ["../outside.yaml", "/etc/passwd", "/proc/self/environ"])
def test_a_link_out_of_the_repository(repository: Path, target: str) -> None:
    (repository / "x.wpk.yaml").symlink_to(target)
    loaded = load_file(repository / "x.wpk.yaml", root=repository)
    assert found(loaded) == [("file-outside-repository", "1:1")]


def test_a_folder_that_links_out_of_the_repository(repository: Path) -> None:
    (repository / "folder").symlink_to("..")
    loaded = load_file(repository / "folder/outside.yaml", root=repository)
    assert found(loaded) == [("file-outside-repository", "1:1")]


def test_a_link_in_the_repository_is_followed(repository: Path) -> None:
    (repository / "x.wpk.yaml").symlink_to("inside.yaml")
    loaded = load_file(repository / "x.wpk.yaml", root=repository)
    assert [package.name for package in loaded.packages] == ["restart-web"]


def test_a_link_that_leads_to_itself(repository: Path) -> None:
    (repository / "x.wpk.yaml").symlink_to("x.wpk.yaml")
    assert found(load_file(repository / "x.wpk.yaml", root=repository)) == [("file-unreadable", "1:1")]


@pytest.mark.parametrize(
    "text",
    ["a: [b", "a: [b,\n  c\n", "a: 'b", "a: b\rc: d\n", "\x85- [\x85", "a: {b: \u2028", "? ", "\ufeff\ufeff\r\n`"],
)
def test_a_range_ends_where_the_line_ends(text: str) -> None:
    lines = re.split("\r\n|[\n\r\x85\u2028\u2029]", text)
    for finding in load_bytes(text.encode(), "x").findings:
        place = finding.location
        assert place.column <= len(lines[place.line - 1]) + 1
        assert place.end_line == 0 or place.end_column <= len(lines[place.end_line - 1]) + 1


def test_thousands_of_findings_take_no_longer_than_their_number() -> None:
    """Were each to look for its line from the top of the file, this would take minutes."""
    keys = "".join(f"k: {'x' * 30}\n" for _ in range(9000))
    findings = load_bytes(f"{PACKAGE}---\n{keys}".encode(), "x").findings
    assert any("further problems" in finding.message for finding in findings)
    assert {finding.excerpt for finding in findings if finding.rule == "yaml-duplicate-key"} == {f"k: {'x' * 30}"}
    unknown = "".join(f"unknown{number}: {'x' * 30}\n" for number in range(9000))
    (*findings, last) = load_bytes(f"{PACKAGE}{unknown}".encode(), "x").findings
    assert "further problems" in last.message
    assert all(finding.excerpt.endswith("x" * 30) for finding in findings)


def test_a_file_of_nothing_but_marks_is_told_of_once_read() -> None:
    (*findings, _) = load_bytes(("# " + "\u202e" * 300_000).encode(), "x").findings
    assert {finding.rule for finding in findings} <= {"yaml-bidi", "file-large", "not-a-package"}
    assert sum(finding.rule == "yaml-bidi" for finding in findings) > 90
