"""What a run is given beside its plan, and what it comes to."""

from dataclasses import dataclass, field

from wpk_sandbox.run.deadline import Clock
from wpk_sandbox.run.result import Effect, RollbackResult, RollbackStatus, StepResult, Verdict
from wpk_sandbox.sandbox.sandbox import Cluster, Shell, Usage

PROVE, ON_FAILURE, NEVER = "prove", "on-failure", "never"


@dataclass(frozen=True)
class OpenedSandbox:
    """The two halves of a sandbox, as far as the plan needs them."""

    shell: Shell | None = None
    cluster: Cluster | None = None


@dataclass(frozen=True)
class RunOptions:
    """How a plan is run. `rollback` is `prove` (after a success too), `on-failure` or `never`. Seconds and bytes.

    `run_timeout` is what is left for everything of this package. `setup_timeout` is for making what the case and
    the stand-ins ask for, `settle_timeout` is how much of it may go into waiting until these work.
    `after_timeout` is how long what the package changed may take to work, after which it is noted that it does not.
    """

    rollback: str = PROVE
    run_timeout: float = 1800.0
    setup_timeout: float = 120.0
    settle_timeout: float = 45.0
    after_timeout: float = 15.0
    output_limit: int = 1024**2
    clock: Clock = field(default=Clock())


@dataclass(frozen=True)
class Outcome:
    """What became of one plan. `reason` is the verdict in one line."""

    verdict: Verdict
    reason: str
    steps: tuple[StepResult, ...] = ()
    effects: tuple[Effect, ...] = ()
    rollback: RollbackResult = RollbackResult(RollbackStatus.NOT_RUN)
    notes: tuple[str, ...] = ()
    usage: Usage = Usage()


def used(opened: OpenedSandbox) -> Usage:
    """What the whole sandbox used: times and sizes of both halves together."""
    usages = [half.usage() for half in (opened.shell, opened.cluster) if half is not None]
    return Usage(
        _together([usage.cpu_seconds for usage in usages]),
        _whole([usage.memory_peak for usage in usages]),
        _whole([usage.processes_peak for usage in usages]),
    )


def _together(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _whole(values: list[int | None]) -> int | None:
    total = _together([None if value is None else float(value) for value in values])
    return None if total is None else int(total)
