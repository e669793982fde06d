"""Whether the rollback can undo what the handlers do, as far as the text tells."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from wpk_sandbox.finding import Finding, Rule, Severity
from wpk_sandbox.package.package import KubernetesAction, ManifestAction, ShellAction, Step
from wpk_sandbox.rules.acts import Act, acts
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell.options import names
from wpk_sandbox.rules.subject import ShellText, Subject, as_mapping

ROLLBACK_EMPTY = Rule(
    "rollback-empty",
    Severity.MEDIUM,
    "A rollback is promised, and none is there",
    "Whoever approves the runbook believes that it can be undone. When it fails half-way, nothing undoes it.",
    "Write the handlers under `spec.rollback.handlers`; or say `rollback_enabled: false`, so that everybody knows.",
    points=POINTS[Severity.MEDIUM],
)
CANNOT_UNDO = Rule(
    "rollback-cannot-undo",
    Severity.MEDIUM,
    "The rollback cannot undo what a handler does",
    "The rollback runs, succeeds, and leaves production changed: a number of replicas that was a guess, an object"
    " that is gone, a setting that nobody put back. The incident after the incident starts there.",
    "Name `original` for a value before the run; copy an object before deleting or changing it, and restore the"
    " copy; touch in the rollback every object that a handler touches.",
    points=POINTS[Severity.MEDIUM],
)

RULES = (ROLLBACK_EMPTY, CANNOT_UNDO)

# A controller makes these anew, or they are only a record of something that is over.
_COMES_BACK = frozenset({"Pod", "ReplicaSet", "Job", "Event", "Lease", "Endpoints", "ControllerRevision"})
# A manifest brings the object back, and not what was in it.
_HOLDS_DATA = frozenset({"PersistentVolumeClaim", "PersistentVolume", "Namespace", "CustomResourceDefinition"})
_MAKES = frozenset({"create", "apply", "run", "copy"})
_BRINGS_BACK = frozenset({"create", "apply", "restore", "run", "copy"})
_CHANGES = frozenset({"patch", "scale", "restore", "apply", "rollback", "create", "delete"})
# What puts back a number of replicas, or an annotation: an earlier revision brings neither.
_PUTS_BACK = frozenset({"restore", "apply", "create", "delete"})
_SYMBOLS = ("original", "previous")
_ROUNDING = 0.02
# Each act is held against each other; nobody reviews a rollback that is longer.
_MOST = 300


def check(subject: Subject) -> Iterator[Finding]:
    """A rollback that is promised must be there, and undo what the handlers do."""
    if subject.package.rollback.handlers:
        yield from _Undo(subject).findings()
        return
    package = subject.package
    if package.rollback.enabled:
        message = "the rollback is enabled and has no handlers"
        yield subject.finding(ROLLBACK_EMPTY, "/spec/rollback/enabled", message, key=True)
    elif package.safety.rollback_enabled:
        message = "`rollback_enabled` is true, and the package has no rollback handlers"
        yield subject.finding(ROLLBACK_EMPTY, "/spec/safety/rollback_enabled", message, key=True)


# What is wrong, and what to write instead.
Words = tuple[str, str] | None


class _Undo:
    """The acts of the handlers held against those of the rollback."""

    def __init__(self, subject: Subject) -> None:
        self._subject, self._files = subject, subject.package.files
        self._done = [act for step in subject.package.steps for act in acts(step, self._files)]
        self._undo_steps = [step for handler in subject.package.rollback.handlers for step in handler.steps]
        # The scripts that may do anything, to the cluster too.
        self._open = {text.step.pointer for text in subject.scripts if not _is_local(text)}
        self._undone = [act for step in self._undo_steps for act in acts(step, self._files)]

    def findings(self) -> Iterator[Finding]:
        """One finding for each step that stays done; none where a command or a person may undo anything."""
        if max(len(self._done), len(self._undone)) > _MOST or not all(map(self._is_read, self._undo_steps)):
            return
        told: set[str] = set()
        for index, act in enumerate(self._done):
            words = self._why(index, act)
            if words and act.step.pointer not in told:
                told.add(act.step.pointer)
                message, fix = words
                yield self._subject.finding(CANNOT_UNDO, f"{act.step.pointer}/name", message, fix)

    def _is_read(self, step: Step) -> bool:
        """True for a step of which we know all that it does to the cluster."""
        action = step.action
        if isinstance(action, KubernetesAction | ManifestAction):
            return all(act.kinds for act in acts(step, self._files))
        return isinstance(action, ShellAction) and step.pointer not in self._open

    def _why(self, index: int, act: Act) -> Words:
        """Why an act stays done, and what to write instead; None where it is undone, or may be."""
        if not act.kinds or _says_original(act) or self._undone_later(index, act):
            return None
        if act.verb == "delete":
            return self._deleted(index, act)
        find = _FINDERS.get(act.verb)
        return find(self, act) if find else None

    def _undone_later(self, index: int, act: Act) -> bool:
        """True where a later handler itself brings back the value before."""
        later = [other for other in self._done[index + 1 :] if other.may_be(act)]
        return any(
            (other.verb == act.verb and _says_original(other))
            or (act.verb in _MAKES and other.verb == "delete")
            or other.verb == "restore"
            for other in later
        )

    def _touching(self, act: Act, verbs: frozenset[str] = _CHANGES) -> list[Act]:
        return [other for other in self._undone if other.verb in verbs and other.may_be(act)]

    def _deleted(self, index: int, act: Act) -> Words:
        # Several kinds are possible only where nothing is said, and then a pod is meant first.
        if set(act.kinds) & _COMES_BACK or any(made_by(other, act) for other in self._done[:index]):
            return None
        back = self._touching(act, _BRINGS_BACK)
        kind = act.kinds[0]
        if kind in _HOLDS_DATA:
            fix = "Keep what it holds somewhere else first; or say in `description` that this cannot be undone."
            return f"{act.step.name} deletes {act.shown}, and no rollback brings back what it held", fix
        if not back:
            fix = "Copy it before (`action: copy`) and `restore` it in the rollback; or `apply` its manifest there."
            return f"{act.step.name} deletes {act.shown}, and no rollback handler makes it again", fix
        return None

    def _putting_back(self, act: Act, field: str) -> list[Act]:
        """What brings back the old value of a field: the same verb, an old object, or a patch of the field."""
        others = self._touching(act, _PUTS_BACK | {act.verb, "patch"})
        return [
            other
            for other in others
            if other.verb != "patch"
            or not isinstance(other.options.get("data"), Mapping)
            or any(path[1:2] == (field,) for path in _fields(other))
        ]

    def _scaled(self, act: Act) -> Words:
        back = self._putting_back(act, "replicas")
        if not back:
            fix = "Add a rollback handler `action: scale` with `replicas: original`."
            return f"{act.step.name} scales {act.shown}, and no rollback handler scales it back", fix
        for other in back:
            if other.verb != "scale" or other.raw_name != act.raw_name or (inexact := _inexact(act, other)) == "":
                return None
        message = f"{back[0].step.name} {inexact}, which need not be the number before {act.step.name}"
        return message, "Write `replicas: original` there."

    def _patched(self, act: Act) -> Words:
        back = self._touching(act)
        if not back:
            secret = act.kinds == ("Secret",)
            fix = (
                "Copy the Secret before (`action: copy`), and `restore` it in the rollback."
                if secret
                else "Add a rollback handler `action: patch` with `data: original` for the same object."
            )
            lost = "the old value is lost" if secret else "no rollback handler puts it back"
            return f"{act.step.name} changes {act.shown}, and {lost}", fix
        left = _fields(act)
        for other in back:
            given = other.options.get("data")
            if other.verb != "patch" or not isinstance(given, Mapping):
                return None
            left = {path for path in left if not _covered(path, _fields(other))}
        if not left:
            return None
        fields = ", ".join(f"`{'.'.join(path)}`" for path in sorted(left)[:3])
        message = f"{act.step.name} sets {fields} of {act.shown}, and {back[0].step.name} does not put it back"
        return message, "Write `data: original` there, or each field with its value before."

    def _annotated(self, act: Act) -> Words:
        if self._putting_back(act, "annotations"):
            return None
        fix = "Add a rollback handler `action: annotate` with the same annotation and `value: original`."
        return f"{act.step.name} annotates {act.shown}, and no rollback handler removes it", fix

    def _made(self, act: Act) -> Words:
        if not act.raw_name or set(act.kinds) & _COMES_BACK or self._touching(act):
            return None
        fix = "Add a rollback handler that deletes it, or applies what was there before."
        return f"{act.step.name} makes {act.shown}, and no rollback handler removes it", fix


_FINDERS: Mapping[str, Callable[[_Undo, Act], Words]] = {
    "scale": _Undo._scaled,
    "patch": _Undo._patched,
    "annotate": _Undo._annotated,
    "apply": _Undo._made,
    "create": _Undo._made,
}


# Programs of a host that reach no cluster; a script with any other program may undo anything.
_LOCAL = names(
    "rm rmdir mkdir mv cp ln touch chmod chown echo printf cat test [ [[ true false set cd sleep date exit export"
    " grep sed awk find tar gzip gunzip sha256sum wc sort head tail df du ls read dirname basename diff"
)


def _is_local(text: ShellText) -> bool:
    return not text.script.problems and all(command.name in _LOCAL for command in text.script.commands)


def _says_original(act: Act) -> bool:
    options = act.options
    return any(
        options.get(key) in _SYMBOLS for key in ("replicas", "data", "value") if isinstance(options.get(key), str)
    )


def made_by(earlier: Act, act: Act) -> bool:
    """True when an earlier step of the package made the object, so that its end restores the state before."""
    if earlier.verb == "copy":
        copies = (*earlier.options.values(), f"{earlier.raw_name}-backup")
        return bool(act.raw_name) and act.raw_name in copies
    return earlier.verb in _MAKES and earlier.may_be(act)


def _inexact(act: Act, back: Act) -> str:
    """What a way back does that only happens to be right; empty where it is right."""
    number, factor = back.options.get("replicas"), back.options.get("scale_factor")
    if type(number) is int:
        return f"scales to {number}"
    forward = act.options.get("scale_factor")
    if not isinstance(factor, int | float):
        return ""
    exact = isinstance(forward, int | float) and abs(forward * factor - 1) < _ROUNDING
    return "" if exact and "max_replicas" not in act.options else f"multiplies by {factor:g}"


def _fields(act: Act) -> set[tuple[str, ...]]:
    """What a patch sets; the keys of a ConfigMap or Secret may stand in a `data` of their own."""
    data = act.options.get("data")
    inner = data.get("data") if isinstance(data, Mapping) and set(data) == {"data"} else None
    return _leaves(inner if isinstance(inner, Mapping) else data)


def _leaves(data: Any, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """The paths that a merge patch sets; a list is one value."""
    if not isinstance(data, Mapping) or not data:
        return {path} if path else set()
    return {leaf for key, value in as_mapping(data).items() for leaf in _leaves(value, (*path, str(key)))}


def _covered(path: tuple[str, ...], given: set[tuple[str, ...]]) -> bool:
    """True when the same field, one around it or one within it is set."""
    return any(path[: len(other)] == other or other[: len(path)] == path for other in given)
