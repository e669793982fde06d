"""The two Protocols that every sandbox is made of, and what they are asked for.

A `ShellProvider` opens a `Shell`, where commands run. A `ClusterProvider` opens a `Cluster`, where
Kubernetes calls go. Providers know nothing of packages; the runner knows nothing of Docker, kind or bubblewrap.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from wpk_sandbox.finding import Severity
from wpk_sandbox.sandbox.ledger import Ledger

if TYPE_CHECKING:
    from socket import socket

    from kubernetes.client import ApiClient


@dataclass(frozen=True)
class Limits:
    """What a sandbox may use; the defaults are the specification's. Memory and storage are bytes.

    `cpu`, `memory` and `storage` bound the whole sandbox (a kind node); `step_cpu` and `step_memory` bound the
    shell and each container of a package. `bandwidth` is bits a second, `output` bytes of each stream of a step.
    """

    cpu: float = 2.0
    memory: int = 4 * 1024**3
    storage: int = 10 * 1024**3
    execution_time: float = 1800.0
    bandwidth: int = 100_000_000
    step_cpu: float = 1.0
    step_memory: int = 1024**3
    processes: int = 100
    tmp: int = 100 * 1024**2
    output: int = 1024**2


@dataclass(frozen=True)
class Security:
    """The specification's `security` block."""

    allow_privileged: bool = False
    allow_host_network: bool = False
    allow_host_pid: bool = False
    drop_capabilities: tuple[str, ...] = ("ALL",)
    add_capabilities: tuple[str, ...] = ("NET_BIND_SERVICE",)


class Answer(StrEnum):
    """What became of an attempt to reach something."""

    REFUSED = "refused"
    MOCKED = "mocked"
    ALLOWED = "allowed"
    CLUSTER = "cluster"


@dataclass(frozen=True)
class Attempt:
    """One thing that a command tried to reach, as the gate saw it.

    `protocol` is `dns`, `tcp`, `udp`, `icmp` or an IP protocol's number. `address` is empty for a question about a
    name; `name` is what was asked for, or what the address had been given out for. `process` is the name and the
    number of the process where it could be found. `count` says how often the same was tried.
    """

    protocol: str
    address: str = ""
    port: int | None = None
    name: str = ""
    process: str = ""
    answer: Answer = Answer.REFUSED
    count: int = 1


@dataclass(frozen=True)
class Route:
    """A host and port that the gate answers: a mock, an allowed host, the cluster's API server.

    `host` is a name, which may hold `*` for anything, or an address. `serve` is called in a thread of its own with
    a connected stream; it owns it, and closes it. Whoever connects sees nothing else of the network.
    """

    host: str
    port: int
    answer: Answer
    serve: "Callable[[socket], None]" = field(repr=False, compare=False)


