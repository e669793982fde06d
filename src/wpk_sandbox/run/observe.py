"""What a run tells while it goes on; the terminal listens, tests listen, nobody has to."""

from typing import Protocol

from wpk_sandbox.plan.plan import Plan, PlannedStep
from wpk_sandbox.run.result import PackageResult, RollbackResult, SandboxResult, StepResult


class Observer(Protocol):
    """Hears of each thing as it happens, in order, from one thread."""

    def package_started(self, name: str, version: str, path: str, risk: int, decision: str) -> None:
        """A package was read and decided on."""

    def sandbox_opening(self, sandbox: str, reason: str) -> None:
        """A sandbox is being made, which may take a while."""

    def sandbox_ready(self, sandbox: SandboxResult) -> None:
        """The sandbox is open and was measured."""

    def run_started(self, plan: Plan) -> None:
        """The first step is next."""

    def step_started(self, step: PlannedStep, total: int) -> None:
        """A step begins; `total` counts the steps of its phase."""

    def step_finished(self, result: StepResult, total: int) -> None:
        """A step ended."""

    def rollback_finished(self, result: RollbackResult) -> None:
        """The rollback ended, or was found not to be needed."""

    def package_finished(self, result: PackageResult) -> None:
        """All about the package is known, and its sandbox is gone."""

    def note(self, text: str) -> None:
        """Something worth a line."""


class Silent:
    """Listens to nothing."""

    def package_started(self, name: str, version: str, path: str, risk: int, decision: str) -> None: ...
    def sandbox_opening(self, sandbox: str, reason: str) -> None: ...
    def sandbox_ready(self, sandbox: SandboxResult) -> None: ...
    def run_started(self, plan: Plan) -> None: ...
    def step_started(self, step: PlannedStep, total: int) -> None: ...
    def step_finished(self, result: StepResult, total: int) -> None: ...
    def rollback_finished(self, result: RollbackResult) -> None: ...
    def package_finished(self, result: PackageResult) -> None: ...
    def note(self, text: str) -> None: ...
