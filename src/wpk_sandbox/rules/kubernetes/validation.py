"""What the API server checks beyond the schemas: names within an object, and fields that must fit each other.

The checks are those of https://github.com/kubernetes/kubernetes/tree/master/pkg/apis (`validation.go` of each
group), as far as mistakes of people go.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from wpk_sandbox.package.units import quantity
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.kubernetes.problem import Problem
from wpk_sandbox.rules.subject import as_list, as_mapping, escaped

Check = Callable[[Mapping[str, Any], str], Iterator[Problem]]

_KEY = Pattern(r"[-._a-zA-Z0-9]{1,253}")
# A parameter may bring a whole list or mapping: then nothing is missing.
_NOTHING: tuple[Any, ...] = (None, [])
_ZERO = (0, "0", "0%")


def problems(kind: str, value: Mapping[str, Any], pointer: str, *, partial: bool) -> Iterator[Problem]:
    """What is wrong with a value of a type; a patch is a part, of which nobody can say what it lacks."""
    for check in _ALWAYS.get(kind, ()) if partial else (*_ALWAYS.get(kind, ()), *_WHOLE.get(kind, ())):
        yield from check(value, pointer)


def _requests(value: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    limits = as_mapping(value.get("limits"))
    for name, asked in as_mapping(value.get("requests")).items():
        least, most = _amount(asked), _amount(limits.get(name))
        if least is not None and most is not None and least > most:
            message = f"the request of {asked} {name} is more than the limit of {limits[name]}"
            yield Problem(f"{pointer}/requests/{escaped(name)}", message, "Ask for the limit at most, or raise it.")


def _amount(value: Any) -> float | None:
    try:
        return quantity(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
    except ValueError:
        return None


def _keys(value: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    for part in ("data", "stringData", "binaryData"):
        for key in as_mapping(value.get(part)):
            if "${" not in str(key) and not _KEY.fullmatch(str(key)):
                message = f"the key `{str(key)[:60]}` is refused: letters, digits, `-`, `_` and `.` only"
                better = re.sub(r"[^-._a-zA-Z0-9]+", "-", str(key)).strip("-") or "key"
                fix = f"Write `{better}`, and mount it with `items` where its path needs a folder."
                yield Problem(f"{pointer}/{part}/{escaped(key)}", message, fix, at_key=True)


def _ports(value: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    ports = as_list(value.get("ports"))
    if value.get("type") == "ExternalName":
        if not value.get("externalName"):
            yield Problem(pointer, "a Service of `type: ExternalName` lacks `externalName`", "Add it.", at_key=True)
        return
    if value.get("ports") in _NOTHING and value.get("clusterIP") in (None, ""):
        yield Problem(pointer, "the Service lacks `ports`", "Add `ports: [{port: 80}]`.", at_key=True)
    names = [as_mapping(port).get("name") for port in ports]
    for index, name in enumerate(names if len(ports) > 1 else ()):
        if not name:
            message = "of several ports each needs a `name`, and this one has none"
            yield Problem(f"{pointer}/ports/{index}", message, "Add `name: http`, or what it is for.")


def _unique(*lists: str) -> Check:
    """Entries of a list, or of several lists that share their names, with one name."""

    def check(value: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
        seen: set[str] = set()
        for field in lists:
            for index, item in enumerate(as_list(value.get(field))):
                name = as_mapping(item).get("name")
                if isinstance(name, str) and name in seen:
                    message = f"the name `{name}` stands twice in {' and '.join(f'`{each}`' for each in lists)}"
                    yield Problem(f"{pointer}/{field}/{index}/name", message, "Rename one of the two.")
                seen.update([name] if isinstance(name, str) else [])

    return check


def _mount_paths(value: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, mount in enumerate(as_list(value.get("volumeMounts"))):
        path = as_mapping(mount).get("mountPath")
        if isinstance(path, str) and path in seen:
            place = f"{pointer}/volumeMounts/{index}/mountPath"
            yield Problem(place, f"two volumes are mounted at `{path}`", "Mount one of them elsewhere.")
        seen.update([path] if isinstance(path, str) else [])


def _schedule(value: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    from wpk_sandbox.rules.triggers import cron_problem  # noqa: PLC0415 -- few objects have a schedule

    text = value.get("schedule")
    if not isinstance(text, str) or "${" in text:
        return
    six = len(text.split()) == 6 and not text.startswith(("@", "TZ=", "CRON_TZ="))
    problem = "has 6 fields; Kubernetes takes 5, without seconds" if six else cron_problem(text)
    if problem:
        fix = 'Write for example `schedule: "0 4 * * 1"`: minute, hour, day, month, weekday.'
        yield Problem(f"{pointer}/schedule", f"the schedule `{text[:60]}` {problem}", fix)


def _replicas(value: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    least, most = value.get("minReplicas"), value.get("maxReplicas")
    if type(least) is int and type(most) is int and least > most:
        message = f"`minReplicas` is {least}, more than the {most} of `maxReplicas`"
        yield Problem(f"{pointer}/minReplicas", message, "Exchange them.")


def _surge(value: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    if value.get("maxSurge") in _ZERO and value.get("maxUnavailable") in _ZERO:
        message = "with `maxSurge: 0` and `maxUnavailable: 0` no pod could ever be replaced"
        yield Problem(f"{pointer}/maxUnavailable", message, "Let one of them be 1.")


def _accounts(value: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    """In the binding of a namespace an account may go without one; in that of the cluster it may not."""
    for index, subject in enumerate(map(as_mapping, as_list(value.get("subjects")))):
        if subject.get("kind") == "ServiceAccount" and not subject.get("namespace"):
            place = f"{pointer}/subjects/{index}"
            yield Problem(place, "the ServiceAccount lacks its `namespace`", "Add `namespace: …`.", at_key=True)


def _path(value: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    path = value.get("path")
    if value.get("pathType") in ("Exact", "Prefix") and isinstance(path, str) and not path.startswith(("/", "${")):
        yield Problem(
            f"{pointer}/path", f"the path `{path[:60]}` does not begin with `/`", f"Write `/{path[:60]}`."
        )


def _claim(value: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    if value.get("accessModes") in _NOTHING:
        fix = "Add `accessModes: [ReadWriteOnce]`."
        yield Problem(pointer, "the claim lacks `accessModes`", fix, at_key=True)
    resources = value.get("resources")
    asked = resources.get("requests") if isinstance(resources, Mapping) else resources
    if asked is None or (isinstance(asked, Mapping) and asked.get("storage") is None):
        fix = "Add `resources: {requests: {storage: 1Gi}}`."
        yield Problem(pointer, "the claim does not say how much storage it needs", fix, at_key=True)


_ALWAYS: Mapping[str, tuple[Check, ...]] = {
    "core.v1.ResourceRequirements": (_requests,),
    "core.v1.ConfigMap": (_keys,),
    "core.v1.Secret": (_keys,),
    "core.v1.Container": (_mount_paths,),
    "core.v1.PodSpec": (_unique("initContainers", "containers"), _unique("volumes")),
    "batch.v1.CronJobSpec": (_schedule,),
    "autoscaling.v2.HorizontalPodAutoscalerSpec": (_replicas,),
    "autoscaling.v1.HorizontalPodAutoscalerSpec": (_replicas,),
    "apps.v1.RollingUpdateDeployment": (_surge,),
    "networking.v1.HTTPIngressPath": (_path,),
}
_WHOLE: Mapping[str, tuple[Check, ...]] = {
    "core.v1.ServiceSpec": (_ports, _unique("ports")),
    "core.v1.PersistentVolumeClaimSpec": (_claim,),
    "rbac.v1.ClusterRoleBinding": (_accounts,),
}
