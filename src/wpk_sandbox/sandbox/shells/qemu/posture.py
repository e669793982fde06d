"""Measured from inside: that the guest is a machine of its own, with its own kernel, and what the host shows it."""

import platform

from wpk_sandbox.package.units import human_bytes
from wpk_sandbox.sandbox.sandbox import Evidence, Limits
from wpk_sandbox.sandbox.shells.inside import TEMPORARY
from wpk_sandbox.sandbox.shells.probe import SAY, Answers

# Needs `sh`, `cat`, `chmod`, `rm` of the image, and what proc(5) and sysfs(5) tell.
SCRIPT = (
    SAY
    + """
read -r release </proc/sys/kernel/osrelease && say kernel "$release"
while read -r key value _; do [ "$key" = MemTotal: ] && say memory "$value"; done </proc/meminfo
while read -r name _; do
  case $name in *:*) say interface "${name%%:*}" ;; esac
done </proc/net/dev
while read -r _ at kind options _; do
  case $at in /tmp) say tmp "$options" ;; /) say root "$kind" ;; esac
  case $kind in 9p | virtiofs | nfs* | cifs | fuse*) say shared "$at" ;; esac
done </proc/mounts
for disk in /sys/block/*; do
  [ -e "$disk/ro" ] || continue
  read -r read_only <"$disk/ro"
  read -r size <"$disk/size"
  [ "$size" = 0 ] || say disk "${disk##*/} $read_only"
done
for device in /sys/bus/pci/devices/*; do
  [ -e "$device/class" ] && read -r class <"$device/class" && say device "$class"
done
for path in /var/run/docker.sock /run/docker.sock /run/containerd/containerd.sock /run/podman/podman.sock; do
  [ -e "$path" ] && say socket "$path"
done
probe=/tmp/.wpk-probe.$$
printf '#!/bin/sh\\nexit 0\\n' >"$probe" && chmod 700 "$probe"
if "$probe" 2>/dev/null; then say "tmp program" yes; else say "tmp program" no; fi
rm -f "$probe"
exit 0
"""
)

# PCI classes of a network controller, https://pcisig.com/ (Code and ID Assignment).
_NETWORK_CLASS = "0x02"


def evidence(
    answers: Answers, version: str, memory: int, limits: Limits, *, device: str = ""
) -> tuple[Evidence, ...]:
    """The answers of `SCRIPT`, held against the machine that was made; `device` is the gate's, where one stands."""
    kernel, total = answers.one("kernel"), answers.number("memory")
    network = answers.all("interface")
    cards = [kind for kind in answers.all("device") if kind.startswith(_NETWORK_CLASS)]
    disks, shared = answers.all("disk"), answers.all("shared")
    options = set(answers.one("tmp").split(","))
    return (
        Evidence(
            "kernel of its own",
            kernel == version and kernel != platform.release(),
            f"Linux {kernel or 'unknown'}, the host's is {platform.release()}",
        ),
        Evidence(
            "network",
            bool(kernel) and set(network) <= {"lo", device or "lo"} and not cards,
            f"interfaces: {', '.join(network) or 'none'}; network devices: {', '.join(cards) or 'none'}",
        ),
        Evidence(
            "root file system",
            answers.one("root") == "overlay",
            f"{answers.one('root') or 'unknown'}, written to the guest's memory",
        ),
        Evidence(
            "disks",
            bool(disks) and all(disk.endswith(" 1") for disk in disks),
            ", ".join(f"{name} {'read-only' if ro == '1' else 'writable'}" for name, ro in map(str.split, disks)),
        ),
        Evidence("folders of the host", not shared, ", ".join(shared) or "none"),
        Evidence(
            TEMPORARY,
            answers.one("tmp program") == "no" and options >= {"noexec", "nosuid", "nodev"},
            f"{answers.one('tmp') or 'not mounted'}; a program in it "
            + ("did not start" if answers.one("tmp program") == "no" else "started"),
        ),
        Evidence("daemon sockets", not answers.all("socket"), ", ".join(answers.all("socket")) or "none in reach"),
        Evidence(
            "memory limit",
            total is not None and total * 1024 <= memory,
            f"{human_bytes(total * 1024)} in the whole machine, {human_bytes(limits.step_memory)} for commands"
            if total is not None
            else "unknown",
        ),
    )
