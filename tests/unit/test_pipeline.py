"""The flow as a whole, on sandboxes that are only remembered: what opens one, what ends a run, what a rest means."""

import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from wpk_sandbox import pipeline
from wpk_sandbox.errors import InterruptedRunError, SandboxError
from wpk_sandbox.judging import END_GRACE, Request
from wpk_sandbox.package.selection import find
from wpk_sandbox.pipeline import try_packages
from wpk_sandbox.run.observe import Silent
from wpk_sandbox.run.result import PackageResult, RunResult, Verdict
from wpk_sandbox.run_id import new_run_id
from wpk_sandbox.sandbox.guard import Guard
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import Completed, Evidence, Observed, SandboxSpec, Usage
from wpk_sandbox.sandbox.table import SANDBOXES, SandboxType
from wpk_sandbox.settings import resolve

PACKAGE = """\
apiVersion: v1
kind: WorkflowPackage
metadata: {{name: {name}, version: 1.0.0}}
spec:
  runtime: {{type: shell}}
  handlers:
    - name: look
      type: shell
      config: {{command: "{command}"}}
"""


@dataclass
class Shells:
    """Opens shells that answer each command with success, and remembers what happened."""

    name: str = "remembered"
    commands: list[str] = field(default_factory=list)
    opened: int = 0
    closed: int = 0
    reason: str | None = None
    breaks: BaseException | None = None
    held: bool = True
    remains: bool = False
    details: str = "a shell that is only remembered"

    def why_not(self, spec: SandboxSpec) -> str | None:
        return self.reason

    @contextmanager
    def open(self, spec: SandboxSpec, ledger: Ledger) -> Iterator["Shells"]:
        entry = ledger.enter("container", "one", self._remove)
        self.opened += 1
        try:
            yield self
        finally:
            ledger.undo(entry)

    def run(self, command: str, **_: Any) -> Completed:
        self.commands.append(command)
        if self.breaks:
            raise self.breaks
        return Completed(1 if command == "false" else 0, "", "", 0.1)

    def observed(self) -> Observed:
        return Observed(usage=self.usage())

    def usage(self) -> Usage:
        return Usage()

    def evidence(self) -> tuple[Evidence, ...]:
        return (Evidence("network", self.held, "lo" if self.held else "eth0"),)

    def _remove(self) -> None:
        if self.remains:
            raise OSError("it is busy")
        self.closed += 1


@dataclass(frozen=True)
class Row(SandboxType):
    """A row of the table whose shells are remembered."""

    shells: Shells = field(default_factory=Shells)

    def shell(self) -> Any:
        return self.shells


@pytest.fixture
def shells(monkeypatch: pytest.MonkeyPatch) -> Shells:
    row = Row("local", "", "")
    monkeypatch.setitem(SANDBOXES, "local", row)
    return row.shells


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """`write(name, command)`: a package of one shell step."""

    def one(name: str, command: str = "true") -> None:
        (tmp_path / f"{name}.wpk.yaml").write_text(PACKAGE.format(name=name, command=command))

    return one


def request_in(folder: Path, *, keep: bool = False, **flags: Any) -> Request:
    chosen = {name.replace("__", "."): value for name, value in flags.items()}
    settings = resolve(flags={"sandbox.type": "local", **chosen})
    return Request(folder, find(["."], root=folder), settings, "run-1", keep=keep)


def tried(folder: Path, **options: Any) -> RunResult:
    result, stopped = try_packages(request_in(folder, **options))
    assert stopped is None
    return result


def test_package_is_run_in_the_sandbox_that_was_asked_for_and_leaves_nothing(
    tmp_path: Path, write: Any, shells: Shells
) -> None:
    write("good", "echo hello")
    result = tried(tmp_path)
    assert (result.verdict, result.run_id) == (Verdict.PASS, "run-1")
    assert (shells.commands, shells.opened, shells.closed) == (["echo hello"], 1, 1)
    assert (result.tally.made, result.tally.removed, result.tally.left) == (1, 1, ())
    sandbox = result.packages[0].sandbox
    assert sandbox is not None
    assert (sandbox.type, sandbox.reason, sandbox.details) == ("local", "asked for", (shells.details,))


