"""What can be said of packages without running them: findings, decisions and plans."""

import json
from collections.abc import Callable, Mapping
from typing import IO, Any

from wpk_sandbox.errors import ExitCode, UnavailableError
from wpk_sandbox.finding import Finding
from wpk_sandbox.judging import Judged, Request, judge, refusal
from wpk_sandbox.package.problems import fatal
from wpk_sandbox.pipeline import plan_package
from wpk_sandbox.plan.planner import needs
from wpk_sandbox.report.findings import finding_lines
from wpk_sandbox.report.lines import Line, Tone, line
from wpk_sandbox.report.phrases import risk
from wpk_sandbox.report.plan_table import plan_json, plan_table
from wpk_sandbox.report.terminal import write
from wpk_sandbox.rules.fixes import FIXABLE
from wpk_sandbox.rules.policy import Outcome
from wpk_sandbox.sandbox.table import choose


def check(request: Request, form: str, stream: IO[str]) -> int:
    """Write every finding and decision; fails when a package is blocked or cannot be understood."""
    loose: list[Finding] = []
    judged = _first_cases(list(judge(request, loose)))
    _FORMS[form](judged, loose, stream)
    refused = any(refusal(each, request.settings) for each in judged)
    bad = refused or any(fatal(finding.severity) for finding in loose)
    return ExitCode.FAIL if bad else ExitCode.PASS


def show_plans(request: Request, form: str, stream: IO[str]) -> int:
    """Write the plan of every package and case."""
    loose: list[Finding] = []
    plans = []
    for judged in judge(request, loose):
        intended = plan_package(judged, _sandbox(judged, request), request)
        if form == "json":
            plans.append(json.loads(plan_json(intended)))
        else:
            stream.write(plan_table(intended) + "\n")
    if form == "json":
        stream.write(json.dumps(plans, indent=2, ensure_ascii=False) + "\n")
    write(finding_lines(loose) if form == "text" else (), stream)
    return ExitCode.FAIL if any(fatal(finding.severity) for finding in loose) else ExitCode.PASS


def _sandbox(judged: Judged, request: Request) -> str:
    """The sandbox that a run would take here; a plan can be read on a host that has none."""
    asked = str(request.settings["sandbox.type"])
    if asked != "auto":
        return asked
    try:
        return choose(asked, needs(judged.package), request.settings.spec).type.name
    except UnavailableError:
        return "local"


def _first_cases(judged: list[Judged]) -> list[Judged]:
    """Findings are about the package, whatever the case: once is enough."""
    seen: dict[tuple[str, int], Judged] = {}
    for each in judged:
        seen.setdefault((each.package.path, each.package.document.index), each)
    return list(seen.values())


def _write_text(judged: list[Judged], loose: list[Finding], stream: IO[str]) -> None:
    for each in judged:
        causes = [line(f"  {cause}") for cause in each.risk_changes]
        write([_decision_line(each), *causes, *finding_lines(each.findings)], stream)
    write(finding_lines(loose), stream)
    checked, found = len(judged), _count(judged, loose)
    fixable = sum(finding.rule in FIXABLE and not finding.waiver for finding in _all(judged, loose))
    hint = f", {fixable} of them for `--fix`" if fixable else ""
    stream.write(f"{_several(checked, 'package')} checked, {_several(found, 'finding')}{hint}\n")


def _write_json(judged: list[Judged], loose: list[Finding], stream: IO[str]) -> None:
    stream.write(_findings_json(judged, loose) + "\n")


def _write_sarif(judged: list[Judged], loose: list[Finding], stream: IO[str]) -> None:
    from wpk_sandbox.report.sarif import sarif  # noqa: PLC0415 -- only for this form

    stream.write(sarif(_all(judged, loose)))


def _write_gitlab(judged: list[Judged], loose: list[Finding], stream: IO[str]) -> None:
    from wpk_sandbox.report.codequality import code_quality  # noqa: PLC0415 -- only for this form

    stream.write(code_quality(_all(judged, loose)))


def _all(judged: list[Judged], loose: list[Finding]) -> list[Finding]:
    return [*loose, *(finding for each in judged for finding in each.findings)]


def _decision_line(judged: Judged) -> Line:
    package, decision = judged.package, judged.decision
    where = f" {package.version}  {package.path}  "
    shown = risk(decision.risk, judged.base_risk)
    tone = {Outcome.APPROVE: Tone.GOOD, Outcome.BLOCK: Tone.BAD}.get(decision.outcome, Tone.WARN)
    return line((package.name, Tone.STRONG), where, (f"risk {shown}, {decision.outcome}", tone))


def _count(judged: list[Judged], loose: list[Finding]) -> int:
    return sum(len(each.findings) for each in judged) + len(loose)


def _several(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _findings_json(judged: list[Judged], loose: list[Finding]) -> str:
    from pydantic import TypeAdapter  # noqa: PLC0415 -- only for this form

    dump: Any = TypeAdapter(tuple[Finding, ...]).dump_python
    packages = [
        {
            "name": each.package.name,
            "version": each.package.version,
            "path": each.package.path,
            "risk": each.decision.risk,
            "base_risk": each.base_risk,
            "risk_changes": each.risk_changes,
            "decision": each.decision.outcome,
            "findings": dump(each.findings, mode="json"),
        }
        for each in judged
    ]
    return json.dumps({"packages": packages, "findings": dump(tuple(loose), mode="json")}, indent=2)


_FORMS: Mapping[str, Callable[[list[Judged], list[Finding], IO[str]], None]] = {
    "text": _write_text,
    "json": _write_json,
    "sarif": _write_sarif,
    "gitlab": _write_gitlab,
}
