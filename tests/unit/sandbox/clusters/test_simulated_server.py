"""The simulated cluster over HTTP: who gets in, what clients see, and that nothing stays behind."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from kubernetes import dynamic, watch
from kubernetes.client import ApiException, AppsV1Api, CoreV1Api

from wpk_sandbox.sandbox.clusters.simulated import SIMULATED
from wpk_sandbox.sandbox.clusters.simulated import server as server_module
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import Limits, SandboxSpec, Security


@pytest.fixture
def ledger():
    return Ledger("test", datetime.now(UTC) + timedelta(hours=1))


@pytest.fixture
def cluster(ledger):
    with SIMULATED.open(SandboxSpec(), ledger) as opened:
        yield opened


def address(cluster):
    return urlsplit(cluster.api.configuration.host)


def ask(cluster, method="GET", path="/version", token=None, body=b"", **headers):
    parts = address(cluster)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    if token is None:
        headers["Authorization"] = cluster.api.configuration.api_key["authorization"]
    elif token:
        headers["Authorization"] = token
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    answer.text = answer.read()
    connection.close()
    return answer


def workload(name="web", replicas=1):
    container = {"name": "main", "image": "nginx:1"}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def test_it_listens_on_loopback_alone(cluster):
    assert address(cluster).hostname == "127.0.0.1"
    assert address(cluster).port > 1023


@pytest.mark.parametrize("token", ["Bearer wrong", "Basic eDp5", "Bearer ", "", "Bearer \xfc"])
def test_nobody_gets_in_without_the_token(cluster, token):
    for path in ("/version", "/api/v1/secrets", "/healthz", "/nowhere"):
        answer = ask(cluster, path=path, token=token)
        assert answer.status == 401
        assert json.loads(answer.text)["reason"] == "Unauthorized"
    assert ask(cluster).status == 200


def test_every_cluster_has_another_token_and_port(ledger):
    with SIMULATED.open(SandboxSpec(), ledger) as one, SIMULATED.open(SandboxSpec(), ledger) as two:
        assert one.api.configuration.host != two.api.configuration.host
        assert one.api.configuration.api_key != two.api.configuration.api_key


def test_it_ends_with_its_context_and_leaves_nothing(ledger):
    threads = threading.active_count()
    with SIMULATED.open(SandboxSpec(), ledger) as cluster:
        CoreV1Api(cluster.api).list_namespace()
        parts = address(cluster)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((parts.hostname, parts.port), timeout=5)
    tally = ledger.close()
    assert (tally.made, tally.removed, tally.left) == (1, 1, ())
    end = time.monotonic() + 5
    while threading.active_count() > threads and time.monotonic() < end:
        time.sleep(0.01)
    assert threading.active_count() == threads


def test_it_ends_when_its_user_fails(ledger):
    with pytest.raises(KeyError), SIMULATED.open(SandboxSpec(), ledger):
        raise KeyError
    assert ledger.tally().removed == 1


def test_the_ledger_can_end_it_first(ledger):
    with SIMULATED.open(SandboxSpec(), ledger) as cluster:
        parts = address(cluster)
        assert ledger.close().removed == 1
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((parts.hostname, parts.port), timeout=5)
    assert ledger.tally().removed == 1


def test_a_proxy_of_the_environment_is_not_asked(ledger, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with SIMULATED.open(SandboxSpec(), ledger) as cluster:
        assert CoreV1Api(cluster.api).read_namespace("default")
        assert cluster.evidence()[0].held


def test_its_evidence_is_measured(cluster, monkeypatch):
    (evidence,) = cluster.evidence()
    assert evidence.held
    assert "401" in evidence.seen
    assert "reaches no network" in evidence.seen
    monkeypatch.setattr(server_module.hmac, "compare_digest", lambda given, expected: True)
    assert not cluster.evidence()[0].held


def test_it_has_no_images_no_shell_and_no_usage(cluster):
    assert SIMULATED.why_not(SandboxSpec()) is None
    assert cluster.load_images(["anything:1"]) == ()
    assert cluster.shell_access() is None
    assert cluster.usage().memory_peak is None
    assert cluster.simulated


def test_limits_and_security_shape_the_namespace_and_the_node(ledger):
    spec = SandboxSpec(limits=Limits(cpu=1.0, memory=1024**3), security=Security(allow_privileged=True))
    with SIMULATED.open(spec, ledger) as cluster:
        cluster.prepare("shop")
        core = CoreV1Api(cluster.api)
        assert core.read_namespaced_resource_quota("sandbox-quota", "shop").spec.hard["requests.cpu"] == "1"
        labels = core.read_namespace("shop").metadata.labels
        assert labels["pod-security.kubernetes.io/enforce"] == "privileged"
        assert core.read_node("simulated").status.allocatable["memory"] == "1Gi"


def test_preparing_a_namespace_that_is_there_closes_it(cluster):
    core = CoreV1Api(cluster.api)
    core.create_namespace({"metadata": {"name": "shop"}})
    cluster.prepare("shop")
    assert core.read_namespaced_resource_quota("sandbox-quota", "shop")
    assert core.read_namespace("shop").metadata.labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_many_calls_share_one_connection(cluster):
    core = CoreV1Api(cluster.api)
    for _ in range(5):
        core.list_namespace()
    assert (
        cluster.api.rest_client.pool_manager.connection_from_url(cluster.api.configuration.host).num_connections
        == 1
    )


def test_callers_do_not_disturb_one_another(cluster):
    core = CoreV1Api(cluster.api)
    core.create_namespaced_config_map("default", {"metadata": {"name": "count"}, "data": {"n": "0"}})

    def add():
        for _ in range(10):
            while True:
                read = core.read_namespaced_config_map("count", "default")
                read.data["n"] = str(int(read.data["n"]) + 1)
                try:
                    core.replace_namespaced_config_map("count", "default", read)
                    break
                except ApiException as error:
                    if error.status != 409:
                        raise

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert core.read_namespaced_config_map("count", "default").data == {"n": "40"}


def test_the_dynamic_client_finds_its_way(cluster, tmp_path):
    client = dynamic.DynamicClient(cluster.api, cache_file=str(tmp_path / "discovery"))
    deployments = client.resources.get(api_version="apps/v1", kind="Deployment")
    deployments.create(body=workload(replicas=2), namespace="default")
    assert deployments.get("web", namespace="default").status.readyReplicas == 2
    deployments.patch(
        body={"spec": {"replicas": 1}}, name="web", namespace="default", content_type="application/merge-patch+json"
    )
    pods = client.resources.get(api_version="v1", kind="Pod")
    assert len(pods.get(namespace="default", label_selector="app=web").items) == 1


def test_the_official_watch_sees_a_rollout(cluster):
    apps, core = AppsV1Api(cluster.api), CoreV1Api(cluster.api)
    version = core.list_namespaced_pod("default").metadata.resource_version
    threading.Timer(0.05, lambda: apps.create_namespaced_deployment("default", workload())).start()
    phases = []
    watcher = watch.Watch()
    for event in watcher.stream(core.list_namespaced_pod, "default", resource_version=version, timeout_seconds=10):
        phases.append((event["type"], event["object"].status.phase))
        if event["object"].status.phase == "Running":
            watcher.stop()
    assert phases[0] == ("ADDED", "Pending")
    assert phases[-1] == ("MODIFIED", "Running")


def test_a_body_that_is_too_large_is_refused(cluster, monkeypatch):
    monkeypatch.setattr(server_module, "_LARGEST_BODY", 10)
    path = "/api/v1/namespaces/default/configmaps"
    assert ask(cluster, "POST", path, body=b"x" * 11).status == 413
    assert ask(cluster, "POST", path, body=b"x" * 10).status == 400


def test_a_mistake_of_ours_is_an_answer(cluster, monkeypatch):
    def fail(store, request):
        raise KeyError("oops")

    monkeypatch.setattr(server_module, "answer", fail)
    answer = ask(cluster)
    assert answer.status == 500
    assert json.loads(answer.text)["reason"] == "InternalError"


def test_names_in_paths_and_queries_are_decoded(cluster):
    core = CoreV1Api(cluster.api)
    core.create_namespaced_config_map("default", {"metadata": {"name": "a", "labels": {"tier": "x"}}})
    found = core.list_namespaced_config_map("default", label_selector="tier in (x, y),!z").items
    assert [each.metadata.name for each in found] == ["a"]


def forwarder(cluster):
    """A server that adds the token, because kubectl sends none over plain HTTP."""

    class Forward(BaseHTTPRequestHandler):
        def forward(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kept = {name: self.headers[name] for name in ("Accept", "Content-Type") if self.headers[name]}
            kept["Authorization"] = cluster.api.configuration.api_key["authorization"]
            connection = http.client.HTTPConnection(address(cluster).hostname, address(cluster).port, timeout=30)
            connection.request(self.command, self.path, body, kept)
            answer = connection.getresponse()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.end_headers()
            with contextlib.suppress(OSError):
                while chunk := answer.read1(65536):
                    self.wfile.write(chunk)
            connection.close()

        def log_message(self, *arguments):
            pass

    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        setattr(Forward, f"do_{method}", Forward.forward)
    return ThreadingHTTPServer(("127.0.0.1", 0), Forward)


@pytest.fixture
def kubectl(cluster, tmp_path):
    door = forwarder(cluster)
    threading.Thread(target=door.serve_forever, args=(0.02,), daemon=True).start()

    def run(*arguments, stdin=""):
        server = f"http://127.0.0.1:{door.server_address[1]}"
        command = ["kubectl", "--server", server, "--token", "unused", *arguments]
        env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "KUBECONFIG": str(tmp_path / "none")}
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=60, env=env, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    yield run
    door.shutdown()
    door.server_close()


@pytest.mark.needs("kubectl")
def test_kubectl_works_on_it(kubectl):
    assert "deployment.apps/web created" in kubectl("apply", "-f", "-", stdin=json.dumps(workload()))
    assert "deployment.apps/web scaled" in kubectl("scale", "deployment", "web", "--replicas=2")
    assert "successfully rolled out" in kubectl("rollout", "status", "deployment/web", "--timeout=20s")
    assert len(kubectl("get", "pods", "-l", "app=web", "-o", "name").splitlines()) == 2
    assert "restarted" in kubectl("rollout", "restart", "deployment/web")
    assert kubectl("rollout", "history", "deployment/web").splitlines()[-1].startswith("2")
    kubectl("set", "image", "deployment/web", "main=nginx:2")
    kubectl("rollout", "undo", "deployment/web")
    assert kubectl("get", "deployment", "web", "-o", "jsonpath={..image}") == "nginx:1"
    kubectl("wait", "--for=condition=Available", "deployment/web", "--timeout=20s")
    assert "no process ran" in kubectl("logs", "deployment/web")
    kubectl("drain", "simulated", "--ignore-daemonsets", "--force")
    assert "SchedulingDisabled" in kubectl("describe", "node", "simulated") or "true" in kubectl(
        "get", "node", "simulated", "-o", "jsonpath={.spec.unschedulable}"
    )
    kubectl("uncordon", "simulated")
    kubectl("delete", "deployment", "web", "--wait=false")
    assert kubectl("get", "pods", "-l", "app=web", "-o", "name") == ""