@dataclass(frozen=True)
class Network:
    """What a shell finds in place of a network. Nothing is connected; without routes all attempts fail.

    `record` asks for the gate, which sees each attempt; `gate_image` is an image with Python for it, empty for our
    own. `files` (absolute paths to contents) and `environment` are what commands need to trust the routes.
    """

    routes: tuple[Route, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    record: bool = True
    gate_image: str = ""


@dataclass(frozen=True)
class ShellAccess:
    """How a shell reaches a cluster: by routes through the gate, with files and variables that it is given.

    `files` maps absolute paths to contents.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True)
class SandboxSpec:
    """What a provider needs to know to open.

    `shell_image` is the image of container shells, empty for our own. `node_image` is kind's, empty for the
    newest on the host, else kind's own default. `pull` allows the runner (never the package) to pull an image that
    is missing. `images` are those that pods will need: a cluster may bring them in while it boots. `runtime` names
    the daemon's runtime for container shells, empty for its default. `permissions` are what the package says that
    it needs (`deployments.apps/patch`), None when it says nothing. `vm_kernel` and `vm_image` are paths of what a
    virtual machine boots, empty for a kernel of this host and the shell's image. Timeouts are seconds.
    """

    limits: Limits = Limits()
    security: Security = Security()
    shell_image: str = ""
    node_image: str = ""
    boot_timeout: float = 300.0
    cleanup_timeout: float = 300.0
    force_cleanup: bool = True
    pull: bool = True
    access: ShellAccess | None = None
    images: tuple[str, ...] = ()
    network: Network = Network()
    runtime: str = ""
    permissions: tuple[str, ...] | None = None
    vm_kernel: str = ""
    vm_image: str = ""


class Ended(StrEnum):
    """What ended a command before it ended by itself."""

    DEADLINE = "deadline"
    OUTPUT = "output limit"
    MEMORY = "memory limit"
    PROCESSES = "process limit"
    SHELL_DIED = "shell died"


@dataclass(frozen=True)
class Completed:
    """How a command in a shell ended.

    `exit_code` is None when `ended` says that we ended it. Streams are decoded and cut to the output limit;
    `truncated` says that something was cut. `detail` explains `ended` with numbers.
    """

    exit_code: int | None
    stdout: str
    stderr: str
    seconds: float
    ended: Ended | None = None
    truncated: bool = False
    detail: str = ""


@dataclass(frozen=True)
class Usage:
    """The most that was used: seconds, bytes, processes; None where the host does not tell.

    `throttled_seconds` is how long the CPU limit held it back. `read_bytes` and `written_bytes` went to and from
    disks; `stored_peak` is the most that its files took at one time. `output_bytes` is what a step said, filled in
    by the runner.
    """

    cpu_seconds: float | None = None
    memory_peak: int | None = None
    processes_peak: int | None = None
    throttled_seconds: float | None = None
    read_bytes: int | None = None
    written_bytes: int | None = None
    stored_peak: int | None = None
    out_of_memory: int | None = None
    output_bytes: int | None = None


@dataclass(frozen=True)
class Sample:
    """One look at what is used: `at` is seconds since the sandbox opened, `cpu_seconds` counts since then too."""

    at: float
    cpu_seconds: float = 0.0
    memory: int = 0
    processes: int = 0
    stored: int = 0


class Threat(StrEnum):
    """What kind of thing a security event is, in the specification's words."""

    ESCAPE = "escape attempt"
    NETWORK = "network violation"
    ABUSE = "resource abuse"
    SIGNATURE = "attack signature"


@dataclass(frozen=True)
class SecurityEvent:
    """Something that the sandbox stopped or saw: one line for a reader, and what proves it.

    `process` is the name and the number of the process where it could be found; `count` how often it was seen.
    """

    threat: Threat
    severity: Severity
    message: str
    evidence: str = ""
    process: str = ""
    count: int = 1


@dataclass(frozen=True)
class Observed:
    """What happened in a half of the sandbox since it was last asked: the runner asks after each step.

    `usage` is the total so far, as `usage()` tells it. The last of `samples` is taken as this is asked, so that the
    clocks of several halves can be brought together. Seconds of CPU are those of an `emulated` processor where it
    says so, which is some twenty times slower.
    """

    attempts: tuple[Attempt, ...] = ()
    events: tuple[SecurityEvent, ...] = ()
    samples: tuple[Sample, ...] = ()
    usage: Usage = Usage()
    emulated: bool = False


@dataclass(frozen=True)
class Evidence:
    """One probe made inside before the package runs: what was tried, whether the sandbox held, what was seen."""

    probe: str
    held: bool
    seen: str


class Shell(Protocol):
    """An open shell. All commands share one `/tmp` and one working folder."""

    name: str
    details: str

    def run(self, command: str, *, environment: Mapping[str, str], timeout: float) -> Completed:
        """Run `command` with `sh -c`; never raises for what the command does.

        After a limit the shell is usable again, though its files may be gone.
        Raises `errors.SandboxError` when the sandbox itself is broken.
        """

    def usage(self) -> Usage:
        """The most that was used so far."""

    def observed(self) -> Observed:
        """What happened since this was last asked."""

    def evidence(self) -> tuple[Evidence, ...]:
        """Measure from inside that the shell is closed: user, capabilities, root, network, limits."""


class ShellProvider(Protocol):
    """A way to have a shell."""

    name: str

    def why_not(self, spec: SandboxSpec) -> str | None:
        """Why this host cannot, with the remedy; None when it can. Makes nothing."""

    def open(self, spec: SandboxSpec, ledger: Ledger) -> AbstractContextManager[Shell]:
        """Make the shell; leaving the context removes it. Raises `errors.SandboxError`."""


class Cluster(Protocol):
    """An open cluster."""

    name: str
    details: str
    simulated: bool
    seconds_to_ready: float

    @property
    def api(self) -> "ApiClient":
        """The official client, ready to use, with every right: for what the sandbox does itself."""

    @property
    def acting_api(self) -> "ApiClient":
        """The client for what the package does: it may ask for what `SandboxSpec.permissions` say, and no more."""

    def prepare(self, namespace: str) -> None:
        """Make a namespace that is closed and limited as the specification asks; again does nothing."""

    def load_images(self, images: Iterable[str]) -> tuple[str, ...]:
        """Bring images in from the host's daemon; returns a note for each that could not be had."""

    def shell_access(self) -> ShellAccess | None:
        """How a shell of this run reaches the API and nothing else; None when no shell can."""

    def usage(self) -> Usage:
        """The most that was used so far."""

    def observed(self) -> Observed:
        """What happened since this was last asked."""

    def evidence(self) -> tuple[Evidence, ...]:
        """Measure that the cluster is closed: network, admission, quota."""


class ClusterProvider(Protocol):
    """A way to have a cluster."""

    name: str

    def why_not(self, spec: SandboxSpec) -> str | None:
        """Why this host cannot, with the remedy; None when it can. Makes nothing."""

    def open(self, spec: SandboxSpec, ledger: Ledger) -> AbstractContextManager[Cluster]:
        """Make the cluster; leaving the context removes it. Raises `errors.SandboxError`."""
