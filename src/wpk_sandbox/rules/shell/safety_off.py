"""Commands that switch off what would have stopped a mistake or an attack."""

import re
from collections.abc import Callable, Iterator, Sequence

from wpk_sandbox.finding import Rule, Severity
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell import clouds, clusters, guards, mutating, reviews, settings, tls
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.issue import Issue
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.words import Word

SAFETY_DISABLED = Rule(
    "shell-safety-disabled",
    Severity.MEDIUM,
    "A safeguard is switched off",
    "Without the check of a certificate or a host key anybody on the way can answer in the server's place; a failed"
    " change that nobody notices leaves the system between two states; without audit and history nobody can tell"
    " what happened.",
    "Leave the safeguard on. Give the program the right certificate (`--cacert`), handle the error that is expected"
    " and only that one, and let a person do what needs force.",
    cwe=693,
    points=POINTS[Severity.MEDIUM],
)

RULES = (SAFETY_DISABLED,)

_CERTIFICATES = "takes any certificate"
_HOST_KEYS = "takes any host key"
_TLS = (_CERTIFICATES, _HOST_KEYS)
_SIGNATURES = "takes packages that nobody signed"
_NO_KEY_CHECK = Pattern(r"stricthostkeychecking[= ]+(?:no|off|accept-any)$|userknownhostsfile[= ]+/dev/null$", re.I)
_TLS_VARIABLE = Pattern(
    r"^(?:PYTHONHTTPSVERIFY=0|NODE_TLS_REJECT_UNAUTHORIZED=0|GIT_SSL_NO_VERIFY=(?:1|true)|CURL_INSECURE=1"
    r"|VAULT_SKIP_VERIFY=(?:1|true)|ANSIBLE_HOST_KEY_CHECKING=(?:False|false|0)"
    r"|KUBE_INSECURE=1)$"
)
_LOCAL = Pattern(r"^(?:https?://)?(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?=[:/]|$)")
# Long options by program; `*` is for every program.
_FLAGS: dict[str, dict[str, str]] = {
    "curl": {"k": _CERTIFICATES, "insecure": _CERTIFICATES, "proxy-insecure": _CERTIFICATES},
    "wget": {"no-check-certificate": _CERTIFICATES},
    "kubectl": {"insecure-skip-tls-verify": _CERTIFICATES},
    "oc": {"insecure-skip-tls-verify": _CERTIFICATES},
    "helm": {"insecure-skip-tls-verify": _CERTIFICATES, "kube-insecure-skip-tls-verify": _CERTIFICATES},
    "aws": {"no-verify-ssl": _CERTIFICATES},
    "http": {"verify=no": _CERTIFICATES},
    "argocd": {"insecure": _CERTIFICATES},
    "skopeo": {"src-tls-verify=false": _CERTIFICATES, "dest-tls-verify=false": _CERTIFICATES},
    "podman": {"tls-verify=false": _CERTIFICATES},
    "buildah": {"tls-verify=false": _CERTIFICATES},
    "pip": {"trusted-host": _CERTIFICATES},
    "pip3": {"trusted-host": _CERTIFICATES},
    "vault": {"tls-skip-verify": _CERTIFICATES},
    "openstack": {"insecure": _CERTIFICATES},
    "apt": {"allow-unauthenticated": _SIGNATURES, "force-yes": _SIGNATURES},
    "apt-get": {"allow-unauthenticated": _SIGNATURES, "force-yes": _SIGNATURES},
    "yum": {"nogpgcheck": _SIGNATURES, "no-gpg-check": _SIGNATURES},
    "dnf": {"nogpgcheck": _SIGNATURES, "no-gpgchecks": _SIGNATURES},
    "zypper": {"no-gpg-checks": _SIGNATURES},
    "rpm": {"nosignature": _SIGNATURES, "nogpgcheck": _SIGNATURES},
    "apk": {"allow-untrusted": _SIGNATURES},
    "iptables": {"F": "removes every rule of the firewall", "flush": "removes every rule of the firewall"},
    "ip6tables": {"F": "removes every rule of the firewall", "flush": "removes every rule of the firewall"},
    "rm": {"no-preserve-root": "lets `/` be deleted"},
}
_SSH = names("B b c D E e F I i J L l m O o p Q R S W w")
# Chains that every packet goes through; others belong to whoever made them.
_CHAINS = names("INPUT OUTPUT FORWARD PREROUTING POSTROUTING DOCKER-USER")
_TABLES = names("A D I N P t p s d j i o m dport sport to-destination to-source table")
_TAKES = {
    "curl": names("A b c C d D e E F H K m o P Q r t T u U w x X y Y z"),
    "iptables": _TABLES,
    "ip6tables": _TABLES,
}
_STATUS = names("$? ${?} ${PIPESTATUS[0]} ${PIPESTATUS[1]}")
_HISTORY = Pattern(r"(?:^|/)\.(?:bash|zsh|ash|sh|python)_history$")
_LOGS = Pattern(
    r"^/var/log/(?:auth\.log|secure|audit(?:/.*)?|syslog|messages|wtmp|btmp|lastlog|faillog|kern\.log|journal(?:/.*)?)\*?$"
)


