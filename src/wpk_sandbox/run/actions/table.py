"""Every action, by what the author writes; the one place that knows them all."""

from collections.abc import Callable, Mapping

from wpk_sandbox.package.package import (
    Action,
    ApiAction,
    ContainerAction,
    KubernetesAction,
    ManifestAction,
    ManualAction,
    ShellAction,
    UnknownAction,
)
from wpk_sandbox.run.actions import changing, containers, host, making, reading, waiting, workloads
from wpk_sandbox.run.actions.action import Call, Done

Doing = Callable[[Call], Done]

VERBS: Mapping[str, Doing] = {
    "logs": reading.logs,
    "events": reading.events,
    "get": reading.get,
    "metrics": reading.metrics,
    "wait": waiting.wait,
    "restart": workloads.restart,
    "scale": workloads.scale,
    "rollback": workloads.rollback,
    "patch": changing.patch,
    "annotate": changing.annotate,
    "create": making.create,
    "copy": making.copy,
    "restore": making.restore,
    "apply": making.apply,
    "delete": making.delete,
    "run": making.run,
}

_OTHERS: Mapping[type, tuple[str, Doing]] = {
    ShellAction: ("shell", host.shell),
    ApiAction: ("api", host.api),
    ContainerAction: ("container", containers.container),
    ManifestAction: ("manifest", making.manifest),
    ManualAction: ("manual", host.manual),
}


def doing(action: Action) -> Doing | None:
    """What carries an action out; None for one that nobody knows."""
    if isinstance(action, KubernetesAction):
        return VERBS.get(action.verb)
    return _OTHERS.get(type(action), ("", None))[1]


def name_of(action: Action) -> str:
    """What the author asked for, as a reader calls it."""
    if isinstance(action, KubernetesAction):
        return f"k8s {action.verb}"
    return "unknown" if isinstance(action, UnknownAction) else _OTHERS[type(action)][0]
