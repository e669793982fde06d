"""The result as a page."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from report.hostile import HOSTILE_OUTPUT, HOSTILE_PACKAGE, HOSTILE_RUN
from report.parts import run, step
from report.sample import EMPTY, EVERYTHING, FAILING, INCONCLUSIVE, PASSING
from report.watched import CALLING, WATCHED
from wpk_sandbox.finding import Location
from wpk_sandbox.report.html import MOST_BYTES, bars, by_object, html
from wpk_sandbox.report.render import OURS
from wpk_sandbox.run.result import RunResult

VOID = {"meta", "br", "hr", "img", "input", "link"}
# fmt: off
KNOWN = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section", "h1", "h2", "h3",
    "p", "span", "strong", "a", "ul", "ol", "li", "div", "code", "pre", "mark", "del", "ins", "table",
    "caption", "thead", "tbody", "tr", "th", "td", "details", "summary", "figure", "time",
    "figcaption", "svg", "g", "desc", "rect", "line", "text", "path",
}
# fmt: on


class Page(HTMLParser):
    """Every tag with its attributes, the visible text, and whether tags nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.crossed: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.crossed.append(tag)

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.text))


RESULTS = pytest.mark.parametrize(
    "result",
    [EVERYTHING, EMPTY, WATCHED, HOSTILE_RUN],
    ids=["everything", "empty", "watched", "hostile"],
)


def test_everything_reads_as_agreed(golden: Callable[[str, str], None]) -> None:
    golden("report/everything.html", html(EVERYTHING))


def test_what_was_watched_reads_as_agreed(golden: Callable[[str, str], None]) -> None:
    golden("report/watched.html", html(WATCHED))


def test_a_drawing_has_a_title_and_a_description_of_its_own() -> None:
    page = Page(html(run(CALLING, CALLING)))
    ids = [attributes["id"] for tag in ("title", "desc") for attributes in page.all(tag) if "id" in attributes]
    assert len(ids) == len(set(ids)) == 4
    assert [each["aria-labelledby"] for each in page.all("svg")] == ["chart-1 words-1", "chart-2 words-2"]


def test_every_attempt_and_event_is_in_a_table() -> None:
    words = Page(html(WATCHED)).words
    for expected in (
        "198.51.100.7:4444",
        "nc (40)",
        "kubernetes.default.svc:6443",
        "mount(2) refused",
        "after the steps",
    ):
        assert expected in words


def test_what_was_not_watched_leaves_nothing_empty() -> None:
    words = Page(html(run(PASSING))).words
    assert "Network:" not in words
    assert "Security:" not in words
    assert "head room" not in words
    assert Page(html(run(PASSING))).all("svg") == []


@RESULTS
def test_every_tag_is_ours_and_is_closed(result: RunResult) -> None:
    page = Page(html(result))
    assert {tag for tag, _ in page.tags} <= KNOWN
    assert page.crossed == []
    assert page.open == []


@RESULTS
def test_it_fetches_nothing_and_runs_nothing(result: RunResult) -> None:
    page = Page(html(result))
    attributes = [(name, value or "") for _, attrs in page.tags for name, value in attrs.items()]
    assert not [name for name, _ in attributes if name.startswith("on") or name in ("src", "srcset", "action")]
    assert all(value.startswith("#") for name, value in attributes if name == "href")
    assert "url(" not in html(result)
    assert "@import" not in html(result)
    policy = next(each["content"] for each in page.all("meta") if "http-equiv" in each)
    assert policy is not None
    assert policy.startswith("default-src 'none'")


