"""The same runbooks on every cluster: what they change, what they say, and what their rollback leaves.

What a run did is read back with kubectl, which knows nothing of us.
"""

import importlib
import itertools
import json
import subprocess
import urllib.request
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wpk_sandbox.package.case import load_cases
from wpk_sandbox.package.load import load_bytes, load_file
from wpk_sandbox.package.package import Case
from wpk_sandbox.plan.planner import PlanOptions, plan
from wpk_sandbox.run.observe import Silent
from wpk_sandbox.run.outcome import OpenedSandbox, RunOptions
from wpk_sandbox.run.result import Limit, RollbackStatus, StepStatus, Verdict
from wpk_sandbox.run.runner import run
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import Completed, Observed, SandboxSpec, Usage

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.name for path in (ROOT / "examples").glob("*.wpk.yaml") if "unsafe" not in path.name)
numbers = itertools.count(1)


@pytest.fixture(
    scope="module", params=["simulated", pytest.param("kind", marks=pytest.mark.needs("kind", "kubectl"))]
)
def cluster(request):
    module = importlib.import_module(f"wpk_sandbox.sandbox.clusters.{request.param}")
    provider = getattr(module, request.param.upper())
    ledger = Ledger("contract-run", datetime.now(UTC) + timedelta(hours=1))
    with provider.open(SandboxSpec(pull=False), ledger) as opened:
        yield opened
    tally = ledger.close()
    assert tally.made == tally.removed >= 1, tally


@pytest.fixture
def namespace(cluster):
    name = f"run-{next(numbers)}"
    yield name
    if not cluster.simulated:
        kubectl(cluster, "delete", "namespace", name, "--wait=false", "--ignore-not-found")


class QuietShell:
    """A shell in which every command succeeds: these tests are about the cluster."""

    name = "quiet"
    details = ""

    def run(self, command, *, environment, timeout):
        return Completed(0, "", "", 0.0)

    def observed(self):
        return Observed(usage=self.usage())

    def usage(self):
        return Usage()

    def evidence(self):
        return ()


def seen(cluster, namespace, what):
    """`deployment/web` as the cluster has it: asked with kubectl where the cluster is real."""
    if not cluster.simulated:
        return json.loads(kubectl(cluster, "get", "--namespace", namespace, what, "--output=json"))
    kind, _, name = what.partition("/")
    group = {"deployment": "/apis/apps/v1", "job": "/apis/batch/v1"}.get(kind, "/api/v1")
    collection = f"{group}/namespaces/{namespace}/{kind.removesuffix('s')}s"
    return asked(cluster, "GET", f"{collection}/{name}" if name else collection)