def check(commands: Sequence[Command]) -> Iterator[Issue]:
    """Which safeguards the commands of a script switch off."""
    for index, command in enumerate(commands):
        what = _switched_off(command)
        if what:
            message = f"`{command.shown}` {what}" if command.words else f"this {what}"
            yield Issue(SAFETY_DISABLED, command.span, message, cwe=295 if what in _TLS else None)
        elif command.name == "set" and _goes_on(command):
            ignored = None if _asks_status(commands[index + 1 :]) else _ignored(commands[index + 1 :])
            if ignored is not None:
                message = f"after `{command.shown}` nothing notices when `{ignored.shown}` fails"
                yield Issue(
                    SAFETY_DISABLED, command.span, message, f"Handle the failure: `{ignored.name} … || exit 1`."
                )
        elif command.forgiven and mutating.changes(command):
            message = f"nothing notices when `{command.shown}` fails: `|| true`"
            yield Issue(
                SAFETY_DISABLED, command.span, message, "Let the step fail, or handle the one expected error."
            )


def _switched_off(command: Command) -> str:
    for test in _TESTS:
        what = test(command)
        if what:
            return what
    return ""


def _flag(command: Command) -> str:
    known = _FLAGS.get(command.name)
    if known is None:
        return ""
    options = parse(command.arguments, _TAKES.get(command.name, frozenset()))
    if command.name in ("curl", "wget", "argocd") and any(
        _LOCAL.match(word.when_empty) for word in options.operands
    ):
        return ""
    if command.name in ("iptables", "ip6tables") and _is_own_chain(options.operands):
        return ""
    for name, what in known.items():
        flag, _, value = name.partition("=")
        if flag in options.flags and not value:
            return what
        given = options.value(flag)
        if given is not None and (given.value == value or (not value and given.value not in ("false", "no"))):
            return what
    return ""


def _is_own_chain(operands: Sequence[Word]) -> bool:
    """`iptables -F KUBE-SERVICES`: one chain, which is not one of the kernel's."""
    return bool(operands) and operands[0].value is not None and operands[0].value not in _CHAINS


def _host_keys(command: Command) -> str:
    if command.name not in ("ssh", "scp", "sftp", "rsync", "ssh-copy-id", "git", "sshpass"):
        return ""
    if command.name == "ssh" and _is_here(command):
        return ""
    texts = [word.when_empty.removeprefix("-o").strip() for word in command.arguments]
    return _HOST_KEYS if any(_NO_KEY_CHECK.search(part) for text in texts for part in _parts(text)) else ""


def _is_here(command: Command) -> bool:
    """True for the machine itself, where nobody is on the way: `ssh root@localhost`."""
    operands = parse(command.arguments, _SSH, first_operand_ends=True).operands[:1]
    return any(_LOCAL.match(word.when_empty.rpartition("@")[2]) for word in operands)


def _parts(text: str) -> list[str]:
    """`ssh -o StrictHostKeyChecking=no` in one word, as `rsync -e` and `GIT_SSH_COMMAND` take it."""
    return text.split() if "=" in text else [text]


