"""What the tests of the real cluster share: programs beside it, and pods in it."""

import subprocess
from datetime import UTC, datetime, timedelta

from kubernetes.client import CoreV1Api

from wpk_sandbox.sandbox.clusters.kind.node import Node
from wpk_sandbox.sandbox.ledger import Ledger

BUSYBOX, DEBIAN = "busybox:1.36", "debian:trixie-slim"
NAMESPACE, PORT = "atom-sandbox", 8080
SERVER = f"mkdir /tmp/w; echo reached >/tmp/w/index.html; exec httpd -f -p {PORT} -h /tmp/w"
ADDRESS = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"


def new_ledger() -> Ledger:
    return Ledger("kind-contract", datetime.now(UTC) + timedelta(minutes=30))


def docker(*argv: str, check: bool = True) -> str:
    return subprocess.run(["docker", *argv], capture_output=True, text=True, timeout=60, check=check).stdout.strip()


def in_a_pod(
    core: CoreV1Api,
    node: Node,
    namespace: str,
    name: str,
    command: str,
    image: str = BUSYBOX,
    **resources: object,
) -> str:
    """What a command prints in a new pod."""
    closed = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {
        "name": "main",
        "image": image,
        "command": ["sh", "-c", command],
        "securityContext": closed,
        "resources": resources,
    }
    spec = {"containers": [container], "restartPolicy": "Never", "terminationGracePeriodSeconds": 0}
    core.create_namespaced_pod(namespace, {"metadata": {"name": name}, "spec": spec})
    kubectl = ("kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", f"--namespace={namespace}")
    done = "--for=jsonpath={.status.phase}=Succeeded"
    node.run(*kubectl, "wait", f"pod/{name}", done, "--timeout=50s", timeout=60).require()
    return node.run(*kubectl, "logs", name).require().stdout


def fetch(address: str) -> str:
    """A command that prints `reached` or `stopped`; busybox's own wget crashes where there is no resolver."""
    request = f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 3 {address} {PORT}"
    return f"{request} | grep reached || echo stopped"
