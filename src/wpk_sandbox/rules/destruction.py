"""What a package destroys or stops, and whether anybody is asked before."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from wpk_sandbox.finding import Finding, Rule, Severity
from wpk_sandbox.package.kinds import resource_kind
from wpk_sandbox.package.package import ApiAction, KubernetesAction, ManualAction, Step
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.acts import Act, acts
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.rollback import made_by
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.paths import resolve
from wpk_sandbox.rules.shell.words import Word
from wpk_sandbox.rules.subject import ShellText, Subject

AUTOMATIC_DESTRUCTION = Rule(
    "automatic-destruction",
    Severity.HIGH,
    "Something is destroyed without anybody being asked",
    "With `mode: auto` and no approval an alert alone deletes. So does a false alert, or a forged webhook.",
    "Put a step `manual: true` before it, or set `approval_required: true` or `mode: manual`.",
    cwe=284,
    points=POINTS[Severity.HIGH],
)
APPROVAL_MISSING = Rule(
    "approval-missing",
    Severity.HIGH,
    "The package refuses the approval that its destructive step needs",
    "`approval_required: false` says that nobody needs to look before it runs. What it deletes or stops is gone"
    " when somebody starts it for the wrong namespace, or a script starts it.",
    "Set `approval_required: true`, or put a step `manual: true` before the one that destroys.",
    cwe=862,
    points=POINTS[Severity.HIGH],
)

RULES = (AUTOMATIC_DESTRUCTION, APPROVAL_MISSING)

_TEMPORARY = Pattern(r"/(?:var/)?tmp/|/dev/shm/")
_KUBECTL_TAKES = names("n namespace context kubeconfig cluster user s server as")
_KUBECTL_OPTIONS = _KUBECTL_TAKES | names(
    "replicas f filename l selector o output field-selector grace-period timeout"
)
_REPLACED = (("Pod",), ("Job",))
_SQL_CLIENTS = names("psql mysql mariadb sqlite3 clickhouse-client cqlsh sqlcmd")
# `DELETE FROM x;` without a WHERE empties the table; with one it is ordinary work.
_SQL_DESTROYS = Pattern(
    r"\b(?:drop\s+(?:table|database|schema|keyspace|user|role)|truncate\s+(?:table\s+)?[\w\"`.]+"
    r"|delete\s+from\s+[\w\"`.]+\s*(?:;|$))",
    re.IGNORECASE,
)
_CLOUD_DESTROYS = Pattern(
    r"^(?:delete(?!-message|-tags|-alarms)|terminate|deregister|destroy|purge)(?:-|$)|^(?:rb|rm)$"
)
# Pods that ran to their end are only a record of it.
_FINISHED = Pattern(r"status\.phase==?(?:Succeeded|Failed)")
# Tests that pick some files out: old logs are deleted every day, and nobody is asked.
_FIND_TESTS = names(
    "-name -iname -path -ipath -regex -iregex -mtime -mmin -atime -amin -ctime -cmin -newer -size -empty"
)


@dataclass(frozen=True)
class _Loss:
    """Something that is destroyed: what is said of it, and the range in the script where it is a command."""

    step: Step
    does: str
    text: ShellText | None = None
    command: Command | None = None


def check(subject: Subject) -> Iterator[Finding]:
    """Destruction of which the package itself says that nobody is asked before."""
    safety = subject.package.safety
    if safety.approval_required is True:
        return
    if safety.mode == "auto":
        rule, ending = AUTOMATIC_DESTRUCTION, "without anybody being asked"
    elif safety.approval_required is False:
        rule, ending = APPROVAL_MISSING, "and `approval_required` is false"
    else:
        return
    for loss in _losses(subject):
        # Who starts a runbook by hand knows that it replaces pods or jobs; an alert knows nothing.
        if rule is APPROVAL_MISSING and _comes_back(loss):
            continue
        if loss.text is not None and loss.command is not None:
            message = f"`{loss.command.shown}` {loss.does} {ending}"
            yield subject.in_script(rule, loss.text, loss.command.span, message)
        else:
            yield subject.finding(rule, f"{loss.step.pointer}/name", f"{loss.step.name} {loss.does} {ending}")


def _losses(subject: Subject) -> Iterator[_Loss]:
    """What the handlers destroy before a person is asked."""
    files = subject.package.files
    done: list[Act] = []
    made: set[str] = set()
    scripts: dict[str, list[ShellText]] = {}
    for text in subject.scripts:
        scripts.setdefault(text.step.pointer, []).append(text)
    for step in subject.package.steps:
        if isinstance(step.action, ManualAction) or subject.asks(step):
            return  # whatever follows waits for a person
        own = list(acts(step, files))
        if (does := _destroys(step)) and not _only_made(own, done):
            yield _Loss(step, does)
        done += own
        for text in scripts.get(step.pointer, ()):
            for command in text.script.commands:
                made.update(_makes(command))
                if (does := command_destroys(command)) and not _deletes_only(command, made):
                    yield _Loss(step, does, text, command)


def _only_made(own: list[Act], done: list[Act]) -> bool:
    """True where everything that a step deletes was made by the package itself."""
    return bool(own) and all(
        act.verb == "delete" and bool(act.name) and any(made_by(earlier, act) for earlier in done) for act in own
    )


def _makes(command: Command) -> Iterator[str]:
    """The name of what a call of kubectl makes: `kubectl run probe`, `kubectl create job probe`."""
    if command.name in ("kubectl", "oc"):
        words = [word.value or "" for word in parse(command.arguments, _KUBECTL_OPTIONS).operands]
        if words[:1] == ["run"]:
            yield from words[1:2]
        elif words[:1] == ["create"]:
            yield from words[3:4] if words[1:2] in (["secret"], ["service"]) else words[2:3]


def _deletes_only(command: Command, made: set[str]) -> bool:
    """True for a call of kubectl that deletes nothing but what the package made."""
    if command.name not in ("kubectl", "oc"):
        return False
    words = [word.value or "" for word in parse(command.arguments, _KUBECTL_OPTIONS).operands]
    named = [word.rpartition("/")[2] for word in words[1:] if "/" in word] or words[2:]
    return words[:1] == ["delete"] and bool(named) and set(named) <= made


def _comes_back(loss: _Loss) -> bool:
    """True for the deletion of pods, which their controller makes anew, and of jobs, which are run again."""
    if loss.command is None:
        action = loss.step.action
        deletes = isinstance(action, KubernetesAction) and action.verb == "delete"
        return deletes and all(act.kinds[:1] in _REPLACED for act in acts(loss.step))
    words = [word.value or "" for word in parse(loss.command.arguments, _KUBECTL_OPTIONS).operands]
    if loss.command.name not in ("kubectl", "oc") or words[:1] != ["delete"] or len(words) == 1:
        return False
    kind = resource_kind(words[1].partition("/")[0])
    return kind is not None and (kind.kind,) in _REPLACED


def _destroys(step: Step) -> str:
    """What a step other than a script destroys; empty if it does not."""
    action = step.action
    if isinstance(action, KubernetesAction):
        if action.verb == "delete":
            return "deletes objects"
        if action.verb == "scale" and action.options.get("replicas") == 0:
            return "stops a workload"
    return "calls DELETE" if isinstance(action, ApiAction) and action.method == "DELETE" else ""


def command_destroys(command: Command) -> str:
    """What a command does that no rollback brings back, for a message; empty for all others."""
    find = _CHECKS.get(command.name)
    if find is None and command.name.startswith("mkfs"):
        return "formats a disk"
    return find(command) if find else ""


def _rm(command: Command) -> str:
    """Files in /tmp are nobody's loss."""
    options = parse(command.arguments)
    lost = any(not _temporary(word, command) for word in options.operands)
    return "deletes files" if options.has("r", "R", "recursive") and lost else ""


