"""One package full of secrets through everything that is ever written of it: no report has one, nor a half of one."""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from wpk_sandbox.check_forms import FORMS
from wpk_sandbox.checking import check
from wpk_sandbox.continuous import run
from wpk_sandbox.finding import Severity
from wpk_sandbox.fixing import show
from wpk_sandbox.judging import Request
from wpk_sandbox.package.selection import find
from wpk_sandbox.planning import show_plans
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import (
    Attempt,
    Completed,
    Evidence,
    Observed,
    SandboxSpec,
    SecurityEvent,
    Threat,
    Usage,
)
from wpk_sandbox.sandbox.table import SANDBOXES, SandboxType
from wpk_sandbox.settings import resolve

IN_FILE = "Kw7Zp2Qx9RtYv3BnMz7CpHd5"
IN_NAME = "ghp_8Gk2LwQx9RtYv3BnMz7CpHd5SjFa1Ue6Xo4W"
IN_CASE = "Jx4Tn8Wb6Lq2Vs9Gf3Rk"
GIVEN = "Uc5Ym1Ho7Ez4Pd8Sa2Ni"
SECRETS = (IN_FILE, IN_NAME, IN_CASE, GIVEN)
PACKAGE = f"""\
apiVersion: v1
kind: WorkflowPackage
metadata: {{name: "full-{IN_NAME}", version: 1.0.0}}
spec:
  runtime: {{type: shell}}
  handlers:
    - name: "look {IN_NAME}"
      type: shell
      timeout: 30
      config:
        command: "chmod 777 /srv/a-folder-with-a-long-name/and-another --password {IN_FILE} $DB_PASSWORD $API_TOKEN ${{DIR}}/a"
    - name: "again"
      type: shell
      # wpk-sandbox: allow shell-world-writable -- as {IN_FILE} says (until 2027-01-31, @ops)
      config: {{command: "chmod 777 /srv/{IN_FILE}"}}
"""
LENIENT = b"policy: {fail_on: block, severity: {hard-coded-secret: low, shell-world-writable: low}}"
CASES = f"cases:\n- name: told\n  parameters: {{DB_PASSWORD: {IN_CASE}, DIR: /srv}}\n  colour: '{IN_FILE}'\n"


class Telling:
    """A shell that says all that it knows, and is cut in the middle of a word."""

    name = "telling"

    def why_not(self, spec: SandboxSpec) -> str | None:
        return None

    @property
    def details(self) -> str:
        return "a shell that is only remembered"

    @contextmanager
    def open(self, spec: SandboxSpec, ledger: Ledger) -> Iterator["Telling"]:
        yield self

    def run(self, command: str, *, environment: Mapping[str, str] | None = None, **_: Any) -> Completed:
        said = f"ran {command} with {' '.join(SECRETS)}, positively\n"
        return Completed(1, said, said + IN_FILE[:10], 0.1, truncated=True)

    def observed(self) -> Observed:
        """What sends secrets out: as they are, and in pieces of a name."""
        pieces = ".".join(IN_FILE[at : at + 8].lower() for at in range(0, len(IN_FILE), 8))
        attempts = [Attempt("dns", name=name, process=f"sh {IN_NAME}") for name in (f"{GIVEN}.example", pieces)]
        event = SecurityEvent(Threat.ESCAPE, Severity.LOW, f"saw {IN_CASE}", IN_NAME, IN_FILE)
        return Observed(tuple(attempts), (event,), usage=self.usage())

    def usage(self) -> Usage:
        return Usage()

    def evidence(self) -> tuple[Evidence, ...]:
        return (Evidence("network", True, "lo"),)


@dataclass(frozen=True)
class Row(SandboxType):
    """A row of the table whose shells tell."""

    def shell(self) -> Any:
        return Telling()


@pytest.fixture
def request_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Request:
    for name in ("GITHUB_WORKSPACE", "GITHUB_STEP_SUMMARY", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(SANDBOXES, "local", Row("local", "", ""))
    (tmp_path / "full.wpk.yaml").write_text(PACKAGE)
    (tmp_path / "full.wpk.test.yaml").write_text(CASES)
    settings = resolve(flags={"sandbox.type": "local"}, file=LENIENT)
    selection = find(["full.wpk.yaml"], settings["discover.patterns"], root=tmp_path)
    return Request(tmp_path, selection, settings, "run-1", parameters={"API_TOKEN": GIVEN})


def of_check(form: str) -> Callable[[Request], str]:
    def written(request: Request) -> str:
        stream = io.StringIO()
        check(request, form, stream)
        return stream.getvalue()

    return written


def of_plan(form: str) -> Callable[[Request], str]:
    def written(request: Request) -> str:
        stream = io.StringIO()
        show_plans(request, form, stream)
        return stream.getvalue()

    return written


def of_fixes(request: Request) -> str:
    stream = io.StringIO()
    show(request, stream)
    return stream.getvalue()


def of_run(file: str) -> Callable[[Request], str]:
    """A file of a run, or what it says meanwhile."""

    def written(request: Request) -> str:
        stream = io.StringIO()
        run(request, {}, stream)
        folder = request.root / request.settings["report.directory"]
        return (folder / file).read_text() if file else stream.getvalue()

    return written


RUNS = (
    "",
    "result.json",
    "junit.xml",
    "findings.sarif",
    "gl-code-quality-report.json",
    "summary.md",
    "report.html",
)
FORMS_OF = {
    **{f"check {form}": of_check(form) for form in FORMS},
    **{f"plan {form}": of_plan(form) for form in ("text", "json")},
    **{f"run {file}": of_run(file) for file in RUNS},
    "check --fix": of_fixes,
}


@pytest.mark.parametrize("form", list(FORMS_OF))
def test_no_report_has_any_part_of_a_secret(form: str, request_of: Request) -> None:
    written = FORMS_OF[form](request_of)
    assert len(written) > 100
    for secret in SECRETS:
        parts = {secret[at : at + 5] for at in range(len(secret) - 4)}
        assert [part for part in parts if part in written] == [], form


def test_the_run_was_one_that_had_secrets_to_tell(request_of: Request) -> None:
    (first, *_) = json.loads(FORMS_OF["run result.json"](request_of))["packages"]
    assert first["steps"][0]["stdout"].startswith("ran chmod 777 /srv/a-folder")
    assert "***, positively" in first["steps"][0]["stdout"]
    assert {"shell-world-writable", "hard-coded-secret"} <= {each["rule"] for each in first["findings"]}
    assert first["name"] == "full-***"
    assert [attempt["name"] for attempt in first["steps"][0]["network"]] == ["***.example", "***"]
    assert [each["message"] for each in first["steps"][0]["events"]] == ["saw ***"]