def test_each_package_has_a_sandbox_of_its_own_and_the_worst_verdict_counts(
    tmp_path: Path, write: Any, shells: Shells
) -> None:
    write("a-bad", "false")
    write("b-good")
    result = tried(tmp_path)
    assert [each.verdict for each in result.packages] == [Verdict.FAIL, Verdict.PASS]
    assert (result.verdict, shells.opened, shells.closed) == (Verdict.FAIL, 2, 2)


def test_blocked_package_never_opens_a_sandbox(tmp_path: Path, write: Any, shells: Shells) -> None:
    write("blocked", "rm -rf /")
    result = tried(tmp_path)
    (package,) = result.packages
    assert (package.verdict, package.sandbox, package.steps) == (Verdict.FAIL, None, ())
    assert package.reason.startswith("blocked before it started")
    assert (shells.opened, shells.commands) == (0, [])


@pytest.mark.parametrize(("fail_on", "opened"), [("block", 1), ("review", 0)])
def test_policy_says_which_decisions_may_start(
    tmp_path: Path, write: Any, shells: Shells, fail_on: str, opened: int
) -> None:
    write("risky", "curl http://example.com/x")
    flags = {
        "policy__fail_on": fail_on,
        "policy__review_from": 1,
        "policy__person_from": 90,
        "policy__block_from": 95,
    }
    result = tried(tmp_path, **flags)
    assert shells.opened == opened, result.packages[0].reason
    assert opened or "(`policy.fail_on`)" in result.packages[0].reason


def test_file_that_is_no_package_fails_the_run(tmp_path: Path, shells: Shells) -> None:
    (tmp_path / "broken.wpk.yaml").write_text("kind: [")
    result = tried(tmp_path)
    assert (result.verdict, result.packages, shells.opened) == (Verdict.FAIL, (), 0)
    assert result.findings[0].location.path == "broken.wpk.yaml"


def test_host_without_the_sandbox_is_inconclusive_and_says_why(tmp_path: Path, write: Any, shells: Shells) -> None:
    write("good")
    shells.reason = "bubblewrap is not installed"
    result = tried(tmp_path)
    (package,) = result.packages
    assert (package.verdict, shells.opened) == (Verdict.INCONCLUSIVE, 0)
    assert "bubblewrap is not installed" in package.reason
    assert package.notes == ("wpk-sandbox doctor",)


def test_sandbox_that_breaks_is_inconclusive_and_removed(tmp_path: Path, write: Any, shells: Shells) -> None:
    write("good")
    shells.breaks = SandboxError("the daemon went away")
    result = tried(tmp_path)
    assert (result.verdict, shells.closed) == (Verdict.INCONCLUSIVE, 1)
    assert "the daemon went away" in result.packages[0].reason


def test_sandbox_that_is_not_closed_runs_nothing(tmp_path: Path, write: Any, shells: Shells) -> None:
    write("good")
    shells.held = False
    result = tried(tmp_path)
    assert (result.verdict, shells.commands, shells.closed) == (Verdict.INCONCLUSIVE, [], 1)
    assert "not closed (network: eth0), so nothing was run" in result.packages[0].reason


@pytest.mark.parametrize(
    ("command", "verdict", "words"),
    [
        ("true", Verdict.INCONCLUSIVE, "container one could not be removed: it is busy"),
        ("false", Verdict.FAIL, "look"),
    ],
)
def test_what_is_left_makes_a_pass_inconclusive_and_hides_no_failure(
    tmp_path: Path, write: Any, shells: Shells, command: str, verdict: Verdict, words: str
) -> None:
    write("good", command)
    shells.remains = True
    result = tried(tmp_path)
    (left,) = result.tally.left
    assert (result.verdict, left.name, left.reason) == (verdict, "one", "it is busy")
    assert words in result.packages[0].reason


def test_kept_sandbox_is_counted_and_not_removed(tmp_path: Path, write: Any, shells: Shells) -> None:
    write("good")
    result = tried(tmp_path, keep=True)
    assert (result.verdict, result.tally.kept, result.tally.left, shells.closed) == (Verdict.PASS, 1, (), 0)


