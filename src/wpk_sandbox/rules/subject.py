"""What the rules examine: a package, its scripts parsed and its Kubernetes objects found, once for all rules."""

import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from wpk_sandbox.finding import Finding, Location, Rule
from wpk_sandbox.package.package import (
    Case,
    ContainerAction,
    Handler,
    KubernetesAction,
    ManifestAction,
    Package,
    ShellAction,
    Step,
)
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.place import Places, Span
from wpk_sandbox.rules.policy import Policy
from wpk_sandbox.rules.shell import parser, syntax
from wpk_sandbox.rules.shell.parser import Budget
from wpk_sandbox.rules.shell.syntax import Script

_MANIFEST_OPTIONS = ("manifest", "template", "data", "spec", "job", "pod", "container", "containers")
# What describes objects, and is none: the schema of a custom resource, the pattern of an admission policy.
_DESCRIPTIONS = frozenset({"openAPIV3Schema", "pattern", "anyPattern"})
# What the node runs in a container beside its command.
_HOOKS = (
    "lifecycle/postStart/exec",
    "lifecycle/preStop/exec",
    "livenessProbe/exec",
    "readinessProbe/exec",
    "startupProbe/exec",
)
# Kinds whose contents are anybody's text, and where it stands.
_FREE = ("ConfigMap", "Secret")
_FREE_CONTENTS = ("data", "stringData", "binaryData")
_SHEBANG = Pattern(r"#!\s*(?:/\S*/)?(?:env\s+(?:-\S+\s+)*)?(?:ba|da|a|k|z)?sh\b")
_CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")


@dataclass(frozen=True)
class ShellText:
    """A script where it stands in the file: one text value, or the arguments of a container one after another."""

    script: Script
    step: Step
    pointers: tuple[str, ...]
    texts: tuple[str, ...]

    def part(self, span: Span) -> tuple[str, str, Span]:
        """The pointer, the text and the range in it of a range of the script."""
        starts = [0]
        for text in self.texts[:-1]:
            starts.append(starts[-1] + len(text) + 1)
        index = bisect_right(starts, span[0]) - 1
        start = starts[index]
        return self.pointers[index], self.texts[index], (span[0] - start, span[1] - start)


