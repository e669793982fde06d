"""The plan before anything runs: a table for people, JSON for programs."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from wpk_sandbox.package.package import (
    Action,
    ApiAction,
    ContainerAction,
    KubernetesAction,
    ManifestAction,
    ManualAction,
    ShellAction,
)
from wpk_sandbox.plan.plan import Fidelity, Origin, Phase, Plan, PlannedStep
from wpk_sandbox.report.lines import Line, Tone, line, pad, plain, shorten, width

_MOST_COLUMNS = (30, 24, 40, 9)
_HEADINGS = ("step", "does", "to", "fidelity", "why")


def plan_table(plan: Plan) -> str:
    """The plan as text."""
    return plain(plan_lines(plan))


def plan_lines(plan: Plan) -> Iterator[Line]:
    """The plan as lines for a terminal: the steps, the way back, and what is assumed."""
    package = plan.package
    yield line((f"{package.name} {package.version}  ", Tone.STRONG), package.path)
    case = "" if plan.case.name == "default" else f" · case {plan.case.name}"
    yield line(f"  sandbox {plan.sandbox}{case} · at most {plan.timeout:.0f} s")
    yield from _table("Step", plan.steps)
    if plan.rollback:
        yield from _table("Rollback", plan.rollback)
    for use in plan.parameters:
        tone = Tone.WARN if use.origin is Origin.PLACEHOLDER else Tone.PLAIN
        yield line(f"  ${{{use.name}}} = {shorten(use.value, 60)}  ", (f"({use.origin})", tone))
    for name, manifests in (("Exists", plan.objects), ("Stand-in", plan.stand_ins)):
        for manifest in manifests:
            yield line(f"  {name}: {_object(manifest)}")
    for note in plan.notes:
        yield line(f"  Note: {note}")


def _table(title: str, steps: Sequence[PlannedStep]) -> Iterator[Line]:
    rows = [_row(step) for step in steps]
    cells = [(title, *_HEADINGS[1:]), *rows]
    widths = [min(most, max(width(row[column]) for row in cells)) for column, most in enumerate(_MOST_COLUMNS)]
    for number, row in enumerate(cells):
        padded = [pad(shorten(cell, columns), columns) for cell, columns in zip(row, widths, strict=False)]
        tone = Tone.FAINT if number == 0 else Tone.PLAIN
        if number and steps[number - 1].fidelity is not Fidelity.EXECUTED:
            tone = Tone.WARN
        yield line("  " + "  ".join(padded[:3]) + "  ", (padded[3], tone), f"  {row[4]}")


def _row(step: PlannedStep) -> tuple[str, str, str, str, str]:
    target = f"{step.target}" if step.target else ""
    if step.target and step.target.origin is not Origin.PACKAGE:
        target += f" ({step.target.origin})"
    return f"{step.number} {step.label}", action_words(step.step.action), target, str(step.fidelity), step.reason


def action_words(action: Action) -> str:
    """What the author asked for, in one or two words: `shell`, `k8s restart`, `api`, `manual`."""
    match action:
        case KubernetesAction():
            words = f"k8s {action.verb}"
        case ShellAction():
            words = "shell"
        case ApiAction():
            words = f"api {action.method}"
        case ContainerAction():
            words = f"container {action.image}"
        case ManifestAction():
            words = f"manifest {_object(action.manifest)}"
        case ManualAction():
            words = "manual"
        case _:
            words = "unknown"
    return words


def _object(manifest: Any) -> str:
    """`Deployment/web`, as far as a manifest says so."""
    if not isinstance(manifest, dict):
        return "object"
    metadata = manifest.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return f"{manifest.get('kind', 'object')}/{name or '?'}"


def plan_json(plan: Plan) -> str:
    """The plan for programs: everything that will happen, without the package's source."""
    package = plan.package
    document = {
        "package": package.name,
        "version": package.version,
        "path": package.path,
        "digest": package.digest,
        "case": plan.case.name,
        "sandbox": plan.sandbox,
        "timeout": plan.timeout,
        "steps": [_step(plan, step) for step in plan.steps],
        "rollback": [_step(plan, step) for step in plan.rollback],
        "parameters": [{"name": p.name, "value": p.value, "origin": p.origin} for p in plan.parameters],
        "objects": list(plan.objects),
        "stand_ins": list(plan.stand_ins),
        "images": list(plan.images),
        "namespaces": list(plan.namespaces),
        "notes": list(plan.notes),
    }
    return json.dumps(document, indent=2, default=str) + "\n"


def _step(plan: Plan, step: PlannedStep) -> dict[str, Any]:
    place = plan.package.document.locate(step.step.pointer)
    return {
        "number": step.number,
        "phase": str(Phase(step.phase)),
        "handler": step.handler,
        "name": step.step.name,
        "action": action_words(step.step.action),
        "target": str(step.target) if step.target else None,
        "namespace": step.target.namespace if step.target else None,
        "target_origin": str(step.target.origin) if step.target else None,
        "fidelity": str(step.fidelity),
        "reason": step.reason,
        "timeout": step.timeout,
        "handler_timeout": step.handler_timeout,
        "attempts": step.step.retry.max_attempts,
        "path": place.path,
        "line": place.line,
    }
