"""The three patches and the merge of server-side apply, without a cluster."""

import pytest

from wpk_sandbox.sandbox.clusters.simulated.apply import apply_merge
from wpk_sandbox.sandbox.clusters.simulated.patch import PatchError, json_patch, merge_patch
from wpk_sandbox.sandbox.clusters.simulated.strategic import strategic_merge


def pod(*containers, **spec):
    return {"spec": {"containers": list(containers), **spec}}


# RFC 7386, appendix A
@pytest.mark.parametrize(
    ("current", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_follows_the_examples_of_its_standard(current, patch, result):
    assert merge_patch(current, patch) == result


@pytest.mark.parametrize(
    ("current", "operation", "result"),
    [
        ({"a": 1}, {"op": "add", "path": "/b", "value": 2}, {"a": 1, "b": 2}),
        ({"a": [1, 3]}, {"op": "add", "path": "/a/1", "value": 2}, {"a": [1, 2, 3]}),
        ({"a": [1]}, {"op": "add", "path": "/a/-", "value": 2}, {"a": [1, 2]}),
        ({"a": 1, "b": 2}, {"op": "remove", "path": "/a"}, {"b": 2}),
        ({"a": [1, 2]}, {"op": "remove", "path": "/a/0"}, {"a": [2]}),
        ({"a": {"b": 1}}, {"op": "replace", "path": "/a/b", "value": 2}, {"a": {"b": 2}}),
        ({"a": [1, 2]}, {"op": "replace", "path": "/a/1", "value": 3}, {"a": [1, 3]}),
        ({"a": 1}, {"op": "move", "from": "/a", "path": "/b"}, {"b": 1}),
        ({"a": [1]}, {"op": "copy", "from": "/a", "path": "/b"}, {"a": [1], "b": [1]}),
        ({"a/b": 1, "c~d": 2}, {"op": "remove", "path": "/a~1b"}, {"c~d": 2}),
        ({"a": 1}, {"op": "test", "path": "/a", "value": 1}, {"a": 1}),
    ],
)
def test_a_json_patch_operation_does_what_it_says(current, operation, result):
    assert json_patch(current, [operation]) == result


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ({"op": "remove", "path": "/none"}, "does not exist"),
        ({"op": "replace", "path": "/list/7", "value": 1}, "does not exist"),
        ({"op": "add", "path": "/none/deep", "value": 1}, "does not exist"),
        ({"op": "add", "path": "/text/deep", "value": 1}, "no place"),
        ({"op": "add", "path": "/text"}, "has no value"),
        ({"op": "test", "path": "/text", "value": "other"}, "testing value"),
        ({"op": "jump", "path": "/text"}, "jump"),
        ({"op": "add", "path": "text", "value": 1}, "begins with a slash"),
        ({"path": "/text"}, "`op` and `path`"),
    ],
)
def test_a_json_patch_that_does_not_fit_says_why(operation, words):
    with pytest.raises(PatchError, match=words):
        json_patch({"list": [1], "text": "x"}, [operation])


def test_a_json_patch_leaves_its_input_alone():
    current = {"a": {"b": 1}}
    json_patch(current, [{"op": "replace", "path": "/a/b", "value": 2}])
    assert current == {"a": {"b": 1}}


@pytest.mark.parametrize("patch", [{"op": "add"}, "text", None])
def test_a_json_patch_is_a_list(patch):
    with pytest.raises(PatchError, match="list of operations"):
        json_patch({}, patch)


def test_containers_are_merged_by_name():
    current = pod({"name": "a", "image": "a:1", "command": ["x"]}, {"name": "b", "image": "b:1"})
    assert strategic_merge(current, pod({"name": "a", "image": "a:2"})) == pod(
        {"name": "a", "image": "a:2", "command": ["x"]}, {"name": "b", "image": "b:1"}
    )


@pytest.mark.parametrize(
    ("field", "key", "other"),
    [
        ("env", "name", "value"),
        ("volumeMounts", "mountPath", "name"),
        ("ports", "containerPort", "name"),
    ],
)
def test_the_lists_of_a_container_have_keys(field, key, other):
    current = pod({"name": "a", field: [{key: 1, other: "x"}, {key: 2, other: "y"}]})
    patch = pod({"name": "a", field: [{key: 2, other: "z"}, {key: 3, other: "n"}]})
    merged = strategic_merge(current, patch)["spec"]["containers"][0][field]
    assert merged == [{key: 1, other: "x"}, {key: 2, other: "z"}, {key: 3, other: "n"}]


def test_service_ports_have_the_port_as_key_and_those_of_a_policy_none():
    current = {"spec": {"ports": [{"port": 80, "name": "http"}], "ingress": [{"ports": [{"port": 1}]}]}}
    patch = {"spec": {"ports": [{"port": 443, "name": "https"}], "ingress": [{"ports": [{"port": 2}]}]}}
    merged = strategic_merge(current, patch)["spec"]
    assert [port["port"] for port in merged["ports"]] == [80, 443]
    assert merged["ingress"] == [{"ports": [{"port": 2}]}]


