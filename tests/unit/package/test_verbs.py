from wpk_sandbox.package.actions import KUBERNETES_ACTIONS, Target
from wpk_sandbox.package.kinds import resource_kind
from wpk_sandbox.package.verbs import CONDITION_KINDS, VERBS


def test_the_verbs_are_those_of_the_format() -> None:
    assert set(VERBS) == set(KUBERNETES_ACTIONS)


def test_the_options_of_each_verb_are_those_of_the_format() -> None:
    for name, model in KUBERNETES_ACTIONS.items():
        written = set(model.model_fields) - set(Target.model_fields) - {"action"}
        free = model.model_config.get("extra") == "allow"
        assert written <= set(VERBS[name].options) if free else written == set(VERBS[name].options), name


def test_every_kind_of_the_table_is_one_that_kubernetes_has() -> None:
    kinds = [kind for verb in VERBS.values() for kind in verb.kinds] + [
        k for ks in CONDITION_KINDS.values() for k in ks
    ]
    assert kinds
    assert not [kind for kind in kinds if (known := resource_kind(kind)) is None or known.kind != kind]
