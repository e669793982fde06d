"""Pod Security admission: the `baseline` and `restricted` levels, as the built-in plugin words them.

https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from collections.abc import Callable, Iterable, Iterator

from wpk_sandbox.sandbox.clusters.simulated.objects import Object, dig

_DEFAULT_CAPABILITIES = frozenset(
    {
        *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"),
        *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
    }
)
_SAFE_SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_wmem",
    }
)
_SAFE_VOLUMES = frozenset(
    {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
)
_SAFE_SELINUX_TYPES = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
_SAFE_SECCOMP = ("RuntimeDefault", "Localhost")

Check = Callable[[Object], Iterator[str]]


def violations(spec: Object, level: str) -> list[str]:
    """What a pod's spec breaks of a level, each in the plugin's words; empty when it may run."""
    checks = {"baseline": _BASELINE, "restricted": _RESTRICTED}.get(level, ())
    return [text for check in checks for text in check(spec)]


def _containers(spec: Object) -> list[Object]:
    groups = ("initContainers", "containers", "ephemeralContainers")
    return [container for group in groups for container in spec.get(group) or ()]


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _named(word: str, names: list[str]) -> str:
    return f"{word}{'s' if len(names) > 1 else ''} {_quoted(names)}"


def _failing(spec: Object, fails: Callable[[Object], bool]) -> list[str]:
    return [container["name"] for container in _containers(spec) if fails(container)]


def _host_namespaces(spec: Object) -> Iterator[str]:
    used = [f"{name}=true" for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name)]
    if used:
        yield f"host namespaces ({', '.join(used)})"


def _host_path(spec: Object) -> Iterator[str]:
    names = [volume["name"] for volume in spec.get("volumes") or () if volume.get("hostPath") is not None]
    if names:
        yield f"hostPath volumes ({_named('volume', names)})"


def _host_ports(spec: Object) -> Iterator[str]:
    used = {
        container["name"]: [str(port["hostPort"]) for port in container.get("ports") or () if port.get("hostPort")]
        for container in _containers(spec)
    }
    names = [name for name, ports in used.items() if ports]
    if names:
        ports = [port for name in names for port in used[name]]
        verb = "use" if len(names) > 1 else "uses"
        word = "hostPorts" if len(ports) > 1 else "hostPort"
        yield f"hostPort ({_named('container', names)} {verb} {word} {', '.join(ports)})"


def _privileged(spec: Object) -> Iterator[str]:
    names = _failing(spec, lambda c: dig(c, "securityContext", "privileged") is True)
    if names:
        yield f"privileged ({_named('container', names)} must not set securityContext.privileged=true)"


def _proc_mount(spec: Object) -> Iterator[str]:
    names = _failing(spec, lambda c: dig(c, "securityContext", "procMount", default="Default") != "Default")
    if names:
        yield f'procMount ({_named("container", names)} must not set securityContext.procMount to "Unmasked")'


def _apparmor(spec: Object) -> Iterator[str]:
    found = ["pod"] if dig(spec, "securityContext", "appArmorProfile", "type") == "Unconfined" else []
    names = _failing(spec, lambda c: dig(c, "securityContext", "appArmorProfile", "type") == "Unconfined")
    if names:
        found.append(_named("container", names))
    if found:
        what = f'{" and ".join(found)} must not set AppArmor profile type to "Unconfined"'
        yield f"forbidden AppArmor profile ({what})"


def _selinux(spec: Object) -> Iterator[str]:
    places = {"pod": dig(spec, "securityContext", "seLinuxOptions", default={})}
    for container in _containers(spec):
        options = dig(container, "securityContext", "seLinuxOptions", default={})
        places[_named("container", [container["name"]])] = options
    for place, options in places.items():
        wrong = [f'type "{options["type"]}"'] if options.get("type", "") not in _SAFE_SELINUX_TYPES else []
        wrong += [f"{name} may not be set" for name in ("user", "role") if options.get(name)]
        if wrong:
            yield f"seLinuxOptions ({place} set forbidden securityContext.seLinuxOptions: {'; '.join(wrong)})"


def _host_process(spec: Object) -> Iterator[str]:
    names = _failing(spec, lambda c: dig(c, "securityContext", "windowsOptions", "hostProcess") is True)
    if names:
        what = f"{_named('container', names)} must not set securityContext.windowsOptions.hostProcess=true"
        yield f"hostProcess ({what})"


def _seccomp_baseline(spec: Object) -> Iterator[str]:
    found = []
    if dig(spec, "securityContext", "seccompProfile", "type") == "Unconfined":
        found.append("pod")
    names = _failing(spec, lambda c: dig(c, "securityContext", "seccompProfile", "type") == "Unconfined")
    if names:
        found.append(_named("container", names))
    if found:
        what = f'{" and ".join(found)} must not set securityContext.seccompProfile.type to "Unconfined"'
        yield f"seccompProfile ({what})"


def _sysctls(spec: Object) -> Iterator[str]:
    names = [item["name"] for item in dig(spec, "securityContext", "sysctls", default=[])]
    forbidden = [name for name in names if name not in _SAFE_SYSCTLS]
    if forbidden:
        yield f"forbidden sysctls ({', '.join(forbidden)})"


def _added(container: Object) -> list[str]:
    return list(dig(container, "securityContext", "capabilities", "add", default=[]))


def _capabilities(allowed: frozenset[str]) -> Callable[[Object], str]:
    def complaint(spec: Object) -> str:
        names = _failing(spec, lambda c: bool(set(_added(c)) - allowed))
        added = {capability for container in _containers(spec) for capability in _added(container)} - allowed
        if not names:
            return ""
        listed = _quoted(sorted(added))
        return f"{_named('container', names)} must not include {listed} in securityContext.capabilities.add"

    return complaint


def _capabilities_baseline(spec: Object) -> Iterator[str]:
    complaint = _capabilities(_DEFAULT_CAPABILITIES)(spec)
    if complaint:
        yield f"non-default capabilities ({complaint})"


def _capabilities_restricted(spec: Object) -> Iterator[str]:
    keeping = _failing(spec, lambda c: "ALL" not in dig(c, "securityContext", "capabilities", "drop", default=[]))
    complaints = []
    if keeping:
        complaints.append(f'{_named("container", keeping)} must set securityContext.capabilities.drop=["ALL"]')
    adding = _capabilities(frozenset({"NET_BIND_SERVICE"}))(spec)
    if adding:
        complaints.append(adding)
    if complaints:
        yield f"unrestricted capabilities ({'; '.join(complaints)})"


def _escalation(spec: Object) -> Iterator[str]:
    names = _failing(spec, lambda c: dig(c, "securityContext", "allowPrivilegeEscalation") is not False)
    if names:
        what = f"{_named('container', names)} must set securityContext.allowPrivilegeEscalation=false"
        yield f"allowPrivilegeEscalation != false ({what})"


def _volume_types(spec: Object) -> Iterator[str]:
    bad = {
        volume["name"]: kind
        for volume in spec.get("volumes") or ()
        for kind in volume
        if kind != "name" and kind not in _SAFE_VOLUMES
    }
    if bad:
        kinds = sorted(set(bad.values()))
        verb = "use" if len(bad) > 1 else "uses"
        what = f"{verb} restricted volume {_named('type', kinds)}"
        yield f"restricted volume types ({_named('volume', list(bad))} {what})"


def _non_root(spec: Object) -> Iterator[str]:
    pod = dig(spec, "securityContext", "runAsNonRoot")
    explicit = _failing(spec, lambda c: dig(c, "securityContext", "runAsNonRoot") is False)
    silent = _failing(spec, lambda c: dig(c, "securityContext", "runAsNonRoot") is None)
    if explicit:
        what = f"{_named('container', explicit)} must not set securityContext.runAsNonRoot=false"
        yield f"runAsNonRoot != true ({what})"
    elif pod is False:
        yield "runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)"
    elif pod is None and silent:
        what = f"pod or {_named('container', silent)} must set securityContext.runAsNonRoot=true"
        yield f"runAsNonRoot != true ({what})"


def _user(spec: Object) -> Iterator[str]:
    if dig(spec, "securityContext", "runAsUser") == 0:
        yield "runAsUser=0 (pod must not set runAsUser=0)"
    names = _failing(spec, lambda c: dig(c, "securityContext", "runAsUser") == 0)
    if names:
        yield f"runAsUser=0 ({_named('container', names)} must not set runAsUser=0)"


def _seccomp_restricted(spec: Object) -> Iterator[str]:
    pod = dig(spec, "securityContext", "seccompProfile", "type")
    bad = {c["name"]: type_ for c in _containers(spec) if (type_ := _seccomp(c)) not in (None, *_SAFE_SECCOMP)}
    silent = _failing(spec, lambda c: _seccomp(c) is None)
    field = "securityContext.seccompProfile.type to"
    if pod is not None and pod not in _SAFE_SECCOMP:
        yield f'seccompProfile (pod must not set {field} "{pod}")'
    elif bad:
        types = _quoted(sorted({str(type_) for type_ in bad.values()}))
        yield f"seccompProfile ({_named('container', list(bad))} must not set {field} {types})"
    elif pod is None and silent:
        allowed = f"{field} {_quoted(_SAFE_SECCOMP).replace(', ', ' or ')}"
        yield f"seccompProfile (pod or {_named('container', silent)} must set {allowed})"


def _seccomp(container: Object) -> str | None:
    found = dig(container, "securityContext", "seccompProfile", "type")
    return None if found is None else str(found)


_HOST: tuple[Check, ...] = (_host_ports, _privileged, _proc_mount, _selinux)
_BASELINE: tuple[Check, ...] = (
    _apparmor,
    _capabilities_baseline,
    _host_namespaces,
    _host_path,
    *_HOST,
    _seccomp_baseline,
    _sysctls,
    _host_process,
)
# The restricted level brings its own checks for capabilities, volumes and seccomp, which replace those of baseline.
_RESTRICTED: tuple[Check, ...] = (
    _apparmor,
    _host_namespaces,
    *_HOST,
    _sysctls,
    _host_process,
    _escalation,
    _capabilities_restricted,
    _volume_types,
    _non_root,
    _user,
    _seccomp_restricted,
)
