"""The whole flow on one screen: load → check → decide → plan → open → run → roll back → close → result.

START READING HERE. `try_packages` takes files and gives back one `RunResult`; everything else in this folder is
a stage of it.
"""

import re
import signal
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from wpk_sandbox import __version__
from wpk_sandbox.errors import InterruptedRunError, UnavailableError
from wpk_sandbox.finding import Finding, Location
from wpk_sandbox.package.attached import with_files
from wpk_sandbox.package.beside import Beside
from wpk_sandbox.package.case import load_cases
from wpk_sandbox.package.load import load_file
from wpk_sandbox.package.package import Case, Package
from wpk_sandbox.package.problems import fatal
from wpk_sandbox.package.selection import Selection
from wpk_sandbox.package.source import read_file
from wpk_sandbox.plan.plan import Plan
from wpk_sandbox.plan.planner import PlanOptions, needs, plan
from wpk_sandbox.rules.judgement import Before, judged_before, judgement
from wpk_sandbox.rules.masking import masked
from wpk_sandbox.rules.naming import name_taken
from wpk_sandbox.rules.policy import Decision, FileWaiver, Outcome
from wpk_sandbox.rules.waivers import about_policy
from wpk_sandbox.run.observe import Observer, Silent
from wpk_sandbox.run.outcome import OpenedSandbox, RunOptions
from wpk_sandbox.run.outcome import Outcome as RunOutcome
from wpk_sandbox.run.result import PackageResult, RunResult, SandboxResult, Verdict, worst
from wpk_sandbox.sandbox.ledger import Ledger, Tally
from wpk_sandbox.sandbox.sandbox import Evidence, SandboxSpec
from wpk_sandbox.sandbox.table import Choice, choose
from wpk_sandbox.settings import Settings

if TYPE_CHECKING:
    from wpk_sandbox.package.earlier import Earlier

KEPT_FOR = timedelta(hours=24)
GRACE = timedelta(minutes=15)


@dataclass(frozen=True)
class Request:
    """What one call is asked to do. `root` is the repository that all paths are relative to.

    `earlier` is what a change is measured against, where it is known; `today` is the day that waivers end by.
    """

    root: Path
    selection: Selection
    settings: Settings
    run_id: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    event: Mapping[str, Any] = field(default_factory=dict)
    keep: bool = False
    earlier: "Earlier | None" = None
    today: date = field(default_factory=lambda: datetime.now(UTC).date())

    @property
    def expires(self) -> datetime:
        """When whatever is left of the run may be removed by anyone who sweeps."""
        life = KEPT_FOR if self._keeps else timedelta(seconds=self.settings["timeouts.run"]) + GRACE
        return datetime.now(UTC) + life

    def ledger(self) -> Ledger:
        """A ledger for one package."""
        return Ledger(self.run_id, self.expires, keep=self._keeps)

    @property
    def _keeps(self) -> bool:
        return self.keep or not self.settings["sandbox.cleanup.auto_cleanup"]


@dataclass(frozen=True)
class Judged:
    """A package in one case, with all that is known before anything runs."""

    package: Package
    case: Case
    findings: tuple[Finding, ...]
    decision: Decision
    base_risk: int | None = None
    risk_changes: tuple[str, ...] = ()


def try_packages(
    request: Request, observer: Observer | None = None
) -> tuple[RunResult, InterruptedRunError | None]:
    """Try every package of the selection; after a signal, the result so far and the signal."""
    listener = observer or Silent()
    began, started = time.monotonic(), datetime.now(UTC)
    results: list[PackageResult] = []
    loose: list[Finding] = list(request.selection.findings)
    stopped = None
    with signals_raise():
        try:
            for judged in judge(request, loose):
                left = request.settings["timeouts.run"] - (time.monotonic() - began)
                result, stopped = _try_package(judged, request, left, listener)
                results.append(result)
                if stopped:
                    break
        except InterruptedRunError as error:
            stopped = error
    return _summed(request, results, loose, started, time.monotonic() - began, stopped), stopped


