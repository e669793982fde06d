"""What will be done: each step with its target, its fidelity and the reason for both."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from wpk_sandbox.package.mock import Mock
from wpk_sandbox.package.package import Case, Package, Step


class Fidelity(StrEnum):
    """How much of a step is real."""

    EXECUTED = "executed"
    DRY_RUN = "dry-run"
    SIMULATED = "simulated"
    SKIPPED = "skipped"


class Phase(StrEnum):
    """When a step runs: with the handlers, or to undo them."""

    RUN = "run"
    ROLLBACK = "rollback"


class Origin(StrEnum):
    """Who said so: the package, the trigger's event, the case, the command line, or we for want of anything."""

    PACKAGE = "package"
    EVENT = "event"
    CASE = "case"
    COMMAND_LINE = "command line"
    STAND_IN = "stand-in"
    PLACEHOLDER = "placeholder"


@dataclass(frozen=True)
class Target:
    """The Kubernetes object, or the objects of a selector, that a step acts on.

    Neither `name` nor `selector` means every object of the kind; but of `Node` it means one, whichever comes
    first: the sandbox's own node stands in for those of production, whose names it cannot have.
    Of an action that makes something (`create`, `copy`, `apply`, `run`) `verbs.py` says what the target is.
    """

    api_version: str
    kind: str
    namespace: str | None
    name: str | None = None
    selector: str | None = None
    origin: Origin = Origin.PACKAGE

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}" if self.name else f"{self.kind} ({self.selector or 'all'})"


@dataclass(frozen=True)
class ParameterUse:
    """The value that stands for `${NAME}`, and where it came from."""

    name: str
    value: str
    origin: Origin


@dataclass(frozen=True)
class PlannedStep:
    """One step, ready to run: parameters are filled in `action`, symbolic values are not yet.

    `number` counts from 1 within its phase. `reason` says why the fidelity is what it is.
    Timeouts are seconds, and always set; `handler_timeout` is for all steps of the same `handler`.
    `target` is set for Kubernetes actions, for manifests, and for container steps: the Pod to make, by name.
    The options of a Kubernetes action are settled as `verbs.py` says; a manifest has its namespace.
    """

    number: int
    phase: Phase
    handler: str
    step: Step
    fidelity: Fidelity
    reason: str
    target: Target | None
    timeout: float
    handler_timeout: float

    @property
    def label(self) -> str:
        """What a reader calls the step: its name, with its handler's where they differ."""
        return self.step.name if self.step.name == self.handler else f"{self.handler}/{self.step.name}"


@dataclass(frozen=True)
class Plan:
    """Everything that will happen to one package in one case, decided before anything is made.

    `objects` and then `stand_ins` are applied in order and given a short while to work; that one does not is no
    error, because a case may be about just that. An object that comes twice is brought to its second form after
    the first was rolled out, and so has two revisions.
    `stand_ins` are objects (whole manifests) that the sandbox makes because a step acts on them and nobody
    provides them; `objects` are the case's. `images` must be in the cluster before the package runs.
    `namespaces` are prepared as sandboxes; the first is the default one. `timeout` is the package's, in seconds.
    `mocks` answer calls to the outside, the first that fits.
    """

    package: Package
    case: Case
    sandbox: str
    steps: tuple[PlannedStep, ...]
    rollback: tuple[PlannedStep, ...]
    objects: tuple[Mapping[str, Any], ...] = ()
    stand_ins: tuple[Mapping[str, Any], ...] = ()
    parameters: tuple[ParameterUse, ...] = ()
    images: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    needs_shell: bool = False
    needs_cluster: bool = False
    timeout: float = 1800.0
    notes: tuple[str, ...] = field(default=())
    mocks: tuple[Mock, ...] = ()

    @property
    def environment(self) -> dict[str, str]:
        """What each shell command finds in its environment: the parameters that somebody gave, no placeholders.

        So `${NAME:-default}` and `$NAME`, which belong to the shell, see them as well.
        """
        return {use.name: use.value for use in self.parameters if use.origin is not Origin.PLACEHOLDER}
