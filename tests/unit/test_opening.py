"""Opening a sandbox whose shell can, or cannot, be given a way to its cluster."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from wpk_sandbox.errors import NoRouteError, SandboxError
from wpk_sandbox.opening import opened
from wpk_sandbox.package.load import load_bytes
from wpk_sandbox.package.package import Case
from wpk_sandbox.plan.plan import Plan
from wpk_sandbox.plan.planner import PlanOptions, plan
from wpk_sandbox.run.result import SandboxResult
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.outside.outside import Outside
from wpk_sandbox.sandbox.sandbox import Answer, Evidence, Network, Route, SandboxSpec, ShellAccess
from wpk_sandbox.sandbox.table import Choice, SandboxType

PACKAGE = """\
apiVersion: v1
kind: WorkflowPackage
metadata: {{name: both, version: 1.0.0}}
spec:
  runtime: {{type: k8s}}
  handlers:
    - name: grow
      type: k8s
      config: {{action: scale, resource_type: deployment, name: web, replicas: 3}}
    - name: look
      type: shell
      config: {{command: "{command}"}}
"""
ROUTE = Route("kubernetes.default.svc", 443, Answer.CLUSTER, lambda stream: stream.close())


@dataclass
class Halves:
    """Opens a cluster that has a route for shells, and shells that fail as they are told to."""

    error: Exception | None = None
    given: list[ShellAccess | None] = field(default_factory=list)
    closed: int = 0
    details: str = "a half"

    @contextmanager
    def open(self, spec: SandboxSpec, ledger: Ledger) -> Iterator["Halves"]:
        self.given.append(spec.access)
        try:
            if self.error and (spec.access or spec.network.routes):
                raise self.error
            yield self
        finally:
            self.closed += 1

    def prepare(self, namespace: str) -> None:
        """It is always there."""

    def shell_access(self) -> ShellAccess:
        return ShellAccess(files={"/workspace/.kube/config": "{}"}, routes=(ROUTE,))

    def evidence(self) -> tuple[Evidence, ...]:
        return (Evidence("leave it", held=True, seen="refused"),)


@dataclass(frozen=True)
class Row(SandboxType):
    """A row of the table with these halves."""

    halves: tuple[Halves, Halves] = field(default_factory=lambda: (Halves(), Halves()))

    def cluster(self) -> Any:
        return self.halves[0]

    def shell(self) -> Any:
        return self.halves[1]


def intended(command: str) -> Plan:
    (package,) = load_bytes(PACKAGE.format(command=command).encode(), "both.wpk.yaml").packages
    return plan(package, Case(), PlanOptions("kind"))


def tried(made: Plan, shells: Halves, *, network: Network | None = None) -> SandboxResult:
    choice = Choice(Row("kind", "", "", halves=(Halves(), shells)), "asked for")
    spec = SandboxSpec(network=network or Network())
    ledger = Ledger("unit", datetime.now(UTC) + timedelta(hours=1))
    with opened(made, choice, spec, Outside(), ledger) as (sandbox, halves):
        assert halves.shell is not None
        assert halves.shell.details == shells.details
    return sandbox


def test_shell_is_given_the_way_to_its_cluster() -> None:
    shells = Halves()
    sandbox = tried(intended("true"), shells)
    assert [access is not None and access.routes for access in shells.given] == [(ROUTE,)]
    assert sandbox.details == ("a half", "a half")


def test_shell_whose_commands_call_no_cluster_opens_without_the_way_and_says_so() -> None:
    shells = Halves(error=NoRouteError("the image holds no python3"))
    sandbox = tried(intended("true"), shells)
    assert [access is None for access in shells.given] == [False, True]
    assert shells.closed == 2
    assert sandbox.details[2] == "commands cannot call the cluster, and none is seen to: the image holds no python3"


@pytest.mark.parametrize("command", ["kubectl get pods", "helm list"])
def test_shell_whose_commands_call_the_cluster_needs_the_way(command: str) -> None:
    shells = Halves(error=NoRouteError("the image holds no python3"))
    with pytest.raises(NoRouteError):
        tried(intended(command), shells)
    assert shells.closed == len(shells.given) == 1


def test_shell_that_was_to_reach_mocks_needs_its_routes() -> None:
    shells = Halves(error=NoRouteError("the image holds no python3"))
    with pytest.raises(NoRouteError):
        tried(intended("true"), shells, network=Network(routes=(ROUTE,)))
    assert len(shells.given) == 1


def test_shell_that_fails_for_another_reason_is_not_tried_again() -> None:
    shells = Halves(error=SandboxError("the daemon is gone"))
    with pytest.raises(SandboxError, match="the daemon is gone"):
        tried(intended("true"), shells)
    assert shells.closed == len(shells.given) == 1
