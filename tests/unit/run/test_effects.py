"""Effects are field by field, lists match by name, and values of Secrets stay hidden."""

from copy import deepcopy
from typing import Any

from running import HOME, container, deployment, manifest

from wpk_sandbox.run.effects import effects, residue
from wpk_sandbox.run.result import Change
from wpk_sandbox.run.state import ObjectKey, State, key_of, written


def state(*items: dict[str, Any]) -> State:
    return State({key_of(item): written(item) for item in items})


def shown(before: State, after: State) -> list[str]:
    return [str(effect) for effect in effects(before, after)]


def changed(item: dict[str, Any], *path: Any, to: Any) -> dict[str, Any]:
    copy = deepcopy(item)
    inner = copy
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = to
    return copy


def test_equal_states_have_no_effects() -> None:
    assert shown(state(deployment()), state(deepcopy(deployment()))) == []


def test_a_changed_field_is_named_by_its_path() -> None:
    before = deployment()
    after = changed(before, "spec", "replicas", to=3)
    assert shown(state(before), state(after)) == ["Deployment/web spec.replicas 2 → 3"]


def test_an_object_that_came_and_one_that_went() -> None:
    came, went = manifest("ConfigMap", "new"), manifest("ConfigMap", "old")
    assert shown(state(went), state(came)) == ["ConfigMap/new added", "ConfigMap/old removed"]


def test_containers_are_matched_by_name_whatever_their_order() -> None:
    before = deployment(containers=[container(), {"name": "proxy", "image": "proxy:1"}])
    after = deployment(containers=[{"name": "proxy", "image": "proxy:2"}, container()])
    assert shown(state(before), state(after)) == [
        'Deployment/web spec.template.spec.containers[proxy].image "proxy:1" → "proxy:2"'
    ]


def test_a_list_without_names_is_one_value() -> None:
    before = deployment(containers=[container(args=["a"])])
    after = deployment(containers=[container(args=["a", "b"])])
    assert shown(state(before), state(after)) == [
        'Deployment/web spec.template.spec.containers[main].args ["a"] → ["a","b"]'
    ]


def test_a_key_with_dots_stands_in_brackets() -> None:
    before = manifest("ConfigMap", "app")
    after = changed(before, "metadata", "annotations", to={"example.com/why": "load"})
    assert shown(state(before), state(after)) == [
        'ConfigMap/app metadata.annotations[example.com/why] added "load"'
    ]


def test_a_field_that_went_shows_what_it_was() -> None:
    before = manifest("ConfigMap", "app", data={"a": "1", "b": "2"})
    after = manifest("ConfigMap", "app", data={"a": "1"})
    assert shown(state(before), state(after)) == ['ConfigMap/app data.b removed "2"']


def test_values_of_a_secret_are_hidden_but_their_change_shows() -> None:
    before = manifest("Secret", "db", data={"password": "b2xk", "gone": "eA=="}, type="Opaque")
    after = manifest("Secret", "db", data={"password": "bmV3", "fresh": "eQ=="}, type="Opaque")
    text = "\n".join(shown(state(before), state(after)))
    assert "Secret/db data.password (hidden) → (hidden, changed)" in text
    assert "Secret/db data.fresh added" in text
    assert "Secret/db data.gone removed (hidden)" in text
    assert not any(value in text for value in ("b2xk", "bmV3", "eA==", "eQ=="))


def test_the_same_values_in_a_config_map_are_shown() -> None:
    before, after = (manifest("ConfigMap", "db", data={"password": value}) for value in ("b2xk", "bmV3"))
    assert shown(state(before), state(after)) == ['ConfigMap/db data.password "b2xk" → "bmV3"']


def test_a_long_value_is_shown_where_it_differs() -> None:
    before, after = (manifest("ConfigMap", "app", data={"file": "x" * 5000 + end}) for end in ("old", "new"))
    (effect,) = effects(state(before), state(after))
    assert "old" in effect.before
    assert "new" in effect.after
    assert len(effect.before) < 300


def test_the_cluster_s_bookkeeping_is_no_effect() -> None:
    before = deployment()
    after = deepcopy(before)
    after["metadata"] |= {"resourceVersion": "9", "uid": "u", "generation": 4, "managedFields": [], "selfLink": "/"}
    after["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "7"}
    after["status"] = {"replicas": 2}
    assert shown(state(before), state(after)) == []


def test_an_address_that_the_cluster_gave_is_no_effect_but_a_headless_service_is_headless() -> None:
    given, other, headless = (
        manifest("Service", "web", spec={"clusterIP": ip}) for ip in ("10.0.0.1", "10.0.0.9", "None")
    )
    assert shown(state(given), state(other)) == []
    assert shown(state(given), state(headless)) == ['Service/web spec.clusterIP added "None"']


def test_a_null_is_a_value() -> None:
    before = manifest("ConfigMap", "app", extra={"a": None})
    after = manifest("ConfigMap", "app", extra={})
    assert shown(state(before), state(after)) == ["ConfigMap/app extra.a removed null"]


def test_restarts_are_no_residue_but_everything_else_is() -> None:
    before = deployment()
    after = changed(before, "spec", "replicas", to=3)
    stamp = {"kubectl.kubernetes.io/restartedAt": "now", "example.com/why": "load"}
    after["spec"]["template"]["metadata"]["annotations"] = stamp
    assert [effect.path for effect in residue(state(before), state(after))] == [
        "spec.replicas",
        "spec.template.metadata.annotations[example.com/why]",
    ]


def test_an_object_that_is_meant_to_stay_is_no_residue_unless_it_is_another() -> None:
    backup, other = manifest("Secret", "backup"), manifest("Secret", "other")
    left = residue(state(), state(backup, other), intended={ObjectKey("Secret", HOME, "backup")})
    assert [(effect.object, effect.change) for effect in left] == [("Secret/other", Change.ADDED)]
