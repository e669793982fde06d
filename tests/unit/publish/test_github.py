"""What the runner of GitHub Actions makes of what we write, read as the runner reads it."""

import io
import re
import resource
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from report.hostile import HOSTILE_PACKAGE, HOSTILE_RUN
from report.parts import run
from report.sample import BLOCKED, EMPTY, EVERYTHING, FAILING, GREEN, INCONCLUSIVE, PASSING

from wpk_sandbox.errors import PublishingError
from wpk_sandbox.finding import Finding, Location, Severity
from wpk_sandbox.publish.github import (
    SUMMARY_BYTES,
    Annotation,
    annotations,
    append_summary,
    outputs,
    publish,
    relative,
    write_annotations,
    write_log_groups,
    write_outputs,
)
from wpk_sandbox.run.result import Verdict

TOKEN = "5f3c" * 16


@dataclass(frozen=True)
class Command:
    """A workflow command, as the runner understood it."""

    name: str
    properties: dict[str, str]
    message: str


def unescape(text: str, *more: tuple[str, str]) -> str:
    for code, character in (*more, ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, character)
    return text


def commands(log: str) -> list[Command]:
    """What the runner takes for commands: `::name key=value::message` after blanks, and `##[name]` anywhere."""
    found = []
    stopped = ""
    for line in re.split(r"\r\n|\r|\n", log):
        match = re.match(r"\s*::([\w-]+)(?: (.*?))?::(.*)", line)
        older = re.search(r"##\[([\w-]+)", line)
        if stopped:
            stopped = "" if match and match[1] == stopped else stopped
            continue
        if match:
            pairs = [pair.partition("=") for pair in (match[2] or "").split(",") if pair]
            properties = {key: unescape(value, ("%3A", ":"), ("%2C", ",")) for key, _, value in pairs}
            found.append(Command(match[1], properties, unescape(match[3])))
            stopped = match[3] if match[1] == "stop-commands" else ""
        elif older:
            found.append(Command(older[1], {}, ""))
    return found


def written(items: list[Annotation], workspace: str = "/github/workspace") -> list[Command]:
    stream = io.StringIO()
    write_annotations(items, {"GITHUB_WORKSPACE": workspace}, stream)
    return commands(stream.getvalue())


def test_the_reader_of_these_tests_sees_what_a_runner_sees() -> None:
    log = "fine\n  ::error file=a%2Cb::x%0Ay\nall ##[set-env name=A]b\n::stop-commands::t\n::error::no\n::t::\n::debug::d"
    assert [command.name for command in commands(log)] == ["error", "set-env", "stop-commands", "debug"]
    assert commands(log)[0] == Command("error", {"file": "a,b"}, "x\ny")


