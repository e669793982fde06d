"""A trigger that can never fire is told; one that only looks odd is not."""

from typing import Any

import pytest
from checking import findings, shell

from wpk_sandbox.rules.promql import problem
from wpk_sandbox.rules.triggers import cron_problem

RULE = "trigger-invalid"


def told(kind: str, config: dict[str, Any]) -> list[str]:
    found = findings(shell("true"), triggers=[{"type": kind, "config": config}])
    return [finding.message for finding in found if finding.rule == RULE]


@pytest.mark.parametrize(
    ("cron", "why"),
    [
        ("* * * *", "has 4 fields; a cron expression has 5"),
        ("hourly", "has 1 field; a cron expression has 5"),
        ("", "has 0 fields; a cron expression has 5"),
        ("61 * * * *", "has no valid minute: `61`"),
        ("0 25 * * *", "has no valid hour: `25`"),
        ("0 0 0 * *", "has no valid day-of-month: `0`"),
        ("0 0 32 * *", "has no valid day-of-month: `32`"),
        ("0 0 * 13 *", "has no valid month: `13`"),
        ("0 0 * * MUN", "has no valid day-of-week: `MUN`"),
        ("0 0 25 * * *", "has no valid hour: `25`"),
        ("*/0 * * * *", "has no valid minute: `*/0`"),
        ("5-1 * * * *", "has no valid minute: `5-1`"),
        ("1,,3 * * * *", "has no valid minute: `1,,3`"),
        ("0 0 30 2 *", "names a day that never comes"),
        ("0 0 31 2,4,6 *", "names a day that never comes"),
        ("0," * 300 + "1 * * * *", "is too long for cron"),
        ("@dayly", "is a word that cron does not know"),
        ("@every day", "is a word that cron does not know"),
    ],
)
def test_a_schedule_that_never_comes_is_told_with_the_field(cron: str, why: str) -> None:
    assert cron_problem(cron) == why
    assert told("schedule", {"cron": cron}) == [f"the schedule `{cron[:60]}` {why}"]


@pytest.mark.parametrize(
    "cron",
    [
        "0 4 1 */3 *",
        "*/15 8-18 * JAN-NOV MON-FRI",
        "0 0 29 2 *",
        "0 0 * * 7",
        "0 0 L * *",
        "0 0 ? * MON",
        "0 30 2 * * *",
        "  5  4 * * SUN ",
        "TZ=Europe/Paris 5 4 * * *",
        "@daily",
        "@every 1h30m",
    ],
)
def test_a_schedule_that_comes_is_not_told(cron: str) -> None:
    assert cron_problem(cron) == ""
    assert told("schedule", {"cron": cron}) == []


def test_a_schedule_without_a_time_is_told_and_one_in_other_words_is_not() -> None:
    assert told("schedule", {}) == ["the schedule says no time: it has no `cron`"]
    assert told("schedule", {"cron": 5}) == ["the schedule is 5, which is no cron expression such as `0 4 * * 1`"]
    assert told("schedule", {"every": "day"}) == ["the schedule says no time: it has no `cron`"]
    assert told("schedule", {"interval": "5m"}) == []
    assert told("schedule", {"cron": "${CRON}"}) == []


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("restart", "does not begin with `/`"),
        ("https://hooks.example.com/restart", "is an address"),
        ("/restart web", "has a space in it"),
        ("/restart?token=1", "has a query or fragment"),
        ("/a/../b", "has `..` in it"),
        ("", "must be a text"),
        (5, "must be a text"),
    ],
)
def test_a_path_to_which_no_request_comes_is_told(path: Any, part: str) -> None:
    (message,) = told("webhook", {"path": path})
    assert part in message


