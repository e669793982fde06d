"""An object in a here-document for kubectl is held to the rules of objects, where it stands in the script."""

import pytest
from checking import POLICY, api, container, load, of_shell, rules, shell

from wpk_sandbox.rules.check import check

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: fixer, namespace: shop}
spec:
  hostPID: true
  containers:
    - {name: fixer, image: registry.example.com/fixer:1.2}
"""
GIVEN = [
    f"kubectl apply -f - <<'END'\n{POD}END",
    f"kubectl -n shop apply -f - <<END\n{POD}END\necho done",
    f"kubectl create -f /dev/stdin <<'END'\n{POD}END",
    f"cat <<'END' | kubectl apply -f -\n{POD}END",
    f"kubectl apply -f - <<'END'\nkind: ConfigMap\napiVersion: v1\nmetadata: {{name: x}}\n---\n{POD}END",
    f"echo '{POD}' | kubectl apply -f -",
    f"sudo kubectl replace --force -f - <<'END'\n{POD}END",
]
NOT_GIVEN = [
    f"cat > /tmp/pod.yaml <<'END'\n{POD}END",
    f"cat <<'END'\n{POD}END",
    f"kubectl delete -f - <<'END'\n{POD}END",
    f"kubectl exec -i web-0 -- tee /tmp/x <<'END'\n{POD}END",
    "kubectl apply -f - <<'END'\nkind: [\nEND",
    "kubectl apply -f deploy/pod.yaml",
]
IN_FILE = f"""\
apiVersion: v1
kind: WorkflowPackage
metadata: {{name: sample, version: 1.0.0}}
spec:
  handlers:
    - name: fix
      type: shell
      timeout: 60s
      config:
        command: |
          kubectl apply -f - <<'END'
{"".join(f"          {line}" for line in POD.splitlines(keepends=True))}          END
"""


@pytest.mark.parametrize("script", GIVEN)
def test_what_a_script_gives_to_kubectl_is_an_object(script: str) -> None:
    assert {"host-namespace", "resources-unlimited"} <= of_shell(script)


@pytest.mark.parametrize("script", NOT_GIVEN)
def test_what_it_does_not_make_is_none(script: str) -> None:
    assert "host-namespace" not in of_shell(script)


def test_the_finding_stands_where_the_script_has_it() -> None:
    (found,) = [each for each in check(load(IN_FILE), POLICY) if each.rule == "host-namespace"]
    assert (found.location.line, found.location.column) == (16, 13)
    assert found.excerpt[found.location.column - 1 : found.location.end_column - 1] == "hostPID"


def test_what_a_variable_decides_is_not_judged() -> None:
    script = f"kubectl apply -f - <<END\n{POD}END".replace("registry.example.com/fixer:1.2", "$IMAGE")
    assert "image-unpinned" not in of_shell(script)
    assert "image-unpinned" in of_shell(script.replace("$IMAGE", "fixer"))


def test_a_secret_in_it_is_told_once_and_not_shown() -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {pin: Vq8-tR2-mN5x}\n"
    whole = load(
        IN_FILE.replace(
            "".join(f"          {line}" for line in POD.splitlines(keepends=True)),
            "".join(f"          {line}" for line in secret.splitlines(keepends=True)),
        )
    )
    found = [each for each in check(whole, POLICY) if each.rule == "hard-coded-secret"]
    assert [each.location.line for each in found] == [15]
    assert not any("Vq8-tR2" in each.excerpt + each.message for each in check(whole, POLICY))


def test_containers_of_steps_count_and_other_steps_do_not() -> None:
    assert "host-namespace" in rules(container(command=["sh", "-c", GIVEN[0]]))
    assert "host-namespace" not in rules(api("http://web.shop.svc/", payload=GIVEN[0]))
    assert "host-namespace" not in rules(shell("true"))
