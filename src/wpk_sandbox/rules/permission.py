"""The permissions of a package: what is written, and what its actions ask of the Kubernetes API.

A request has a verb and a resource, perhaps with a subresource:
https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb
https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from wpk_sandbox.package.kinds import RESOURCE_KINDS, resource_kind
from wpk_sandbox.package.verbs import VERBS
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.acts import Act
from wpk_sandbox.rules.shell.options import names

READS = frozenset({"get", "list", "watch"})
_API_VERBS = READS | {"create", "update", "patch", "delete", "deletecollection"}
_SUBRESOURCES = names(
    "log scale status eviction exec attach portforward proxy binding token finalizers resize ephemeralcontainers"
)
_WRITTEN = Pattern(r"([a-z0-9.*-]+)[/:]([a-z*]+)(?:[/:]([a-z*]+))?", re.IGNORECASE)
_PLURALS = {kind.kind: kind.plural for kind in RESOURCE_KINDS}


@dataclass(frozen=True)
class Permission:
    """`deployments/patch`: a resource, and what may be done to it.

    `can` is a verb of the API, a subresource, an action of the format (`restart`), or `*`.
    """

    resource: str
    can: str

    def __str__(self) -> str:
        return f"{self.resource}/{self.can}"

    def allows(self, other: "Permission") -> bool:
        """True when having this one is having the other."""
        return self.resource in ("*", other.resource) and self.can in ("*", other.can)


def read(text: str) -> Permission | None:
    """A permission as written: `pods/get`, `pods/log`, `deployments.apps/patch`, `deployments/scale/update`.

    None for a form that we do not know, of which nothing can be said.
    """
    match = _WRITTEN.fullmatch(text.strip())
    if match is None:
        return Permission("*", "*") if text.strip() == "*" else None
    resource, can = match[1].lower(), match[2].lower().replace("logs", "log")
    if can not in {*_API_VERBS, *_SUBRESOURCES, *VERBS, "*"} or (match[3] and can not in _SUBRESOURCES):
        return None
    kind = resource_kind(resource)
    return Permission(kind.plural if kind else resource, can)


@dataclass(frozen=True)
class Need:
    """What one request of an act takes: any one of these permissions, the usual one first."""

    act: Act
    any_of: tuple[Permission, ...]


# What each act asks for on its own target; any one of a row's permissions is enough.
_CHANGE = ("patch", "update")
_REQUESTS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "get": (("get", "list", "watch"),),
    "wait": (("get", "list", "watch"),),
    "patch": (_CHANGE,),
    "annotate": (_CHANGE,),
    "scale": (("scale", *_CHANGE),),
    "rollback": (_CHANGE,),
    "restore": ((*_CHANGE, "create"),),
    "copy": (("get", "list"), ("create",)),
    "create": (("create",),),
    "apply": ((*_CHANGE, "create"),),
    "run": (("create",),),
    "delete": (("delete", "deletecollection", "eviction"),),
    # What only a call of kubectl or helm does (`kubectl`).
    "exec": (("exec",),),
    "attach": (("attach",),),
    "portforward": (("portforward",),),
    "token": (("token",),),
    "release": (("get", "list", "watch"),),
    "keep": (("create", *_CHANGE),),
}
# `restart` patches the template of a workload, deletes a pod, and makes a Job anew.
_RESTART: Mapping[str, tuple[str, ...]] = {"Pod": ("delete", "deletecollection", "eviction"), "Job": ("create",)}
# Wherever pods come and go, these are looked at.
_WATCHED = (
    "pods",
    "replicasets",
    "controllerrevisions",
    "events",
    "deployments",
    "statefulsets",
    "daemonsets",
    "jobs",
)
_WORKLOADS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod"})
_LOGGING = frozenset({"logs", "run"})


def needs(act: Act) -> tuple[Need, ...]:
    """What an act cannot do without; nothing where its kind is not known."""
    if act.verb == "logs":
        return (Need(act, (Permission("pods", "log"),)),)
    if act.verb == "events":
        return (Need(act, _of(act, ("Event",), ("list", "get", "watch"))),)
    if act.verb == "restart":
        wanted = [one for kind in act.kinds for one in _of(act, (kind,), _RESTART.get(kind, _CHANGE))]
        return (Need(act, tuple(wanted)),) if wanted else ()
    rows = _REQUESTS.get(act.verb, ())
    return tuple(Need(act, _of(act, act.kinds, row)) for row in rows if act.kinds)


def _of(act: Act, kinds: tuple[str, ...], row: tuple[str, ...]) -> tuple[Permission, ...]:
    """The permissions of a row; an author may also have written the action's own name (`deployments/restart`)."""
    return tuple(Permission(_PLURALS[kind], can) for can in (*row, act.verb) for kind in kinds)


def uses(act: Act, permission: Permission) -> bool:
    """True when an act may use a permission, in any way in which an engine may carry it out."""
    if permission.resource not in _PLURALS.values():
        return True  # a custom resource, or everything
    if any(permission.allows(one) for need in needs(act) for one in need.any_of):
        return True
    reading = permission.can in READS or permission.can == "*"
    if any(_PLURALS[kind] == permission.resource for kind in act.kinds):
        # Every change may first read what it changes; an object that is applied may be made or replaced.
        return reading or (act.verb in ("apply", "restore", "run", "create", "copy") and permission.can != "delete")
    if set(act.kinds) & _WORKLOADS or act.verb in ("logs", "events"):
        if permission.resource in _WATCHED and reading:
            return True
        if permission.resource == "pods" and permission.can == "log":
            return act.verb in _LOGGING
    return _from_template(act, permission) and reading


def _from_template(act: Act, permission: Permission) -> bool:
    """True for the object that a `template: cronjob/nightly` or a `source:` is read from."""
    written = [str(value).partition("/")[0] for value in act.options.values() if isinstance(value, str)]
    return any((kind := resource_kind(name)) is not None and kind.plural == permission.resource for name in written)
