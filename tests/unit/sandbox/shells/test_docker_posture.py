from typing import Any

import pytest

from wpk_sandbox.sandbox.sandbox import Limits, SandboxSpec
from wpk_sandbox.sandbox.seccomp.profile import docker_profile
from wpk_sandbox.sandbox.shells.docker_posture import posture_evidence, user_map_evidence

SPEC = SandboxSpec(limits=Limits(step_cpu=1, step_memory=1024**3, processes=100))
FACTS = {"SecurityOptions": ["name=apparmor", "name=seccomp,profile=default"], "DefaultRuntime": "runc"}

# The part of GET /containers/<id>/json that is looked at, of a container that is as asked for.
HOST_CONFIG: dict[str, Any] = {
    "Privileged": False,
    "PublishAllPorts": False,
    "PortBindings": {},
    "NetworkMode": "none",
    "Memory": 1024**3,
    "MemorySwap": 1024**3,
    "NanoCpus": 10**9,
    "ReadonlyRootfs": True,
    "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
    "PidMode": "",
    "IpcMode": "private",
    "UTSMode": "",
    "UsernsMode": "",
    "CgroupParent": "",
    "CgroupnsMode": "private",
    "Devices": None,
    "DeviceRequests": None,
    "Ulimits": [{"Name": name, "Soft": 1, "Hard": 1} for name in ("nofile", "core", "fsize", "memlock")],
    "PidsLimit": 100,
    "OomKillDisable": False,
    "LogConfig": {"Type": "none", "Config": {}},
    "Runtime": "runc",
    "CapDrop": ["ALL"],
    "CapAdd": ["CAP_NET_BIND_SERVICE"],
    "SecurityOpt": ["no-new-privileges", f"seccomp={docker_profile()}"],
    "MaskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware", "/proc/scsi"],
    "ReadonlyPaths": ["/proc/sys", "/proc/sysrq-trigger"],
}
INSPECTED = {"HostConfig": HOST_CONFIG, "Mounts": [], "AppArmorProfile": "docker-default"}


def test_a_container_as_asked_for_is_one_line_with_the_benchmarks_points() -> None:
    (found,) = posture_evidence(INSPECTED, FACTS, SPEC)
    assert found.held
    for point in ("5.2,", "5.4", "5.5", "5.10", "5.22", "5.26", "5.31"):
        assert point in found.seen


@pytest.mark.parametrize(
    ("key", "value", "name"),
    [
        ("Privileged", True, "privileged"),
        ("NetworkMode", "host", "network"),
        ("PidMode", "host", "process namespace"),
        ("IpcMode", "shareable", "IPC namespace"),
        ("UTSMode", "host", "host name's namespace"),
        ("UsernsMode", "host", "host's user namespace"),
        ("ReadonlyRootfs", False, "read-only root"),
        ("Memory", 0, "memory, with swap"),
        ("MemorySwap", -1, "memory, with swap"),
        ("NanoCpus", 0, "CPU"),
        ("PidsLimit", None, "processes"),
        ("CapAdd", ["CAP_NET_BIND_SERVICE", "CAP_SYS_ADMIN"], "capabilities"),
        ("CapDrop", None, "capabilities"),
        ("Devices", [{"PathOnHost": "/dev/kvm"}], "devices"),
        ("SecurityOpt", ["no-new-privileges", "seccomp=unconfined"], "system call filter"),
        ("SecurityOpt", [f"seccomp={docker_profile()}"], "no new privileges"),
        ("MaskedPaths", [], "masked paths"),
        ("ReadonlyPaths", None, "read-only paths"),
        ("RestartPolicy", {"Name": "always"}, "restart policy"),
        ("LogConfig", {"Type": "json-file"}, "log"),
        ("Runtime", "crun", "runtime"),
        ("Ulimits", [], "ulimits"),
        ("PortBindings", {"80/tcp": [{"HostPort": "80"}]}, "published ports"),
        ("CgroupParent", "/", "control group"),
        ("OomKillDisable", True, "memory killer"),
    ],
)
def test_each_difference_is_named_with_what_was_asked_for_and_what_is(key: str, value: Any, name: str) -> None:
    inspected = {**INSPECTED, "HostConfig": {**HOST_CONFIG, key: value}}
    (found,) = posture_evidence(inspected, FACTS, SPEC)
    assert (found.probe, found.held) == (f"container: {name}", False)
    assert "asked for" in found.seen


def test_folders_of_the_host_and_volumes_of_the_image_are_differences() -> None:
    socket = {"Type": "bind", "Source": "/var/run/docker.sock", "Destination": "/var/run/docker.sock"}
    (found,) = posture_evidence({**INSPECTED, "Mounts": [socket]}, FACTS, SPEC)
    assert not found.held
    assert "/var/run/docker.sock" in found.seen


def test_apparmor_is_asked_for_only_where_the_host_has_it() -> None:
    without = {**INSPECTED, "AppArmorProfile": ""}
    assert not posture_evidence(without, FACTS, SPEC)[0].held
    assert posture_evidence(without, {**FACTS, "SecurityOptions": ["name=seccomp"]}, SPEC)[0].held


def test_another_runtime_is_asked_for_by_its_name() -> None:
    spec = SandboxSpec(limits=SPEC.limits, runtime="runsc")
    other = {**INSPECTED, "HostConfig": {**HOST_CONFIG, "Runtime": "runsc"}}
    assert posture_evidence(other, FACTS, spec)[0].held
    assert len([found for found in posture_evidence(INSPECTED, FACTS, spec) if not found.held]) == 1


def test_a_container_in_anothers_network_is_not_as_asked_for() -> None:
    joined = {**INSPECTED, "HostConfig": {**HOST_CONFIG, "NetworkMode": "container:abc"}}
    assert [found.probe for found in posture_evidence(joined, FACTS, SPEC)] == ["container: network"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("         0          0 4294967295", "65532 inside is 65532 on the host"),
        ("         0     100000      65536", "65532 inside is 165532 on the host"),
        ("", "unknown"),
    ],
)
def test_whose_rights_the_user_has_on_the_host_is_said(line: str, words: str) -> None:
    assert words in user_map_evidence(line).seen
