"""The result for the test views of CI systems."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from report.hostile import HOSTILE_OUTPUT, HOSTILE_PACKAGE, HOSTILE_RUN
from report.parts import run, step
from report.sample import BLOCKED, EMPTY, EVERYTHING, FAILING, INCONCLUSIVE, PASSING
from report.watched import CALLING, WATCHED
from wpk_sandbox.finding import Location
from wpk_sandbox.plan.plan import Fidelity
from wpk_sandbox.report.junit import MOST_BYTES, junit
from wpk_sandbox.run.result import RollbackResult, RollbackStatus, RunResult, StepStatus, Verdict

CASE_CHILDREN = ("failure", "error", "skipped", "system-out", "system-err")
OUTCOMES = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def parse(result: RunResult) -> ElementTree.Element:
    return ElementTree.fromstring(junit(result).encode())


def check_shape(root: ElementTree.Element) -> None:
    """What every reader of JUnit relies on: known elements, right counts, unique names, a time everywhere."""
    assert root.tag == "testsuites"
    assert {suite.tag for suite in root} <= {"testsuite"}
    for suite in root:
        cases = suite.findall("testcase")
        assert {child.tag for child in suite} <= {"properties", "testcase"}
        assert int(suite.get("tests", "-1")) == len(cases)
        for tag, attribute in OUTCOMES.items():
            assert int(suite.get(attribute, "-1")) == len(suite.findall(f"testcase/{tag}"))
        for case in cases:
            assert {child.tag for child in case} <= set(CASE_CHILDREN)
            assert sum(case.find(tag) is not None for tag in OUTCOMES) <= 1
            assert float(case.get("time", "-1")) >= 0
            assert case.get("classname")
            assert case.get("file")
            assert int(case.get("line", "0")) >= 1
    for attribute in ("tests", "failures", "errors", "skipped"):
        assert int(root.get(attribute, "-1")) == sum(int(suite.get(attribute, "0")) for suite in root)
    names = Counter((case.get("classname"), case.get("name")) for case in root.iter("testcase"))
    assert [name for name, number in names.items() if number > 1] == []


def names(suite: ElementTree.Element) -> dict[str, str]:
    """The cases of a suite with how they ended."""
    ends = {}
    for case in suite.iter("testcase"):
        ends[case.get("name", "")] = next((tag for tag in OUTCOMES if case.find(tag) is not None), "pass")
    return ends


def test_what_was_watched_reads_as_agreed(golden: Callable[[str, str], None]) -> None:
    golden("report/watched.xml", junit(WATCHED))


def test_everything_reads_as_agreed(golden: Callable[[str, str], None]) -> None:
    golden("report/everything.xml", junit(EVERYTHING))


@pytest.mark.parametrize(
    "result",
    [EVERYTHING, EMPTY, HOSTILE_RUN, run(PASSING, PASSING), run(HOSTILE_PACKAGE, HOSTILE_PACKAGE)],
    ids=["everything", "empty", "hostile", "twice", "hostile twice"],
)
def test_the_shape_is_what_readers_take(result: RunResult) -> None:
    check_shape(parse(result))


def test_the_shape_test_can_fail() -> None:
    root = parse(EVERYTHING)
    root[0].set("tests", "99")
    with pytest.raises(AssertionError):
        check_shape(root)


def test_steps_end_as_they_did() -> None:
    assert names(parse(run(FAILING))[0]) == {
        "check": "pass",
        "sandbox": "pass",
        "step save-count": "pass",
        "step scale-up": "pass",
        "step wait-ready": "failure",
        "step smoke-test": "skipped",
        "step sign-off": "skipped",
        "rollback": "failure",
        "cleanup": "failure",
    }


def test_a_failure_says_what_where_and_what_next() -> None:
    case = next(each for each in parse(run(FAILING)).iter("testcase") if each.get("name") == "step wait-ready")
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == "timed out (step limit, line 31, 2 attempts)"
    assert "→ give the pod" in (failure.text or "")
    assert (case.get("file"), case.get("line")) == ("playbooks/scale-shop.wpk.yaml", "31")


def test_a_blocked_package_fails_its_check_at_the_line() -> None:
    (case,) = parse(run(BLOCKED)).iter("testcase")
    assert (case.get("name"), case.get("line")) == ("check", "24")
    assert case.find("failure") is not None


def test_inconclusive_is_an_error_and_no_failure() -> None:
    assert names(parse(run(INCONCLUSIVE))[0]) == {"check": "pass", "sandbox": "error"}


def test_a_simulated_step_says_so_though_it_is_green() -> None:
    case = next(each for each in parse(run(PASSING)).iter("testcase") if each.get("name") == "step notify")
    assert case.findtext("system-out") == "simulated: the sandbox has no network\n"


def test_a_failed_package_is_never_all_green() -> None:
    odd = replace(PASSING, verdict=Verdict.FAIL, reason="expected 3 replicas, found 2")
    assert names(parse(run(odd))[0])["verdict"] == "failure"
    assert "verdict" not in names(parse(run(PASSING))[0])


def test_what_fails_a_package_is_red_at_its_step() -> None:
    assert names(parse(run(CALLING))[0]) == {
        "check": "pass",
        "sandbox": "pass",
        "step fetch": "pass",
        "step escape": "failure",
        "rollback": "skipped",
        "cleanup": "pass",
    }
    case = next(each for each in parse(run(CALLING)).iter("testcase") if each.get("name") == "step escape")
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == "high escape attempt: tried to mount a file system"


def test_a_step_that_failed_and_attacked_says_both() -> None:
    wild = replace(CALLING.steps[1], status=StepStatus.FAILED, message="exit code 1")
    case = next(
        each
        for each in parse(run(replace(CALLING, steps=(wild,)))).iter("testcase")
        if each.get("name") == "step escape"
    )
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == "exit code 1; high escape attempt: tried to mount a file system"


def test_what_a_step_of_the_rollback_tried_is_red_there() -> None:
    undone = RollbackResult(RollbackStatus.RESTORED, steps=CALLING.steps[1:])
    found = names(parse(run(replace(CALLING, steps=CALLING.steps[:1], rollback=undone)))[0])
    assert (found["rollback"], "verdict" in found) == ("failure", False)


def test_what_the_steps_left_running_tried_is_red_beside_a_failed_step() -> None:
    why = "between the steps: high escape attempt: tried to mount a file system"
    found = names(parse(run(replace(FAILING, violation=why, reason=why)))[0])
    assert (found["step wait-ready"], found["verdict"]) == ("failure", "failure")


def test_a_rollback_that_was_not_declared_is_skipped_with_its_reason() -> None:
    bare = replace(PASSING, rollback=RollbackResult(RollbackStatus.NOT_DECLARED))
    case = next(each for each in parse(run(bare)).iter("testcase") if each.get("name") == "rollback")
    skipped = case.find("skipped")
    assert skipped is not None
    assert "no way back" in (skipped.get("message") or "")


def test_unreadable_files_are_failures_of_a_suite_of_their_own() -> None:
    suite = parse(EVERYTHING)[-1]
    assert suite.get("name") == "unreadable files"
    assert names(suite) == {"playbooks/broken.wpk.yaml": "failure"}


def test_two_files_with_one_package_name_have_two_suites() -> None:
    other = replace(PASSING, path="other/restart-web.wpk.yaml")
    assert [suite.get("name") for suite in parse(run(PASSING, other))] == [
        "restart-web (playbooks/restart-web.wpk.yaml)",
        "restart-web (other/restart-web.wpk.yaml)",
    ]


def test_two_steps_of_one_name_stay_two() -> None:
    twice = replace(PASSING, steps=(step(1, "a"), step(2, "a")))
    assert {"step a", "step a (2)"} <= set(names(parse(run(twice))[0]))


def test_text_that_xml_cannot_hold_is_shown_by_its_code() -> None:
    text = junit(HOSTILE_RUN)
    assert "\\x00" in text
    assert "\x00" not in text
    assert "]]>" not in text


def test_properties_tell_the_facts_of_a_package() -> None:
    found = {each.get("name"): each.get("value") for each in parse(run(FAILING)).iter("property")}
    assert found["verdict"] == "fail"
    assert found["risk"] == "37"
    assert found["case"] == "peak traffic"


def test_a_large_result_stays_under_what_gitlab_takes() -> None:
    loud = step(1, "loud", stdout=HOSTILE_OUTPUT, stderr=HOSTILE_OUTPUT, fidelity=Fidelity.EXECUTED)
    package = replace(PASSING, steps=(loud,) * 10)
    many = tuple(replace(package, path=f"{number}.wpk.yaml") for number in range(60))
    text = junit(run(*many))
    assert len(text.encode()) <= MOST_BYTES
    check_shape(ElementTree.fromstring(text))
    assert text.count("<testsuite ") == 60


def test_the_place_of_a_rollback_is_its_first_step() -> None:
    case = next(each for each in parse(run(FAILING)).iter("testcase") if each.get("name") == "rollback")
    place = FAILING.rollback.steps[0].location
    assert Location(case.get("file", ""), int(case.get("line", "0")), place.column) == place
