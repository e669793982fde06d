"""What the kubectl calls of a shell command act on, so that it is there: objects, namespaces, and what they make.

Reads the plain form in which runbooks call kubectl. What a variable or a pipe decides is not seen; then the
object is the case's to provide.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from wpk_sandbox.package.kinds import resource_kind
from wpk_sandbox.plan.inventory import Known
from wpk_sandbox.plan.manifests import parse_selector
from wpk_sandbox.plan.plan import Origin
from wpk_sandbox.plan.targets import wanted

_CLUSTER_CLIENTS = re.compile(r"(?:^|[\s;&|(`])(?:kubectl|helm|kustomize|oc)(?:\s|$)", re.MULTILINE)
_BREAKS = re.compile(r"\n|;|&&|\|\||\||\$\(|[()`]")
_TAKES_VALUE = frozenset(
    {
        *("-n", "--namespace", "-l", "--selector", "-o", "--output", "-f", "--filename", "-p", "--patch", "-c"),
        *("--container", "--type", "--timeout", "--for", "--tail", "--since", "--replicas", "--from", "--image"),
        *("--context", "--kubeconfig", "--field-selector", "--sort-by", "--grace-period", "--to-revision", "-s"),
        *("--from-literal", "--from-file", "--from-env-file", "--cluster", "--user", "--field-manager", "--port"),
    }
)
_DEFAULT_POD = frozenset({"logs", "exec", "attach", "port-forward"})
_ON_OBJECTS = frozenset(
    {
        *(
            "get",
            "describe",
            "scale",
            "patch",
            "annotate",
            "label",
            "delete",
            "wait",
            "edit",
            "autoscale",
            "expose",
        ),
        *("rollout", "set"),
    }
)
_PLAIN_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")


@dataclass(frozen=True)
class Calls:
    """What a command's kubectl calls need, make, and the namespaces that they name."""

    needs: tuple[Known, ...] = ()
    makes: tuple[Known, ...] = ()
    namespaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Call:
    words: tuple[str, ...]
    flags: dict[str, str] = field(default_factory=dict)

    def flag(self, *names: str) -> str:
        return next((self.flags[name] for name in names if self.flags.get(name)), "")


def calls_a_cluster(command: str) -> bool:
    """True for a command that calls kubectl or another client of a cluster."""
    return _CLUSTER_CLIENTS.search(command) is not None


def read_calls(command: str, home: str) -> Calls:
    """What the kubectl calls of a shell command are about; `home` is the namespace of those that name none."""
    needs: list[Known] = []
    makes: list[Known] = []
    namespaces: list[str] = []
    for call in _calls(command):
        namespace = call.flag("-n", "--namespace")
        if _PLAIN_NAME.fullmatch(namespace):
            namespaces.append(namespace)
        elif namespace:
            continue
        needs += _needs(call, namespace or home)
        makes += _makes(call, namespace or home)
    return Calls(tuple(needs), tuple(makes), tuple(dict.fromkeys(namespaces)))


def _calls(command: str) -> Iterator[_Call]:
    for part in _BREAKS.split(command.replace("\\\n", " ")):
        try:
            words = shlex.split(part, comments=True)
        except ValueError:
            continue
        if "kubectl" in words:
            yield _call(words[words.index("kubectl") + 1 :])


def _call(words: Sequence[str]) -> _Call:
    plain: list[str] = []
    flags: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        if word == "--":
            break
        if not word.startswith("-"):
            plain.append(word)
            continue
        name, equals, value = word.partition("=")
        flags[name] = value if equals else (next(rest, "") if name in _TAKES_VALUE else "true")
    return _Call(tuple(plain), flags)


def _needs(call: _Call, namespace: str) -> Iterator[Known]:
    verb, words = (call.words[0], call.words[1:]) if call.words else ("", ())
    if verb in ("rollout", "set"):
        words = words[1:]
    if verb == "create" and "/" in call.flag("--from"):
        yield from _objects((call.flag("--from"),), namespace)
    elif verb in _DEFAULT_POD and words and "/" not in words[0]:
        yield from _objects((f"pod/{words[0]}",), namespace)
    elif verb in _DEFAULT_POD:
        yield from _objects(words[:1], namespace) if words else _selected("pod", call, namespace)
    elif verb in _ON_OBJECTS and "--ignore-not-found" not in call.flags:
        yield from (
            _objects(words, namespace)
            if len(words) > 1 or "/" in "".join(words[:1])
            else _selected("".join(words[:1]), call, namespace)
        )


def _objects(words: Sequence[str], namespace: str) -> Iterator[Known]:
    """`deployment/web service/web`, or `deployment web api`; further words (`key=value`) are no names."""
    kind = resource_kind(words[0]) if words and "/" not in words[0] else None
    for word in words[1:] if kind else words:
        type_name, slash, name = word.rpartition("/")
        one = resource_kind(type_name) if slash else kind
        if one and _PLAIN_NAME.fullmatch(name):
            yield wanted(one.kind, namespace if one.namespaced else None, name)


def _selected(type_name: str, call: _Call, namespace: str) -> Iterator[Known]:
    kind = resource_kind(type_name)
    labels = parse_selector(call.flag("-l", "--selector"))
    if kind and kind.namespaced and labels and "$" not in "".join(labels.values()):
        owner = "Deployment" if kind.kind == "Pod" else kind.kind
        yield wanted(owner, namespace, next(iter(labels.values())) or owner.lower(), labels)


def _makes(call: _Call, namespace: str) -> Iterator[Known]:
    words = call.words
    if len(words) >= 2 and words[0] == "run":
        yield Known("Pod", namespace, words[1], Origin.PACKAGE)
    if len(words) >= 3 and words[0] == "create":
        kind = resource_kind(words[1])
        name = words[3] if words[1] in ("secret", "service", "svc") and len(words) > 3 else words[2]
        if kind:
            yield Known(kind.kind, namespace if kind.namespaced else None, name, Origin.PACKAGE)
