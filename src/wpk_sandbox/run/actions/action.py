"""What every action is given, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wpk_sandbox.package.package import KubernetesAction
from wpk_sandbox.package.units import seconds
from wpk_sandbox.plan.plan import Fidelity, Origin, PlannedStep, Target
from wpk_sandbox.plan.stand_ins import LABEL
from wpk_sandbox.run.deadline import Deadline
from wpk_sandbox.run.objects import ApiError, Object, Objects
from wpk_sandbox.run.result import Limit
from wpk_sandbox.run.state import ObjectKey, State
from wpk_sandbox.sandbox.clusters.refusals import missing
from wpk_sandbox.sandbox.outside.outside import Outside
from wpk_sandbox.sandbox.sandbox import Shell


class StepError(Exception):
    """A step did not work, for a reason that lies in the package; `message` is one line for its reader."""

    def __init__(
        self,
        message: str,
        *,
        details: tuple[str, ...] = (),
        advice: str = "",
        limit: Limit | None = None,
        streams: "Streams | None" = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.advice = advice
        self.limit = limit
        self.streams = streams or Streams()


@dataclass(frozen=True)
class Streams:
    """What a command, a container or a log said; cut to the output limit where `truncated`."""

    stdout: str = ""
    stderr: str = ""
    truncated: bool = False


@dataclass(frozen=True)
class Done:
    """What a step came to. `output` is the value that later steps may use.

    `stays` are objects that the step leaves on purpose, a backup or the record of a job, which no rollback removes.
    """

    message: str
    details: tuple[str, ...] = ()
    output: str = ""
    streams: Streams = Streams()
    stays: tuple[ObjectKey, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Memory:
    """What a run knows so far: the state before it, and the output of each handler that ended."""

    before: State = State()
    outputs: Mapping[str, str] = field(default_factory=dict)

    def produced(self, name: Any) -> str | None:
        """The output of an earlier handler of that name, be it written `new_key` or `new-key`."""
        same = {key.replace("_", "-"): value for key, value in self.outputs.items()}
        return same.get(name.replace("_", "-")) if isinstance(name, str) else None


@dataclass(frozen=True)
class Call:
    """One attempt at one step. `output_limit` is the most bytes of a log or stream."""

    step: PlannedStep
    deadline: Deadline
    memory: Memory
    cluster: Objects | None = None
    shell: Shell | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    output_limit: int = 1024**2
    outside: Outside | None = None

    @property
    def objects(self) -> Objects:
        """The cluster under this attempt's deadline."""
        if self.cluster is None:
            raise RuntimeError(f"{self.step.label} needs a cluster, but the plan did not ask for one")
        return self.cluster.within(self.deadline, dry_run=self.step.fidelity is Fidelity.DRY_RUN)

    @property
    def acting(self) -> Objects:
        """The same, with no other rights than the package's: for what the step itself asks of the cluster."""
        return self.objects.acting

    @property
    def target(self) -> Target:
        """What the step acts on."""
        if self.step.target is None:
            raise StepError("nothing says what to act on", advice="add resource_type and name to the config")
        return self.step.target

    @property
    def options(self) -> Mapping[str, Any]:
        """The settled options of a Kubernetes action, as `package/verbs.py` describes them."""
        action = self.step.step.action
        return action.options if isinstance(action, KubernetesAction) else {}


def targets(call: Call, *, acting: bool = False) -> tuple[Object, ...]:
    """The objects that the step acts on, at least one. Raises StepError where there is none.

    `acting` is for steps whose purpose is to read them: then the package needs the right to.
    """
    objects, target = call.acting if acting else call.objects, call.target
    kind = objects.kind(target.api_version, target.kind)
    if target.name:
        found = objects.find(kind, target.name, target.namespace)
        if found is None:
            raise StepError(f"{target} does not exist{_where(target)}", advice=_missing_advice(target))
        return ({"apiVersion": kind.api_version, "kind": kind.kind, **found},)
    matching = objects.list(kind, target.namespace, target.selector or "")
    if not matching:
        what = f"matches {target.selector}" if target.selector else "exists"
        raise StepError(f"no {target.kind} {what}{_where(target)}", advice=_missing_advice(target))
    return matching[:1] if target.kind == "Node" else matching


def only_target(call: Call, *, acting: bool = False) -> Object:
    """The one object of a verb that works on one. Raises StepError where a selector finds several."""
    found = targets(call, acting=acting)
    if len(found) > 1:
        raise StepError(f"{call.target} means {len(found)} objects", advice="name one of them")
    return found[0]


def duration(call: Call, option: str) -> float | None:
    """An option that is a duration, in seconds; None where it is not given. Raises StepError."""
    given = call.options.get(option)
    if given is None:
        return None
    try:
        return seconds(given if isinstance(given, int | float) else str(given))
    except ValueError as error:
        raise StepError(f"{option}: {error}") from error


def number(option: str, value: Any) -> float:
    """An option that is a count or a factor. Raises StepError for anything but a number from 0 up."""
    try:
        found = float(str(value))
    except ValueError:
        found = -1.0
    if not 0 <= found < 10**6:
        raise StepError(
            f"{option} is {value!r}, which is no number from 0 up", advice=f"write a number for {option}"
        )
    return found


def called(item: Mapping[str, Any], target: Target | None = None) -> str:
    """What a reader calls an object: `Deployment/web (stand-in)`."""
    labels = item["metadata"].get("labels") or {}
    ours = LABEL in labels or (target is not None and target.origin is Origin.STAND_IN and target.kind != "Node")
    return f"{item['kind']}/{item['metadata']['name']}{' (stand-in)' if ours else ''}"


def joined(names: list[str]) -> str:
    """Names in one line: all of a few, else the first and a count."""
    return ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:2])} and {len(names) - 2} more"


def refused(error: ApiError) -> StepError:
    """The API server's refusal as a step's failure, with what to do about the usual ones."""
    status = f"status {error.status} {error.reason}".rstrip()
    if lacking := missing(error.message):
        return StepError(lacking.message, details=(error.message, status), advice=lacking.advice)
    advice = {
        "NotFound": "create it in an earlier step, or provide it in the case file",
        "AlreadyExists": "use apply, which also takes an object that exists, or delete it first",
        "Conflict": "something else changed it at the same moment; give the step a retry",
        "Invalid": "correct the field that the message names",
        "BadRequest": "correct what the message names",
        "Forbidden": "the sandbox refuses what its policy or quota does not allow",
    }.get(error.reason, "")
    return StepError(error.message, details=(status,), advice=advice)


def _where(target: Target) -> str:
    return f" in the namespace {target.namespace}" if target.namespace else ""


def _missing_advice(target: Target) -> str:
    return f"create the {target.kind} in an earlier step, or provide it in the case file"
