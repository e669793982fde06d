"""Whatever the bytes are, the loader answers, and each of its findings points into the file."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from package.text_of import PACKAGE
from wpk_sandbox.finding import Severity
from wpk_sandbox.package.load import Loaded, load_bytes
from wpk_sandbox.package.package import Document

PIECES = st.sampled_from(
    [
        "apiVersion: v1\n", "kind: WorkflowPackage\n", "metadata:\n", "  name: a\n", "spec:\n", "  handlers:\n", "    - ",
        "name: b\n", "      ", "type: k8s\n", "config: {action: ", "scale, replicas: ", "steps: [", "]", "}", "{", "[",
        "&a ", "*a ", "<<: ", "!!int ", "!x ", "? ", ": ", "- ", "---\n", "...\n", "'", '"', "\\e", "\\ud800", "| \n", ">-\n",
        "\t", "\r", "\n", "\u2028", "\u202e", "é", "😀", "\0", "1e999", "9" * 30, "no", "#", "%YAML 1.1\n", "~", "/", "timeout: ",
    ]
)  # fmt: skip
YAMLISH = st.lists(PIECES, max_size=40).map("".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
POINTERS = [
    "apiVersion", "metadata", "metadata/name", "metadata/tags", "spec", "spec/handlers", "spec/handlers/0",
    "spec/handlers/0/config", "spec/handlers/0/config/action", "spec/handlers/0/type", "spec/handlers/0/timeout",
    "spec/handlers/1/retry", "spec/handlers/1/config/selector", "spec/handlers/3/steps", "spec/handlers/3/steps/0",
    "spec/handlers/3/steps/1/container", "spec/handlers/3/steps/2/kubernetes", "spec/handlers/3/steps/3/manual",
    "spec/runtime", "spec/runtime/requirements", "spec/safety", "spec/triggers", "spec/triggers/0", "spec/rollback",
    "spec/rollback/handlers", "spec/validation", "spec/monitoring", "spec/handlers/2/config/headers",
]  # fmt: skip


def holds(data: bytes) -> Loaded:
    loaded = load_bytes(data, "x")
    text = data.decode("utf-8", "replace")
    lines = text.count("\n") + text.count("\r") + sum(map(text.count, "\x85\u2028\u2029")) + 1
    for finding in loaded.findings:
        place = finding.location
        assert place.path == "x"
        assert 1 <= place.line <= lines + 1
        assert place.column >= 1
        assert (place.end_line, place.end_column) >= (place.line, place.column) or place.end_line == 0
    assert loaded.packages or any(f.severity is Severity.HIGH for f in loaded.findings)
    return loaded


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    holds(data)


@given(YAMLISH)
@settings(max_examples=300, deadline=None)
def test_anything_like_yaml(text: str) -> None:
    holds(text.encode())


@given(st.sampled_from(POINTERS), VALUES)
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_value_at_any_place_of_a_package(pointer: str, value: object) -> None:
    data = node = _base()
    *parents, last = pointer.split("/")
    for part in parents:
        node = node[int(part) if isinstance(node, list) else part]
    node[int(last) if isinstance(node, list) else last] = value
    holds(json.dumps(data).encode())


WORDS = st.text(alphabet=st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=8)
TREES = st.recursive(
    st.integers(-9, 9) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(WORDS, TREES, max_size=5))
@settings(max_examples=200, deadline=None)
def test_every_value_and_every_key_has_a_place(tree: dict[str, object]) -> None:
    data = _base()
    data["spec"]["validation"]["resource_limits"] = tree
    package = holds(json.dumps(data, ensure_ascii=False).encode()).packages[0]
    assert package.resource_limits == tree
    _every_place(package.document, package.document.data, "")


def _every_place(document: Document, data: object, pointer: str) -> None:
    assert pointer in document.places
    entries = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in entries:
        inner = f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
        assert isinstance(data, list) or inner in document.keys
        _every_place(document, value, inner)


def _base() -> Any:
    return load_bytes(PACKAGE.encode(), "x").packages[0].document.data
