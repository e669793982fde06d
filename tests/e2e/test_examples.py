"""Every example comes to what its table says, in every sandbox that this host has, and leaves nothing behind."""

import re
from pathlib import Path
from typing import Any

import pytest

from .calling import labelled, nodes, read_result, wpk

REPOSITORY = Path(__file__).resolve().parents[2]
FAILING = "resize-search-cache"
UNSAFE = "unsafe-cleanup"

# `| [name](file) | dialect | runs on | shows | verdict | rollback |`
_ROW = re.compile(
    r"^\| \[(?P<name>[\w-]+)\]\([^)]*\) .*\| \**(?P<verdict>\w+)\** \| (?P<rollback>[\w ]+) \|$", re.M
)
TABLE = {
    row["name"]: (row["verdict"], row["rollback"])
    for row in _ROW.finditer((REPOSITORY / "examples" / "README.md").read_text())
}

# What an action gives out; everything else is done and says so in one line.
READING = {"k8s logs", "k8s events", "k8s get"}


def try_all(sandbox: str, report: Path, timeout: float = 120) -> dict[str, Any]:
    # As `make demo` does: with this repository's settings, whose image has no Python for a gate.
    called = wpk("run", "examples", "--sandbox", sandbox, "--report", report, folder=REPOSITORY, timeout=timeout)
    assert called.code == 1, called.text  # two of the examples fail, and are meant to
    assert re.search(r"^FAIL in .* 2 of \d+ packages failed · made \d+, removed \d+, left 0$", called.out, re.M)
    return read_result(report)


def named(result: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [package for package in result["packages"] if package["name"] == name]
    return dict(found)


def as_the_table_says(result: dict[str, Any]) -> None:
    seen = {package["name"]: (package["verdict"], package["rollback"]["status"]) for package in result["packages"]}
    assert seen == TABLE
    assert [
        package["rollback"]["residue"] for package in result["packages"] if package["rollback"]["residue"]
    ] == []


def fails_where_it_should(result: dict[str, Any]) -> None:
    steps = {step["name"]: step for step in named(result, FAILING)["steps"]}
    assert steps["wait-until-available"]["status"] == "failed"
    assert "Unschedulable" in "".join(steps["wait-until-available"]["details"])
    assert steps["read-replicas"]["status"] == "not reached"


def never_started(result: dict[str, Any]) -> None:
    unsafe = named(result, UNSAFE)
    assert unsafe["sandbox"] is None
    assert unsafe["steps"] == []
    assert unsafe["tally"]["made"] == 0
    assert unsafe["decision"]["outcome"] == "block"


def nothing_is_left(result: dict[str, Any]) -> None:
    assert result["tally"]["left"] == []
    assert result["tally"]["made"] == result["tally"]["removed"] > 0


def fidelities(result: dict[str, Any], kind: str) -> set[str]:
    """How the steps that were reached were done, of those whose action begins with `kind`."""
    return {
        step["fidelity"]
        for package in result["packages"]
        for step in package["steps"]
        if step["action"].startswith(kind) and step["action"] != "k8s metrics" and step["status"] != "not reached"
    }


def test_the_table_lists_every_example() -> None:
    files = {path.name.removesuffix(".wpk.yaml") for path in (REPOSITORY / "examples").glob("*.wpk.yaml")}
    assert set(TABLE) == files


@pytest.mark.parametrize(
    "sandbox",
    [
        pytest.param("local", marks=pytest.mark.needs("bwrap")),
        pytest.param("container", marks=pytest.mark.needs("docker")),
    ],
)
def test_the_examples_come_to_what_they_promise_on_a_simulated_cluster(tmp_path: Path, sandbox: str) -> None:
    result = try_all(sandbox, tmp_path)
    as_the_table_says(result)
    fails_where_it_should(result)
    never_started(result)
    nothing_is_left(result)
    assert fidelities(result, "k8s") == {"simulated"}
    assert fidelities(result, "shell") == {"executed"}
    if sandbox == "container":
        assert labelled(result["run_id"]) == []


@pytest.mark.needs("kind")
def test_the_examples_are_real_in_kind(tmp_path: Path) -> None:
    result = try_all("kind", tmp_path, timeout=1200)
    as_the_table_says(result)
    fails_where_it_should(result)
    never_started(result)
    nothing_is_left(result)
    for kind in ("k8s", "container", "manifest", "shell"):
        assert fidelities(result, kind) == {"executed"}, kind
    proofs = [
        proof for package in result["packages"] if package["sandbox"] for proof in package["sandbox"]["evidence"]
    ]
    assert proofs
    assert all(proof["held"] for proof in proofs)
    gives_out_what_is_there(result)
    clusters = clusters_named_in(result)
    assert len(clusters) >= len(result["packages"]) - 3  # all but the two of the shell and the blocked one
    assert clusters & nodes() == set()
    assert labelled(result["run_id"]) == []


def gives_out_what_is_there(result: dict[str, Any]) -> None:
    steps = [step for package in result["packages"] for step in package["steps"]]
    for step in steps:
        if step["action"] in READING and step["status"] == "ok":
            assert step["stdout"].strip(), step["name"]
    logs = {step["name"]: step["stdout"] for step in steps if step["action"] == "k8s logs"}
    # What the programs of examples/objects print; nothing in the packages says it.
    assert "web serves" in logs["save-logs"]
    (events,) = (step["stdout"] for step in steps if step["name"] == "read-events")
    assert "Successfully assigned shop/web-" in events


def clusters_named_in(result: dict[str, Any]) -> set[str]:
    details = [
        line for package in result["packages"] if package["sandbox"] for line in package["sandbox"]["details"]
    ]
    return set(re.findall(r"atom-dryrun-\w+-\w+", " ".join(details)))
