"""A package that calls out, tries to leave and is measured: what a sandbox saw of it."""

from report.parts import CLOSED, run, step
from wpk_sandbox.finding import Severity
from wpk_sandbox.rules.policy import Decision, Outcome
from wpk_sandbox.run.result import (
    PackageResult,
    Requirements,
    RollbackResult,
    RollbackStatus,
    SandboxResult,
    Verdict,
)
from wpk_sandbox.sandbox.ledger import Tally
from wpk_sandbox.sandbox.sandbox import Answer, Attempt, Sample, SecurityEvent, Threat, Usage

CALLING = PackageResult(
    name="call-home",
    version="1.0.0",
    path="playbooks/call-home.wpk.yaml",
    digest="2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    case="default",
    verdict=Verdict.FAIL,
    reason="escape: high escape attempt: tried to mount a file system",
    violation="escape: high escape attempt: tried to mount a file system",
    decision=Decision(0, Outcome.APPROVE, "risk 0 of 100"),
    sandbox=SandboxResult("container", "asked for", ("debian:trixie-slim, no network",), 0.6, CLOSED),
    steps=(
        step(
            1,
            "fetch",
            path="call-home",
            message="exit code 0 in 2.5 s",
            seconds=2.5,
            network=(
                Attempt("dns", name="api.example.com", process="curl (12)", count=2),
                Attempt("tcp", "198.18.0.1", 443, "api.example.com", "curl (12)", count=3),
                Attempt("tcp", "198.18.0.1", 443, "api.example.com", "curl (19)"),
                Attempt("udp", "192.0.2.10", 123, process="ntpd (15)"),
                Attempt("icmp", "2001:db8::1", process="ping (16)"),
                Attempt("dns", name="nowhere.example", process="dig (17)"),
                Attempt("tcp", "198.18.0.2", 443, "hooks.example.com", "curl (18)", Answer.MOCKED),
                Attempt("https", port=443, name="POST https://hooks.example.com/x", answer=Answer.MOCKED),
                Attempt("tcp", "198.18.0.3", 8080, "mirror.example.com", "curl (20)", Answer.ALLOWED),
                Attempt("tcp", "198.18.0.9", 6443, "kubernetes.default.svc", "kubectl (21)", Answer.CLUSTER),
            ),
            events=(
                SecurityEvent(Threat.NETWORK, Severity.HIGH, "a ping of 2001:db8::1 was refused", "", "ping (16)"),
            ),
            usage=Usage(1.8, 871 * 1024**2, 6, 0.1, 0, 4096, 2 * 1024**2, 0, 512),
            samples=(
                Sample(0.5, 0.2, 100 * 1024**2, 4, 0),
                Sample(1.0, 0.7, 600 * 1024**2, 6, 1024**2),
                Sample(1.5, 1.2, 871 * 1024**2, 6, 2 * 1024**2),
                Sample(2.5, 1.8, 90 * 1024**2, 3, 2 * 1024**2),
            ),
            warnings=("871 MiB of 1 GiB of memory at most (85 %)",),
        ),
        step(
            2,
            "escape",
            path="call-home",
            message="exit code 0 in 0.4 s",
            seconds=0.4,
            began=2.6,
            events=(
                SecurityEvent(
                    Threat.ESCAPE,
                    Severity.HIGH,
                    "tried to mount a file system",
                    "mount(2) refused",
                    "mount (33)",
                    2,
                ),
                SecurityEvent(Threat.ABUSE, Severity.LOW, "filled its disk", "100 MiB in files"),
            ),
            violation="high escape attempt: tried to mount a file system",
            usage=Usage(0.1, 95 * 1024**2, 3),
            samples=(Sample(3.0, 1.9, 95 * 1024**2, 3, 2 * 1024**2),),
        ),
    ),
    rollback=RollbackResult(RollbackStatus.NOT_DECLARED, "the package declares none"),
    usage=Usage(1.9, 871 * 1024**2, 6),
    tally=Tally(2, 2),
    seconds=4.1,
    network=(Attempt("tcp", "198.51.100.7", 4444, process="nc (40)"),),
    samples=(Sample(3.4, 1.95, 40 * 1024**2, 2, 2 * 1024**2),),
    suggested=Requirements("1500m", "1280Mi", "3Mi"),
)

WATCHED = run(CALLING, seconds=4.2)