def _variable(command: Command) -> str:
    """`PYTHONHTTPSVERIFY=0 program`, `export NODE_TLS_REJECT_UNAUTHORIZED=0`."""
    words = command.assigns
    if command.name in ("env", "export", "declare", "sudo"):
        words += command.arguments
    if any(_TLS_VARIABLE.match(word.when_empty) and word.value is not None for word in words):
        return _CERTIFICATES
    shells = [word.when_empty for word in words if word.when_empty.startswith("GIT_SSH_COMMAND=")]
    return _HOST_KEYS if any(_NO_KEY_CHECK.search(part) for text in shells for part in text.split()) else ""


def _git(command: Command) -> str:
    if command.name in ("npm", "yarn"):
        values = [word.value for word in command.arguments]
        return _CERTIFICATES if "strict-ssl" in values and "false" in values else ""
    if command.name != "git":
        return ""
    values = [(word.value or "").lower() for word in command.arguments]
    off = "http.sslverify=false" in values or ("http.sslverify" in values and "false" in values)
    if off:
        return _CERTIFICATES
    if "--no-verify" in values and ("commit" in values or "push" in values):
        return "passes the hooks by"
    return ""


def _force(command: Command) -> str:
    """`kubectl delete … --force --grace-period=0`."""
    if command.name in ("kubectl", "oc"):
        options = parse(command.arguments, names("n namespace grace-period l selector"))
        grace = options.value("grace-period")
        if "force" in options.flags and grace is not None and grace.value == "0" and "delete" in _values(command):
            return "forgets the object while its processes may still run"
        if "drain" in _values(command) and options.has("disable-eviction"):
            return "passes disruption budgets by"
    return ""


def _trace(command: Command) -> str:
    """Clearing the history of the shell, or the logs that tell who did what."""
    values = _values(command)
    if command.name == "history" and ("-c" in values or "-cw" in values):
        return "clears the history"
    if command.name == "unset" and "HISTFILE" in values:
        return "clears the history"
    if command.name in ("export", "set") and ("HISTFILE=/dev/null" in values or "HISTSIZE=0" in values):
        return "clears the history"
    if command.name == "journalctl" and any(
        value.startswith(("--vacuum-time=1s", "--vacuum-size=1K")) for value in values
    ):
        return "clears the journal"
    removes = command.name in ("rm", "shred", "truncate", "unlink")
    targets = [word.when_empty for word in command.arguments] if removes else []
    targets += [
        each.target.when_empty for each in command.redirects if each.operator in (">", ">|") and _empty(command)
    ]
    if command.name in ("ln", "cp") and "/dev/null" in values:
        targets += values
    if any(_HISTORY.search(target) for target in targets):
        return "clears the history"
    return "clears logs that tell who did what" if any(_LOGS.match(target) for target in targets) else ""


def _empty(command: Command) -> bool:
    values = [word.value for word in command.words[:3]]
    return not values or values[0] in (":", "true") or values in (["cat", "/dev/null"], ["echo"], ["echo", ""])


def _values(command: Command) -> list[str]:
    return [word.value or "" for word in command.arguments]


def _goes_on(command: Command) -> bool:
    values = _values(command)
    return "+e" in values or ("+o" in values and "errexit" in values)


def _asks_status(commands: Sequence[Command]) -> bool:
    """True where what failed is looked at afterwards: `rc=$?`, `[ $? -ne 0 ]`, `exit "$rc"`."""
    pieces = (piece for command in commands for word in command.words for piece in word.unknown)
    return any(piece.source in _STATUS or piece.name in ("?", "PIPESTATUS") for piece in pieces)


def _ignored(commands: Sequence[Command]) -> Command | None:
    """The first command that changes something before `set -e` is back, which also ends what is ignored."""
    for command in commands:
        if command.name == "set" and any(value.startswith("-e") for value in _values(command)):
            return None
        if mutating.changes(command):
            return command
    return None


_TESTS: tuple[Callable[[Command], str], ...] = (
    _flag,
    _host_keys,
    _variable,
    tls.unchecked,
    _git,
    _force,
    _trace,
    guards.weakened,
    clusters.switched_off,
    clouds.switched_off,
    reviews.passed_by,
    settings.loosened,
)
