"""The result for a terminal or a log: the lines of each event, for a live run and a finished one alike."""

from collections.abc import Iterable, Iterator, Sequence

from wpk_sandbox.finding import Severity
from wpk_sandbox.plan.plan import Fidelity, Phase
from wpk_sandbox.report import escape, phrases, seen
from wpk_sandbox.report.findings import finding_lines
from wpk_sandbox.report.lines import ENDLESS, WIDTH, Line, Tone, line, pad, plain, shorten, width
from wpk_sandbox.rules.policy import Outcome
from wpk_sandbox.run.result import (
    PackageResult,
    RollbackStatus,
    RunResult,
    SandboxResult,
    StepResult,
    StepStatus,
    Verdict,
)
from wpk_sandbox.sandbox.sandbox import Answer, Attempt, SecurityEvent

LABEL_COLUMNS = 28
MOST_EFFECTS = 12
LOG_LINES = 8
# Targets and events of a step that are listed; the others are counted.
MOST_SEEN = 6

VERDICT_TONES = {Verdict.PASS: Tone.GOOD, Verdict.FAIL: Tone.BAD, Verdict.INCONCLUSIVE: Tone.WARN}
_DECISION_TONES = {str(Outcome.APPROVE): Tone.GOOD, str(Outcome.BLOCK): Tone.BAD}
_PHASES = {Phase.RUN: "Step", Phase.ROLLBACK: "Rollback"}


def text(result: RunResult) -> str:
    """The whole result, as a run without a terminal prints it."""
    lines: list[Line] = []
    for package in result.packages:
        lines += package_lines(package)
    return plain([*lines, *run_lines(result)])


def package_lines(package: PackageResult) -> Iterator[Line]:
    """Everything about one package, in the order in which it happened."""
    risk, decision = package.decision.risk, str(package.decision.outcome)
    yield header(package.name, package.version, package.path, risk, decision)
    if package.sandbox:
        yield from sandbox_lines(package.sandbox)
    yield from case_line(package.case)
    for steps in (package.steps, package.rollback.steps):
        columns = label_columns(step.label for step in steps)
        for step in steps:
            yield from step_lines(step, len(steps), columns)
    yield from closing_lines(package)


def header(name: str, version: str, path: str, risk: int, decision: str) -> Line:
    """`restart-web 1.2.0  playbooks/restart-web.wpk.yaml      risk 12, approve`."""
    left = f"{shorten(name, 60)} {shorten(version, 20)}  "
    right = f"risk {risk}, {decision}"
    gap = " " * max(2, WIDTH - width(left) - width(escape.one_line(path)) - len(right))
    tone = _DECISION_TONES.get(decision, Tone.WARN)
    return line((left, Tone.STRONG), path, gap, (right, tone))


def case_line(case: str) -> Iterator[Line]:
    """The case, where it has a name of its own."""
    if case not in ("", "default"):
        yield line(f"  Case      {case}")


def sandbox_lines(sandbox: SandboxResult) -> Iterator[Line]:
    """Where it runs, how long that took, and whether the measured isolation held."""
    held = sum(1 for probe in sandbox.evidence if probe.held)
    isolation = f"isolation: {held} of {phrases.count(len(sandbox.evidence), 'probe')} held"
    ready = f"  {sandbox.type} ready in {phrases.seconds(sandbox.seconds_to_ready)}"
    tone = Tone.PLAIN if held == len(sandbox.evidence) else Tone.BAD
    yield line(ready, (f" · {isolation}" if sandbox.evidence else "", tone))
    for detail in sandbox.details:
        yield line((f"      {detail}", Tone.FAINT))
    for probe in sandbox.evidence:
        if not probe.held:
            yield line(("      not held: ", Tone.BAD), f"{probe.probe}: {probe.seen}")


def opening_text(sandbox: str, reason: str) -> str:
    """What stands there while a sandbox is being made."""
    return escape.one_line(f"  opening sandbox {sandbox}" + (f": {reason}" if reason else ""))


