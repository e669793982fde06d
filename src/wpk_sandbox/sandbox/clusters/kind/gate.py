"""The gate: a container on the cluster's network that can call the API server and nothing else.

A shell joins its network namespace. The shell has no capability, so it cannot change the rules that hold there.
"""

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wpk_sandbox import command
from wpk_sandbox.command import CommandResult
from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.clusters.kind import firewall, probes
from wpk_sandbox.sandbox.clusters.kind.boot import Booted
from wpk_sandbox.sandbox.clusters.kind.connection import SERVER_NAME
from wpk_sandbox.sandbox.clusters.kind.tunnel import API_PORT
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import Evidence, Limits, ShellAccess

KUBECONFIG = "/workspace/.kube/config"
EXEC_TIMEOUT = 15.0
START_TIMEOUT = 10.0

# As process 1, a shell outlives signals that it does not handle, and reaps what was left to it.
_STAY = "while :; do sleep 3600; done"


@dataclass(frozen=True)
class Gate:
    """An open gate by its container's id, and the address that it lets through."""

    container: str
    address: str

    def access(self, authority: Path, token: str, namespace: str) -> ShellAccess:
        """What a shell is given to call the API as a service account."""
        kubeconfig = kubeconfig_text(self.address, authority.read_text(encoding="ascii"), token, namespace)
        return ShellAccess(f"container:{self.container}", {KUBECONFIG: kubeconfig}, {"KUBECONFIG": KUBECONFIG})

    def wait_until_closed(self) -> None:
        """Return when the rules hold; no shell may join before. Raises `SandboxError`."""
        until = time.monotonic() + START_TIMEOUT
        while True:
            listed = self._run("nft", "list", "table", "inet", firewall.TABLE)
            if listed.ok:
                return
            if time.monotonic() >= until:
                raise SandboxError(f"the gate did not close: {self._last_words() or listed.stderr.strip()}")
            time.sleep(0.05)

    def evidence(self) -> tuple[Evidence, ...]:
        """Try from the gate's own network namespace: the API server answers, and nothing else does."""
        targets = {"api": (self.address, API_PORT), "resolver": (firewall.DOCKER_RESOLVER, 53), **probes.OUTSIDE}
        answers = self._run("bash", "-c", probes.script(targets)).stdout
        return (probes.evidence("reach from a shell anything but the API server", answers, reachable="api"),)

    def _run(self, *argv: str) -> CommandResult:
        return command.run(["docker", "exec", self.container, *argv], timeout=EXEC_TIMEOUT)

    def _last_words(self) -> str:
        logs = command.run(["docker", "logs", "--tail", "5", self.container], timeout=EXEC_TIMEOUT)
        return f"{logs.stdout}{logs.stderr}".strip()


@contextmanager
def opened_gate(cluster: Booted, ledger: Ledger, limits: Limits) -> Iterator[Gate]:
    """Open a gate; leaving the block removes it. Raises `errors.UnavailableError`."""
    api = daemon.client().api
    rules = firewall.gate_rules(cluster.node.address, API_PORT)
    # Shaping is a bound, not a wall: a kernel without it must not keep the gate from closing.
    script = f"set -e; nft '{rules}'; {firewall.shaping(limits.bandwidth)} || true; {_STAY}"
    options = {
        "entrypoint": ["bash", "-c", script],
        "healthcheck": {"test": ["NONE"]},
        "host_config": api.create_host_config(
            network_mode=cluster.name,
            cap_drop=["ALL"],
            cap_add=["NET_ADMIN"],
            security_opt=["no-new-privileges"],
            read_only=True,
            pids_limit=32,
            mem_limit=64 * 1024**2,
        ),
    }
    with daemon.container(ledger, f"{cluster.name}-gate", cluster.image, **options) as identifier:
        with daemon.translated("start the gate"):
            api.start(identifier)
        gate = Gate(identifier, cluster.node.address)
        gate.wait_until_closed()
        yield gate


def kubeconfig_text(address: str, authority: str, token: str, namespace: str) -> str:
    """A kubeconfig with everything in it. JSON is YAML, and leaves nothing to quote."""
    cluster = {
        "server": f"https://{address}:{API_PORT}",
        "tls-server-name": SERVER_NAME,
        "certificate-authority-data": base64.b64encode(authority.encode()).decode(),
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "sandbox", "cluster": cluster}],
        "users": [{"name": "sandbox", "user": {"token": token}}],
        "contexts": [
            {"name": "sandbox", "context": {"cluster": "sandbox", "user": "sandbox", "namespace": namespace}}
        ],
        "current-context": "sandbox",
    }
    return json.dumps(document, indent=1)
