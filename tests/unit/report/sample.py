"""One result that holds everything which a report must be able to say; times and ids are fixed."""

from wpk_sandbox.finding import Finding, Location, Severity
from wpk_sandbox.plan.plan import Fidelity, Origin, ParameterUse, Phase
from wpk_sandbox.rules.policy import Decision, Outcome, RiskItem
from wpk_sandbox.run.result import (
    Change,
    Effect,
    Limit,
    PackageResult,
    Requirements,
    RollbackResult,
    RollbackStatus,
    RunResult,
    SandboxResult,
    StepResult,
    StepStatus,
    Verdict,
)
from wpk_sandbox.sandbox.ledger import Left, Tally
from wpk_sandbox.sandbox.sandbox import Answer, Attempt, Evidence, Sample, SecurityEvent, Threat, Usage


def step(
    number: int, name: str, status: StepStatus = StepStatus.OK, path: str = "restart-web", **more: object
) -> StepResult:
    """A step of a shell runbook, with what matters for a test in `more`."""
    facts: dict[str, object] = {
        "number": number,
        "phase": Phase.RUN,
        "handler": name,
        "name": name,
        "action": "shell",
        "status": status,
        "fidelity": Fidelity.EXECUTED,
        "reason": "runs in the sandbox's shell",
        "location": Location(f"playbooks/{path}.wpk.yaml", 10 + number * 7, 7),
    }
    return StepResult(**{**facts, **more})  # type: ignore[arg-type]


CLOSED = tuple(
    Evidence(probe, True, seen)
    for probe, seen in (
        ("user", "uid 65532, no capability"),
        ("root file system", "EROFS on write"),
        ("network", "ENETUNREACH for 1.1.1.1:443"),
        ("DNS", "no resolver"),
        ("metadata address", "ENETUNREACH for 169.254.169.254:80"),
        ("processes", "EAGAIN at 100"),
    )
)

KIND = SandboxResult(
    "kind",
    "the package acts on Kubernetes objects",
    ("kind v1.34.4", "shell in a container"),
    9.8,
    CLOSED,
)

PASSING = PackageResult(
    name="restart-web",
    version="1.2.0",
    path="playbooks/restart-web.wpk.yaml",
    digest="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    case="default",
    verdict=Verdict.PASS,
    reason="every step passed and the rollback restored the state",
    decision=Decision(12, Outcome.APPROVE, "risk 12 of 100"),
    findings=(
        Finding(
            "limits-missing",
            Severity.LOW,
            "no memory limit is set",
            Location("playbooks/restart-web.wpk.yaml", 8, 5),
            "set `resources.limits.memory`",
            770,
            12,
            "    container:",
        ),
    ),
    sandbox=KIND,
    steps=(
        step(
            1, "collect-logs", target="Deployment/web", message="2 pods of Deployment/web (stand-in)", seconds=0.3
        ),
        step(2, "restart-deployment", action="k8s restart", target="Deployment/web", seconds=4.1),
        step(3, "verify-health", fidelity=Fidelity.DRY_RUN, message="2 of 2 pods ready", seconds=2.0),
        step(
            4,
            "notify",
            action="api",
            fidelity=Fidelity.SIMULATED,
            reason="the sandbox has no network",
            message="POST ${ALERT_URL}: no mock, assumed 200",
        ),
    ),
    effects=(
        Effect(
            "Deployment/web",
            "shop",
            "spec.template.metadata.annotations.restartedAt",
            Change.ADDED,
            after='"2026-01-01T00:00:00Z"',
        ),
    ),
    rollback=RollbackResult(RollbackStatus.RESTORED, "after a success, to prove it"),
    parameters=(
        ParameterUse("ALERT_URL", "https://alert-url.invalid", Origin.PLACEHOLDER),
        ParameterUse("NAMESPACE", "shop", Origin.EVENT),
    ),
    usage=Usage(3.4, 412 * 1024**2, 17),
    tally=Tally(7, 7),
    seconds=18.2,
)

