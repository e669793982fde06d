"""What can be said of packages without running them: findings, decisions and plans."""

import json
from typing import IO, Any

from wpk_sandbox.errors import ExitCode, UnavailableError
from wpk_sandbox.finding import Finding
from wpk_sandbox.package.problems import fatal
from wpk_sandbox.pipeline import Judged, Request, judge, plan_package
from wpk_sandbox.plan.planner import needs
from wpk_sandbox.report.escape import log_line
from wpk_sandbox.report.findings import finding_lines
from wpk_sandbox.report.lines import plain
from wpk_sandbox.report.plan_table import plan_json, plan_table
from wpk_sandbox.sandbox.table import choose


def check(request: Request, form: str, stream: IO[str]) -> int:
    """Write every finding and decision; fails when a package is blocked or cannot be understood."""
    loose: list[Finding] = list(request.selection.findings)
    judged = _first_cases(list(judge(request, loose)))
    if form == "json":
        stream.write(_findings_json(judged, loose) + "\n")
    else:
        for each in judged:
            stream.write(_decision_line(each) + "\n")
            stream.write(plain(finding_lines(each.findings)))
        stream.write(plain(finding_lines(sorted(loose, key=lambda finding: finding.order))))
        checked, found = len(judged), _count(judged, loose)
        stream.write(f"{_several(checked, 'package')} checked, {_several(found, 'finding')}\n")
    failing = request.settings.failing_outcomes
    bad = any(each.decision.outcome in failing for each in judged) or any(
        fatal(finding.severity) for finding in loose
    )
    return ExitCode.FAIL if bad else ExitCode.PASS


def show_plans(request: Request, form: str, stream: IO[str]) -> int:
    """Write the plan of every package and case."""
    loose: list[Finding] = list(request.selection.findings)
    plans = []
    for judged in judge(request, loose):
        intended = plan_package(judged, _sandbox(judged, request), request)
        if form == "json":
            plans.append(json.loads(plan_json(intended)))
        else:
            stream.write(plan_table(intended) + "\n")
    if form == "json":
        stream.write(json.dumps(plans, indent=2, ensure_ascii=False) + "\n")
    stream.write(plain(finding_lines(loose)) if form == "text" else "")
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


def _decision_line(judged: Judged) -> str:
    package, decision = judged.package, judged.decision
    words = f"{package.name} {package.version}  {package.path}  risk {decision.risk}, {decision.outcome}"
    return log_line(words)


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
            "decision": each.decision.outcome,
            "findings": dump(each.findings, mode="json"),
        }
        for each in judged
    ]
    return json.dumps({"packages": packages, "findings": dump(tuple(loose), mode="json")}, indent=2)
