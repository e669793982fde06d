"""Commands that take down what holds data in a cluster, in a cloud or on a container engine."""

import re
from collections.abc import Callable, Sequence

from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import Options, names, parse
from wpk_sandbox.rules.shell.words import Word

_KUBECTL_TAKES = names(
    "n namespace context kubeconfig cluster user s server token as f filename l selector field-selector o output"
    " grace-period timeout dry-run cascade k kustomize request-timeout raw"
)
# What takes everything inside of it along, or the data itself.
_HOLDERS = {
    **dict.fromkeys(("ns", "namespace", "namespaces", "project", "projects"), "a namespace with everything in it"),
    **dict.fromkeys(("pvc", "persistentvolumeclaim", "persistentvolumeclaims"), "volumes with their data"),
    **dict.fromkeys(("pv", "persistentvolume", "persistentvolumes"), "volumes with their data"),
    **dict.fromkeys(
        ("crd", "crds", "customresourcedefinition", "customresourcedefinitions"), "a kind with every object of it"
    ),
}
_HELM_TAKES = names("n namespace kube-context kubeconfig timeout cascade description wait-timeout")
_AWS_TAKES = names("profile region endpoint-url output query cli-connect-timeout exclude include")
# Verbs of the cloud's own tools: service, then what is called.
_AWS_DESTROYS = {
    "rds": names("delete-db-instance delete-db-cluster delete-db-snapshot delete-db-cluster-snapshot"),
    "ec2": names("terminate-instances delete-volume delete-snapshot delete-vpc"),
    "dynamodb": names("delete-table delete-backup"),
    "s3api": names("delete-bucket"),
    "eks": names("delete-cluster delete-nodegroup"),
    "cloudformation": names("delete-stack"),
    "kms": names("schedule-key-deletion"),
    "efs": names("delete-file-system"),
    "elasticache": names("delete-cache-cluster delete-replication-group"),
    "backup": names("delete-recovery-point delete-backup-vault"),
    "secretsmanager": names("delete-secret"),
}
_TERRAFORM_TAKES = names("chdir var var-file target state lock-timeout parallelism")
_DRY = names("dryrun dry-run n")


def taken_down(command: Command) -> str:
    """What a command takes down, as the end of a sentence; empty if nothing."""
    check = _CHECKS.get(command.name)
    return check(command) if check is not None else ""


def _rehearses(options: Options) -> bool:
    """True with `--dry-run`, `--dry-run=client` or `--dry-run server`."""
    value = options.value("dry-run", "dryrun")
    return options.has("dry-run", "dryrun") and (value is None or value.value not in ("none", "false"))


def _kubectl(command: Command) -> str:
    options = parse(command.arguments, _KUBECTL_TAKES)
    words = [word.when_empty for word in options.operands]
    if not words or words[0] != "delete" or _rehearses(options):
        return ""
    if command.via[-1:] == ("xargs",) and command.upstream:
        words += _listed(command.upstream)
    for word in words[1:]:
        kinds = word.partition("/")[0] if "/" in word else words[1]
        for kind in kinds.lower().split(","):
            if what := _HOLDERS.get(kind.partition(".")[0]):
                return f"deletes {what}"
    if options.has("all") and not _is_false(options, "all"):
        return "deletes every object of a kind"
    everywhere = options.has("A", "all-namespaces") and not _is_false(options, "all-namespaces")
    if everywhere and not options.has("field-selector", "l", "selector"):
        return "deletes objects of every namespace"
    return ""


def _listed(upstream: Sequence[Command]) -> list[str]:
    """The kind of objects in `kubectl get KIND -o name | xargs kubectl delete`."""
    for source in upstream:
        operands = [word.when_empty for word in parse(source.arguments, _KUBECTL_TAKES).operands[:2]]
        if source.name in ("kubectl", "oc") and operands[:1] == ["get"]:
            return operands[1:]
    return []


def _is_false(options: Options, name: str) -> bool:
    value = options.value(name)
    return value is not None and value.value == "false"


def _helm(command: Command) -> str:
    options = parse(command.arguments, _HELM_TAKES)
    verb = options.operands[0].value if options.operands else ""
    removes = verb in ("uninstall", "delete", "del", "un") and not _rehearses(options)
    return "takes a release down with everything in it" if removes else ""


def _terraform(command: Command) -> str:
    options = parse(command.arguments, _TERRAFORM_TAKES)
    words = [word.value for word in command.arguments]
    verbs = [word.value for word in options.operands]
    if "run-all" in verbs[:1]:
        verbs = verbs[1:]
    destroys = verbs[:1] == ["destroy"] or (
        verbs[:1] == ["apply"] and ("-destroy" in words or "--destroy" in words)
    )
    return "takes the infrastructure down" if destroys and "-help" not in words else ""


def _pulumi(command: Command) -> str:
    verbs = [word.value for word in parse(command.arguments, names("s stack C cwd")).operands]
    return "takes the infrastructure down" if verbs[:1] == ["destroy"] else ""


def _aws(command: Command) -> str:
    options = parse(command.arguments, _AWS_TAKES)
    service, verb = ([word.value or "" for word in options.operands] + ["", ""])[:2]
    if service == "s3":
        if verb == "rm" and options.has("recursive") and not _rehearses(options):
            narrow = any(word.value != "*" for word in options.values.get("include", ()))
            return "" if narrow and options.has("exclude") else "deletes every object below a bucket's path"
        return "deletes a bucket with everything in it" if verb == "rb" and options.has("force") else ""
    return "deletes what the cloud keeps" if verb in _AWS_DESTROYS.get(service, ()) else ""