FAILING = PackageResult(
    name="scale-shop",
    version="0.3.1",
    path="playbooks/scale-shop.wpk.yaml",
    digest="60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
    case="peak traffic",
    verdict=Verdict.FAIL,
    reason="step wait-ready failed",
    decision=Decision(
        37,
        Outcome.REVIEW,
        "risk 37 of 100",
        (RiskItem("image-unpinned", 25, Location("playbooks/scale-shop.wpk.yaml", 24, 16), "no digest"),),
    ),
    findings=(
        Finding(
            "image-unpinned",
            Severity.MEDIUM,
            "`nginx:latest` may be another image tomorrow",
            Location("playbooks/scale-shop.wpk.yaml", 24, 16, 24, 28),
            "name a digest: nginx@sha256:…",
            829,
            25,
            "        image: nginx:latest",
        ),
    ),
    sandbox=KIND,
    steps=(
        step(1, "save-count", path="scale-shop", message="replicas 2", seconds=0.4),
        step(
            2,
            "scale-up",
            path="scale-shop",
            action="k8s scale",
            target="Deployment/shop",
            message="2 → 4 replicas",
            seconds=1.2,
        ),
        step(
            3,
            "wait-ready",
            StepStatus.FAILED,
            action="k8s wait",
            target="Deployment/shop",
            message="timed out",
            details=(
                "waited for condition ready of Deployment/shop: 1 of 3 pods ready",
                'pod shop-7c9-xk2lp: CrashLoopBackOff, last log line: "DB_URL is not set"',
            ),
            advice="give the pod its configuration as `objects:` in scale-shop.wpk.test.yaml, or raise the timeout",
            limit=Limit.STEP,
            seconds=60.0,
            attempts=2,
            stdout="waiting\nwaiting\n",
            stderr="warning: 0 of 3\nwarning: 1 of 3\n",
            location=Location("playbooks/scale-shop.wpk.yaml", 31, 5),
        ),
        step(4, "smoke-test", StepStatus.NOT_REACHED, path="scale-shop", reason="wait-ready failed before it"),
        step(
            5,
            "sign-off",
            StepStatus.NOT_REACHED,
            path="scale-shop",
            reason="wait-ready failed before it",
            action="manual",
        ),
    ),
    effects=(
        Effect("Deployment/shop", "shop", "spec.replicas", Change.CHANGED, "2", "4"),
        Effect("Deployment/shop", "shop", "metadata.annotations.old", Change.REMOVED, '"yes"'),
        Effect("ConfigMap/peak", "shop", "", Change.ADDED),
    ),
    rollback=RollbackResult(
        RollbackStatus.RESIDUE,
        "wait-ready failed",
        (
            step(
                1,
                "scale-down",
                phase=Phase.ROLLBACK,
                message="4 → 2 replicas",
                seconds=1.0,
                location=Location("playbooks/scale-shop.wpk.yaml", 44, 5),
            ),
        ),
        (Effect("Deployment/shop", "shop", "spec.replicas", Change.CHANGED, "2", "4"),),
    ),
    notes=("no object Deployment/shop was given: a stand-in was made",),
    tally=Tally(9, 8, 0, (Left("container", "wpk-sandbox-3f2c1aa-shell", "the daemon did not answer in 30 s"),)),
    seconds=71.4,
)

BLOCKED = PackageResult(
    name="purge",
    version="1.0.0",
    path="playbooks/purge.wpk.yaml",
    digest="fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13",
    case="default",
    verdict=Verdict.FAIL,
    reason="shell-destroy-data at line 24 is critical",
    decision=Decision(
        100,
        Outcome.BLOCK,
        "shell-destroy-data at line 24 is critical",
        (RiskItem("shell-destroy-data", 100, Location("playbooks/purge.wpk.yaml", 24, 16), "deletes"),),
    ),
    findings=(
        Finding(
            "shell-destroy-data",
            Severity.CRITICAL,
            "deletes everything under $DIR, which may be empty",
            Location("playbooks/purge.wpk.yaml", 24, 16, 24, 33),
            'rm -rf "${DIR:?}/"*',
            78,
            100,
            '      command: rm -rf "${DIR}/"*',
        ),
    ),
)

INCONCLUSIVE = PackageResult(
    name="rotate-keys",
    version="2.0.0",
    path="playbooks/rotate-keys.wpk.yaml",
    digest="1b4f0e9851971998e732078544c96b36c3d01cedf7caa332359d6f1d83567014",
    case="default",
    verdict=Verdict.INCONCLUSIVE,
    reason="no Docker daemon answers at /var/run/docker.sock",
    decision=Decision(30, Outcome.PERSON, "risk 30 of 100, held to the stricter neighbour because of `mode: auto`"),
    seconds=0.4,
)

