"""Containers that may do to their node what root may do."""

from collections.abc import Iterator, Mapping
from typing import Any

from wpk_sandbox.finding import Finding, Rule, Severity
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell.options import names
from wpk_sandbox.rules.subject import Subject, as_list, as_mapping, escaped

PRIVILEGED = Rule(
    "privileged-container",
    Severity.CRITICAL,
    "A container is privileged",
    "A privileged container sees every device and has every capability: whoever controls it controls the node, and"
    " with the node all pods on it.",
    "Remove `privileged: true`, and add the one capability that is needed, if any.",
    cwe=250,
    points=POINTS[Severity.CRITICAL],
)
CAPABILITY = Rule(
    "dangerous-capability",
    Severity.CRITICAL,
    "A container asks for a capability that leads out of it",
    "`SYS_ADMIN`, `SYS_PTRACE`, `SYS_MODULE` and their like are enough to mount the node's disk, read the memory of"
    " other processes or load code into the kernel.",
    "Drop ALL, and add only what is needed; `NET_BIND_SERVICE` is enough for a port below 1024.",
    cwe=250,
    points=POINTS[Severity.CRITICAL],
)
HOST_NAMESPACE = Rule(
    "host-namespace",
    Severity.CRITICAL,
    "A pod shares the network, processes or IPC of its node",
    "With `hostNetwork` a pod reaches services that listen on the node alone and evades network policies; with"
    " `hostPID` it sees, and may signal or read, every process of the node.",
    "Remove `hostNetwork`, `hostPID` and `hostIPC`; ask the node's own agent for what the runbook needs.",
    cwe=653,
    points=POINTS[Severity.CRITICAL],
)
ESCALATION = Rule(
    "privilege-escalation",
    Severity.MEDIUM,
    "A container may gain privileges",
    "With `allowPrivilegeEscalation: true` a setuid program inside gives a process more rights than the container"
    " was started with.",
    "Write `allowPrivilegeEscalation: false`.",
    cwe=250,
    points=POINTS[Severity.MEDIUM],
)

RULES = (PRIVILEGED, CAPABILITY, HOST_NAMESPACE, ESCALATION)

# https://man7.org/linux/man-pages/man7/capabilities.7.html, without those that the Pod Security Standards' baseline
# lets containers add: https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline
_DANGEROUS = names(
    "ALL SYS_ADMIN SYS_MODULE SYS_PTRACE SYS_RAWIO SYS_BOOT SYS_TIME SYS_NICE SYS_RESOURCE SYS_TTY_CONFIG SYS_PACCT"
    " SYSLOG NET_ADMIN NET_RAW DAC_READ_SEARCH MAC_ADMIN MAC_OVERRIDE BPF PERFMON LINUX_IMMUTABLE IPC_OWNER"
    " CHECKPOINT_RESTORE AUDIT_CONTROL AUDIT_READ BLOCK_SUSPEND WAKE_ALARM"
)
_HOST_FIELDS = ("hostNetwork", "hostPID", "hostIPC")


def check(subject: Subject) -> Iterator[Finding]:
    """What containers and pods ask for beyond their own walls."""
    for pointer, mapping in subject.mappings():
        if mapping.get("privileged") is True:
            yield subject.finding(PRIVILEGED, f"{pointer}/privileged", "the container is privileged", key=True)
        if mapping.get("allowPrivilegeEscalation") is True:
            message = "processes in the container may gain privileges"
            yield subject.finding(ESCALATION, f"{pointer}/allowPrivilegeEscalation", message, key=True)
        for name in _HOST_FIELDS:
            if mapping.get(name) is True:
                message = f"the pod shares its node's {_SHARED[name]}"
                yield subject.finding(HOST_NAMESPACE, f"{pointer}/{name}", message, key=True)
        if "capabilities" in mapping:
            yield from _capabilities(subject, pointer, as_mapping(mapping["capabilities"]))


_SHARED = {"hostNetwork": "network", "hostPID": "processes", "hostIPC": "inter-process communication"}


def _capabilities(subject: Subject, pointer: str, capabilities: Mapping[str, Any]) -> Iterator[Finding]:
    for index, name in enumerate(as_list(capabilities.get("add"))):
        if is_dangerous(name):
            place = f"{pointer}/{escaped('capabilities')}/add/{index}"
            yield subject.finding(CAPABILITY, place, f"the capability {name} leads out of the container")


def is_dangerous(capability: object) -> bool:
    """True for a capability that leads out of a container, however it is written."""
    return str(capability).upper().removeprefix("CAP_") in _DANGEROUS
