"""What a run says that it did in kind, the cluster's own client says too; then everything kept is removed.

The sandbox is kept, so that it can be read after the run: with the node's own `kubectl`, which shares no code with us.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .calling import labelled, nodes, read_result, wpk

PACKAGE = """\
apiVersion: v1
kind: WorkflowPackage
metadata: {name: read-back, version: 1.0.0}
spec:
  runtime: {type: k8s}
  handlers:
    - name: restart
      type: k8s
      timeout: 60s
      config: {action: restart, resource_type: deployment, name: web, namespace: shop}
    - name: scale
      type: k8s
      timeout: 60s
      config: {action: scale, resource_type: deployment, name: web, namespace: shop, replicas: 3}
    - name: patch
      type: k8s
      timeout: 60s
      config:
        action: patch
        resource_type: deployment
        name: web
        namespace: shop
        data: {spec: {minReadySeconds: 1}}
    - name: read
      type: k8s
      timeout: 20s
      config: {action: logs, resource_type: deployment, name: web, namespace: shop, lines: 50}
"""
CASES = """\
cases:
  - name: web serves
    objects:
      - apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: shop}
        spec:
          replicas: 1
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}}
            spec:
              terminationGracePeriodSeconds: 1
              containers:
                - name: main
                  image: busybox:1.36
                  command: [sh, -c, "echo six times seven is $((6 * 7)) on $(hostname); exec sleep 3600"]
                  resources: {limits: {cpu: 50m, memory: 32Mi}}
"""


def kubectl(cluster: str, *arguments: str) -> str:
    """Ask the cluster's own client, on its node."""
    inside = ["kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", "--namespace=shop", *arguments]
    done = subprocess.run(
        ["docker", "exec", f"{cluster}-control-plane", *inside],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def as_objects(cluster: str, *arguments: str) -> dict[str, Any]:
    return dict(json.loads(kubectl(cluster, "get", *arguments, "--output=json")))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the package, its case, and settings that leave its changes in place."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "read-back.wpk.yaml").write_text(PACKAGE)
    (folder / "read-back.wpk.test.yaml").write_text(CASES)
    (folder / ".wpk-sandbox.yaml").write_text("rollback: never\n")
    return folder


@pytest.fixture
def kept(repository: Path, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """The result of a run whose sandbox is still there; it is removed even when the test fails."""
    report = tmp_path / "report"
    called = wpk(
        *("run", "read-back.wpk.yaml", "--sandbox", "kind", "--keep", "--report", report),
        folder=repository,
        timeout=400,
    )
    assert called.code == 0, called.text
    result = read_result(report)
    yield result
    wpk("reap", "--run", result["run_id"], folder=repository)


@pytest.mark.needs("kind", "docker")
def test_a_real_cluster_confirms_the_run_and_reap_removes_it(repository: Path, kept: dict[str, Any]) -> None:
    (package,) = kept["packages"]
    assert [(step["fidelity"], step["status"]) for step in package["steps"]] == [("executed", "ok")] * 4
    found = re.search(r"atom-dryrun-\w+-\w+", " ".join(package["sandbox"]["details"]))
    assert found
    cluster = found.group()

    deployment = as_objects(cluster, "deployment", "web")
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]
    assert annotations["kubectl.kubernetes.io/restartedAt"] > kept["started"]
    assert deployment["spec"]["replicas"] == deployment["status"]["readyReplicas"] == 3
    assert deployment["spec"]["minReadySeconds"] == 1
    # The restart made a second generation of pods, and the first has none left.
    sizes = sorted(item["status"]["replicas"] for item in as_objects(cluster, "replicasets")["items"])
    assert sizes == [0, 3]

    pods = [item for item in as_objects(cluster, "pods")["items"] if item["status"]["phase"] == "Running"]
    read = package["steps"][3]["stdout"]
    said = [kubectl(cluster, "logs", pod["metadata"]["name"]).strip() for pod in pods]
    assert len(said) == 3
    for pod, line in zip(pods, said, strict=True):
        assert line == f"six times seven is 42 on {pod['metadata']['name']}"
        assert line in read

    assert kept["tally"]["kept"] == kept["tally"]["made"] > 0
    assert cluster in nodes()
    assert f"network {cluster}" in labelled(kept["run_id"])
    reaped = wpk("reap", "--run", kept["run_id"], folder=repository)
    assert reaped.code == 0, reaped.text
    assert re.fullmatch(r"found (\d+), removed \1, left 0\n", reaped.out)
    assert not reaped.out.startswith("found 0")
    assert labelled(kept["run_id"]) == []
    assert cluster not in nodes()
    again = wpk("reap", "--run", kept["run_id"], "--dry-run", folder=repository)
    assert again.out == ""
