"""The words that every report uses for the same fact, so that no two reports say it differently."""

from collections import Counter
from collections.abc import Iterable, Sequence

from wpk_sandbox.finding import Finding, Severity
from wpk_sandbox.plan.plan import Fidelity
from wpk_sandbox.rules.policy import Decision, Outcome
from wpk_sandbox.run.result import (
    Change,
    Effect,
    PackageResult,
    RollbackResult,
    RollbackStatus,
    RunResult,
    StepResult,
    StepStatus,
    Verdict,
)
from wpk_sandbox.sandbox.sandbox import Usage

SYMBOLS = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.INCONCLUSIVE: "⚠️"}
ENDED = {Verdict.PASS: "passed", Verdict.FAIL: "failed", Verdict.INCONCLUSIVE: "inconclusive"}


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 step`, `2 steps`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def seconds(value: float) -> str:
    """`0.3 s`, `71 s`: tenths where they matter."""
    return f"{value:.1f} s" if value < 100 else f"{value:.0f} s"


def title(package: PackageResult) -> str:
    """The package's name, with its case where it is not the only one."""
    return package.name if package.case in ("", "default") else f"{package.name} [{package.case}]"


def risk_cell(package: PackageResult) -> str:
    """`57`, or `12 → 57` where the base version's risk is another."""
    return risk(package.decision.risk, package.base_risk)


def risk(now: int, before: int | None) -> str:
    """The same of two scores; None where there is no base version."""
    return str(now) if before in (None, now) else f"{before} → {now}"


def risk_change(package: PackageResult) -> str:
    """`12 → 57: step `purge` is new (shell-destroy-data)`; empty where no base version differs."""
    if package.base_risk is None or (package.base_risk == package.decision.risk and not package.risk_changes):
        return ""
    return f"{package.base_risk} → {package.decision.risk}: {'; '.join(package.risk_changes) or 'no single cause'}"


def worst_first(packages: Iterable[PackageResult]) -> list[PackageResult]:
    """Failed packages, then inconclusive ones, then the others, each in the order in which they ran."""
    return sorted(packages, key=lambda package: -package.verdict.rank)


def status(step: StepResult) -> str:
    """`OK`, `OK (dry-run)`, `FAILED`, `FAILED (simulated)`, `SKIPPED`, `NOT REACHED`."""
    real = step.fidelity is Fidelity.EXECUTED or not ran(step)
    return step.status.upper() if real else f"{step.status.upper()} ({step.fidelity})"


def ran(step: StepResult) -> bool:
    """True when the step was tried, so that its fidelity and its time mean something."""
    return step.status in (StepStatus.OK, StepStatus.FAILED)


def outcome(step: StepResult) -> str:
    """What a step came to, in one line, with the bound that ended it and the line that says so."""
    text = step.message or (step.target if step.status is StepStatus.OK else step.reason)
    extra = [f"{step.limit}, line {step.location.line}"] if step.limit else []
    if step.attempts > 1:
        extra.append(count(step.attempts, "attempt"))
    return f"{text} ({', '.join(extra)})".strip() if extra else text


def decided(decision: Decision) -> str:
    """`risk 12, approve`."""
    return f"risk {decision.risk}, {decision.outcome}"


def shares(package: PackageResult) -> str:
    """`3 executed · 1 simulated · 1 failed · 2 not reached`: how real the run was, failures apart."""
    words = Counter(_share(step) for step in package.steps)
    order = [*Fidelity, StepStatus.FAILED, StepStatus.NOT_REACHED]
    return " · ".join(f"{words[word]} {word}" for word in map(str, order) if words[word]) or "none"


def _share(step: StepResult) -> str:
    if step.status in (StepStatus.FAILED, StepStatus.NOT_REACHED, StepStatus.SKIPPED):
        return str(step.status)
    return str(step.fidelity)


def fidelity_share(package: PackageResult) -> str:
    """`3 of 4 steps executed, 1 simulated`."""
    rest = [
        f"{package.count(kind)} {kind}" for kind in (Fidelity.DRY_RUN, Fidelity.SIMULATED) if package.count(kind)
    ]
    total = count(len(package.steps), "step")
    return ", ".join([f"{package.count(Fidelity.EXECUTED)} of {total} executed", *rest])


def failed_step(package: PackageResult) -> StepResult | None:
    """The step that stopped the package."""
    return next((step for step in package.steps if step.status is StepStatus.FAILED), None)


def rollback(result: RollbackResult) -> str:
    """What the rollback came to, in one line."""
    why = f": {result.trigger}" if result.trigger else ""
    left = count(len(result.residue), "change")
    return {
        RollbackStatus.RESTORED: "restored: nothing differs from the state before",
        RollbackStatus.RESIDUE: f"leaves {left} behind",
        RollbackStatus.FAILED: "failed" + (f", leaves {left} behind" if result.residue else ""),
        RollbackStatus.NOT_DECLARED: "not declared: the package has no way back",
        RollbackStatus.NOT_RUN: f"not run{why}",
    }[result.status]


def rollback_cell(result: RollbackResult) -> str:
    """The same in two words, for a table."""
    if result.status is RollbackStatus.RESIDUE:
        return f"leaves {len(result.residue)}"
    return str(result.status)


def rollback_is_bad(result: RollbackResult) -> bool:
    """True when the state before did not come back."""
    return result.status in (RollbackStatus.RESIDUE, RollbackStatus.FAILED)


def changed_objects(effects: Sequence[Effect]) -> str:
    """`2 objects`, counted by object and not by field."""
    return count(len({(effect.namespace, effect.object) for effect in effects}), "object")


def effect_fields(effect: Effect) -> tuple[str, str, str, str]:
    """Object with its namespace, field, value before and value after."""
    where = f"{effect.namespace}/{effect.object}" if effect.namespace else effect.object
    if effect.path:
        return where, effect.path, effect.before, effect.after
    came = effect.change is Change.ADDED
    return (
        where,
        "whole object",
        effect.before or ("" if came else "existed"),
        effect.after or ("made" if came else ""),
    )


def tally_of_findings(findings: Sequence[Finding]) -> str:
    """`3 findings: 1 high, 2 low`, or `1 low finding`."""
    by = Counter(finding.severity for finding in findings)
    if len(by) == 1:
        return count(len(findings), f"{findings[0].severity} finding")
    parts = ", ".join(f"{by[severity]} {severity}" for severity in Severity if by[severity])
    return count(len(findings), "finding") + (f": {parts}" if parts else "")


def probes(package: PackageResult) -> str:
    """`6 of 6 probes held`; empty when nothing was measured."""
    evidence = package.sandbox.evidence if package.sandbox else ()
    held = sum(1 for probe in evidence if probe.held)
    return f"{held} of {count(len(evidence), 'probe')} held" if evidence else ""


def headline(result: RunResult) -> str:
    """The answer in one line: `1 of 2 packages failed`."""
    total = count(len(result.packages), "package")
    unreadable = len({finding.location.path for finding in result.findings})
    parts: list[str] = []
    for verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE):
        number = sum(1 for package in result.packages if package.verdict is verdict)
        if number:
            parts.append(f"{number} of {total} {ENDED[verdict]}" if not parts else f"{number} {ENDED[verdict]}")
    if unreadable:
        parts.append(f"{count(unreadable, 'file')} not readable as a package")
    if result.tally.left:
        parts.append(f"{count(len(result.tally.left), 'thing')} could not be removed")
    if parts:
        return ", ".join(parts)
    return f"{total} passed" if result.packages else "no package to try"


def stop(package: PackageResult) -> str:
    """Why the package did not pass, in one line of words of ours and its own; an attack comes first."""
    step = failed_step(package)
    if step is None or package.decision.outcome is Outcome.BLOCK:
        return package.reason
    attack = f"{package.violation}; " if package.violation else ""
    return f"{attack}step {step.number} of {len(package.steps)}, {step.label}: {outcome(step)}"


def size(number: int) -> str:
    """Bytes as Kubernetes writes quantities: `128.0 MiB`."""
    value = float(number)
    for unit in ("B", "KiB", "MiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} GiB"


def usage(used: Usage) -> str:
    """`1.2 s of CPU · 128.0 MiB of memory at most · 12 processes at most`; empty when nothing was measured."""
    parts: list[str] = []
    if used.cpu_seconds is not None:
        parts.append(f"{used.cpu_seconds:.1f} s of CPU")
    if used.memory_peak is not None:
        parts.append(f"{size(used.memory_peak)} of memory at most")
    if used.processes_peak is not None:
        parts.append(f"{count(used.processes_peak, 'process', 'processes')} at most")
    return " · ".join(parts)


def effect_text(effect: Effect) -> str:
    """One effect with its namespace, cut to a readable length."""
    where = effect_fields(effect)[0]
    what = str(effect).removeprefix(effect.object).strip()
    return f"{where} {what}" if len(what) <= 200 else f"{where} {what[:199]}…"
