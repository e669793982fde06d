"""What samples of results are put together from; times and ids are fixed."""

from wpk_sandbox.finding import Location
from wpk_sandbox.plan.plan import Fidelity, Phase
from wpk_sandbox.run.result import (
    PackageResult,
    RunResult,
    SandboxResult,
    StepResult,
    StepStatus,
    Verdict,
)
from wpk_sandbox.sandbox.ledger import Tally
from wpk_sandbox.sandbox.sandbox import Evidence


def step(
    number: int, name: str, status: StepStatus = StepStatus.OK, path: str = "restart-web", **more: object
) -> StepResult:
    """A step of a shell runbook, with what matters for a test in `more`."""
    facts: dict[str, object] = {
        "number": number,
        "phase": Phase.RUN,
        "handler": name,
        "name": name,
        "action": "shell",
        "status": status,
        "fidelity": Fidelity.EXECUTED,
        "reason": "runs in the sandbox's shell",
        "location": Location(f"playbooks/{path}.wpk.yaml", 10 + number * 7, 7),
    }
    return StepResult(**{**facts, **more})  # type: ignore[arg-type]


CLOSED = tuple(
    Evidence(probe, True, seen)
    for probe, seen in (
        ("user", "uid 65532, no capability"),
        ("root file system", "EROFS on write"),
        ("network", "ENETUNREACH for 1.1.1.1:443"),
        ("DNS", "no resolver"),
        ("metadata address", "ENETUNREACH for 169.254.169.254:80"),
        ("processes", "EAGAIN at 100"),
    )
)

KIND = SandboxResult(
    "kind",
    "the package acts on Kubernetes objects",
    ("kind v1.34.4", "shell in a container"),
    9.8,
    CLOSED,
)


def run(*packages: PackageResult, **more: object) -> RunResult:
    """A run of these packages with the worst verdict of them."""
    facts: dict[str, object] = {
        "run_id": "3f2c1aa",
        "tool_version": "0.1.0",
        "started": "2026-01-02T03:04:05Z",
        "seconds": 91.4,
        "verdict": max((package.verdict for package in packages), key=lambda each: each.rank, default=Verdict.PASS),
        "packages": packages,
        "tally": sum((package.tally for package in packages), Tally()),
    }
    return RunResult(**{**facts, **more})  # type: ignore[arg-type]
