"""When images are brought into a node: while it boots where they are known, once, and with a note where they fail."""

import time
from collections.abc import Callable

import pytest

from wpk_sandbox.command import CommandResult
from wpk_sandbox.errors import UnavailableError
from wpk_sandbox.sandbox.clusters.kind import images
from wpk_sandbox.sandbox.clusters.kind.images import Images


class FakeNode:
    """Answers like a node that boots: with an error until it is ready."""

    name = "node"

    def __init__(self, ready_after: int = 0) -> None:
        self.asked, self._ready_after = 0, ready_after

    def run(self, *argv: str) -> CommandResult:
        self.asked += 1
        return CommandResult(argv, 0 if self.asked > self._ready_after else 1, "", "", 0.0)


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The images that were loaded, one after another; `missing:1` is not to be had."""
    done: list[str] = []

    def ensure(image: str, *, pull: bool) -> str | None:
        return "nobody has it" if image == "missing:1" else None

    monkeypatch.setattr(images.daemon, "ensure_image", ensure)
    monkeypatch.setattr(images, "_load", lambda node, image: done.append(image))
    monkeypatch.setattr(images, "_PAUSE", 0.01)
    return done


def eventually(true: Callable[[], bool]) -> bool:
    until = time.monotonic() + 5
    while not true() and time.monotonic() < until:
        time.sleep(0.01)
    return true()


def test_known_images_are_loaded_while_the_node_boots_and_not_again(loaded: list[str]) -> None:
    node, wanted = FakeNode(ready_after=3), Images(["tool:1"], pull=False)
    wanted.node_begins(node)
    assert eventually(lambda: loaded == ["tool:1"])
    assert wanted.load(node, ["tool:1"]) == ()
    assert loaded == ["tool:1"]


def test_image_that_was_not_known_is_loaded_when_it_is_asked_for(loaded: list[str]) -> None:
    node, wanted = FakeNode(), Images((), pull=False)
    wanted.node_begins(node)
    assert wanted.load(node, ["tool:1", "tool:1"]) == ()
    assert loaded == ["tool:1"]


def test_image_that_is_not_to_be_had_early_is_noted_when_it_is_needed(loaded: list[str]) -> None:
    node, wanted = FakeNode(), Images(["missing:1", "tool:1"], pull=False)
    wanted.node_begins(node)
    assert eventually(lambda: loaded == ["tool:1"])
    assert wanted.load(node, ["missing:1", "tool:1"]) == ("missing:1: nobody has it",)


def test_second_node_gets_them_anew(loaded: list[str]) -> None:
    wanted = Images(["tool:1"], pull=False)
    wanted.node_begins(FakeNode(ready_after=10**6))
    second = FakeNode()
    wanted.node_begins(second)
    assert eventually(lambda: loaded == ["tool:1"])
    assert wanted.load(second, ["tool:1"]) == ()


def test_no_further_try_once_the_node_is_gone(loaded: list[str]) -> None:
    node, wanted = FakeNode(ready_after=10**6), Images(["tool:1"], pull=False)
    wanted.node_begins(node)
    assert eventually(lambda: node.asked > 0)
    wanted.node_ends()
    time.sleep(0.05)
    asked = node.asked
    time.sleep(0.05)
    assert node.asked == asked
    with pytest.raises(UnavailableError):
        wanted.load(node, ["tool:1"])
