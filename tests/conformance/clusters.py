"""Number 55 in a real cluster: what its walls say to objects and calls, and what an admin is told of the same."""

import json
import re
import shlex
import subprocess
import time
from collections.abc import Mapping
from typing import Any

from host import Host
from judging import Findings
from model import Attempt, Told
from objects import CALLS, NEW_NAMESPACE, OBJECTS, Call
from sandboxes import NAMESPACE, Sandbox, Tried

from wpk_sandbox.run.result import StepResult, StepStatus
from wpk_sandbox.sandbox.clusters.kind import firewall

SIMULATED = "the cluster is simulated: no pod runs, nothing is called, and all of it goes with the process"
CONTROL = "wpk-control"
_REFUSALS = r"forbidden|violates|denied|not allowed|refused|may not|unauthorized|cannot|invalid|Invalid"


_PULL = ("timeout", "10", "ctr", "--namespace=k8s.io", "images", "pull")
PULLS = Attempt(30, "image-name-as-a-way-out")


def refused(sandbox: Sandbox, host: Host, findings: Findings) -> None:
    """Every object and call; then, with the walls taken down, its control."""
    node = Node(re.search(r" as (\S+?),", " ".join(sandbox.details)))
    objects = {manifest["metadata"]["name"]: manifest for manifest in OBJECTS}
    tried = {name: _applied(sandbox, name, manifest) for name, manifest in objects.items()}
    tried |= {call.name: _as_tried(sandbox.run([(call.name, call.command, 20)])[0]) for call in CALLS}
    pulled = node.pull(host)
    node.take_walls_down()
    control = {name: node.takes(manifest) for name, manifest in objects.items()}
    control |= {call.name: node.may(call) for call in CALLS}
    findings.add(PULLS, sandbox.name, Tried(pulled), node.pull(host))
    for name, one in tried.items():
        findings.add(Attempt(55, name, _REFUSALS), sandbox.name, one, control[name])


def not_here(column: str, findings: Findings, reason: str = SIMULATED) -> None:
    """What has no meaning where nothing runs."""
    for name in (*(manifest["metadata"]["name"] for manifest in OBJECTS), *(call.name for call in CALLS)):
        findings.none(55, name, column, reason)
    findings.none(30, PULLS.name, column, reason)


class Node:
    """The node as its owner sees it, who may do everything."""

    def __init__(self, named: "re.Match[str] | None") -> None:
        if named is None:
            raise RuntimeError("the cluster does not tell its name")
        self._container = f"{named[1]}-control-plane"

    def admin(self, *arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """Call the API with all rights."""
        argv = ["docker", "exec", "--interactive", self._container, "kubectl"]
        argv += ["--kubeconfig=/etc/kubernetes/admin.conf", *arguments]
        return subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=60, check=False)

    def take_walls_down(self) -> None:
        """Remove what refuses objects of everybody; the cluster is of no other use afterwards."""
        self.admin("delete", "validatingadmissionpolicybindings", "--all")
        self.admin("create", "namespace", CONTROL)
        self._in("nft", "delete", "table", "inet", firewall.TABLE)
        until = time.monotonic() + 10
        probe = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "probe", "namespace": CONTROL}}
        probe["spec"] = {"type": "NodePort", "ports": [{"port": 80}]}
        while self.takes(probe).outcome != "open" and time.monotonic() < until:
            time.sleep(0.5)

    def takes(self, manifest: Mapping[str, Any]) -> Told:
        """Whether the cluster would take the object in a namespace that nobody prepared; nothing is made."""
        freed = json.loads(json.dumps(manifest))
        if freed["metadata"].get("namespace") in (NAMESPACE, NEW_NAMESPACE["metadata"]["name"]):
            freed["metadata"]["namespace"] = CONTROL
        done = self.admin("create", "--dry-run=server", "-f", "-", stdin=json.dumps(freed))
        return Told("open" if done.returncode == 0 else "blocked", (done.stdout or done.stderr).strip()[:200])

    def pull(self, host: Host) -> Told:
        """Have the node fetch an image whose name leads to a listener of ours: whether it came there."""
        form = "{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}"
        argv = ["docker", "inspect", "--format", form, self._container]
        gateway = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
        host.visitors.clear()
        done = self._in(*_PULL, f"{gateway}:{host.given['host_port']}/secret-of-the-run:1")
        came = "port" in host.visitors
        host.visitors.clear()
        return Told(
            "open" if came else "blocked",
            "the node came" if came else f"{done.stdout} {done.stderr}".strip()[-200:],
        )

    def _in(self, *argv: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["docker", "exec", self._container, *argv], capture_output=True, text=True, timeout=60, check=False
        )

    def may(self, call: Call) -> Told:
        """Whether an admin has the right that the call needs."""
        verb, resource, namespace = call.right
        where = [f"--namespace={namespace}"] if namespace else []
        done = self.admin("auth", "can-i", verb, resource, *where)
        return Told("open" if done.stdout.strip() == "yes" else "blocked", f"an admin may {verb} {resource}")


def _applied(sandbox: Sandbox, name: str, manifest: Mapping[str, Any]) -> Tried:
    """By a step that applies it; what such steps do not know, by kubectl."""
    before = (NEW_NAMESPACE,) if manifest["metadata"].get("namespace") == NEW_NAMESPACE["metadata"]["name"] else ()
    step = sandbox.apply(name, *before, manifest)
    if "has no kind" in step.message:
        given = shlex.quote(json.dumps(manifest))
        (step,) = sandbox.run([(name, f"printf %s {given} | kubectl --request-timeout=8s create -f -", 20)])
    return _as_tried(step)


def _as_tried(step: StepResult) -> Tried:
    """A step that was refused says so in its message, which every report shows."""
    if step.status is StepStatus.OK:
        return Tried(Told("open", step.message), step)
    told = " ".join((step.message, *step.details))
    if not re.search(_REFUSALS, told):
        return Tried(Told("mistake", told), step)
    return Tried(Told("blocked", told[:300]), step)
