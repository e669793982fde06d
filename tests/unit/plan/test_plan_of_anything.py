"""Whatever stands in a package, a case or an event, a plan comes out: what cannot be done is a skipped step."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from planning import package

from wpk_sandbox.package.attached import with_files
from wpk_sandbox.package.package import (
    Case,
    ContainerAction,
    KubernetesAction,
    ManifestAction,
    Reference,
    ShellAction,
)
from wpk_sandbox.package.verbs import VERBS
from wpk_sandbox.plan.plan import Fidelity
from wpk_sandbox.plan.planner import PlanOptions, needs, plan

WORDS = st.sampled_from(
    [
        *("v1", "apps/v1", "Deployment", "Pod", "Secret"),
        "web",
        "original",
        "deployment",
        "${NAME}",
        "${N}",
        "a/b/c",
        "",
        "x.yaml",
        "app=web",
        "3",
        "data.a",
        "ünï",
        "\0",
    ]
)
KEYS = st.sampled_from(
    [
        "metadata",
        "spec",
        "template",
        "containers",
        "env",
        "envFrom",
        "valueFrom",
        "secretKeyRef",
        "name",
        "data",
        "kind",
        "labels",
        "selector",
        "matchLabels",
        "volumes",
        "secret",
        "items",
        "apiVersion",
        "command",
        "args",
        "image",
        "manifest",
        "source",
        "destination",
        "field",
        "condition",
        "timeout",
        "replicas",
        "namespace",
        "previous",
    ]
)
LEAVES = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | WORDS
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
MAPPINGS = st.dictionaries(KEYS, ANYTHING, max_size=5)
NAMES = st.none() | WORDS
REFERENCES = st.builds(Reference, NAMES, NAMES, NAMES, NAMES)
KUBERNETES = st.builds(KubernetesAction, st.sampled_from([*VERBS, "explode"]), REFERENCES, MAPPINGS)
SHELL = st.builds(
    ShellAction,
    st.lists(st.sampled_from(["kubectl", "get", "-n", "'", "pod/", "|", "$(", "${A", "${A:-b}", "A="])).map(
        " ".join
    ),
)
CONTAINERS = st.builds(ContainerAction, WORDS, st.lists(WORDS).map(tuple), raw=MAPPINGS)
ACTIONS = st.one_of(KUBERNETES, SHELL, CONTAINERS, st.builds(ManifestAction, MAPPINGS))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(ACTIONS, min_size=1, max_size=4),
    st.lists(ACTIONS, max_size=2),
    MAPPINGS,
    st.lists(MAPPINGS, max_size=2),
)
def test_a_plan_comes_out_whatever_goes_in(
    run: list[Any], undo: list[Any], event: dict[str, Any], objects: list[Any]
) -> None:
    one = package(*run, rollback=tuple(undo))
    made = plan(one, Case(event=event, objects=tuple(objects)), PlanOptions("kind"))
    assert (len(made.steps), len(made.rollback)) == (len(run), len(undo))
    assert all(step.reason for step in (*made.steps, *made.rollback))
    assert all(step.target is None for step in made.steps if step.fidelity is Fidelity.SKIPPED)
    assert made.namespaces[0] == "atom-sandbox"
    assert all(isinstance(path, str) for path in with_files(one, lambda _: None)[0].files)
    assert needs(one) <= {"shell", "cluster", "kubectl"}
