import pytest
from planning import planned

from wpk_sandbox.package.package import ShellAction
from wpk_sandbox.plan.kubectl import calls_a_cluster, read_calls


def needed(command: str) -> list[str]:
    return [f"{known.namespace}/{known.kind}/{known.name}" for known in read_calls(command, "home").needs]


@pytest.mark.parametrize(
    ("command", "objects"),
    [
        ("kubectl rollout restart deployment/web", ["home/Deployment/web"]),
        ("kubectl rollout status deploy web -n shop --timeout=60s", ["shop/Deployment/web"]),
        ("kubectl -n shop scale --replicas 3 deployment/web", ["shop/Deployment/web"]),
        ("kubectl get pods -n shop -l app=web -o name", ["shop/Deployment/web"]),
        ("kubectl delete pod web-0 web-1", ["home/Pod/web-0", "home/Pod/web-1"]),
        ("kubectl logs web-0 -c main --tail 20", ["home/Pod/web-0"]),
        ("kubectl logs deployment/web | grep -c error", ["home/Deployment/web"]),
        ("kubectl exec -n shop db-0 -- psql -c 'select 1'", ["shop/Pod/db-0"]),
        ('kubectl patch configmap app --type merge -p \'{"data": {"A": "1"}}\'', ["home/ConfigMap/app"]),
        ("kubectl annotate deployment/web team=a", ["home/Deployment/web"]),
        ("kubectl set image deployment/web main=a:2", ["home/Deployment/web"]),
        ("kubectl create job now --from=cronjob/report", ["home/CronJob/report"]),
        ("set -e\nkubectl wait --for=condition=available \\\n  deployment/web", ["home/Deployment/web"]),
        ("if ! kubectl get secret db; then exit 1; fi", ["home/Secret/db"]),
        ("COUNT=$(kubectl get deployment web -o jsonpath='{.spec.replicas}')", ["home/Deployment/web"]),
        ("kubectl get clusterrole reader", ["None/ClusterRole/reader"]),
    ],
)
def test_a_call_needs_the_objects_that_it_acts_on(command: str, objects: list[str]) -> None:
    assert needed(command) == objects


@pytest.mark.parametrize(
    "command",
    [
        "kubectl get pods",
        "kubectl delete job old --ignore-not-found",
        'kubectl get pod "$POD"',
        "kubectl -n $NAMESPACE get pod web-0",
        "kubectl apply -f -",
        "kubectl version",
        "echo 'no call here: unbalanced",
        "helm upgrade web ./chart",
    ],
)
def test_nothing_is_made_for_what_a_call_does_not_name(command: str) -> None:
    assert needed(command) == []


def test_what_a_call_creates_needs_no_stand_in_later() -> None:
    create = ShellAction(
        "kubectl create configmap app --from-literal A=1 && kubectl run probe --image busybox:1.36"
    )
    use = ShellAction("kubectl get configmap app; kubectl logs probe")
    assert planned(create, use).stand_ins == ()
    assert {one["kind"] for one in planned(use).stand_ins} == {"ConfigMap", "Pod"}


def test_namespaces_of_calls_are_prepared() -> None:
    assert planned(ShellAction("kubectl get pods -n payments")).namespaces == ("atom-sandbox", "payments")


@pytest.mark.parametrize(
    ("command", "calls"),
    [
        ("kubectl get pods", True),
        ("x=$(kubectl version)", True),
        ("true && helm list", True),
        ("echo kubectlish", False),
        ("cat /usr/bin/my-kubectl-notes", False),
    ],
)
def test_a_command_that_calls_a_cluster_is_recognised(command: str, calls: bool) -> None:
    assert calls_a_cluster(command) is calls
