"""Slips in the actions whose options the format leaves free: there a misspelt field is taken for an option.

A field is told only where it can hardly be meant as it is written: `namspace` beside no `namespace`.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from wpk_sandbox.package import problems
from wpk_sandbox.package.actions import KUBERNETES_ACTIONS
from wpk_sandbox.package.attached import MANIFEST_OPTIONS
from wpk_sandbox.package.composer import escaped
from wpk_sandbox.package.slips import alike
from wpk_sandbox.package.validate import Problem

_FREE = {name for name, model in KUBERNETES_ACTIONS.items() if model.model_config.get("extra") == "allow"}
# Options that engines know beside the fields of the format, of which a slip is as likely.
_OPTIONS = (
    "destination",
    "source",
    "from",
    "to",
    "image",
    "command",
    "args",
    "data",
    "stringData",
    "spec",
    "backup",
)
# A shorter name has too many neighbours.
_LEAST = 7
_CLOSE = 0.86


def slips(data: Any) -> Iterator[Problem]:
    """Each option of a free action that is nearly a field, in a document that fits otherwise."""
    spec = _mapping(_mapping(data).get("spec"))
    for part, handlers in (("/spec", spec), ("/spec/rollback", _mapping(spec.get("rollback")))):
        listed = handlers.get("handlers")
        for index, handler in enumerate(listed if isinstance(listed, list) else ()):
            config = _mapping(_mapping(handler).get("config"))
            action = config.get("action")
            if _mapping(handler).get("type") == "k8s" and isinstance(action, str) and action in _FREE:
                yield from _in_config(config, f"{part}/handlers/{index}/config")


def _in_config(config: Mapping[Any, Any], pointer: str) -> Iterator[Problem]:
    fields = [*KUBERNETES_ACTIONS[config["action"]].model_fields]
    known = [*fields, *_OPTIONS, *MANIFEST_OPTIONS]
    for key in config:
        if key in known:
            continue
        meant = _meant(str(key), [name for name in (*fields, *_OPTIONS) if name not in config])
        if meant:
            message = f"`config` takes no field `{str(key)[:80]}`; did you mean `{meant}`?"
            place = f"{pointer}/{escaped(str(key))}"
            yield Problem(problems.UNKNOWN_FIELD, place, message, f"Write `{meant}`.", at_key=True)


def _meant(key: str, names: list[str]) -> str:
    same = [name for name in names if alike(key, name)]
    long = [name for name in names if len(name) >= _LEAST]
    return next(iter(same or get_close_matches(key[:80], long, n=1, cutoff=_CLOSE)), "")


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, dict) else {}
