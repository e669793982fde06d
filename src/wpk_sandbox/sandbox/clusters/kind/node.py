"""The container that is the whole cluster: running programs in it, bounding it, asking what it used."""

from dataclasses import dataclass
from typing import Any

from wpk_sandbox import command
from wpk_sandbox.command import CommandResult
from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.sandbox import Limits

EXEC_TIMEOUT = 30.0
DIAGNOSTICS_TIMEOUT = 10.0

# What the control plane runs by itself are about 200 threads; a pod is given the processes of a step.
CONTROL_PLANE_PROCESSES = 1024
PODS = 10

ADMIN_KUBECONFIG = "/etc/kubernetes/admin.conf"


@dataclass(frozen=True)
class Node:
    """A node by its container's name, and its IPv4 address on the cluster's own network."""

    name: str
    address: str

    def run(self, *argv: str, stdin: bytes = b"", timeout: float = EXEC_TIMEOUT) -> CommandResult:
        """Run a program inside."""
        interactive = ["-i"] if stdin else []
        return command.run(["docker", "exec", *interactive, self.name, *argv], stdin=stdin, timeout=timeout)

    def limit(self, limits: Limits) -> None:
        """Bound the node, pods and control plane together. Raises `errors.UnavailableError`.

        Done when it has booted: the boot is ours, and need not be slow.
        """
        cpus = min(limits.cpu, float(daemon_info().get("NCPU", limits.cpu)))
        bounds = {
            "cpus": f"{cpus:g}",
            "memory": str(limits.memory),
            "memory-swap": str(limits.memory),
            "pids-limit": str(processes(limits)),
        }
        flags = [f"--{name}={value}" for name, value in bounds.items()]
        command.run(["docker", "update", *flags, self.name], timeout=EXEC_TIMEOUT).require()

    def end(self) -> None:
        """Kill it with all that is in it; what was made for it is removed as ever."""
        command.run(["docker", "kill", self.name], timeout=EXEC_TIMEOUT)

    def diagnostics(self) -> str:
        """What the node and the cluster say about themselves, for the tail of an error; empty when it is gone."""
        asked = {
            "the node's log": ["docker", "logs", "--tail", "15", self.name],
            "the kubelet's log": [
                "docker",
                "exec",
                self.name,
                "journalctl",
                "-u",
                "kubelet",
                "-n",
                "15",
                "--no-pager",
            ],
            "events": [
                *("docker", "exec", self.name, "kubectl", f"--kubeconfig={ADMIN_KUBECONFIG}", "get", "events"),
                *("--all-namespaces", "--sort-by=.lastTimestamp", "--request-timeout=5s"),
            ],
        }
        answers = {title: command.run(argv, timeout=DIAGNOSTICS_TIMEOUT) for title, argv in asked.items()}
        tails = {
            title: "\n".join(f"{a.stdout}{a.stderr}".strip().splitlines()[-15:]) for title, a in answers.items()
        }
        return "\n".join(f"--- {title}\n{tail}" for title, tail in tails.items() if tail)


def processes(limits: Limits) -> int:
    """How many processes and threads a node may have."""
    return CONTROL_PLANE_PROCESSES + PODS * limits.processes


def daemon_info() -> dict[str, Any]:
    """What the daemon tells of its machine. Raises `errors.UnavailableError`."""
    with daemon.translated("ask the daemon about its machine"):
        return dict(daemon.client().info())
