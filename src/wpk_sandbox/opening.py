"""Opening what a plan needs: the cluster and the shell of its sandbox, measured before anything runs in them."""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

from wpk_sandbox.errors import NoRouteError
from wpk_sandbox.package.package import Package
from wpk_sandbox.plan.plan import Plan
from wpk_sandbox.plan.planner import needs
from wpk_sandbox.run.outcome import OpenedSandbox
from wpk_sandbox.run.result import SandboxResult
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.outside.outside import Outside
from wpk_sandbox.sandbox.sandbox import Cluster, Evidence, SandboxSpec, Shell
from wpk_sandbox.sandbox.table import KUBECTL, Choice


@contextmanager
def opened(
    intended: Plan, choice: Choice, spec: SandboxSpec, beyond: Outside, ledger: Ledger
) -> Iterator[tuple[SandboxResult, OpenedSandbox]]:
    """The halves that the plan needs, measured; the cluster first, because the shell reaches its API."""
    began = time.monotonic()
    with ExitStack() as stack:
        cluster: Cluster | None = None
        shell: Shell | None = None
        proofs: tuple[Evidence, ...] = ()
        lacks: tuple[str, ...] = ()
        if intended.needs_cluster:
            asked = replace(spec, images=intended.images, permissions=_permissions(intended.package))
            cluster = stack.enter_context(choice.type.cluster().open(asked, ledger))
            for namespace in intended.namespaces[:1]:
                cluster.prepare(namespace)
        if intended.needs_shell:
            joined = replace(spec, access=cluster.shell_access() if cluster else None)
            shell, proofs, lacks = _open_shell(stack, intended, choice, joined, ledger)
        halves = [half for half in (cluster, shell) if half is not None]
        evidence = (*(cluster.evidence() if cluster else ()), *proofs)
        details = (*(half.details for half in halves), *lacks)
        seconds = time.monotonic() - began
        sandbox = SandboxResult(choice.type.name, choice.reason, details, seconds, evidence)
        yield sandbox, OpenedSandbox(shell, cluster, beyond)


def _open_shell(
    stack: ExitStack, intended: Plan, choice: Choice, spec: SandboxSpec, ledger: Ledger
) -> tuple[Shell, tuple[Evidence, ...], tuple[str, ...]]:
    """The shell, measured, and what it lacks: a way to the cluster, where no command is seen to want one.

    Raises `NoRouteError` when routes are wanted and cannot be had.
    """
    try:
        return *_measured_shell(stack, choice, spec, ledger), ()
    except NoRouteError as error:
        if spec.access is None or spec.network.routes or KUBECTL in needs(intended.package):
            raise
        lacks = f"commands cannot call the cluster, and none is seen to: {error}"
    return *_measured_shell(stack, choice, replace(spec, access=None), ledger), (lacks,)


def _measured_shell(
    stack: ExitStack, choice: Choice, spec: SandboxSpec, ledger: Ledger
) -> tuple[Shell, tuple[Evidence, ...]]:
    """A shell that stays open with `stack`; one that cannot be measured is closed at once."""
    with ExitStack() as trial:
        shell = trial.enter_context(choice.type.shell().open(spec, ledger))
        evidence = shell.evidence()
        stack.push(trial.pop_all())
    return shell, evidence


def _permissions(package: Package) -> tuple[str, ...] | None:
    """What the package says that it needs; None when it says nothing, which asks for what it may need."""
    written: Any = package.document.data
    for key in ("spec", "validation", "required_permissions"):
        written = written.get(key) if isinstance(written, Mapping) else None
    return None if written is None else package.required_permissions
