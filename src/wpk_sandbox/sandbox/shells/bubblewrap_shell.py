"""An open bubblewrap shell: the process tree, the talk with its supervisor, and the streams of a command."""

import json
import os
import platform
import re
import selectors
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import IO, Any

from wpk_sandbox import command
from wpk_sandbox.errors import SandboxError
from wpk_sandbox.package.units import human_bytes, human_seconds
from wpk_sandbox.sandbox.sandbox import Completed, Ended, Evidence, Limits, Observed, Usage
from wpk_sandbox.sandbox.shells import inside, probe
from wpk_sandbox.sandbox.shells.bubblewrap_root import NAMESPACES, SUPERVISOR, interpreter, root_arguments
from wpk_sandbox.sandbox.shells.output import STDERR, STDOUT, Output

START_TIMEOUT = 10.0
ANSWER_TIMEOUT = 10.0
CLOSE_TIMEOUT = 1.0
PROBE_TIMEOUT = 20.0
MADE_AT_MOST = 16
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Before 5.14 the kernel counted a user's processes over all namespaces, so its limit would count the whole desktop.
_COUNTS_BY_NAMESPACE = (5, 14)


class BubblewrapShell:
    """Commands go to the supervisor inside, one at a time; it is started again when it died."""

    name = "bubblewrap"

    def __init__(self, limits: Limits, user: int | None) -> None:
        self._limits = limits
        self._user = user
        self._opened = ExitStack()
        self._control: socket.socket | None = None
        self._made: dict[str, int] = {}
        self.details = (
            f"this host's programs in namespaces of their own, user {inside.USER}, no network, "
            f"{inside.cores(limits)} CPU by affinity, {human_bytes(limits.step_memory)} and "
            f"{limits.processes} processes watched from inside every 50 ms"
        )

    def start(self) -> None:
        """Make the namespaces and wait until the supervisor has closed them. Raises `SandboxError`."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control = ours
        with theirs, ExitStack() as files:
            process = self._spawn(theirs.fileno(), files)
        try:
            self._made = self._receive_ready()
        except SandboxError as error:
            words = _last_words(process) or error
            raise SandboxError(
                f"bubblewrap could not make the shell: {words}", "see `wpk-sandbox doctor`"
            ) from None

    def close(self) -> None:
        """End the process tree and wait for its end. May be called again."""
        control, self._control = self._control, None
        if control:
            control.close()
        self._opened.close()

    def run(self, command: str, *, environment: Mapping[str, str], timeout: float) -> Completed:
        began = time.monotonic()
        if self._control is None:
            self.start()
        output = Output(self._limits.output)
        request = {"command": command, "environment": {"PATH": PATH, **inside.ENVIRONMENT, **environment}}
        try:
            answer = self._execute(request, output, began + timeout)
            answer = self._refine(answer, output)
        except SandboxError:
            self.close()
            self.start()
            answer = {
                "ended": Ended.SHELL_DIED,
                "detail": "a new one was made, so the files of earlier steps are gone",
            }
        ended = Ended(answer["ended"]) if "ended" in answer else None
        details = {
            Ended.DEADLINE: f"it still ran after {human_seconds(timeout)}",
            Ended.OUTPUT: f"it wrote more than {human_bytes(self._limits.output)} to one stream",
        }
        return Completed(
            exit_code=None if ended else int(answer["exit_code"]),
            stdout=output.text(STDOUT),
            stderr=output.text(STDERR),
            seconds=time.monotonic() - began,
            ended=ended,
            truncated=output.full,
            detail=str(answer.get("detail") or (details.get(ended, "") if ended else "")),
        )

    def observed(self) -> Observed:
        return Observed(usage=self.usage())

    def usage(self) -> Usage:
        try:
            return Usage(**self._ask(b"usage"))
        except SandboxError:
            return Usage()

    def evidence(self) -> tuple[Evidence, ...]:
        completed = self.run(probe.POSTURE, environment={}, timeout=PROBE_TIMEOUT)
        if completed.ended:
            raise SandboxError(f"the shell could not be measured: {completed.ended}, {completed.detail}")
        answers = probe.Answers(completed.stdout)
        namespaces = answers.one("user namespaces")
        return (
            *probe.common_evidence(answers),
            probe.network_evidence(answers, joined=""),
            Evidence("further user namespaces", namespaces == "0", f"{namespaces or 'any number'} may be made"),
            *self._limits_evidence(answers),
        )

    def _limits_evidence(self, answers: probe.Answers) -> Iterator[Evidence]:
        limits, rlimits = self._limits, _rlimits(self._limits)
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

    def _spawn(self, control: int, files: ExitStack) -> command.Process:
        python = interpreter(self._user)
        if python is None:
            raise SandboxError("no Python that the sandbox can read", "install python3 in /usr")
        root, descriptors = root_arguments(python, files)
        settings = json.dumps(_settings(self._limits, control))
        # `env -i` because whatever is in our own environment is nobody's business in there.
        argv = ["env", "-i", command.find("bwrap") or "bwrap", *NAMESPACES, *root]
        argv += [str(python), "-I", "-S", SUPERVISOR, settings]
        process = self._opened.enter_context(
            command.start(argv, cwd="/", pass_fds=(control, *descriptors), user=self._user)
        )
        self._opened.callback(_wait_for_end, process)
        return process

    def _execute(self, request: Mapping[str, Any], output: Output, deadline: float) -> dict[str, Any]:
        """Run a command; the supervisor's answer, or ours when we ended it. Raises `SandboxError` when it died."""
        with _pipe() as (stdout, to_stdout), _pipe() as (stderr, to_stderr):
            with os.fdopen(os.memfd_create("wpk"), "wb", buffering=0) as file:
                file.write(json.dumps(request).encode())
                file.seek(0)
                self._send(b"run", [file.fileno(), to_stdout.fileno(), to_stderr.fileno()])
            to_stdout.close()
            to_stderr.close()
            with selectors.DefaultSelector() as ready:
                ready.register(stdout, selectors.EVENT_READ, STDOUT)
                ready.register(stderr, selectors.EVENT_READ, STDERR)
                ready.register(self._live_control(), selectors.EVENT_READ)
                return self._follow(ready, output, deadline)

    def _follow(self, ready: selectors.BaseSelector, output: Output, deadline: float) -> dict[str, Any]:
        answer: dict[str, Any] | None = None
        while answer is None or len(ready.get_map()) > 0:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return answer or self._end_everything(Ended.DEADLINE)
            for key, _ in ready.select(remaining):
                if key.data is None:
                    answer = self._receive(ANSWER_TIMEOUT)
                    ready.unregister(key.fileobj)
                    deadline = time.monotonic() + inside.GRACE
                elif not (chunk := os.read(key.fd, 65536)):
                    ready.unregister(key.fileobj)
                elif not output.add(key.data, chunk):
                    return self._end_everything(Ended.OUTPUT)
        return answer

    def _refine(self, answer: dict[str, Any], output: Output) -> dict[str, Any]:
        """Name the process limit when the kernel refused a fork between two looks of the supervisor."""
        unexplained = "exit_code" in answer or answer.get("ended") in (Ended.DEADLINE, Ended.OUTPUT)
        if not unexplained or not inside.refused_fork(output.raw(STDERR)):
            return answer
        # Its words alone are no proof: it must have made about as many. (A silent one is gone before it is seen.)
        if self._ask(b"made")["made"] < self._limits.processes // 2:
            return answer
        detail = f"it asked for more than {self._limits.processes} processes"
        return {**self._end_everything(Ended.PROCESSES), "detail": detail}

    def _end_everything(self, ended: Ended) -> dict[str, Any]:
        self._ask(b"kill")
        return {"ended": ended}

    def _ask(self, request: bytes) -> dict[str, Any]:
        """Send a request and wait for its answer, past that of a command that ended at the same moment."""
        self._send(request)
        answer = self._receive(ANSWER_TIMEOUT)
        while "exit_code" in answer or "ended" in answer:
            answer = self._receive(ANSWER_TIMEOUT)
        return answer

    def _send(self, request: bytes, descriptors: Sequence[int] = ()) -> None:
        try:
            socket.send_fds(self._live_control(), [request], list(descriptors))
        except OSError as error:
            raise SandboxError(f"the shell's supervisor is gone: {error}") from error

    def _receive(self, timeout: float) -> dict[str, Any]:
        """The supervisor's next message. Raises `SandboxError` when there is none."""
        control = self._live_control()
        control.settimeout(timeout)
        try:
            message = control.recv(65536)
            answer = json.loads(message)
        except (OSError, ValueError) as error:
            raise SandboxError("the shell's supervisor does not answer") from error
        if not isinstance(answer, dict):
            raise SandboxError("the shell's supervisor does not make sense")
        return answer

    def _receive_ready(self) -> dict[str, int]:
        """Wait until the sandbox is closed; the descriptors that were made in it before, by name. They are ours."""
        control = self._live_control()
        control.settimeout(START_TIMEOUT)
        try:
            message, descriptors, _, _ = socket.recv_fds(control, 65536, MADE_AT_MOST)
            for descriptor in descriptors:
                self._opened.callback(os.close, descriptor)
            return dict(zip(json.loads(message)["made"], descriptors, strict=True))
        except (OSError, ValueError, KeyError) as error:
            raise SandboxError("the shell's supervisor does not answer") from error

    def _live_control(self) -> socket.socket:
        if self._control is None:
            raise SandboxError("the shell is closed")
        return self._control


