"""An open shell whose commands a supervisor runs: the talk with it, and the streams of a command."""

import json
import os
import selectors
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import asdict
from typing import IO, Any

from wpk_sandbox import command
from wpk_sandbox.errors import SandboxError
from wpk_sandbox.package.units import human_bytes, human_seconds
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import Completed, Ended, Evidence, Limits, Observed, Sample, Usage
from wpk_sandbox.sandbox.seccomp.table import reasons
from wpk_sandbox.sandbox.shells import denied, inside, probe
from wpk_sandbox.sandbox.shells.bounds import bounds
from wpk_sandbox.sandbox.shells.conversation import ANSWER_TIMEOUT, Conversation
from wpk_sandbox.sandbox.shells.groups import PROCESSES, Counters, Groups, hierarchies
from wpk_sandbox.sandbox.shells.output import STDERR, STDOUT, Output

START_TIMEOUT = 10.0
CLOSE_TIMEOUT = 1.0
PROBE_TIMEOUT = 20.0
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_CALLS = {
    "recorded": "system calls filtered, denied ones recorded",
    "plain": "system calls filtered (this kernel does not tell which were denied)",
    "none": "system calls not filtered (this kernel has no seccomp)",
}


class SupervisedShell(ABC):
    """Commands go to the supervisor, one at a time; it is started again when it died.

    `details` say where commands run, what they may use, and what is not held here. `calls` says what becomes of
    denied system calls, `made` holds the descriptors that the supervisor made before it gave up its rights, by
    their names. `groups` are the control groups of the commands, which may be none.
    """

    name: str

    def __init__(self, limits: Limits, groups: Groups) -> None:
        self.limits = limits
        self.groups = groups
        self.details = ""
        self.calls = "none"
        self.reasons = reasons()
        self.made: dict[str, int] = {}
        self._opened = ExitStack()
        self._talk: Conversation | None = None
        self._counters = Counters()

    @abstractmethod
    def place(self) -> str:
        """Where commands run, in a few words."""

    @abstractmethod
    def spawn(self, control: int, opened: ExitStack) -> command.Process:
        """Start the supervisor, with `control` as its end of the socket."""

    @abstractmethod
    def evidence(self) -> tuple[Evidence, ...]:
        """Measure from inside that the shell is closed."""

    def start(self) -> None:
        """Start the supervisor and wait until it has closed the sandbox. Raises `SandboxError`."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._talk = Conversation(ours)
        with theirs:
            process = self.spawn(theirs.fileno(), self._opened)
            self._opened.callback(_wait_for_end, process)
        try:
            said, self.made = self._talk.ready(START_TIMEOUT, self._opened)
            self.calls = said["calls"]
            if not said["groups"]:
                self.groups.close()
        except SandboxError as error:
            words = _last_words(process) or error
            raise SandboxError(
                f"{self.name} could not make the shell: {words}", "see `wpk-sandbox doctor`"
            ) from None
        self.began()
        self.details = f"{self.place()}, {_CALLS[self.calls]}, {bounds(self.limits, self.groups)}"

    def began(self) -> None:  # noqa: B027 - not every shell has something to do
        """Do what a shell needs before its first command."""

    def close(self) -> None:
        """End all processes and wait for their end. May be called again."""
        talk, self._talk = self._talk, None
        if talk:
            talk.close()
        self._opened.close()

    def run(self, command: str, *, environment: Mapping[str, str], timeout: float) -> Completed:
        began = time.monotonic()
        if self._talk is None:
            self.start()
        output = Output(self.limits.output)
        self._counters = self.groups.counters()
        request = {"command": command, "environment": {"PATH": PATH, **self.environment(), **environment}}
        try:
            answer = self._execute(request, output, began + timeout)
            answer = self.refine(answer, output)
        except SandboxError:
            answer = self._start_again()
        ended = Ended(answer["ended"]) if "ended" in answer else None
        details = {
            Ended.DEADLINE: f"it still ran after {human_seconds(timeout)}",
            Ended.OUTPUT: f"it wrote more than {human_bytes(self.limits.output)} to one stream",
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

    def environment(self) -> Mapping[str, str]:
        """The variables that every command has."""
        return inside.ENVIRONMENT

    def observed(self) -> Observed:
        answer = self.talk.ask(b"observed")
        samples = tuple(Sample(at, cpu, *map(int, rest)) for at, cpu, *rest in answer["samples"])
        events = denied.events(answer["denied"], answer["further"], self.reasons)
        return Observed(events=events, samples=samples, usage=self.measured(answer["usage"]))

    def usage(self) -> Usage:
        try:
            return self.measured(self.talk.ask(b"usage"))
        except SandboxError:
            return Usage()

    def measured(self, said: Mapping[str, Any]) -> Usage:
        """The usage that the supervisor tells, and the kernel where it counts the commands together."""
        counted = {key: value for key, value in asdict(self.groups.usage()).items() if value is not None}
        return Usage(**{**said, **counted})

    def answers(self, script: str = probe.POSTURE, environment: Mapping[str, str] | None = None) -> probe.Answers:
        """What the probes found inside. Raises `SandboxError` when they did not come to an end."""
        completed = self.run(script, environment=environment or {}, timeout=PROBE_TIMEOUT)
        if completed.ended:
            raise SandboxError(f"the shell could not be measured: {completed.ended}, {completed.detail}")
        # What the probes tried is no doing of the package.
        self.observed()
        return probe.Answers(completed.stdout)

    def calls_evidence(self, answers: probe.Answers) -> Evidence:
        """The filter of system calls, as the kernel tells (2: there is one; proc(5))."""
        mode = answers.one("Seccomp:")
        return Evidence("system calls", mode == "2", f"{_CALLS[self.calls]}; Seccomp {mode or 'unknown'}")

    def refine(self, answer: dict[str, Any], output: Output) -> dict[str, Any]:
        """Name the limit by which the kernel stopped a command between two looks of the supervisor."""
        if "exit_code" not in answer and answer.get("ended") not in (Ended.DEADLINE, Ended.OUTPUT):
            return answer
        now = self.groups.counters()
        if now.out_of_memory > self._counters.out_of_memory:
            count = now.out_of_memory - self._counters.out_of_memory
            detail = f"the kernel ended {count} of it at {human_bytes(self.limits.step_memory)} of memory"
            return {**self.end_everything(Ended.MEMORY), "detail": detail}
        if now.refused_forks > self._counters.refused_forks:
            detail = f"it asked for more than {self.limits.processes} processes"
            return {**self.end_everything(Ended.PROCESSES), "detail": detail}
        if PROCESSES in self.groups.held or not inside.refused_fork(output.raw(STDERR)):
            return answer
        # Its words alone are no proof: it must have made about as many. (A silent one is gone before it is seen.)
        if self.talk.ask(b"made")["made"] < self.limits.processes // 2:
            return answer
        detail = f"it asked for more than {self.limits.processes} processes"
        return {**self.end_everything(Ended.PROCESSES), "detail": detail}

    def end_everything(self, ended: Ended) -> dict[str, Any]:
        """End all commands; the answer in place of the supervisor's."""
        self.talk.ask(b"kill")
        return {"ended": ended}

    @property
    def talk(self) -> Conversation:
        """The talk with the supervisor. Raises `SandboxError` when there is none."""
        if self._talk is None:
            raise SandboxError("the shell is closed")
        return self._talk

    def _start_again(self) -> dict[str, Any]:
        self.close()
        self.start()
        detail = "a new one was made, so the files of earlier steps are gone"
        return {"ended": Ended.SHELL_DIED, "detail": detail}

    def _execute(self, request: Mapping[str, Any], output: Output, deadline: float) -> dict[str, Any]:
        """Run a command; the supervisor's answer, or ours when we ended it. Raises `SandboxError` when it died."""
        with _pipe() as (stdout, to_stdout), _pipe() as (stderr, to_stderr):
            with memory_file(json.dumps(request).encode()) as file:
                self.talk.send(b"run", [file.fileno(), to_stdout.fileno(), to_stderr.fileno()])
            to_stdout.close()
            to_stderr.close()
            with selectors.DefaultSelector() as ready:
                ready.register(stdout, selectors.EVENT_READ, STDOUT)
                ready.register(stderr, selectors.EVENT_READ, STDERR)
                ready.register(self.talk, selectors.EVENT_READ)
                return self._follow(ready, output, deadline)

    def _follow(self, ready: selectors.BaseSelector, output: Output, deadline: float) -> dict[str, Any]:
        answer: dict[str, Any] | None = None
        while answer is None or len(ready.get_map()) > 0:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return answer or self.end_everything(Ended.DEADLINE)
            for key, _ in ready.select(remaining):
                if key.data is None:
                    answer = self.talk.receive(ANSWER_TIMEOUT)
                    ready.unregister(key.fileobj)
                    deadline = time.monotonic() + inside.GRACE
                elif not (chunk := os.read(key.fd, 65536)):
                    ready.unregister(key.fileobj)
                elif not output.add(key.data, chunk):
                    return self.end_everything(Ended.OUTPUT)
        return answer


@contextmanager
def opened(make: Callable[[Groups], SupervisedShell], limits: Limits, ledger: Ledger) -> Iterator[SupervisedShell]:
    """A started shell with control groups of its own where they are to be had; all is gone when it is left."""
    groups = Groups(limits)
    with closing(groups):
        groups.make(ledger, hierarchies())
        shell = make(groups)
        entry = ledger.enter("process tree", f"{shell.name} of run {ledger.run_id}", shell.close, lasts=False)
        try:
            shell.start()
            yield shell
        finally:
            ledger.undo(entry)


def memory_file(content: bytes) -> IO[bytes]:
    """A file without a name, ready to be read from its start."""
    file = os.fdopen(os.memfd_create("wpk"), "wb", buffering=0)
    file.write(content)
    file.seek(0)
    return file


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