@dataclass(frozen=True)
class Manifest:
    """Kubernetes data in the package: an object, a list of them, or (`whole` is False) a part that is merged in."""

    data: Any
    pointer: str
    whole: bool = True

    def mappings(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Every mapping in it with its pointer, except the free contents of ConfigMaps and Secrets."""
        yield from _mappings(self.data, self.pointer)

    def containers(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Every container in it with its pointer."""
        for pointer, mapping in self.mappings():
            for key in _CONTAINER_LISTS:
                for index, item in enumerate(as_list(mapping.get(key))):
                    if isinstance(item, Mapping):
                        yield f"{pointer}/{key}/{index}", item


class Subject:
    """A package under examination."""

    def __init__(self, package: Package, policy: Policy, cases: Sequence[Case] = ()) -> None:
        self.package, self.policy, self.cases = package, policy, tuple(cases)
        self.places = Places(package.document)

    @cached_property
    def handlers(self) -> tuple[Handler, ...]:
        """All handlers, those of the rollback last."""
        return (*self.package.handlers, *self.package.rollback.handlers)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """All steps, those of the rollback last."""
        return tuple(step for handler in self.handlers for step in handler.steps)

    @cached_property
    def scripts(self) -> tuple[ShellText, ...]:
        """Every script: of shell steps, and what containers are told to run."""
        return tuple(script for step in self.steps for script in self._scripts(step))

    @cached_property
    def manifests(self) -> tuple[Manifest, ...]:
        """Every piece of Kubernetes data: manifests, templates and patches."""
        return tuple(manifest for step in self.steps for manifest in manifests_of(step))

    @cached_property
    def containers(self) -> tuple[tuple[str, Mapping[str, Any], bool], ...]:
        """Every container with its pointer, and whether it is written in full."""
        found: list[tuple[str, Mapping[str, Any], bool]] = []
        for step in self.steps:
            if isinstance(step.action, ContainerAction):
                found.append((f"{step.pointer}/container", step.action.raw, True))
        for manifest in self.manifests:
            found += [(pointer, container, manifest.whole) for pointer, container in manifest.containers()]
        return tuple(found)

    def mappings(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Every mapping of Kubernetes data, the containers of container steps among them."""
        for step in self.steps:
            if isinstance(step.action, ContainerAction):
                yield from _mappings(step.action.raw, f"{step.pointer}/container")
        for manifest in self.manifests:
            yield from manifest.mappings()

    def finding(self, rule: Rule, pointer: str, message: str, fix: str = "", *, key: bool = False) -> Finding:
        """A finding at the value of a pointer, or at its key."""
        document = self.package.document
        return rule.at(document.locate_key(pointer) if key else document.locate(pointer), message, fix=fix)

    def in_script(self, rule: Rule, text: ShellText, span: Span, message: str, fix: str = "") -> Finding:
        """A finding at a range of a script."""
        pointer, value, part = text.part(span)
        return rule.at(self.places.locate(pointer, value, part), message, fix=fix)

    def in_text(self, rule: Rule, pointer: str, value: str, span: Span, message: str, fix: str = "") -> Finding:
        """A finding at a range of a text value."""
        return rule.at(self.places.locate(pointer, value, span), message, fix=fix)

    def asks(self, step: Step) -> bool:
        """True for a step that a person approves before it runs."""
        written = self.written(step.pointer)
        return isinstance(written, Mapping) and written.get("approval_required") is True

    def written(self, pointer: str) -> Any:
        """The value at a pointer as the author wrote it; None if there is none."""
        value: Any = self.package.document.data
        for part in pointer.split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            if isinstance(value, list):
                value = value[int(key)] if key.isdecimal() and int(key) < len(value) else None
            else:
                value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def location(self, pointer: str) -> Location:
        """The place of a value."""
        return self.package.document.locate(pointer)

    @cached_property
    def _budget(self) -> Budget:
        """What its scripts may cost: its share of what those of the whole file may."""
        document = self.package.document
        start, end = self.places.range(document.locate(""))
        return parser.shared(end - start, len(document.text))

    def _scripts(self, step: Step) -> Iterator[ShellText]:
        action = step.action
        if isinstance(action, ShellAction):
            pointer = self._first(step.pointer, ("shell/command", "config/command"))
            yield ShellText(syntax.read(action.command, self._budget), step, (pointer,), (action.command,))
        elif isinstance(action, ContainerAction):
            yield from self._arguments(step, f"{step.pointer}/container", action.raw)
        else:
            for manifest in manifests_of(step):
                for pointer, container in manifest.containers():
                    yield from self._arguments(step, pointer, container)
                yield from self._kept(step, manifest)

    def _kept(self, step: Step, manifest: Manifest) -> Iterator[ShellText]:
        """The shell scripts in ConfigMaps and Secrets, which containers mount and run."""
        for pointer, mapping in manifest.mappings():
            for key in _FREE_CONTENTS if mapping.get("kind") in _FREE else ():
                for name, value in as_mapping(mapping.get(key)).items():
                    if isinstance(value, str) and _SHEBANG.match(value):
                        place = f"{pointer}/{key}/{escaped(name)}"
                        yield ShellText(syntax.read(value, self._budget), step, (place,), (value,))

    def _arguments(self, step: Step, pointer: str, container: Mapping[str, Any]) -> Iterator[ShellText]:
        """What runs in a container: its own command, and those of its probes and hooks."""
        yield from self._command(step, pointer, container)
        for hook in _HOOKS:
            part: Any = container
            for key in hook.split("/"):
                part = as_mapping(part).get(key)
            yield from self._command(step, f"{pointer}/{hook}", as_mapping(part))

    def _command(self, step: Step, pointer: str, container: Mapping[str, Any]) -> Iterator[ShellText]:
        """A `command`, then its `args`."""
        pointers: list[str] = []
        texts: list[str] = []
        for key in ("command", "args"):
            for index, argument in enumerate(as_list(container.get(key))):
                if isinstance(argument, str):
                    pointers.append(f"{pointer}/{key}/{index}")
                    texts.append(argument)
        if texts:
            yield ShellText(syntax.read_arguments(texts, self._budget), step, tuple(pointers), tuple(texts))

    def _first(self, pointer: str, endings: Sequence[str]) -> str:
        places = self.package.document.places
        return next((f"{pointer}/{ending}" for ending in endings if f"{pointer}/{ending}" in places), pointer)


def manifests_of(step: Step) -> Iterator[Manifest]:
    """The Kubernetes data of a step: what it applies, makes or merges in."""
    action = step.action
    if isinstance(action, ManifestAction):
        yield Manifest(action.manifest, f"{step.pointer}{action.at}")
    elif isinstance(action, KubernetesAction):
        for key, value in action.options.items():
            if key in _MANIFEST_OPTIONS:
                data = _data(value)
                if data is not None:
                    yield Manifest(data, f"{step.pointer}/config/{key}", whole=action.verb != "patch")


def _data(value: Any) -> Any:
    """A mapping or list; JSON text is read, and a JSON patch becomes the fields that it sets."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    if isinstance(value, list):
        return [_patched(item) for item in value]
    return value if isinstance(value, Mapping) else None


def _patched(item: Any) -> Any:
    """An operation of a JSON patch (RFC 6902) as the mapping that it sets; anything else as it is."""
    if not isinstance(item, Mapping) or "op" not in item or not isinstance(item.get("path"), str):
        return item
    value = item.get("value")
    for part in reversed(item["path"].strip("/").split("/")):
        value = [value] if part.isdigit() or part == "-" else {part.replace("~1", "/"): value}
    return value


def _mappings(data: Any, pointer: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(data, Mapping):
        yield pointer, data
        free = data.get("kind") in _FREE
        for key, value in data.items():
            if key in _DESCRIPTIONS:
                continue
            if isinstance(value, Mapping | list) and not (free and key in _FREE_CONTENTS):
                yield from _mappings(value, f"{pointer}/{escaped(key)}")
    elif isinstance(data, list):
        for index, item in enumerate(data):
            yield from _mappings(item, f"{pointer}/{index}")


def as_list(value: Any) -> list[Any]:
    """The value, if it is a list."""
    return value if isinstance(value, list) else []


def as_mapping(value: Any) -> Mapping[str, Any]:
    """The value, if it is a mapping."""
    return value if isinstance(value, Mapping) else {}


def escaped(key: object) -> str:
    """A key as a part of a JSON pointer (RFC 6901)."""
    return str(key).replace("~", "~0").replace("/", "~1")
