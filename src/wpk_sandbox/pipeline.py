"""The whole flow on one screen: load → check → decide → plan → open → run → roll back → close → result.

START READING HERE. `try_packages` takes files and gives back one `RunResult`; everything else in this folder is
a stage of it.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from wpk_sandbox import __version__
from wpk_sandbox.errors import InterruptedRunError, UnavailableError
from wpk_sandbox.finding import Finding
from wpk_sandbox.judging import Judged, Request, judge, refusal
from wpk_sandbox.opening import opened
from wpk_sandbox.package.package import Package
from wpk_sandbox.package.problems import fatal
from wpk_sandbox.plan.plan import Plan
from wpk_sandbox.plan.planner import PlanOptions, needs, plan
from wpk_sandbox.run.observe import Observer, Silent
from wpk_sandbox.run.outcome import Outcome as RunOutcome
from wpk_sandbox.run.outcome import RunOptions
from wpk_sandbox.run.result import PackageResult, RunResult, SandboxResult, Verdict, worst
from wpk_sandbox.run.secrecy import Discreet, discreet
from wpk_sandbox.sandbox.guard import Guard, guarded
from wpk_sandbox.sandbox.interrupts import signals_raise
from wpk_sandbox.sandbox.ledger import Ledger, Tally
from wpk_sandbox.sandbox.outside.outside import Outside, outside
from wpk_sandbox.sandbox.sandbox import SandboxSpec
from wpk_sandbox.sandbox.table import choose
from wpk_sandbox.settings import Settings


def try_packages(
    request: Request, observer: Observer | None = None
) -> tuple[RunResult, InterruptedRunError | None]:
    """Try every package of the selection; after a signal, the result so far and the signal."""
    listener = observer or Silent()
    began, started = time.monotonic(), datetime.now(UTC)
    results: list[PackageResult] = []
    loose: list[Finding] = []
    stopped = None
    timeout = request.settings["sandbox.cleanup.cleanup_timeout"]
    with guarded(timeout=timeout, needed=request.wants_guard) as guard, signals_raise(guard.hurry):
        try:
            for judged in judge(request, loose):
                left = request.settings["timeouts.run"] - (time.monotonic() - began)
                result, stopped = _try_package(judged, request, left, guard, listener)
                results.append(result)
                if stopped:
                    break
        except InterruptedRunError as error:
            stopped = error
    summed = _summed(request, results, loose, started, time.monotonic() - began, stopped)
    notes = (*summed.notes, *guard.notes(), *_of_kept(request, guard))
    return replace(summed, notes=notes, tally=summed.tally + guard.tally()), stopped


def plan_package(judged: Judged, sandbox: str, request: Request) -> Plan:
    """The plan of one package in one case, with the repository's manifests read."""
    settings = request.settings
    options = PlanOptions(
        sandbox=sandbox,
        parameters=request.parameters,
        event=request.event,
        handler_timeout=settings["timeouts.handler"],
        package_timeout=settings["sandbox.limits.execution_time"],
        stand_in_image=settings["images.stand_in"],
        manifests=_manifests(judged.package),
        mocks=settings["sandbox.network.mocks"],
    )
    return plan(judged.package, judged.case, options)


def _try_package(
    judged: Judged, request: Request, left: float, guard: Guard, observer: Observer
) -> tuple[PackageResult, InterruptedRunError | None]:
    """The result of one package, after everything that it made was undone; and the signal that ended it early."""
    began = time.monotonic()
    package, decision = judged.package, judged.decision
    hidden = request.hidden(package, judged.case)
    observer = Discreet(observer, hidden)
    observer.package_started(package.name, package.version, package.path, decision.risk, decision.outcome)
    ledger, stopped = request.ledger(guard), None
    try:
        result = _tried(judged, request, left, ledger, observer)
    except UnavailableError as error:
        remedy = (error.remedy,) if error.remedy else ()
        result = replace(_untried(judged, Verdict.INCONCLUSIVE, str(error)), notes=remedy)
    except InterruptedRunError as signal_raised:
        stopped = signal_raised
        result = _untried(judged, Verdict.INCONCLUSIVE, f"interrupted ({stopped})")
    finally:
        late = _closed(ledger)
    result = replace(_counted(result, ledger.tally()), seconds=time.monotonic() - began)
    result = discreet(result, hidden)
    observer.package_finished(result)
    return result, stopped or late


def _closed(ledger: Ledger) -> InterruptedRunError | None:
    """Undo everything; the signal that arrived meanwhile."""
    try:
        ledger.close()
    except InterruptedRunError as late:
        return late
    return None