class TestAnnotations:
    def test_a_failed_step_stands_at_its_line(self) -> None:
        found = [
            each for each in written(annotations(run(FAILING))) if "step 3" in each.properties.get("title", "")
        ]
        (command,) = found
        assert command.name == "error"
        assert command.properties["file"] == "playbooks/scale-shop.wpk.yaml"
        assert command.properties["line"] == "31"
        assert command.properties["title"] == "scale-shop [peak traffic]: step 3, wait-ready"
        assert command.message.startswith("timed out (step limit, line 31, 2 attempts)\nwaited for")
        assert "→ give the pod" in command.message

    def test_a_finding_stands_at_its_columns(self) -> None:
        (command,) = [each for each in written(annotations(run(BLOCKED))) if each.properties.get("col")]
        assert command.properties == {
            "title": "shell-destroy-data",
            "file": "playbooks/purge.wpk.yaml",
            "line": "24",
            "col": "16",
            "endColumn": "33",
        }

    def test_a_range_of_lines_has_no_columns(self) -> None:
        spread = Annotation("error", "t", "m", Location("a.wpk.yaml", 3, 4, 7, 2))
        assert written([spread])[0].properties == {"title": "t", "file": "a.wpk.yaml", "line": "3", "endLine": "7"}

    def test_errors_are_for_what_fails_and_warnings_for_the_rest(self) -> None:
        levels = {each.title: each.level for each in annotations(EVERYTHING)}
        assert levels["shell-destroy-data"] == "error"
        assert levels["image-unpinned"] == "warning"
        assert levels["yaml-syntax"] == "error"
        assert levels["rotate-keys: inconclusive"] == "warning"
        assert levels["scale-shop [peak traffic]: rollback"] == "error"
        assert levels["left behind"] == "error"

    def test_a_blocked_package_says_so(self) -> None:
        assert "purge: failed" in {each.title for each in annotations(run(BLOCKED))}

    def test_inconclusive_says_why(self) -> None:
        (only,) = annotations(run(INCONCLUSIVE))
        assert only.message == "no Docker daemon answers at /var/run/docker.sock"

    def test_nothing_to_say_says_nothing(self) -> None:
        assert annotations(EMPTY) == []

    def test_the_worst_comes_first(self) -> None:
        items = annotations(EVERYTHING)
        levels = [each.level for each in items]
        assert levels == sorted(levels)
        errors = [each.rank for each in items if each.level == "error"]
        assert errors == sorted(errors, reverse=True)

    def test_a_finding_of_two_cases_is_said_once(self) -> None:
        other = replace(BLOCKED, case="another")
        titles = [each.title for each in annotations(run(BLOCKED, other))]
        assert titles.count("shell-destroy-data") == 1

    def test_only_ten_of_each_level_and_the_last_says_how_many_more(self) -> None:
        def finding(severity: Severity, line: int) -> Finding:
            return Finding("r", severity, f"m{line}", Location("a.wpk.yaml", line))

        high = [finding(Severity.HIGH, line) for line in range(1, 26)]
        low = [finding(Severity.LOW, line) for line in range(1, 11)]
        package = replace(PASSING, findings=(*high, *low))
        shown = written(annotations(run(package)))
        errors = [each for each in shown if each.name == "error"]
        assert len(errors) == 10
        assert errors[-1].message == "16 more errors are in the report"
        assert len([each for each in shown if each.name == "warning"]) == 10
        assert "more" not in shown[-1].message

    def test_hostile_text_gives_no_command_but_ours(self) -> None:
        items = annotations(HOSTILE_RUN)
        assert any("##" in each.message for each in items)
        shown = written(items)
        assert len(shown) == len(items)
        assert {each.name for each in shown} == {"error", "warning"}
        assert all(
            set(each.properties) <= {"title", "file", "line", "col", "endColumn", "endLine"} for each in shown
        )

    def test_the_lines_of_a_message_are_no_commands_either(self) -> None:
        for command in written(annotations(HOSTILE_RUN)):
            assert commands(command.message) == []

    def test_a_long_message_is_cut_to_what_the_runner_keeps(self) -> None:
        assert len(written([Annotation("error", "t" * 999, "m" * 9999)])[0].message) <= 4096

    def test_nothing_is_printed_beside_the_stream(self, capsys: pytest.CaptureFixture[str]) -> None:
        written(annotations(EVERYTHING))
        assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("playbooks/a.wpk.yaml", "playbooks/a.wpk.yaml"),
        ("./a.wpk.yaml", "a.wpk.yaml"),
        ("/github/workspace/x/a.wpk.yaml", "x/a.wpk.yaml"),
        ("/etc/passwd", None),
        ("../a.wpk.yaml", None),
        ("/github/workspace/../a", None),
    ],
)
def test_paths_are_told_from_the_workspace(path: str, expected: str | None) -> None:
    assert relative(path, "/github/workspace") == expected


def test_a_place_outside_the_workspace_is_left_out() -> None:
    assert "file" not in written([Annotation("error", "t", "m", Location("/etc/passwd", 1))])[0].properties


class TestSummary:
    def test_it_is_added_to_what_is_there(self, tmp_path: Path) -> None:
        path = tmp_path / "summary"
        path.write_text("before\n")
        append_summary("### ✅ after\n", {"GITHUB_STEP_SUMMARY": str(path)})
        assert path.read_text() == "before\n### ✅ after\n\n"

    def test_a_summary_that_would_be_dropped_whole_is_not_added(self, tmp_path: Path) -> None:
        path = tmp_path / "summary"
        path.write_text("x" * (SUMMARY_BYTES - 500))
        append_summary("→" * 300, {"GITHUB_STEP_SUMMARY": str(path)})
        assert path.stat().st_size <= SUMMARY_BYTES
        assert "found no room" in path.read_text()

    def test_without_a_runner_nothing_is_written(self) -> None:
        append_summary("x", {})

    def test_half_a_summary_is_taken_back(self, tmp_path: Path) -> None:
        path = tmp_path / "summary"
        path.write_text("before\n")
        bounds = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, bounds[1]))
        try:
            append_summary("x" * 900, {"GITHUB_STEP_SUMMARY": str(path)})
            with pytest.raises(PublishingError, match="too large"):
                append_summary("y" * 900, {"GITHUB_STEP_SUMMARY": str(path)})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, bounds)
        assert path.read_text() == "before\n" + "x" * 900 + "\n"

    def test_a_full_disk_is_told(self) -> None:
        with pytest.raises(PublishingError, match="No space left"):
            append_summary("x", {"GITHUB_STEP_SUMMARY": "/dev/full"})

    def test_a_file_that_cannot_be_written_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(PublishingError, match="could not write"):
            append_summary("x", {"GITHUB_STEP_SUMMARY": str(tmp_path / "no" / "such")})


