"""What is tried, and what must hold of it for every input.

- Nothing is raised but our own errors.
- No input takes more than two seconds of processor time, nor the process more than 300 MB.
- Each finding points into the file: the lines and the columns exist.
- Each report is text in UTF-8 without control characters, and in the form that its readers expect.
"""

import contextlib
import functools
import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import inputs
from hypothesis.strategies import SearchStrategy

from wpk_sandbox.errors import WpkSandboxError
from wpk_sandbox.finding import Finding, Location
from wpk_sandbox.package.load import load_bytes
from wpk_sandbox.plan.plan import Fidelity, Phase
from wpk_sandbox.report.codequality import code_quality
from wpk_sandbox.report.findings import finding_lines
from wpk_sandbox.report.fingerprint import named, of_run
from wpk_sandbox.report.html import html
from wpk_sandbox.report.json import from_json, to_json
from wpk_sandbox.report.junit import junit
from wpk_sandbox.report.lines import plain
from wpk_sandbox.report.sarif import sarif
from wpk_sandbox.report.source import Source
from wpk_sandbox.report.summary import summary
from wpk_sandbox.report.text import text
from wpk_sandbox.rules import scripts
from wpk_sandbox.rules.judgement import judgement
from wpk_sandbox.rules.naming import name_taken
from wpk_sandbox.rules.policy import Policy, decide
from wpk_sandbox.rules.subject import Subject
from wpk_sandbox.run.result import PackageResult, RunResult, StepResult, StepStatus, Verdict

MOST_SECONDS = 2.0
MOST_KIB = 300 * 1000 * 1000 // 1024
PATH = "fuzz.wpk.yaml"
TODAY = date(2026, 12, 1)
_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # those of YAML
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_WRAPPER: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "WorkflowPackage",
    "metadata": {"name": "fuzz", "version": "1.0.0", "description": "A script.", "author": "team@example.com"},
    "spec": {
        "runtime": {"type": "shell"},
        "safety": {"mode": "manual"},
        "triggers": [],
        "rollback": {"enabled": False},
        "validation": {"schema_version": "1.0", "resource_limits": {}},
        "monitoring": {"metrics_enabled": False, "logging_level": "info", "alerts": []},
    },
}


def bounded(trial: Callable[[Any], None]) -> Callable[[Any], None]:
    """The trial with the bounds on time and memory; our own errors are an answer."""

    @functools.wraps(trial)
    def limited(given: Any) -> None:
        began = time.process_time()
        with contextlib.suppress(WpkSandboxError):
            trial(given)
        took = time.process_time() - began
        assert took < MOST_SECONDS, f"one input took {took:.1f} s"
        peak = _peak()
        assert peak < MOST_KIB, f"the process took {peak // 1000} MB"

    return limited


def _peak() -> int:
    """The most memory of this program, in KiB; getrusage(2) counts that of the one which started it too."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return int(status.partition("VmHWM:")[2].split()[0])


def inside(findings: Iterable[Finding], data: bytes) -> None:
    """Each finding begins and ends in the file."""
    lines = _LINE_END.split(data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace"))
    for finding in findings:
        place = finding.location
        assert place.path == PATH, place
        assert _exists(lines, place.line, place.column), f"{finding.rule} begins at {place}"
        if place.end_line:
            assert _exists(lines, place.end_line, place.end_column), f"{finding.rule} ends at {place!r}"
            assert (place.end_line, place.end_column) >= (place.line, place.column), f"{finding.rule}: {place!r}"


def _exists(lines: list[str], line: int, column: int) -> bool:
    return 1 <= line <= len(lines) and 1 <= column <= len(lines[line - 1]) + 1


@bounded
def load(data: bytes) -> None:
    """Any bytes as a file."""
    loaded = load_bytes(data, PATH)
    assert loaded.packages or loaded.findings
    inside(loaded.findings, data)


@bounded
def shell(script: str) -> None:
    """Any text as the command of a step."""
    handler = {"name": "work", "type": "shell", "timeout": "60s", "config": {"command": script}}
    document = {**_WRAPPER, "spec": {**_WRAPPER["spec"], "handlers": [handler]}}
    data = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    for package in load_bytes(data, PATH).packages:
        inside(scripts.check(Subject(package, Policy())), data)


@bounded
def check(given: tuple[str, Policy]) -> None:
    """Any text as a package that is judged with all rules, under any policy."""
    source, policy = given
    of_policy = {waiver.waiver.location.path for waiver in policy.waivers}
    data = source.encode("utf-8", "replace")
    taken: dict[str, Location] = {}
    for package in load_bytes(data, PATH).packages:
        found = judgement(package, name_taken(package, taken), policy, TODAY).findings
        inside([finding for finding in found if finding.location.path not in of_policy], data)


@bounded
def forms(findings: list[Finding]) -> None:
    """Any findings in every form of report."""
    result = _result(tuple(findings))
    page, cases = html(result), junit(result)
    for made in (text(result), plain(finding_lines(findings)), cases, page, summary(result)):
        assert not _CONTROL.search(made), "a control character in a report"
        made.encode()
    ElementTree.fromstring(cases.encode())
    for harmful in ("<script>alert", "<img src=x"):
        assert harmful not in page
    every = of_run(result)
    known = {PATH: Source("\n".join(finding.excerpt for finding in findings))}
    for log in (sarif(every), sarif(every, known)):
        assert len(json.loads(log)["runs"][0]["results"]) == len(named(every))
    assert isinstance(json.loads(code_quality(every)), list)
    written = to_json(result)
    assert to_json(from_json(written)) == written


def _result(findings: tuple[Finding, ...]) -> RunResult:
    """A run that has the findings in a package, and their texts wherever else a package's own words are shown."""
    words = [finding.message for finding in findings] or [""]
    where = Location(PATH, 1, 1)
    step = StepResult(
        1, Phase.RUN, words[0], words[-1], "shell", StepStatus.FAILED, Fidelity.EXECUTED, words[0], where,
        message=words[-1], details=tuple(words), stdout="\n".join(words), stderr=words[0], advice=words[-1],
    )  # fmt: skip
    package = PackageResult(
        words[0], words[-1], PATH, "", words[0], Verdict.FAIL, words[-1],
        decide(findings, Policy(), automatic=False), findings, steps=(step,), notes=tuple(words),
    )  # fmt: skip
    loose = tuple(replace(finding, waiver=None) for finding in findings[:1])
    return RunResult("fuzz", "0.1.0", "2026-12-01T00:00:00Z", 1.0, Verdict.FAIL, (package,), loose, tuple(words))


@dataclass(frozen=True)
class Target:
    """A trial and what it is given."""

    given: SearchStrategy[Any]
    trial: Callable[[Any], None]


TARGETS = {
    "loader": Target(inputs.files, load),
    "shell": Target(inputs.scripts, shell),
    "check": Target(inputs.judged, check),
    "forms": Target(inputs.findings, forms),
}
