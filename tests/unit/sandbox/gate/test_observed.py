"""What was recorded is told as attempts, and what was refused as events of the severity that it deserves."""

import pytest

from wpk_sandbox.finding import Severity
from wpk_sandbox.sandbox.gate.observed import joined, observed
from wpk_sandbox.sandbox.gate.recorder import Seen, Taken
from wpk_sandbox.sandbox.sandbox import Answer, Attempt, Observed, Route, SecurityEvent, Threat

ROUTES = (Route("api.example.com", 443, Answer.MOCKED, lambda _: None), Route("10.1.2.3", 1, Answer.CLUSTER, print))


def events(*seen: Seen, more: int = 0) -> tuple[SecurityEvent, ...]:
    return observed(Taken(seen, more), ROUTES).events


def test_attempt_carries_the_answer_of_its_route() -> None:
    seen = (
        Seen("tcp", "198.18.1.0", 443, "api.example.com", route=0, process="curl (7)", count=2),
        Seen("tcp", "10.1.2.3", 1, route=1),
        Seen("udp", "192.0.2.1", 123),
    )
    found = observed(Taken(seen), ROUTES)
    assert found.attempts == (
        Attempt("tcp", "198.18.1.0", 443, "api.example.com", "curl (7)", Answer.MOCKED, 2),
        Attempt("tcp", "10.1.2.3", 1, answer=Answer.CLUSTER),
        Attempt("udp", "192.0.2.1", 123, answer=Answer.REFUSED),
    )
    assert [event.message for event in found.events] == ["a datagram to 192.0.2.1 port 123 was refused"]


def test_route_that_is_not_there_is_no_answer() -> None:
    (attempt,) = observed(Taken((Seen("tcp", "192.0.2.1", 1, route=99),)), ROUTES).attempts
    assert attempt.answer is Answer.REFUSED


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (Seen("tcp", "192.0.2.1", 22, "x.test"), "a connection to x.test (192.0.2.1) port 22"),
        (Seen("dns", name="x.test"), "asking for the name x.test"),
        (Seen("dns"), "a question about a name that cannot be read"),
        (Seen("icmp", "192.0.2.1"), "a ping of 192.0.2.1"),
        (Seen("2", "224.0.0.22"), "a packet of protocol 2 to 224.0.0.22"),
    ],
)
def test_event_says_in_words_what_was_tried(seen: Seen, words: str) -> None:
    (event,) = events(seen)
    assert event.message == f"{words} was refused"
    assert (event.threat, event.severity) == (Threat.NETWORK, Severity.MEDIUM)


@pytest.mark.parametrize(
    "seen",
    [
        Seen("tcp", "169.254.169.254", 80),
        Seen("tcp", "fd00:ec2::254", 80),
        Seen("udp", "168.63.129.16", 53),
        Seen("dns", name="metadata.google.internal"),
    ],
)
def test_credentials_of_a_cloud_are_of_high_severity(seen: Seen) -> None:
    (event,) = events(seen)
    assert event.severity is Severity.HIGH
    assert "credentials" in event.message


@pytest.mark.parametrize(
    "name",
    [
        "mzxw6ytboi4dkmrrgm2dknrxha4tamjsgm2dknrx.evil.test",
        "agvsbg8gd29ybgqgdghpcybpcy.bkyxrhzwnyzxqgdmfsdwvz.evil.test",
        ".".join(["some-harmless-words"] * 8) + ".evil.test",
    ],
)
def test_name_that_carries_data_is_of_high_severity(name: str) -> None:
    assert [event.severity for event in events(Seen("dns", name=name))] == [Severity.HIGH]


@pytest.mark.parametrize(
    "name",
    [
        "api.example.com",
        "prometheus-kube-state-metrics.monitoring.svc.cluster.local",
        "my-very-long-service-name-in-production.internal",
        "ec2-203-0-113-25.compute-1.amazonaws.com",
        "0123456789abcdef0fedcba987654321.gr7.eu-central-1.eks.amazonaws.com",
        "123e4567-e89b-12d3-a456-426614174000.example.com",
    ],
)
def test_name_that_people_give_is_not(name: str) -> None:
    assert [event.severity for event in events(Seen("dns", name=name))] == [Severity.MEDIUM]


def test_many_names_below_one_domain_carry_data_together() -> None:
    few = events(*(Seen("dns", name=f"part{number}.evil.test") for number in range(19)))
    assert {event.severity for event in few} == {Severity.MEDIUM}
    many = events(*(Seen("dns", name=f"part{number}.evil.test") for number in range(20)))
    assert {event.severity for event in many} == {Severity.HIGH}


def test_what_was_too_much_to_list_is_told_by_its_number() -> None:
    last = events(Seen("tcp", "192.0.2.1", 1), more=4711)[-1]
    assert "4711 more" in last.message
    assert last.count == 4711
    assert len(events(Seen("tcp", "192.0.2.1", 1))) == 1


def test_observations_are_joined_in_their_order() -> None:
    one, other = (observed(Taken((Seen("tcp", "192.0.2.1", port),)), ()) for port in (1, 2))
    found = joined([one, other])
    assert [attempt.port for attempt in found.attempts] == [1, 2]
    assert len(found.events) == 2
    assert joined([]) == Observed()
