"""Which rules belong together: precision and recall are told per family."""

SHELL: dict[str, tuple[str, ...]] = {
    "destroy": ("shell-destroy-system", "shell-raw-disk-write", "shell-destroy-data"),
    "exhaust": ("shell-exhaustion", "shell-fork-bomb"),
    "fetch-and-run": ("shell-fetch-and-run",),
    "reverse-shell": ("shell-reverse-shell",),
    "hidden": ("shell-hidden-code",),
    "exfiltrate": ("shell-exfiltration",),
    "credentials": ("shell-credential-access", "metadata-call"),
    "escape": ("shell-container-escape", "shell-kernel-change"),
    "safety": ("shell-safety-disabled",),
    "expansion": ("shell-unsafe-expansion",),
    "permissions": ("shell-world-writable",),
    "unpinned": ("shell-unpinned-download",),
}
PACKAGES: dict[str, tuple[str, ...]] = {
    "kubernetes": (
        "admission-webhook",
        "api-deprecated",
        "api-removed",
        "cluster-rights",
        "dangerous-capability",
        "external-name",
        "host-namespace",
        "host-path",
        "host-port",
        "image-not-allowed",
        "image-unpinned",
        "manifest-invalid",
        "node-port",
        "pod-security-restricted",
        "privilege-escalation",
        "privileged-container",
        "resources-too-large",
        "resources-unlimited",
        "role-escalation",
        "runtime-socket",
        "token-mounted",
        "unsafe-sysctl",
    ),
    "package": (
        "approval-missing",
        "automatic-destruction",
        "name-taken",
        "parameter-unexplained",
        "permission-missing",
        "permission-unused",
        "rollback-cannot-undo",
        "rollback-empty",
        "target-unknown",
        "timeout-missing",
        "timeout-too-long",
        "trigger-invalid",
    ),
    "secrets": ("hard-coded-secret",),
    "policy": ("waiver-expired", "waiver-invalid", "waiver-new", "waiver-refused", "waiver-unused"),
}
OF_RULE = {rule: family for family, rules in (SHELL | PACKAGES).items() for rule in rules}

# Rules that many entries trip whatever they are about: a call to a host is a call, be it harmless or not. For scripts
# they count only where a label names them.
LOOSE = ("external-call", "unknown-host")
