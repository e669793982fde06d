"""The words for what a sandbox saw."""

from dataclasses import replace

import pytest

from report.hostile import HOSTILE_PACKAGE
from report.parts import run
from report.sample import PASSING
from report.watched import CALLING
from wpk_sandbox.finding import Severity
from wpk_sandbox.report import seen
from wpk_sandbox.report.fingerprint import named, of_run
from wpk_sandbox.report.violations import RUN_RULES, violations
from wpk_sandbox.run.result import Requirements
from wpk_sandbox.sandbox.sandbox import Answer, Attempt, SecurityEvent, Threat, Usage


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (Attempt("tcp", "198.18.0.1", 443, "api.example.com"), "tried api.example.com:443"),
        (Attempt("tcp", "192.0.2.10", 22), "tried 192.0.2.10:22"),
        (Attempt("tcp", "2001:db8::1", 22), "tried [2001:db8::1]:22"),
        (Attempt("udp", "192.0.2.10", 53), "tried 192.0.2.10:53/udp"),
        (Attempt("icmp", "192.0.2.10"), "tried 192.0.2.10 by icmp"),
        (Attempt("47", "192.0.2.10"), "tried 192.0.2.10 by 47"),
        (Attempt("dns", name="a.example"), "looked up a.example"),
        (Attempt("tcp", port=80, name="a.example", answer=Answer.ALLOWED), "reached a.example:80"),
        (Attempt("https", port=443, name="GET https://a.example/", answer=Answer.MOCKED), "GET https://a.example/"),
        (Attempt("tcp"), "tried an unknown target by tcp"),
    ],
)
def test_each_kind_of_attempt_has_its_words(attempt: Attempt, words: str) -> None:
    assert seen.what(attempt) == words


def test_one_target_is_told_once_with_all_its_callers() -> None:
    many = [Attempt("tcp", "192.0.2.1", 80, process=f"curl ({number})", count=2) for number in range(4)]
    (call,) = seen.calls(many)
    assert str(call) == "tried 192.0.2.1:80 (refused) ×8, curl (0), curl (1) and 2 more"


def test_a_call_that_is_worse_than_others_says_so_in_every_form() -> None:
    tried = Attempt("tcp", "169.254.169.254", 80, process="curl (3)")
    about = SecurityEvent(
        Threat.NETWORK, Severity.HIGH, "a connection to 169.254.169.254 was refused", "", "curl (3)"
    )
    (call,) = seen.calls([tried], [about])
    assert (call.severity, call.came_to) == (Severity.HIGH, "refused, high")
    assert str(call) == "tried 169.254.169.254:80 (refused, high), curl (3)"
    (other,) = seen.calls([tried])
    assert (other.severity, other.came_to) == (Severity.MEDIUM, "refused")
    package = replace(PASSING, steps=(), network=(tried,), events=(about,))
    assert [each.severity for each in violations(package)] == [Severity.HIGH]


def test_a_worse_call_comes_before_others_that_were_refused() -> None:
    attempts = [Attempt("tcp", f"192.0.2.{number}", 80, process="curl (3)") for number in range(8)]
    about = SecurityEvent(Threat.NETWORK, Severity.HIGH, "a connection to 192.0.2.7 was refused", "", "curl (3)")
    assert seen.calls(attempts, [about])[0].what == "tried 192.0.2.7:80"


def test_what_was_answered_has_no_severity() -> None:
    (call,) = seen.calls([Attempt("tcp", name="a.example", port=80, answer=Answer.ALLOWED)])
    assert (call.severity, call.came_to) == (None, "allowed")


def test_the_question_for_a_name_that_is_then_called_is_not_told_beside_the_call() -> None:
    asked = Attempt("dns", name="a.example")
    assert [call.what for call in seen.calls([asked])] == ["looked up a.example"]
    called = Attempt("tcp", "198.18.0.1", 80, "a.example")
    assert [call.what for call in seen.calls([asked, called])] == ["tried a.example:80"]


def test_the_connection_beneath_a_mocked_call_is_not_told_beside_it() -> None:
    beneath = Attempt("tcp", "198.18.0.1", 443, "a.example", answer=Answer.MOCKED)
    assert [call.what for call in seen.calls([beneath])] == ["reached a.example:443"]
    call = Attempt("https", port=443, name="GET https://a.example/x", answer=Answer.MOCKED)
    assert [one.what for one in seen.calls([beneath, call])] == ["GET https://a.example/x"]


def test_calls_to_the_sandboxes_cluster_are_no_news() -> None:
    assert seen.calls([Attempt("tcp", "198.18.0.9", 6443, answer=Answer.CLUSTER)]) == []


def test_refused_calls_come_first() -> None:
    mocked, refused = Attempt("tcp", name="a", port=1, answer=Answer.MOCKED), Attempt("tcp", name="b", port=1)
    assert [call.answer for call in seen.calls([mocked, refused])] == [Answer.REFUSED, Answer.MOCKED]


@pytest.mark.parametrize("name", ["", "GET", "GET http://[", "GET http://a:b:c/", "GET //" + "x" * 10_000])
def test_no_call_to_a_mock_is_too_odd(name: str) -> None:
    assert len(seen.calls([Attempt("http", port=80, name=name, answer=Answer.MOCKED)])) == 1


