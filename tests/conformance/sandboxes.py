"""Attempts as the steps of packages, run by the product in a sandbox that it opened as it does for anybody.

Only the check before is left out: that rules refuse most of this is no reason to trust a sandbox with the rest.
"""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from model import Attempt, Told
from payload import PLACE, placing
from twin import read

from wpk_sandbox import pipeline
from wpk_sandbox.judging import Request, judge
from wpk_sandbox.package.selection import find
from wpk_sandbox.plan.plan import Plan
from wpk_sandbox.run.observe import Silent
from wpk_sandbox.run.outcome import NEVER, OpenedSandbox, RunOptions
from wpk_sandbox.run.result import StepResult, StepStatus
from wpk_sandbox.run.runner import run
from wpk_sandbox.sandbox.ledger import Ledger, Tally
from wpk_sandbox.sandbox.sandbox import Answer, Evidence
from wpk_sandbox.sandbox.shells.landlock import LANDLOCK
from wpk_sandbox.sandbox.table import SANDBOXES
from wpk_sandbox.settings import resolve

# Little, so that what is too much is soon reached, and no more than a twin has.
SETTINGS = """\
shell: {image: IMAGE}
images: {pull: false}
rollback: never
sandbox:
  limits: {step_memory: 256Mi, processes: 100, tmp: 48Mi, output: 256Ki, execution_time: 20m}
  security: {on_violation: warn}
"""
NAMESPACE = "atom-sandbox"
IMAGES = ("busybox:1.36",)


@dataclass(frozen=True)
class Tried:
    """What came of an attempt in a sandbox: what it told itself, and the step that the product reports."""

    told: Told
    step: StepResult | None = None

    @property
    def reports(self) -> tuple[str, ...]:
        """Each thing that the result says of the step beyond its output, as one line."""
        if self.step is None:
            return ()
        limit = (f"{self.step.limit}: {self.step.message}",) if self.step.limit else ()
        reached = (
            f"{each.answer} {each.protocol} {each.address} {each.port or ''} {each.name}"
            for each in self.step.network
            if each.answer is Answer.REFUSED
        )
        events = (f"{each.threat}: {each.message} {each.evidence}" for each in self.step.events)
        return (*limit, *events, *reached)


