"""From a document that was held against the format to the package that it means.

Both dialects become the same facts here. What the check found unfit is left out: a step becomes an
`UnknownAction`, a value its default; so nothing below the package needs to ask whether a value has its right shape.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from wpk_sandbox.package import units
from wpk_sandbox.package.package import (
    Action,
    ApiAction,
    ContainerAction,
    Document,
    Handler,
    KubernetesAction,
    ManifestAction,
    ManualAction,
    Package,
    Reference,
    Retry,
    Rollback,
    Runtime,
    RuntimeType,
    Safety,
    ShellAction,
    Step,
    Trigger,
    UnknownAction,
)

_RUNTIMES = {
    **{kind.value: kind for kind in RuntimeType},
    "kubernetes": RuntimeType.K8S,
    "container": RuntimeType.DOCKER,
}
_REFERENCE_FIELDS = frozenset({"action", "resource_type", "name", "namespace", "selector"})
# Parts of a step beside its action: when one of them is unfit, the step can still be done.
_BESIDE = ("name", "timeout", "retry", "approval_required")


def build(document: Document, unfit: Mapping[str, str], digest: str) -> Package:
    """The package of a document; `unfit` maps the pointers of unfit values to what is wrong with them."""
    return _Builder(document, unfit).package(digest)


class _Builder:
    def __init__(self, document: Document, unfit: Mapping[str, str]) -> None:
        self._document = document
        self._unfit = unfit

    def package(self, digest: str) -> Package:
        metadata, spec = _mapping(self._document.data.get("metadata")), _mapping(self._document.data.get("spec"))
        validation = _mapping(spec.get("validation"))
        return Package(
            name=_text(metadata.get("name")),
            version=_text(metadata.get("version")),
            description=_text(metadata.get("description")),
            author=_text(metadata.get("author")),
            tags=_texts(metadata.get("tags")),
            runtime=self._runtime(_mapping(spec.get("runtime"))),
            safety=_safety(_mapping(spec.get("safety"))),
            triggers=self._triggers(spec.get("triggers")),
            handlers=self._handlers(spec.get("handlers"), "/spec/handlers"),
            rollback=self._rollback(_mapping(spec.get("rollback"))),
            required_permissions=_texts(validation.get("required_permissions")),
            resource_limits=_mapping(validation.get("resource_limits")),
            monitoring=_mapping(spec.get("monitoring")),
            document=self._document,
            digest=digest,
        )

    def _fits(self, pointer: str) -> bool:
        return pointer not in self._unfit

    def _runtime(self, data: Mapping[str, Any]) -> Runtime:
        written = _mapping(data.get("requirements"))
        requirements = {
            name: str(value)
            for name, value in written.items()
            if value is not None and self._fits(f"/spec/runtime/requirements/{name}")
        }
        kind = _RUNTIMES.get(_text(data.get("type")), RuntimeType.K8S)
        return Runtime(kind, _text(data.get("version")), requirements)

    def _triggers(self, data: Any) -> tuple[Trigger, ...]:
        return tuple(
            Trigger(_text(item.get("type")), _mapping(item.get("config")), f"/spec/triggers/{index}")
            for index, item in enumerate(_list(data))
            if isinstance(item, dict)
        )

    def _rollback(self, data: Mapping[str, Any]) -> Rollback:
        handlers = self._handlers(data.get("handlers"), "/spec/rollback/handlers")
        return Rollback(data.get("enabled") is True, handlers)

    def _handlers(self, data: Any, pointer: str) -> tuple[Handler, ...]:
        return tuple(self._handler(item, f"{pointer}/{index}", index) for index, item in enumerate(_list(data)))

    def _handler(self, item: Any, pointer: str, index: int) -> Handler:
        data = _mapping(item)
        name = _text(data.get("name")) or f"handler-{index + 1}"
        timeout = self._seconds(data.get("timeout"), f"{pointer}/timeout")
        steps = data.get("steps")
        if isinstance(steps, list) and steps and self._fits(pointer):
            made = tuple(self._step(step, f"{pointer}/steps/{number}", number) for number, step in enumerate(steps))
            return Handler(name, made, pointer, timeout)
        retry = self._retry(data.get("retry"), f"{pointer}/retry")
        return Handler(name, (Step(name, self._action(data, pointer), pointer, timeout, retry),), pointer, timeout)

    def _step(self, item: Any, pointer: str, index: int) -> Step:
        data = _mapping(item)
        return Step(
            name=_text(data.get("name")) or f"step-{index + 1}",
            action=self._action(data, pointer),
            pointer=pointer,
            timeout=self._seconds(data.get("timeout"), f"{pointer}/timeout"),
            retry=self._retry(data.get("retry"), f"{pointer}/retry"),
        )

    def _action(self, data: Mapping[str, Any], pointer: str) -> Action:
        """The action of a step, or of a handler that is one step."""
        beside = tuple(f"{pointer}/{name}" for name in _BESIDE)
        for place, reason in self._unfit.items():
            if _within(place, pointer) and not any(_within(place, part) for part in beside):
                return UnknownAction(reason)
        return _action(data)

    def _seconds(self, value: Any, pointer: str) -> float | None:
        """A duration; None where it is unfit, which was not looked at in a handler that is unfit as a whole."""
        if not self._fits(pointer):
            return None
        with suppress(ValueError, TypeError, AttributeError):
            return units.seconds(value)
        return None

    def _retry(self, value: Any, pointer: str) -> Retry:
        data = _mapping(value)
        attempts = data.get("max_attempts") if self._fits(f"{pointer}/max_attempts") else None
        backoff = self._seconds(data.get("backoff"), f"{pointer}/backoff")
        return Retry(attempts if type(attempts) is int else 1, backoff or 0.0)


def _within(place: str, pointer: str) -> bool:
    return place == pointer or place.startswith(f"{pointer}/")


def _kubernetes(config: Mapping[str, Any]) -> KubernetesAction:
    reference = Reference(
        _text(config.get("resource_type")) or None,
        _text(config.get("name")) or None,
        _text(config.get("namespace")) or None,
        _selector(config.get("selector")),
    )
    options = {key: value for key, value in config.items() if key not in _REFERENCE_FIELDS and value is not None}
    return KubernetesAction(_text(config.get("action")), reference, options)


def _selector(value: Any) -> str | None:
    if isinstance(value, dict):
        labels = _mapping(value["matchLabels"]) if list(value) == ["matchLabels"] else value
        return ",".join(f"{key}={_text(label)}" for key, label in labels.items()) or None
    return _text(value) or None


def _api(config: Mapping[str, Any]) -> ApiAction:
    status = config.get("expected_status")
    expected = status if isinstance(status, list) else [status]
    return ApiAction(
        url=_text(config.get("url")),
        method=(_text(config.get("method")) or "GET").upper(),
        headers={key: _text(value) for key, value in _mapping(config.get("headers")).items()},
        payload=config.get("payload"),
        expected_status=tuple(code for code in expected if type(code) is int),
    )


def _container(data: Mapping[str, Any]) -> ContainerAction:
    env = {
        _text(item.get("name")): _text(item.get("value"))
        for item in _list(data.get("env"))
        if isinstance(item, dict) and "valueFrom" not in item
    }
    return ContainerAction(
        _text(data.get("image")), _texts(data.get("command")), _texts(data.get("args")), env, data
    )


def _shell(config: Mapping[str, Any]) -> ShellAction:
    return ShellAction(_text(config.get("command")))


_OF_TYPE: dict[str, Callable[[Mapping[str, Any]], Action]] = {"k8s": _kubernetes, "shell": _shell, "api": _api}
_OF_KEY: dict[str, Callable[[Mapping[str, Any]], Action]] = {
    "shell": _shell,
    "container": _container,
    "kubernetes": ManifestAction,
}


def _action(data: Mapping[str, Any]) -> Action:
    kind = data.get("type")
    if isinstance(kind, str) and kind in _OF_TYPE:
        return _OF_TYPE[kind](_mapping(data.get("config")))
    for key, make in _OF_KEY.items():
        if key in data:
            return make(_mapping(data[key]))
    if data.get("manual") is True or data.get("approval_required") is True:
        return ManualAction()
    return UnknownAction("it says `manual: false`, and nothing that could be done instead")


def _safety(data: Mapping[str, Any]) -> Safety:
    mode = data.get("mode")
    return Safety(
        mode if mode in ("manual", "auto") else None,
        _flag(data.get("approval_required")),
        _flag(data.get("dry_run_required")),
        _flag(data.get("rollback_enabled")),
    )


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    """A scalar as text; truth values as YAML writes them; empty for anything else."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(_text(item) for item in _list(value) if isinstance(item, str | int | float))
