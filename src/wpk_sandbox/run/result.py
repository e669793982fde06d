"""What happened: the one model that every report is a pure function of.

Its JSON form is `result.json`; the schema is generated from these classes, so a change here is a change of
`SCHEMA_VERSION` (the first number when a reader must change, the second when fields are added).
"""

from dataclasses import dataclass, field
from enum import StrEnum

from wpk_sandbox.finding import Finding, Location
from wpk_sandbox.plan.plan import Fidelity, ParameterUse, Phase
from wpk_sandbox.rules.policy import Decision
from wpk_sandbox.sandbox.ledger import Tally
from wpk_sandbox.sandbox.sandbox import Attempt, Evidence, Sample, SecurityEvent, Usage

SCHEMA_VERSION = "1.3"


class Verdict(StrEnum):
    """The answer, worst last but one: fail outranks inconclusive."""

    PASS = "pass"
    INCONCLUSIVE = "inconclusive"
    FAIL = "fail"

    @property
    def rank(self) -> int:
        """0 for pass to 2 for fail."""
        return list(Verdict).index(self)


class StepStatus(StrEnum):
    """How a step ended."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"
    NOT_REACHED = "not reached"


class Limit(StrEnum):
    """Which bound ended a step; the four times are nested, the innermost that ran out is named."""

    STEP = "step limit"
    HANDLER = "handler limit"
    PACKAGE = "package limit"
    RUN = "run limit"
    OUTPUT = "output limit"
    MEMORY = "memory limit"
    PROCESSES = "process limit"


@dataclass(frozen=True)
class StepResult:
    """One step. `message` is one line for a reader; `details` are further lines, worst news first.

    `action` is what the author asked for (`shell`, `k8s restart`, `api`, `container`, `manifest`, `manual`).
    `advice` says what to do about a failure. Streams are cut to the output limit and still hostile: every
    report must escape them. `network` is what it tried to reach, `events` what the sandbox stopped or saw;
    `usage` (what the step added, and its own peaks) and `samples` are None and empty where nothing was measured.
    `began` is seconds since the run began, and so is `at` of the samples. `warnings` say which limits came near.
    `violation` is what of `network` and `events` fails the package, in one line; empty where nothing does.
    """

    number: int
    phase: Phase
    handler: str
    name: str
    action: str
    status: StepStatus
    fidelity: Fidelity
    reason: str
    location: Location
    target: str = ""
    message: str = ""
    details: tuple[str, ...] = ()
    advice: str = ""
    limit: Limit | None = None
    seconds: float = 0.0
    attempts: int = 1
    stdout: str = ""
    stderr: str = ""
    truncated: bool = False
    network: tuple[Attempt, ...] = ()
    events: tuple[SecurityEvent, ...] = ()
    usage: Usage | None = None
    samples: tuple[Sample, ...] = ()
    began: float = 0.0
    warnings: tuple[str, ...] = ()
    violation: str = ""

    @property
    def label(self) -> str:
        """What a reader calls the step: its name, with its handler's where they differ."""
        return self.name if self.name == self.handler else f"{self.handler}/{self.name}"


class Change(StrEnum):
    """What became of a field or an object."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True)
class Effect:
    """One changed field of one object: `Deployment/web spec.replicas 2 → 3`.

    `path` is empty when the whole object came or went. Values are compact JSON; those of a Secret are hidden.
    """

    object: str
    namespace: str
    path: str
    change: Change
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        if not self.path:
            return f"{self.object} {self.change}"
        if self.change is Change.CHANGED:
            return f"{self.object} {self.path} {self.before} → {self.after}"
        return f"{self.object} {self.path} {self.change} {self.after or self.before}".rstrip()


class RollbackStatus(StrEnum):
    """What the rollback came to."""

    RESTORED = "restored"
    RESIDUE = "residue"
    FAILED = "failed"
    NOT_DECLARED = "not declared"
    NOT_RUN = "not run"


@dataclass(frozen=True)
class RollbackResult:
    """Whether the rollback brought everything back. `trigger` is why it ran, or why it did not."""

    status: RollbackStatus
    trigger: str = ""
    steps: tuple[StepResult, ...] = ()
    residue: tuple[Effect, ...] = ()


@dataclass(frozen=True)
class SandboxResult:
    """Where it ran and why there; evidence is what was measured inside before the package started."""

    type: str
    reason: str
    details: tuple[str, ...] = ()
    seconds_to_ready: float = 0.0
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Requirements:
    """What a runbook should ask for, as the quantities of `spec.runtime.requirements`; empty where not measured."""

    cpu: str = ""
    memory: str = ""
    storage: str = ""


@dataclass(frozen=True)
class PackageResult:
    """One package in one case. `reason` is the verdict in one line. `sandbox` is None when none was opened.

    `base_risk` is the risk of the base version under the same policy, where a change is measured against one that
    has the package; `risk_changes` say what made the difference, one line each.

    `network`, `events` and `samples` are what was seen between the steps and after the last, by what they left
    running. `suggested` is what was measured with some head room, where the package asks for none or for less.
    `violation` is what a step, or what it left running, tried that fails the package: then it is the `reason` too.
    """

    name: str
    version: str
    path: str
    digest: str
    case: str
    verdict: Verdict
    reason: str
    decision: Decision
    findings: tuple[Finding, ...] = ()
    sandbox: SandboxResult | None = None
    steps: tuple[StepResult, ...] = ()
    effects: tuple[Effect, ...] = ()
    rollback: RollbackResult = RollbackResult(RollbackStatus.NOT_RUN)
    parameters: tuple[ParameterUse, ...] = ()
    notes: tuple[str, ...] = ()
    usage: Usage = Usage()
    tally: Tally = Tally()
    seconds: float = 0.0
    base_risk: int | None = None
    risk_changes: tuple[str, ...] = ()
    network: tuple[Attempt, ...] = ()
    events: tuple[SecurityEvent, ...] = ()
    samples: tuple[Sample, ...] = ()
    suggested: Requirements | None = None
    violation: str = ""

    def count(self, fidelity: Fidelity) -> int:
        """How many steps of the run phase were done in this fidelity."""
        done = (StepStatus.OK, StepStatus.FAILED)
        return sum(1 for step in self.steps if step.fidelity is fidelity and step.status in done)


@dataclass(frozen=True)
class RunResult:
    """Everything that one call of `wpk-sandbox run` found. `started` is ISO 8601 in UTC.

    `findings` are those of files that hold no readable package. `notes` say how the packages were chosen.
    """

    run_id: str
    tool_version: str
    started: str
    seconds: float
    verdict: Verdict
    packages: tuple[PackageResult, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    tally: Tally = Tally()
    schema_version: str = field(default=SCHEMA_VERSION)


def worst(verdicts: tuple[Verdict, ...]) -> Verdict:
    """The verdict of several: fail before inconclusive before pass."""
    return max(verdicts, key=lambda verdict: verdict.rank, default=Verdict.PASS)
