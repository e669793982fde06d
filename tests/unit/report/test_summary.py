"""The result as Markdown."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from report.hostile import HOSTILE_OUTPUT, HOSTILE_PACKAGE, HOSTILE_RUN
from report.parts import run, step
from report.sample import BLOCKED, EMPTY, EVERYTHING, FAILING, GREEN, PASSING, UNREADABLE
from report.watched import WATCHED
from wpk_sandbox.errors import SettingsError
from wpk_sandbox.finding import Location
from wpk_sandbox.report.summary import MOST_BYTES, summary
from wpk_sandbox.run.result import Verdict

OUR_TAGS = {"details", "summary", "code", "sub"}


def parse(text: str) -> list[Token]:
    return MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)


def html_tags(text: str) -> list[str]:
    """The HTML tags that a Markdown reader takes for HTML, in their order."""
    tokens = [each for token in parse(text) for each in (token, *(token.children or ()))]
    raw = "".join(each.content for each in tokens if each.type in ("html_block", "html_inline"))
    assert "<!--" not in raw
    return re.findall(r"</?([a-z]+)", raw)


def test_everything_reads_as_agreed(golden: Callable[[str, str], None]) -> None:
    golden("report/everything.md", summary(EVERYTHING))


def test_green_reads_as_agreed(golden: Callable[[str, str], None]) -> None:
    golden("report/green.md", summary(GREEN))


def test_hostile_text_reads_as_agreed(golden: Callable[[str, str], None]) -> None:
    short = replace(HOSTILE_PACKAGE.steps[0], stdout=HOSTILE_OUTPUT[:700], stderr="")
    golden("report/hostile.md", summary(run(replace(HOSTILE_PACKAGE, steps=(short,)))))


def test_what_was_watched_reads_as_agreed(golden: Callable[[str, str], None]) -> None:
    golden("report/watched.md", summary(WATCHED))


def test_the_first_line_is_the_answer() -> None:
    assert summary(EVERYTHING).startswith("### ❌ WPK dry run: 2 of 4 packages failed, 1 inconclusive")
    assert summary(GREEN).startswith("### ✅ WPK dry run: 1 package passed\n")
    assert summary(EMPTY).startswith("### ✅ WPK dry run: no package to try\n")


def test_a_failure_says_where_it_stops_and_what_to_do() -> None:
    text = summary(run(FAILING))
    assert "stops at step 3 of 5, `wait-ready`: timed out (step limit, line 31, 2 attempts)." in text
    assert "Its rollback leaves 1 change behind: `shop/Deployment/shop spec.replicas 2 → 4`." in text
    assert "→ give the pod its configuration as `objects:`" in text


def test_a_blocked_package_was_not_started() -> None:
    assert "**`purge`** was not started: shell-destroy-data at line 24 is critical." in summary(run(BLOCKED))


def test_the_worst_package_has_the_first_row() -> None:
    rows = [line for line in summary(EVERYTHING).splitlines() if line.startswith(("| ✅", "| ❌", "| ⚠️"))]
    assert [row.split()[1] for row in rows] == ["❌", "❌", "⚠️", "✅"]


def test_a_file_that_cannot_be_read_shows_its_line() -> None:
    text = summary(run(findings=(UNREADABLE,), verdict=Verdict.FAIL))
    assert "**`playbooks/broken.wpk.yaml:7:1`** cannot be read as a package" in text


def test_what_is_left_behind_is_in_the_open() -> None:
    assert "**Left behind on the host:** container `wpk-sandbox-3f2c1aa-shell`" in summary(run(FAILING))


def test_only_our_own_html_is_in_it() -> None:
    assert "script" in html_tags("<script>"), "the test must see a tag"
    assert set(html_tags(summary(HOSTILE_RUN))) <= OUR_TAGS


def test_details_open_and_close_evenly() -> None:
    for result in (EVERYTHING, HOSTILE_RUN):
        tags = html_tags(summary(result))
        assert tags.count("details") % 2 == 0
        assert tags.count("details") == tags.count("summary")


def test_nobody_is_mentioned_and_nothing_linked() -> None:
    tokens = [each for token in parse(summary(HOSTILE_RUN)) for each in (token.children or ())]
    assert not [each for each in tokens if each.type in ("link_open", "image")]
    outside_code = "".join(each.content for each in tokens if each.type == "text")
    assert "@\u200bteam" in outside_code
    assert "@team" not in outside_code
    assert "#123" not in outside_code
    assert "https://" not in outside_code


def test_each_row_has_the_columns_of_its_table() -> None:
    row: list[str] = []
    widths = set()
    for token in parse(summary(HOSTILE_RUN)):
        if token.type == "tr_open":
            row = []
        elif token.type in ("td_open", "th_open"):
            row.append(token.type)
        elif token.type == "tr_close":
            widths.add(len(row))
    assert widths == {5, 7}


def test_it_fits_the_job_summary_and_says_what_is_missing() -> None:
    loud = replace(FAILING, steps=(replace(FAILING.steps[2], stdout=HOSTILE_OUTPUT, stderr=HOSTILE_OUTPUT),))
    many = tuple(replace(loud, name=f"package-{number}") for number in range(40))
    text = summary(run(*many, PASSING))
    assert MOST_BYTES / 8 < len(text.encode()) <= MOST_BYTES
    assert "characters left out" in text
    assert text.count("log of the failed step") == 40


def test_rows_go_last_and_the_totals_stay_right() -> None:
    many = tuple(replace(FAILING, name=f"package-{number}") for number in range(300))
    text = summary(run(*many, PASSING), limit=40_000)
    assert len(text.encode()) <= 40_000
    assert "300 of 301 packages failed" in text
    shown = text.count("| ❌ |")
    assert 0 < shown < 300
    assert f"{301 - shown} more packages are in the full report" in text
    assert "`package-0 [peak traffic]`" in text


def test_logs_go_before_anything_else() -> None:
    loud = replace(FAILING.steps[2], stdout="x" * 30_000)
    result = run(replace(FAILING, steps=(*FAILING.steps[:2], loud)))
    assert "x" * 20_000 in summary(result)
    cut = summary(result, limit=6_000)
    assert len(cut.encode()) <= 6_000
    assert "x" * 5_000 not in cut
    assert "```diff" in cut


def test_a_comment_can_be_smaller_than_a_summary() -> None:
    many = tuple(replace(FAILING, name=f"package-{number}") for number in range(100))
    text = summary(run(*many), limit=60_000)
    assert len(text.encode()) <= 60_000
    assert text.count("| ❌ |") == 100
    assert text.count("<details>") == text.count("</details>")


class TestOwnTemplates:
    def write(self, folder: Path, text: str) -> Path:
        (folder / "summary.md.j2").write_text(text)
        return folder

    def test_a_template_of_the_user_is_taken(self, tmp_path: Path) -> None:
        folder = self.write(
            tmp_path, "{{ result.verdict }}: {% for p in packages %}{{ p.name | code }}{% endfor %}"
        )
        assert summary(GREEN, folder) == "pass: `restart-web`\n"

    def test_ours_can_be_extended(self, tmp_path: Path) -> None:
        folder = self.write(
            tmp_path, '{% extends "ours/summary.md.j2" %}{% block headline %}# Team runbooks\n{% endblock %}'
        )
        text = summary(GREEN, folder)
        assert text.startswith("# Team runbooks")
        assert "| ✅ | `restart-web`" in text

    def test_values_are_escaped_there_too(self, tmp_path: Path) -> None:
        folder = self.write(tmp_path, "{{ packages[0].name }}")
        assert "<" not in summary(HOSTILE_RUN, folder)
        assert "@team" not in summary(HOSTILE_RUN, folder)

    def test_a_folder_without_the_file_means_ours(self, tmp_path: Path) -> None:
        assert summary(GREEN, tmp_path) == summary(GREEN)

    @pytest.mark.parametrize(
        ("template", "message"),
        [
            ("fine\n{% for %}", r"summary\.md\.j2:2: the template cannot be read"),
            ("fine\n\n{{ result.verdikt }}", r"summary\.md\.j2:3: the template cannot be filled: .*verdikt"),
            ("{{ 1 / 0 }}", r"summary\.md\.j2:1: the template cannot be filled: division by zero"),
            ("{% include 'other.j2' %}", "there is no template other.j2"),
            ("{{ result.__class__.__mro__ }}", "the template cannot be filled: .*unsafe"),
        ],
    )
    def test_a_broken_template_is_named_with_its_line(self, tmp_path: Path, template: str, message: str) -> None:
        with pytest.raises(SettingsError, match=message) as caught:
            summary(GREEN, self.write(tmp_path, template))
        assert caught.value.remedy

    def test_a_missing_folder_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match="there is no folder"):
            summary(GREEN, tmp_path / "nowhere")

    def test_a_template_that_ignores_its_room_is_cut_at_a_line(self, tmp_path: Path) -> None:
        folder = self.write(tmp_path, "{% for n in range(1000) %}a line of words\n{% endfor %}")
        text = summary(GREEN, folder, limit=1000)
        assert len(text.encode()) <= 1000
        assert text.endswith("a line of words\n\n(cut here: the summary was longer than its reader takes)\n")


def test_many_findings_are_counted() -> None:
    many = tuple(replace(BLOCKED.findings[0], location=Location("a.wpk.yaml", line)) for line in range(1, 41))
    assert "And 15 more, in the full report." in summary(run(replace(BLOCKED, findings=many)))


def test_a_step_that_was_not_reached_claims_no_fidelity() -> None:
    assert "| 4 `smoke-test` | not reached | – | – |" in summary(run(FAILING))
    assert step(1, "x").fidelity == "executed"


def test_an_attack_is_told_beside_the_step_that_failed() -> None:
    why = "escape: high escape attempt: tried to mount a file system"
    text = summary(run(replace(FAILING, violation=why, reason=why)))
    assert f"** fails: {why}." in text
    assert "It stops at step 3 of 5, `wait-ready`: timed out" in text


def test_a_limit_that_came_near_stands_at_its_step() -> None:
    (row,) = [line for line in summary(WATCHED).splitlines() if line.startswith("| 1 `fetch`")]
    assert row.endswith("near a limit: 871 MiB of 1 GiB of memory at most (85 %) |")