def judge(request: Request, loose: list[Finding]) -> Iterator[Judged]:
    """Load, check and decide on each package; findings that belong to no package are added to `loose`."""
    policy = request.settings.policy
    used: frozenset[FileWaiver] = frozenset()
    befores: dict[tuple[str, int], Before] = {}
    taken: dict[str, Location] = {}
    beside = Beside(request.root, request.selection.beside)
    for path in request.selection.files:
        loaded = load_file(request.root / path, display=path, root=request.root)
        about_file = masked(loaded.findings, loaded.packages)
        if not loaded.packages:
            loose += about_file
        for index, alone in enumerate(loaded.packages):
            package, about_named = with_files(alone, partial(_read, request.root))
            cases, about_cases = load_cases(package, request.root)
            before = _before(package, cases, about_cases, request, befores)
            told_once = about_file if index == 0 else ()
            about_name = name_taken(package, taken, beside.named)
            further = (*told_once, *masked(about_named, ()), *about_cases, *about_name)
            made = judgement(package, further, policy, request.today, before, cases=cases)
            used |= made.used
            for case in cases:
                yield Judged(package, case, made.findings, made.decision, made.base_risk, made.risk_changes)
    loose += about_policy(policy, request.selection.files, used, request.today)


def _before(
    package: Package,
    cases: tuple[Case, ...],
    about_cases: tuple[Finding, ...],
    request: Request,
    befores: dict[tuple[str, int], Before],
) -> Before | None:
    """The base version, judged once for all that come from it; its cases are taken as they are now."""
    if request.earlier is None:
        return None
    version = request.earlier.version_of(package)
    if version is None:
        return Before()
    there, about_file = version
    place = (there.path, there.document.index)
    if place not in befores:
        there, about_named = with_files(there, request.earlier.read)
        further = (*about_file, *masked(about_named, ()), *about_cases)
        befores[place] = judged_before(there, further, request.settings.policy, request.today, cases=cases)
    return befores[place]


def _read(root: Path, path: str) -> bytes | Finding:
    return read_file(root / path, path, root)


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
    )
    return plan(judged.package, judged.case, options)


def _try_package(
    judged: Judged, request: Request, left: float, observer: Observer
) -> tuple[PackageResult, InterruptedRunError | None]:
    """The result of one package, after everything that it made was undone; and the signal that ended it early."""
    began = time.monotonic()
    package, decision = judged.package, judged.decision
    observer.package_started(package.name, package.version, package.path, decision.risk, decision.outcome)
    ledger, stopped = request.ledger(), None
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
    if reason := _refusal(judged, request.settings):
        return _untried(judged, Verdict.FAIL, reason)
    if left <= 0:
        return _untried(judged, Verdict.INCONCLUSIVE, "the time for all packages together is over (run limit)")
    settings = request.settings
    choice = choose(settings["sandbox.type"], needs(judged.package), settings.spec)
    intended = plan_package(judged, choice.type.name, request)
    observer.sandbox_opening(choice.type.name, choice.reason)
    with _opened(intended, choice, settings.spec, ledger) as (sandbox, opened):
        observer.sandbox_ready(sandbox)
        if leaks := [proof for proof in sandbox.evidence if not proof.held]:
            words = f"the sandbox is not closed ({leaks[0].probe}: {leaks[0].seen}), so nothing was run"
            return replace(_untried(judged, Verdict.INCONCLUSIVE, words), sandbox=sandbox)
        options = RunOptions(
            rollback=settings["rollback"], run_timeout=left, output_limit=settings["sandbox.limits.output"]
        )
        from wpk_sandbox.run.runner import run  # noqa: PLC0415 -- `check` and `plan` need nothing of it

        outcome = run(intended, opened, options, observer)
    return _result(judged, intended, sandbox, outcome)


