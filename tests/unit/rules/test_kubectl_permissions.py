"""The permissions that scripts need for what they ask kubectl and helm to do."""

from typing import Any

import pytest
from checking import container, findings, k8s, shell

MISSING, UNUSED = "permission-missing", "permission-unused"


def lacking(script: str, *listed: str) -> list[str]:
    """The permissions that a script is told to lack."""
    found = findings(shell(script), validation={"required_permissions": list(listed)})
    fixes = [each.fix.removeprefix("Add ").rstrip(".") for each in found if each.rule == MISSING]
    return [name.strip("`") for fix in fixes for name in fix.split(", ")]


def unused(listed: list[str], *handlers: dict[str, Any]) -> list[str]:
    found = findings(*handlers, validation={"required_permissions": listed})
    return [each.message.split("`")[1] for each in found if each.rule == UNUSED]


NEEDS = [
    ("kubectl rollout restart deployment/web", ["deployments/patch"]),
    ("kubectl -n shop rollout undo deploy web --to-revision=2", ["deployments/patch"]),
    ("kubectl rollout status statefulset/db --timeout=60s", ["statefulsets/get"]),
    ("kubectl get pods -n shop -l app=web -o name", ["pods/get"]),
    ("kubectl get pods,svc", ["pods/get", "services/get"]),
    ("kubectl get deploy/web svc/web", ["deployments/get", "services/get"]),
    ("kubectl describe node worker-1", ["nodes/get"]),
    ("kubectl top pods", ["pods/get"]),
    ("kubectl logs deploy/web --tail 50", ["pods/log"]),
    ("kubectl exec web-0 -c main -- df -h", ["pods/exec"]),
    ("kubectl cp web-0:/tmp/dump ./dump", ["pods/exec"]),
    ("kubectl port-forward svc/web 8080:80 &", ["pods/portforward"]),
    ("kubectl delete pod web-0 --grace-period 0", ["pods/delete"]),
    ("kubectl delete pods -l app=web", ["pods/delete"]),
    ("kubectl get pods -o name | xargs -r kubectl delete", ["pods/get", "pods/delete"]),
    ("kubectl scale deployment web --replicas=3", ["deployments/scale"]),
    ("kubectl scale --replicas 3 sts/db", ["statefulsets/scale"]),
    ('kubectl scale "deployment/${NAME}" --replicas=3', ["deployments/scale"]),
    ("kubectl patch configmap settings --type merge -p '{}'", ["configmaps/patch"]),
    ("kubectl set image deployment/web web=registry.example.com/web:1.2", ["deployments/patch"]),
    ("kubectl annotate deployment/web team/owner=ops old-", ["deployments/patch"]),
    ("kubectl label pod/web-0 quarantine=true", ["pods/patch"]),
    ("kubectl cordon worker-1", ["nodes/patch"]),
    ("kubectl drain worker-1 --ignore-daemonsets", ["nodes/patch", "pods/delete"]),
    ("kubectl wait --for=condition=ready pod/web-0", ["pods/get"]),
    ("kubectl create job b --from=cronjob/a", ["jobs/create", "cronjobs/get"]),
    ("kubectl create secret generic db --from-literal=user=web", ["secrets/create"]),
    ("kubectl create token web", ["serviceaccounts/token"]),
    ("kubectl run probe --image=busybox:1.36 -- true", ["pods/create"]),
    ("kubectl events --for pod/web-0", ["events/list"]),
    ("kubectl apply -f - <<END\nkind: ConfigMap\nmetadata: {name: x}\nEND", ["configmaps/patch"]),
    ("kubectl create configmap x --dry-run=client -o yaml | kubectl apply -f -", ["configmaps/patch"]),
    ("timeout 60 kubectl get nodes", ["nodes/get"]),
    ("sudo -u ops env X=1 kubectl get nodes", ["nodes/get"]),
    ("K='kubectl -n shop'; $K get nodes", ["nodes/get"]),
    ("look() { kubectl get nodes; }\nlook", ["nodes/get"]),
    ("for d in web api; do kubectl rollout restart deployment/$d; done", ["deployments/patch"]),
    ("helm rollback web 3", ["secrets/get", "secrets/create"]),
    ("helm status web", ["secrets/get"]),
]


@pytest.mark.parametrize(("script", "needed"), NEEDS)
def test_what_a_call_needs_is_missing_and_enough(script: str, needed: list[str]) -> None:
    assert lacking(script) == needed
    assert lacking(script, *needed) == []


@pytest.mark.parametrize(
    "script",
    [
        "kubectl version --client",
        "kubectl config current-context",
        "kubectl auth can-i delete pods",
        "kubectl create configmap x --dry-run=client -o yaml",
        "kubectl delete pod web-0 --dry-run=client",
        'kubectl get "$KIND"',
        "kubectl get all",
        "kubectl get widgets.example.com",
        "kubectl apply -f deploy/",
        "kubectl delete -f deploy/web.yaml",
        "kubectl --context other get nodes",
        "kubectl --kubeconfig /etc/admin.conf get nodes",
        "KUBECONFIG=/etc/admin.conf kubectl get nodes",
        "ssh ops@bastion.example.com kubectl get nodes",
        "kubectl get --raw /readyz",
        'kubectl "$VERB" pods',
        "kubectl",
        "helm template web ./chart",
        "helm repo update",
        "echo kubectl get pods",
        "# kubectl get pods\ntrue",
    ],
)
def test_what_cannot_be_known_or_asks_nothing_needs_nothing(script: str) -> None:
    assert lacking(script) == []


def test_a_call_within_a_pod_has_the_rights_of_the_pod() -> None:
    assert lacking("kubectl exec web-0 -- sh -c 'kubectl get nodes'") == ["pods/exec"]


def test_the_step_that_needs_it_is_named_and_steps_with_an_image_count() -> None:
    one = container(command=["kubectl", "rollout", "restart", "deployment/web"])
    (found,) = [each for each in findings(one, validation={"required_permissions": []}) if each.rule == MISSING]
    assert found.message == "the permissions lack `deployments/patch` (for step-0)"


LISTED = ["deployments/patch", "pods/get", "secrets/get", "nodes/delete"]


def test_a_permission_that_no_call_needs_is_told_where_all_scripts_can_be_read() -> None:
    script = (
        "set -e\nkubectl -n shop rollout restart deployment/web\nkubectl rollout status deployment/web | tail -1"
    )
    assert unused(LISTED, shell(script)) == ["secrets/get", "nodes/delete"]
    assert unused(LISTED, k8s("restart", resource_type="deployment", name="web"), shell("df -h")) == [
        "secrets/get",
        "nodes/delete",
    ]


def test_a_script_that_asks_nothing_needs_no_permission() -> None:
    assert unused(["pods/get"], shell("df -h | tail -1")) == ["pods/get"]


@pytest.mark.parametrize(
    "more",
    [
        "./rotate.sh",
        "kubectl apply -f deploy/web.yaml",
        'kubectl get "$KIND"',
        "kubectl get all",
        "helm upgrade web ./chart",
        "ssh bastion kubectl get nodes",
        "kubectl --kubeconfig other.conf get nodes",
        "curl https://kubernetes.default.svc/api",
        "python3 rotate.py",
        "if then",
    ],
)
def test_beside_what_cannot_be_read_nothing_is_too_much(more: str) -> None:
    assert unused(LISTED, shell(f"kubectl rollout restart deployment/web\n{more}")) == []
