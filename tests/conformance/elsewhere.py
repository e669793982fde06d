"""Numbers 31 to 54, which no sandbox has a part in: tests of this repository that are run for the table.

Each has its own positive control beside it, as every test here that says that something does not happen.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from judging import Findings
from model import Cell, Verdict

PROJECT = Path(__file__).parents[2]
COLUMN = "any"


@dataclass(frozen=True)
class Tested:
    """One attempt and the tests that make it. `reported` is true where they hold that a finding or note names it."""

    number: int
    name: str
    tests: tuple[str, ...] = ()
    reported: bool = False
    why_not: str = ""


_BAD = "tests/unit/package/test_bad_input.py::"
_CHANGES = "tests/unit/package/test_changes.py::"
_JOB = "tests/unit/test_hostile_job.py::"
_CHANGE = "tests/unit/test_pull_request.py::"
_ESCAPE = "tests/unit/report/test_escape.py::"
_GITHUB = "tests/unit/publish/test_github.py::"
_FILES = "tests/unit/publish/test_files.py::"
_OWN = "tests/conformance/test_orchestrator.py::"
_CHAOS = "tests/chaos/test_chaos.py::"
_NOTHING_UNPACKED = "nothing is unpacked: results leave a shell as two capped streams, and no archive is read"
_NOTHING_SENT = "nothing is sent to a service: annotations and summaries are files and lines, so no token is used"


def _yaml(number: int, name: str, *inputs: str) -> Tested:
    tests = tuple(f"{_BAD}test_bad_input_is_a_finding_at_its_place[CSafeLoader-{each}]" for each in inputs)
    return Tested(number, name, tests, reported=True)


def _reported(number: int, name: str, *tests: str) -> Tested:
    return Tested(number, name, tests, reported=True)


TESTED: tuple[Tested, ...] = (
    _reported(31, "link-out-of-the-repository", f"{_BAD}test_a_link_out_of_the_repository"),
    _reported(31, "folder-that-is-a-link", f"{_BAD}test_a_folder_that_links_out_of_the_repository"),
    _reported(31, "link-to-itself", f"{_BAD}test_a_link_that_leads_to_itself"),
    _reported(31, "pipe", f"{_BAD}test_a_named_pipe_is_not_waited_for"),
    _reported(31, "device", f"{_BAD}test_a_device"),
    _reported(31, "became-a-link", f"{_CHANGES}test_a_package_that_became_a_link_is_refused"),
    _reported(31, "submodule", f"{_CHANGES}test_a_submodule_called_like_a_package_is_refused"),
    Tested(32, "quotes-and-line-breaks", (f"{_CHANGES}test_odd_names",)),
    _reported(32, "not-utf-8", f"{_CHANGES}test_a_name_that_is_not_utf_8_is_refused"),
    _reported(32, "revision-as-option", f"{_CHANGES}test_a_revision_is_never_taken_for_an_option"),
    Tested(32, "commands-of-the-runner", (f"{_JOB}test_no_name_of_a_file_speaks_to_the_runner",)),
    Tested(32, "options-and-commands", (f"{_JOB}test_changed_gives_each_name_one_line_that_is_no_option_and_no_command",)),
    Tested(32, "out-of-the-folder-of-logs", (f"{_FILES}TestLogs::test_names_of_a_package_cannot_leave_the_folder",)),
    _reported(32, "name-that-is-taken", f"{_CHANGE}test_a_name_is_taken_by_a_package_that_the_pull_request_does_not_touch"),
    Tested(33, "archives", (f"{_OWN}test_nothing_of_ours_unpacks_an_archive",), why_not=_NOTHING_UNPACKED),
    Tested(34, "link-in-place-of-a-report", (f"{_FILES}TestWriteWhole::test_a_link_is_replaced_and_not_followed",)),
    _reported(34, "folder-of-reports-that-is-a-link", f"{_JOB}test_reports_do_not_follow_a_link_out_of_the_repository"),
    Tested(35, "commands-at-line-starts", (f"{_GITHUB}TestLogGroups::test_hostile_output_gives_no_command_and_cannot_end_the_pause",)),
    Tested(35, "commands-without-the-pause", (f"{_GITHUB}TestLogGroups::test_each_line_is_harmless_even_without_the_pause",)),
    Tested(35, "older-form-anywhere", (f"{_ESCAPE}TestLogLine::test_defuses_the_older_form_anywhere",)),
    Tested(35, "after-a-carriage-return", (f"{_ESCAPE}TestLogLine::test_a_carriage_return_starts_a_line_too",)),
    Tested(35, "in-annotations", (f"{_GITHUB}TestAnnotations::test_hostile_text_gives_no_command_but_ours",)),
    Tested(35, "in-outputs", (f"{_GITHUB}TestOutputs::test_no_text_of_a_package_is_among_them",)),
    Tested(35, "in-the-text-report", ("tests/unit/report/test_text.py::test_no_line_of_a_log_is_a_command_to_the_runner",)),
    Tested(36, "sequences-in-output", (f"{_ESCAPE}TestVisible", f"{_ESCAPE}TestOneLine")),
    Tested(36, "on-a-terminal", ("tests/unit/report/test_live.py::test_a_terminal_gets_no_sequence_of_a_package",)),
    Tested(36, "in-logs", (f"{_FILES}TestLogs::test_a_log_does_not_drive_the_terminal_that_shows_it",)),
    _yaml(36, "by-escapes-of-yaml", "escapes in a text", "a carriage return in a text", "a bidi control by an escape"),
    Tested(37, "markup", (f"{_ESCAPE}TestMarkdown", f"{_ESCAPE}TestCode", f"{_ESCAPE}TestFence")),
    Tested(37, "mentions-and-links", ("tests/unit/report/test_summary.py::test_nobody_is_mentioned_and_nothing_linked",)),
    Tested(37, "html-in-a-summary", ("tests/unit/report/test_summary.py::test_only_our_own_html_is_in_it",)),
    Tested(37, "templates", ("tests/unit/report/test_summary.py::TestOwnTemplates::test_values_are_escaped_there_too",)),
    Tested(38, "junit", ("tests/unit/report/test_junit.py::test_text_that_xml_cannot_hold_is_shown_by_its_code",)),
    Tested(38, "sarif", ("tests/unit/report/test_sarif_limits.py::test_hostile_findings_are_taken",)),
    Tested(38, "json", ("tests/unit/report/test_json.py::test_hostile_text_is_kept_as_it_was_but_for_lone_surrogates",)),
    Tested(38, "gitlab", ("tests/unit/report/test_codequality.py::test_hostile_text_stays_on_its_line",)),
    Tested(39, "fetches-and-scripts", ("tests/unit/report/test_html.py::test_it_fetches_nothing_and_runs_nothing",)),
    Tested(39, "tags-of-a-package", ("tests/unit/report/test_html.py::test_hostile_text_is_text",)),
    Tested(40, "in-any-report", ("tests/unit/test_no_secret_in_reports.py",)),
    Tested(40, "overlapping-and-cut", ("tests/unit/rules/test_hiding.py",)),
    Tested(40, "encoded", (f"{_OWN}test_a_secret_is_hidden_in_every_common_encoding",)),
    _reported(40, "printed-on-purpose", f"{_OWN}test_a_script_that_prints_a_secret_is_found"),
    _yaml(41, "aliases", "an alias bomb", "200 references", "long texts by references"),
    _yaml(41, "merge-keys", "a merge key", "a merge bomb"),
    _yaml(41, "cycles", "a cycle", "a cycle through a mapping"),
    _yaml(42, "depth", "depth 100,000", "depth 100,000 in mappings", "depth 5,000 in lines", "depth by references"),
    _yaml(43, "sizes", "10 MB", "300 KiB", "10,000 documents", "30,000 values", "a text of 100 KB", "a huge integer"),
    Tested(43, "memory", (f"{_BAD}test_all_bad_input_together_takes_less_than_200_mb",)),
    _yaml(44, "keys", "a duplicate key", "a duplicate key in quotes", "a duplicate key of another type", "a list as key"),
    _yaml(45, "tags", "a foreign tag", "a private tag", "a binary tag", "a timestamp tag", "a set", "a tag that lies", "a tagged key"),
    _yaml(46, "encodings", "UTF-16", "UTF-16 without a mark", "UTF-32", "latin-1", "surrogates in UTF-8", "binary"),
    _yaml(46, "marks-and-controls", "NUL", "a byte order mark", "CR only", "a tab", "a raw escape character"),
    _yaml(46, "directions", "a bidi control", "a bidi control in a comment"),
    Tested(47, "scalars", ("tests/unit/package/test_scalars.py",)),
    Tested(48, "policy", (f"{_CHANGE}test_the_policy_that_a_pull_request_edits_decides_nothing",)),
    _reported(48, "policy-is-told", f"{_JOB}test_a_change_of_the_policy_is_told_to_its_reviewers"),
    _reported(48, "everything-else-in-a-change", "tests/unit/test_hostile_change.py::test_it_does_not_get_through"),
    Tested(48, "templates", (f"{_JOB}test_the_words_of_the_summary_are_the_bases",)),
    Tested(49, "package", (f"{_OWN}test_what_was_checked_is_what_runs",)),
    Tested(49, "manifest-beside-it", (f"{_OWN}test_a_manifest_that_changes_after_the_check_is_applied_as_it_was_checked",)),
    _reported(50, "killed", f"{_CHAOS}test_killed_run_leaves_nothing_and_touches_nothing"),
    _reported(50, "killed-with-its-guard", f"{_CHAOS}test_what_is_killed_without_a_guard_is_found_and_swept"),
    Tested(50, "runs-side-by-side", (f"{_CHAOS}test_eight_runs_at_once_do_not_meet",)),
    Tested(51, "things-of-others", ("tests/unit/sandbox/test_reap.py",)),
    Tested(51, "groups-of-others", ("tests/unit/sandbox/test_guard.py::test_only_control_groups_of_ours_are_ended",)),
    Tested(52, "token", (f"{_OWN}test_publishing_talks_to_no_service",), why_not=_NOTHING_SENT),
    Tested(53, "comment", (f"{_OWN}test_publishing_talks_to_no_service",), why_not=_NOTHING_SENT),
    _reported(54, "result-that-is-none", "tests/unit/report/test_json.py::test_what_is_no_result_is_refused_with_its_place"),
    _reported(54, "rights-of-the-repository", "tests/unit/package/test_base.py::test_nothing_runs_with_the_repositorys_own_rights"),
)  # fmt: skip


def tested(numbers: range, findings: Findings) -> None:
    """Run the tests, all in one process, and judge each attempt by its own."""
    wanted = [one for one in TESTED if one.number in numbers]
    if not wanted:
        return
    found = _run(sorted({test for one in wanted for test in one.tests}))
    for one in wanted:
        mine = {name: how for name, how in found.items() if any(_belongs(name, test) for test in one.tests)}
        missing = [test for test in one.tests if not any(_belongs(name, test) for name in mine)]
        findings.cells.append(_cell(one, mine, missing))


def _cell(one: Tested, found: dict[str, tuple[str, str]], missing: list[str]) -> Cell:
    bad = [f"{name}: {reason}" for name, (how, reason) in found.items() if how == "failed"]
    skipped = [reason for how, reason in found.values() if how == "skipped"]
    if bad or missing:
        told = "; ".join((*bad, *(f"no such test: {name}" for name in missing)))
        return Cell(one.number, one.name, COLUMN, Verdict.OPEN, told)
    if skipped and len(skipped) == len(found):
        return Cell(one.number, one.name, COLUMN, Verdict.NOT_APPLICABLE, skipped[0])
    if one.why_not:
        return Cell(one.number, one.name, COLUMN, Verdict.NOT_APPLICABLE, one.why_not)
    verdict = Verdict.REPORTED if one.reported else Verdict.BLOCKED
    return Cell(one.number, one.name, COLUMN, verdict, f"{len(found) - len(skipped)} tests passed")


def _belongs(name: str, test: str) -> bool:
    return name == test or name.startswith((f"{test}::", f"{test}["))


def _run(tests: list[str]) -> dict[str, tuple[str, str]]:
    with tempfile.TemporaryDirectory(prefix="wpk-conformance-") as folder:
        record = Path(folder, "record.json")
        environment = {
            **os.environ,
            "WPK_RECORD": str(record),
            "PYTHONPATH": str(Path(__file__).with_name("plugin")),
        }
        environment.pop("WPK_CONFORMANCE_SECRET", None)
        argv = [sys.executable, "-m", "pytest", "-p", "recording", "-q", "-p", "no:cacheprovider", *tests]
        done = subprocess.run(
            argv, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=900, check=False
        )
        if done.returncode not in (0, 1):
            raise RuntimeError(f"the tests could not be run: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        found: dict[str, tuple[str, str]] = json.loads(record.read_text())
        return found