def label_columns(labels: Iterable[str]) -> int:
    """How wide the column of step names must be."""
    widest = max((width(escape.one_line(label)) for label in labels), default=0)
    return min(max(widest, 8), LABEL_COLUMNS)


def step_head(number: int, total: int, phase: Phase, label: str, columns: int) -> str:
    """`  Step 2/4: restart-deployment ...`, padded with dots so that the status words align."""
    name = shorten(label, max(columns, LABEL_COLUMNS))
    dots = "." * max(3, columns - width(name) + 3)
    return f"  {_PHASES[phase]} {number}/{total}: {name} {dots}"


def step_lines(step: StepResult, total: int, columns: int) -> Iterator[Line]:
    """The line of a finished step; a failed one says what, where and what next below it."""
    tone = {StepStatus.OK: Tone.GOOD, StepStatus.FAILED: Tone.BAD}.get(step.status, Tone.WARN)
    if step.status is StepStatus.OK and step.fidelity is not Fidelity.EXECUTED:
        tone = Tone.WARN
    spent = phrases.seconds(step.seconds) if phrases.ran(step) else ""
    head = step_head(step.number, total, step.phase, step.label, columns)
    yield line(head + " ", (f"{phrases.status(step):<18}", tone), f"{spent:>8}  ", phrases.outcome(step))
    if step.status is StepStatus.FAILED:
        yield from _failure(step)
    for words, tone in _seen(step.network, step.events):
        yield line(("      " + words, tone))
    for warning in step.warnings:
        yield line(("      near a limit: ", Tone.WARN), warning)


def _seen(network: Sequence[Attempt], events: Sequence[SecurityEvent]) -> Iterator[tuple[str, Tone]]:
    """What was stopped, worst first, then what was tried."""
    rows: list[tuple[str, Tone]] = []
    for event in seen.told_apart(events, network):
        tone = Tone.BAD if seen.is_grave(event) else Tone.WARN
        rows.append((f"{seen.kind(event)}: {shorten(seen.event(event), 300)}", tone))
    for call in seen.calls(network, events):
        refused = Tone.WARN if call.severity is Severity.MEDIUM else Tone.BAD
        tone = refused if call.answer is Answer.REFUSED else Tone.PLAIN
        rows.append((shorten(str(call), 300), tone))
    yield from rows[:MOST_SEEN]
    if len(rows) > MOST_SEEN:
        yield f"and {len(rows) - MOST_SEEN} more, see the report", Tone.FAINT


def _failure(step: StepResult) -> Iterator[Line]:
    for detail in step.details:
        yield line(f"      {detail}")
    yield from _last_words(step)
    if step.advice:
        yield line((f"      → {step.advice}", Tone.STRONG))


def _last_words(step: StepResult) -> Iterator[Line]:
    """The end of the output, unless the message or the details quote it already."""
    output = escape.visible(escape.head_and_tail(step.stderr.strip() or step.stdout.strip(), 8000))
    words = [words for words in output.split("\n") if words.strip()]
    said = "\n".join((step.message, *step.details))
    if not words or words[-1].strip()[:100] in said:
        return
    for each in words[-LOG_LINES:]:
        yield line(("      | ", Tone.FAINT), shorten(each, 400))


def closing_lines(package: PackageResult, columns: int = ENDLESS) -> Iterator[Line]:
    """What a reader needs once the package is done: risk, findings, changes, rollback, cleanup, verdict."""
    if change := phrases.risk_change(package):
        yield line(f"  Risk      {change}")
    yield from _findings(package, columns)
    yield from _changes(package)
    for number, (words, tone) in enumerate(_seen(package.network, package.events)):
        yield line("  After     " if number == 0 else "            ", (words, tone))
    if package.sandbox or package.steps:
        yield from _rollback(package)
    yield from _watched(package)
    yield from _resources(package)
    for note in package.notes:
        yield line(f"  Note      {note}")
    if package.tally.made:
        yield from _cleanup(package)
    yield verdict_line(package)


