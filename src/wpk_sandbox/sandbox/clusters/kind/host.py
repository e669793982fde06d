"""What a kind cluster needs of the host: Docker, the program kind, a node image, room for the kubelet's watches."""

import re
from collections.abc import Iterable
from pathlib import Path

from wpk_sandbox.command import find
from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.sandbox import SandboxSpec

NODE_REPOSITORY = "kindest/node"

# One node opens about 60 instances and some thousand watches; kind's own advice for several clusters is 512 and
# 524288 (https://kind.sigs.k8s.io/docs/user/known-issues/#pod-errors-due-to-too-many-open-files).
INOTIFY = {"max_user_instances": (128, 512), "max_user_watches": (8192, 524288)}
INOTIFY_REMEDY = "sudo sysctl fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=524288"


def why_not(spec: SandboxSpec) -> str | None:
    """Why this host cannot boot a kind cluster, with the remedy; None when it can. Makes nothing."""
    reason = daemon.why_not()
    if reason:
        return reason
    for program, where in (
        ("docker", "https://docs.docker.com/engine/install/"),
        ("kind", "https://kind.sigs.k8s.io/docs/user/quick-start/#installation"),
    ):
        if find(program) is None:
            return f"the program {program} is not installed; see {where}"
    return _why_no_image(spec) or (inotify_why_not() if _daemon_is_here() else None)


def node_image(spec: SandboxSpec) -> str | None:
    """The node image to boot: the one that is named, else the newest of kind's on the daemon.

    None leaves the choice to kind, which then pulls the one it was released with.
    """
    return spec.node_image or newest(_local_node_images())


def newest(tags: Iterable[str]) -> str | None:
    """The tag with the highest Kubernetes version; None when none has a version."""
    versions = {tag: _version(tag) for tag in tags}
    known = [tag for tag, version in versions.items() if version]
    return max(known, key=lambda tag: versions[tag], default=None)


def inotify_why_not(folder: Path = Path("/proc/sys/fs/inotify")) -> str | None:
    """Why the kernel's bounds on file watches are too low for a node; None when they are not, or unknown."""
    for name, (least, advised) in INOTIFY.items():
        try:
            value = int((folder / name).read_text())
        except (OSError, ValueError):
            continue
        if value < least:
            return (
                f"fs.inotify.{name} is {value}, and a node needs {least} (better {advised}); run `{INOTIFY_REMEDY}`"
            )
    return None


def _why_no_image(spec: SandboxSpec) -> str | None:
    image = node_image(spec)
    if spec.pull or (image and daemon.has_image(image)):
        return None
    return f"the image {image or NODE_REPOSITORY} is not on this daemon; {daemon.PULL_REMEDY}"


def _local_node_images() -> list[str]:
    with daemon.translated("list the node images"):
        images = daemon.client().images.list(name=NODE_REPOSITORY)
    return [tag for image in images for tag in image.tags if tag.startswith(f"{NODE_REPOSITORY}:")]


def _daemon_is_here() -> bool:
    # The SDK writes the address of a Unix socket in this form; anything else may be another machine.
    return str(daemon.client().api.base_url).startswith("http+docker")


def _version(tag: str) -> tuple[int, ...]:
    match = re.fullmatch(r"v(\d+)\.(\d+)\.(\d+)", tag.rpartition(":")[2])
    return tuple(int(part) for part in match.groups()) if match else ()
