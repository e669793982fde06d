"""Label and field selectors."""

import pytest

from wpk_sandbox.package.kinds import resource_kind
from wpk_sandbox.sandbox.clusters.simulated.refused import Refused
from wpk_sandbox.sandbox.clusters.simulated.selectors import query_filter, selector_text, selects

POD = resource_kind("pod")


def chosen(labels, selector):
    return query_filter(POD, selector, "")({"metadata": {"labels": labels}})


@pytest.mark.parametrize(
    ("selector", "labels", "holds"),
    [
        ("", {}, True),
        ("app=web", {"app": "web"}, True),
        ("app==web", {"app": "api"}, False),
        ("app!=web", {}, True),
        ("app != web", {"app": "web"}, False),
        ("app", {"app": ""}, True),
        ("app", {}, False),
        ("!app", {}, True),
        ("app in (web, api)", {"app": "api"}, True),
        ("app in (web,api),tier=x", {"app": "api"}, False),
        ("app notin (web)", {}, True),
        ("app notin (web,api)", {"app": "web"}, False),
        ("example.com/part-of=shop,app=web", {"example.com/part-of": "shop", "app": "web"}, True),
        ("app=", {"app": ""}, True),
    ],
)
def test_a_label_selector_chooses(selector, labels, holds):
    assert chosen(labels, selector) is holds


@pytest.mark.parametrize("selector", ["app in web", "app===web", "=web", "app in (a", "a=b,,c=d", "a=(b)"])
def test_a_label_selector_that_cannot_be_read_is_refused(selector):
    with pytest.raises(Refused, match="unable to parse requirement") as caught:
        chosen({}, selector)
    assert caught.value.code == 400


@pytest.mark.parametrize(
    ("selector", "holds"),
    [
        ("metadata.name=web", True),
        ("metadata.name!=web", False),
        ("metadata.name=web,status.phase!=Failed", True),
        ("status.phase==Running", True),
        ("spec.nodeName=", True),
        ("spec.hostNetwork=true", True),
    ],
)
def test_a_field_selector_chooses(selector, holds):
    pod = {"metadata": {"name": "web"}, "spec": {"hostNetwork": True}, "status": {"phase": "Running"}}
    assert query_filter(POD, "", selector)(pod) is holds


@pytest.mark.parametrize("selector", ["spec.containers=x", "metadata.name", "status.phase>1"])
def test_a_field_that_cannot_be_selected_is_refused(selector):
    with pytest.raises(Refused) as caught:
        query_filter(POD, "", selector)
    assert caught.value.code == 400


def test_each_kind_has_its_own_fields():
    event = resource_kind("event")
    assert query_filter(event, "", "involvedObject.name=web")({"metadata": {}, "involvedObject": {"name": "web"}})
    with pytest.raises(Refused, match=r"field label not supported: involvedObject.name"):
        query_filter(POD, "", "involvedObject.name=web")


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        ({"matchLabels": {"app": "web"}}, "app=web"),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["b", "a"]}]}, "app in (a,b)"),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["a"]}]}, "app notin (a)"),
        (
            {"matchExpressions": [{"key": "a", "operator": "Exists"}, {"key": "b", "operator": "DoesNotExist"}]},
            "a,!b",
        ),
    ],
)
def test_a_selector_object_can_be_written_as_a_query(selector, text):
    assert selector_text(selector) == text


def test_an_empty_selector_object_selects_all_and_a_missing_one_nothing():
    assert selects({}, {"app": "web"})
    assert not selects(None, {"app": "web"})
