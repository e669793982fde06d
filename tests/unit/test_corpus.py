"""The labelled corpus is well formed, and what measures the rules with it counts right."""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from wpk_sandbox.rules.catalogue import ALL_RULES

CORPUS = Path(__file__).parents[1] / "corpus"
sys.path.insert(0, str(CORPUS))  # where measure.py finds families.py when it runs as a program

import families  # noqa: E402 -- found by the line above
import measure  # noqa: E402 -- the same

ENTRIES = measure.read()
SCRIPTS = [entry for entry in ENTRIES if entry.script]
KNOWN = {rule.id for rule in ALL_RULES} | set(families.OF_RULE) | set(families.LOOSE)


def plain(text: str) -> Any:
    return yaml.load(text, Loader=yaml.CSafeLoader)


RAW = {
    file: plain(file.read_text(encoding="utf-8"))
    for file in sorted(CORPUS.glob("*/*.yaml"))
    if file.name != "measured.yaml"
}


def entry(must: str = "", *, may: str = "", must_not: str = "", family: str = "destroy") -> measure.Entry:
    due = tuple(tuple(each.split("|")) for each in must.split())
    return measure.Entry(
        "shell/x.yaml:1", family, "true", "a test", due, tuple(may.split()), tuple(must_not.split())
    )


def scores(*entries: measure.Entry, raised: str = "") -> tuple[dict[str, measure.Score], list[measure.Miss]]:
    return measure.measure(entries, lambda _: frozenset(raised.split()))


# The corpus


def test_each_shell_family_has_a_file() -> None:
    assert {file.stem for file in CORPUS.glob("shell/*.yaml")} == set(families.SHELL)


def test_package_files_are_named_after_families() -> None:
    assert {file.stem for file in CORPUS.glob("packages/*.yaml")} <= set(families.PACKAGES)


def test_each_rule_about_shell_belongs_to_a_family() -> None:
    of_shell = {rule.id for rule in ALL_RULES if rule.id.startswith("shell-")} - {"shell-unreadable"}
    assert of_shell <= {rule for rules in families.SHELL.values() for rule in rules}


@pytest.mark.parametrize("file", RAW, ids=lambda file: file.name)
def test_entries_have_the_fields_of_the_format(file: Path) -> None:
    for item in RAW[file]:
        text = {"script"} if "script" in item else {"name", "package"}
        assert text | {"why", "must"} <= set(item) <= text | {"why", "must", "may", "must_not", "base", "policy"}
        assert item["why"].strip()


def test_labels_name_known_rules_and_contradict_nothing() -> None:
    for each in ENTRIES:
        assert each.fair | set(each.must_not) <= KNOWN, each.place
        assert each.fair.isdisjoint(each.must_not), each.place


def test_a_dangerous_script_asks_for_a_rule_of_its_family() -> None:
    for each in SCRIPTS:
        if each.must:
            own = {rule for due in each.must for rule in due if families.OF_RULE[rule] == each.family}
            assert own, each.place


def test_each_text_is_there_once() -> None:
    assert [text for text, count in Counter(each.text for each in ENTRIES).items() if count > 1] == []


def test_there_is_enough_of_everything() -> None:
    for dangerous in (True, False):
        counts = Counter(each.family for each in SCRIPTS if bool(each.must) is dangerous)
        assert counts.total() >= 200
        assert min(counts[family] for family in families.SHELL) >= 15


def test_the_package_around_a_script_reads_as_written_and_says_nothing_itself() -> None:
    for each in SCRIPTS:
        document = plain(each.document)
        assert document["spec"]["handlers"][0]["config"]["command"] == each.text, each.place
    assert measure.raised(entry()) == frozenset()


def test_an_entry_tells_the_line_that_it_starts_on() -> None:
    for each in ENTRIES:
        path, line = each.place.split(":")
        assert (CORPUS / path).read_text(encoding="utf-8").splitlines()[int(line) - 1].startswith("- ")


# The counting


def test_what_is_due_and_raised_is_found() -> None:
    told, misses = scores(entry("shell-destroy-system"), raised="shell-destroy-system")
    assert told == {"destroy": measure.Score(dangerous=1, found=1)}
    assert misses == []


def test_one_of_two_alternatives_is_enough() -> None:
    either = entry("shell-destroy-system|shell-destroy-data")
    assert scores(either, raised="shell-destroy-data")[0]["destroy"].found == 1
    told, (miss,) = scores(either)
    assert (told["destroy"].missed, miss.rule) == (1, "shell-destroy-system or shell-destroy-data")


def test_both_alternatives_count_once() -> None:
    told, misses = scores(
        entry("shell-destroy-system|shell-destroy-data"), raised="shell-destroy-system shell-destroy-data"
    )
    assert (told["destroy"].found, misses) == (1, [])