def asked(cluster, method, path):
    """kubectl sends no token without TLS, so the simulated cluster is asked directly."""
    configuration = cluster.api.configuration
    headers = {"Authorization": configuration.api_key["authorization"]}
    request = urllib.request.Request(configuration.host + path, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def kubectl(cluster, *arguments):
    """Ask with kubectl, with the credentials of the cluster's own client."""
    configuration = cluster.api.configuration
    flags = [
        "--kubeconfig=/dev/null",
        f"--server={configuration.host}",
        f"--certificate-authority={configuration.ssl_ca_cert}",
        f"--client-certificate={configuration.cert_file}",
        f"--client-key={configuration.key_file}",
        f"--tls-server-name={configuration.tls_server_name}",
    ]
    program = ["kubectl", *flags, *arguments]
    answer = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def performed(cluster, namespace, handlers, undo=(), objects=(), **options):
    """Run a package whose handlers are given as the author writes them."""
    text = {
        "apiVersion": "v1",
        "kind": "WorkflowPackage",
        "metadata": {"name": "contract", "version": "1.0.0", "description": "a runbook", "author": "us"},
        "spec": {
            "runtime": {"type": "k8s"},
            "handlers": handlers,
            **({"rollback": {"enabled": True, "handlers": list(undo)}} if undo else {}),
        },
    }
    (package,) = load_bytes(json.dumps(text).encode(), "contract.wpk.yaml").packages
    return perform(cluster, namespace, package, Case(objects=tuple(objects)), **options)


def perform(cluster, namespace, package, case, **options):
    kind = "local" if cluster.simulated else "kind"
    made = plan(package, case, PlanOptions(kind, default_namespace=namespace))
    opened = OpenedSandbox(QuietShell(), cluster if made.needs_cluster else None)
    return run(made, opened, RunOptions(**{"after_timeout": 5.0, **options}), Silent())


def k8s(name, action, kind=None, target=None, **config):
    reference = ({"resource_type": kind} if kind else {}) | ({"name": target} if target else {})
    return {"name": name, "type": "k8s", "config": {"action": action, **reference, **config}, "timeout": "90s"}


def web(replicas=2, note="1", **pod):
    labels = {"app": "web"}
    command = ["sh", "-c", f"echo started {note}; trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"]
    template = {
        "metadata": {"labels": labels, "annotations": {"note": note}},
        "spec": {"containers": [{"name": "main", "image": "busybox:1.36", "command": command}], **pod},
    }
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def job(name="once", command="echo done"):
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox:1.36"}]}
    pod["containers"][0]["command"] = ["sh", "-c", command]
    spec = {"backoffLimit": 0, "template": {"spec": pod}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}


def test_a_restart_replaces_the_pods_and_awaits_them(cluster, namespace):
    outcome = performed(cluster, namespace, [k8s("restart", "restart", "deployment", "web")], objects=[web()])
    assert outcome.verdict is Verdict.PASS, outcome.reason
    assert "Deployment/web, 2 of 2 pods ready" in outcome.steps[0].message
    deployment = seen(cluster, namespace, "deployment/web")
    assert "kubectl.kubernetes.io/restartedAt" in deployment["spec"]["template"]["metadata"]["annotations"]
    assert deployment["status"]["readyReplicas"] == 2


def test_a_scale_is_done_and_undone(cluster, namespace):
    outcome = performed(
        cluster,
        namespace,
        [k8s("up", "scale", "deployment", "web", replicas=3)],
        undo=[k8s("back", "scale", "deployment", "web", replicas="original")],
        objects=[web(1)],
    )
    assert (outcome.verdict, outcome.rollback.status) == (Verdict.PASS, RollbackStatus.RESTORED), outcome.reason
    assert [str(effect) for effect in outcome.effects] == ["Deployment/web spec.replicas 1 → 3"]
    assert "replicas 1 → 3, 3 of 3 pods ready" in outcome.steps[0].message
    assert seen(cluster, namespace, "deployment/web")["spec"]["replicas"] == 1


def test_what_a_rollback_leaves_is_found(cluster, namespace):
    outcome = performed(
        cluster,
        namespace,
        [
            k8s("up", "scale", "deployment", "web", replicas=2),
            k8s("note", "annotate", "deployment", "web", annotation="example.com/why", value="load"),
        ],
        undo=[k8s("back", "scale", "deployment", "web", replicas="original")],
        objects=[web(1)],
    )
    assert (outcome.verdict, outcome.rollback.status) == (Verdict.FAIL, RollbackStatus.RESIDUE)
    assert [effect.path for effect in outcome.rollback.residue] == ["metadata.annotations[example.com/why]"]
    assert seen(cluster, namespace, "deployment/web")["metadata"]["annotations"]["example.com/why"] == "load"


def test_a_secret_is_rotated_and_restored(cluster, namespace):
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "data": {"password": "b2xk"}}
    outcome = performed(
        cluster,
        namespace,
        [
            k8s("keep", "copy", "secret", "db", destination="db-old"),
            k8s("rotate", "patch", "secret", "db", data={"password": "n3w"}),
        ],
        undo=[k8s("restore", "restore", "secret", "db", source="db-old")],
        objects=[secret],
    )
    assert outcome.verdict is Verdict.PASS, outcome.reason
    assert "n3w" not in repr(outcome)
    data = {name: seen(cluster, namespace, f"secret/{name}")["data"]["password"] for name in ("db", "db-old")}
    assert {name: b64decode(value).decode() for name, value in data.items()} == {"db": "old", "db-old": "old"}


