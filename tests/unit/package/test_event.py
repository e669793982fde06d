from typing import Any

import pytest

from wpk_sandbox.package.event import read_event


@pytest.mark.parametrize(
    ("event", "kind", "name"),
    [
        ({"deployment": "web"}, "Deployment", "web"),
        ({"deployment_name": "web"}, "Deployment", "web"),
        ({"statefulset": "db"}, "StatefulSet", "db"),
        ({"job": "report"}, "Job", "report"),
        ({"labels": {"pod": "web-0"}}, "Pod", "web-0"),
        ({"deployment": {"name": "web", "namespace": "shop"}}, "Deployment", "web"),
        ({"involvedObject": {"kind": "Pod", "name": "web-0"}}, "Pod", "web-0"),
        ({"kind": "Deployment", "metadata": {"name": "web"}}, "Deployment", "web"),
        ({"alerts": [{"labels": {"deployment": "web"}}, {"labels": {"deployment": "api"}}]}, "Deployment", "web"),
        ({"commonLabels": {"workload_type": "deployment", "workload": "web"}}, "Deployment", "web"),
        ({"labels": {"job_name": "report", "job": "kube-state-metrics"}}, "Job", "report"),
        ({"deployment": "outer", "labels": {"deployment": "inner"}}, "Deployment", "outer"),
    ],
)
def test_an_event_names_an_object_in_the_shape_of_its_sender(event: dict[str, Any], kind: str, name: str) -> None:
    assert read_event(event).names == {kind: name}


def test_the_scrape_job_of_an_alert_is_no_kubernetes_job() -> None:
    assert read_event({"labels": {"job": "node-exporter", "pod": "web-0"}}).names == {"Pod": "web-0"}


@pytest.mark.parametrize(
    "event",
    [
        {"namespace": "shop"},
        {"labels": {"namespace": "shop"}},
        {"deployment": {"name": "web", "namespace": "shop"}},
        {"metadata": {"namespace": "shop"}},
        {"namespace": "shop", "labels": {"namespace": "monitoring"}},
    ],
)
def test_the_namespace_is_found_and_the_outer_one_is_right(event: dict[str, Any]) -> None:
    assert read_event(event).namespace == "shop"


def test_an_event_that_says_nothing_about_objects_names_none() -> None:
    facts = read_event({"severity": "high", "firing": True, "value": 3, "alerts": [], "labels": None})
    assert (facts.namespace, facts.names) == (None, {})
    assert facts.values == {"severity": "high", "value": "3"}
