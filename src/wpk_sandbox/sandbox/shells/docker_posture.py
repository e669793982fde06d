"""What the daemon made, held against what was asked for, point by point of section 5 of the CIS Docker Benchmark.

https://www.cisecurity.org/benchmark/docker. A daemon may ignore an option, or an authorisation plugin or a wrapped
runtime may change it; so the container is looked at again before anything runs in it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from wpk_sandbox.sandbox.sandbox import Evidence, SandboxSpec
from wpk_sandbox.sandbox.seccomp.profile import docker_profile
from wpk_sandbox.sandbox.shells import inside

# What is masked in each container since Docker 20.10, of what tells of the host.
_MASKED = {"/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"}
_READ_ONLY = {"/proc/sys", "/proc/sysrq-trigger"}

# A point of the benchmark (empty where it has none), what it is about, what was asked for, what is there.
_Row = tuple[str, str, object, object]


def posture_evidence(inspected: Mapping[str, Any], facts: Mapping[str, Any], spec: SandboxSpec) -> list[Evidence]:
    """`inspected` is the daemon's GET /containers/<id>/json, `facts` its GET /info.

    One line when all is as asked for, else one for each difference.
    """
    rows = list(_rows(inspected, facts, spec))
    wrong = [row for row in rows if row[2] != row[3]]
    points = ", ".join(point for point, *_ in rows if point)
    if not wrong:
        return [Evidence("container as asked for", True, f"{len(rows)} points of its making; CIS {points}")]
    return [
        Evidence(f"container: {name}", False, f"asked for {asked}, is {there}") for _, name, asked, there in wrong
    ]


def user_map_evidence(user_map: str) -> Evidence:
    """Whose rights the commands' user has on the host; `user_map` is /proc/self/uid_map's first line.

    Never a leak by itself: the user has no rights either way.
    """
    parts = user_map.split()
    if len(parts) != 3:
        return Evidence("user ids", True, "mapping unknown")
    first, outer, _ = (int(part) for part in parts)
    if first == outer == 0:
        return Evidence("user ids", True, f"not mapped: {inside.USER} inside is {inside.USER} on the host")
    return Evidence("user ids", True, f"mapped: {inside.USER} inside is {outer + inside.USER - first} on the host")


def _rows(inspected: Mapping[str, Any], facts: Mapping[str, Any], spec: SandboxSpec) -> Iterator[_Row]:
    host, limits = inspected["HostConfig"], spec.limits
    yield from _kernel(inspected, facts, spec)
    yield "5.5", "privileged", False, bool(host["Privileged"])
    yield "5.6", "folders of the host or volumes", [], [mount["Destination"] for mount in inspected["Mounts"]]
    yield "5.9", "published ports", (False, {}), (bool(host["PublishAllPorts"]), host["PortBindings"] or {})
    yield "5.10", "network", "none", host["NetworkMode"]
    yield "5.11", "memory, with swap", (limits.step_memory,) * 2, (host["Memory"], host["MemorySwap"])
    yield "5.12", "CPU", int(limits.step_cpu * 1e9), host["NanoCpus"]
    yield "5.13", "read-only root", True, host["ReadonlyRootfs"]
    yield "5.15", "restart policy", "no", host["RestartPolicy"]["Name"] or "no"
    yield "5.16", "process namespace", "", host["PidMode"]
    yield "5.17", "IPC namespace", "private", host["IpcMode"]
    yield "5.18", "devices", [], [*(host["Devices"] or ()), *(host.get("DeviceRequests") or ())]
    yield (
        "5.19",
        "ulimits",
        {"core", "fsize", "memlock", "nofile"},
        {each["Name"] for each in host["Ulimits"] or ()},
    )
    yield "5.21", "host name's namespace", "", host["UTSMode"]
    yield "5.25", "control group", "", host["CgroupParent"]
    yield "5.29", "processes", limits.processes, host["PidsLimit"]
    yield "5.31", "host's user namespace", False, host["UsernsMode"] == "host"
    yield "", "log", "none", host["LogConfig"]["Type"]
    yield "", "control groups' namespace", "private", host.get("CgroupnsMode")
    yield "", "runtime", spec.runtime or facts.get("DefaultRuntime"), host["Runtime"]
    yield "", "memory killer", False, bool(host["OomKillDisable"])


def _kernel(inspected: Mapping[str, Any], facts: Mapping[str, Any], spec: SandboxSpec) -> Iterator[_Row]:
    """What the kernel is told to refuse."""
    host, security = inspected["HostConfig"], spec.security
    if any("apparmor" in option for option in facts.get("SecurityOptions") or ()):
        yield "5.2", "AppArmor", "docker-default", inspected["AppArmorProfile"]
    asked = (_capabilities(security.drop_capabilities), _capabilities(security.add_capabilities))
    yield "5.4", "capabilities", asked, (_capabilities(host["CapDrop"]), _capabilities(host["CapAdd"]))
    options = set(host["SecurityOpt"] or ())
    yield "5.22", "system call filter", True, f"seccomp={docker_profile()}" in options
    yield "5.26", "no new privileges", True, bool(options & {"no-new-privileges", "no-new-privileges:true"})
    masked, closed = set(host.get("MaskedPaths") or ()), set(host.get("ReadonlyPaths") or ())
    yield "", "masked paths", [], sorted(_MASKED - masked)
    yield "", "read-only paths", [], sorted(_READ_ONLY - closed)


def _capabilities(names: Any) -> set[str]:
    return {str(name).upper().removeprefix("CAP_") for name in names or ()}