def test_a_roll_back_to_the_revision_before(cluster, namespace):
    outcome = performed(
        cluster, namespace, [k8s("undo", "rollback", "deployment", "web")], objects=[web(1, "1"), web(1, "2")]
    )
    assert outcome.verdict is Verdict.PASS, outcome.reason
    assert "back to revision 1: 1 of 1 pod ready" in outcome.steps[0].message
    template = seen(cluster, namespace, "deployment/web")["spec"]["template"]
    assert template["metadata"]["annotations"]["note"] == "1"


@pytest.mark.parametrize("kind", ["statefulset", "daemonset"])
def test_the_other_workloads_have_a_history_too(cluster, namespace, kind):
    outcome = performed(cluster, namespace, [k8s("undo", "rollback", kind)])
    assert outcome.verdict is Verdict.PASS, outcome.reason
    assert "back to revision 1" in outcome.steps[0].message


def test_pods_are_replaced_by_selector_and_by_name(cluster, namespace):
    by_selector = k8s("pods", "restart", selector="app=web", grace_period="1s")
    by_selector["config"]["resource_type"] = "pod"
    outcome = performed(cluster, namespace, [by_selector, k8s("one", "restart", "pod", "lone")], objects=[web(2)])
    assert outcome.verdict is Verdict.PASS, outcome.reason
    assert outcome.steps[0].message.count("replaced and ready") == 2
    assert "Pod/lone (stand-in)" in outcome.steps[1].message
    assert outcome.effects == ()


def test_a_job_is_run_and_its_log_taken(cluster, namespace):
    outcome = performed(cluster, namespace, [k8s("migrate", "run", manifest=job())])
    assert outcome.verdict is Verdict.PASS, outcome.reason
    assert outcome.steps[0].stdout
    assert seen(cluster, namespace, "job/once")["status"]["succeeded"] == 1
    if not cluster.simulated:
        assert outcome.steps[0].stdout == "done\n"


def test_logs_events_and_fields(cluster, namespace):
    outcome = performed(
        cluster,
        namespace,
        [
            k8s("logs", "logs", "deployment", "web", lines=5),
            k8s("events", "events", "deployment", "web"),
            k8s("ready", "get", "deployment", "web", field="status.readyReplicas"),
        ],
        objects=[web(2)],
    )
    assert outcome.verdict is Verdict.PASS, outcome.reason
    assert "of 2 pods of Deployment/web" in outcome.steps[0].message
    assert "ScalingReplicaSet" in outcome.steps[1].stdout
    assert outcome.steps[2].stdout == "2\n"


def test_previous_logs_of_a_stand_in_that_has_restarted(cluster, namespace):
    outcome = performed(cluster, namespace, [k8s("logs", "logs", "pod", "crashed", previous=True)])
    assert outcome.verdict is Verdict.PASS, outcome.reason


def test_a_wait_in_vain_is_explained(cluster, namespace):
    handlers = [k8s("wait", "wait", "deployment", "web", condition="available", timeout="3s")]
    stuck = web(2, nodeSelector={"disk": "none-has-this"})
    step = performed(cluster, namespace, handlers, objects=[stuck]).steps[0]
    assert (step.status, step.limit) == (StepStatus.FAILED, Limit.STEP)
    assert step.message == "waited for available: 0 of 2 pods ready"
    assert "Unschedulable" in step.details[0]


def test_a_manifest_and_its_removal(cluster, namespace):
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "app"}, "data": {"level": "debug"}}
    apply = {"name": "put", "steps": [{"name": "apply", "kubernetes": config}]}
    outcome = performed(cluster, namespace, [apply], undo=[k8s("take", "delete", "configmap", "app")])
    assert (outcome.verdict, outcome.rollback.status) == (Verdict.PASS, RollbackStatus.RESTORED), outcome.reason
    assert [str(effect) for effect in outcome.effects] == ["ConfigMap/app added"]
    assert "app" not in [one["metadata"]["name"] for one in seen(cluster, namespace, "configmaps")["items"]]


def test_what_was_deleted_comes_back_as_it_was(cluster, namespace):
    outcome = performed(
        cluster,
        namespace,
        [k8s("delete", "delete", "deployment", "web")],
        undo=[k8s("restore", "restore", "deployment", "web")],
        objects=[web(2)],
    )
    assert (outcome.verdict, outcome.rollback.residue) == (Verdict.PASS, ()), outcome.reason
    assert seen(cluster, namespace, "deployment/web")["spec"]["replicas"] == 2