def _gcloud(command: Command) -> str:
    options = parse(command.arguments, names("project zone region account format"))
    words = [word.value or "" for word in options.operands]
    if words[:2] == ["storage", "rm"]:
        return "deletes every object below a bucket's path" if options.has("r", "R", "recursive") else ""
    kinds = {("sql", "instances"), ("container", "clusters"), ("compute", "disks"), ("compute", "instances")}
    deletes = words[2:3] == ["delete"] and tuple(words[:2]) in kinds | {
        ("sql", "databases"),
        ("compute", "snapshots"),
    }
    return "deletes what the cloud keeps" if deletes or words[:2] == ["projects", "delete"] else ""


def _gsutil(command: Command) -> str:
    options = parse(command.arguments, names("o h u"))
    words = [word.value for word in options.operands]
    return "deletes every object below a bucket's path" if words[:1] == ["rm"] and options.has("r", "R") else ""


def _az(command: Command) -> str:
    words = [word.value or "" for word in parse(command.arguments, names("n name g resource-group")).operands]
    line = " ".join(words)
    kinds = (
        r"(?:group|aks|vm|disk|snapshot|sql db|storage account|storage container|postgres \S+|mysql \S+) delete\b"
    )
    return "deletes what the cloud keeps" if re.match(rf"{kinds}|storage blob delete-batch", line) else ""


def _copier(command: Command) -> str:
    """`rclone purge`, `mc rm --recursive --force`."""
    options = parse(command.arguments, names("config older-than newer-than min-age max-age include exclude"))
    verb = options.operands[0].value if options.operands else ""
    narrow = options.has("older-than", "min-age", "include") or options.has(*_DRY)
    if command.name == "rclone":
        return "deletes everything below a path" if verb in ("purge", "delete") and not narrow else ""
    deletes = (verb == "rb" and options.has("force")) or (verb == "rm" and options.has("r", "recursive"))
    return "deletes everything below a bucket's path" if deletes and not narrow else ""


def _docker(command: Command) -> str:
    options = parse(command.arguments, names("filter H host context"), first_operand_ends=True)
    words = [word.value or "" for word in options.operands]
    rest = parse(options.operands[2:], names("filter"))
    match words[:2]:
        case ["compose", *_]:
            return _compose(options.operands[1:])
        case ["system", "prune"]:
            deep = rest.has("a", "all", "volumes") and not rest.has("filter")
            return "deletes every image, container and network that is not in use" if deep else ""
        case ["rm", *_] | ["container", "rm"]:
            return _containers(command, options.operands[1:])
        case ["volume", "rm" | "remove" | "prune"]:
            return "" if rest.has("filter") else "deletes volumes with their data"
    return ""


def _containers(command: Command, words: Sequence[Word]) -> str:
    """`docker rm -f $(docker ps -aq)`: all there are, unless a filter chooses some."""
    given = parse(words, names("filter"))
    sources = [each for word in words for piece in word.pieces for each in piece.commands]
    if command.via[-1:] == ("xargs",):
        sources += command.upstream[:1]
    lists = [each for each in sources if {"ps", "ls"}.intersection(word.value or "" for word in each.arguments)]
    chosen = any(parse(each.arguments).has("filter", "f", "n", "l") for each in lists)
    everything = given.has("a", "all") or (len(sources) == len(lists) == 1 and not chosen)
    return "deletes every container" if everything and given.has("f", "force") else ""


def _docker_compose(command: Command) -> str:
    return _compose(command.arguments)


def _compose(words: Sequence[Word]) -> str:
    options = parse(words, names("f file p project-name t timeout profile project-directory env-file"))
    down = [word.value for word in options.operands[:1]] == ["down"]
    return "deletes volumes with their data" if down and options.has("v", "volumes") else ""


def _crontab(command: Command) -> str:
    return "deletes every job of a user's crontab" if parse(command.arguments, names("u")).has("r") else ""


def _file_systems(command: Command) -> str:
    words = [word.value or "" for word in parse(command.arguments).operands]
    destroys = words[:1] == ["destroy"] if command.name == "zfs" else words[:2] == ["subvolume", "delete"]
    dry = parse(command.arguments).has("n")
    return "deletes a file system with its data" if destroys and not dry else ""


def _userdel(command: Command) -> str:
    return "deletes a user's home folder" if parse(command.arguments).has("r", "remove") else ""


def _velero(command: Command) -> str:
    options = parse(command.arguments, names("n namespace l selector"))
    words = [word.value for word in options.operands[:2]]
    deletes = words in (["backup", "delete"], ["delete", "backup"], ["delete", "backups"])
    return "deletes every backup" if deletes and options.has("all") else ""


_CHECKS: dict[str, Callable[[Command], str]] = {
    "kubectl": _kubectl,
    "oc": _kubectl,
    "helm": _helm,
    **dict.fromkeys(("terraform", "tofu", "terragrunt"), _terraform),
    "pulumi": _pulumi,
    "aws": _aws,
    "gcloud": _gcloud,
    "gsutil": _gsutil,
    "az": _az,
    "rclone": _copier,
    "mc": _copier,
    **dict.fromkeys(("docker", "podman", "nerdctl"), _docker),
    "docker-compose": _docker_compose,
    "crontab": _crontab,
    **dict.fromkeys(("zfs", "btrfs"), _file_systems),
    "userdel": _userdel,
    "deluser": _userdel,
    "velero": _velero,
}
