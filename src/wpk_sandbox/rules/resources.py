"""How much containers and packages may use."""

from collections.abc import Iterator, Mapping
from typing import Any

from wpk_sandbox.finding import Finding, Rule, Severity
from wpk_sandbox.package.units import human_bytes, quantity
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.subject import Subject, as_mapping

TOO_MUCH = Rule(
    "resources-too-large",
    Severity.MEDIUM,
    "More CPU or memory is asked for than the policy allows",
    "A runbook runs when something is already wrong. What it takes is missing to the services that it should help,"
    " and a pod that is too large for any node never starts.",
    "Ask for what the work needs; raise the policy's bound (2 CPU and 8 GiB) if it really needs more.",
    cwe=400,
    points=POINTS[Severity.MEDIUM],
)
NO_LIMITS = Rule(
    "resources-unlimited",
    Severity.MEDIUM,
    "A container has no limit of CPU or memory",
    "Without limits one container can take all of its node, and the node stops other pods to survive.",
    "Write `resources: {limits: {cpu: 500m, memory: 256Mi}}`, with the numbers of the work.",
    cwe=770,
    points=POINTS[Severity.MEDIUM],
)

RULES = (TOO_MUCH, NO_LIMITS)

_NAMES = ("cpu", "memory")
_EXAMPLES = {"cpu": "500m", "memory": "256Mi"}


def check(subject: Subject) -> Iterator[Finding]:
    """Where a package asks for too much, or does not say how much."""
    for pointer, container, whole in subject.containers:
        resources = as_mapping(container.get("resources"))
        limits = as_mapping(resources.get("limits"))
        for part in ("limits", "requests"):
            yield from _too_much(subject, f"{pointer}/resources/{part}", as_mapping(resources.get(part)))
        missing = [name for name in _NAMES if limits.get(name) is None]
        if whole and missing:
            yield _unlimited(subject, pointer, container, missing)
    yield from _too_much(subject, "/spec/runtime/requirements", subject.package.runtime.requirements)
    yield from _too_much(subject, "/spec/validation/resource_limits", subject.package.resource_limits)


def _unlimited(subject: Subject, pointer: str, container: Mapping[str, Any], missing: list[str]) -> Finding:
    name = container.get("name")
    who = f"the container {name}" if isinstance(name, str) else "the container"
    place = next((key for key in ("resources/limits", "resources", "image") if _has(container, key)), "")
    message = f"{who} has no limit of {' and '.join(missing)}"
    amounts = ", ".join(f"{name}: {_EXAMPLES[name]}" for name in missing)
    fix = f"Write `resources: {{limits: {{{amounts}}}}}`, with the numbers of the work."
    return subject.finding(NO_LIMITS, f"{pointer}/{place}".rstrip("/"), message, fix, key=place != "")


def _has(container: Mapping[str, Any], path: str) -> bool:
    first, _, second = path.partition("/")
    return first in container and (not second or second in as_mapping(container[first]))


def _too_much(subject: Subject, pointer: str, amounts: Mapping[str, Any]) -> Iterator[Finding]:
    policy = subject.policy
    for name, most, shown in (
        ("cpu", policy.max_cpu, f"{policy.max_cpu:g} CPU"),
        ("memory", float(policy.max_memory), human_bytes(policy.max_memory)),
    ):
        amount = _amount(amounts.get(name))
        if amount is not None and amount > most:
            asked = f"{amount:g} CPU" if name == "cpu" else human_bytes(amount)
            message = f"{asked} is more than the {shown} that the policy allows"
            yield subject.finding(TOO_MUCH, f"{pointer}/{name}", message)


def _amount(value: Any) -> float | None:
    """A quantity; None for a parameter, or for what is none."""
    if not isinstance(value, str | int | float):
        return None
    try:
        return quantity(value)
    except ValueError:
        return None