def container(command, **more):
    one = {"image": "busybox:1.36", "command": ["sh", "-c", command], **more}
    return {"name": "do", "timeout": "60s", "steps": [{"name": "it", "container": one}]}


def test_a_container_runs_as_nobody_and_leaves_nothing(cluster, namespace):
    mount = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    outcome = performed(cluster, namespace, [container("id -u; touch /data/x && echo written", **mount)])
    assert (outcome.verdict, outcome.effects) == (Verdict.PASS, ()), outcome.reason
    assert seen(cluster, namespace, "pods")["items"] == []
    if not cluster.simulated:
        assert outcome.steps[0].stdout == "65532\nwritten\n"


def test_a_privileged_container_is_refused(cluster, namespace):
    outcome = performed(cluster, namespace, [container("true", securityContext={"privileged": True})])
    assert outcome.verdict is Verdict.FAIL
    assert "privileged" in outcome.reason


def test_an_invalid_object_of_the_case_is_named(cluster, namespace):
    bad = web()
    del bad["spec"]["selector"]
    outcome = performed(cluster, namespace, [k8s("get", "get", "deployment", "web")], objects=[bad])
    assert outcome.verdict is Verdict.FAIL
    assert outcome.reason.startswith("the case's Deployment/web was refused: ")


def test_more_pods_than_the_sandbox_has_room_for(cluster, namespace):
    handlers = [k8s("up", "scale", "deployment", "web", replicas=30)]
    outcome = performed(cluster, namespace, handlers, objects=[web(1)], after_timeout=1.0)
    assert outcome.verdict is Verdict.PASS, outcome.reason
    assert "the sandbox's quota holds the rest back" in outcome.steps[0].message


@pytest.mark.parametrize("file", EXAMPLES)
def test_every_example_comes_out_as_it_says(cluster, namespace, file):
    (package,) = load_file(ROOT / "examples" / file, display=f"examples/{file}", root=ROOT).packages
    cases, findings = load_cases(package, ROOT)
    assert findings == ()
    wanted = Verdict.FAIL if file == "resize-search-cache.wpk.yaml" else Verdict.PASS
    for case in cases:
        outcome = perform(cluster, namespace, package, case)
        assert outcome.verdict is wanted, outcome.reason
        assert outcome.rollback.status is RollbackStatus.RESTORED, outcome.rollback


# What only a real kubelet can show.
real = pytest.mark.parametrize("cluster", ["kind"], indirect=True)


@pytest.mark.needs("kind")
@real
def test_a_container_that_fails_shows_its_code_and_last_line(cluster, namespace):
    step = performed(cluster, namespace, [container("echo all is lost; exit 3")]).steps[0]
    assert (step.status, step.message) == (StepStatus.FAILED, "exit code 3: all is lost")


@pytest.mark.needs("kind")
@real
def test_a_container_that_never_ends_is_ended_at_its_limit(cluster, namespace):
    endless = container("echo working; sleep 600")
    endless["timeout"] = "12s"
    outcome = performed(cluster, namespace, [endless])
    step = outcome.steps[0]
    assert (step.limit, step.stdout) == (Limit.STEP, "working\n")
    assert outcome.effects == ()


@pytest.mark.needs("kind")
@real
def test_a_job_that_fails_shows_its_last_line(cluster, namespace):
    step = performed(cluster, namespace, [k8s("run", "run", manifest=job(command="echo no table; exit 1"))]).steps[
        0
    ]
    assert step.status is StepStatus.FAILED
    assert any("no table" in detail for detail in step.details)


@pytest.mark.needs("kind")
@real
def test_an_image_that_nobody_has_says_nothing_about_the_package(cluster, namespace):
    missing = container("true")
    missing["steps"][0]["container"]["image"] = "registry.invalid/no-such-image:1"
    outcome = performed(cluster, namespace, [missing])
    assert outcome.verdict is Verdict.INCONCLUSIVE
    assert "registry.invalid/no-such-image:1 is not in the sandbox" in outcome.reason