def test_what_may_be_raised_counts_neither_way() -> None:
    told, misses = scores(entry(may="shell-destroy-data"), raised="shell-destroy-data")
    assert told == {"destroy": measure.Score(harmless=1)}
    assert misses == []


def test_a_false_finding_counts_for_the_family_of_its_rule() -> None:
    told, (miss,) = scores(entry("shell-destroy-data"), raised="shell-destroy-data shell-reverse-shell")
    assert told["reverse-shell"] == measure.Score(false=1)
    assert told["destroy"].precision == 1
    assert (miss.family, miss.rule, miss.missed) == ("reverse-shell", "shell-reverse-shell", False)


def test_a_call_to_a_host_is_false_only_where_the_label_says_so() -> None:
    assert scores(entry(), raised="external-call")[1] == []
    told, (miss,) = scores(entry(must_not="external-call"), raised="external-call")
    assert (told["destroy"].false, miss.rule) == (1, "external-call")


def test_a_rule_about_the_package_says_nothing_of_a_script_but_counts_for_a_package() -> None:
    assert scores(entry(), raised="timeout-missing")[1] == []
    told, _ = scores(entry(family="kubernetes"), raised="timeout-missing external-call")
    assert (told["package"].false, told["kubernetes"].false) == (1, 1)


def test_a_checker_that_finds_nothing_has_no_recall() -> None:
    told, misses = measure.measure(SCRIPTS, lambda _: frozenset())
    assert set(told) == set(families.SHELL)
    assert {score.recall for score in told.values()} == {0.0}
    assert {score.precision for score in told.values()} == {1.0}
    assert not any(score.good for score in told.values())
    assert all(miss.missed for miss in misses)


def test_a_checker_that_flags_everything_has_little_precision() -> None:
    told, misses = measure.measure(SCRIPTS, lambda _: frozenset(families.OF_RULE))
    assert {score.recall for score in told.values()} == {1.0}
    assert max(score.precision for score in told.values()) < 0.1
    assert not any(miss.missed for miss in misses)


def test_a_checker_that_does_as_labelled_is_perfect() -> None:
    due = {each.document: frozenset(rules[0] for rules in each.must) for each in SCRIPTS}
    told, misses = measure.measure(SCRIPTS, lambda each: due[each.document])
    assert all(score.good for score in told.values())
    assert misses == []
    assert measure.written(told, misses).endswith("## Misses\n\nNone.\n")


def test_the_real_rules_are_asked() -> None:
    assert "shell-destroy-system" in measure.raised(WIPE)
    assert measure.raised(entry()) == frozenset()


WIPE = measure.Entry("shell/x.yaml:1", "destroy", "rm -rf /", "a test", (("shell-destroy-system",),))


# The page and the program


def test_the_page_lists_each_miss_with_a_link_to_its_line() -> None:
    told, misses = scores(entry("shell-destroy-data"), raised="shell-exhaustion")
    page = measure.written(told, misses)
    assert "| destroy        |         1 |        0 |     0 |      1 |     0 |     1.000 |  0.000 |" in page
    missed, false = page.index("### Due and not raised"), page.index("### Raised and not due")
    row = "| [shell/x.yaml:1](../tests/corpus/shell/x.yaml#L1) | `{}` | a test |"
    assert (
        missed < page.index(row.format("shell-destroy-data")) < false < page.index(row.format("shell-exhaustion"))
    )


@pytest.mark.parametrize(("raised", "status"), [("", 1), ("shell-destroy-system", 0)])
def test_the_program_fails_below_the_bar_and_passes_above(
    raised: str, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(measure, "read", lambda: [WIPE])
    monkeypatch.setattr(measure, "raised", lambda _: frozenset(raised.split()))
    assert measure.main([]) == status
    out = capsys.readouterr().out
    assert ("tests/corpus/shell/x.yaml:1: missed shell-destroy-system (a test)" in out) is bool(status)
    assert ("below 0.97: destroy" in out) is bool(status)


def test_only_asked_families_are_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(measure, "read", lambda: [WIPE, entry("hard-coded-secret", family="secrets")])
    assert measure.main(["destroy"]) == 0
    assert "| secrets " not in capsys.readouterr().out
    assert measure.main([]) == 1
    assert "| secrets " in capsys.readouterr().out


def test_the_page_is_written_on_request_and_only_about_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "docs" / "precision.md"
    target.parent.mkdir()
    monkeypatch.setattr(measure, "ROOT", tmp_path)
    monkeypatch.setattr(measure, "PAGE", target)
    monkeypatch.setattr(measure, "read", lambda: [WIPE])
    with pytest.raises(SystemExit):
        measure.main(["destroy", "--write"])
    assert "leave them out" in capsys.readouterr().err
    assert not target.exists()
    assert measure.main(["--write"]) == 0
    assert "| destroy " in target.read_text(encoding="utf-8")