@RESULTS
def test_headings_do_not_skip_a_level_and_there_is_one_title(result: RunResult) -> None:
    levels = [int(tag[1]) for tag, _ in Page(html(result)).tags if re.fullmatch(r"h\d", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@RESULTS
def test_tables_can_be_read_aloud(result: RunResult) -> None:
    page = Page(html(result))
    assert all(each.get("scope") for each in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))


@RESULTS
def test_ids_are_unique_and_links_lead_somewhere(result: RunResult) -> None:
    page = Page(html(result))
    ids = Counter(attrs["id"] for _, attrs in page.tags if "id" in attrs)
    assert all(number == 1 for number in ids.values())
    assert all((each["href"] or "").removeprefix("#") in ids for each in page.all("a"))


def test_the_verdict_is_a_word_and_not_only_a_colour() -> None:
    words = Page(html(EVERYTHING)).words
    assert "✕ fail 2 of 4 packages failed" in words
    assert "✓ pass" in words
    assert "? inconclusive" in words


def test_a_page_says_everything_that_happened() -> None:
    words = Page(html(EVERYTHING)).words
    for fact in (
        "timed out (step limit, line 31, 2 attempts)",
        "CrashLoopBackOff",
        "→ give the pod its configuration",
        "Leaves 1 change behind",
        "ENETUNREACH for 169.254.169.254:80",
        "https://alert-url.invalid",
        "placeholder",
        "made 16, removed 15, left 1",
        "found a tab where only spaces may indent",
        "no Docker daemon answers",
        "412.0 MiB of memory at most",
    ):
        assert fact in words


def test_hostile_text_is_text() -> None:
    words = Page(html(HOSTILE_RUN)).words
    assert "<script>alert(1)</script>" in words
    assert "{{ 7 * 7 }}" in words
    assert "\\u202egnp.exe" in words
    assert "\x00" not in html(HOSTILE_RUN)
    assert "\u202e" not in html(HOSTILE_RUN)


def test_long_output_is_cut_in_the_middle_and_says_so() -> None:
    text = html(HOSTILE_RUN)
    assert "1,032," in text
    assert "characters left out" in text


def test_the_output_of_the_failed_step_is_open_and_others_are_folded() -> None:
    opened = [attrs for attrs in Page(html(run(FAILING))).all("details") if attrs.get("class") == "output"]
    assert opened
    assert all("open" in attrs for attrs in opened)
    quiet = replace(PASSING, steps=(step(1, "talks", stdout="hello\n"),))
    folded = [attrs for attrs in Page(html(run(quiet))).all("details") if attrs.get("class") == "output"]
    assert folded
    assert not [attrs for attrs in folded if "open" in attrs]


def test_a_probe_that_did_not_hold_opens_the_evidence() -> None:
    def evidence(result: RunResult) -> list[dict[str, str | None]]:
        return [attrs for attrs in Page(html(result)).all("details") if attrs.get("class") == "evidence"]

    assert "open" in evidence(run(HOSTILE_PACKAGE))[0]
    assert "open" not in evidence(run(PASSING))[0]


def test_a_package_that_did_not_run_has_no_empty_sections() -> None:
    words = Page(html(run(INCONCLUSIVE))).words
    assert "Changes" not in words.partition("rotate-keys 2.0.0")[2].partition("rotate-keys 2.0.0")[2]
    assert "Cleanup" not in words


def test_a_huge_result_stays_small_enough_to_open() -> None:
    loud = step(1, "loud", stdout=HOSTILE_OUTPUT, stderr=HOSTILE_OUTPUT)
    many = tuple(replace(PASSING, steps=(loud,) * 4) for _ in range(40))
    text = html(run(*many))
    assert len(text.encode()) <= MOST_BYTES
    assert Page(text).crossed == []
    assert text.count('class="package pass"') == 40


class TestBars:
    def test_each_begins_where_the_one_before_ended(self) -> None:
        items = bars([step(1, "a", seconds=1.0), step(2, "b", seconds=3.0)])
        assert [(bar.start, bar.width) for bar in items] == [(0.0, 25.0), (25.0, 75.0)]

    def test_a_short_step_can_be_seen_and_none_leaves_the_track(self) -> None:
        items = bars([step(1, "a", seconds=1000.0), step(2, "b", seconds=0.0)])
        assert items[1].width > 0.5
        assert all(bar.start + bar.width <= 100.01 for bar in items)

    def test_steps_that_did_not_run_have_none(self) -> None:
        assert len(bars(FAILING.steps)) == 3

    def test_no_time_at_all_is_no_division_by_zero(self) -> None:
        assert len(bars([step(1, "a"), step(2, "b")])) == 2


def test_effects_are_grouped_by_object() -> None:
    groups = by_object(FAILING.effects)
    assert [(where, len(rows)) for where, rows in groups] == [
        ("shop/Deployment/shop", 2),
        ("shop/ConfigMap/peak", 1),
    ]


def luminance(colour: str) -> float:
    """Relative luminance of `#rgb` or `#rrggbb`, as WCAG 2 defines it."""
    digits = colour[1:] if len(colour) == 7 else "".join(each * 2 for each in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_paper(scheme: str) -> None:
    blocks = re.findall(r":root \{(.*?)\}", (OURS / "report.css").read_text(), re.DOTALL)
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+)", blocks[0 if scheme == "light" else 1]))
    pairs = [("ink", "paper"), ("faint", "paper"), ("faint", "panel"), ("ink", "panel"), ("link", "paper")]
    pairs += [(tone, "paper") for tone in ("good", "bad", "warn")]
    pairs += [(tone, f"{tone}-paper") for tone in ("good", "bad", "warn")]
    pairs += [("ink", "good-paper"), ("ink", "bad-paper"), ("ink", "mark")]
    assert {
        pair: round(contrast(colours[pair[0]], colours[pair[1]]), 1)
        for pair in pairs
        if contrast(colours[pair[0]], colours[pair[1]]) < 4.5
    } == {}


def test_what_is_no_text_of_its_own_is_made_visible_too() -> None:
    """A place is put together from the name of a file, which a package chooses."""
    (finding, *_) = HOSTILE_PACKAGE.findings
    page = html(run(replace(HOSTILE_PACKAGE, findings=(replace(finding, location=Location("a\x1b[2Jb", 1)),))))
    assert "\x1b" not in page
    assert "a\\x1b[2Jb:1:1" in page
