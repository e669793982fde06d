"""An open bubblewrap shell: how its process tree is started, and what is measured inside."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace

from wpk_sandbox import command
from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox import canary
from wpk_sandbox.sandbox.gate.local import LocalGate
from wpk_sandbox.sandbox.gate.netlink import NAME
from wpk_sandbox.sandbox.sandbox import Evidence, Observed, SandboxSpec
from wpk_sandbox.sandbox.shells import confinement, inside, probe
from wpk_sandbox.sandbox.shells.bounds import limits_evidence
from wpk_sandbox.sandbox.shells.bubblewrap_root import (
    NAMESPACES,
    SETTINGS,
    SUPERVISOR,
    TUN,
    root_arguments,
)
from wpk_sandbox.sandbox.shells.delivery import interpreter
from wpk_sandbox.sandbox.shells.given import given
from wpk_sandbox.sandbox.shells.groups import Groups
from wpk_sandbox.sandbox.shells.placing import placing
from wpk_sandbox.sandbox.shells.supervised import SupervisedShell

PLACING_TIMEOUT = 5.0


class BubblewrapShell(SupervisedShell):
    """The supervisor is process 1 of namespaces of its own."""

    name = "bubblewrap"

    def __init__(self, spec: SandboxSpec, groups: Groups, user: int | None) -> None:
        super().__init__(spec.limits, groups)
        self._user = user
        self._given = given(spec)
        wanted = spec.network.record or self._given.routes
        self._gate = LocalGate(self._given.routes) if wanted else None

    def place(self) -> str:
        network = "no network"
        if self._gate:
            why_not = self._gate.why_not
            network += f" (not recorded: {why_not})" if why_not else " (each attempt recorded)"
        return f"this host's programs in namespaces of their own, user {inside.USER}, {network}"

    def began(self) -> None:
        if self._gate:
            self._gate.begin(self.made)
        if self._given.files:
            command, variables = placing(self._given.files)
            completed = self.run(command, environment=variables, timeout=PLACING_TIMEOUT)
            if completed.exit_code != 0:
                raise SandboxError(f"could not put files into the shell: {completed.stderr or completed.detail}")

    def close(self) -> None:
        if self._gate:
            self._gate.close()
        super().close()

    def environment(self) -> Mapping[str, str]:
        return {**super().environment(), **self._given.environment}

    def observed(self) -> Observed:
        inner = super().observed()
        if self._gate is None:
            return inner
        seen = self._gate.observed()
        return replace(inner, attempts=seen.attempts, events=(*seen.events, *inner.events))

    def spawn(self, control: int, opened: ExitStack) -> command.Process:
        python = interpreter(self._user)
        if python is None:
            raise SandboxError("no Python that the sandbox can read", "install python3 in /usr")
        settings = {
            **confinement.settings(self.limits, control, self.groups),
            "workspace": inside.WORKSPACE,
            "mounts": confinement.mounts(self.limits),
        }
        if self._gate:
            settings["gate"] = {"path": TUN, "group": inside.USER, "loopback": self._gate.loopback}
        with ExitStack() as files:
            root, descriptors = root_arguments(python, json.dumps(settings), files)
            # `env -i` because whatever is in our own environment is nobody's business in there.
            argv = ["env", "-i", command.find("bwrap") or "bwrap", *NAMESPACES, *root]
            argv += [str(python), "-I", "-S", SUPERVISOR, SETTINGS]
            started = command.start(
                argv, cwd="/", pass_fds=(control, *settings["groups"], *descriptors), user=self._user
            )
            return opened.enter_context(started)

    def evidence(self) -> tuple[Evidence, ...]:
        tried = canary.targets(canary.next_hop(), self._given.routes)
        answers = self.answers(f"({probe.POSTURE})\n{canary.script(tried)}")
        gate = self._gate is not None and not self._gate.why_not
        namespaces = answers.one("user namespaces")
        return (
            *probe.common_evidence(answers),
            probe.network_evidence(answers, device=NAME if gate else ""),
            self.calls_evidence(answers),
            Evidence("further user namespaces", namespaces == "0", f"{namespaces or 'any number'} may be made"),
            *limits_evidence(self.limits, self.groups, answers),
            *canary.evidence(answers, tried, gate=gate),
        )
