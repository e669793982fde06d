"""Comments of a package: found wherever YAML allows one, and never inside of a value."""

import re

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from wpk_sandbox.package.load import load_bytes
from wpk_sandbox.package.package import Document
from wpk_sandbox.package.problems import fatal
from wpk_sandbox.package.source import parse
from wpk_sandbox.rules.comments import comments, lines_of

TEXT = """\
# above the package
# and still above
apiVersion: v1  # after a value
kind: WorkflowPackage
metadata: {name: "a # b", version: 'it''s # c'}  # after a mapping
spec:
  # alone
  # two lines

  runtime: {type: shell}
  handlers:
    - name: plain # after a plain value
      type: shell
      config:
        command: |  # after the style
          # in the script
          echo 1  # in the script too
    - name: a#b
      type: shell
      config:
        command: >-
          folded # text
          on
    # before a step
    - name: double
      type: shell
      config: {command: "one
        # two
        three"}  # after the quotes
    - name: plain of
        several words
      type: shell
      config: {command: [a,  # in a list
         b]}
# after everything
"""


def document(text: str) -> Document:
    (package,) = load_bytes(text.encode(), "p.wpk.yaml").packages
    return package.document


def test_each_comment_is_found_and_no_value() -> None:
    assert [each.text for each in comments(document(TEXT))] == [
        "# above the package",
        "# and still above",
        "# after a value",
        "# after a mapping",
        "# alone",
        "# two lines",
        "# after a plain value",
        "# after the style",
        "# before a step",
        "# after the quotes",
        "# in a list",
    ]


def test_a_comment_of_its_own_is_about_the_next_line_that_is_none() -> None:
    about = {each.text: each.about for each in comments(document(TEXT))}
    lines = TEXT.split("\n")
    assert lines[about["# and still above"] - 1].startswith("apiVersion")
    assert about["# above the package"] == about["# and still above"]
    assert lines[about["# before a step"] - 1].strip() == "- name: double"
    assert lines[about["# after the style"] - 1].strip().startswith("command: |")


@pytest.mark.parametrize("ends", ["\r\n", "\n"])
def test_a_place_marks_the_comment_whatever_ends_the_lines(ends: str) -> None:
    text = TEXT.replace("\n", ends)
    for each in comments(document(text)):
        line = text.split(ends)[each.location.line - 1]
        assert line[each.location.column - 1 : each.location.end_column - 1] == each.text


def test_comments_of_a_file_belong_to_the_document_that_they_stand_in() -> None:
    one = "apiVersion: v1  # {0}\nkind: WorkflowPackage\nmetadata: {{name: {0}, version: 1.0.0}}\nspec: {{handlers: [{1}]}}\n"
    handler = "{name: a, type: shell, config: {command: ls}}"
    text = "---\n".join(one.format(name, handler) for name in ("first", "second"))
    packages = load_bytes(text.encode(), "p.wpk.yaml").packages
    assert [[each.text for each in comments(package.document)] for package in packages] == [
        ["# first"],
        ["# second"],
    ]


@pytest.mark.parametrize("anchor", ["&here ", "!!str ", ""])
def test_a_comment_after_the_style_is_found_behind_an_anchor_or_a_tag(anchor: str) -> None:
    text = TEXT.replace("command: |  #", f"command: {anchor}|  #")
    assert "# after the style" in [each.text for each in comments(document(text))]


FRAGMENTS = st.lists(
    st.sampled_from(
        [
            "a",
            "#",
            " ",
            "  ",
            "\n",
            "\n  ",
            "\n- ",
            ": ",
            "'",
            '"',
            "|",
            ">-",
            "[",
            "]",
            "{",
            "}",
            ", ",
            "&x ",
            "*x",
            "!!str ",
            "k: ",
            "\nk",
            "\t",
            "# c",
            " # wpk-sandbox: allow",
            "\\",
            "\r\n",
            "?",
            "%",
            "---\n",
            "\u2028",
            "\ufeff",
        ]
    ),
    max_size=40,
).map("".join)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(FRAGMENTS)
def test_whatever_is_taken_for_a_comment_changes_no_data_when_it_says_something_else(text: str) -> None:
    source = parse(text.encode("utf-8", "replace"), "p.yaml")
    assume(not any(fatal(finding.severity) for finding in source.findings))
    for document in source.documents:
        for comment in comments(document):
            line = lines_of(document)[comment.location.line - 1]
            assert line[comment.location.column - 1 :] == comment.text
            parts = re.split("(\r\n|[\n\r\x85\u2028\u2029])", document.text)
            parts[2 * comment.location.line - 2] = line[: comment.location.column] + " something else"
            # A mark before everything, since one that is text would be taken for it.
            changed = "".join(["\ufeff", *parts])
            other = parse(changed.encode("utf-8", "replace"), "p.yaml").documents
            assert document.data in [each.data for each in other]
