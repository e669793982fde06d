"""Actions that only look: logs, events, get, metrics."""

import json
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from wpk_sandbox.run.actions.action import Call, Done, StepError, Streams, called, number, targets
from wpk_sandbox.run.objects import ApiError, Object
from wpk_sandbox.run.pods import pods_of, trouble

_MISSING = object()


def logs(call: Call) -> Done:
    """The log of every pod of the target; `lines` from the end, `previous` of the container before a restart."""
    pods = [pod for item in targets(call) for pod in pods_of(call.objects, item)]
    if not pods:
        raise StepError(f"{call.target} has no pods", advice="scale it up first, or wait for its pods")
    previous = call.options.get("previous") is True
    texts = [(pod, container, _log(call, pod, container, previous)) for pod in pods for container in _names(pod)]
    read = [(pod, container, text) for pod, container, text in texts if text is not None]
    if not read:
        return Done(f"no container of {len(pods)} {_pods(pods)} was restarted, so there is no earlier log")
    text = "".join(
        f"--- {pod['metadata']['name']} {container}\n{text}" if len(read) > 1 else text
        for pod, container, text in read
    )
    count = len(text.splitlines()) - (len(read) if len(read) > 1 else 0)
    truncated = any(len(text.encode()) >= call.output_limit for _, _, text in read)
    return Done(
        f"read {count} {'line' if count == 1 else 'lines'} of {len(pods)} {_pods(pods)} of {call.target}",
        output=text.strip(),
        streams=Streams(text, truncated=truncated),
    )


def events(call: Call) -> Done:
    """The events about the target and its pods, oldest first."""
    objects = call.objects
    found = targets(call)
    about = {item["metadata"].get("uid") for item in found}
    about |= {pod["metadata"].get("uid") for item in found for pod in pods_of(objects, item)}
    listed = objects.acting.list(objects.kind("v1", "Event"), call.target.namespace)
    mine = sorted((one for one in listed if (one.get("involvedObject") or {}).get("uid") in about), key=_event_time)
    lines = [_event_line(one) for one in mine]
    text = "\n".join(lines)
    warnings = tuple(line for line in lines if line.startswith("Warning"))
    count = len(lines)
    return Done(
        f"{count} {'event' if count == 1 else 'events'} about {call.target}",
        details=warnings[:5],
        output=text,
        streams=Streams(text + "\n" if text else ""),
    )


def get(call: Call) -> Done:
    """The target as JSON, or one field of it; what it prints is there for later steps."""
    path = call.options.get("field")
    found = targets(call, acting=True)
    values = [_field(item, str(path)) if path else item for item in found]
    if all(value is _MISSING for value in values):
        return Done(f"{call.target} has no {path} now", details=("the field is not set",))
    text = "\n".join(_text(value) for value in values if value is not _MISSING)
    if found[0]["kind"] == "Secret":
        return Done(f"read {path or 'the data'} of {call.target}, which is not shown", output=text)
    shown = text if len(text) <= 80 and "\n" not in text else f"{len(text)} characters"
    return Done(f"{path or 'read'} of {call.target}: {shown}", output=text, streams=Streams(text + "\n"))


def metrics(call: Call) -> Done:
    """No sandbox has the metrics of production: the answer is assumed to be empty."""
    query = call.options.get("query") or "the query"
    return Done(f"assumed an empty answer to `{query}`")


def _log(call: Call, pod: Object, container: str, previous: bool) -> str | None:
    """The log of one container; None where it never ran before and `previous` was asked for."""
    metadata, lines = pod["metadata"], call.options.get("lines")
    try:
        return call.acting.logs(
            metadata["name"],
            metadata.get("namespace"),
            container=container,
            lines=None if lines is None else int(number("lines", lines)),
            previous=previous,
            limit=call.output_limit,
        )
    except ApiError as error:
        if previous and error.status == 400:
            return None
        if error.status == 403:
            raise
        why = trouble(pod)
        raise StepError(
            f"{called(pod)} has no log: {why or error.message}", advice=why.advice if why else ""
        ) from error


def _names(pod: Object) -> list[str]:
    return [container["name"] for container in pod["spec"]["containers"]]


def _pods(pods: list[Object]) -> str:
    return "pod" if len(pods) == 1 else "pods"


def _event_time(event: Object) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event.get("firstTimestamp") or "")


def _event_line(event: Object) -> str:
    about = event.get("involvedObject") or {}
    times = f" (x{event['count']})" if int(event.get("count") or 1) > 1 else ""
    message = " ".join(str(event.get("message") or "").split())
    return f"{event.get('type')} {event.get('reason')} {about.get('kind')}/{about.get('name')}: {message}{times}"


def _field(item: Mapping[str, Any], path: str) -> Any:
    """The value at `a.b`, `.a.b`, `{.a.b}` or `a[0].b`; a key of `data` may stand alone. Secrets are decoded."""
    parts = _parts(path)
    in_data = [["data", *parts], ["data", ".".join(parts)]]
    for candidate in (parts, *(in_data if isinstance(item.get("data"), Mapping) else ())):
        value = _walk(item, candidate)
        if value is not _MISSING:
            hidden = item.get("kind") == "Secret" and candidate[0] == "data" and isinstance(value, str)
            return b64decode(value).decode("utf-8", "replace") if hidden else value
    return _MISSING


def _walk(value: Any, parts: list[str]) -> Any:
    for part in parts:
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return _MISSING
    return value


def _parts(path: str) -> list[str]:
    """The steps of a path; a dot after a backslash belongs to its key, as in kubectl's JSONPath."""
    text = path.strip().strip("{}").removeprefix("$").lstrip(".")
    text = re.sub(r"\[['\"]?([^\]'\"]+)['\"]?\]", lambda match: "." + match[1].replace(".", "\\."), text)
    return [part.replace("\\.", ".") for part in re.split(r"(?<!\\)\.", text) if part]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
