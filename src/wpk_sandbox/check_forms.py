"""The forms of what `check` found: for people, for programs, and for what CI systems read.

Each form's libraries are imported where it is written: most calls want text.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

from wpk_sandbox.finding import Finding
from wpk_sandbox.judging import Judged, Request, refusal
from wpk_sandbox.package.package import Package
from wpk_sandbox.report import phrases
from wpk_sandbox.report.findings import finding_lines
from wpk_sandbox.report.lines import Line, Tone, line
from wpk_sandbox.report.terminal import columns_of, write
from wpk_sandbox.rules.corrections import Fix
from wpk_sandbox.rules.fixes import FIXABLE, fixes
from wpk_sandbox.rules.masking import hidden_of
from wpk_sandbox.rules.policy import Outcome

if TYPE_CHECKING:
    from wpk_sandbox.report.source import Source
    from wpk_sandbox.run.result import PackageResult, RunResult


@dataclass(frozen=True)
class Checked:
    """Every package once, whatever its cases, with the findings of files that hold none.

    `category` and `waived` are for SARIF alone.
    """

    request: Request
    judged: tuple[Judged, ...]
    loose: tuple[Finding, ...]
    category: str = ""
    waived: bool = True

    @property
    def findings(self) -> list[Finding]:
        """All of them."""
        return [*self.loose, *(finding for each in self.judged for finding in each.findings)]


def _text(checked: Checked, stream: IO[str]) -> None:
    columns = columns_of(stream)
    for each in checked.judged:
        causes = [line(f"  {cause}") for cause in each.risk_changes]
        write([_decision_line(each), *causes, *finding_lines(each.findings, columns)], stream)
    write([*finding_lines(checked.loose, columns), line(_summary(checked))], stream)


def _decision_line(judged: Judged) -> Line:
    package, decision = judged.package, judged.decision
    where = f" {package.version}  {package.path}  "
    shown = phrases.risk(decision.risk, judged.base_risk)
    tone = {Outcome.APPROVE: Tone.GOOD, Outcome.BLOCK: Tone.BAD}.get(decision.outcome, Tone.WARN)
    return line((package.name, Tone.STRONG), where, (f"risk {shown}, {decision.outcome}", tone))


def _summary(checked: Checked) -> str:
    """`2 packages checked, 5 findings, 1 waived, 2 for `--fix``."""
    found = checked.findings
    waived = sum(each.waiver is not None for each in found)
    fixable = sum(each.rule in FIXABLE and not each.waiver for each in found)
    parts = [f"{phrases.count(len(checked.judged), 'package')} checked", phrases.count(len(found), "finding")]
    parts += [f"{waived} waived"] * bool(waived) + [f"{fixable} of them for `--fix`"] * bool(fixable)
    return ", ".join(parts)


def _json(checked: Checked, stream: IO[str]) -> None:
    described = _described(checked.findings)
    packages = [
        {
            "name": each.package.name,
            "version": each.package.version,
            "path": each.package.path,
            "risk": each.decision.risk,
            "base_risk": each.base_risk,
            "risk_changes": each.risk_changes,
            "decision": each.decision.outcome,
            "findings": [described[finding] for finding in each.findings],
        }
        for each in checked.judged
    ]
    document = {"packages": packages, "findings": [described[finding] for finding in checked.loose]}
    stream.write(json.dumps(document, indent=2) + "\n")


def _described(findings: list[Finding]) -> dict[Finding, dict[str, Any]]:
    """Each finding as plain data, with the fingerprint that the forms for CI systems give it."""
    from pydantic import TypeAdapter  # noqa: PLC0415 -- only for this form

    from wpk_sandbox.report.fingerprint import named  # noqa: PLC0415 -- the same

    names = {_identity(each.finding): each.fingerprint for each in named(findings)}
    plain: list[dict[str, Any]] = TypeAdapter(list[Finding]).dump_python(findings, mode="json")
    return {
        finding: {**data, "fingerprint": names[_identity(finding)]}
        for finding, data in zip(findings, plain, strict=True)
    }


def _identity(finding: Finding) -> tuple[object, ...]:
    """What makes two findings one."""
    return finding.rule, finding.location, finding.message


def _sarif(checked: Checked, stream: IO[str]) -> None:
    from wpk_sandbox.report.sarif import sarif  # noqa: PLC0415 -- only for this form

    found = (each for each in checked.findings if checked.waived or each.waiver is None)
    stream.write(sarif(found, _sources(checked), category=checked.category))


def _sources(checked: Checked) -> "dict[str, Source]":
    """The files of the findings, with what `--fix` would correct in them."""
    from wpk_sandbox.publish.sources import sources  # noqa: PLC0415 -- only for this form
    from wpk_sandbox.report.source import Source  # noqa: PLC0415 -- the same

    packages: dict[str, list[Package]] = {}
    found: dict[str, list[Finding]] = {}
    for each in checked.judged:
        packages.setdefault(each.package.path, []).append(each.package)
    for finding in checked.findings:
        found.setdefault(finding.location.path, []).append(finding)
    timeout = float(checked.request.settings["timeouts.handler"])
    return {
        path: Source(known.text, _open(fixes(known.text, here, found[path], timeout=timeout), here))
        for path, known in sources(checked.request.root, checked.findings).items()
        for here in [packages.get(path, [])]
    }


def _open(known: Iterable[Fix], packages: Iterable[Package]) -> tuple[Fix, ...]:
    """The fixes that show no secret of the packages."""
    hidden = hidden_of(packages)
    shown = ((fix, "\n".join((fix.message, *(edit.replacement for edit in fix.edits)))) for fix in known)
    return tuple(fix for fix, text in shown if not hidden.holds(text))


def _gitlab(checked: Checked, stream: IO[str]) -> None:
    from wpk_sandbox.report.codequality import code_quality  # noqa: PLC0415 -- only for this form

    stream.write(code_quality(checked.findings))


def _github(checked: Checked, stream: IO[str]) -> None:
    from wpk_sandbox.publish.github import annotations, write_annotations  # noqa: PLC0415 -- only for this form

    write_annotations(annotations(_as_result(checked)), os.environ, stream)


def _junit(checked: Checked, stream: IO[str]) -> None:
    from wpk_sandbox.report.junit import junit  # noqa: PLC0415 -- only for this form

    stream.write(junit(_as_result(checked)))


def _as_result(checked: Checked) -> "RunResult":
    """The same as the result of a run that tried nothing, for the forms that tell of runs."""
    from wpk_sandbox import __version__  # noqa: PLC0415 -- only for these forms
    from wpk_sandbox.run.result import RunResult, worst  # noqa: PLC0415 -- the same

    packages = tuple(_untried(each, checked.request) for each in checked.judged)
    verdict = worst(tuple(each.verdict for each in packages))
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return RunResult(checked.request.run_id, __version__, now, 0.0, verdict, packages, checked.loose)


def _untried(judged: Judged, request: Request) -> "PackageResult":
    from wpk_sandbox.run.result import PackageResult, Verdict  # noqa: PLC0415 -- the same

    reason = refusal(judged, request.settings)
    return PackageResult(
        name=judged.package.name,
        version=judged.package.version,
        path=judged.package.path,
        digest=judged.package.digest,
        case="",
        verdict=Verdict.FAIL if reason else Verdict.PASS,
        reason=reason,
        decision=judged.decision,
        findings=judged.findings,
    )


FORMS: Mapping[str, Callable[[Checked, IO[str]], None]] = {
    "text": _text,
    "json": _json,
    "sarif": _sarif,
    "gitlab": _gitlab,
    "github": _github,
    "junit": _junit,
}
