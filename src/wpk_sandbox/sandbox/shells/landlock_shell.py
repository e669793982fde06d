"""An open shell without namespaces: the files that its commands may use, and what is measured inside."""

import json
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from wpk_sandbox import command
from wpk_sandbox.errors import SandboxError
from wpk_sandbox.package.units import human_bytes
from wpk_sandbox.sandbox import canary
from wpk_sandbox.sandbox.emptying import empty
from wpk_sandbox.sandbox.sandbox import Evidence, SandboxSpec
from wpk_sandbox.sandbox.shells import confinement, delivery, inside
from wpk_sandbox.sandbox.shells.bounds import limits_evidence
from wpk_sandbox.sandbox.shells.groups import Groups
from wpk_sandbox.sandbox.shells.landlock_calls import REASONS, changing_modes, guards
from wpk_sandbox.sandbox.shells.landlock_evidence import PROBE, judged
from wpk_sandbox.sandbox.shells.output import Output
from wpk_sandbox.sandbox.shells.placing import placing
from wpk_sandbox.sandbox.shells.supervised import SupervisedShell
from wpk_sandbox.sandbox.shells.supervisor import landlock

PLACING_TIMEOUT = 20.0
# Looks for processes that survived, and seconds between two.
ROUNDS, PAUSE = 100, 0.01


