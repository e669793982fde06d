"""A boot that fails, hangs or is interrupted leaves nothing: with programs in kind's place, and once with kind itself."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wpk_sandbox.errors import InterruptedRunError, SandboxError
from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.clusters.kind import KIND, boot
from wpk_sandbox.sandbox.ledger import RUN_LABEL, Ledger
from wpk_sandbox.sandbox.sandbox import SandboxSpec

pytestmark = pytest.mark.needs("docker")

IMAGE = "busybox:1.36"
SPEC = SandboxSpec(node_image=IMAGE, pull=False, boot_timeout=60)

# What the stand-ins do as kind does: a labelled container, called as the node, on the network that is named.
NODE = f"""
for option; do case $option in --name=*) cluster=${{option#--name=}};; esac; done
node() {{
  docker run --detach --name "$cluster-control-plane" --label "io.x-k8s.kind.cluster=$cluster" \\
    --network "$KIND_EXPERIMENTAL_DOCKER_NETWORK" {IMAGE} sh -c 'echo the last words of a node; sleep 600'
}}
"""


@pytest.fixture
def ledger(request: pytest.FixtureRequest) -> Ledger:
    return Ledger(
        f"boot-{os.getpid()}-{abs(hash(request.node.name)) % 10**6}", datetime.now(UTC) + timedelta(minutes=30)
    )


@pytest.fixture
def kind_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file for the script that stands for kind; beside it, `tries` has a line for each time it was called."""
    program = tmp_path / "kind"
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("TRIES", str(tmp_path / "tries"))
    program.touch(mode=0o755)
    return program


def script(program: Path, then: str) -> None:
    program.write_text(f'#!/bin/sh\n{NODE}\necho "$cluster" >>"$TRIES"\n{then}\n')


def tries(program: Path) -> list[str]:
    return program.with_name("tries").read_text().split()


def remains(ledger: Ledger, clusters: list[str]) -> list[str]:
    """Containers of the clusters and networks of the run that are still there."""
    api = daemon.client().api
    found = [
        container["Names"][0]
        for cluster in clusters
        for container in api.containers(all=True, filters={"label": f"{boot.KIND_LABEL}={cluster}"})
    ]
    return found + [each["Name"] for each in api.networks(filters={"label": f"{RUN_LABEL}={ledger.run_id}"})]


def test_boot_that_fails_is_tried_again_under_a_new_name(kind_that: Path, ledger: Ledger) -> None:
    script(kind_that, 'node >&2; echo "ERROR: failed to init node with kubeadm" >&2; exit 1')
    with pytest.raises(SandboxError) as caught, KIND.open(SPEC, ledger):
        pytest.fail("it cannot have opened")
    first, second = tries(kind_that)
    assert first != second
    message = str(caught.value)
    assert "kind create cluster ended with status 1" in message
    assert "ERROR: failed to init node with kubeadm" in message
    assert "the last words of a node" in message, "it was looked at before it was removed"
    assert "The try before it: kind create cluster ended with status 1" in message
    assert "boot_timeout" in caught.value.remedy
    assert remains(ledger, [first, second]) == []
    assert (ledger.tally().made, ledger.tally().removed) == (6, 6)


def test_second_try_boots_as_kind_always_does(kind_that: Path, ledger: Ledger) -> None:
    script(kind_that, 'cat >>"$TRIES-configured"; echo >>"$TRIES-configured"; exit 1')
    with pytest.raises(SandboxError), KIND.open(SPEC, ledger):
        pytest.fail("it cannot have opened")
    hasty, plain = map(json.loads, kind_that.with_name("tries-configured").read_text().splitlines())
    assert "PublicKeysECDSA" in hasty.pop("kubeadmConfigPatches")[0]
    assert plain == hasty, "nothing but our patches differs"


def test_boot_that_hangs_ends_at_its_timeout_and_is_not_tried_again(kind_that: Path, ledger: Ledger) -> None:
    script(kind_that, "node; sleep 600")
    spec = SandboxSpec(node_image=IMAGE, pull=False, boot_timeout=3)
    with pytest.raises(SandboxError, match="was not done in time"), KIND.open(spec, ledger):
        pytest.fail("it cannot have opened")
    (cluster,) = tries(kind_that)
    assert remains(ledger, [cluster]) == []


@contextmanager
def interrupted_in(seconds: float) -> Iterator[None]:
    """What a signal does to a run, after a while: an exception in the main thread."""

    def handle(number: int, _: object) -> None:
        raise InterruptedRunError(number)

    previous = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def test_interrupt_in_the_middle_of_a_boot_leaves_no_node(kind_that: Path, ledger: Ledger) -> None:
    script(kind_that, "node; sleep 600")
    with pytest.raises(InterruptedRunError), interrupted_in(3), KIND.open(SPEC, ledger):
        pytest.fail("it cannot have opened")
    (cluster,) = tries(kind_that)
    assert remains(ledger, [cluster]) == []
    assert ledger.tally().left == ()


def test_node_whose_name_is_held_is_waited_for_and_removed(kind_that: Path, ledger: Ledger) -> None:
    # A daemon under load takes the name at once, and shows the container with its labels many seconds later.
    name = "$cluster-control-plane"
    slow = f"sleep 5; docker rm {name}; docker create --name {name} --label io.x-k8s.kind.cluster=$cluster {IMAGE} true"
    script(
        kind_that, f'docker create --name {name} {IMAGE} true; setsid sh -c "{slow}; touch $TRIES.slow" & sleep 600'
    )
    with pytest.raises(InterruptedRunError), interrupted_in(2), KIND.open(SPEC, ledger):
        pytest.fail("it cannot have opened")
    assert kind_that.with_name("tries.slow").exists(), "it was not waited for"
    (cluster,) = tries(kind_that)
    assert remains(ledger, [cluster]) == []
    assert ledger.tally().left == ()


def test_node_that_comes_into_being_after_the_interrupt_is_removed_too(kind_that: Path, ledger: Ledger) -> None:
    # In a session of its own, as the daemon is: our kill does not reach it.
    late = f'setsid sh -c "sleep 2; docker create --label io.x-k8s.kind.cluster=$cluster {IMAGE} true; touch $TRIES.late"'
    script(kind_that, f"{late} & sleep 600")
    with pytest.raises(InterruptedRunError), interrupted_in(1), KIND.open(SPEC, ledger):
        pytest.fail("it cannot have opened")
    (cluster,) = tries(kind_that)
    assert kind_that.with_name("tries.late").exists(), "the node came into being while we cleaned up"
    assert remains(ledger, [cluster]) == []


def test_image_that_cannot_be_had_is_told_before_anything_is_made(ledger: Ledger) -> None:
    spec = SandboxSpec(node_image="missing.invalid/node:1", pull=False)
    with (
        pytest.raises(SandboxError, match=r"missing\.invalid/node:1 is not on this daemon"),
        KIND.open(spec, ledger),
    ):
        pytest.fail("it cannot have opened")
    assert ledger.tally().made == 0


PROGRAM = """
import signal, sys
from datetime import UTC, datetime, timedelta
from wpk_sandbox.errors import InterruptedRunError
from wpk_sandbox.sandbox.clusters.kind import KIND
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import SandboxSpec

def handle(number, _):
    raise InterruptedRunError(number)

signal.signal(signal.SIGTERM, handle)
ledger = Ledger(sys.argv[1], datetime.now(UTC) + timedelta(minutes=30))
try:
    with KIND.open(SandboxSpec(pull=False), ledger):
        print("opened", flush=True)
except InterruptedRunError as error:
    print(ledger.close(), flush=True)
    sys.exit(error.exit_code)
"""


@pytest.mark.needs("kind")
@pytest.mark.parametrize("phase", ["kind boots it", "kubeadm is at work"])
def test_terminated_run_leaves_no_cluster(ledger: Ledger, phase: str) -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM, ledger.run_id], stdout=subprocess.PIPE, text=True) as run:
        (network,) = wait_for(
            lambda: daemon.client().api.networks(filters={"label": f"{RUN_LABEL}={ledger.run_id}"})
        )
        cluster = network["Name"]
        if phase == "kubeadm is at work":
            wait_for(lambda: nodes(cluster))
            time.sleep(3)
        run.send_signal(signal.SIGTERM)
        output = run.communicate(timeout=60)[0]
    assert run.returncode == 143
    # How far the boot came when the signal arrived is the daemon's affair.
    assert re.fullmatch(r"made ([23]), removed \1, left 0\n", output)
    assert remains(ledger, [cluster]) == []


def nodes(cluster: str) -> list[dict[str, str]]:
    return list(daemon.client().api.containers(all=True, filters={"label": f"{boot.KIND_LABEL}={cluster}"}))


def wait_for(ask: Callable[[], list[dict[str, str]]]) -> list[dict[str, str]]:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if found := ask():
            return found
        time.sleep(0.1)
    pytest.fail("it did not come to be")
