"""Short words for running packages on the simulated cluster, so that each test shows only what it is about."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from wpk_sandbox.package.package import (
    Action,
    Case,
    Document,
    Handler,
    KubernetesAction,
    Package,
    Reference,
    Retry,
    Rollback,
    Runtime,
    Safety,
    ShellAction,
    Step,
)
from wpk_sandbox.plan.plan import Plan, PlannedStep
from wpk_sandbox.plan.planner import PlanOptions, plan
from wpk_sandbox.run.deadline import Clock, Deadline, Pace
from wpk_sandbox.run.objects import Object, Objects
from wpk_sandbox.run.observe import Silent
from wpk_sandbox.run.outcome import OpenedSandbox, Outcome, RunOptions
from wpk_sandbox.run.result import Limit, StepResult
from wpk_sandbox.run.runner import run
from wpk_sandbox.sandbox.clusters.simulated import SIMULATED
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.outside.outside import outside
from wpk_sandbox.sandbox.sandbox import Cluster, Completed, Evidence, Network, Observed, SandboxSpec, Usage

HOME = "atom-sandbox"
IMAGE = "busybox:1.36"


ONCE = Retry()


class FakeTime:
    """A clock that moves when somebody sleeps, and never otherwise."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class FakeShell:
    """Answers each command as it is told to, and remembers what it was asked."""

    name = "fake"
    details = "a fake shell"

    def __init__(self, answer: Callable[[str], Completed] = lambda command: said("")) -> None:
        self.answer = answer
        self.commands: list[str] = []
        self.environments: list[Mapping[str, str]] = []
        self.timeouts: list[float] = []

    def run(self, command: str, *, environment: Mapping[str, str], timeout: float) -> Completed:
        self.commands.append(command)
        self.environments.append(environment)
        self.timeouts.append(timeout)
        return self.answer(command)

    def observed(self) -> Observed:
        return Observed(usage=self.usage())

    def usage(self) -> Usage:
        return Usage(cpu_seconds=1.5, memory_peak=1000)

    def evidence(self) -> tuple[Evidence, ...]:
        return ()


class Listener(Silent):
    """Writes down the order of what it hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def run_started(self, plan: Plan) -> None:
        self.heard.append("run started")

    def step_started(self, step: PlannedStep, total: int) -> None:
        self.heard.append(f"{step.label} {step.number}/{total}")

    def step_finished(self, result: StepResult, total: int) -> None:
        self.heard.append(f"{result.label} {result.status}")


def said(stdout: str, *, exit_code: int = 0, stderr: str = "") -> Completed:
    return Completed(exit_code, stdout, stderr, 0.1)


@contextmanager
def simulated() -> Iterator[Cluster]:
    ledger = Ledger("test", datetime.now(UTC) + timedelta(hours=1))
    with SIMULATED.open(SandboxSpec(), ledger) as cluster:
        yield cluster


def objects_of(cluster: Cluster, seconds: float = 30) -> Objects:
    return Objects(cluster.api, Deadline.start(Limit.RUN, seconds), pace=Pace(0.01, 0.05))


def k8s(verb: str, kind: str | None = None, name: str | None = None, **options: Any) -> KubernetesAction:
    reference = Reference(kind, name, options.pop("namespace", None), options.pop("selector", None))
    return KubernetesAction(verb, reference, options)


def handler(name: str, *actions: Action, timeout: float | None = None, retry: Retry = ONCE) -> Handler:
    """A handler of one action has one step of the same name; of several, the steps are numbered."""
    names = [name] if len(actions) == 1 else [f"step-{number}" for number in range(1, len(actions) + 1)]
    steps = tuple(
        Step(step, action, "/spec/handlers/0", retry=retry) for step, action in zip(names, actions, strict=True)
    )
    return Handler(name, steps, "/spec/handlers/0", timeout)


def handlers(*given: Action | Handler, prefix: str = "step") -> tuple[Handler, ...]:
    return tuple(
        one if isinstance(one, Handler) else handler(f"{prefix}-{number}", one)
        for number, one in enumerate(given, 1)
    )


def package(*given: Action | Handler, undo: tuple[Action | Handler, ...] = ()) -> Package:
    return Package(
        name="fix-web",
        version="1.0.0",
        description="",
        author="",
        tags=(),
        runtime=Runtime(),
        safety=Safety(),
        triggers=(),
        handlers=handlers(*given),
        rollback=Rollback(bool(undo), handlers(*undo, prefix="undo")),
        required_permissions=(),
        resource_limits={},
        monitoring={},
        document=Document("fix.wpk.yaml", "", 0, {}, {}, {}),
    )


def planned(
    *given: Action | Handler,
    undo: tuple[Action | Handler, ...] = (),
    objects: tuple[Mapping[str, Any], ...] = (),
    parameters: Mapping[str, str] | None = None,
    **options: Any,
) -> Plan:
    case = Case(objects=objects, parameters=parameters or {})
    return plan(package(*given, undo=undo), case, PlanOptions("local", **options))


def perform(
    made: Plan,
    *,
    shell: FakeShell | None = None,
    cluster: Cluster | None = None,
    listener: Silent | None = None,
    **options: Any,
) -> Outcome:
    """Run a plan in a simulated cluster of its own, unless one is given or none is needed."""
    given = RunOptions(**{"settle_timeout": 2.0, "after_timeout": 0.2, **options})
    beyond = outside(made.mocks, (), 1_000_000, Network())
    opened = OpenedSandbox(shell or (FakeShell() if made.needs_shell else None), cluster, beyond)
    if cluster is not None or not made.needs_cluster:
        return run(made, opened, given, listener or Silent())
    with simulated() as own:
        return run(made, replace(opened, cluster=own), given, listener or Silent())


def tried(*given: Action | Handler, shell: FakeShell | None = None, **situation: Any) -> Outcome:
    """Plan and run some actions, without rolling back unless an undo is given."""
    return perform(planned(*given, **situation), shell=shell)


def container(**more: Any) -> dict[str, Any]:
    return {"name": "main", "image": IMAGE, **more}


def manifest(kind: str, name: str, namespace: str | None = HOME, **body: Any) -> dict[str, Any]:
    versions = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "Job": "batch/v1", "CronJob": "batch/v1"}
    versions |= {"DaemonSet": "apps/v1"}
    metadata: Object = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": versions.get(kind, "v1"), "kind": kind, "metadata": metadata, **body}


def workload(kind: str, name: str, replicas: int | None = 2, **pod: Any) -> dict[str, Any]:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container()], **pod}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    spec |= {} if replicas is None else {"replicas": replicas}
    spec |= {"serviceName": name} if kind == "StatefulSet" else {}
    return manifest(kind, name, spec=spec)


def deployment(name: str = "web", replicas: int = 2, **pod: Any) -> dict[str, Any]:
    return workload("Deployment", name, replicas, **pod)


SHELL = ShellAction("true")