CALLING = PackageResult(
    name="call-home",
    version="1.0.0",
    path="playbooks/call-home.wpk.yaml",
    digest="2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    case="default",
    verdict=Verdict.FAIL,
    reason="escape: high escape attempt: tried to mount a file system",
    decision=Decision(0, Outcome.APPROVE, "risk 0 of 100"),
    sandbox=SandboxResult("container", "asked for", ("debian:trixie-slim, no network",), 0.6, CLOSED),
    steps=(
        step(
            1,
            "fetch",
            path="call-home",
            message="exit code 0 in 2.5 s",
            seconds=2.5,
            network=(
                Attempt("dns", name="api.example.com", process="curl (12)", count=2),
                Attempt("tcp", "198.18.0.1", 443, "api.example.com", "curl (12)", count=3),
                Attempt("tcp", "198.18.0.1", 443, "api.example.com", "curl (19)"),
                Attempt("udp", "192.0.2.10", 123, process="ntpd (15)"),
                Attempt("icmp", "2001:db8::1", process="ping (16)"),
                Attempt("dns", name="nowhere.example", process="dig (17)"),
                Attempt("tcp", "198.18.0.2", 443, "hooks.example.com", "curl (18)", Answer.MOCKED),
                Attempt("https", port=443, name="POST https://hooks.example.com/x", answer=Answer.MOCKED),
                Attempt("tcp", "198.18.0.3", 8080, "mirror.example.com", "curl (20)", Answer.ALLOWED),
                Attempt("tcp", "198.18.0.9", 6443, "kubernetes.default.svc", "kubectl (21)", Answer.CLUSTER),
            ),
            events=(
                SecurityEvent(Threat.NETWORK, Severity.HIGH, "a ping of 2001:db8::1 was refused", "", "ping (16)"),
            ),
            usage=Usage(1.8, 871 * 1024**2, 6, 0.1, 0, 4096, 2 * 1024**2, 0, 512),
            samples=(
                Sample(0.5, 0.2, 100 * 1024**2, 4, 0),
                Sample(1.0, 0.7, 600 * 1024**2, 6, 1024**2),
                Sample(1.5, 1.2, 871 * 1024**2, 6, 2 * 1024**2),
                Sample(2.5, 1.8, 90 * 1024**2, 3, 2 * 1024**2),
            ),
            warnings=("871 MiB of 1 GiB of memory at most (85 %)",),
        ),
        step(
            2,
            "escape",
            path="call-home",
            message="exit code 0 in 0.4 s",
            seconds=0.4,
            began=2.6,
            events=(
                SecurityEvent(
                    Threat.ESCAPE,
                    Severity.HIGH,
                    "tried to mount a file system",
                    "mount(2) refused",
                    "mount (33)",
                    2,
                ),
                SecurityEvent(Threat.ABUSE, Severity.LOW, "filled its disk", "100 MiB in files"),
            ),
            usage=Usage(0.1, 95 * 1024**2, 3),
            samples=(Sample(3.0, 1.9, 95 * 1024**2, 3, 2 * 1024**2),),
        ),
    ),
    rollback=RollbackResult(RollbackStatus.NOT_DECLARED, "the package declares none"),
    usage=Usage(1.9, 871 * 1024**2, 6),
    tally=Tally(2, 2),
    seconds=4.1,
    network=(Attempt("tcp", "198.51.100.7", 4444, process="nc (40)"),),
    samples=(Sample(3.4, 1.95, 40 * 1024**2, 2, 2 * 1024**2),),
    suggested=Requirements("1500m", "1280Mi", "3Mi"),
)

UNREADABLE = Finding(
    "yaml-syntax",
    Severity.HIGH,
    "found a tab where only spaces may indent",
    Location("playbooks/broken.wpk.yaml", 7, 1, 7, 2),
    "indent with spaces",
    None,
    0,
    "\tname: broken",
)

# What each reader could be made to do by text alone: mention, link, load, command, move the cursor, end an element.
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


def run(*packages: PackageResult, **more: object) -> RunResult:
    """A run of these packages with the worst verdict of them."""
    facts: dict[str, object] = {
        "run_id": "3f2c1aa",
        "tool_version": "0.1.0",
        "started": "2026-01-02T03:04:05Z",
        "seconds": 91.4,
        "verdict": max((package.verdict for package in packages), key=lambda each: each.rank, default=Verdict.PASS),
        "packages": packages,
        "tally": sum((package.tally for package in packages), Tally()),
    }
    return RunResult(**{**facts, **more})  # type: ignore[arg-type]


EVERYTHING = run(
    PASSING,
    FAILING,
    BLOCKED,
    INCONCLUSIVE,
    verdict=Verdict.FAIL,
    findings=(UNREADABLE,),
    notes=("the merge base is unknown: every package was taken",),
)
GREEN = run(PASSING)
WATCHED = run(CALLING, seconds=4.2)
EMPTY = run(notes=("no package was changed",))
HOSTILE_RUN = run(HOSTILE_PACKAGE, findings=(), notes=(HOSTILE,))
