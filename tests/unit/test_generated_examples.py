"""Examples out of golden folders: the lines in which the two packages differ, around the finding."""

import json
from pathlib import Path

import pytest

from wpk_sandbox.generated_examples import examples_json
from wpk_sandbox.rules.examples import Example

HEAD = "# A package.\nkind: WorkflowPackage\nmetadata:\n  name: {}\n  description: {}.\nspec:\n"


def example(folder: Path, hit: str, near_miss: str, line: int) -> Example | None:
    """The example of a rule whose packages have these lines below a head of six."""
    home = folder / "the-rule"
    home.mkdir()
    (home / "hit.wpk.yaml").write_text(HEAD.format("hit", "Hits") + hit)
    (home / "near-miss.wpk.yaml").write_text(HEAD.format("near", "Misses") + near_miss)
    (home / "expected.txt").write_text(f"the-rule/hit.wpk.yaml:{line}:3: high the-rule: words\n  at: x\n")
    known = json.loads(examples_json(folder)).get("the-rule")
    return known and Example(**known)


def test_the_line_that_differs_is_the_example(tmp_path: Path) -> None:
    made = example(tmp_path, "  a: 1\n  image: nginx\n  b: 2\n", "  a: 1\n  image: nginx:1.27\n  b: 2\n", 8)
    assert made == Example("image: nginx", "image: nginx:1.27")


def test_a_difference_close_by_is_shown_with_what_lies_between(tmp_path: Path) -> None:
    made = example(tmp_path, "  a: 1\n  b: 2\n  c: 3\n", "  a: 1\n  b: 2\n  c: 4\n", 7)
    assert made == Example("a: 1\nb: 2\nc: 3", "a: 1\nb: 2\nc: 4")


def test_what_is_only_missing_is_shown_with_what_lies_between(tmp_path: Path) -> None:
    made = example(tmp_path, "  a: 1\n  b: 2\n", "  a: 1\n  b: 2\n  c: 3\n", 8)
    assert made == Example("b: 2", "b: 2\nc: 3")


def test_far_away_the_most_alike_line_is_the_example(tmp_path: Path) -> None:
    between = "".join(f"  k{number}: 0\n" for number in range(20))
    made = example(
        tmp_path,
        f"  a: 1\n{between}  x: 1\n  same: y\n  scale: 3\n",
        f"  a: 1\n{between}  q: w\n  same: y\n  scale: 4\n",
        7,
    )
    assert made == Example("scale: 3", "scale: 4")


def test_packages_that_differ_in_their_names_alone_make_no_example(tmp_path: Path) -> None:
    assert example(tmp_path, "  a: 1\n", "  a: 1\n", 7) is None


def test_long_examples_are_cut(tmp_path: Path) -> None:
    many, others = ("".join(f"  {key}{number}: 0\n" for number in range(20)) for key in ("a", "b"))
    made = example(tmp_path, many, others, 7)
    assert made
    assert made.hit.split("\n")[-1] == made.near_miss.split("\n")[-1] == "…"
    assert made.hit.count("\n") == 8


def test_a_folder_that_expects_no_finding_of_its_rule_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    for name in ("hit.wpk.yaml", "near-miss.wpk.yaml", "expected.txt"):
        (tmp_path / "other" / name).write_text("")
    with pytest.raises(ValueError, match="has no finding of the rule"):
        examples_json(tmp_path)