def _settings(limits: Limits, control: int) -> dict[str, Any]:
    return {
        "control": control,
        "tmp": limits.tmp,
        "workspace": inside.WORKSPACE,
        "workspace_size": inside.workspace_size(limits),
        "shared_memory": inside.SHARED_MEMORY,
        "memory": limits.step_memory,
        "processes": limits.processes,
        "cores": _some_cores(inside.cores(limits)),
        "rlimits": _rlimits(limits),
    }


def _rlimits(limits: Limits) -> dict[str, int]:
    """What the kernel enforces of each process, or of the user in this namespace, by setrlimit(2).

    `RLIMIT_DATA` leaves room to be caught by the watch on memory first, which names the reason. `RLIMIT_NPROC` has
    room for the supervisor.
    """
    wanted = {
        "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": inside.OPEN_FILES,
        "RLIMIT_FSIZE": max(limits.tmp, inside.workspace_size(limits)),
        "RLIMIT_DATA": 2 * limits.step_memory,
    }
    if _kernel() >= _COUNTS_BY_NAMESPACE:
        wanted["RLIMIT_NPROC"] = limits.processes + 1
    return wanted


def _kernel() -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", platform.release())[:2])


def _some_cores(count: int) -> list[int]:
    """Cores that we may use ourselves, not the same ones for every process of wpk-sandbox."""
    allowed = sorted(os.sched_getaffinity(0))
    first = os.getpid() % len(allowed)
    return (allowed + allowed)[first : first + min(count, len(allowed))]


@contextmanager
def _pipe() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as source, os.fdopen(writing, "wb", buffering=0) as sink:
        yield source, sink


def _wait_for_end(process: command.Process) -> None:
    """The end of its socket has told the supervisor to go; what does not go is killed thereafter."""
    with suppress(command.StillRunning):
        process.wait(CLOSE_TIMEOUT)


def _last_words(process: command.Process) -> str:
    _wait_for_end(process)
    if process.stderr is None or process.poll() is None:
        return ""
    return process.stderr.read(4096).decode("utf-8", "replace").strip()
