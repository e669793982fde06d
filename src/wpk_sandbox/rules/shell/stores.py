"""Services that keep data, and clusters on machines: the commands of their clients that delete it."""

from dataclasses import dataclass

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse

_TAKES = names(
    "namespace p pool c cluster id bucket b org o token host address u user port vhost server start stop"
)
_REHEARSES = ("dry-run", "dryrun", "help")


@dataclass(frozen=True)
class Deletion:
    """Operands by which a client deletes, joined by spaces; only with the flag, if one is named."""

    operands: Pattern
    what: str
    flag: str = ""


def _deletion(operands: str, what: str, flag: str = "") -> Deletion:
    return Deletion(Pattern(rf"(?:{operands})(?: |$)"), what, flag)


_VAULT = (
    _deletion(
        "(?:secrets|auth) disable|kv (?:metadata delete|destroy)|delete \\S+/metadata/\\S+", "deletes secrets"
    ),
)
_ZOOKEEPER = (_deletion("(?:\\S+:\\d+ )?(?:deleteall|rmr)", "deletes a node with everything below it"),)

# https://developer.hashicorp.com/consul/commands, …/vault/docs/commands, …/nomad/commands,
# https://docs.ceph.com/en/latest/man/8/, https://docs.influxdata.com/influxdb/v2/reference/cli/influx/
_DELETIONS: dict[str, tuple[Deletion, ...]] = {
    "consul": (_deletion("kv delete", "deletes every key below a path", "recurse"),),
    "vault": _VAULT,
    "bao": _VAULT,
    "zkCli.sh": _ZOOKEEPER,
    "zookeeper-shell": _ZOOKEEPER,
    "zookeeper-shell.sh": _ZOOKEEPER,
    "nomad": (
        _deletion("(?:job )?stop", "deletes a job with its history", "purge"),
        _deletion("(?:volume|namespace) delete", "deletes what the cluster keeps"),
    ),
    "ceph": (_deletion("osd pool (?:delete|rm)|fs (?:volume )?rm|osd purge", "deletes a pool with its data"),),
    "rbd": (_deletion("rm|remove|snap purge", "deletes an image with its data"),),
    "rados": (_deletion("rmpool|purge", "deletes a pool with its data"),),
    "gluster": (_deletion("volume delete", "deletes a volume with its data"),),
    "influx": (_deletion("(?:bucket |org )?delete", "deletes measurements"),),
    "rabbitmqadmin": (_deletion("delete (?:queue|vhost)|purge queue", "deletes a queue with its messages"),),
    "kubeadm": (_deletion("reset", "takes a node out of its cluster, with all that it runs"),),
    "k3s-uninstall.sh": (_deletion("", "takes a cluster down with everything in it"),),
    "rke2-uninstall.sh": (_deletion("", "takes a cluster down with everything in it"),),
    "virsh": (_deletion("undefine|vol-delete|pool-delete", "deletes a virtual machine or its disk"),),
    "doctl": (_deletion("\\S+ (?:\\S+ )?(?:delete|rm)", "deletes what the cloud keeps"),),
    "hcloud": (_deletion("\\S+ delete", "deletes what the cloud keeps"),),
    "eksctl": (_deletion("delete (?:cluster|nodegroup)", "deletes a cluster"),),
    "snap": (_deletion("remove", "deletes a program with its data", "purge"),),
}


def deleted(command: Command) -> str:
    """What a client's command deletes, as the end of a sentence; empty if nothing."""
    known = _DELETIONS.get(command.name)
    if known is None:
        return ""
    options = parse(command.arguments, _TAKES)
    if options.has(*_REHEARSES):
        return ""
    given = " ".join(word.when_empty for word in options.operands)
    flags = {word.when_empty.lstrip("-").partition("=")[0] for word in command.arguments}
    return next(
        (each.what for each in known if each.operands.match(given) and (not each.flag or each.flag in flags)), ""
    )
