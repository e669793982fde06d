"""What a sandbox namespace demands is filled in where the author said nothing, and only there."""

from typing import Any

import pytest
from running import container, deployment, manifest

from wpk_sandbox.run.admission import admissible


def pod(**spec: Any) -> dict[str, Any]:
    return manifest("Pod", "one", spec={"containers": [container()], **spec})


def test_a_plain_pod_gets_what_restricted_asks_for() -> None:
    spec = admissible(pod())["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    security = spec["containers"][0]["securityContext"]
    assert security == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def test_what_the_author_wrote_stays() -> None:
    own = {"allowPrivilegeEscalation": True, "capabilities": {"drop": ["NET_RAW"]}, "runAsUser": 0}
    spec = admissible(pod(securityContext={"runAsNonRoot": False}, containers=[container(securityContext=own)]))[
        "spec"
    ]
    assert spec["securityContext"]["runAsNonRoot"] is False
    assert "runAsUser" not in spec["securityContext"]
    assert spec["containers"][0]["securityContext"] == own


@pytest.mark.parametrize("kind", ["Deployment", "CronJob"])
def test_templates_are_found_wherever_they_are(kind: str) -> None:
    template = {"spec": {"containers": [container()], "initContainers": [container(name="first")]}}
    spec = {"template": template} if kind == "Deployment" else {"jobTemplate": {"spec": {"template": template}}}
    fitted = admissible(manifest(kind, "one", spec=spec))["spec"]
    inner = fitted["template"] if kind == "Deployment" else fitted["jobTemplate"]["spec"]["template"]
    for group in ("containers", "initContainers"):
        assert inner["spec"][group][0]["imagePullPolicy"] == "IfNotPresent"


@pytest.mark.parametrize(
    ("given", "becomes"), [("Always", "IfNotPresent"), (None, "IfNotPresent"), ("Never", "Never")]
)
def test_images_are_never_pulled_again(given: str | None, becomes: str) -> None:
    one = container(**({"imagePullPolicy": given} if given else {}))
    assert admissible(pod(containers=[one]))["spec"]["containers"][0]["imagePullPolicy"] == becomes


def test_other_kinds_stay_as_they_are() -> None:
    one = manifest("ConfigMap", "app", data={"template": "x"}, spec={"containers": [{"name": "no"}]})
    assert admissible(one) == one


def test_the_manifest_that_was_given_is_not_changed() -> None:
    given = deployment()
    admissible(given)
    assert given == deployment()


@pytest.mark.parametrize(
    "spec",
    [
        {"containers": ["x", 1, None]},
        {"containers": [{"name": "a", "securityContext": "root"}]},
        {"containers": [], "securityContext": "root"},
        {"containers": [{"securityContext": {"capabilities": []}}], "initContainers": "x"},
    ],
)
def test_nonsense_is_left_to_the_api_to_refuse(spec: dict[str, Any]) -> None:
    admissible(manifest("Pod", "one", spec=spec))
