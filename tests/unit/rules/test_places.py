"""A finding points at the very characters, whichever way YAML writes the command."""

import pytest
from checking import HEAD, load

from wpk_sandbox.finding import Finding
from wpk_sandbox.rules.check import check
from wpk_sandbox.rules.place import Places
from wpk_sandbox.rules.policy import Policy

RULE = "shell-destroy-system"


def only(command: str, rule: str = RULE) -> Finding:
    """The only finding of a rule in a package whose command is written as given, behind `command: `."""
    text = (
        HEAD
        + f"  handlers:\n    - name: a\n      timeout: 1m\n      type: shell\n      config:\n        {command}\n"
    )
    (found,) = [each for each in check(load(text), Policy()) if each.rule == rule]
    return found


def pointed(found: Finding) -> str:
    place = found.location
    assert place.end_line == place.line
    return found.excerpt[place.column - 1 : place.end_column - 1]


STYLES = {
    "plain": "command: true && rm -rf / && true",
    "single quotes": "command: 'true && rm -rf / && true'",
    "single quotes with quotes": "command: 'echo ''it''''s'' && rm -rf /'",
    "double quotes": 'command: "true && rm -rf / && true"',
    "double quotes with escapes": 'command: "echo \\"a\\tb\\" \\u00e9\\x41 && rm -rf / && true"',
    "escaped line ends": 'command: "true\\nrm -rf /\\ntrue"',
    "block": "command: |\n          true\n          rm -rf /\n          true",
    "block with blank lines": "command: |\n\n          true\n\n          rm -rf /\n\n\n          true",
    "block with deeper lines": "command: |\n          if true; then\n              rm -rf /\n          fi",
    "block with its indentation": "command: |2\n            rm -rf /",
    "stripped block": "command: |-\n          true\n          rm -rf /",
    "kept block": "command: |+\n          true\n          rm -rf /\n\n\n",
    "folded": "command: >\n          true;\n          rm -rf / &&\n          true",
    "folded with paragraphs": "command: >-\n          true;\n\n          rm -rf /;\n            true",
    "plain on several lines": "command: true &&\n          rm -rf / &&\n          true",
    "double quotes on several lines": 'command: "true &&\n          rm -rf / &&\n\n          true"',
    "double quotes with joined lines": 'command: "true && \\\n          rm -rf / && \\\n          true"',
    "single quotes on several lines": "command: 'true &&\n          rm -rf / &&\n          true'",
    "anchor": "command: &this true && rm -rf /",
    "tag": "command: !!str true && rm -rf /",
    "anchored block": "command: &this |\n          true\n          rm -rf /",
    "other letters": 'command: "echo äöü🙂 && rm -rf / && true"',
    "key in quotes": '"command" : "rm -rf /"',
    "flow": "{command: 'x; rm -rf /'}",
    "comment behind": "command: rm -rf / # not here",
    "interpreter": "command: sh -c 'rm -rf /'",
    "nested interpreters": "command: sh -c \"sh -c 'rm -rf /'\"",
    "interpreter in a block": "command: |\n          bash <<EOF\n          true\n          rm -rf /\n          EOF",
    "carriage returns": "command: |\r\n          true\r\n          rm -rf /\r\n",
}


@pytest.mark.parametrize("command", STYLES.values(), ids=STYLES)
def test_the_place_is_exact_in_every_style(command: str) -> None:
    assert pointed(only(command)) == "rm -rf /"


def test_line_and_column_count_from_one() -> None:
    place = only("command: |\n          true\n          rm -rf /").location
    assert (place.line, place.column, place.end_line, place.end_column) == (19, 11, 19, 19)


def test_a_command_on_two_lines_has_both_ends() -> None:
    place = only("command: |\n          rm -rf \\\n            / || true").location
    assert (place.line, place.column, place.end_line, place.end_column) == (18, 11, 19, 14)


def test_a_reference_is_found_where_it_stands() -> None:
    text = HEAD + (
        "  handlers:\n"
        "    - {name: a, timeout: 1m, type: shell, config: {command: &danger rm -rf /}}\n"
        "    - {name: b, timeout: 1m, type: shell, config: {command: *danger}}\n"
    )
    found = [each for each in check(load(text), Policy()) if each.rule == RULE]
    assert [each.location.line for each in found] == [13, 14]
    assert pointed(found[1]) == "*danger"


def test_the_argument_of_a_container_is_found_in_its_list() -> None:
    text = HEAD + (
        "  handlers:\n"
        "    - name: a\n"
        "      timeout: 1m\n"
        "      steps:\n"
        "        - name: run\n"
        "          container:\n"
        "            image: busybox:1.36\n"
        "            command: [sh, -c]\n"
        "            args:\n"
        "              - |\n"
        "                true\n"
        "                rm -rf /\n"
        "            resources: {limits: {cpu: 100m, memory: 64Mi}}\n"
    )
    (found,) = check(load(text), Policy())
    assert (found.rule, found.location.line, pointed(found)) == (RULE, 23, "rm -rf /")


@pytest.mark.parametrize("command", [style for style in STYLES.values() if not style.startswith(("{", '"'))])
def test_every_character_of_a_command_has_its_own_place(command: str) -> None:
    text = (
        HEAD
        + f"  handlers:\n    - name: a\n      timeout: 1m\n      type: shell\n      config:\n        {command}\n"
    )
    document = load(text).document
    value = document.data["spec"]["handlers"][0]["config"]["command"]
    places = Places(document)
    spans = [places.locate("/spec/handlers/0/config/command", value, (at, at + 1)) for at in range(len(value))]
    starts = [(span.line, span.column) for at, span in enumerate(spans) if not value[at].isspace()]
    assert starts == sorted(set(starts))


def test_findings_come_worst_first() -> None:
    text = HEAD + (
        "  handlers:\n"
        "    - {name: a, type: shell, config: {command: 'curl https://example.com'}}\n"
        "    - {name: b, timeout: 1m, type: shell, config: {command: 'rm -rf /'}}\n"
    )
    assert [each.rule for each in check(load(text), Policy())] == [RULE, "external-call", "timeout-missing"]


def test_a_package_without_a_problem_has_no_findings() -> None:
    text = HEAD + "  handlers:\n    - {name: a, timeout: 1m, type: shell, config: {command: 'df /'}}\n"
    assert check(load(text), Policy()) == ()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\u2028"])
def test_a_range_that_ends_with_a_line_end_ends_with_its_line(end: str) -> None:
    handler = (
        "  handlers:\n    - name: a\n      timeout: 1m\n      type: shell\n      config:\n        command: |\n"
    )
    document = load((HEAD + handler + "          true\n          date\n").replace("\n", end)).document
    value = document.data["spec"]["handlers"][0]["config"]["command"]
    place = Places(document).locate("/spec/handlers/0/config/command", value, (0, value.index("date")))
    assert (place.column, place.end_column) == (11, 15)
