"""The table of sandboxes: each is a shell and a cluster; and the choice among them."""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wpk_sandbox.errors import UnavailableError
from wpk_sandbox.sandbox.sandbox import ClusterProvider, SandboxSpec, ShellProvider

SHELL, CLUSTER, KUBECTL, ROOT = "shell", "cluster", "kubectl", "root"


@dataclass(frozen=True)
class SandboxType:
    """A row: where to find the two providers, as `module:name`. Loaded when asked for: some are heavy."""

    name: str
    shell_provider: str
    cluster_provider: str

    def shell(self) -> ShellProvider:
        """The provider of its shells."""
        found: ShellProvider = _load(self.shell_provider)
        return found

    def cluster(self) -> ClusterProvider:
        """The provider of its clusters."""
        found: ClusterProvider = _load(self.cluster_provider)
        return found

    def why_not(self, spec: SandboxSpec, needs: frozenset[str]) -> str | None:
        """Why this host cannot open the halves that are needed; None when it can."""
        reasons = (provider.why_not(spec) for provider in self._needed(needs))
        return next((reason for reason in reasons if reason), None)

    def _needed(self, needs: frozenset[str]) -> Iterator[ShellProvider | ClusterProvider]:
        if SHELL in needs:
            yield self.shell()
        if CLUSTER in needs:
            yield self.cluster()


_LOCAL = "wpk_sandbox.sandbox.shells.local:LOCAL"
_DOCKER = "wpk_sandbox.sandbox.shells.docker:DOCKER"
_QEMU = "wpk_sandbox.sandbox.shells.qemu.provider:QEMU"
_SIMULATED = "wpk_sandbox.sandbox.clusters.simulated:SIMULATED"
_KIND = "wpk_sandbox.sandbox.clusters.kind:KIND"

SANDBOXES: dict[str, SandboxType] = {
    row.name: row
    for row in (
        SandboxType("local", _LOCAL, _SIMULATED),
        SandboxType("container", _DOCKER, _SIMULATED),
        SandboxType("kind", _DOCKER, _KIND),
        SandboxType("vm", _QEMU, _SIMULATED),
    )
}


@dataclass(frozen=True)
class Choice:
    """The sandbox for a package, and why this one."""

    type: SandboxType
    reason: str


def choose(asked: str, needs: frozenset[str], spec: SandboxSpec) -> Choice:
    """The sandbox that was asked for, or for `auto` the strongest that the package needs and the host has.

    Raises `errors.UnavailableError` rather than fall to less isolation than was asked for.
    """
    if asked != "auto":
        if reason := SANDBOXES[asked].why_not(spec, needs):
            raise UnavailableError(f"the sandbox `{asked}` is not to be had here: {reason}", "wpk-sandbox doctor")
        return Choice(SANDBOXES[asked], "asked for")
    refused: list[str] = []
    for name in _candidates(needs):
        reason = SANDBOXES[name].why_not(spec, needs)
        if reason is None:
            return Choice(SANDBOXES[name], "; ".join([f"the strongest here for {_wanted(needs)}", *refused]))
        refused.append(f"{name}: {reason}")
    raise UnavailableError("no sandbox is to be had here: " + "; ".join(refused), "wpk-sandbox doctor")


def _candidates(needs: frozenset[str]) -> tuple[str, ...]:
    if CLUSTER in needs or KUBECTL in needs:
        return ("kind", "container", "local")
    if ROOT in needs:
        return ("vm", "container", "local")
    return ("container", "local") if SHELL in needs else ("local",)


def _wanted(needs: frozenset[str]) -> str:
    if CLUSTER in needs:
        return "a package that acts on a cluster"
    if ROOT in needs:
        return "a package whose commands ask for root"
    return "a package of shell commands" if SHELL in needs else "a package that runs nothing"


def _load(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)
