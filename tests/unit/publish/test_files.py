"""Reports and logs on disk."""

import json
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from report.hostile import HOSTILE_RUN
from report.parts import run, step
from report.sample import EVERYTHING, FAILING, GREEN, PASSING, UNREADABLE

from wpk_sandbox.errors import PublishingError, SettingsError
from wpk_sandbox.publish.files import workspace_owner, write_logs, write_reports, write_whole
from wpk_sandbox.report.codequality import code_quality
from wpk_sandbox.report.fingerprint import of_run
from wpk_sandbox.report.html import html
from wpk_sandbox.report.json import to_json
from wpk_sandbox.report.junit import junit
from wpk_sandbox.report.line_hash import line_hashes
from wpk_sandbox.report.sarif import sarif
from wpk_sandbox.report.summary import summary

FOR_PROGRAMS = ["findings.sarif", "gl-code-quality-report.json", "junit.xml"]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """What a file system without room does, by the kernel's bound on one file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


class TestReports:
    def test_each_form_is_written_and_named(self, tmp_path: Path) -> None:
        written = write_reports(EVERYTHING, tmp_path / "a" / "b")
        assert {name: path.name for name, path in written.items()} == {
            "result": "result.json",
            "junit": "junit.xml",
            "summary": "summary.md",
            "report": "report.html",
            "sarif": "findings.sarif",
            "gitlab": "gl-code-quality-report.json",
        }
        assert written["result"].read_text() == to_json(EVERYTHING)
        assert written["junit"].read_text() == junit(EVERYTHING)
        assert written["summary"].read_text() == summary(EVERYTHING)
        assert written["report"].read_text() == html(EVERYTHING)
        assert written["sarif"].read_text() == sarif(of_run(EVERYTHING))
        assert written["gitlab"].read_text() == code_quality(of_run(EVERYTHING))

    def test_lines_of_known_files_have_the_names_that_github_gives_them(self, tmp_path: Path) -> None:
        source = tmp_path / UNREADABLE.location.path
        source.parent.mkdir()
        source.write_text("\n".join("abcdefg"))
        written = write_reports(EVERYTHING, tmp_path / "out", root=tmp_path)
        names = [
            each["partialFingerprints"]["primaryLocationLineHash"]
            for each in json.loads(written["sarif"].read_text())["runs"][0]["results"]
            if each["ruleId"] == UNREADABLE.rule
        ]
        assert names == [line_hashes(source.read_text())[UNREADABLE.location.line - 1]]

    def test_nothing_else_is_left(self, tmp_path: Path) -> None:
        write_reports(GREEN, tmp_path)
        assert files(tmp_path) == [*FOR_PROGRAMS, "report.html", "result.json", "summary.md"]

    def test_a_second_run_replaces_the_first(self, tmp_path: Path) -> None:
        write_reports(EVERYTHING, tmp_path)
        written = write_reports(GREEN, tmp_path)
        assert written["result"].read_text() == to_json(GREEN)

    def test_reports_without_room_leave_all_of_the_first(self, tmp_path: Path) -> None:
        write_reports(GREEN, tmp_path)
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        largest = max(len(content) for content in before.values())
        with files_of_at_most(largest), pytest.raises(PublishingError, match="could not write into"):
            write_reports(EVERYTHING, tmp_path)
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before

    def test_hostile_text_can_be_written(self, tmp_path: Path) -> None:
        written = write_reports(HOSTILE_RUN, tmp_path, log_folder=tmp_path / "logs")
        assert all(path.exists() for path in written.values())

    def test_the_users_template_is_taken(self, tmp_path: Path) -> None:
        (tmp_path / "summary.md.j2").write_text("mine: {{ result.verdict }}")
        written = write_reports(GREEN, tmp_path / "out", templates=tmp_path)
        assert written["summary"].read_text() == "mine: pass\n"

    def test_a_broken_template_leaves_the_result_for_programs(self, tmp_path: Path) -> None:
        (tmp_path / "summary.md.j2").write_text("{{ nothing }}")
        with pytest.raises(SettingsError):
            write_reports(GREEN, tmp_path / "out", templates=tmp_path)
        assert files(tmp_path / "out") == [*FOR_PROGRAMS, "result.json"]

    def test_a_folder_that_cannot_be_made_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "taken").write_text("a file")
        with pytest.raises(PublishingError, match=r"could not write into .*taken") as caught:
            write_reports(GREEN, tmp_path / "taken")
        assert caught.value.remedy


class TestWriteWhole:
    def test_a_link_is_replaced_and_not_followed(self, tmp_path: Path) -> None:
        victim = tmp_path / "victim"
        victim.write_text("precious")
        (tmp_path / "report.html").symlink_to(victim)
        write_whole(tmp_path / "report.html", "report")
        assert victim.read_text() == "precious"
        assert (tmp_path / "report.html").read_text() == "report"

    def test_a_failure_leaves_the_old_file_and_no_other(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "a").write_text("old")

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "replace", full)
        with pytest.raises(OSError, match="No space"):
            write_whole(tmp_path / "a", "new")
        assert files(tmp_path) == ["a"]
        assert (tmp_path / "a").read_text() == "old"

    def test_what_finds_no_room_leaves_the_old_file_and_no_other(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("old")
        with files_of_at_most(4096):
            write_whole(tmp_path / "a", "x" * 4096)
            with pytest.raises(OSError, match="too large"):
                write_whole(tmp_path / "a", "y" * 5000)
        assert files(tmp_path) == ["a"]
        assert (tmp_path / "a").read_text() == "x" * 4096

    def test_everyone_may_read_it(self, tmp_path: Path) -> None:
        assert write_whole(tmp_path / "a", "x").stat().st_mode & 0o777 == 0o644


class TestOwner:
    @as_root
    def test_in_an_action_the_files_belong_to_the_owner_of_the_workspace(self, tmp_path: Path) -> None:
        os.chown(tmp_path, 1001, -1)
        environment = {"GITHUB_WORKSPACE": str(tmp_path)}
        write_reports(EVERYTHING, tmp_path / "out", log_folder=tmp_path / "logs", environment=environment)
        assert {path.stat().st_uid for path in tmp_path.rglob("*")} == {1001}

    def test_elsewhere_they_are_ours(self, tmp_path: Path) -> None:
        write_reports(GREEN, tmp_path)
        assert {path.stat().st_uid for path in tmp_path.rglob("*")} == {os.geteuid()}

    @pytest.mark.parametrize("environment", [{}, {"GITHUB_WORKSPACE": "/nonexistent"}])
    def test_without_a_workspace_nothing_is_given_away(self, environment: dict[str, str]) -> None:
        assert workspace_owner(environment) is None


class TestLogs:
    def test_each_step_that_said_something_has_a_file(self, tmp_path: Path) -> None:
        write_logs(run(PASSING, FAILING), tmp_path)
        assert files(tmp_path) == ["02-scale-shop-peak-traffic/run-03-wait-ready.log"]

    def test_a_log_has_both_streams_and_how_it_ended(self, tmp_path: Path) -> None:
        write_logs(run(FAILING), tmp_path)
        text = (tmp_path / "01-scale-shop-peak-traffic" / "run-03-wait-ready.log").read_text()
        assert text.startswith("wait-ready: FAILED, 60.0 s, timed out (step limit, line 31, 2 attempts)\n")
        assert "----- stdout -----\nwaiting\nwaiting\n" in text
        assert text.endswith("----- stderr -----\nwarning: 0 of 3\nwarning: 1 of 3\n")

    def test_steps_of_the_rollback_have_theirs(self, tmp_path: Path) -> None:
        undone = replace(FAILING.rollback.steps[0], stdout="undone\n")
        write_logs(run(replace(FAILING, steps=(), rollback=replace(FAILING.rollback, steps=(undone,)))), tmp_path)
        assert files(tmp_path) == ["01-scale-shop-peak-traffic/rollback-01-scale-down.log"]

    def test_names_of_a_package_cannot_leave_the_folder(self, tmp_path: Path) -> None:
        evil = replace(PASSING, name="../../evil", steps=(step(1, "../../../etc/passwd", stdout="x"),))
        write_logs(run(evil), tmp_path / "logs")
        assert files(tmp_path) == ["logs/01-evil/run-01-etc-passwd.log"]

    def test_equal_names_do_not_overwrite_each_other(self, tmp_path: Path) -> None:
        twice = replace(PASSING, steps=(step(1, "a", stdout="one"), step(2, "a", stdout="two")))
        write_logs(run(twice, twice), tmp_path)
        assert len(files(tmp_path)) == 4

    def test_a_log_does_not_drive_the_terminal_that_shows_it(self, tmp_path: Path) -> None:
        write_logs(HOSTILE_RUN, tmp_path)
        (log,) = [path for path in tmp_path.rglob("*.log") if "run-01" in path.name]
        assert "\\x1b]0;title" in log.read_text()
        assert "\x1b" not in log.read_text()
        assert log.read_text().endswith("----- cut at the output limit -----\n")