def _tried(judged: Judged, request: Request, left: float, ledger: Ledger, observer: Observer) -> PackageResult:
    if reason := refusal(judged, request.settings):
        return _untried(judged, Verdict.FAIL, reason)
    if left <= 0:
        return _untried(judged, Verdict.INCONCLUSIVE, "the time for all packages together is over (run limit)")
    settings = request.settings
    choice = choose(settings["sandbox.type"], needs(judged.package), settings.spec)
    intended = plan_package(judged, choice.type.name, request)
    observer.sandbox_opening(choice.type.name, choice.reason)
    spec, beyond = _with_outside(intended, settings)
    # To open a sandbox is to wait for others: a time in which what comes next is loaded.
    threading.Thread(target=import_module, args=("wpk_sandbox.run.runner",), daemon=True).start()
    with opened(intended, choice, spec, beyond, ledger) as (sandbox, halves):
        observer.sandbox_ready(sandbox)
        if leaks := [proof for proof in sandbox.evidence if not proof.held]:
            words = f"the sandbox is not closed ({leaks[0].probe}: {leaks[0].seen}), so nothing was run"
            return replace(_untried(judged, Verdict.INCONCLUSIVE, words), sandbox=sandbox)
        options = RunOptions(
            rollback=settings["rollback"],
            run_timeout=left,
            output_limit=settings["sandbox.limits.output"],
            limits=spec.limits,
            on_violation=settings["sandbox.security.on_violation"],
        )
        from wpk_sandbox.run.runner import run  # noqa: PLC0415 -- `check` and `plan` need nothing of it

        outcome = run(intended, halves, options, observer)
    return _result(judged, intended, sandbox, outcome)


def _with_outside(intended: Plan, settings: Settings) -> tuple[SandboxSpec, Outside]:
    """What to open, with the routes to mocks and allowed hosts, and what answers behind them."""
    spec = settings.spec
    made = outside(intended.mocks, settings["sandbox.network.allow"], spec.limits.bandwidth, spec.network)
    return replace(spec, network=made.network), made


def _untried(judged: Judged, verdict: Verdict, reason: str) -> PackageResult:
    package = judged.package
    return PackageResult(
        name=package.name,
        version=package.version,
        path=package.path,
        digest=package.digest,
        case=judged.case.name,
        verdict=verdict,
        reason=reason,
        decision=judged.decision,
        findings=judged.findings,
        base_risk=judged.base_risk,
        risk_changes=judged.risk_changes,
    )


def _result(judged: Judged, intended: Plan, sandbox: SandboxResult, outcome: RunOutcome) -> PackageResult:
    return replace(
        _untried(judged, outcome.verdict, outcome.reason),
        sandbox=sandbox,
        steps=outcome.steps,
        effects=outcome.effects,
        rollback=outcome.rollback,
        parameters=intended.parameters,
        notes=outcome.notes,
        usage=outcome.usage,
        network=outcome.network,
        events=outcome.events,
        samples=outcome.samples,
        suggested=outcome.suggested,
        violation=outcome.violation,
    )


def _counted(result: PackageResult, tally: Tally) -> PackageResult:
    """Something that is left is an error: the sandbox did not do what it promises."""
    counted = replace(result, tally=tally)
    if not tally.left or result.verdict is Verdict.FAIL:
        return counted
    left = tally.left[0]
    why = [result.reason] if result.verdict is Verdict.INCONCLUSIVE else []
    reason = "; ".join([*why, f"{left.kind} {left.name} could not be removed: {left.reason}"])
    return replace(counted, verdict=Verdict.INCONCLUSIVE, reason=reason)


def _summed(
    request: Request,
    results: list[PackageResult],
    loose: list[Finding],
    started: datetime,
    seconds: float,
    stopped: InterruptedRunError | None,
) -> RunResult:
    notes = list(request.selection.notes)
    verdicts = [result.verdict for result in results]
    verdicts += [Verdict.FAIL] if any(fatal(finding.severity) for finding in loose) else []
    if stopped:
        verdicts.append(Verdict.INCONCLUSIVE)
        notes.append(f"interrupted ({stopped}); packages that are not listed were not tried or not finished")
    return RunResult(
        run_id=request.run_id,
        tool_version=__version__,
        started=started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        seconds=seconds,
        verdict=worst(tuple(verdicts)),
        packages=tuple(results),
        findings=tuple(sorted(loose, key=lambda finding: finding.order)),
        notes=tuple(notes),
        tally=sum((result.tally for result in results), Tally()),
    )


def _of_kept(request: Request, guard: Guard) -> Iterator[str]:
    """What was asked to be kept, and how it is removed."""
    if kept := guard.kept():
        things = ", ".join(f"{entry.kind} {entry.name}" for entry in kept)
        until = request.expires.strftime("%Y-%m-%d %H:%M UTC")
        yield f"kept until {until}: {things}; `wpk-sandbox reap --run {request.run_id}` removes it"


def _manifests(package: Package) -> dict[str, tuple[dict[str, Any], ...]]:
    """The objects in the files that the package names; a file that could not be read is not there."""
    return {
        path: tuple(document.data for document in documents if isinstance(document.data, dict))
        for path, documents in package.files.items()
    }
