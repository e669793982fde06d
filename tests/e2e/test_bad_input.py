"""Bad input through the real command line: one clear line with its place, the right exit code, little cost."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from .calling import Called, wpk

MOST_CPU = 2.0
MOST_MEMORY = 200 * 1024 * 1024

FAIL = 1
USAGE = 2

GOOD = """\
apiVersion: v1
kind: WorkflowPackage
metadata: {name: good, version: 1.0.0}
spec:
  runtime: {type: shell}
  handlers:
    - name: look
      type: shell
      config: {command: "true"}
"""
SCALE = """\
apiVersion: v1
kind: WorkflowPackage
metadata: {name: scale, version: 1.0.0}
spec:
  runtime: {type: k8s}
  handlers:
    - name: look
      type: k8s
      timeout: 10s
      config: {action: scale, replicas: 2}
"""
ALIAS_BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 12)
)
MERGE_BOMB = "m0: &m0 {k: v}\n" + "".join(
    f"m{level}: &m{level}\n  <<: [{', '.join([f'*m{level - 1}'] * 9)}]\n" for level in range(1, 12)
)


@dataclass(frozen=True)
class Bad:
    """A package file that is wrong, the rule that says so, and where."""

    what: str
    content: bytes | str
    says: str
    line: int
    column: int = 1

    @property
    def data(self) -> bytes:
        """What stands in the file."""
        return self.content if isinstance(self.content, bytes) else self.content.encode()


BROKEN = [
    Bad("binary", bytes(range(256)) * 40, "yaml-encoding", 3),
    Bad("not YAML", GOOD.replace("metadata: {", "metadata: {{"), "yaml-", 3),
    Bad("kind of another tool", GOOD.replace("WorkflowPackage", "Deployment"), "not-a-package", 2),
    Bad("misspelt kind", GOOD.replace("WorkflowPackage", "WorkflowPakage"), "not-a-package", 2),
    Bad("unknown version of the format", GOOD.replace("apiVersion: v1", "apiVersion: v9"), "wrong-api-version", 1),
    Bad("a reference to what it stands in", GOOD + "x: &x [*x]\n", "yaml-recursion", 10),
    Bad("10 MB", GOOD + "# " + "x" * 10_000_000, "yaml-too-large", 1),
    Bad("the same key twice", GOOD + "kind: WorkflowPackage\n", "yaml-duplicate-key", 10),
    Bad("bomb of merge keys", MERGE_BOMB, "yaml-merge-key", 3),
    Bad("bomb of references", ALIAS_BOMB, "yaml-alias-bomb", 5),
    Bad("100,000 levels", "[" * 100_000, "yaml-too-deep", 1),
    Bad("NUL", GOOD.replace('"true"', '"tr\0ue"'), "yaml-encoding", 9),
    Bad("UTF-16", GOOD.encode("utf-16"), "yaml-encoding", 1),
    Bad("Latin-1", GOOD.replace("true", "é").encode("latin-1"), "yaml-encoding", 9),
    Bad("tag of Python", GOOD + "x: !!python/object:os.system {}\n", "yaml-tag", 10),
    Bad("nothing", "", "not-a-package", 1),
    Bad("only comments", "# later\n# or never\n", "not-a-package", 1),
    Bad("a list", "- a\n- b\n", "not-a-package", 1),
    Bad(
        "handlers that are no list",
        GOOD[: GOOD.index("    - ")] + "    look: {type: shell}\n",
        "wrong-structure",
        7,
    ),
    Bad("no handlers", GOOD[: GOOD.index("  handlers")], "missing-field", 4),
    Bad("no name", GOOD.replace("name: good, ", ""), "missing-field", 3),
]
ODD = [
    Bad("unknown action", SCALE.replace("action: scale", "action: scael"), "unknown-action", 10),
    Bad("unknown type", GOOD.replace("type: shell\n      c", "type: shel\n      c"), "unknown-type", 8),
    Bad("unknown field", GOOD.replace("metadata", "labels: {}\nmetadata"), "unknown-field", 3),
    Bad("a duration that is none", SCALE.replace("10s", "ten"), "invalid-value", 9),
]


def is_cheap(called: Called) -> None:
    assert called.cpu < MOST_CPU, called.text
    assert called.memory < MOST_MEMORY
    assert "Traceback" not in called.text


@pytest.mark.parametrize("bad", [*BROKEN, *ODD], ids=lambda bad: bad.what)
def test_check_names_the_rule_and_the_place(tmp_path: Path, bad: Bad) -> None:
    (tmp_path / "bad.wpk.yaml").write_bytes(bad.data)
    called = wpk("check", "bad.wpk.yaml", folder=tmp_path)
    assert f"bad.wpk.yaml:{bad.line}:" in called.out
    assert bad.says in called.out
    assert called.code == (FAIL if bad in BROKEN else 0)
    is_cheap(called)


@pytest.mark.parametrize("bad", BROKEN, ids=lambda bad: bad.what)
def test_run_starts_nothing_that_it_cannot_read(tmp_path: Path, bad: Bad) -> None:
    (tmp_path / "bad.wpk.yaml").write_bytes(bad.data)
    called = wpk("run", "bad.wpk.yaml", "--sandbox", "local", folder=tmp_path)
    assert called.code == FAIL
    assert f"bad.wpk.yaml:{bad.line}:" in called.out
    assert "Step 1" not in called.out
    is_cheap(called)


@pytest.mark.parametrize("bad", ODD, ids=lambda bad: bad.what)
def test_the_good_package_has_none_of_these_findings(tmp_path: Path, bad: Bad) -> None:
    for content in (GOOD, SCALE):
        (tmp_path / "good.wpk.yaml").write_text(content)
        called = wpk("check", "good.wpk.yaml", folder=tmp_path)
        assert called.code == 0
        assert bad.says not in called.out


def test_a_pipe_is_refused_without_waiting_for_its_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wpk.yaml")
    called = wpk("check", "pipe.wpk.yaml", folder=tmp_path, timeout=20)
    assert called.code == FAIL
    assert "pipe.wpk.yaml" in called.text
    is_cheap(called)


def test_a_link_out_of_the_repository_shows_nothing_of_its_target(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    (repository / ".git").mkdir(parents=True)
    (tmp_path / "outside.yaml").write_text("password: opensesame\n")
    (repository / "link.wpk.yaml").symlink_to(tmp_path / "outside.yaml")
    called = wpk("check", "link.wpk.yaml", folder=repository)
    assert called.code == FAIL
    assert "link.wpk.yaml" in called.text
    assert "opensesame" not in called.text
    is_cheap(called)


CASES = {
    "not YAML": ("cases: [", "1:"),
    "no list": ("cases: yes\n", "1:"),
    "no cases": ("cases: []\n", "1:"),
    "missing object": ("cases:\n  - name: one\n    objects: [objects/none.yaml]\n", "3:"),
    "object without a kind": ("cases:\n  - name: one\n    objects: [{metadata: {name: x}}]\n", "3:"),
}


@pytest.mark.parametrize("what", CASES)
def test_a_case_file_that_cannot_be_used_keeps_the_package_from_starting(tmp_path: Path, what: str) -> None:
    content, place = CASES[what]
    (tmp_path / "good.wpk.yaml").write_text(GOOD)
    (tmp_path / "good.wpk.test.yaml").write_text(content)
    called = wpk("run", "good.wpk.yaml", "--sandbox", "local", folder=tmp_path)
    assert called.code == FAIL
    assert f"good.wpk.test.yaml:{place}" in called.out
    assert "Step 1" not in called.out
    is_cheap(called)


SETTINGS = {
    "unknown setting": ("sandbox:\n  limits:\n    memroy: 1Gi\n", ":3:5", "did you mean `sandbox.limits.memory`"),
    "a value of the wrong shape": ("sandbox:\n  limits:\n    memory: plenty\n", ":3:", "plenty"),
    "a duration that is none": ("timeouts:\n  run: soon\n", ":2:", "soon"),
    "a choice that is none": ("rollback: allways\n", ":1:", "allways"),
    "the same key twice": ("rollback: prove\nrollback: never\n", ":2:1", "stands already in line 1"),
    "a list": ("- rollback\n", ":1:1", "mapping"),
    "not YAML": ("rollback: [\n", ":2:1", ""),
}


@pytest.mark.parametrize("what", SETTINGS)
@pytest.mark.parametrize("command", ["check", "run"])
def test_a_settings_file_is_refused_at_its_place(tmp_path: Path, what: str, command: str) -> None:
    content, place, words = SETTINGS[what]
    (tmp_path / "good.wpk.yaml").write_text(GOOD)
    (tmp_path / ".wpk-sandbox.yaml").write_text(content)
    called = wpk(command, "good.wpk.yaml", folder=tmp_path)
    assert called.code == USAGE
    assert called.err.startswith(f"wpk-sandbox: .wpk-sandbox.yaml{place}")
    assert words in called.err
    is_cheap(called)


USAGES: dict[str, tuple[list[str], str]] = {
    "file that does not exist": (["none.wpk.yaml"], "none.wpk.yaml"),
    "folder without packages": (["empty"], "no package"),
    "event file that does not exist": (["good.wpk.yaml", "--event", "none.json"], "none.json"),
    "event file that is broken": (["good.wpk.yaml", "--event", "event.json"], "event.json:"),
    "event file that is a list": (["good.wpk.yaml", "--event", "list.json"], "list.json"),
    "parameter without a value": (["good.wpk.yaml", "--param", "NAME"], "NAME=VALUE"),
    "parameter without a name": (["good.wpk.yaml", "--param", "=x"], "NAME=VALUE"),
    "unknown sandbox": (["good.wpk.yaml", "--sandbox", "moon"], "'moon' is not one of"),
    "settings file that does not exist": (["good.wpk.yaml", "--settings", "none.yaml"], "none.yaml"),
    "unknown option": (["good.wpk.yaml", "--fast"], "--fast"),
}
ONLY_RUN: dict[str, tuple[list[str], str]] = {
    "timeout that is none": (["good.wpk.yaml", "--timeout", "soon"], "--timeout"),
    "timeout of nothing": (["good.wpk.yaml", "--timeout", "0s"], "--timeout"),
    "templates that do not exist": (
        ["good.wpk.yaml", "--sandbox", "local", "--templates", "none", "--report", "report"],
        "none",
    ),
}


@pytest.mark.parametrize(
    ("command", "arguments", "words"),
    [
        pytest.param(command, *usage, id=f"{command}: {what}")
        for command, usages in (("check", USAGES), ("run", USAGES | ONLY_RUN))
        for what, usage in usages.items()
    ],
)
def test_a_call_that_cannot_be_carried_out_says_why(
    tmp_path: Path, command: str, arguments: list[str], words: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "good.wpk.yaml").write_text(GOOD)
    (tmp_path / "event.json").write_text('{"namespace": ')
    (tmp_path / "list.json").write_text("[]")
    called = wpk(command, *arguments, folder=tmp_path)
    assert called.code == USAGE, called.text
    assert words in called.err
    assert "Step 1" not in called.out
    is_cheap(called)


def test_a_name_that_is_not_utf_8_is_reported_and_not_fatal(tmp_path: Path) -> None:
    (tmp_path / "good.wpk.yaml").write_text(GOOD)
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.wpk.yaml"))).write_text(GOOD)
    called = wpk("check", ".", folder=tmp_path)
    assert called.code == FAIL
    assert "file-name" in called.out
    assert "1 package checked" in called.out
    is_cheap(called)
