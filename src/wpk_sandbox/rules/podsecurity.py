"""Pod Security Standards, the level `restricted`, and what else a pod asks of its node or is given unasked.

https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from collections.abc import Iterator, Mapping
from typing import Any

from wpk_sandbox.finding import Finding, Rule, Severity
from wpk_sandbox.package.package import ContainerAction
from wpk_sandbox.rules.kubernetes.pods import Pod, pods
from wpk_sandbox.rules.kubernetes.release import release
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.privilege import is_dangerous
from wpk_sandbox.rules.shell.options import names
from wpk_sandbox.rules.subject import Subject, as_list, as_mapping

RESTRICTED = Rule(
    "pod-security-restricted",
    Severity.LOW,
    "A pod would be refused where Pod Security `restricted` is enforced",
    "A namespace that enforces the level `restricted` does not start the pod. Where nothing is enforced, the pod"
    " runs with more than it needs: as root, with capabilities and system calls that help whoever breaks into it.",
    "Write `securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}` for the pod, and"
    " `securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}` for each container.",
    cwe=250,
    points=POINTS[Severity.LOW],
)
HOST_PORT = Rule(
    "host-port",
    Severity.MEDIUM,
    "A container takes a port of its node",
    "The port is open on the node's own address, past network policies; and no second pod that wants it, nor the"
    " next version of this one, starts on the same node.",
    "Remove `hostPort`, and reach the pod through a Service.",
    cwe=668,
    points=POINTS[Severity.MEDIUM],
)
UNSAFE_SYSCTL = Rule(
    "unsafe-sysctl",
    Severity.HIGH,
    "A pod sets a kernel parameter that reaches beyond it",
    "Only the parameters that Kubernetes lists as safe are separate for each pod. Others change the node for all"
    " its pods, and a kubelet that does not allow them refuses the pod.",
    "Leave the parameter to whoever sets up the nodes.",
    cwe=653,
    points=POINTS[Severity.HIGH],
)

RULES = (RESTRICTED, HOST_PORT, UNSAFE_SYSCTL)

_VOLUMES = names(
    "configMap csi downwardAPI emptyDir ephemeral image persistentVolumeClaim projected secret hostPath name"
)
_SELINUX_TYPES = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
# The minor release since which each is safe.
_SAFE_SYSCTLS = {
    "kernel.shm_rmid_forced": 0,
    "net.ipv4.ip_local_port_range": 0,
    "net.ipv4.tcp_syncookies": 0,
    "net.ipv4.ping_group_range": 18,
    "net.ipv4.ip_unprivileged_port_start": 22,
    "net.ipv4.ip_local_reserved_ports": 27,
    "net.ipv4.tcp_keepalive_time": 29,
    "net.ipv4.tcp_fin_timeout": 29,
    "net.ipv4.tcp_keepalive_intvl": 29,
    "net.ipv4.tcp_keepalive_probes": 29,
    "net.ipv4.tcp_rmem": 32,
    "net.ipv4.tcp_wmem": 32,
}
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def check(subject: Subject) -> Iterator[Finding]:
    """What pods leave open, and what they take from their node."""
    for pod in pods(subject):
        broken = list(_broken(pod))
        if broken:
            place = f"{pod.pointer}/securityContext" if "securityContext" in pod.spec else pod.pointer
            yield subject.finding(RESTRICTED, place, _message("the pod", broken), key=True)
    for who, pointer, part in _parts(subject):
        broken = list(_opened(as_mapping(part.get("securityContext"))))
        if broken:
            yield subject.finding(RESTRICTED, f"{pointer}/securityContext", _message(who, broken), key=True)
    for pointer, container, _ in subject.containers:
        yield from _host_ports(subject, pointer, container)
    for pointer, mapping in subject.mappings():
        yield from _sysctls(subject, pointer, mapping)


def _parts(subject: Subject) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """What is a part of a pod that somebody else makes, and closes: only what it opens again is the author's.

    The runner makes the pod of a container step, and a patch changes pods that exist.
    """
    for step in subject.steps:
        if isinstance(step.action, ContainerAction):
            yield "the container", f"{step.pointer}/container", step.action.raw
    for manifest in subject.manifests:
        if not manifest.whole:
            yield from (("the patch", pointer, mapping) for pointer, mapping in manifest.mappings())


def _message(who: str, broken: list[str]) -> str:
    controls = "1 control" if len(broken) == 1 else f"{len(broken)} controls"
    return f"{who} breaks {controls} of Pod Security `restricted`: {'; '.join(broken)}"


def _broken(pod: Pod) -> Iterator[str]:
    """The controls that a pod breaks, beyond those with a rule of their own."""
    context = as_mapping(pod.spec.get("securityContext"))
    linux = as_mapping(pod.spec.get("os")).get("name") != "windows"
    every: dict[str, list[str]] = {}
    total = 0
    for _, name, container in pod.containers():
        total += 1
        for control in _container(container, context, linux=linux):
            every.setdefault(control, []).append(name)
    for control, containers in every.items():
        yield control if len(containers) == total else f"{control} (container {', '.join(containers)})"
    yield from _opened(context)
    for volume in as_list(pod.spec.get("volumes")):
        for kind in sorted(set(as_mapping(volume)) - _VOLUMES):
            yield f"a volume of type {kind}"
    if any(str(key).startswith(_APPARMOR) and value == "unconfined" for key, value in pod.annotations.items()):
        yield "AppArmor unconfined"


def _container(container: Mapping[str, Any], pod: Mapping[str, Any], *, linux: bool) -> Iterator[str]:
    own = as_mapping(container.get("securityContext"))
    if own.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True:
        yield "runAsNonRoot is not true"
    if linux:
        if own.get("allowPrivilegeEscalation") is None:
            yield "allowPrivilegeEscalation is not false"
        if not {"ALL", "all"} & {str(name) for name in as_list(as_mapping(own.get("capabilities")).get("drop"))}:
            yield "capabilities.drop lacks ALL"
        if not as_mapping(own.get("seccompProfile")) and not as_mapping(pod.get("seccompProfile")):
            yield "seccompProfile is not set"
    yield from _opened(own)
    for probe in _PROBES:
        for way in ("httpGet", "tcpSocket"):
            if as_mapping(as_mapping(container.get(probe)).get(way)).get("host"):
                yield f"{probe} names a host"


def _opened(context: Mapping[str, Any]) -> Iterator[str]:
    """What a security context, of a pod or of a container, opens by itself."""
    if context.get("runAsUser") == 0 and not isinstance(context.get("runAsUser"), bool):
        yield "runAsUser is 0, which is root"
    for name in as_list(as_mapping(context.get("capabilities")).get("add")):
        if str(name).upper().removeprefix("CAP_") != "NET_BIND_SERVICE" and not is_dangerous(name):
            yield f"the capability {name} is added"
    if as_mapping(context.get("seccompProfile")).get("type") == "Unconfined":
        yield "seccompProfile is Unconfined"
    if as_mapping(context.get("appArmorProfile")).get("type") == "Unconfined":
        yield "AppArmor unconfined"
    selinux = as_mapping(context.get("seLinuxOptions"))
    if str(selinux.get("type") or "") not in _SELINUX_TYPES or selinux.get("user") or selinux.get("role"):
        yield "seLinuxOptions choose a type, user or role"
    if context.get("procMount") not in (None, "Default"):
        yield f"procMount is {context['procMount']}"
    if as_mapping(context.get("windowsOptions")).get("hostProcess") is True:
        yield "hostProcess is true"


def _host_ports(subject: Subject, pointer: str, container: Mapping[str, Any]) -> Iterator[Finding]:
    for index, port in enumerate(as_list(container.get("ports"))):
        number = as_mapping(port).get("hostPort")
        if number:
            place = f"{pointer}/ports/{index}/hostPort"
            yield subject.finding(HOST_PORT, place, f"the container takes port {number} of its node", key=True)


def _sysctls(subject: Subject, pointer: str, mapping: Mapping[str, Any]) -> Iterator[Finding]:
    for index, item in enumerate(as_list(as_mapping(mapping.get("securityContext")).get("sysctls"))):
        name = as_mapping(item).get("name")
        since = _SAFE_SYSCTLS.get(name.replace("/", ".")) if isinstance(name, str) else 0
        oldest = release(subject.package.runtime.version)
        if (since is None and "${" not in str(name)) or (since and oldest.told and since > oldest.minor):
            place = f"{pointer}/securityContext/sysctls/{index}/name"
            when = f" in Kubernetes 1.{oldest.minor}, but from 1.{since} on" if since else ""
            message = f"the kernel parameter {name} is not one of the safe ones{when}"
            yield subject.finding(UNSAFE_SYSCTL, place, message)