def test_made_up_addresses_are_not_shown_as_addresses() -> None:
    assert seen.address(Attempt("tcp", "198.18.3.4", 80, "a.example")) == ""
    assert seen.address(Attempt("tcp", "192.0.2.1", 80, "a.example")) == "192.0.2.1"
    assert seen.address(Attempt("tcp", "198.18.3.4", 80)) == "198.18.3.4"
    assert seen.address(Attempt("dns", "not an address", name="a")) == "not an address"


def test_an_event_about_an_attempt_that_is_listed_is_its_severity_and_not_told_again() -> None:
    tried = Attempt("tcp", "192.0.2.1", 80, process="curl (3)")
    about = SecurityEvent(Threat.NETWORK, Severity.HIGH, "a connection to 192.0.2.1 was refused", "", "curl (3)")
    other = SecurityEvent(Threat.NETWORK, Severity.LOW, "7 more attempts than are listed")
    escape = SecurityEvent(Threat.ESCAPE, Severity.HIGH, "left by 192.0.2.1", "", "curl (3)")
    assert seen.told_apart([about, other, escape], [tried]) == [other, escape]
    assert seen.told_apart([about], [replace(tried, process="wget (4)")]) == [about]
    assert seen.severity(tried, [about]) is Severity.HIGH
    assert seen.severity(tried, [escape]) is Severity.MEDIUM
    assert seen.severity(replace(tried, answer=Answer.MOCKED), [about]) is None


def test_an_event_has_its_evidence_once() -> None:
    event = SecurityEvent(Threat.ESCAPE, Severity.HIGH, "tried to mount", "mount(2)", "mount (3)", 2)
    assert seen.event(event) == "tried to mount ×2, mount (3): mount(2)"
    assert seen.event(replace(event, evidence="mount", count=1)) == "tried to mount, mount (3)"


def test_tallies_count_targets_and_events_of_the_whole_package() -> None:
    assert seen.network_tally(CALLING) == "5 targets refused, 1 mocked, 1 allowed"
    assert seen.events_tally(CALLING) == "1 high escape attempt, 1 low resource abuse"
    assert (seen.network_tally(PASSING), seen.events_tally(PASSING)) == ("", "")


def test_a_suggestion_names_only_what_was_measured() -> None:
    assert seen.requirements_line(Requirements(memory="64Mi")) == "requirements: {memory: 64Mi}"
    assert seen.requirements_line(Requirements("${CPU}")) == 'requirements: {cpu: "${CPU}"}'
    assert seen.requirements_yaml(Requirements("100m", "64Mi", "1Mi")).splitlines() == [
        "spec:",
        "  runtime:",
        "    requirements: {cpu: 100m, memory: 64Mi, storage: 1Mi}",
    ]


def test_details_of_usage_leave_out_what_is_nothing() -> None:
    assert seen.usage_details(Usage(1.0, 100, 3, 0.0, 0, 0, 0, 0, 0)) == []
    assert seen.usage_details(Usage(throttled_seconds=1.25, stored_peak=2048, out_of_memory=1)) == [
        "held back for 1.2 s by the CPU limit",
        "2.0 KiB of files at most",
        "1 kill for want of memory",
    ]


def test_violations_stand_at_their_steps_and_between_them_at_the_file() -> None:
    found = list(violations(CALLING))
    assert [(each.rule, each.location.line) for each in found] == [
        *[("run-network", 17)] * 4,
        ("run-escape", 24),
        ("run-abuse", 24),
        ("run-network", 1),
    ]
    assert "fetch: tried api.example.com:443, which was refused" in [each.message for each in found]
    assert list(violations(PASSING)) == []


def test_a_violation_keeps_its_name_in_the_next_run() -> None:
    again = replace(
        CALLING,
        steps=tuple(
            replace(
                step,
                network=tuple(replace(one, process="x (99)", count=one.count + 1) for one in step.network),
                events=tuple(replace(one, process="x (99)", count=9) for one in step.events),
            )
            for step in CALLING.steps
        ),
    )
    first, second = (named(of_run(run(each))) for each in (CALLING, again))
    assert [each.fingerprint for each in first] == [each.fingerprint for each in second]
    assert len(first) == 7


def test_every_finding_of_a_run_has_a_rule_that_explains_it() -> None:
    known = {rule.id for rule in RUN_RULES}
    assert {each.rule for package in (CALLING, HOSTILE_PACKAGE) for each in violations(package)} <= known
    assert len(known) == len(Threat)


def test_what_was_seen_more_than_once_is_told_in_the_plural() -> None:
    tried = [SecurityEvent(Threat.ESCAPE, Severity.HIGH, f"tried {number}") for number in range(3)]
    used = [SecurityEvent(Threat.ABUSE, Severity.LOW, f"filled {number}") for number in range(2)]
    package = replace(PASSING, events=(*tried, *used, SecurityEvent(Threat.SIGNATURE, Severity.MEDIUM, "mined")))
    assert seen.events_tally(package) == ("3 high escape attempts, 1 medium attack signature, 2 low resource abuse")
