"""What the Kubernetes actions of a package act on, as far as its text tells."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wpk_sandbox.package.attached import referenced_paths
from wpk_sandbox.package.kinds import resource_kind
from wpk_sandbox.package.package import Document, KubernetesAction, ManifestAction, Step
from wpk_sandbox.package.verbs import VERBS, kinds_for

UNKNOWN = ""
Files = Mapping[str, tuple[Document, ...]]
_NO_FILES: Files = {}
_OBJECTS = ("manifest", "template")


@dataclass(frozen=True)
class Act:
    """One action on one object, or on what a selector or the event names.

    `kinds` are those that it can mean, several where nothing says which; empty where a parameter or a file decides.
    `name` is empty where the event, a selector or a parameter decides; `raw_name` is what was written.
    """

    step: Step
    verb: str
    kinds: tuple[str, ...]
    raw_name: str = ""
    namespace: str = ""
    selector: str = ""
    data: Any = None

    @property
    def name(self) -> str:
        """The name, if it is known."""
        return UNKNOWN if "${" in self.raw_name else self.raw_name

    @property
    def aimed(self) -> bool:
        """True when the author said which object is meant."""
        return bool(self.raw_name or self.selector)

    @property
    def options(self) -> Mapping[str, Any]:
        """The verb's own options; of a manifest none."""
        return self.step.action.options if isinstance(self.step.action, KubernetesAction) else {}

    @property
    def shown(self) -> str:
        """The object for a reader: `Deployment/web`, `a Secret`, `the pods with app=web`."""
        kind = self.kinds[0] if len(self.kinds) == 1 else ""
        if self.raw_name:
            return f"{kind or 'object'}/{self.raw_name}"
        what = f"{kind}s" if kind else "objects"
        return f"the {what} with {self.selector}" if self.selector else f"the {kind or 'object'} of the event"

    def may_be(self, other: "Act") -> bool:
        """True when both can mean the same object; what is not known may be anything."""
        if self.kinds and other.kinds and not set(self.kinds) & set(other.kinds):
            return False
        if self.namespace and other.namespace and self.namespace != other.namespace:
            return "${" in self.namespace + other.namespace
        return not (self.name and other.name and self.name != other.name)


def acts(step: Step, files: Files = _NO_FILES) -> Iterator[Act]:
    """Everything that a step does to Kubernetes objects; nothing for a step that only runs a command.

    `files` are the package's, for the objects that a step names by the path of their file.
    """
    action = step.action
    if isinstance(action, ManifestAction):
        yield _of_manifest(step, "apply", action.manifest)
    elif isinstance(action, KubernetesAction):
        if action.verb in ("apply", "run", "create"):
            yield from _making(step, action, files)
        else:
            yield _on_target(step, action, kinds_for(VERBS[action.verb], action.options))


def _on_target(step: Step, action: KubernetesAction, kinds: tuple[str, ...]) -> Act:
    reference = action.reference
    given, slash, rest = (reference.name or "").partition("/")
    kind, name = (reference.resource_type, reference.name) if not slash else (given, rest)
    written = reference.resource_type or kind
    return Act(
        step,
        action.verb,
        _kinds(written) if written else kinds,
        name or "",
        reference.namespace or "",
        reference.selector or "",
    )


def _kinds(name: str) -> tuple[str, ...]:
    found = resource_kind(name)
    return (found.kind,) if found else ()


def _making(step: Step, action: KubernetesAction, files: Files) -> Iterator[Act]:
    found = list(_objects_of(action, files))
    if found:
        yield from (_of_manifest(step, action.verb, item, action) for item in found)
        return
    if action.verb == "apply":
        yield Act(step, action.verb, ())  # a file that is not there, or one that a parameter names
        return
    template = action.options.get("template")
    job = action.verb == "run" or (isinstance(template, str) and template.lower().startswith(("cronjob/", "job/")))
    yield _on_target(step, action, ("Job",) if job else ())


def _objects_of(action: KubernetesAction, files: Files) -> Iterator[Mapping[str, Any]]:
    """The objects that an action makes: those in its text, else those in the files that it names."""
    for key in _OBJECTS:
        value = action.options.get(key)
        found = list(_flat(value))
        if found:
            yield from found
            return
    for path in referenced_paths(action):
        for document in files.get(path, ()):
            yield from _flat(document.data)


def _flat(value: Any) -> Iterator[Mapping[str, Any]]:
    """The objects of a value: itself, or those of a list in either form."""
    if isinstance(value, list):
        yield from (item for entry in value for item in _flat(entry))
    elif isinstance(value, Mapping):
        items = value.get("items")
        several = str(value.get("kind", "")).endswith("List") and isinstance(items, list)
        yield from _flat(items) if several else (value,)


def _of_manifest(step: Step, verb: str, manifest: Mapping[str, Any], action: KubernetesAction | None = None) -> Act:
    metadata = manifest.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    reference = action.reference if action else None
    kind = str(manifest.get("kind") or (reference and reference.resource_type) or "")
    name = metadata.get("name") or (reference and reference.name) or ""
    namespace = metadata.get("namespace") or (reference and reference.namespace) or ""
    return Act(step, verb, _kinds(kind), str(name), str(namespace), data=manifest)
