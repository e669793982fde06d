"""Actions whose target nothing can name."""

from collections.abc import Iterator

from wpk_sandbox.finding import Finding, Rule, Severity
from wpk_sandbox.package.event import read_event
from wpk_sandbox.package.package import Case, KubernetesAction, ManifestAction
from wpk_sandbox.rules.acts import Act, acts
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.subject import Subject

TARGET_UNKNOWN = Rule(
    "target-unknown",
    Severity.MEDIUM,
    "Nothing says which object a step acts on",
    "An action that names nothing acts on what the trigger's event is about. A schedule has no event: in"
    " production the step has no target, or one that the engine makes up, while the dry run acts on a stand-in.",
    "Write `name:` or `selector:` beside the action; or fire it by an event, and show one in a case file.",
    points=POINTS[Severity.MEDIUM],
)

RULES = (TARGET_UNKNOWN,)

# What these act on they make themselves, or it is no object at all.
_NEEDS_NO_TARGET = frozenset({"apply", "metrics"})
# What a step makes of which nothing tells the kind.
_ANYTHING = "*"
_POD_OWNERS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"})


def check(subject: Subject) -> Iterator[Finding]:
    """Steps that name no object in a package that only a schedule fires."""
    triggers = subject.package.triggers
    if not triggers or any(trigger.type != "schedule" for trigger in triggers):
        return
    made: set[str] = set()
    for step in subject.steps:
        for act in acts(step, subject.package.files):
            makes = isinstance(step.action, ManifestAction) or act.verb in ("apply", "create", "run", "copy")
            if isinstance(step.action, KubernetesAction) and not act.aimed and not _told(act, subject.cases, made):
                message = f"`{act.verb}` names no object, and a schedule has no event that could"
                yield subject.finding(TARGET_UNKNOWN, f"{step.pointer}/config/action", message)
            if makes:
                made.update(act.kinds or (_ANYTHING,))


def _told(act: Act, cases: tuple[Case, ...], made: set[str]) -> bool:
    """True when the verb needs no target, a case names it, or the package made the only one that can be meant."""
    if act.verb in _NEEDS_NO_TARGET or act.data is not None or not act.kinds:
        return True
    if act.verb in ("create", "run") and act.options.get("template", act.options.get("manifest")) is not None:
        return True
    kinds = set(act.kinds) | (_POD_OWNERS if "Pod" in act.kinds else set())
    return bool((kinds | {_ANYTHING}) & made) or any(kinds & _named_by(case) for case in cases)


def _named_by(case: Case) -> set[str]:
    """The kinds of which a case names an object, in its event or by providing it."""
    return set(read_event(case.event).names) | {str(item.get("kind")) for item in case.objects}
