"""Brings the options of a Kubernetes action into the one form that `verbs.py` promises, and finds its target."""

from dataclasses import replace

from wpk_sandbox.package.package import KubernetesAction
from wpk_sandbox.package.verbs import VERBS, Verb, kinds_for
from wpk_sandbox.plan.making import settle_apply, settle_create, settle_run
from wpk_sandbox.plan.settled import Settled, first, metadata_for, needs_of, without
from wpk_sandbox.plan.targets import NoTargetError, Scene, aim, wanted

# Other words that authors use for the same option, the settled name first.
_DESTINATION = ("destination", "target", "to", "new_name", "target_name", "backup_name")
_SOURCE = ("source", "from", "backup", "source_name", "copy")


def settle(action: KubernetesAction, scene: Scene) -> Settled:
    """Settle one action. Raises NoTargetError when it can act on nothing, with the reason."""
    verb = VERBS.get(action.verb)
    if verb is None:
        raise NoTargetError(f"`{action.verb}` is no action that we know")
    special = {
        "apply": settle_apply,
        "run": settle_run,
        "create": settle_create,
        "copy": _copy,
        "restore": _restore,
    }
    return special.get(verb.name, _plain)(action, scene)


def _plain(action: KubernetesAction, scene: Scene) -> Settled:
    verb = VERBS[action.verb]
    if verb.simulated and not action.reference.names_something:
        return Settled(action, None)
    found = aim(action.reference, kinds_for(verb, action.options), scene)
    undoing = verb.name == "delete" and scene.rollback
    gone = str(action.options.get("condition") or "").lower() in ("deleted", "delete", "gone")
    return Settled(action, found.target, () if undoing or gone or verb.simulated else needs_of(found))


def _copy(action: KubernetesAction, scene: Scene) -> Settled:
    source, reference = first(action.options, _SOURCE), action.reference
    destination = first(action.options, _DESTINATION)
    if isinstance(source, str):
        destination = destination or reference.name
        reference = replace(reference, name=source)
    found = aim(reference, _kinds_by_words(VERBS[action.verb], action), scene)
    if found.target.name is None:
        raise NoTargetError("copy takes one object by name, not a selector")
    destination = str(destination or f"{found.target.name}-backup")
    options = {**without(action.options, (*_SOURCE, *_DESTINATION)), "destination": destination}
    made = {
        "apiVersion": found.target.api_version,
        "kind": found.target.kind,
        "metadata": metadata_for(replace(found.target, name=destination)),
    }
    return Settled(replace(action, options=options), found.target, needs_of(found), (made,))


def _restore(action: KubernetesAction, scene: Scene) -> Settled:
    source, reference = first(action.options, _SOURCE), action.reference
    destination = first(action.options, _DESTINATION)
    if isinstance(destination, str) and not reference.name:
        reference = replace(reference, name=destination)
    if isinstance(source, str) and not reference.names_something:
        reference = replace(reference, name=source.removesuffix("-backup"))
    found = aim(reference, _kinds_by_words(VERBS[action.verb], action), scene)
    target = found.target
    if source in (None, "original", "previous"):
        own = f"{target.name}-backup"
        source = own if scene.inventory.named(target.kind, target.namespace, own) else None
    needs = needs_of(found)
    if source is not None:
        source = str(source).rpartition("/")[2]
        needs = (*needs, wanted(target.kind, target.namespace, source))
    options = {**without(action.options, (*_SOURCE, *_DESTINATION)), "source": source}
    return Settled(replace(action, options=options), target, needs)


def _kinds_by_words(verb: Verb, action: KubernetesAction) -> tuple[str, ...]:
    """`db-credentials` is surely a Secret and `app-config` a ConfigMap."""
    words = " ".join(map(str, (action.reference.name, *action.options.values()))).lower()
    return ("ConfigMap", *verb.kinds) if "config" in words and "secret" not in words else verb.kinds
