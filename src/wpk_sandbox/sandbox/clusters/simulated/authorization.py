"""Who may ask for what: role-based access control over the roles and bindings that are stored.

Nobody in particular is the cluster's administrator, who may do everything.
https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

from collections.abc import Iterator
from dataclasses import dataclass

from wpk_sandbox.package.kinds import ResourceKind
from wpk_sandbox.sandbox.clusters.simulated.catalog import (
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    ROLE,
    ROLE_BINDING,
)
from wpk_sandbox.sandbox.clusters.simulated.objects import Object, name_of, namespace_of
from wpk_sandbox.sandbox.clusters.simulated.refused import Refused, compact, forbidden
from wpk_sandbox.sandbox.clusters.simulated.request import Place, Request
from wpk_sandbox.sandbox.clusters.simulated.store import Store

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}


@dataclass(frozen=True)
class Access:
    """One request in a role's terms; `resource` holds its subresource, `namespace` is empty for the cluster."""

    user: str
    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""

    @property
    def refused(self) -> Refused:
        """The refusal, in the API server's words."""
        plural = self.resource.partition("/")[0]
        shown = f"{plural}.{self.group}" if self.group else plural
        named = f' "{self.name}"' if self.name else ""
        where = f'in the namespace "{self.namespace}"' if self.namespace else "at the cluster scope"
        details = {"name": self.name, "group": self.group, "kind": plural}
        return Refused(
            403,
            "Forbidden",
            f'{shown}{named} is forbidden: User "{self.user}" cannot {self.verb} resource "{self.resource}" '
            f'in API group "{self.group}" {where}',
            {key: value for key, value in details.items() if value},
        )


def access(request: Request, place: Place) -> Access:
    """What a request asks for. https://kubernetes.io/docs/reference/access-authn-authz/authorization/"""
    resource = f"{place.kind.plural}/{place.subresource}" if place.subresource else place.kind.plural
    return Access(request.user, _verb(request, place), place.kind.group, resource, place.namespace, place.name)


def authorize(store: Store, request: Request, place: Place) -> None:
    """Raise `Refused` (403) when no role lets the user do this."""
    wanted = access(request, place)
    if not may(store, wanted):
        raise wanted.refused


def may(store: Store, wanted: Access) -> bool:
    """True when a role allows it, or the administrator asks."""
    return not wanted.user or any(_allows(rule, wanted) for rule in rules_of(store, wanted.user, wanted.namespace))


def rules_of(store: Store, user: str, namespace: str) -> Iterator[Object]:
    """The rules of every role that a user has in a namespace; in the whole cluster where it is empty."""
    bindings = store.select(CLUSTER_ROLE_BINDING)
    if namespace:
        bindings = [*bindings, *store.select(ROLE_BINDING, namespace)]
    for binding in bindings:
        if any(_is(subject, user) for subject in binding.get("subjects") or ()):
            yield from rules_bound(store, binding)


def rules_bound(store: Store, binding: Object) -> tuple[Object, ...]:
    """The rules of the role that a binding refers to; none where there is no such role."""
    reference = binding.get("roleRef") or {}
    kind = ROLE if reference.get("kind") == "Role" else CLUSTER_ROLE
    role = store.find(kind, namespace_of(binding), str(reference.get("name")))
    return tuple((role or {}).get("rules") or ())


def check_grants(store: Store, user: str, kind: ResourceKind, obj: Object) -> None:
    """Raise `Refused` (403) when a role or binding would give away more than its maker has.

    https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
    """
    if not user or kind.group != CLUSTER_ROLE.group:
        return
    given = rules_bound(store, obj) if kind in (ROLE_BINDING, CLUSTER_ROLE_BINDING) else obj.get("rules") or ()
    held = list(rules_of(store, user, namespace_of(obj)))
    beyond = [rule for rule in given if not covers(held, rule)]
    if beyond:
        listed = "\n".join(compact(rule) for rule in beyond)
        groups = " ".join(compact(group) for group in _groups(user))
        why = f'user "{user}" (groups=[{groups}]) is attempting to grant RBAC permissions not currently held'
        raise forbidden(kind, name_of(obj), f"{why}:\n{listed}")


def covers(held: list[Object], rule: Object) -> bool:
    """True when somebody who holds some rules holds another rule's rights as well."""
    return all(
        any(_allows(one, Access("", verb, group, resource)) for one in held)
        for group in rule.get("apiGroups") or ()
        for resource in rule.get("resources") or ()
        for verb in rule.get("verbs") or ()
    )


def _verb(request: Request, place: Place) -> str:
    if request.method == "GET":
        if request.flag("watch"):
            return "watch"
        return "get" if place.name else "list"
    if request.method == "DELETE":
        return "delete" if place.name else "deletecollection"
    return _VERBS.get(request.method, request.method.lower())


def _allows(rule: Object, wanted: Access) -> bool:
    names = rule.get("resourceNames") or ()
    return (
        _holds(rule.get("apiGroups"), wanted.group)
        and (_holds(rule.get("resources"), wanted.resource) or _holds_subresource(rule, wanted))
        and _holds(rule.get("verbs"), wanted.verb)
        and (not names or wanted.name in names)
    )


def _holds_subresource(rule: Object, wanted: Access) -> bool:
    subresource = wanted.resource.partition("/")[2]
    return bool(subresource) and f"*/{subresource}" in (rule.get("resources") or ())


def _holds(listed: list[str] | None, wanted: str) -> bool:
    return "*" in (listed or ()) or wanted in (listed or ())


def _is(subject: Object, user: str) -> bool:
    if subject.get("kind") == "ServiceAccount":
        return user == f"system:serviceaccount:{subject.get('namespace')}:{subject.get('name')}"
    if subject.get("kind") == "Group":
        return subject.get("name") in _groups(user)
    return bool(subject.get("name") == user)


def _groups(user: str) -> tuple[str, ...]:
    """https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/ names a service account's."""
    parts = user.split(":")
    own = ("system:serviceaccounts", f"system:serviceaccounts:{parts[2]}") if len(parts) == 4 else ()
    return ("system:authenticated", *own)
