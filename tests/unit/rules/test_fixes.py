"""Mechanical corrections: small edits that change what they say and nothing else."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from wpk_sandbox.finding import Finding, Severity
from wpk_sandbox.package.load import load_bytes
from wpk_sandbox.package.package import Package
from wpk_sandbox.rules.catalogue import rule
from wpk_sandbox.rules.corrections import Fix
from wpk_sandbox.rules.edit import apply
from wpk_sandbox.rules.fixes import FIXABLE, fixes

HEAD = """\
apiVersion: v1
kind: WorkflowPackage
metadata: {name: sample, version: 1.0.0}
spec:
  runtime: {type: k8s}
  handlers:
"""
ASKED = "    - name: look\n      type: shell\n      timeout: 9s\n      config: {command: %s}\n"


def without_timeout(package: Package) -> list[Finding]:
    """What the rule says of the handlers that have no timeout."""
    handlers = (*package.handlers, *package.rollback.handlers)
    return [
        Finding("timeout-missing", Severity.INFO, "", package.document.locate(f"{handler.pointer}/name"))
        for handler in handlers
        if handler.timeout is None
    ]


def fixes_of(text: str, timeout: float = 300) -> tuple[Fix, ...]:
    loaded = load_bytes(text.encode(), "sample.wpk.yaml")
    found = [*loaded.findings, *(each for package in loaded.packages for each in without_timeout(package))]
    return fixes(text, loaded.packages, found, timeout=timeout)


def fixed(text: str, timeout: float = 300) -> str:
    return apply(text, (edit for fix in fixes_of(text, timeout) for edit in fix.edits))


def data(text: str) -> Any:
    return yaml.safe_load(text.removeprefix("\ufeff"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("timeout: 30", "timeout: 30s"),
        ("timeout: 30   # half a minute", "timeout: 30s   # half a minute"),
        ("timeout: '30'", "timeout: '30s'"),
        ('timeout: "1.5"', 'timeout: "1.5s"'),
        ("timeout: 9s\n      retry: {max_attempts: 2, backoff: 10}", None),
    ],
)
def test_a_number_of_seconds_gets_its_unit(before: str, after: str | None) -> None:
    text = HEAD + (ASKED % "'true'").replace("timeout: 9s", before)
    after = after or before.replace("backoff: 10", "backoff: 10s")
    assert fixed(text) == text.replace(before, after)


@pytest.mark.parametrize("written", ["30s", "5m", "1h30m", "'45s'"])
def test_a_duration_with_a_unit_is_left(written: str) -> None:
    text = HEAD + (ASKED % "'true'").replace("9s", written)
    assert fixed(text) == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("v1.28+", '"1.28+"'),
        ('"v1.28+"', '"1.28+"'),
        ("'V1.30'", "'1.30'"),
        ('">=1.29"', '"1.29+"'),
        ('">= v1.29.3"', '"1.29.3+"'),
        ("1.30", '"1.30"'),
    ],
)
def test_the_version_gets_the_form_of_the_format(before: str, after: str) -> None:
    text = HEAD.replace("type: k8s", f"type: k8s, version: {before}") + ASKED % "'true'"
    assert fixed(text) == text.replace(before, after)


@pytest.mark.parametrize("written", ['"1.28+"', "1.28+", '"latest"', '"~1.28"', '"1.28 - 1.30"'])
def test_another_version_is_left(written: str) -> None:
    text = HEAD.replace("type: k8s", f"type: k8s, version: {written}") + ASKED % "'true'"
    assert fixed(text) == text


def test_a_missing_timeout_comes_below_the_name_in_its_layout() -> None:
    handler = (
        "    -   name:   look   # at it\n        # why\n        type: shell\n        config: {command: 'true'}\n"
    )
    assert fixed(HEAD + handler) == HEAD + handler.replace("# at it\n", "# at it\n        timeout: 5m\n")


def test_a_missing_timeout_in_a_flow_stays_in_the_flow() -> None:
    handler = "    - {name: look, type: shell, config: {command: 'true'}}  # short\n"
    assert fixed(HEAD + handler) == HEAD + handler.replace("look,", "look, timeout: 5m,")


def test_a_package_that_is_json_stays_json() -> None:
    text = (
        '{"apiVersion": "v1", "kind": "WorkflowPackage", "metadata": {"name": "a"}, "spec": {"handlers": '
        '[{"name": "look", "type": "shell", "config": {"command": "true"}}]}}'
    )
    assert '{"name": "look", "timeout": "5m", "type"' in fixed(text)


def test_a_name_at_the_end_of_the_file_gets_its_timeout_too() -> None:
    handler = "    - type: shell\n      config: {command: 'true'}\n      name: look"
    assert fixed(HEAD + handler) == HEAD + handler + "\n      timeout: 5m"


@pytest.mark.parametrize(("length", "written"), [(300, "5m"), (90, "90s"), (7200, "2h"), (0.5, "0.5s")])
def test_the_timeout_is_the_one_that_the_handler_gets_without_it(length: float, written: str) -> None:
    text = HEAD + "    - name: look\n      type: shell\n      config: {command: 'true'}\n"
    assert data(fixed(text, length))["spec"]["handlers"][0]["timeout"] == written


def test_the_handlers_of_the_rollback_are_fixed_too() -> None:
    text = HEAD + ASKED % "'true'" + "  rollback:\n    enabled: true\n    handlers:\n"
    undo = "      - name: undo\n        type: shell\n        config: {command: 'true'}\n"
    assert fixed(text + undo) == text + undo.replace("undo\n", "undo\n        timeout: 5m\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("'rm -rf /data/$NAME/*'", "'rm -rf /data/\"$NAME\"/*'"),
        ('"rm -rf /data/$NAME/*"', '"rm -rf /data/\\"$NAME\\"/*"'),
        ("rm -rf /data/$NAME", 'rm -rf /data/"$NAME"'),
        ('"\\tcd ${DIR}"', '"\\tcd \\"${DIR}\\""'),
    ],
)
def test_a_variable_is_quoted_as_its_yaml_wants_it(before: str, after: str) -> None:
    assert fixed(HEAD + ASKED % before) == HEAD + ASKED % after


def test_a_variable_in_a_block_is_quoted_where_it_stands() -> None:
    text = HEAD + (ASKED % "X").replace(
        "{command: X}", "\n        command: |-\n          cd $A   # é\n          ls $B/c\n"
    )
    assert fixed(text) == text.replace("cd $A", 'cd "$A"').replace("ls $B", 'ls "$B"')


def test_the_script_of_a_container_is_quoted() -> None:
    text = HEAD + (
        "    - name: many\n      timeout: 9s\n      steps:\n        - name: one\n"
        '          container: {image: "busybox:1.36", command: [sh, -c, "rm /x/$Y", "/x/$Z"]}\n'
    )
    assert fixed(text) == text.replace("/x/$Y", '/x/\\"$Y\\"')


ANCHORED = (
    "    - &one\n      name: one\n      type: shell\n      timeout: 30\n      config: {command: 'true'}\n"
    "    - *one\n"
    "    - {name: two, type: shell, timeout: &t 40, config: {command: 'true'}}\n"
    "    - {name: three, type: shell, timeout: *t, config: {command: 'true'}}\n"
)


def test_what_is_referred_to_elsewhere_is_left() -> None:
    assert fixed(HEAD + ANCHORED) == HEAD + ANCHORED


def test_the_others_are_fixed_all_the_same() -> None:
    rest = "".join(
        f"    - {{name: h{number}, type: shell, timeout: {number}, config: {{command: 'true'}}}}\n"
        for number in range(9)
    )
    after = rest
    for number in range(9):
        after = after.replace(f"timeout: {number},", f"timeout: {number}s,")
    assert fixed(HEAD + rest + ANCHORED + rest) == HEAD + after + ANCHORED + after


def test_a_byte_order_mark_goes_and_the_other_places_stay_true() -> None:
    text = HEAD + ASKED % "'true'"
    assert fixed("\ufeff" + text.replace("9s", "9")) == text


def test_lone_carriage_returns_become_line_feeds() -> None:
    text = HEAD + ASKED % "'true'"
    assert fixed(text.replace("\n", "\r", 3).replace("\n", "\r\n", 1)) == text


def test_with_mixed_line_ends_a_new_line_ends_like_the_corrected_ones() -> None:
    text = HEAD + "    - name: look\n      type: shell\n      config: {command: 'true'}\n"
    mixed = text.replace("\n", "\r", 2).replace("\n", "\r\n")
    assert fixed(mixed) == text.replace("look\n", "look\n      timeout: 5m\n")


def test_windows_line_ends_are_kept_and_used() -> None:
    text = (HEAD + "    - name: look\n      type: shell\n      config: {command: 'true'}\n").replace("\n", "\r\n")
    assert fixed(text) == text.replace("look\r\n", "look\r\n      timeout: 5m\r\n")


def test_a_second_document_is_fixed_at_its_own_place() -> None:
    one = HEAD + ASKED % "'true'"
    text = "kind: Other\n---\n" + one + "---\n" + one.replace("9s", "9")
    assert fixed(text) == "kind: Other\n---\n" + one + "---\n" + one


def test_a_good_package_has_no_fixes() -> None:
    assert fixes_of(HEAD + ASKED % "'true'") == ()


def test_a_file_that_is_no_package_has_none_either() -> None:
    assert fixes_of("kind: [") == ()


def test_each_fix_says_what_it_does_and_where() -> None:
    (fix,) = fixes_of(HEAD + (ASKED % "'true'").replace("9s", "9"))
    assert (fix.name, fix.message, str(fix.location)) == ("duration-unit", "`9` is `9s`", "sample.wpk.yaml:9:16")


@pytest.mark.parametrize("name", sorted(FIXABLE))
def test_the_rules_that_say_so_have_a_fix(name: str) -> None:
    assert rule(name) is not None
    text = "\ufeff" + HEAD.replace("\n", "\r", 1) + "    - {name: a, type: shell, config: {command: 'true'}}\n"
    assert name in {fix.name for fix in fixes_of(text)}


BLANKS = st.sampled_from(["", " ", "  ", "   "])
COMMENTS = st.sampled_from(["", " # why", "   #x: {y}", " # 'a\" $X"])
NAMES = st.sampled_from(["look", "'look'", '"look"', "größer", "日本"])
TIMEOUTS = st.sampled_from(["", "30", "'30'", "30s", '"1.5"'])
COMMANDS = st.sampled_from(
    [
        "'true'",
        "rm /x/$Y",
        "'rm /x/$Y'",
        '"rm /x/$Y \\u00e9/$Z"',
        "|\n              cd $A\n              ls",
        ">-\n              ls $A/b",
    ]
)
ENDS = st.sampled_from(["\n", "\r\n"])


@st.composite
def packages(draw: st.DrawFn) -> str:
    """Packages in many layouts."""
    text = HEAD
    for _ in range(draw(st.integers(1, 3))):
        gap = " " + draw(BLANKS)
        pad = " " * (5 + len(gap))
        lines = [f"    -{gap}name:{gap}{draw(NAMES)}{draw(COMMENTS)}", f"{pad}type: shell{draw(COMMENTS)}"]
        timeout = draw(TIMEOUTS)
        lines += [f"{pad}timeout: {timeout}{draw(COMMENTS)}"] if timeout else []
        lines += [f"{pad}#{draw(COMMENTS)}", f"{pad}config:", f"{pad}  command: {draw(COMMANDS)}"]
        text += "\n".join(lines) + "\n"
    return draw(st.sampled_from(["", "\ufeff"])) + text.replace("\n", draw(ENDS))


@settings(max_examples=150, deadline=None)
@given(packages())
def test_comments_and_layout_are_kept_whatever_they_are(text: str) -> None:
    chosen = fixes_of(text)
    after = apply(text, (edit for fix in chosen for edit in fix.edits))
    # What was there before is still there in its order: only marks were put in, and the byte order mark taken out.
    rest = iter(after)
    assert all(character in rest for character in text.removeprefix("\ufeff"))
    assert [line.partition("#")[2] for line in after.splitlines() if "#" in line] == [
        line.partition("#")[2] for line in text.splitlines() if "#" in line
    ]


@settings(max_examples=150, deadline=None)
@given(packages())
def test_after_the_fixes_there_is_nothing_left_to_fix(text: str) -> None:
    after = fixed(text)
    assert fixes_of(after) == ()
    before_handlers, handlers = data(text)["spec"]["handlers"], data(after)["spec"]["handlers"]
    assert [each["name"] for each in handlers] == [each["name"] for each in before_handlers]
    assert all(str(each["timeout"])[-1] in "sm" for each in handlers)


@settings(max_examples=150, deadline=None)
@given(packages(), st.lists(st.tuples(st.integers(0, 400), st.text(max_size=3)), max_size=4))
def test_a_damaged_package_is_never_made_worse(text: str, damage: list[tuple[int, str]]) -> None:
    for place, inserted in damage:
        text = text[:place] + inserted + text[place + len(inserted) :]
    text = text.encode("utf-8", "replace").decode()
    before, after = load_bytes(text.encode(), "a"), load_bytes(fixed(text).encode(), "a")
    assert [len(each.steps) for each in after.packages] == [len(each.steps) for each in before.packages]
    assert len(after.findings) <= len(before.findings)
