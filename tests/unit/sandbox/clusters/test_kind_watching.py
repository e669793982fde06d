"""What the node's firewall and its small program say, and what becomes of it; no cluster is needed."""

import json

import pytest

from wpk_sandbox.sandbox.clusters.kind.attempts import Refusals
from wpk_sandbox.sandbox.clusters.kind.names import closed_configuration
from wpk_sandbox.sandbox.clusters.kind.node import Node
from wpk_sandbox.sandbox.clusters.kind.pods import Pods
from wpk_sandbox.sandbox.clusters.kind.watcher import Notes
from wpk_sandbox.sandbox.sandbox import Attempt, Sample, Usage

MINE, THEIRS = "b1c5a6f0-0000-4000-8000-000000000001", "b1c5a6f0-0000-4000-8000-000000000002"
PODS = {"10.244.0.5": "shop/web", "10.244.0.2": "kube-system/coredns"}


class FakePods(Pods):
    """Knows two pods, and watches nothing."""

    def __init__(self) -> None:
        self._by_address, self._namespaces = dict(PODS), {MINE: "shop", THEIRS: "kube-system"}


def listing(*rows: tuple[list[object], int], name: str = "asked4", counted: int | None = None) -> str:
    elements = [{"elem": {"val": {"concat": row}, "counter": {"packets": n, "bytes": 60}}} for row, n in rows]
    packets = sum(n for _, n in rows) if counted is None else counted
    counters = [{"counter": {"name": "pods", "packets": packets, "bytes": 0}}]
    return json.dumps({"nftables": [{"set": {"name": name, "elem": elements}}, *counters]})


def refusals() -> Refusals:
    return Refusals(Node("node", "172.18.0.2"), FakePods().name_of)


def row(source: str, target: str, protocol: str = "tcp", *port: int) -> list[object]:
    return [source, target, protocol, *port]


def test_an_attempt_has_the_pods_name_and_is_told_once() -> None:
    seen = refusals()
    first = listing((row("10.244.0.5", "192.0.2.1", "tcp", 443), 2))
    assert seen.read(first) == (Attempt("tcp", "192.0.2.1", 443, process="shop/web", count=2),)
    assert seen.read(first) == ()
    (more,) = seen.read(listing((row("10.244.0.5", "192.0.2.1", "tcp", 443), 5)))
    assert more.count == 3


def test_what_no_pod_tried_the_node_did() -> None:
    (attempt,) = refusals().read(listing((row("172.18.0.2", "192.0.2.1", "tcp", 443), 1)))
    assert attempt.process.startswith("the node itself")


def test_a_question_to_dockers_resolver_is_one_about_a_name() -> None:
    (attempt,) = refusals().read(listing((row("127.0.0.1", "127.0.0.11", "udp", 40123), 1)))
    assert (attempt.protocol, attempt.port) == ("dns", 53)


def test_protocols_without_ports_are_told_and_neighbours_that_are_looked_for_are_not() -> None:
    text = listing(
        (row("fe80::1", "ff02::2", "ipv6-icmp"), 3), (row("fe80::1", "2001:db8::1", "ipv6-icmp"), 1), name="other6"
    )
    assert [(one.protocol, one.address, one.port) for one in refusals().read(text)] == [
        ("icmp", "2001:db8::1", None)
    ]


def test_what_found_no_place_is_counted() -> None:
    full = [(row("10.244.0.5", f"192.0.{n // 250}.{n % 250}", "tcp", 1), 1) for n in range(4096)]
    *listed, beyond = refusals().read(listing(*full, counted=5000))
    assert len(listed) == 4096
    assert (beyond.process, beyond.count) == ("more than can be listed", 904)


COREFILE = """.:53 {
    errors
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30
    loop
    reload
}
"""


def test_the_name_service_asks_nobody_and_answers_for_all_names() -> None:
    closed = closed_configuration(COREFILE)
    assert "kubernetes cluster.local in-addr.arpa ip6.arpa . {" in closed
    assert not [word for word in ("forward", "loop", "fallthrough", "resolv.conf") if word in closed]
    assert closed.count("{") == closed.count("}") == 2


@pytest.mark.parametrize(
    "corefile", ["", ".:53 {\n forward . 1.1.1.1\n}\n", COREFILE.replace(".:53", "example.com:53")]
)
def test_a_name_service_of_another_form_is_not_taken_for_closed(corefile: str) -> None:
    with pytest.raises(ValueError, match="no zone for all names"):
        closed_configuration(corefile)


class Ticking:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def noted(*lines: str) -> Notes:
    notes = Notes(FakePods(), Ticking())
    for line in lines:
        notes.line(line)
    return notes


