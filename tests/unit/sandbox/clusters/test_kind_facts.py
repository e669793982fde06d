"""Names, rules, numbers and answers of the kind cluster that need no cluster."""

import re

import pytest

from wpk_sandbox.sandbox.clusters.kind import boot, firewall, images, node, probes
from wpk_sandbox.sandbox.sandbox import Limits


def test_cluster_names_are_short_and_never_the_same() -> None:
    names = {boot.cluster_name() for _ in range(50)}
    assert len(names) == 50
    assert all(re.fullmatch(r"atom-dryrun-\d+-[0-9a-f]{6}", name) and len(name) <= 40 for name in names)


@pytest.mark.parametrize(
    ("image", "full"),
    [
        ("busybox", "docker.io/library/busybox:latest"),
        ("busybox:1.36", "docker.io/library/busybox:1.36"),
        ("bitnami/kubectl:1.34", "docker.io/bitnami/kubectl:1.34"),
        ("ghcr.io/org/tool", "ghcr.io/org/tool:latest"),
        ("localhost/tool:1", "localhost/tool:1"),
        ("registry:5000/tool", "registry:5000/tool:latest"),
        ("busybox@sha256:abc", "docker.io/library/busybox@sha256:abc"),
        ("busybox:1.36@sha256:abc", "docker.io/library/busybox@sha256:abc"),
        ("registry:5000/deep/er/tool:1@sha256:abc", "registry:5000/deep/er/tool@sha256:abc"),
        ("docker.io/library/busybox:1.36", "docker.io/library/busybox:1.36"),
    ],
)
def test_full_name_is_what_the_kubelet_looks_for(image: str, full: str) -> None:
    assert images.full_name(image) == full


def test_node_rules_let_its_own_address_and_pods_through_but_not_to_the_outside() -> None:
    rules = firewall.node_rules("172.18.0.2")
    assert rules.count('oif != "eth0" ip daddr { 10.244.0.0/16, 172.18.0.2 } accept') == 2
    assert [rules.count(f"hook {hook} priority 10") for hook in ("input", "output", "forward")] == [1, 1, 1]


@pytest.mark.parametrize("address", ["", "172.18.0.2; accept", "fe80::1", "kubernetes"])
def test_rules_are_not_made_of_what_is_no_address(address: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the module's own promise
        firewall.node_rules(address)


def test_shaping_gives_the_rate_and_room_to_reach_it() -> None:
    assert "rate 100000000bit burst 250000 " in firewall.shaping(100_000_000)
    assert "rate 1000bit burst 16384 " in firewall.shaping(1000)


def test_node_may_run_what_its_pods_may_and_its_own_control_plane() -> None:
    assert node.processes(Limits(processes=100)) == 2024


def test_probe_holds_when_only_the_one_target_answers() -> None:
    evidence = probes.evidence("leave", "closed\napi reached\n192.0.2.1 refused\n", reachable="api")
    assert (evidence.held, evidence.seen) == (True, "api reached, 192.0.2.1 refused")


@pytest.mark.parametrize(
    "answers",
    [
        "closed\napi reached\n192.0.2.1 reached\n",
        "closed\napi refused\n192.0.2.1 refused\n",
        "closed\n192.0.2.1 refused\n",
        "closed\n",
    ],
)
def test_probe_does_not_hold_when_anything_else_answers_or_the_one_does_not(answers: str) -> None:
    assert not probes.evidence("leave", answers, reachable="api").held


def test_probe_does_not_hold_where_it_found_no_rules() -> None:
    evidence = probes.evidence("leave", "", reachable="api")
    assert not evidence.held
    assert "nothing was tried" in evidence.seen


def test_probe_asks_for_the_rules_before_it_tries_anything() -> None:
    lines = probes.script({"api": ("127.0.0.1", 6443)}).splitlines()
    assert lines[0].startswith("nft list table inet wpk_sandbox")
    assert lines[0].endswith("|| exit 1")
    assert "/dev/tcp/127.0.0.1/6443" in lines[-1]
