"""Objects that the API server of the package's own Kubernetes release would refuse, or soon will."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from wpk_sandbox.finding import Finding, Rule, Severity
from wpk_sandbox.package.kinds import ResourceKind, resource_kind
from wpk_sandbox.package.package import ContainerAction, KubernetesAction, ManifestAction, Step
from wpk_sandbox.rules.kubernetes import agreement, naming, schemas
from wpk_sandbox.rules.kubernetes.problem import Problem
from wpk_sandbox.rules.kubernetes.release import Release, release
from wpk_sandbox.rules.kubernetes.removals import Removal, removal
from wpk_sandbox.rules.kubernetes.walk import Walk
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.subject import Manifest, Subject, as_list, as_mapping, manifests_of

INVALID = Rule(
    "manifest-invalid",
    Severity.HIGH,
    "Kubernetes refuses an object of the package",
    "A field that does not exist, has the wrong type or is missing makes the API server refuse the object, or drop"
    " what was meant. The runbook then fails in the middle of an incident, when its first steps have changed"
    " things already.",
    "Write the field as the API reference of the release in `runtime.version` has it.",
    cwe=20,
    points=POINTS[Severity.HIGH],
)
REMOVED = Rule(
    "api-removed",
    Severity.HIGH,
    "An object uses an API version that Kubernetes no longer serves",
    "The API server answers `no matches for kind`, and the step fails in every release since the one that removed"
    " it.",
    "Use the API version that took its place; the deprecation guide of Kubernetes tells which fields changed.",
    cwe=477,
    points=POINTS[Severity.HIGH],
)
DEPRECATED = Rule(
    "api-deprecated",
    Severity.MEDIUM,
    "An object uses an API version that Kubernetes is giving up",
    "It works today. After an upgrade of the cluster the runbook fails, and nobody notices before it is needed.",
    "Use the API version that takes its place now: both are served until the removal.",
    cwe=477,
    points=POINTS[Severity.MEDIUM],
)

RULES = (INVALID, REMOVED, DEPRECATED)

_MOST_PROBLEMS = 20
# Members of an object that an action of `create` or `patch` writes beside its verb.
_LITERAL_MEMBERS = ("data", "stringData", "spec", "type", "rules", "roleRef", "subjects")
_KEYED_DATA = ("ConfigMap", "Secret")


@dataclass(frozen=True)
class _Object:
    """An object with its pointer, and whether its step gives it its name."""

    data: Mapping[str, Any]
    pointer: str
    named_by_step: bool


class _Examined:
    """A package's objects, held against the release that it runs on."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    @cached_property
    def release(self) -> Release:
        return release(self.subject.package.runtime.version)

    def step(self, step: Step) -> Iterator[Finding]:
        action = step.action
        if isinstance(action, ContainerAction):
            # The name of a step's container is the step's.
            named = {"name": "main", **action.raw}
            yield from self._problems(named, "core.v1.Container", f"{step.pointer}/container", "the container")
        elif isinstance(action, ManifestAction):
            for manifest in manifests_of(step):
                yield from self._manifest(manifest, named_by_step=False)
        elif isinstance(action, KubernetesAction):
            yield from self._action(step, action)

    def _action(self, step: Step, action: KubernetesAction) -> Iterator[Finding]:
        for manifest in manifests_of(step):
            key = manifest.pointer.rpartition("/")[2]
            if key in ("manifest", "template") or (key == "job" and "kind" in as_mapping(manifest.data)):
                yield from self._manifest(manifest, named_by_step=key != "manifest")
        known = resource_kind(action.reference.resource_type or "")
        if known and action.verb == "create" and not action.options.get("template"):
            members = {key: action.options[key] for key in _LITERAL_MEMBERS if key in action.options}
            if known.kind == "Secret":
                members.pop("data", None)  # plain text here: the step encodes it
            yield from self._part(members, known, f"{step.pointer}/config")
        elif known and action.verb == "patch" and known.kind not in _KEYED_DATA:
            for manifest in manifests_of(step):
                if isinstance(manifest.data, list):  # the operations of a JSON patch
                    for index, item in enumerate(manifest.data):
                        yield from self._part(item, known, f"{manifest.pointer}/{index}")
                else:
                    yield from self._part(manifest.data, known, manifest.pointer)

    def _part(self, data: Any, known: ResourceKind, pointer: str) -> Iterator[Finding]:
        type_name = schemas.of_kind(known.api_version, known.kind, self.release.schema)
        if type_name:
            yield from self._problems(data, type_name, pointer, f"the {known.kind}", partial=True)

    def _manifest(self, manifest: Manifest, *, named_by_step: bool) -> Iterator[Finding]:
        for each in _objects(manifest.data, manifest.pointer, named_by_step=named_by_step):
            yield from self._object(each)

    def _object(self, each: _Object) -> Iterator[Finding]:
        missing = [field for field in ("apiVersion", "kind") if not each.data.get(field)]
        if missing:
            message = f"the object lacks {' and '.join(f'`{field}`' for field in missing)}"
            fix = "Write both, such as `apiVersion: apps/v1` and `kind: Deployment`."
            yield self._finding(Problem(each.pointer, message, fix, at_key=True))
            return
        api_version, kind = each.data["apiVersion"], each.data["kind"]
        if not isinstance(api_version, str) or not isinstance(kind, str) or "${" in api_version + kind:
            return
        given_up = removal(api_version, kind)
        if given_up:
            yield from self._given_up(each, given_up)
        type_name = schemas.of_kind(api_version, kind, self.release.schema)
        if type_name:
            yield from self._problems(each.data, type_name, each.pointer, f"the {kind}")
            yield from self._name(each, kind)
            for part in (naming, agreement):
                yield from map(self._finding, part.problems(kind, each.data, each.pointer))
        elif not given_up:
            yield from self._unknown_kind(each, api_version, kind)

    def _given_up(self, each: _Object, given_up: Removal) -> Iterator[Finding]:
        oldest, gone = self.release, given_up.removed
        name = f"{each.data['kind']} of {each.data['apiVersion']}"
        fix = f"Write `apiVersion: {given_up.replacement}`." if given_up.replacement else ""
        if each.data["kind"] == "Endpoints":
            fix = "Write an EndpointSlice of `discovery.k8s.io/v1`."
        elif each.data["kind"] == "PodSecurityPolicy":
            fix = (
                "Label the namespace for Pod Security Admission: `pod-security.kubernetes.io/enforce: restricted`."
            )
        place = f"{each.pointer}/apiVersion"
        if gone is not None and gone <= oldest.minor:
            message = f"{name} was removed in Kubernetes 1.{gone}"
            yield self.subject.finding(REMOVED, place, message, fix)
        elif given_up.deprecated <= oldest.minor or (gone is not None and oldest.newer):
            when = f", and removed in 1.{gone}" if gone is not None else ""
            message = f"{name} is deprecated since Kubernetes 1.{given_up.deprecated}{when}"
            yield self.subject.finding(DEPRECATED, place, message, fix)

    def _unknown_kind(self, each: _Object, api_version: str, kind: str) -> Iterator[Finding]:
        """A kind that is not served: only in the groups of Kubernetes itself; others define what they like.

        Others have a domain for a group, so a group without a dot is one of Kubernetes, or a slip.
        """
        group = api_version.rpartition("/")[0]
        places = schemas.served(kind)
        if "." in group and group not in schemas.groups():
            return
        minor = self.release.schema
        now = [place for place, first, last in places if first <= minor <= last]
        later = [(first, place) for place, first, _ in places if place == api_version and first > minor]
        near = get_close_matches(kind, schemas.kinds_of(api_version), n=1, cutoff=0.6)
        if later:
            message = f"{kind} of {api_version} came with Kubernetes 1.{later[0][0]}"
            fix = f'Write `runtime: {{version: "1.{later[0][0]}+"}}`' + (f", or use {now[0]}." if now else ".")
        elif now:
            message, fix = f"{api_version} has no {kind}", f"Write `apiVersion: {now[-1]}`."
        else:
            message, fix = f"{api_version} has no {kind}", f"Write `kind: {near[0]}`." if near else ""
        field = "apiVersion" if now or later else "kind"
        yield self._finding(Problem(f"{each.pointer}/{field}", f"{message} ({self.release})", fix))

    def _name(self, each: _Object, kind: str) -> Iterator[Finding]:
        metadata = as_mapping(each.data.get("metadata"))
        if not each.named_by_step and not metadata.get("name") and not metadata.get("generateName"):
            place = f"{each.pointer}/metadata" if "metadata" in each.data else each.pointer
            yield self._finding(
                Problem(place, f"the {kind} lacks `metadata.name`", "Add `metadata: {name: …}`.", at_key=True)
            )

    def _problems(
        self, data: Any, type_name: str, pointer: str, name: str, *, partial: bool = False
    ) -> Iterator[Finding]:
        problems = Walk(self.release.schema, partial).problems(data, type_name, pointer, name)
        for _, problem in zip(range(_MOST_PROBLEMS), problems, strict=False):
            yield self._finding(problem)

    def _finding(self, problem: Problem) -> Finding:
        return self.subject.finding(INVALID, problem.pointer, problem.message, problem.fix, key=problem.at_key)


def check(subject: Subject) -> Iterator[Finding]:
    """Objects, containers and patches that the package's Kubernetes refuses, or will."""
    examined = _Examined(subject)
    for step in subject.steps:
        yield from examined.step(step)


def _objects(data: Any, pointer: str, *, named_by_step: bool) -> Iterator[_Object]:
    """The objects of a manifest: itself, or those of a list in either form."""
    if isinstance(data, list):
        for index, item in enumerate(data):
            yield from _objects(item, f"{pointer}/{index}", named_by_step=named_by_step)
    elif isinstance(data, Mapping):
        if str(data.get("kind", "")).endswith("List") and isinstance(data.get("items"), list):
            for index, item in enumerate(as_list(data["items"])):
                yield from _objects(item, f"{pointer}/items/{index}", named_by_step=named_by_step)
        else:
            yield _Object(data, pointer, named_by_step)
