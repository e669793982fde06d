"""Packages that are not loaded are found by their names, however these are written."""

from pathlib import Path

import pytest

from wpk_sandbox.finding import Location
from wpk_sandbox.package.beside import Beside

PACKAGE = (
    "apiVersion: v1\nkind: WorkflowPackage\nmetadata:\n  NAME\nspec:\n  handlers:\n    - {name: look, steps: []}\n"
)
WHOLE = PACKAGE.replace("steps: []", "type: shell, config: {command: 'true'}")


@pytest.mark.parametrize(
    "written", ["name: web", "name: 'web'", '"name": "web"', "name:   web # it", "name: &n web"]
)
def test_a_name_is_found_however_it_is_written(tmp_path: Path, written: str) -> None:
    (tmp_path / "a.wpk.yaml").write_text(WHOLE.replace("NAME", written))
    place = Beside(tmp_path, ["a.wpk.yaml"]).named("web")
    assert place is not None
    assert (place.path, place.line) == ("a.wpk.yaml", 4)


@pytest.mark.parametrize("name", ["look", "we", "web-2", "WorkflowPackage", ""])
def test_only_the_name_of_a_package_is_one(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.wpk.yaml").write_text(WHOLE.replace("NAME", "name: web"))
    assert Beside(tmp_path, ["a.wpk.yaml"]).named(name) is None


def test_files_that_are_gone_or_broken_have_no_names(tmp_path: Path) -> None:
    (tmp_path / "broken.wpk.yaml").write_text(WHOLE.replace("NAME", "name: web\n  name: web"))
    (tmp_path / "good.wpk.yaml").write_text(WHOLE.replace("NAME", "name: web"))
    paths = ["broken.wpk.yaml", "gone.wpk.yaml", "good.wpk.yaml"]
    assert Beside(tmp_path, paths).named("web") == Location("good.wpk.yaml", 4, 9, 4, 12)
