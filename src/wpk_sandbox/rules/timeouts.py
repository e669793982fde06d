"""How long the parts of a package may take, one within the other."""

from collections.abc import Iterator
from contextlib import suppress

from wpk_sandbox.finding import Finding, Rule, Severity
from wpk_sandbox.package.package import Handler, KubernetesAction, ManualAction, Step, UnknownAction
from wpk_sandbox.package.units import seconds
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import parse
from wpk_sandbox.rules.subject import ShellText, Subject

TIMEOUT_MISSING = Rule(
    "timeout-missing",
    Severity.INFO,
    "A handler has no timeout of its own",
    "It gets the default of 5 minutes, here and in production perhaps another. A step that hangs keeps the alert"
    " waiting that long.",
    "Write `timeout: 60s`, with the time that the work needs at most.",
    points=POINTS[Severity.INFO],
)
TIMEOUT_TOO_LONG = Rule(
    "timeout-too-long",
    Severity.MEDIUM,
    "A timeout is longer than the one around it",
    "The outer timeout ends the step first: what should have been waited for is cut off, the failure says nothing"
    " of the real cause, and retries that were meant never happen.",
    "Give the outer one more time than the inner one needs, or shorten the inner one.",
    points=POINTS[Severity.MEDIUM],
)

RULES = (TIMEOUT_MISSING, TIMEOUT_TOO_LONG)

# Calls that wait, with `--timeout`: https://kubernetes.io/docs/reference/kubectl/generated/
_WAITING = frozenset({"wait", "rollout", "drain", "delete"})
_KUBECTL_TAKES = frozenset({"n", "namespace", "context", "kubeconfig", "timeout", "l", "selector", "for", "f"})


def check(subject: Subject) -> Iterator[Finding]:
    """Handlers without a timeout, and timeouts that can never be reached."""
    scripts = {text.step.pointer: text for text in subject.scripts}
    for handler in subject.handlers:
        if handler.timeout is None and not all(_timed(step) for step in handler.steps):
            yield subject.finding(TIMEOUT_MISSING, f"{handler.pointer}/name", f"{handler.name} has no timeout")
        for step in handler.steps:
            yield from _step(subject, handler, step)
            if step.pointer in scripts:
                yield from _script(subject, scripts[step.pointer], _bound(handler, step))


def _timed(step: Step) -> bool:
    """True for a step with a timeout, or of which none can be asked: a person takes the time they take."""
    return step.timeout is not None or isinstance(step.action, ManualAction | UnknownAction)


def _step(subject: Subject, handler: Handler, step: Step) -> Iterator[Finding]:
    if step.timeout is not None and handler.timeout is not None and step.timeout > handler.timeout:
        message = (
            f"{step.name} may take {_shown(step.timeout)}, and {handler.name} ends after {_shown(handler.timeout)}"
        )
        yield subject.finding(TIMEOUT_TOO_LONG, f"{step.pointer}/timeout", message)
    bound = _bound(handler, step)
    if bound is not None and step.retry.max_attempts > 1 and step.retry.backoff >= bound > 0:
        message = (
            f"the second try of {step.name} waits {_shown(step.retry.backoff)}, and all of it ends after"
            f" {_shown(bound)}"
        )
        fix = "Wait less, or give it the time of all its tries."
        yield subject.finding(TIMEOUT_TOO_LONG, f"{step.pointer}/retry/backoff", message, fix)
    if not isinstance(step.action, KubernetesAction) or bound is None:
        return
    with suppress(ValueError, TypeError, AttributeError):
        inner = seconds(step.action.options["timeout"]) if "timeout" in step.action.options else 0.0
        if inner > bound:
            message = f"`{step.action.verb}` may take {_shown(inner)}, and {step.name} ends after {_shown(bound)}"
            yield subject.finding(TIMEOUT_TOO_LONG, f"{step.pointer}/config/timeout", message)


def _bound(handler: Handler, step: Step) -> float | None:
    """The shorter of the timeouts that the author wrote around an action."""
    written = [timeout for timeout in (step.timeout, handler.timeout) if timeout is not None]
    return min(written) if written else None


def _script(subject: Subject, text: ShellText, bound: float | None) -> Iterator[Finding]:
    for command in text.script.commands:
        inner = _kubectl_timeout(command)
        if bound is not None and inner is not None and inner > bound:
            message = f"`{command.shown}` waits {_shown(inner)}, and its step ends after {_shown(bound)}"
            yield subject.in_script(TIMEOUT_TOO_LONG, text, command.span, message)


def _kubectl_timeout(command: Command) -> float | None:
    """How long a kubectl call that waits may wait, where it says so."""
    if command.name not in ("kubectl", "oc"):
        return None
    options = parse(command.arguments, _KUBECTL_TAKES)
    word = options.value("timeout")
    if word is None or word.value is None or not options.operands or options.operands[0].value not in _WAITING:
        return None
    with suppress(ValueError):
        return seconds(word.value)
    return None


def _shown(value: float) -> str:
    """A duration as its author writes it: `90s`, `5m`, `2h`."""
    for unit, length in (("h", 3600), ("m", 60)):
        if value >= 2 * length and value % length == 0:
            return f"{value / length:g}{unit}"
    return f"{value:g}s"
