"""What the API server fills in where a manifest is silent."""

import pytest


def test_defaults_of_a_pod_are_those_of_the_api(api, make):
    probe = {"httpGet": {"port": 80}}
    pod = api.create(
        "Pod", make.pod(container={"image": "nginx", "ports": [{"containerPort": 80}], "livenessProbe": probe})
    )
    spec, (container,) = pod["spec"], pod["spec"]["containers"]
    assert (spec["restartPolicy"], spec["dnsPolicy"], spec["serviceAccountName"]) == (
        "Always",
        "ClusterFirst",
        "default",
    )
    assert (container["imagePullPolicy"], container["ports"][0]["protocol"]) == ("Always", "TCP")
    assert container["livenessProbe"]["httpGet"] == {"port": 80, "path": "/", "scheme": "HTTP"}


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1", "IfNotPresent"),
        ("r:5000/nginx", "Always"),
        ("nginx@sha256:0", "IfNotPresent"),
    ],
)
def test_the_tag_of_an_image_decides_when_it_is_pulled(api, make, image, policy):
    pod = api.create("Pod", make.pod(container={"image": image}))
    assert pod["spec"]["containers"][0]["imagePullPolicy"] == policy


def test_plain_secrets_are_encoded(api):
    made = api.create("Secret", {"metadata": {"name": "x"}, "stringData": {"a": "b"}})
    assert (made["data"], made["type"], "stringData" in made) == ({"a": "Yg=="}, "Opaque", False)