@pytest.mark.parametrize("path", ["/", "/restart", "/hooks/${TEAM}/v1.2", "${PREFIX}/restart", "/a..b", "/%20"])
def test_a_path_that_requests_can_have_is_not_told(path: str) -> None:
    assert told("webhook", {"path": path}) == []
    assert told("webhook", {}) == []


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("", "it is empty"),
        ("  # nothing", "it is empty"),
        ("sum(rate(errors_total[5m]) > 5", "nothing closes the `(`"),
        ("errors_total{job='a' > 5", "nothing closes the `{`"),
        ("sum(errors_total))", "nothing opens the `)`"),
        ("sum(errors_total]", "nothing opens the `]`"),
        ('errors_total{job="a} > 5', "it has a quote that nothing closes"),
        ("errors_total >", "nothing stands after `>`"),
        ("cpu_usage > 80%", "nothing stands after `%`"),
        ("(a +) * b", "nothing stands after `+`"),
        ("a and", "nothing stands after `and`"),
        ("> 5", "nothing stands before `>`"),
        ("a * (/ b)", "nothing stands before `/`"),
        ("up = 0", "`=` is no operator there; write `==`"),
        ("a > 1 && b > 1", "`&&` is no operator there; write `and`"),
        ("a > 1 || b > 1", "`||` is no operator there; write `or`"),
        ("rate(errors_total[5])", "the range `[5]` has no unit; write `[5m]`"),
        ("rate(errors_total[5minutes])", "the range `[5minutes]` has the unknown unit `minutes`; write `[5m]`"),
        ("sum by pod (up)", "`by` is followed by `pod`; write `by (pod)`"),
        ("pods restart too often", "it reads like a sentence"),
        ("rate(errors_total) > 0", "`rate` takes a range of time; write `rate(… [5m])`"),
        ("sum(increase(a{b='c'})) > 0", "`increase` takes a range of time; write `increase(… [5m])`"),
        ("max_over_time(x) > avg(y[5m])", "`max_over_time` takes a range of time; write `max_over_time(… [5m])`"),
        ("up{job=web} == 0", 'the value of a label is a text in quotes; write `="web"`'),
        ("up{code!~5} == 0", 'the value of a label is a text in quotes; write `!~"5"`'),
        (
            "up[5m] == 0",
            "a range of time cannot be compared; put it into a function such as `rate` or `avg_over_time`",
        ),
    ],
)
def test_what_is_no_promql_is_told_with_the_reason(query: str, why: str) -> None:
    assert problem(query) == why
    assert told("event", {"source": "prometheus", "condition": query}) == [f"the condition is no PromQL: {why}"]


# Of the documentation of Prometheus, and of alerts in use.
@pytest.mark.parametrize(
    "query",
    [
        "up == 0",
        "1",
        "-up == -1",
        "up == bool 1",
        "absent(up{job=~'a|b', instance!=\"x\"}) or vector(0)",
        "histogram_quantile(0.99, sum(rate(http_request_duration_seconds_bucket[5m])) by (le)) > 0.5",
        'sum by (pod) (rate(errors_total{path=~"/a(b|c)[0-9]}"}[5m:1m] offset 1w)) > 5',
        "sum without (instance) (foo) / on (job) group_left (team) bar",
        "foo @ end() unless (bar or baz)",
        'node_filesystem_avail_bytes{mountpoint="/tmp"} / node_filesystem_size_bytes{mountpoint="/tmp"} < 0.1',
        "job:errors:rate5m > 0.1 # as agreed",
        "rate(errors_total[${WINDOW}]) > ${LIMIT}",
        "errors_total > {{ threshold }}",
        "foo > +Inf",
        "sum by (on, by) (x{on='y'}) / ignoring (by) z",
        "count_over_time(x[1h30m]) ^ 2 % 3",
        "x{a!~'(', b=`}`,}",
        "rate(${METRIC}) > 0",
        "rate(x{a='(', b=~\"${B}\"}[5m]) > on (rate) y",
        "sum(avg_over_time((a - b)[1h:5m])) > 0",
        'up{job=${JOB}, "a.b"="c"}',
        "rate > 5",
    ],
)
def test_what_prometheus_takes_is_not_told(query: str) -> None:
    assert problem(query) == ""
    assert told("event", {"source": "prometheus", "condition": query}) == []


def test_a_query_of_endless_calls_is_read_once() -> None:
    assert problem("rate(" * 10_000 + "x" + ")" * 10_000).startswith("`rate` takes a range of time")
    assert problem("rate(" * 10_000 + "x[5m]" + ")" * 10_000) == ""


def test_conditions_of_other_sources_are_in_their_own_language() -> None:
    assert told("event", {"source": "kubernetes", "condition": "reason = BackOff && count > 5"}) == []
    assert told("event", {"source": "alertmanager", "condition": "reason = BackOff"}) != []


@pytest.mark.parametrize(("duration", "found"), [("5m", 0), ("1w", 0), (300, 0), ("${FOR}", 0), ("5 minutes", 1)])
def test_a_duration_is_one(duration: Any, found: int) -> None:
    assert len(told("event", {"source": "prometheus", "condition": "up == 0", "duration": duration})) == found
