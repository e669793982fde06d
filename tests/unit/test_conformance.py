"""The table of attempts: nothing is missing in it, nothing reads open, and it cannot read well by mistake."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "conformance"
sys.path.insert(0, str(FOLDER))  # where conformance.py finds its parts when it runs as a program

import elsewhere  # noqa: E402 -- found by the line above
import table  # noqa: E402
from attempts import ATTEMPTS  # noqa: E402
from catalogue import NUMBERS  # noqa: E402
from clusters import PULLS  # noqa: E402
from judging import Findings  # noqa: E402
from model import Attempt, Cell, Told, Verdict  # noqa: E402
from payload import packed  # noqa: E402
from probes.__main__ import MODULES  # noqa: E402
from probes.trying import TRIES  # noqa: E402
from sandboxes import Tried  # noqa: E402

from wpk_sandbox.finding import Location, Severity  # noqa: E402
from wpk_sandbox.plan.plan import Fidelity, Phase  # noqa: E402
from wpk_sandbox.run.result import Limit, StepResult, StepStatus  # noqa: E402
from wpk_sandbox.sandbox.sandbox import SecurityEvent, Threat  # noqa: E402

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
ONE = Attempt(6, "mount-tmpfs", r"\bmount\b", {"vm": "root of a guest may"})
OPEN, REFUSED = Told("open", "mounted"), Told("blocked", "EPERM mount(2)", "EPERM")
MISSING = Told("blocked", "ENOSYS", "ENOSYS")


def step(*events: SecurityEvent, limit: Limit | None = None) -> StepResult:
    return StepResult(
        number=1,
        phase=Phase.RUN,
        handler="try",
        name="try",
        action="shell",
        status=StepStatus.OK,
        fidelity=Fidelity.EXECUTED,
        reason="",
        location=Location("x"),
        limit=limit,
        events=events,
    )


MOUNT = SecurityEvent(Threat.ESCAPE, Severity.HIGH, "tried mount(2)")
OTHER = SecurityEvent(Threat.ESCAPE, Severity.HIGH, "tried reboot(2)")


def test_every_number_has_attempts() -> None:
    assert list(NUMBERS) == list(range(1, 56))
    tried = {attempt.number for attempt in ATTEMPTS} | {one.number for one in elsewhere.TESTED} | {PULLS.number}
    assert set(NUMBERS) - tried == {20, 21, 55}, "what leaving.py and clusters.py try"


def test_every_attempt_has_its_function_or_command_and_every_function_is_tried() -> None:
    assert MODULES
    named = {attempt.name for attempt in ATTEMPTS if not attempt.command}
    assert set(TRIES) - named == {"folders-deep"}, "what is tried before a sandbox is closed"
    assert named - set(TRIES) == set()
    assert len({attempt.name for attempt in ATTEMPTS}) == len(ATTEMPTS)


@pytest.mark.parametrize(
    ("column", "told", "control", "verdict"),
    [
        pytest.param("local", OPEN, OPEN, Verdict.OPEN, id="it got through"),
        pytest.param("local", Told("mistake", "KeyError"), OPEN, Verdict.OPEN, id="it was never tried"),
        pytest.param("local", REFUSED, OPEN, Verdict.BLOCKED, id="it was refused"),
        pytest.param("local", Told("absent", "no such file"), OPEN, Verdict.BLOCKED, id="nothing of it is there"),
        pytest.param("local", REFUSED, MISSING, Verdict.NOT_APPLICABLE, id="the kernel has none"),
        pytest.param("vm", REFUSED, OPEN, Verdict.NOT_APPLICABLE, id="it may be"),
        pytest.param("local", OPEN, MISSING, Verdict.OPEN, id="it got through though the control did not"),
    ],
)
def test_verdict(column: str, told: Told, control: Told, verdict: Verdict) -> None:
    findings = Findings()
    findings.add(ONE, column, Tried(told), control)
    assert [cell.verdict for cell in findings.cells] == [verdict]
    assert findings.faults == []


def test_control_that_does_not_succeed_is_a_fault() -> None:
    findings = Findings()
    findings.add(ONE, "local", Tried(REFUSED), Told("blocked", "EPERM", "EPERM"))
    assert "its control did not succeed" in findings.faults[0]


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        pytest.param(step(MOUNT), Verdict.REPORTED, id="an event names it"),
        pytest.param(step(OTHER), Verdict.BLOCKED, id="an event names something else"),
        pytest.param(step(), Verdict.BLOCKED, id="nothing is said"),
        pytest.param(step(limit=Limit.MEMORY), Verdict.REPORTED, id="a limit ended its step"),
    ],
)
def test_only_what_the_result_names_is_reported(result: StepResult, verdict: Verdict) -> None:
    findings = Findings()
    findings.add(ONE, "local", Tried(REFUSED, result), OPEN)
    assert findings.cells[0].verdict is verdict


def test_one_open_attempt_opens_its_number() -> None:
    cells = [Cell(6, "a", "local", Verdict.REPORTED), Cell(6, "b", "local", Verdict.OPEN, "it got through")]
    assert "OPEN 6 b in local: it got through" in table.printed(cells)
    assert "| open (1 of 2) |" in table.markdown(cells)
    assert table.cells_of(table.as_json(cells, [])) == cells


def test_later_try_replaces_the_earlier() -> None:
    was, now = Cell(6, "a", "local", Verdict.OPEN), Cell(6, "a", "local", Verdict.BLOCKED)
    other = Cell(7, "keyctl", "local", Verdict.BLOCKED)
    assert table.merged([[was, other], [now]]) == [now, other]


def test_payload_starts_wherever_there_is_a_python(tmp_path: Path) -> None:
    (tmp_path / "probes.pyz").write_bytes(packed())
    argv = [sys.executable, "probes.pyz", "{}", "kernel-addresses", "folder-left-open"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=True)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["attempt"] for one in told] == ["kernel-addresses", "folder-left-open"]
    assert {one["outcome"] for one in told} <= {"open", "blocked"}
    assert packed() == packed()


def test_published_page_has_every_number_and_none_is_open() -> None:
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(NUMBERS)
    assert [number for number, words in rows if re.search(r"\bopen\b(?! us)", words.partition("|")[2])] == []
    assert [number for number, words in rows if not words.partition("|")[2].replace("|", "").strip()] == []
