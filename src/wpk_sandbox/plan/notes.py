"""What a reader should know about a plan besides its steps, one line each."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from wpk_sandbox.package.package import KubernetesAction, Package, ShellAction
from wpk_sandbox.package.parameters import used_names
from wpk_sandbox.plan.kubectl import calls_a_cluster
from wpk_sandbox.plan.manifests import name_of
from wpk_sandbox.plan.plan import Origin, ParameterUse
from wpk_sandbox.plan.steps import Draft

# The `pods` of the specification's ResourceQuota.
_QUOTA_PODS = 10


def notes_on(
    package: Package,
    sandbox: str,
    drafts: Sequence[Draft],
    made: Iterable[Mapping[str, Any]],
    parameters: Iterable[ParameterUse],
) -> tuple[str, ...]:
    """The notes of a plan."""
    return (
        *_stand_ins(made),
        *_unused(package, parameters),
        *_unreachable(sandbox, drafts),
        *_beyond_quota(drafts),
    )


def _stand_ins(made: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    names = list(dict.fromkeys(f"{manifest['kind']}/{name_of(manifest)}" for manifest in made))
    if names:
        yield f"nobody provides {', '.join(names)}: stand-ins are made; a case file can hold the real ones"


def _unused(package: Package, parameters: Iterable[ParameterUse]) -> Iterator[str]:
    wanted = used_names(package)
    for use in parameters:
        given = use.origin in (Origin.CASE, Origin.COMMAND_LINE)
        if given and use.name not in wanted and not re.search(rf"\b{re.escape(use.name)}\b", package.document.text):
            near = difflib.get_close_matches(use.name, wanted, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            yield f"the parameter {use.name} is given, but the package does not use it{hint}"


def _unreachable(sandbox: str, drafts: Iterable[Draft]) -> Iterator[str]:
    for draft in drafts:
        action = draft.step.action
        if sandbox != "kind" and isinstance(action, ShellAction) and calls_a_cluster(action.command):
            yield f"the shell step {draft.step.name} calls a cluster: `--sandbox kind` gives it a real one"


def _beyond_quota(drafts: Iterable[Draft]) -> Iterator[str]:
    for draft in drafts:
        action = draft.step.action
        if isinstance(action, KubernetesAction) and action.verb == "scale":
            count = str(action.options.get("replicas", ""))
            if count.isdecimal() and int(count) > _QUOTA_PODS:
                yield f"{draft.step.name} scales to {count}: a sandbox runs {_QUOTA_PODS} pods, the rest will wait"
