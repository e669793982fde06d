"""One result that holds everything which a report must be able to say; times and ids are fixed."""

from report.parts import KIND, run, step
from wpk_sandbox.finding import Finding, Location, Severity
from wpk_sandbox.plan.plan import Fidelity, Origin, ParameterUse, Phase
from wpk_sandbox.rules.policy import Decision, Outcome, RiskItem
from wpk_sandbox.run.result import (
    Change,
    Effect,
    Limit,
    PackageResult,
    RollbackResult,
    RollbackStatus,
    StepStatus,
    Verdict,
)
from wpk_sandbox.sandbox.ledger import Left, Tally
from wpk_sandbox.sandbox.sandbox import Usage

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

EMPTY = run(notes=("no package was changed",))