def _findings(package: PackageResult, columns: int) -> Iterator[Line]:
    """The findings that ask for something; when nothing else went wrong the slight ones are only counted."""
    slight = [finding for finding in package.findings if finding.severity.rank <= Severity.LOW.rank]
    grave = [finding for finding in package.findings if finding not in slight]
    yield from finding_lines(grave, columns)
    if slight:
        seen = phrases.tally_of_findings(slight)
        yield line(("  Findings  ", Tone.PLAIN), f"{seen} (wpk-sandbox check {package.path})")


def _changes(package: PackageResult) -> Iterator[Line]:
    columns = label_columns(phrases.effect_fields(effect)[0] for effect in package.effects)
    for number, effect in enumerate(package.effects[:MOST_EFFECTS]):
        name = "Changed " if number == 0 else "        "
        what = str(effect).removeprefix(effect.object).strip()
        yield line(f"  {name}  {pad(phrases.effect_fields(effect)[0], columns)}  {shorten(what, 200)}")
    rest = len(package.effects) - MOST_EFFECTS
    if rest > 0:
        yield line(f"            and {rest} more, see the report")


def _rollback(package: PackageResult) -> Iterator[Line]:
    result = package.rollback
    bad = phrases.rollback_is_bad(result)
    neutral = Tone.GOOD if result.status is RollbackStatus.RESTORED else Tone.PLAIN
    yield line("  Rollback  ", (phrases.rollback(result), Tone.BAD if bad else neutral))
    for effect in result.residue[:MOST_EFFECTS]:
        yield line(f"      {phrases.effect_text(effect)}")
    if len(result.residue) > MOST_EFFECTS:
        yield line(f"      and {len(result.residue) - MOST_EFFECTS} more, see the report")


def _watched(package: PackageResult) -> Iterator[Line]:
    if tried := seen.network_tally(package):
        yield line(f"  Network   {tried}")
    if stopped := seen.events_tally(package):
        grave = any(map(seen.is_grave, seen.events(package)))
        yield line("  Security  ", (stopped, Tone.BAD if grave else Tone.WARN))


def _resources(package: PackageResult) -> Iterator[Line]:
    used = phrases.usage(package.usage)
    if used:
        yield line(f"  Used      {used}")
    if package.suggested:
        yield line(f"  Suggested {seen.requirements_line(package.suggested)}")


def _cleanup(package: PackageResult) -> Iterator[Line]:
    left = package.tally.left
    yield line("  Cleanup   ", (str(package.tally), Tone.BAD if left else Tone.PLAIN))
    for thing in left:
        yield line((f"      left: {thing.kind} {thing.name}: {thing.reason}", Tone.BAD))


def verdict_line(package: PackageResult) -> Line:
    """`PASS in 18.2 s · 3 of 4 steps executed, 1 simulated`."""
    word = (package.verdict.upper(), VERDICT_TONES[package.verdict])
    took = f" in {phrases.seconds(package.seconds)} · "
    if package.verdict is not Verdict.PASS:
        return line(word, took, phrases.stop(package))
    return line(word, took, phrases.fidelity_share(package) if package.steps else package.reason)


def run_lines(result: RunResult, columns: int = ENDLESS) -> Iterator[Line]:
    """What concerns no single package, and the answer for all of them together."""
    yield from finding_lines(result.findings, columns)
    for note in result.notes:
        yield line(f"Note: {note}")
    if len(result.packages) == 1 and not result.findings and not result.tally.left:
        return
    said = {thing for package in result.packages for thing in package.tally.left}
    for thing in result.tally.left:
        if thing not in said:
            yield line((f"left: {thing.kind} {thing.name}: {thing.reason}", Tone.BAD))
    word = (result.verdict.upper(), VERDICT_TONES[result.verdict])
    cleanup = f" · {result.tally}" if result.tally.made and not result.tally.left else ""
    yield line(word, f" in {phrases.seconds(result.seconds)} · {phrases.headline(result)}{cleanup}")
