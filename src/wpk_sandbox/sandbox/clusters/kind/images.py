"""Bringing images from the host's daemon into the node, since the node can pull none."""

import threading
from collections.abc import Iterable
from contextlib import suppress

from wpk_sandbox import command
from wpk_sandbox.errors import UnavailableError
from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.clusters.kind.node import Node

LOAD_TIMEOUT = 300.0

# Seconds between two looks whether a node that boots can take images.
_PAUSE = 0.7

# The namespace of containerd in which the kubelet's images lie.
_CTR = ("ctr", "--namespace=k8s.io", "images")


class Images:
    """The images of one cluster. Those that are known before it boots are loaded while it does."""

    def __init__(self, wanted: Iterable[str], *, pull: bool) -> None:
        self._wanted, self._pull = tuple(wanted), pull
        self._present: set[str] = set()
        self._booting = threading.Event()
        self._early: threading.Thread | None = None

    def node_begins(self, node: Node) -> None:
        """Load what is wanted as soon as the node's containerd answers, in a thread of its own."""
        self.node_ends()
        self._present, self._booting = set(), threading.Event()
        if self._wanted:
            self._early = threading.Thread(target=self._load_early, args=(node, self._booting), daemon=True)
            self._early.start()

    def node_ends(self) -> None:
        """No further try; what a try is about ends with the node."""
        self._booting.set()

    def load(self, node: Node, images: Iterable[str]) -> tuple[str, ...]:
        """Load what the node does not have; returns a note for each image that could not be had.

        Raises `errors.UnavailableError` when the daemon or the node does not answer.
        """
        self._booting.set()
        if self._early:
            self._early.join(LOAD_TIMEOUT)
        missing = [image for image in dict.fromkeys(images) if full_name(image) not in self._present]
        return self._bring(node, missing) if missing else ()

    def _load_early(self, node: Node, over: threading.Event) -> None:
        """Try until the node is there. Whatever fails, fails again when the image is needed, and is told then."""
        while not over.wait(_PAUSE):
            with suppress(UnavailableError):
                self._bring(node, self._wanted)
                return

    def _bring(self, node: Node, images: Iterable[str]) -> tuple[str, ...]:
        self._present |= set(node.run(*_CTR, "ls", "-q").require().stdout.split())
        notes = (self._note(node, image) for image in images if full_name(image) not in self._present)
        return tuple(note for note in notes if note)

    def _note(self, node: Node, image: str) -> str | None:
        if reason := daemon.ensure_image(image, pull=self._pull):
            return f"{image}: {reason}"
        note = _load(node, image)
        if note is None:
            self._present.add(full_name(image))
        return note


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
