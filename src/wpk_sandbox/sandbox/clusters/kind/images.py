"""Bringing images from the host's daemon into the node, since the node can pull none."""

from collections.abc import Iterable

from wpk_sandbox import command
from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.clusters.kind.node import Node

LOAD_TIMEOUT = 300.0

# The namespace of containerd in which the kubelet's images lie.
_CTR = ("ctr", "--namespace=k8s.io", "images")


def load_images(node: Node, images: Iterable[str], *, pull: bool) -> tuple[str, ...]:
    """Load what the node does not have; returns a note for each image that could not be had.

    Raises `errors.UnavailableError` when the daemon or the node does not answer.
    """
    present = frozenset(node.run(*_CTR, "ls", "-q").require().stdout.split())
    wanted = [image for image in dict.fromkeys(images) if full_name(image) not in present]
    missing = {image: daemon.ensure_image(image, pull=pull) for image in wanted}
    notes = [f"{image}: {reason}" for image, reason in missing.items() if reason]
    loaded = [_load(node, image) for image, reason in missing.items() if not reason]
    return (*notes, *(note for note in loaded if note))


def full_name(image: str) -> str:
    """The name as the kubelet looks for it: with registry, and with a digest or else a tag.

    https://github.com/distribution/reference calls it the familiar name's normal form.
    """
    registry, slash, path = image.partition("/")
    if not slash or not ("." in registry or ":" in registry or registry == "localhost"):
        registry, path = "docker.io", image if slash else f"library/{image}"
    folder, _, last = path.rpartition("/")
    name, at, digest = last.partition("@")
    if at:
        last = f"{name.partition(':')[0]}@{digest}"
    elif ":" not in last:
        last += ":latest"
    return "/".join(part for part in (registry, folder, last) if part)


def _load(node: Node, image: str) -> str | None:
    """Save and import in one stream; a note when that fails, for it is the package's image that is odd."""
    # The daemon saves what is asked for by its digest without a name, and the kubelet looks for the name.
    named = [f"--index-name={full_name(image)}"] if "@" in image else []
    importing = ["docker", "exec", "-i", node.name, *_CTR, "import", *named, "-"]
    with command.start(["docker", "save", image]) as saving:
        result = command.run(importing, stdin=saving.stdout or b"", timeout=LOAD_TIMEOUT)
    if result.ok:
        return None
    return f"{image}: could not be loaded into the cluster: {result.stderr.strip()[-300:]}"
