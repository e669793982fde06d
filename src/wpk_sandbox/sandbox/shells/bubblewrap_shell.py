"""An open bubblewrap shell: how its process tree is started, and what is measured inside."""

import json
from collections.abc import Iterator
from contextlib import ExitStack

from wpk_sandbox import command
from wpk_sandbox.errors import SandboxError
from wpk_sandbox.package.units import human_bytes
from wpk_sandbox.sandbox.sandbox import Evidence, Limits
from wpk_sandbox.sandbox.shells import confinement, inside, probe
from wpk_sandbox.sandbox.shells.bubblewrap_root import NAMESPACES, SETTINGS, SUPERVISOR, interpreter, root_arguments
from wpk_sandbox.sandbox.shells.supervised import SupervisedShell


class BubblewrapShell(SupervisedShell):
    """The supervisor is process 1 of namespaces of its own."""

    name = "bubblewrap"

    def __init__(self, limits: Limits, user: int | None) -> None:
        super().__init__(limits)
        self._user = user

    def place(self) -> str:
        return f"this host's programs in namespaces of their own, user {inside.USER}, no network"

    def bounds(self) -> str:
        return (
            f"{inside.cores(self.limits)} CPU by affinity, {human_bytes(self.limits.step_memory)} and "
            f"{self.limits.processes} processes watched from inside every 50 ms"
        )

    def spawn(self, control: int, opened: ExitStack) -> command.Process:
        python = interpreter(self._user)
        if python is None:
            raise SandboxError("no Python that the sandbox can read", "install python3 in /usr")
        settings = {
            **confinement.settings(self.limits, control),
            "workspace": inside.WORKSPACE,
            "mounts": confinement.mounts(self.limits),
        }
        with ExitStack() as files:
            root, descriptors = root_arguments(python, json.dumps(settings), files)
            # `env -i` because whatever is in our own environment is nobody's business in there.
            argv = ["env", "-i", command.find("bwrap") or "bwrap", *NAMESPACES, *root]
            argv += [str(python), "-I", "-S", SUPERVISOR, SETTINGS]
            started = command.start(argv, cwd="/", pass_fds=(control, *descriptors), user=self._user)
            return opened.enter_context(started)

    def evidence(self) -> tuple[Evidence, ...]:
        answers = self.answers()
        namespaces = answers.one("user namespaces")
        return (
            *probe.common_evidence(answers),
            probe.network_evidence(answers, joined=""),
            self.calls_evidence(answers),
            Evidence("further user namespaces", namespaces == "0", f"{namespaces or 'any number'} may be made"),
            *self._limits_evidence(answers),
        )

    def _limits_evidence(self, answers: probe.Answers) -> Iterator[Evidence]:
        limits, rlimits = self.limits, confinement.rlimits(self.limits)
        data = answers.number("data")
        yield Evidence(
            "memory limit",
            data == rlimits["RLIMIT_DATA"],
            f"{human_bytes(limits.step_memory)} in all, watched; "
            + (f"{human_bytes(data)} a process, by the kernel" if data is not None else "no limit a process"),
        )
        wanted, processes = rlimits.get("RLIMIT_NPROC"), answers.number("nproc")
        yield Evidence(
            "process limit",
            wanted is None or processes == wanted,
            f"{limits.processes}, watched" + (f"; {processes}, by the kernel" if wanted else ""),
        )
