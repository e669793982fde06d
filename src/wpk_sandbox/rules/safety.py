"""What a package says of its own safety, held against what it does."""

import re
from collections.abc import Iterator

from wpk_sandbox.finding import Finding, Rule, Severity
from wpk_sandbox.package.package import ApiAction, KubernetesAction, ManualAction, ShellAction, Step, UnknownAction
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.subject import Subject

ROLLBACK_EMPTY = Rule(
    "rollback-empty",
    Severity.MEDIUM,
    "A rollback is promised, and none is there",
    "Whoever approves the runbook believes that it can be undone. When it fails half-way, nothing undoes it.",
    "Write the handlers under `spec.rollback.handlers`; or say `rollback_enabled: false`, so that everybody knows.",
    points=POINTS[Severity.MEDIUM],
)
AUTOMATIC_DESTRUCTION = Rule(
    "automatic-destruction",
    Severity.HIGH,
    "Something is destroyed without anybody being asked",
    "With `mode: auto` and no approval an alert alone deletes. So does a false alert, or a forged webhook.",
    "Put a step `manual: true` before it, or set `approval_required: true` or `mode: manual`.",
    cwe=284,
    points=POINTS[Severity.HIGH],
)
TIMEOUT_MISSING = Rule(
    "timeout-missing",
    Severity.INFO,
    "A handler has no timeout of its own",
    "It gets the default of 5 minutes, here and in production perhaps another. A step that hangs keeps the alert"
    " waiting that long.",
    "Write `timeout: 60s`, with the time that the work needs at most.",
    points=POINTS[Severity.INFO],
)

RULES = (ROLLBACK_EMPTY, AUTOMATIC_DESTRUCTION, TIMEOUT_MISSING)

_TEMPORARY = re.compile(r"/(?:var/)?tmp/")
_KUBECTL_DESTROYS = frozenset({"delete", "drain"})


def check(subject: Subject) -> Iterator[Finding]:
    """Promises without what they promise, and destruction without approval."""
    yield from _rollback(subject)
    safety = subject.package.safety
    if safety.mode == "auto" and safety.approval_required is not True:
        yield from _unasked(subject)
    for handler in subject.handlers:
        if handler.timeout is None and not all(_timed(step) for step in handler.steps):
            yield subject.finding(TIMEOUT_MISSING, f"{handler.pointer}/name", f"{handler.name} has no timeout")


def _timed(step: Step) -> bool:
    """True for a step with a timeout, or of which none can be asked: a person takes the time they take."""
    return step.timeout is not None or isinstance(step.action, ManualAction | UnknownAction)


def _rollback(subject: Subject) -> Iterator[Finding]:
    package = subject.package
    if package.rollback.handlers:
        return
    if package.rollback.enabled:
        message = "the rollback is enabled and has no handlers"
        yield subject.finding(ROLLBACK_EMPTY, "/spec/rollback/enabled", message, key=True)
    elif package.safety.rollback_enabled:
        message = "`rollback_enabled` is true, and the package has no rollback handlers"
        yield subject.finding(ROLLBACK_EMPTY, "/spec/safety/rollback_enabled", message, key=True)


def _unasked(subject: Subject) -> Iterator[Finding]:
    scripts = {text.step.pointer: text for text in subject.scripts}
    for step in subject.package.steps:
        if isinstance(step.action, ManualAction):
            return  # whatever follows waits for a person
        if what := _destroys(step):
            yield subject.finding(AUTOMATIC_DESTRUCTION, f"{step.pointer}/name", f"{step.name} {what}")
        elif isinstance(step.action, ShellAction) and step.pointer in scripts:
            text = scripts[step.pointer]
            for command in text.script.commands:
                if _deletes(command):
                    message = f"`{command.shown}` runs without anybody being asked"
                    yield subject.in_script(AUTOMATIC_DESTRUCTION, text, command.span, message)


def _destroys(step: Step) -> str:
    """What a step destroys, for the message; empty if it does not."""
    action = step.action
    if isinstance(action, KubernetesAction):
        if action.verb == "delete":
            return "deletes objects without anybody being asked"
        if action.verb == "scale" and action.options.get("replicas") == 0:
            return "stops a workload without anybody being asked"
    if isinstance(action, ApiAction) and action.method == "DELETE":
        return "calls DELETE without anybody being asked"
    return ""


def _deletes(command: Command) -> bool:
    """True for commands that delete what no rollback brings back; files in /tmp are nobody's loss."""
    if command.name == "rm":
        options = parse(command.arguments)
        temporary = all(_TEMPORARY.match(word.when_empty) for word in options.operands)
        return options.has("r", "R", "recursive") and not temporary
    if command.name in ("kubectl", "oc"):
        takes = names("n namespace context kubeconfig cluster user")
        operands = parse(command.arguments, takes, first_operand_ends=True).operands
        return bool(operands) and operands[0].value in _KUBECTL_DESTROYS
    first = command.arguments[0].value if command.arguments else None
    return command.name == "helm" and first in ("uninstall", "delete")