def test_a_list_without_a_key_is_replaced():
    current = pod({"name": "a", "command": ["x", "y"]}, tolerations=[{"key": "a"}])
    merged = strategic_merge(current, pod({"name": "a", "command": ["z"]}, tolerations=[{"key": "b"}]))
    assert merged == pod({"name": "a", "command": ["z"]}, tolerations=[{"key": "b"}])


def test_patch_delete_takes_an_item_out():
    current = pod({"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"})
    assert strategic_merge(current, pod({"$patch": "delete", "name": "b"})) == pod({"name": "a", "image": "a:1"})


def test_patch_replace_puts_a_whole_list_or_object_in_place():
    current = pod({"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}, nodeSelector={"x": "1"})
    merged = strategic_merge(current, pod({"$patch": "replace"}, {"name": "c", "image": "c:1"}))
    assert merged["spec"]["containers"] == [{"name": "c", "image": "c:1"}]
    merged = strategic_merge(current, {"spec": {"nodeSelector": {"$patch": "replace", "y": "2"}}})
    assert merged["spec"]["nodeSelector"] == {"y": "2"}


def test_patch_delete_takes_an_object_out():
    current = pod({"name": "a"}, nodeSelector={"x": "1"})
    assert strategic_merge(current, {"spec": {"nodeSelector": {"$patch": "delete"}}}) == pod({"name": "a"})


def test_retain_keys_drops_all_others():
    current = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert strategic_merge(current, patch) == {"spec": {"strategy": {"type": "Recreate"}}}


def test_finalizers_are_a_set():
    current = {"metadata": {"finalizers": ["a", "b"]}}
    assert strategic_merge(current, {"metadata": {"finalizers": ["b", "c"]}})["metadata"]["finalizers"] == [
        "a",
        "b",
        "c",
    ]
    patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}
    assert strategic_merge(current, patch) == {"metadata": {"finalizers": ["b"]}}


def test_set_element_order_orders():
    current = pod({"name": "a"}, {"name": "b"})
    patch = {"spec": {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}}
    assert strategic_merge(current, patch) == pod({"name": "b"}, {"name": "a"})


def test_no_directive_is_left_in_what_is_new():
    patch = pod({"name": "a", "env": [{"name": "X", "$patch": "delete"}], "resources": {"limits": None}})
    assert strategic_merge({}, patch) == pod({"name": "a", "env": [], "resources": {}})


def test_apply_removes_what_it_no_longer_says_and_keeps_what_others_said():
    last = {"data": {"mine": "1", "gone": "2"}}
    current = {"data": {"mine": "1", "gone": "2", "theirs": "3"}}
    assert apply_merge(current, last, {"data": {"mine": "4"}}, keyed=True) == {"data": {"mine": "4", "theirs": "3"}}


def test_apply_treats_keyed_lists_item_by_item():
    last = pod({"name": "a", "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "1"}]}, {"name": "b"})
    current = pod(
        {"name": "a", "image": "filled", "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "1"}]},
        {"name": "b"},
        {"name": "injected"},
    )
    wanted = pod({"name": "a", "env": [{"name": "X", "value": "2"}]}, {"name": "new"})
    assert apply_merge(current, last, wanted, keyed=True) == pod(
        {"name": "a", "image": "filled", "env": [{"name": "X", "value": "2"}]},
        {"name": "injected"},
        {"name": "new"},
    )


def test_apply_takes_back_only_its_own_part_of_what_others_applied_too():
    mine, theirs = {"data": {"a": "1", "both": "1"}}, {"data": {"b": "1", "both": "1"}}
    current = {"data": {"a": "1", "b": "1", "both": "1"}}
    assert apply_merge(current, mine, {}, others=[theirs]) == {"data": {"b": "1", "both": "1"}}
    assert apply_merge(current, mine, {}) == {"data": {"b": "1"}}
    assert apply_merge({"data": {"a": "1"}}, {"data": {"a": "1"}}, {}) == {}


def test_apply_leaves_list_items_that_others_applied_too():
    mine, theirs = pod({"name": "a"}, {"name": "b"}), pod({"name": "b"})
    assert apply_merge(pod({"name": "a"}, {"name": "b"}), mine, pod(), others=[theirs]) == pod({"name": "b"})
    sets = {"metadata": {"finalizers": ["x", "y"]}}
    assert apply_merge(sets, sets, {}, others=[{"metadata": {"finalizers": ["y"]}}]) == {
        "metadata": {"finalizers": ["y"]}
    }


def test_apply_replaces_the_lists_of_custom_kinds():
    current, wanted = pod({"name": "a"}, {"name": "b"}), pod({"name": "c"})
    assert apply_merge(current, {}, wanted, keyed=False) == wanted
