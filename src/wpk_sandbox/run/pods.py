"""Pods: those that belong to something, and why one does not run."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from wpk_sandbox.run.objects import ApiError, Object, Objects

# What kubelet says when an image is not on the node; pods here never pull, so it will not come.
_NO_IMAGE = ("ErrImageNeverPull", "ErrImagePull", "ImagePullBackOff")
_NEVER = ("InvalidImageName", "CreateContainerConfigError")

_ADVICE = {
    "CrashLoopBackOff": "the container starts and ends again and again; its last lines say why",
    "Error": "the container ended with an error; its last lines say why",
    "OOMKilled": "the container needs more memory than its limit; raise resources.limits.memory",
    "CreateContainerConfigError": "the pod refers to something that does not exist or runs as root",
    "InvalidImageName": "correct the name of the image",
    "Unschedulable": "the sandbox's one node does not fit it: lower its requests, or select no particular node",
    "ContainerCreating": "something that the pod mounts may not exist",
}


@dataclass(frozen=True)
class Trouble:
    """Why a pod is not ready. `image` is the image that the node lacks; `never` when waiting is of no use."""

    pod: str
    reason: str
    message: str = ""
    last_line: str = ""
    image: str = ""
    never: bool = False

    def __str__(self) -> str:
        text = f"{self.pod}: {self.reason}"
        text += f" ({self.message})" if self.message and self.message != self.reason else ""
        return f"{text}; last line: {self.last_line}" if self.last_line else text

    @property
    def advice(self) -> str:
        """What to do about it; empty where there is nothing to say in general."""
        return _ADVICE.get(self.reason, "")


def pods_of(objects: Objects, owner: Mapping[str, Any]) -> tuple[Object, ...]:
    """The pods of a workload or Job, or the pod itself; those that are going are left out."""
    if owner["kind"] == "Pod":
        return (dict(owner),)
    text = selector_text((owner.get("spec") or {}).get("selector"))
    if not text:
        return ()
    found = objects.list(objects.kind("v1", "Pod"), owner["metadata"].get("namespace"), text)
    return tuple(pod for pod in found if not pod["metadata"].get("deletionTimestamp"))


def selector_text(selector: Any) -> str:
    """A `LabelSelector` object, or the plain map of a ReplicationController, as the text that a list takes."""
    if not isinstance(selector, Mapping):
        return ""
    if not {"matchLabels", "matchExpressions"} & set(selector):
        return ",".join(f"{key}={value}" for key, value in selector.items())
    parts = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    for expression in selector.get("matchExpressions") or ():
        key, values = expression["key"], ",".join(expression.get("values") or ())
        parts.append(
            {
                "In": f"{key} in ({values})",
                "NotIn": f"{key} notin ({values})",
                "Exists": key,
                "DoesNotExist": f"!{key}",
            }[expression["operator"]]
        )
    return ",".join(parts)


def is_ready(pod: Mapping[str, Any]) -> bool:
    """True when the pod's Ready condition holds and it is not going."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    ready = any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)
    return ready and not pod["metadata"].get("deletionTimestamp")


def trouble(pod: Mapping[str, Any]) -> Trouble | None:
    """Why a pod is not ready, as far as its status tells; None when it is, or nothing is known yet."""
    status, name = pod.get("status") or {}, pod["metadata"]["name"]
    if is_ready(pod) or status.get("phase") == "Succeeded":
        return None
    for container in _statuses(status):
        found = _container_trouble(name, container)
        if found:
            return found
    for one in status.get("conditions") or ():
        if one.get("type") == "PodScheduled" and one.get("status") == "False":
            return Trouble(name, str(one.get("reason")), str(one.get("message") or ""))
    reason = status.get("reason")
    return Trouble(name, str(reason), str(status.get("message") or "")) if reason else None


def explained(objects: Objects, pods: Iterable[Mapping[str, Any]]) -> tuple[Trouble, ...]:
    """The troubles of some pods, each with the last line of its log where there is one."""
    found = [(pod, trouble(pod)) for pod in pods]
    return tuple(_with_last_line(objects, pod, one) for pod, one in found if one)


def exit_code(pod: Mapping[str, Any]) -> int | None:
    """The exit status of a pod's first container, once it has ended."""
    for container in (pod.get("status") or {}).get("containerStatuses") or ():
        ended = (container.get("state") or {}).get("terminated")
        return int(ended.get("exitCode", 0)) if ended else None
    return None


def _container_trouble(pod: str, container: Mapping[str, Any]) -> Trouble | None:
    state = container.get("state") or {}
    waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
    if waiting.get("reason"):
        reason, message = str(waiting["reason"]), str(waiting.get("message") or "")
        image = str(container.get("image") or "") if reason in _NO_IMAGE else ""
        return Trouble(pod, reason, message, image=image, never=reason in _NEVER)
    if ended and ended.get("exitCode"):
        return Trouble(pod, str(ended.get("reason") or "Error"), f"exit code {ended['exitCode']}")
    return None


def _statuses(status: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def _with_last_line(objects: Objects, pod: Mapping[str, Any], one: Trouble) -> Trouble:
    metadata, again = pod["metadata"], one.reason == "CrashLoopBackOff"
    text = ""
    with suppress(ApiError):
        text = objects.logs(metadata["name"], metadata.get("namespace"), lines=1, previous=again)
    return Trouble(one.pod, one.reason, one.message, text.strip()[-300:], one.image, one.never)
