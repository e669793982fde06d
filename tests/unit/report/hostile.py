"""A package that attacks whatever shows it: controls, markup and commands in every field."""

from report.parts import run, step
from wpk_sandbox.finding import Finding, Location, Severity
from wpk_sandbox.plan.plan import Fidelity, Origin, ParameterUse
from wpk_sandbox.rules.policy import Decision, Outcome
from wpk_sandbox.run.result import (
    Change,
    Effect,
    PackageResult,
    RollbackResult,
    RollbackStatus,
    SandboxResult,
    StepStatus,
    Verdict,
)
from wpk_sandbox.sandbox.ledger import Left, Tally
from wpk_sandbox.sandbox.sandbox import Answer, Attempt, Evidence, Sample, SecurityEvent, Threat, Usage

HOSTILE = (
    "<img src=https://evil.example/x> <script>alert(1)</script> @team #123 [a](javascript:alert(1)) "
    "https://evil.example | `x` ``y`` {{ 7 * 7 }} --> ]]> </details> ::error::boom ##[set-env name=A]b "
    "\x1b]0;title\x07\x1b[31mred\x1b[0m \u202egnp.exe \x00 \x9b2J \ud800 \ufffe %0A::warning::x"
)

HOSTILE_OUTPUT = (
    f"::error::from the output\n  ##[set-env name=PATH]/evil\r::add-mask::a\n```\n{HOSTILE}\n"
    + "~~~\n</pre></details>\n::stop-commands::x\n"
    + "all work and no play makes Jack a dull boy\n" * 24_000
)

HOSTILE_PACKAGE = PackageResult(
    name="evil" + HOSTILE,
    version="1.0.0" + HOSTILE,
    path="playbooks/a,b:c\n::error::" + HOSTILE + ".wpk.yaml",
    digest="",
    case=HOSTILE,
    verdict=Verdict.FAIL,
    reason="failed: " + HOSTILE,
    decision=Decision(55, Outcome.PERSON, "risk 55 of 100 " + HOSTILE),
    findings=(
        Finding(
            "secret-in-text",
            Severity.MEDIUM,
            HOSTILE,
            Location("playbooks/a,b:c\n::error::.wpk.yaml", 3, 4, 3, 9),
            HOSTILE,
            798,
            55,
            HOSTILE,
        ),
    ),
    sandbox=SandboxResult("local", HOSTILE, (HOSTILE,), 0.1, (Evidence(HOSTILE, False, HOSTILE),)),
    steps=(
        step(
            1,
            HOSTILE,
            StepStatus.FAILED,
            handler="::error::handler\n" + HOSTILE,
            target=HOSTILE,
            message=HOSTILE,
            details=("::error::detail", HOSTILE, "##[error]x"),
            advice=HOSTILE,
            stdout=HOSTILE_OUTPUT,
            stderr=HOSTILE_OUTPUT,
            truncated=True,
            seconds=1.5,
            network=(
                Attempt("tcp", HOSTILE, 443, HOSTILE, HOSTILE),
                Attempt("dns", name=HOSTILE, process="::error::sh\n"),
                Attempt("https", port=443, name="GET https://" + HOSTILE, answer=Answer.MOCKED),
            ),
            events=(SecurityEvent(Threat.SIGNATURE, Severity.HIGH, HOSTILE, HOSTILE, HOSTILE, 7),),
            usage=Usage(0.2, 1024, 1),
            samples=(Sample(0.5, 0.1, 512), Sample(1.5, 0.2, 1024)),
            warnings=(HOSTILE,),
            violation=HOSTILE,
        ),
        step(2, HOSTILE, StepStatus.SKIPPED, reason=HOSTILE, fidelity=Fidelity.SKIPPED),
    ),
    effects=(Effect("ConfigMap/" + HOSTILE, HOSTILE, HOSTILE, Change.CHANGED, HOSTILE, HOSTILE),),
    rollback=RollbackResult(
        RollbackStatus.FAILED, HOSTILE, (), (Effect(HOSTILE, HOSTILE, HOSTILE, Change.ADDED, "", HOSTILE),)
    ),
    parameters=(ParameterUse(HOSTILE, HOSTILE, Origin.CASE),),
    notes=(HOSTILE,),
    usage=Usage(0.2, 1024, 1),
    tally=Tally(1, 0, 0, (Left("folder", HOSTILE, HOSTILE),)),
    seconds=1.6,
)

HOSTILE_RUN = run(HOSTILE_PACKAGE, findings=(), notes=(HOSTILE,))
