"""A WorkflowPackage as facts: what it means, whichever of the two dialects it was written in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from wpk_sandbox.finding import Location
from wpk_sandbox.package.mock import Mock
from wpk_sandbox.package.text import line_of


class RuntimeType(StrEnum):
    """What a package says it runs on; the older words `kubernetes` and `container` are read as these."""

    K8S = "k8s"
    DOCKER = "docker"
    SHELL = "shell"


@dataclass(frozen=True)
class Document:
    """One YAML document with its text and the place of each node.

    `data` holds plain values (str, int, float, bool, None, list, dict). `places` maps a JSON pointer
    (RFC 6901, `/spec/handlers/0/config`) to the place of that value; `keys` to the place of its key.
    """

    path: str
    text: str
    index: int
    data: Any
    places: Mapping[str, Location] = field(repr=False)
    keys: Mapping[str, Location] = field(repr=False)

    def locate(self, pointer: str) -> Location:
        """The place of the value at a pointer, or of its nearest ancestor that exists."""
        while pointer and pointer not in self.places:
            pointer = pointer.rpartition("/")[0]
        return self.places.get(pointer, Location(self.path))

    def locate_key(self, pointer: str) -> Location:
        """The place of the key that a pointer ends in, or of the value where there is no key."""
        return self.keys.get(pointer) or self.locate(pointer)

    def line(self, number: int) -> str:
        """The text of a line, counted from 1; empty beyond the end."""
        return line_of(self.text, number)


@dataclass(frozen=True)
class Reference:
    """What a Kubernetes action names as its target; everything may be missing."""

    resource_type: str | None = None
    name: str | None = None
    namespace: str | None = None
    selector: str | None = None

    @property
    def names_something(self) -> bool:
        """True when the author said which object is meant."""
        return bool(self.name or self.selector)


@dataclass(frozen=True)
class KubernetesAction:
    """Dialect A `type: k8s`: a verb (`restart`, `scale`, …), its target and the verb's own options."""

    verb: str
    reference: Reference
    options: Mapping[str, Any]


@dataclass(frozen=True)
class ShellAction:
    """A command line for `sh -c`."""

    command: str


@dataclass(frozen=True)
class ApiAction:
    """An HTTP call."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    payload: Any = None
    expected_status: tuple[int, ...] = ()


@dataclass(frozen=True)
class ContainerAction:
    """Dialect B `container`: an image, its command, and the rest of a Kubernetes container as written."""

    image: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ManifestAction:
    """Dialect B `kubernetes`: an object to apply; `at` is its pointer within what the author wrote for the step."""

    manifest: Mapping[str, Any]
    at: str = "/kubernetes"


@dataclass(frozen=True)
class ManualAction:
    """A person's decision: `manual: true` or `approval_required: true`."""


@dataclass(frozen=True)
class UnknownAction:
    """Something that we do not understand; its step is skipped, for the reason given."""

    reason: str


Action = (
    KubernetesAction | ShellAction | ApiAction | ContainerAction | ManifestAction | ManualAction | UnknownAction
)


@dataclass(frozen=True)
class Retry:
    """How often a step is tried in all, and the seconds before the second try (doubled for each further one)."""

    max_attempts: int = 1
    backoff: float = 0.0


@dataclass(frozen=True)
class Step:
    """The smallest thing that runs. `pointer` is the JSON pointer of what the author wrote for it."""

    name: str
    action: Action
    pointer: str
    timeout: float | None = None
    retry: Retry = Retry()


@dataclass(frozen=True)
class Handler:
    """Steps that belong together. A dialect A handler has exactly one, of the same name."""

    name: str
    steps: tuple[Step, ...]
    pointer: str
    timeout: float | None = None


@dataclass(frozen=True)
class Rollback:
    """How to undo it. `enabled` without handlers is a hope, and a finding."""

    enabled: bool = False
    handlers: tuple[Handler, ...] = ()


@dataclass(frozen=True)
class Runtime:
    """What the package says it needs: type, a Kubernetes constraint such as `1.28+`, and quantities as written."""

    type: RuntimeType = RuntimeType.K8S
    version: str = ""
    requirements: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Safety:
    """The author's own safety switches; None where nothing was said."""

    mode: str | None = None
    approval_required: bool | None = None
    dry_run_required: bool | None = None
    rollback_enabled: bool | None = None


@dataclass(frozen=True)
class Trigger:
    """When the package fires in production."""

    type: str
    config: Mapping[str, Any]
    pointer: str


@dataclass(frozen=True)
class Package:
    """One WorkflowPackage. `digest` is the SHA-256 of the file's bytes: what was read is what is run.

    `files` are the documents of the files that its actions name (`attached`), by the path as it is written.
    """

    name: str
    version: str
    description: str
    author: str
    tags: tuple[str, ...]
    runtime: Runtime
    safety: Safety
    triggers: tuple[Trigger, ...]
    handlers: tuple[Handler, ...]
    rollback: Rollback
    required_permissions: tuple[str, ...]
    resource_limits: Mapping[str, Any]
    monitoring: Mapping[str, Any]
    document: Document = field(repr=False)
    digest: str = ""
    files: Mapping[str, tuple[Document, ...]] = field(default_factory=dict, repr=False)

    @property
    def path(self) -> str:
        """The file that it was read from."""
        return self.document.path

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of all handlers in order, without those of the rollback."""
        return tuple(step for handler in self.handlers for step in handler.steps)


@dataclass(frozen=True)
class Case:
    """One way to try a package: what the trigger told, the parameters, the objects that exist before, and what the
    outside answers.
    """

    name: str = "default"
    event: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    objects: tuple[Mapping[str, Any], ...] = ()
    mocks: tuple[Mock, ...] = ()
