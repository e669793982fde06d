"""What settling an action comes to, and reading options that authors write under several names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from wpk_sandbox.package.package import KubernetesAction
from wpk_sandbox.plan.inventory import Known
from wpk_sandbox.plan.manifests import Manifest
from wpk_sandbox.plan.plan import Target
from wpk_sandbox.plan.targets import Aim


@dataclass(frozen=True)
class Settled:
    """An action ready to run: what it acts on, what it needs to exist, and what it makes."""

    action: KubernetesAction
    target: Target | None
    needs: tuple[Known, ...] = ()
    makes: tuple[Manifest, ...] = ()


def needs_of(found: Aim) -> tuple[Known, ...]:
    """What must exist for an aim, as the field of `Settled` that holds it."""
    return (found.needs,) if found.needs else ()


def metadata_for(target: Target) -> dict[str, Any]:
    """The metadata of an object that is to become a target."""
    return {"name": target.name} | ({"namespace": target.namespace} if target.namespace else {})


def first(options: Mapping[str, Any], keys: Iterable[str]) -> Any:
    """The first option of several names that says something, or None."""
    return next((options[key] for key in keys if options.get(key)), None)


def without(options: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """The options but for some."""
    dropped = frozenset(keys)
    return {key: value for key, value in options.items() if key not in dropped}
