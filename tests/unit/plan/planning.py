"""Short words for packages and plans, so that each test shows only what it is about."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from wpk_sandbox.package.package import (
    Action,
    Case,
    Document,
    Handler,
    KubernetesAction,
    Package,
    Reference,
    Rollback,
    Runtime,
    Safety,
    ShellAction,
    Step,
)
from wpk_sandbox.plan.plan import Plan, PlannedStep
from wpk_sandbox.plan.planner import PlanOptions, plan

SHELL = ShellAction("true")


def k8s(verb: str, kind: str | None = None, name: str | None = None, **options: Any) -> KubernetesAction:
    reference = Reference(kind, name, options.pop("namespace", None), options.pop("selector", None))
    return KubernetesAction(verb, reference, options)


def handler(action: Action, *, name: str = "step", timeout: float | None = None) -> Handler:
    return Handler(name, (Step(name, action, "/spec/handlers/0"),), "/spec/handlers/0", timeout)


def package(*actions: Action, rollback: tuple[Action, ...] = (), name: str = "fix-web", text: str = "") -> Package:
    return Package(
        name=name,
        version="1.0.0",
        description="",
        author="",
        tags=(),
        runtime=Runtime(),
        safety=Safety(),
        triggers=(),
        handlers=tuple(handler(action, name=f"step-{number}") for number, action in enumerate(actions, 1)),
        rollback=Rollback(bool(rollback), tuple(handler(action, name="undo") for action in rollback)),
        required_permissions=(),
        resource_limits={},
        monitoring={},
        document=Document("fix.wpk.yaml", text, 0, {}, {}, {}),
    )


def planned(
    *actions: Action,
    rollback: tuple[Action, ...] = (),
    sandbox: str = "kind",
    event: Mapping[str, Any] | None = None,
    objects: tuple[Mapping[str, Any], ...] = (),
    parameters: Mapping[str, str] | None = None,
    **options: Any,
) -> Plan:
    case = Case(event=event or {}, objects=objects, parameters=parameters or {})
    return plan(package(*actions, rollback=rollback), case, PlanOptions(sandbox, **options))


def first(*actions: Action, **situation: Any) -> PlannedStep:
    return planned(*actions, **situation).steps[0]


def manifest(kind: str, name: str, namespace: str | None = None, **body: Any) -> dict[str, Any]:
    versions = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "Job": "batch/v1", "CronJob": "batch/v1"}
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": versions.get(kind, "v1"), "kind": kind, "metadata": metadata, **body}


def workload(name: str, namespace: str | None = None, *, labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    labels = dict(labels or {"app": name})
    pod = {"containers": [{"name": "main", "image": "example/web:1"}]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    return manifest("Deployment", name, namespace, spec={"selector": {"matchLabels": labels}, "template": template})


def with_timeout(one: Package, seconds: float) -> Package:
    return replace(one, handlers=tuple(replace(handler, timeout=seconds) for handler in one.handlers))


def stand_in_of(made: Plan, kind: str, name: str) -> dict[str, Any]:
    found = [one for one in made.stand_ins if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    assert found, (
        f"no stand-in {kind}/{name} among {[(one['kind'], one['metadata']['name']) for one in made.stand_ins]}"
    )
    return dict(found[-1])