@contextmanager
def _opened(
    intended: Plan, choice: Choice, spec: SandboxSpec, ledger: Ledger
) -> Iterator[tuple[SandboxResult, OpenedSandbox]]:
    """The halves that the plan needs, measured; the cluster first, because the shell may join its gate."""
    began = time.monotonic()
    with ExitStack() as stack:
        cluster = shell = None
        if intended.needs_cluster:
            asked = replace(spec, images=intended.images)
            cluster = stack.enter_context(choice.type.cluster().open(asked, ledger))
            for namespace in intended.namespaces[:1]:
                cluster.prepare(namespace)
        if intended.needs_shell:
            access = cluster.shell_access() if cluster else None
            shell = stack.enter_context(choice.type.shell().open(replace(spec, access=access), ledger))
        halves = [half for half in (cluster, shell) if half is not None]
        evidence: tuple[Evidence, ...] = tuple(proof for half in halves for proof in half.evidence())
        details = tuple(half.details for half in halves)
        seconds = time.monotonic() - began
        sandbox = SandboxResult(choice.type.name, choice.reason, details, seconds, evidence)
        yield sandbox, OpenedSandbox(shell, cluster)


def _refusal(judged: Judged, settings: Settings) -> str:
    """Why a package may not start, or nothing."""
    decision = judged.decision
    if decision.outcome in settings.failing_outcomes:
        asked = "blocked" if decision.outcome is Outcome.BLOCK else f"{decision.outcome} (`policy.fail_on`)"
        return f"{asked} before it started: {decision.reason}"
    broken = next((each for each in judged.findings if fatal(each.severity) and _about_files(each)), None)
    return f"{broken.location}: {broken.message}" if broken else ""


def _about_files(finding: Finding) -> bool:
    """True for the loader's findings: a high one means that what the author wrote could not be understood."""
    from wpk_sandbox.package.problems import LOAD_RULES  # noqa: PLC0415 -- only needed when there are findings

    return any(rule.id == finding.rule for rule in LOAD_RULES)


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
    )


def _counted(result: PackageResult, tally: Tally) -> PackageResult:
    """Something that is left is an error: the sandbox did not do what it promises."""
    counted = replace(result, tally=tally)
    if not tally.left or result.verdict is Verdict.FAIL:
        return counted
    left = tally.left[0]
    return replace(
        counted,
        verdict=Verdict.INCONCLUSIVE,
        reason=f"{left.kind} {left.name} could not be removed: {left.reason}",
    )


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


def _manifests(package: Package) -> dict[str, tuple[dict[str, Any], ...]]:
    """The objects in the files that the package names; a file that could not be read is not there."""
    return {
        path: tuple(document.data for document in documents if isinstance(document.data, dict))
        for path, documents in package.files.items()
    }


@contextmanager
def signals_raise() -> Iterator[None]:
    """SIGINT and SIGTERM unwind the run once; while it cleans up, further ones are ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _frame: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        raise InterruptedRunError(number)

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def new_run_id(environment: Mapping[str, str]) -> str:
    """The id of this run: the CI job's where there is one, so that its post step finds what is left.

    The legs of a matrix have all of GitHub's numbers in common; where they share a daemon, only the names of their
    runners tell them apart. https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    """
    if run := environment.get("GITHUB_RUN_ID"):
        runner = environment.get("RUNNER_NAME", "")
        leg = [f"{zlib.crc32(runner.encode()):08x}"] if runner else []
        parts = (run, environment.get("GITHUB_RUN_ATTEMPT", "1"), *leg, environment.get("GITHUB_JOB", ""))
        return re.sub(r"[^a-zA-Z0-9.-]", "-", "-".join(("gh", *parts)))[:60]
    if job := environment.get("CI_JOB_ID"):
        return re.sub(r"[^a-zA-Z0-9.-]", "-", f"gl-{job}")[:60]
    import secrets  # noqa: PLC0415 -- 10 ms that only a run has to pay

    return f"{datetime.now(UTC):%Y%m%d%H%M%S}-{secrets.token_hex(3)}"