def _find(command: Command) -> str:
    words = [word.when_empty for word in command.arguments]
    roots = []
    for word in command.arguments:
        if word.when_empty.startswith(("-", "(", "!")):
            break
        roots.append(word)
    lost = any(not _temporary(word, command) for word in roots) or not roots
    everything = "-delete" in words and not any(word in _FIND_TESTS for word in words)
    return "deletes files" if everything and lost else ""


def _temporary(word: Word, command: Command) -> bool:
    path = resolve(word, command.folder) or word.when_empty
    return _TEMPORARY.match(path.rstrip("/") + "/") is not None


def _kubectl(command: Command) -> str:
    options = parse(command.arguments, _KUBECTL_OPTIONS)
    finished = options.value("field-selector")
    if not options.operands or options.has("dry-run") or (finished and _FINISHED.search(finished.when_empty)):
        return ""
    verb = options.operands[0].value
    replicas = options.value("replicas")
    if verb == "scale" and replicas is not None and replicas.value == "0":
        return "stops a workload"
    return {"delete": "deletes objects", "drain": "empties a node"}.get(verb or "", "")


def _helm(command: Command) -> str:
    options = parse(command.arguments, _KUBECTL_TAKES | names("kube-context"))
    first = options.operands[0].value if options.operands else None
    return (
        "removes a release" if first in ("uninstall", "delete", "del", "un") and not options.has("dry-run") else ""
    )


def _terraform(command: Command) -> str:
    words = [word.value for word in command.arguments]
    destroys = "destroy" in words[:2] or ("apply" in words and "-destroy" in words)
    return "destroys what Terraform made" if destroys else ""


def _sql(command: Command) -> str:
    texts = [word.when_empty for word in command.arguments]
    texts += [redirect.target.when_empty for redirect in command.redirects if redirect.operator.startswith("<<")]
    texts += [
        word.when_empty for each in command.upstream if each.name in ("echo", "printf") for word in each.arguments
    ]
    return "deletes data" if any(_SQL_DESTROYS.search(text) for text in texts) else ""


def _redis(command: Command) -> str:
    return (
        "deletes data"
        if any(word.when_empty.lower() in ("flushall", "flushdb") for word in command.arguments)
        else ""
    )


def _curl(command: Command) -> str:
    method = parse(command.arguments, names("X request H header d data o output u user")).value("X", "request")
    return "calls DELETE" if method is not None and (method.value or "").upper() == "DELETE" else ""


def _cloud(command: Command) -> str:
    words = [word.value or "" for word in command.arguments]
    before_options = [word for word in words if not word.startswith("-")][:4]
    dry = any(word.startswith(("--dry-run", "--dryrun")) for word in words)
    return "deletes in the cloud" if not dry and any(map(_CLOUD_DESTROYS.search, before_options)) else ""


def _machine(_command: Command) -> str:
    return "stops the machine"


def _dropdb(_command: Command) -> str:
    return "deletes a database"


_CHECKS: dict[str, Callable[[Command], str]] = {
    "rm": _rm,
    "find": _find,
    "kubectl": _kubectl,
    "oc": _kubectl,
    "helm": _helm,
    "terraform": _terraform,
    "tofu": _terraform,
    **dict.fromkeys(_SQL_CLIENTS, _sql),
    "redis-cli": _redis,
    "curl": _curl,
    **dict.fromkeys(("aws", "gcloud", "az", "gsutil"), _cloud),
    **dict.fromkeys(("reboot", "shutdown", "poweroff", "halt"), _machine),
    "dropdb": _dropdb,
    "wipefs": lambda _: "wipes a disk",
}
