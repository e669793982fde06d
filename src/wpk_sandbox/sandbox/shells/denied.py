"""What a denied system call tells a reader: the event for a report, made of what a supervisor counted."""

import platform
from collections.abc import Iterable, Mapping
from typing import Any

from wpk_sandbox.finding import Severity
from wpk_sandbox.sandbox.sandbox import SecurityEvent, Threat
from wpk_sandbox.sandbox.seccomp.bpf import ARCHITECTURES, call_names

# What programs of administration try in good faith, too: they are stopped and told, and condemn nobody.
_MAY_BE_ORDINARY = {
    *("acct", "chmod", "clock_settime", "fchmodat", "fchmodat2", "mknod", "mknodat", "personality", "quotactl"),
    *("quotactl_fd", "reboot", "setdomainname", "sethostname", "settimeofday", "socketpair", "swapoff", "swapon"),
    *("syslog", "vhangup"),
}
# linux/socket.h. An ordinary program (ping) may ask for a raw socket of some; the others are ways into the kernel.
_FAMILIES = {2: "INET", 10: "INET6", 16: "NETLINK", 17: "PACKET", 38: "ALG", 40: "VSOCK", 44: "XDP"}
_RAW = {2, 10, 16, 17}
_SHOWN_ARGUMENTS = {"socket": 3, "socketpair": 3, "personality": 1, "clone": 1, "unshare": 1, "setns": 2}


def events(
    counted: Iterable[Mapping[str, Any]], further: int, reasons: Mapping[str, str]
) -> tuple[SecurityEvent, ...]:
    """An event for each kind of denied call, with the reason for its name; `further` were not kept apart."""
    found = [_event(call, reasons) for call in counted]
    if further:
        message = "further denied system calls, too many to be told apart"
        found.append(SecurityEvent(Threat.ESCAPE, Severity.MEDIUM, message, count=further))
    return tuple(found)


def _event(call: Mapping[str, Any], reasons: Mapping[str, str]) -> SecurityEvent:
    machine = platform.machine()
    process = f"{call['process']} ({call['id']})" if call["process"] else str(call["id"])
    count = int(call["count"])
    if call["architecture"] != ARCHITECTURES[machine]:
        evidence = f"call {call['number']} of the architecture 0x{call['architecture']:x}, denied with EPERM"
        words = "a system call of another architecture was denied: no table covers those"
        return SecurityEvent(Threat.ESCAPE, Severity.HIGH, words, evidence, process, count)
    name = call_names(machine).get(call["number"], f"number {call['number']}")
    reason = reasons.get(name, "is not one that commands need")
    arguments = call["arguments"][: _SHOWN_ARGUMENTS.get(name, 0)]
    evidence = f"{name}({', '.join(map(hex, arguments))}{'' if arguments else '…'}) was denied with EPERM"
    family = int(call["arguments"][0]) & 0xFFFF_FFFF if name == "socket" else None
    if family in _FAMILIES:
        evidence += f" (AF_{_FAMILIES[family]})"
    threat = Threat.NETWORK if family in _RAW else Threat.ESCAPE
    ordinary = name in _MAY_BE_ORDINARY or family in _RAW
    severity = Severity.MEDIUM if ordinary else Severity.HIGH
    return SecurityEvent(
        threat, severity, f"the system call {name} was denied: it {reason}", evidence, process, count
    )