def test_setting_keeps_as_the_flag_does_and_for_longer(tmp_path: Path, write: Any) -> None:
    write("good")
    kept = request_in(tmp_path, sandbox__cleanup__auto_cleanup=False)
    assert kept.ledger(Guard()).keep
    assert not request_in(tmp_path).ledger(Guard()).keep
    assert kept.expires > request_in(tmp_path).expires


def test_settings_say_how_things_are_asked_to_end(tmp_path: Path) -> None:
    assert request_in(tmp_path).ledger(Guard()).grace == 0
    assert request_in(tmp_path, sandbox__cleanup__force_cleanup=False).ledger(Guard()).grace == 10


@pytest.mark.parametrize(("patience", "left"), [("200ms", 1), ("1m", 0)])
def test_settings_say_how_long_is_waited_for_what_is_removed(tmp_path: Path, patience: str, left: int) -> None:
    ledger = request_in(tmp_path, sandbox__cleanup__cleanup_timeout=patience).ledger(Guard())
    ledger.enter("container", "slow to go", lambda: time.sleep(2))
    assert len(ledger.close().left) == left


def test_settings_bound_the_removal_and_choose_between_asking_and_killing(tmp_path: Path) -> None:
    usual = request_in(tmp_path).ledger(Guard())
    assert (usual._left, usual.grace) == (300.0, 0.0)
    chosen = {"sandbox__cleanup__cleanup_timeout": "7s", "sandbox__cleanup__force_cleanup": False}
    gentle = request_in(tmp_path, **chosen).ledger(Guard())
    assert (gentle._left, gentle.grace) == (7.0, END_GRACE)


def test_packages_that_the_run_limit_leaves_no_time_for_are_inconclusive(
    tmp_path: Path, write: Any, shells: Shells, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a-slow")
    write("b-late")
    now = [0.0]
    monkeypatch.setattr(pipeline.time, "monotonic", lambda: now[0])
    finish = shells.run

    def slow(command: str, **options: Any) -> Completed:
        now[0] += 100
        return finish(command, **options)

    monkeypatch.setattr(shells, "run", slow)
    result = tried(tmp_path, timeouts__run="90s", rollback="never")
    assert shells.opened == 1
    assert (result.packages[1].verdict, result.packages[1].sandbox) == (Verdict.INCONCLUSIVE, None)
    assert "run limit" in result.packages[1].reason


def test_signal_ends_the_run_with_what_is_known_and_removes_the_sandbox(
    tmp_path: Path, write: Any, shells: Shells
) -> None:
    write("a-good")
    write("b-stopped", "sleep 1")
    write("c-never")

    class Stop(Silent):
        def package_finished(self, result: PackageResult) -> None:
            shells.breaks = InterruptedRunError(signal.SIGTERM)

    result, stopped = try_packages(request_in(tmp_path), Stop())
    assert stopped is not None
    assert stopped.exit_code == 143
    assert [each.name for each in result.packages] == ["a-good", "b-stopped"]
    assert result.packages[1].verdict is Verdict.INCONCLUSIVE
    assert result.packages[1].reason == "interrupted (signal 15)"
    assert (result.verdict, shells.opened, shells.closed) == (Verdict.INCONCLUSIVE, 2, 2)
    assert "interrupted (signal 15)" in result.notes[-1]


def test_run_of_a_ci_job_has_its_id_and_others_have_one_each() -> None:
    github = {"GITHUB_RUN_ID": "7", "GITHUB_RUN_ATTEMPT": "2", "GITHUB_JOB": "try it/all"}
    assert new_run_id(github) == "gh-7-2-try-it-all"
    legs = {new_run_id({**github, "RUNNER_NAME": name}) for name in ("one", "two")}
    assert len(legs) == 2
    assert all(leg.startswith("gh-7-2-") and leg.endswith("-try-it-all") for leg in legs)
    assert new_run_id({"CI_JOB_ID": "42"}) == "gl-42"
    assert len(new_run_id({"CI_JOB_ID": "4" * 100})) == 60
    first, second = new_run_id({}), new_run_id({})
    assert first != second
    assert re.fullmatch(r"\d{14}-[0-9a-f]{6}", first)