FIRST = (f"pod {THEIRS} 9000000000 9000 90", "all 9500000000", "look", "end")


def looked(*pods: str, all_pods: float) -> tuple[str, ...]:
    return (*pods, f"all {int(all_pods * 1e9)}", "look")


def test_a_sample_is_what_the_packages_pods_use_together() -> None:
    now = looked(f"pod {MINE} 1500000000 4096 3", f"pod {THEIRS} 9500000000 9000 90", all_pods=11.5)
    notes = noted(*FIRST, *now, "disk 100", "end")
    assert notes.samples() == (Sample(1.0), Sample(2.0, 1.5, 4096, 3, 0))
    assert notes.samples() == ()


def test_time_of_a_pod_that_is_gone_counts_to_its_end_and_its_memory_does_not() -> None:
    running, gone = looked(f"pod {MINE} 2000000000 4096 3", all_pods=11.5), looked(all_pods=12.25)
    notes = noted(*FIRST, "disk 90", "disk 100", *running, "end", *gone, "disk 150", "end")
    assert notes.usage() == Usage(2.75, 4096, 3, stored_peak=50 * 1024)
    assert notes.samples()[-1] == Sample(3.0, 2.75, 0, 0, 50 * 1024)


def test_a_sample_has_the_most_that_was_seen_since_the_one_before() -> None:
    looks = [
        looked(f"pod {MINE} 1 {memory} {count}", all_pods=9.5) for memory, count in ((10, 1), (90, 2), (20, 7))
    ]
    notes = noted(*FIRST, *(line for look in looks for line in look), "end", *looks[0], "end")
    assert [(sample.memory, sample.processes) for sample in notes.samples()] == [(0, 0), (90, 7), (10, 1)]
    assert (notes.usage().memory_peak, notes.usage().processes_peak) == (90, 7)


def test_pods_that_were_there_before_anyone_was_let_in_are_not_the_packages_though_none_knows_them_yet() -> None:
    unknown = "b1c5a6f0-0000-4000-8000-000000000003"
    before = looked(f"pod {unknown} 1000000000 900 9", all_pods=1)
    later = looked(f"pod {unknown} 3000000000 900 9", f"pod {MINE} 500000000 7 1", all_pods=3.5)
    assert noted(*before, "end", *later, "end").usage() == Usage(0.5, 7, 1, stored_peak=0)


def test_images_that_we_load_are_not_what_the_package_stores_not_even_while_they_come() -> None:
    notes = noted("disk 90", "disk 100", "end", "disk 900", "end")
    assert notes.stored == notes.usage().stored_peak == 800 * 1024
    with notes.loading():
        for line in ("disk 1500", "end", "disk 1900", "end"):
            notes.line(line)
    # The first of these looks may have begun before all was loaded.
    for line in ("disk 1920", "disk 1950", "end"):
        notes.line(line)
    assert (notes.stored, notes.usage().stored_peak) == (0, 800 * 1024)
    notes.line("disk 2000")
    assert notes.stored == 50 * 1024


def test_usage_is_unknown_until_something_was_said() -> None:
    assert noted().usage() == Usage()


def test_names_outside_are_told_with_who_asked_and_the_clusters_own_are_not() -> None:
    notes = noted(
        "dns 10.244.0.5 example.invalid 1",
        "dns 10.244.0.5 example.invalid 1",
        "dns 10.244.0.5 example.invalid.shop.svc.cluster.local 2",
        "dns 10.244.0.5 cluster.local 2",
        "dns 10.244.0.2 upstream.invalid 1",
        "dns 10.244.0.99 unknown.invalid 1",
    )
    assert notes.questions() == (Attempt("dns", name="example.invalid", process="shop/web", count=2),)
    assert notes.questions() == ()


def test_a_watch_learns_addresses_and_namespaces_but_not_those_of_the_nodes_own_network() -> None:
    pods = FakePods()
    status = {"podIP": "10.244.0.9", "podIPs": [{"ip": "10.244.0.9"}, {"ip": "fd00::9"}]}
    pods.learn({"metadata": {"uid": "u", "namespace": "shop", "name": "db"}, "spec": {}, "status": status})
    assert (pods.name_of("10.244.0.9"), pods.name_of("fd00::9")) == ("shop/db", "shop/db")
    host = {"metadata": {"uid": "h", "namespace": "shop", "name": "h"}, "spec": {"hostNetwork": True}}
    pods.learn({**host, "status": {"podIP": "172.18.0.2"}})
    assert pods.name_of("172.18.0.2") == ""
    assert (pods.is_of_package("h"), pods.is_of_package(THEIRS)) == (True, False)
