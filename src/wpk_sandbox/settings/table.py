"""Every setting once: its name, default and help. Documentation, schema and inputs are made from it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wpk_sandbox.finding import Location
from wpk_sandbox.settings.values import (
    allowed_hosts,
    bandwidth,
    choice,
    cores,
    count,
    duration,
    flag,
    mocks,
    number,
    policy,
    reaper,
    size,
    text,
    unread,
    words,
)

SANDBOX_TYPES = ("auto", "local", "container", "kind", "vm")
ROLLBACKS = ("prove", "on-failure", "never")
FAIL_ON = ("block", "person", "review")
ON_VIOLATION = ("warn", "fail")
INLINE_WAIVERS = ("base", "any", "none")


@dataclass(frozen=True)
class Setting:
    """One setting. `name` is its path in the file; `default` is written as a user would write it.

    `input` names the Action's input of the same meaning, if it is worth one. `read` parses, instead of `parse`,
    what is more than a value and can stand in the file only; it is told where each part is, by its pointer.
    """

    name: str
    default: Any
    help: str
    parse: Callable[[Any], Any] = text
    input: str = ""
    read: Callable[[Any, Callable[[str], Location]], Any] | None = None

    @property
    def variable(self) -> str:
        """The environment variable: `sandbox.limits.cpu` is `WPK_SANDBOX_LIMITS_CPU`; empty where there is none."""
        if self.read:
            return ""
        return "WPK_SANDBOX_" + self.name.removeprefix("sandbox.").replace(".", "_").upper()


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "sandbox.type",
        "auto",
        "Where packages run: `local` (bubblewrap, simulated cluster), `container` (Docker, simulated cluster), "
        "`kind` (Docker, a real cluster), `vm` (a virtual machine, simulated cluster), "
        "or `auto`: the strongest that a package needs and the host has.",
        choice(*SANDBOX_TYPES),
        "sandbox",
    ),
    Setting("sandbox.limits.cpu", "2", "Cores for a whole sandbox.", cores),
    Setting("sandbox.limits.memory", "4Gi", "Memory for a whole sandbox.", size),
    Setting("sandbox.limits.storage", "10Gi", "Ephemeral storage for a whole sandbox.", size),
    Setting(
        "sandbox.limits.execution_time", "30m", "Time for one package, rollback not included.", duration, "timeout"
    ),
    Setting("sandbox.limits.network_bandwidth", "100Mbps", "Bandwidth where a link exists.", bandwidth),
    Setting("sandbox.limits.step_cpu", "1", "Cores for the shell, and the most for one container.", cores),
    Setting("sandbox.limits.step_memory", "1Gi", "Memory for the shell, and the most for one container.", size),
    Setting("sandbox.limits.processes", 100, "Processes in a shell.", count),
    Setting("sandbox.limits.tmp", "100Mi", "Size of `/tmp` in a shell.", size),
    Setting("sandbox.limits.output", "1Mi", "Bytes kept of each stream of a step; more ends the step.", size),
    Setting("sandbox.security.allow_privileged", False, "Admit privileged pods to the cluster.", flag),
    Setting("sandbox.security.allow_host_network", False, "Admit pods on the node's network.", flag),
    Setting("sandbox.security.allow_host_pid", False, "Admit pods that see the node's processes.", flag),
    Setting(
        "sandbox.security.on_violation",
        "warn",
        "What fails a package: `warn`: only escape attempts and known attacks of high severity; what else is "
        "refused is only listed. `fail`: every refused connection too, and every event of medium severity.",
        choice(*ON_VIOLATION),
    ),
    Setting("sandbox.security.drop_capabilities", ["ALL"], "Capabilities that a container loses.", words),
    Setting("sandbox.security.add_capabilities", ["NET_BIND_SERVICE"], "Capabilities that it keeps.", words),
    Setting(
        "sandbox.network.mocks",
        [],
        "What the outside answers, in every case: a list of `{request: {method, url}, response: {status, headers, "
        "body}}`; see `docs/network.md`.",
        unread,
        read=mocks,
    ),
    Setting(
        "sandbox.network.allow",
        [],
        "Hosts that a package may really reach, as `host:port`; each connection is listed in the report.",
        allowed_hosts,
    ),
    Setting(
        "sandbox.network.record",
        True,
        "Record what a shell tries to reach. It is closed either way; without, attempts are not listed.",
        flag,
    ),
    Setting(
        "sandbox.network.gate_image",
        "",
        "The image with Python that records for container shells; empty for our own.",
        text,
    ),
    Setting("sandbox.cleanup.auto_cleanup", True, "Remove everything that was made, when a run ends.", flag),
    Setting("sandbox.cleanup.cleanup_timeout", "5m", "Time for removing everything that was made.", duration),
    Setting(
        "sandbox.cleanup.force_cleanup", True, "Kill what is removed; otherwise it is asked to end before.", flag
    ),
    Setting(
        "sandbox.cleanup.reaper",
        "auto",
        "Who removes what was made when the tool itself is killed: `auto` has a process wait beside it, and in a "
        "container on a socket of the same daemon a container too; `off` leaves it to the next run or `reap`.",
        reaper,
    ),
    Setting(
        "shell.image",
        "",
        "The image of container shells; empty for our own, which holds bash, curl, jq and kubectl.",
        text,
        "shell-image",
    ),
    Setting(
        "shell.runtime",
        "",
        "The daemon's runtime for container shells, such as `runsc`, `kata` or `crun`; empty for its default.",
    ),
    Setting("kind.node_image", "", "The node image; empty for the newest on this host, else kind's own.", text),
    Setting("kind.boot_timeout", "5m", "Time for a cluster to boot, a second try included.", duration),
    Setting(
        "vm.image",
        "",
        "A folder, tar archive or squashfs: the file system of virtual machines; empty for `shell.image`.",
        text,
    ),
    Setting("vm.kernel", "", "The kernel of virtual machines, a `vmlinuz`; empty for the best in `/boot`.", text),
    Setting("images.pull", True, "May we pull images that are missing? The package never can.", flag),
    Setting("images.stand_in", "busybox:1.36", "The image of the pods of stand-ins.", text),
    Setting("timeouts.handler", "5m", "Time for a handler that names none.", duration),
    Setting("timeouts.run", "2h", "Time for all packages together.", duration),
    Setting(
        "rollback",
        "prove",
        "When the rollback runs: `prove` after success too, `on-failure`, or `never`.",
        choice(*ROLLBACKS),
        "rollback",
    ),
    Setting(
        "policy.fail_on",
        "block",
        "The mildest decision that fails a package before it starts: `block`, `person` or `review`.",
        choice(*FAIL_ON),
        "fail-on",
    ),
    Setting("policy.review_from", 25, "Risk from which a review is asked for.", number),
    Setting("policy.person_from", 50, "Risk from which a person must decide.", number),
    Setting("policy.block_from", 76, "Risk from which a package never starts.", number),
    Setting("policy.allowed_images", [], "Images that need no further look; a `*` matches.", words),
    Setting("policy.allowed_registries", [], "Registries that images may come from; empty for any.", words),
    Setting("policy.allowed_hosts", [], "Hosts that a package may name.", words),
    Setting("policy.max_cpu", "2", "Cores that a container may ask for.", cores),
    Setting("policy.max_memory", "8Gi", "Memory that a container may ask for.", size),
    Setting(
        "policy.severity",
        {},
        "Another severity for rules: `{image-unpinned: low, external-call: off}`; a critical one `high` at least.",
        unread,
        read=policy("severities"),
    ),
    Setting(
        "policy.required_fields",
        [],
        "Fields that each package must have, as dotted paths: `[metadata.author]`.",
        unread,
        read=policy("required_fields"),
    ),
    Setting(
        "policy.rules",
        [],
        "Rules of your own: a list of `{id, when, message, severity, fix, at, examples}`; see `docs/policy.md`.",
        unread,
        read=policy("custom_rules"),
    ),
    Setting(
        "policy.waivers",
        [],
        "Findings that may stand: a list of `{rule, path, reason, until, owner, text}`; see `docs/policy.md`.",
        unread,
        read=policy("waivers"),
    ),
    Setting(
        "policy.inline_waivers",
        "base",
        "Which comments waive in a change: those that the `base` has too, `any` (but for critical findings), or "
        "`none`, there and everywhere.",
        choice(*INLINE_WAIVERS),
    ),
    Setting("policy.waiver_days", 366, "Days from today that a waiver may run at most.", count),
    Setting("discover.patterns", ["*.wpk.yaml", "*.wpk.yml"], "What package files are called.", words, "patterns"),
    Setting("report.directory", "wpk-sandbox-report", "Where `ci` writes the report files.", text, "report"),
    Setting("report.templates", "", "A folder with your own `summary.md.j2`.", text, "templates"),
)
