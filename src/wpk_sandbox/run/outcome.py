"""What a run is given beside its plan, and what it comes to."""

from dataclasses import dataclass, field

from wpk_sandbox.run.deadline import Clock
from wpk_sandbox.run.measured import together
from wpk_sandbox.run.result import Effect, Requirements, RollbackResult, RollbackStatus, StepResult, Verdict
from wpk_sandbox.run.watched import WARN
from wpk_sandbox.sandbox.outside.outside import Outside
from wpk_sandbox.sandbox.sandbox import Attempt, Cluster, Limits, Sample, SecurityEvent, Shell, Usage

PROVE, ON_FAILURE, NEVER = "prove", "on-failure", "never"


@dataclass(frozen=True)
class OpenedSandbox:
    """The two halves of a sandbox, as far as the plan needs them, and what answers in place of the outside."""

    shell: Shell | None = None
    cluster: Cluster | None = None
    outside: Outside | None = None


@dataclass(frozen=True)
class RunOptions:
    """How a plan is run. `rollback` is `prove` (after a success too), `on-failure` or `never`. Seconds and bytes.

    `run_timeout` is what is left for everything of this package. `setup_timeout` is for making what the case and
    the stand-ins ask for, `settle_timeout` is how much of it may go into waiting until these work.
    `after_timeout` is how long what the package changed may take to work, after which it is noted that it does not.
    `limits` are the shell's; `on_violation` (`warn`, `fail`) is what an attempt to leave the sandbox comes to.
    """

    rollback: str = PROVE
    run_timeout: float = 1800.0
    setup_timeout: float = 120.0
    settle_timeout: float = 45.0
    after_timeout: float = 15.0
    output_limit: int = 1024**2
    limits: Limits = Limits()
    on_violation: str = WARN
    clock: Clock = field(default=Clock())


@dataclass(frozen=True)
class Outcome:
    """What became of one plan. `reason` is the verdict in one line; what was seen beside the steps comes last."""

    verdict: Verdict
    reason: str
    steps: tuple[StepResult, ...] = ()
    effects: tuple[Effect, ...] = ()
    rollback: RollbackResult = RollbackResult(RollbackStatus.NOT_RUN)
    notes: tuple[str, ...] = ()
    usage: Usage = Usage()
    network: tuple[Attempt, ...] = ()
    events: tuple[SecurityEvent, ...] = ()
    samples: tuple[Sample, ...] = ()
    suggested: Requirements | None = None
    violation: str = ""


def used(opened: OpenedSandbox) -> Usage:
    """What the whole sandbox used: times and sizes of both halves together."""
    return together(half.usage() for half in (opened.shell, opened.cluster) if half is not None)
