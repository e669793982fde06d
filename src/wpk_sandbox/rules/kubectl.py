"""What the calls of kubectl and helm in a script do to the cluster, as acts like those of the format's own actions.

Which requests a call makes: https://kubernetes.io/docs/reference/kubectl/generated/kubectl-commands, and
`kubectl -v=6`, which prints them. Helm keeps its releases in Secrets or ConfigMaps:
https://helm.sh/docs/topics/advanced/#storage-backends
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from wpk_sandbox.package.kinds import resource_kind
from wpk_sandbox.package.package import Step
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.acts import Act
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import Options, names, parse
from wpk_sandbox.rules.shell.words import Word

_TAKES = names(
    "n namespace l selector o output f filename k kustomize c container p patch type timeout for tail since"
    " since-time replicas current-replicas from image from-literal from-file from-env-file to-revision revision"
    " grace-period field-selector sort-by overrides env labels port target-port name min max cpu-percent context"
    " cluster user kubeconfig as as-group token s server request-timeout v field-manager limits requests"
    " subresource patch-file template raw chunk-size cert key schedule target class rule default-backend"
    " clusterrole role serviceaccount group verb resource resource-name hard scopes docker-server docker-username"
    " docker-password docker-email max-log-requests pod-running-timeout address external-ip protocol load-"
    " balancer-ip"
)
_HELM_TAKES = names(
    "n namespace kube-context kubeconfig f values set set-string set-file version timeout repo history-max"
    " description o output max revision kube-token kube-apiserver kube-as-user post-renderer"
)
# Options by which a call speaks with other rights than those of the package.
_OTHER_RIGHTS = tuple(names("context kubeconfig token as s server user cluster kube-context kube-token"))
# Commands started by these run with the rights of another machine, or of another pod.
_ELSEWHERE = names("ssh kubectl oc docker podman nerdctl crictl ctr chroot nsenter ssm pdsh pssh ansible salt")
_NO_REQUEST = names(
    "version config explain api-resources api-versions completion options plugin help kustomize auth cluster-info"
)
_HELM_NO_REQUEST = names(
    "repo search show pull version lint template dependency package env completion create push"
)
_HELM_READS = names("status list ls history hist get")
_HELM_CHANGES = names("install upgrade rollback uninstall delete del un")
_KIND_LINE = Pattern(r"^kind:[ \t]*[\"']?(\w+)", re.MULTILINE)
# `image=…`, `team=web` and `team-` beside the names of objects.
_SETTING = Pattern(r"=|-$")
_STORES = ("Secret", "ConfigMap")


@dataclass(frozen=True)
class Call:
    """A call with what it does; `whole` says that it does nothing else."""

    acts: tuple[Act, ...] = ()
    whole: bool = True


_NOTHING = Call()
_ANYTHING = Call(whole=False)


def is_client(command: Command) -> bool:
    """True for a call of a client of the cluster that this file reads."""
    return command.name in _CLIENTS


def call(command: Command, step: Step) -> Call:
    """What a call of kubectl or helm does, as far as its text tells."""
    other = any(word.when_empty.startswith("KUBECONFIG=") for word in command.assigns)
    if other or any(name in _ELSEWHERE for name in command.via):
        return _ANYTHING
    return _CLIENTS[command.name](command, step)


@dataclass(frozen=True)
class _Asked:
    """A call of kubectl taken apart: `words` are the operands after the verb."""

    step: Step
    command: Command
    options: Options
    words: tuple[Word, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        return _kinds(self.words, self.options, self.command)

    def does(self, verb: str, *kinds: str) -> Call:
        """An act for each kind, since a call on several kinds needs all of them; anything where none is known."""
        return Call(tuple(Act(self.step, verb, (kind,)) for kind in kinds)) if kinds else _ANYTHING


def _kubectl(command: Command, step: Step) -> Call:
    options = parse(command.arguments, _TAKES)
    words = options.operands
    verb = words[0].value if words else ""
    if options.has(*_OTHER_RIGHTS) or options.has("raw") or verb is None:
        return _ANYTHING
    if not verb or verb in _NO_REQUEST or _is_dry(options):
        return _NOTHING
    read = _VERBS.get(verb)
    return read(_Asked(step, command, options, words[1:])) if read else _ANYTHING


def _is_dry(options: Options) -> bool:
    """True where nothing is asked of the cluster; with `server` the request is made, and needs the permission."""
    dry = options.value("dry-run")
    return options.has("dry-run") and (dry is None or dry.value in ("client", "true"))


def _plain(verb: str) -> Callable[[_Asked], Call]:
    return lambda asked: asked.does(verb, *asked.kinds)


def _always(verb: str, *kinds: str) -> Callable[[_Asked], Call]:
    return lambda asked: asked.does(verb, *kinds)


def _rollout(asked: _Asked) -> Call:
    """`rollout restart`, `set image`: the operands come after a second verb."""
    kinds = _kinds(asked.words[1:], asked.options, asked.command)
    reads = asked.words[:1] and asked.words[0].value in ("status", "history")
    return asked.does("get" if reads else "patch", *kinds)


def _drain(asked: _Asked) -> Call:
    return Call((*asked.does("patch", "Node").acts, *asked.does("delete", "Pod").acts))


def _apply(asked: _Asked) -> Call:
    return asked.does("apply", *_given(asked.options, asked.command))


def _create(asked: _Asked) -> Call:
    words, source = asked.words, asked.options.value("from")
    if not words:
        return asked.does("create", *_given(asked.options, asked.command))
    if words[0].value == "token":
        return asked.does("token", "ServiceAccount")
    made = asked.does("create", *_kinds(words[:1], asked.options, asked.command))
    if source is None:
        return made
    read = asked.does("get", *_kinds((source,), asked.options, asked.command))
    return Call((*made.acts, *read.acts), made.whole and read.whole)


_VERBS: Mapping[str, Callable[[_Asked], Call]] = {
    **dict.fromkeys(("get", "describe", "top"), _plain("get")),
    **dict.fromkeys(("patch", "edit", "annotate", "label", "taint"), _plain("patch")),
    **{verb: _plain(verb) for verb in ("wait", "delete", "scale")},
    **dict.fromkeys(("cordon", "uncordon"), _always("patch", "Node")),
    **dict.fromkeys(("exec", "cp"), _always("exec", "Pod")),
    **dict.fromkeys(("rollout", "set"), _rollout),
    **dict.fromkeys(("apply", "replace"), _apply),
    "attach": _always("attach", "Pod"),
    "port-forward": _always("portforward", "Pod"),
    "logs": _always("logs", "Pod"),
    "events": _always("events", "Event"),
    "run": _always("create", "Pod"),
    "expose": _always("create", "Service"),
    "autoscale": _always("create", "HorizontalPodAutoscaler"),
    "create": _create,
    "drain": _drain,
}


def _kinds(words: tuple[Word, ...], options: Options, command: Command) -> tuple[str, ...]:
    """The kinds that the operands name: `pods,svc`, `deployment/web`; none where one of them is not known."""
    if options.has("f", "filename", "k", "kustomize"):
        return _given(options, command)
    if not words:
        return _fed(command)
    text = words[0].template("\0")
    several = [word.template("\0") for word in words] if "/" in text else text.split(",")
    parts = [part for part in several if not _SETTING.search(part)]
    found = [resource_kind(part.partition("/")[0]) for part in parts if "\0" not in part.partition("/")[0]]
    known = tuple(dict.fromkeys(kind.kind for kind in found if kind))
    return known if len(found) == len(parts) and all(found) else ()


def _fed(command: Command) -> tuple[str, ...]:
    """The kinds of the names that `kubectl get pods -o name | xargs kubectl delete` is fed with."""
    if "xargs" not in command.via:
        return ()
    for before in reversed(command.upstream):
        if before.name in ("kubectl", "oc"):
            options = parse(before.arguments, _TAKES)
            return _kinds(options.operands[1:], options, before)
    return ()


def _given(options: Options, command: Command) -> tuple[str, ...]:
    """The kinds of the objects in a here-document, or of what another call prints; none of those in a file."""
    texts = [each.target.template("x") for each in command.redirects if each.operator in ("<<", "<<-", "<<<")]
    if texts:
        return _known_kinds(_KIND_LINE.findall("\n".join(texts)))
    word = options.value("f", "filename")
    before = command.upstream[-1] if command.upstream else None
    if word is not None and word.value == "-" and before is not None and before.name in ("kubectl", "oc"):
        printed = parse(before.arguments, _TAKES)
        if printed.operands[:1] and printed.operands[0].value in ("create", "get"):
            return _kinds(printed.operands[1:2], printed, before)
    return ()


def _known_kinds(kinds: list[str]) -> tuple[str, ...]:
    found = [resource_kind(kind) for kind in kinds]
    return tuple(dict.fromkeys(kind.kind for kind in found if kind)) if all(found) else ()


def _helm(command: Command, step: Step) -> Call:
    options = parse(command.arguments, _HELM_TAKES)
    verb = options.operands[0].value if options.operands else ""
    if options.has(*_OTHER_RIGHTS) or verb is None:
        return _ANYTHING
    if not verb or verb in _HELM_NO_REQUEST:
        return _NOTHING
    if verb in _HELM_READS:
        return Call((Act(step, "release", _STORES),))
    changes = verb in _HELM_CHANGES and not options.has("dry-run")
    # A chart may hold anything.
    return Call((Act(step, "release", _STORES), Act(step, "keep", _STORES)) if changes else (), whole=False)


_CLIENTS: Mapping[str, Callable[[Command, Step], Call]] = {"kubectl": _kubectl, "oc": _kubectl, "helm": _helm}
