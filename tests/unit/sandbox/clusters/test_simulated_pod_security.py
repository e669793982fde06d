"""Pod Security: what each level refuses, in the words of the real one."""

import pytest

from wpk_sandbox.sandbox.clusters.simulated.pod_security import violations

CLOSED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def spec(*contexts, **pod):
    return {
        "containers": [{"name": f"c{n}", "securityContext": context} for n, context in enumerate(contexts)],
        **pod,
    }


def test_a_closed_pod_breaks_no_level():
    for level in ("privileged", "baseline", "restricted"):
        assert violations(spec(CLOSED), level) == []


def test_a_pod_may_say_for_all_its_containers_what_it_can():
    pod = {"runAsNonRoot": True, "seccompProfile": {"type": "Localhost", "localhostProfile": "x"}}
    container = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}
    assert violations(spec(container, container, securityContext=pod), "restricted") == []


@pytest.mark.parametrize(
    ("context", "pod", "words"),
    [
        ({"privileged": True}, {}, 'privileged (container "c0" must not set securityContext.privileged=true)'),
        ({}, {"hostIPC": True}, "host namespaces (hostIPC=true)"),
        ({}, {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}, 'hostPath volumes (volume "v")'),
        (
            {"capabilities": {"add": ["CHOWN", "BPF"]}},
            {},
            'non-default capabilities (container "c0" must not include "BPF" in securityContext.capabilities.add)',
        ),
        (
            {"procMount": "Unmasked"},
            {},
            'procMount (container "c0" must not set securityContext.procMount to "Unmasked")',
        ),
        (
            {"seccompProfile": {"type": "Unconfined"}},
            {"securityContext": {"seccompProfile": {"type": "Unconfined"}}},
            'seccompProfile (pod and container "c0" must not set securityContext.seccompProfile.type to "Unconfined")',
        ),
        (
            {"appArmorProfile": {"type": "Unconfined"}},
            {},
            'forbidden AppArmor profile (container "c0" must not set AppArmor profile type to "Unconfined")',
        ),
        (
            {"seLinuxOptions": {"type": "bad_t"}},
            {},
            'seLinuxOptions (container "c0" set forbidden securityContext.seLinuxOptions: type "bad_t")',
        ),
        (
            {"windowsOptions": {"hostProcess": True}},
            {},
            'hostProcess (container "c0" must not set securityContext.windowsOptions.hostProcess=true)',
        ),
    ],
)
def test_baseline_refuses_what_leads_to_the_host(context, pod, words):
    assert violations(spec(context, **pod), "baseline") == [words]
    assert violations(spec(context, **pod), "privileged") == []


def test_host_ports_are_named():
    pod = {"containers": [{"name": "a", "ports": [{"hostPort": 80}, {"hostPort": 81}, {"containerPort": 1}]}]}
    assert violations(pod, "baseline") == ['hostPort (container "a" uses hostPorts 80, 81)']


def test_every_container_at_fault_is_named_once():
    (escalation, capabilities, root, seccomp) = violations(spec({}, {}), "restricted")
    assert escalation == (
        'allowPrivilegeEscalation != false (containers "c0", "c1" must set securityContext.allowPrivilegeEscalation=false)'
    )
    assert capabilities.startswith('unrestricted capabilities (containers "c0", "c1" must set')
    assert root == 'runAsNonRoot != true (pod or containers "c0", "c1" must set securityContext.runAsNonRoot=true)'
    assert seccomp.startswith('seccompProfile (pod or containers "c0", "c1" must set')


def test_init_containers_are_held_to_the_same():
    pod = {"initContainers": [{"name": "init"}], **spec(CLOSED)}
    assert all('"init"' in text for text in violations(pod, "restricted"))
    assert len(violations(pod, "restricted")) == 4


def test_restricted_names_the_types_of_volumes():
    volumes = [{"name": "a", "nfs": {}}, {"name": "b", "hostPath": {}}, {"name": "c", "emptyDir": {}}]
    assert violations(spec(CLOSED, volumes=volumes), "restricted") == [
        'restricted volume types (volumes "a", "b" use restricted volume types "hostPath", "nfs")'
    ]


def test_a_namespace_without_a_level_lets_everything_in(api, make):
    api.create("Pod", make.pod(container={"securityContext": {"privileged": True}}))
    assert api.get("Pod", "alone")["status"]["phase"] == "Running"


def test_the_level_of_a_namespace_can_change(api, make):
    api.create("Namespace", {"metadata": {"name": "shop"}})
    label = {
        "pod-security.kubernetes.io/enforce": "baseline",
        "pod-security.kubernetes.io/enforce-version": "v1.30",
    }
    api.patch("Namespace", "shop", {"metadata": {"labels": label}})
    body = make.pod(hostNetwork=True)
    message = api.refusal("POST", "Pod", body=body, namespace="shop")["message"]
    assert (
        message
        == 'pods "alone" is forbidden: violates PodSecurity "baseline:v1.30": host namespaces (hostNetwork=true)'
    )