class LandlockShell(SupervisedShell):
    """The supervisor is the reaper of all that commands start; `base` is a folder of theirs on the host's disk."""

    name = "landlock"

    def __init__(self, spec: SandboxSpec, groups: Groups, user: int | None, base: Path) -> None:
        super().__init__(spec.limits, groups)
        self._user = user
        self._base = base
        self._files = {**spec.network.files, **(spec.access.files if spec.access else {})}
        self._variables = {**spec.network.environment, **(spec.access.environment if spec.access else {})}
        self._version = landlock.version()
        self.reasons = {**self.reasons, **REASONS}

    def place(self) -> str:
        weaker = "no namespaces: processes, host names and the names of files are visible"
        if self._version < landlock.SCOPED_SINCE and self._user is None:
            weaker += ", and this user's other processes can be signalled"
        who = f"user {self._user}" if self._user is not None else "our own user"
        return f"this host's programs under Landlock (version {self._version}), {who}, no sockets ({weaker})"

    def began(self) -> None:
        if self.calls == "none":
            raise SandboxError("this kernel filters no system calls, without which Landlock leaves sockets open")
        if self._files:
            text, variables = placing({self._here(path): content for path, content in self._files.items()})
            completed = self.run(text, environment=variables, timeout=PLACING_TIMEOUT)
            if completed.exit_code != 0:
                raise SandboxError(f"could not put files into the shell: {completed.stderr or completed.detail}")

    def environment(self) -> Mapping[str, str]:
        own = {"HOME": str(self._base / "workspace"), "TMPDIR": str(self._base / "tmp")}
        return {**super().environment(), **own, **self._variables}

    def spawn(self, control: int, opened: ExitStack) -> command.Process:
        python = delivery.interpreter(self._user)
        if python is None:
            raise SandboxError("no Python that the sandbox can read", "install python3 in /usr")
        lay_out(self._base, self._user)
        entrances = self.groups.entrances()
        libraries = [f"LD_LIBRARY_PATH={path}" for path in delivery.outside_usr(python)[-1:]]
        argv = ["env", "-i", *libraries, str(python), "-I", "-S", str(self._base / "supervisor"), "-"]
        reading, writing = os.pipe()
        with os.fdopen(reading) as stdin, os.fdopen(writing, "w", encoding="utf-8") as told:
            kept = (control, *entrances)
            started = command.start(argv, cwd="/", stdin=stdin.fileno(), pass_fds=kept, user=self._user)
            process = opened.enter_context(started)
            # What nobody may signal is known only now.
            json.dump(self._settings(control, entrances, python, process.pid), told)
        return process

    def _settings(self, control: int, entrances: list[int], python: Path, supervisor: int) -> dict[str, Any]:
        protected = (supervisor, os.getpid(), os.getpgid(0))
        guarded = guards(protected, self._version, owns_files=self._user is None)
        workspace = self._base / "workspace"
        sizes = {workspace: inside.workspace_size(self.limits), self._base / "tmp": self.limits.tmp}
        return {
            **confinement.settings(self.limits, control, self.groups, guarded),
            "groups": entrances,
            "workspace": str(workspace),
            # As if each were a file system of its own. What its files take is watched, as memory is.
            "written": {str(path): (size, inside.most_files(size)) for path, size in sizes.items()},
            "files": " or ".join(f"{human_bytes(size)} in {path.name}" for path, size in sizes.items()),
            "places": list(self._places(python)),
            "changing_modes": changing_modes() if self._user is None else [],
        }

    def evidence(self) -> tuple[Evidence, ...]:
        python = delivery.interpreter(self._user) or Path("python3")
        variables = {
            "HOST": str(self._base),
            "OURS": str(os.getpid()),
            "PYTHON": str(python),
            "LIBRARY": "".join(map(str, delivery.outside_usr(python)[-1:])),
        }
        # Nothing can be connected to, which is tried above; so of the canary only the ways to more rights are left.
        answers = self.answers(f"({PROBE})\n{canary.script(())}", variables)
        return (
            *judged(answers, os.geteuid() if self._user is None else self._user),
            self.calls_evidence(answers),
            *limits_evidence(self.limits, self.groups, answers),
            *canary.evidence(answers, ()),
        )

    def refine(self, answer: dict[str, Any], output: Output) -> dict[str, Any]:
        if not answer.get("overflowing"):
            return super().refine(answer, output)
        # Else every further command would end at once.
        for name in ("workspace", "tmp"):
            empty(self._base / name)
        return {**answer, "detail": f"{answer['detail']}; all of them were removed"}

    def close(self) -> None:
        super().close()
        end_survivors(self._base)

    def _places(self, python: Path) -> Iterator[tuple[str, str]]:
        """What commands may use, and what for. Whatever is not there is not allowed either."""
        yield from ((f"/{name}", "run") for name in ("usr", *delivery.USR_LINKS))
        yield from ((str(path), "run") for path in delivery.outside_usr(python))
        yield from ((path, "read") for path in (*delivery.FROM_HOST, "/proc"))
        yield from ((f"/dev/{name}", "device") for name in delivery.DEVICES)
        yield str(self._base / "workspace"), "write and run"
        yield str(self._base / "tmp"), "write"

    def _here(self, path: str) -> str:
        """Where a path of other shells is in this one."""
        for other, own in ((inside.WORKSPACE, "workspace"), (inside.TEMPORARY, "tmp")):
            if path.startswith(f"{other}/"):
                return f"{self._base / own}{path.removeprefix(other)}"
        raise SandboxError(f"{path} cannot be placed in the shell")


def end_survivors(base: Path) -> None:
    """End what a supervisor left that was killed from outside: whoever carries the folder in its environment."""
    mark = f"{base / 'tmp'}\0".encode()
    for _ in range(ROUNDS):
        found = [
            int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if mark in _environment(path)
        ]
        if not found:
            return
        for process in found:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(PAUSE)


def _environment(path: Path) -> bytes:
    try:
        return path.read_bytes() + b"\0"
    except OSError:
        return b""


def lay_out(base: Path, user: int | None) -> None:
    """Make the folders of a shell anew, and the supervisor's modules, which `user` may read but not change."""
    base.chmod(0o711)
    for name in ("workspace", "tmp"):
        empty(base / name)
        (base / name).mkdir(exist_ok=True)
        if user is not None:
            os.chown(base / name, user, user)
        (base / name).chmod(0o700)
    for path, content in delivery.supervisor(str(base / "supervisor")).items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).parent.chmod(0o755)
        Path(path).write_bytes(content)
        Path(path).chmod(0o644)
