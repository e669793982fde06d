"""Known attacks are told from what ordinary runbooks do."""

import base64
import hashlib

import pytest

from wpk_sandbox.finding import Severity
from wpk_sandbox.run.signatures import signatures
from wpk_sandbox.sandbox.sandbox import Answer, Attempt, SecurityEvent, Threat


def found(*attempts: Attempt, output: str = "") -> list[SecurityEvent]:
    return list(signatures(attempts, output))


def asked(name: str) -> Attempt:
    return Attempt("dns", name=name, process="sh (9)")


def data(number: int, length: int = 40) -> str:
    """What a program would put into a label to send it out."""
    return base64.b32encode(hashlib.sha256(bytes([number])).digest()).decode().lower()[:length]


@pytest.mark.parametrize(
    "attempt",
    [
        Attempt("tcp", "169.254.169.254", 80, process="curl (3)"),
        Attempt("tcp", "fd00:ec2::254", 80),
        Attempt("tcp", "198.18.0.3", 80, name="metadata.google.internal"),
        Attempt("dns", name="metadata.google.internal."),
    ],
)
def test_asking_for_the_metadata_of_a_cloud_is_named(attempt: Attempt) -> None:
    (event,) = found(attempt)
    assert (event.threat, event.severity) == (Threat.SIGNATURE, Severity.MEDIUM)
    assert "metadata" in event.message
    assert event.process == attempt.process


def test_evidence_is_what_was_tried() -> None:
    (event,) = found(Attempt("tcp", "169.254.169.254", 80, process="curl (3)", count=4))
    assert (event.evidence, event.process, event.count) == ("169.254.169.254:80", "curl (3)", 4)


def test_an_ordinary_call_is_no_attack() -> None:
    calls = [
        Attempt("tcp", "198.18.0.4", 443, name="api.example.com", process="curl (3)"),
        Attempt("tcp", "10.0.0.7", 4443, process="python3 (4)"),
        Attempt("tcp", "198.18.0.5", 80, name="web.shop.svc", process="bash (4)"),
        Attempt("udp", "192.0.2.1", 123, process="ntpd (4)"),
        asked("metadata.example.com"),
    ]
    assert found(*calls, output="GET http://web/ 200\nstratum 2 clock, /dev/tcp works\n") == []


def test_what_was_answered_on_purpose_is_no_attack() -> None:
    mocked = Attempt("tcp", "169.254.169.254", 80, answer=Answer.MOCKED)
    assert found(mocked) == []
    assert len(found(Attempt("tcp", "169.254.169.254", 80))) == 1


@pytest.mark.parametrize("name", ["pool.supportxmr.com", "xmr-eu1.nanopool.org", "gulf.moneroocean.stream"])
def test_pool_of_miners_is_named(name: str) -> None:
    (event,) = found(Attempt("tcp", "198.18.0.9", 3333, name=name))
    assert event.severity is Severity.HIGH


@pytest.mark.parametrize("name", ["connection-pool.example.com", "pool.ntp.org", "stratus.example.com"])
def test_pool_of_something_else_is_not(name: str) -> None:
    assert found(Attempt("tcp", "198.18.0.9", 3333, name=name)) == []


def test_words_of_the_miners_protocol_weigh_little_alone_and_much_with_a_pool() -> None:
    said = "xmrig -o stratum+tcp://pool.supportxmr.com:3333\n"
    (alone,) = found(output=said)
    assert alone.severity is Severity.LOW
    assert alone.evidence == "stratum+tcp://pool.supportxmr.com:3333"
    assert {event.severity for event in found(asked("pool.supportxmr.com"), output=said)} == {Severity.HIGH}


def test_shell_that_calls_a_listeners_port_is_named() -> None:
    (event,) = found(Attempt("tcp", "192.0.2.10", 4444, process="bash (7)"))
    assert event.severity is Severity.HIGH


@pytest.mark.parametrize(
    "attempt",
    [
        Attempt("tcp", "192.0.2.10", 443, process="bash (7)"),
        Attempt("tcp", "192.0.2.10", 4444, process="java (7)"),
        Attempt("udp", "192.0.2.10", 4444, process="bash (7)"),
        Attempt("tcp", "192.0.2.10", 4444, process="shiny-server (7)"),
    ],
)
def test_other_programs_and_ports_are_not(attempt: Attempt) -> None:
    assert found(attempt) == []


def test_data_in_names_is_told_once_with_its_domain() -> None:
    (event,) = found(*[asked(f"{data(number)}.evil.example") for number in range(5)])
    assert event.severity is Severity.HIGH
    assert event.message == "sent data in names below evil.example"
    assert "and 4 more" in event.evidence
    assert event.process == "sh (9)"


def test_one_very_long_label_of_data_is_enough_for_a_doubt() -> None:
    (event,) = found(asked(f"{data(1, 50)}.evil.example"))
    assert event.severity is Severity.MEDIUM


def test_many_random_names_are_named() -> None:
    (event,) = found(*[asked(f"{data(number, 12)}7.evil.co.uk") for number in range(30)])
    assert event.message == "asked for 30 random names below evil.co.uk"


@pytest.mark.parametrize(
    "names",
    [
        ["0123456789ABCDEF0123456789ABCDEF.gr7.us-east-1.eks.amazonaws.com"],
        ["internal-k8s-shop-frontend-1a2b3c4d5e-1234567890.us-east-1.elb.amazonaws.com"],
        ["d111111abcdef8.cloudfront.net", "d222222abcdef8.cloudfront.net"],
        [f"web-{number}.web.shop.svc.cluster.local" for number in range(60)],
        [f"node{number}.prod.example.com" for number in range(60)],
        ["a-rather-long-name-of-a-service-in-production.example.com"] * 3,
    ],
    ids=["eks", "load balancer", "cdn", "pods", "nodes", "long"],
)
def test_names_of_clouds_and_clusters_carry_no_data(names: list[str]) -> None:
    assert found(*map(asked, names)) == []


@pytest.mark.parametrize("name", ["", ".", "a", "\x00\xff", "." * 300, "ü" * 400])
def test_no_name_is_too_odd(name: str) -> None:
    assert found(asked(name), Attempt("tcp", name=name, port=80)) == []
