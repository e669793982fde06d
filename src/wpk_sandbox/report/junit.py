"""The result as JUnit XML, for the test views of GitHub, GitLab, Jenkins and others.

A suite is a package in a case; its test cases are the check, the sandbox, each step, the rollback and the cleanup.
Readers merge cases of equal class and name, so both are unique here, and stable from run to run.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from junit_xml import TestCase, TestSuite

from wpk_sandbox.finding import Finding, Location
from wpk_sandbox.package.problems import fatal
from wpk_sandbox.plan.plan import Fidelity
from wpk_sandbox.report import phrases, seen
from wpk_sandbox.report.escape import head_and_tail, xml
from wpk_sandbox.report.findings import finding_lines
from wpk_sandbox.report.fit import Room, fit, rooms
from wpk_sandbox.report.lines import plain
from wpk_sandbox.run.result import (
    PackageResult,
    RollbackStatus,
    RunResult,
    StepResult,
    StepStatus,
    Verdict,
)

# GitLab refuses 30 MB and more.
MOST_BYTES = 25 * 1024 * 1024
LOG_CHARACTERS = 64 * 1024


@dataclass(frozen=True)
class Case:
    """One test case. At most one of `failure`, `error` and `skipped` says why it did not pass."""

    name: str
    place: Location
    seconds: float = 0.0
    failure: str = ""
    error: str = ""
    skipped: str = ""
    details: str = ""
    stdout: str = ""
    stderr: str = ""


def junit(result: RunResult) -> str:
    """The XML document."""
    return fit(lambda room: _document(result, room), rooms(len(result.packages), LOG_CHARACTERS), MOST_BYTES)


def _document(result: RunResult, room: Room) -> str:
    root = ElementTree.Element("testsuites", name="wpk-sandbox")
    suites = [(name, package, list(_cases(package))) for name, package in _named(result.packages)]
    for name, package, cases in suites:
        root.append(_suite(name, cases, room, result.started, _properties(package)))
    if result.findings:
        root.append(_suite("unreadable files", list(_unreadable(result.findings)), room, result.started, {}))
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    root.set("time", f"{result.seconds:.3f}")
    root.set("timestamp", xml(result.started))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _named(packages: tuple[PackageResult, ...]) -> Iterator[tuple[str, PackageResult]]:
    """Each package with a name of its own: with its path, where two have the same name and case."""
    same = Counter(phrases.title(package) for package in packages)
    names = [
        phrases.title(package) + (f" ({package.path})" if same[phrases.title(package)] > 1 else "")
        for package in packages
    ]
    return zip(_unique(names), packages, strict=True)


def _unique(names: list[str]) -> list[str]:
    """The names, harmless, with `(2)`, `(3)` after repeated ones."""
    given: set[str] = set()
    result = []
    for raw in names:
        name, number = xml(raw), 1
        candidate = name
        while candidate in given:
            number += 1
            candidate = f"{name} ({number})"
        given.add(candidate)
        result.append(candidate)
    return result


def _properties(package: PackageResult) -> dict[str, str]:
    used = phrases.usage(package.usage)
    facts = {
        "package.version": package.version,
        "package.digest": package.digest,
        "case": package.case,
        "verdict": str(package.verdict),
        "risk": str(package.decision.risk),
        "decision": str(package.decision.outcome),
        "sandbox": package.sandbox.type if package.sandbox else "",
        "usage": used,
        "network": seen.network_tally(package),
        "security": seen.events_tally(package),
        "suggested": seen.requirements_line(package.suggested) if package.suggested else "",
    }
    return {key: xml(value) for key, value in facts.items() if value}


def _suite(
    name: str, cases: list[Case], room: Room, timestamp: str, properties: dict[str, str]
) -> ElementTree.Element:
    names = _unique([case.name for case in cases])
    tests = [_test_case(name, unique, case, room) for unique, case in zip(names, cases, strict=True)]
    suite = TestSuite(name, tests, timestamp=xml(timestamp), properties=properties)
    element: ElementTree.Element = suite.build_xml_doc()
    # The library writes binary fractions, and no time at all where it is zero.
    element.set("time", f"{sum(case.seconds for case in cases):.3f}")
    for case, test in zip(cases, element.iter("testcase"), strict=True):
        test.set("time", f"{case.seconds:.3f}")
    return element


def _test_case(suite: str, name: str, case: Case, room: Room) -> TestCase:
    test = TestCase(
        name,
        classname=suite,
        elapsed_sec=case.seconds,
        stdout=xml(head_and_tail(case.stdout, room.log)) or None,
        stderr=xml(head_and_tail(case.stderr, room.log)) or None,
        file=xml(case.place.path),
        line=case.place.line,
    )
    details = xml(head_and_tail(case.details, LOG_CHARACTERS)) if room.details else ""
    if case.failure:
        test.add_failure_info(xml(case.failure), details)
    elif case.error:
        test.add_error_info(xml(case.error), details)
    elif case.skipped:
        test.add_skipped_info(xml(case.skipped), details)
    return test


def _cases(package: PackageResult) -> Iterator[Case]:
    cases = [_check(package), *_sandbox(package), *map(_step, package.steps)]
    if package.sandbox or package.steps:
        cases.append(_rollback(package))
    if package.tally.made:
        cases.append(_cleanup(package))
    red = any(case.failure for case in cases)
    # What the steps left running has no case of its own.
    apart = package.violation and not any(step.violation for step in seen.steps(package))
    if package.verdict is Verdict.FAIL and (apart or not red):
        cases.append(Case("verdict", Location(package.path), failure=package.reason or "the package failed"))
    yield from cases


def _check(package: PackageResult) -> Case:
    listing = plain(finding_lines(package.findings))
    counted = (finding for finding in package.findings if finding.waiver is None)
    worst = min(counted, key=lambda finding: finding.order, default=None)
    place = worst.location if worst else Location(package.path)
    if package.decision.blocked:
        return Case("check", place, failure=package.decision.reason or package.reason, details=listing)
    return Case("check", place, stdout=listing)


def _sandbox(package: PackageResult) -> Iterator[Case]:
    place = Location(package.path)
    probes = package.sandbox.evidence if package.sandbox else ()
    seen = "".join(f"{'held' if probe.held else 'NOT HELD'}: {probe.probe}: {probe.seen}\n" for probe in probes)
    spent = package.sandbox.seconds_to_ready if package.sandbox else 0.0
    if package.verdict is Verdict.INCONCLUSIVE:
        yield Case("sandbox", place, spent, error=package.reason or "inconclusive", details=seen)
    elif package.sandbox:
        yield Case("sandbox", place, spent, stdout=seen)


def _step(step: StepResult) -> Case:
    message = phrases.outcome(step) or str(step.status)
    advice = (f"→ {step.advice}",) if step.advice else ()
    return Case(
        name=f"step {step.label}",
        place=step.location,
        seconds=step.seconds,
        failure="; ".join(filter(None, (message if step.status is StepStatus.FAILED else "", step.violation))),
        skipped=f"{step.status}: {step.reason or step.message}" if _not_done(step) else "",
        details="\n".join((*step.details, *advice)),
        stdout=_fidelity(step) + _seen(step) + step.stdout,
        stderr=step.stderr,
    )


def _seen(step: StepResult) -> str:
    """What the sandbox stopped, what was tried and which limits came near, before what the step said itself."""
    lines = [
        *(f"{seen.kind(event)}: {seen.event(event)}" for event in seen.told_apart(step.events, step.network)),
        *map(str, seen.calls(step.network, step.events)),
        *(f"near a limit: {warning}" for warning in step.warnings),
    ]
    return "".join(f"{each}\n" for each in lines)


def _fidelity(step: StepResult) -> str:
    """A green test case must not hide that its step was not done for real."""
    real = step.fidelity is Fidelity.EXECUTED or not phrases.ran(step)
    return "" if real else f"{step.fidelity}: {step.reason}\n"


def _not_done(step: StepResult) -> bool:
    return step.status in (StepStatus.SKIPPED, StepStatus.NOT_REACHED)


def _rollback(package: PackageResult) -> Case:
    result = package.rollback
    place = result.steps[0].location if result.steps else Location(package.path)
    said = phrases.rollback(result)
    failed = [f"{step.label}: {phrases.outcome(step)}" for step in result.steps if step.status is StepStatus.FAILED]
    attacks = [f"{step.label}: {step.violation}" for step in result.steps if step.violation]
    return Case(
        "rollback",
        place,
        seconds=sum(step.seconds for step in result.steps),
        failure="; ".join([*([said] if phrases.rollback_is_bad(result) else []), *attacks]),
        skipped=said if result.status in (RollbackStatus.NOT_DECLARED, RollbackStatus.NOT_RUN) else "",
        details="\n".join([*failed, *map(str, result.residue)]),
    )


def _cleanup(package: PackageResult) -> Case:
    left = "\n".join(f"{thing.kind} {thing.name}: {thing.reason}" for thing in package.tally.left)
    failure = str(package.tally) if package.tally.left else ""
    return Case("cleanup", Location(package.path), failure=failure, details=left)


def _unreadable(findings: tuple[Finding, ...]) -> Iterator[Case]:
    """One case for each file, because readers show a file's problems together."""
    by_path: dict[str, list[Finding]] = {}
    for finding in sorted(findings, key=lambda each: each.order):
        by_path.setdefault(finding.location.path, []).append(finding)
    for path, found in by_path.items():
        first = found[0]
        listing = plain(finding_lines(found))
        if fatal(first.severity):
            yield Case(path, first.location, failure=f"{first.location}: {first.message}", details=listing)
        else:
            yield Case(path, first.location, stdout=listing)
