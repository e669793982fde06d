"""Which sandbox is taken for what a package needs, on hosts that have all or little."""

from dataclasses import replace

import pytest

from wpk_sandbox.errors import UnavailableError
from wpk_sandbox.sandbox import table
from wpk_sandbox.sandbox.sandbox import SandboxSpec
from wpk_sandbox.sandbox.table import CLUSTER, KUBECTL, ROOT, SANDBOXES, SHELL, SandboxType, choose

SPEC = SandboxSpec()


class _Provider:
    """A provider by its answer alone; nothing is opened."""

    name = "answer"

    def __init__(self, reason: str | None) -> None:
        self._reason = reason

    def why_not(self, spec: SandboxSpec) -> str | None:
        return self._reason


HAS, LACKS = _Provider(None), _Provider("not installed")


@pytest.fixture
def lacking(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """This host has every sandbox but those that the test names."""
    rows = {
        name: replace(row, shell_provider=f"{__name__}:{which}", cluster_provider=f"{__name__}:{which}")
        for name, row in SANDBOXES.items()
        for which in ["LACKS" if name in request.param else "HAS"]
    }
    monkeypatch.setattr(table, "SANDBOXES", rows)


@pytest.mark.parametrize(
    ("lacking", "needs", "wanted"),
    [
        ((), {SHELL, ROOT}, "vm"),
        ((), {SHELL}, "container"),
        ((), {SHELL, ROOT, CLUSTER, KUBECTL}, "kind"),
        ((), set(), "local"),
        (("vm",), {SHELL, ROOT}, "container"),
        (("vm", "container"), {SHELL, ROOT}, "local"),
    ],
    indirect=["lacking"],
)
@pytest.mark.usefixtures("lacking")
def test_the_strongest_that_is_needed_and_there_is_taken(needs: set[str], wanted: str) -> None:
    assert choose("auto", frozenset(needs), SPEC).type.name == wanted


@pytest.mark.parametrize("lacking", [("vm",)], indirect=True)
@pytest.mark.usefixtures("lacking")
def test_reason_tells_why_not_a_machine() -> None:
    choice = choose("auto", frozenset({SHELL, ROOT}), SPEC)
    assert choice.reason == "the strongest here for a package whose commands ask for root; vm: not installed"


@pytest.mark.parametrize("lacking", [("vm",)], indirect=True)
@pytest.mark.usefixtures("lacking")
def test_a_machine_that_was_asked_for_is_never_less() -> None:
    with pytest.raises(UnavailableError, match="`vm` is not to be had here: not installed"):
        choose("vm", frozenset({SHELL}), SPEC)


@pytest.mark.parametrize("row", SANDBOXES.values(), ids=lambda row: row.name)
def test_every_row_names_providers_that_are_there(row: SandboxType) -> None:
    assert callable(row.shell().why_not)
    assert callable(row.cluster().why_not)
