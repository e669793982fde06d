"""The plans of packages, shown and not carried out."""

import json
from typing import IO

from wpk_sandbox.errors import ExitCode, UnavailableError
from wpk_sandbox.finding import Finding
from wpk_sandbox.judging import Judged, Request, judge
from wpk_sandbox.package.problems import fatal
from wpk_sandbox.pipeline import plan_package
from wpk_sandbox.plan.planner import needs
from wpk_sandbox.report.findings import finding_lines
from wpk_sandbox.report.plan_table import plan_json, plan_table
from wpk_sandbox.report.terminal import write
from wpk_sandbox.run.secrecy import discreet_plan
from wpk_sandbox.sandbox.table import choose


def show_plans(request: Request, form: str, stream: IO[str]) -> int:
    """Write the plan of every package and case."""
    loose: list[Finding] = []
    plans = []
    for judged in judge(request, loose):
        hidden = request.hidden(judged.package, judged.case)
        intended = discreet_plan(plan_package(judged, _sandbox(judged, request), request), hidden)
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