def read_outputs(text: str) -> dict[str, str]:
    """The file of outputs as the runner reads it; anything else in it is an error there."""
    values, lines = {}, iter(text.splitlines())
    for line in lines:
        name, _, delimiter = line.partition("<<")
        assert delimiter, f"the runner refuses {line!r}"
        value = []
        for each in lines:
            if each == delimiter:
                break
            value.append(each)
        values[name] = "\n".join(value)
    return values


class TestOutputs:
    def test_they_are_counts_enums_and_our_path(self) -> None:
        assert outputs(EVERYTHING, Path("reports/report.html")) == {
            "verdict": "fail",
            "packages": "4",
            "failed": "2",
            "inconclusive": "1",
            "risk": "100",
            "report-path": "reports/report.html",
        }

    def test_no_text_of_a_package_is_among_them(self) -> None:
        values = outputs(HOSTILE_RUN, None)
        assert all(re.fullmatch(r"[a-z]*|\d+", value) for value in values.values())

    def test_the_runner_reads_them_back(self, tmp_path: Path) -> None:
        path = tmp_path / "output"
        path.write_text("")
        write_outputs({"verdict": "pass", "odd": "a\nb=c\nd<<e"}, {"GITHUB_OUTPUT": str(path)})
        write_outputs({"risk": "3"}, {"GITHUB_OUTPUT": str(path)})
        assert read_outputs(path.read_text()) == {"verdict": "pass", "odd": "a\nb=c\nd<<e", "risk": "3"}

    def test_a_run_without_packages_has_no_risk(self) -> None:
        assert outputs(EMPTY, None)["risk"] == "0"


class TestLogGroups:
    def log(self, *packages: object) -> str:
        stream = io.StringIO()
        write_log_groups(run(*packages), stream, TOKEN)  # type: ignore[arg-type]
        return stream.getvalue()

    def test_each_package_that_said_something_is_a_group(self) -> None:
        names = [(each.name, each.message) for each in commands(self.log(PASSING, FAILING))]
        assert names == [
            ("group", "scale-shop [peak traffic]: output of 1 step"),
            ("stop-commands", TOKEN),
            ("endgroup", ""),
        ]

    def test_hostile_output_gives_no_command_and_cannot_end_the_pause(self) -> None:
        knows = replace(HOSTILE_PACKAGE.steps[0], stdout=f"::{TOKEN}::\n::set-output name=a::b\n")
        text = self.log(replace(HOSTILE_PACKAGE, steps=(*HOSTILE_PACKAGE.steps, knows)))
        assert [each.name for each in commands(text)] == ["group", "stop-commands", "endgroup"]
        assert text.count(TOKEN) == 2

    def test_each_line_is_harmless_even_without_the_pause(self) -> None:
        text = self.log(HOSTILE_PACKAGE).replace(f"::stop-commands::{TOKEN}\n", "")
        assert {each.name for each in commands(text)} == {"group", TOKEN, "endgroup"}

    def test_a_line_without_end_is_cut(self) -> None:
        long = replace(HOSTILE_PACKAGE.steps[0], stdout="x" * 1_000_000, stderr="")
        assert len(self.log(replace(HOSTILE_PACKAGE, steps=(long,)))) < 10_000


def test_publishing_does_all_of_it(tmp_path: Path) -> None:
    environment = {
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_WORKSPACE": "/github/workspace",
    }
    stream = io.StringIO()
    publish(EVERYTHING, "### the answer", tmp_path / "report.html", environment, stream)
    assert (tmp_path / "summary").read_text() == "### the answer\n"
    assert read_outputs((tmp_path / "output").read_text())["verdict"] == str(Verdict.FAIL)
    assert {each.name for each in commands(stream.getvalue())} == {"error", "warning"}


def test_a_green_run_has_no_error(tmp_path: Path) -> None:
    stream = io.StringIO()
    publish(GREEN, "x", None, {}, stream)
    assert "error" not in {each.name for each in commands(stream.getvalue())}