class Sandbox:
    """An open sandbox in which steps are run."""

    def __init__(self, name: str, folder: Path, image: str, run_id: str) -> None:
        self.name, self.folder = name, folder
        # What `local` falls back to where a host refuses namespaces: taken on purpose here.
        self.type = "local" if name == LANDLOCK.name else name
        settings = resolve(
            file=SETTINGS.replace("IMAGE", json.dumps(image)).encode(), flags={"sandbox.type": self.type}
        )
        self._request = Request(folder, find([], root=folder), settings, run_id)
        self._opened = OpenedSandbox()
        self.evidence: tuple[Evidence, ...] = ()
        self.details: tuple[str, ...] = ()
        self.tally = Tally()
        # What went wrong while it was closed: a sandbox that its package can keep from closing is open.
        self.broke = ""

    @contextmanager
    def open(self) -> Iterator["Sandbox"]:
        """Open what the product would open for these steps."""
        ledger = Ledger(self._request.run_id, datetime.now(UTC) + timedelta(hours=1))
        halves = self._halves(ledger)
        self._opened = halves.__enter__()
        try:
            yield self
        finally:
            try:
                halves.__exit__(None, None, None)
            except Exception as error:
                self.broke = f"{type(error).__name__}: {str(error)[:100]}"
            ledger.close()
            self.tally = ledger.tally()

    @property
    def cluster(self) -> Any:
        """The cluster's API, where there is one."""
        return self._opened.cluster

    def batch(self, attempts: Sequence[Attempt], given: Mapping[str, Any]) -> dict[str, Tried]:
        """Try functions of `probes`, those of one number in one step, in one run."""
        together: dict[str, list[Attempt]] = {}
        for attempt in attempts:
            together.setdefault(f"number-{attempt.number}", []).append(attempt)
        steps = self.run([("place", placing(), 40), *(_step(name, each, given) for name, each in together.items())])
        return {
            attempt.name: Tried(_told(step, attempt.name), step)
            for step in steps[1:]
            for attempt in together[step.name]
        }

    def alone(self, attempt: Attempt, given: Mapping[str, Any]) -> Tried:
        """Try what may end its step, and with it everything that comes after."""
        steps = self.run([("place", placing(), 40), _step(attempt.name, [attempt], given)])
        if len(steps) < 2 or steps[0].status is not StepStatus.OK:
            return Tried(Told("mistake", f"the step before failed: {steps[0].message if steps else 'none'}"))
        return Tried(_told(steps[1], attempt.name), steps[1])

    def run(self, steps: Sequence[tuple[str, str, int]]) -> tuple[StepResult, ...]:
        """The results of shell commands: name, command, timeout in seconds."""
        plan = self._plan(shell_package(steps))
        options = RunOptions(rollback=NEVER, limits=self._request.settings.spec.limits)
        return run(plan, self._opened, options, Silent()).steps

    def apply(self, name: str, *manifests: Mapping[str, Any]) -> StepResult:
        """The result of the last of some steps that each apply an object."""
        steps = [{"name": f"{name}-{at}", "timeout": "30s", "kubernetes": one} for at, one in enumerate(manifests)]
        options = RunOptions(
            rollback=NEVER, limits=self._request.settings.spec.limits, settle_timeout=1, after_timeout=1
        )
        return run(self._plan(package(steps, "k8s")), self._opened, options, Silent()).steps[-1]

    def why_not(self) -> str | None:
        """Why this host, or this version, has no such sandbox."""
        if self.type not in SANDBOXES:
            return f"this version has no sandbox `{self.name}`"
        if self.name == LANDLOCK.name:
            return LANDLOCK.why_not(self._request.settings.spec)
        wanted = frozenset({"shell", "cluster"}) if self.name == "kind" else frozenset({"shell"})
        return SANDBOXES[self.name].why_not(self._request.settings.spec, wanted)

    @contextmanager
    def _halves(self, ledger: Ledger) -> Iterator[OpenedSandbox]:
        spec, row = self._request.settings.spec, SANDBOXES[self.type]
        with ExitStack() as stack:
            cluster = None
            if self.name == "kind":
                cluster = stack.enter_context(row.cluster().open(replace(spec, images=IMAGES), ledger))
                cluster.prepare(NAMESPACE)
                spec = replace(spec, access=cluster.shell_access())
            provider = LANDLOCK if self.name == LANDLOCK.name else row.shell()
            shell = stack.enter_context(provider.open(spec, ledger))
            self.evidence = (*shell.evidence(), *(cluster.evidence() if cluster else ()))
            self.details = tuple(half.details for half in (shell, cluster) if half)
            yield OpenedSandbox(shell, cluster)

    def _plan(self, document: Mapping[str, Any]) -> Plan:
        judged = next(judge(self._written(document), []))
        return pipeline.plan_package(judged, self.type, self._request)

    def _written(self, document: Mapping[str, Any]) -> Request:
        path = self.folder / "tried.wpk.yaml"
        path.write_text(json.dumps(document))
        return replace(self._request, selection=find([path.name], root=self.folder))


def _step(name: str, attempts: Sequence[Attempt], given: Mapping[str, Any]) -> tuple[str, str, int]:
    names = " ".join(attempt.name for attempt in attempts)
    command = attempts[0].command or f"python3 -B {PLACE} {shlex.quote(json.dumps(given))} {names}"
    return name, command, max(attempt.timeout for attempt in attempts)


def _told(step: StepResult, name: str) -> Told:
    if step.limit:
        return Told("blocked", f"{step.limit}: {step.message}", str(step.limit))
    if told := read(step.stdout).get(name):
        return told
    return Told("mistake" if step.status is not StepStatus.OK else "open", step.message)


def shell_package(steps: Sequence[tuple[str, str, int]]) -> dict[str, Any]:
    """A package of shell steps."""
    return package(
        [
            {"name": name, "timeout": f"{timeout}s", "shell": {"command": command}}
            for name, command, timeout in steps
        ],
        "shell",
    )


def package(steps: Sequence[Mapping[str, Any]], runtime: str) -> dict[str, Any]:
    """A package of these steps in one handler."""
    return {
        "apiVersion": "v1",
        "kind": "WorkflowPackage",
        "metadata": {"name": "tried", "version": "1.0.0", "description": "Attempts that must fail."},
        "spec": {
            "runtime": {"type": runtime},
            "handlers": [{"name": "try", "timeout": "20m", "steps": list(steps)}],
        },
    }
