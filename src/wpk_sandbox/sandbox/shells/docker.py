"""A shell in a hardened Docker container: no network, no capabilities, nothing to write to but two small folders.

One container per open shell; commands run in it one after another by exec, so they share `/tmp` and the
working folder. Nothing of the host is mounted.
"""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace

from wpk_sandbox.errors import SandboxError, UnavailableError
from wpk_sandbox.package.units import human_bytes, human_seconds
from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.gate.container import ContainerGate
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import (
    Completed,
    Ended,
    Evidence,
    Observed,
    SandboxSpec,
    Shell,
    ShellProvider,
    Usage,
)
from wpk_sandbox.sandbox.shells import inside
from wpk_sandbox.sandbox.shells.counters import Counters
from wpk_sandbox.sandbox.shells.docker_evidence import measured
from wpk_sandbox.sandbox.shells.docker_exec import Outcome, execute
from wpk_sandbox.sandbox.shells.docker_gate import gate, shell_image
from wpk_sandbox.sandbox.shells.docker_options import container_options, runtime_why_not
from wpk_sandbox.sandbox.shells.docker_watch import Watch
from wpk_sandbox.sandbox.shells.given import given
from wpk_sandbox.sandbox.shells.output import STDERR, STDOUT
from wpk_sandbox.sandbox.shells.placing import placing

# Seconds for our own short commands inside; what keeps them waiting is starved of processes, memory or time.
OWN_TIMEOUT = 3.0
OWN_OUTPUT = 64 * 1024
START_TIMEOUT = 20.0


class _Docker:
    name = "docker"

    def why_not(self, spec: SandboxSpec) -> str | None:
        reason = daemon.why_not()
        if reason:
            return reason
        if reason := runtime_why_not(spec):
            return reason
        image = shell_image(spec)
        if spec.pull or daemon.has_image(image):
            return None
        return f"the image {image} is not on this daemon; {daemon.PULL_REMEDY}"

    @contextmanager
    def open(self, spec: SandboxSpec, ledger: Ledger) -> Iterator[Shell]:
        inside.require_placeable(given(spec))
        spec = replace(spec, shell_image=shell_image(spec))
        if reason := runtime_why_not(spec):
            raise SandboxError(reason)
        reason = daemon.ensure_image(spec.shell_image, pull=spec.pull)
        if reason:
            raise SandboxError(reason)
        name = daemon.resource_name(ledger, f"shell-{secrets.token_hex(3)}")
        opened, making = gate(spec, ledger, name), container_options(spec)
        # The gate goes last: with the shell's container it has ended by itself, and is quickly removed.
        with (
            closing(opened) if opened else nullcontext(),
            daemon.container(ledger, name, spec.shell_image, **making) as container,
        ):
            shell = _DockerShell(container, spec, opened)
            try:
                shell.start()
                yield shell
            finally:
                shell.stop()


DOCKER: ShellProvider = _Docker()


class _DockerShell:
    """An open container shell. Counters of the control group are kept to know what a command added to them."""

    name = "docker"

    def __init__(self, container: str, spec: SandboxSpec, opened: ContainerGate | None) -> None:
        self._container = container
        self._spec = spec
        self._gate = opened
        self._given = given(spec)
        self._before = Counters()
        self._watch = Watch(container)
        self.details = self._described("no network")

    def _described(self, network: str) -> str:
        limits = self._spec.limits
        return (
            f"{self._spec.shell_image}, user {inside.USER}, {network}, {limits.step_cpu:g} CPU, "
            f"{human_bytes(limits.step_memory)}, {limits.processes} processes, enforced by the daemon"
        )

    def start(self) -> None:
        """Start the container and put the access's files in."""
        with _broken("start the shell's container"):
            if self._gate:
                self._gate.prepare()
            self._begin()
        self._put_files()

    def stop(self) -> None:
        """Let go of what was opened beside the container."""
        self._watch.end()

    def run(self, command: str, *, environment: Mapping[str, str], timeout: float) -> Completed:
        with _broken("run a command"):
            outcome = self._execute_on_a_live_shell(command, {**self._given.environment, **environment}, timeout)
            ended = self._hidden_limit(outcome) or outcome.ended
            detail = self._detail(ended, timeout) if ended else ""
            if ended and self._end_everything():
                detail += "; the shell was made anew, so the files of earlier steps are gone"
        return Completed(
            exit_code=None if ended else outcome.exit_code,
            stdout=outcome.output.text(STDOUT),
            stderr=outcome.output.text(STDERR),
            seconds=outcome.seconds,
            ended=ended,
            truncated=outcome.output.full,
            detail=detail,
        )

    def observed(self) -> Observed:
        recorded = self._gate.observed() if self._gate else Observed()
        used = self._watch.observed(OWN_TIMEOUT)
        return replace(recorded, usage=used.usage, samples=used.samples)

    def usage(self) -> Usage:
        return self._watch.usage(OWN_TIMEOUT)

    def evidence(self) -> tuple[Evidence, ...]:
        with _broken("measure how closed it is"):
            found = measured(self._container, self._spec, self._wait_for_the_gate)
        if self._gate:
            # What we tried ourselves is not the package's doing.
            self._gate.observed()
        return found

    def _execute_on_a_live_shell(self, command: str, environment: Mapping[str, str], timeout: float) -> Outcome:
        """Run it; when something that an earlier command left behind is in the way, once more on a new shell."""
        limit = self._spec.limits.output
        try:
            if self._is_thrashing():
                self._restart()
            self._wait_for_the_gate()
            outcome = execute(self._container, command, environment, timeout=timeout, output_limit=limit)
        except SandboxError:
            raise
        except UnavailableError:
            pass
        else:
            if not _never_started(outcome):
                return outcome
        self._restart()
        self._wait_for_the_gate()
        return execute(self._container, command, environment, timeout=timeout, output_limit=limit)

    def _is_thrashing(self) -> bool:
        """True when what an earlier command left behind goes on asking for processes that it does not get."""
        counters = self._watch.ask(OWN_TIMEOUT)
        return counters is not None and counters.refused_forks > self._before.refused_forks

    def _hidden_limit(self, outcome: Outcome) -> Ended | None:
        """The limit that the kernel enforced while the command seemed to end by itself, or went on without end."""
        before, counters = self._before, self._watch.ask(OWN_TIMEOUT)
        if counters is None:
            return outcome.ended or self._why_it_does_not_answer()
        self._before = counters
        # Whatever it says of itself: what lost a process, or had to do without one, has not shown what it does.
        if counters.out_of_memory > before.out_of_memory:
            return Ended.MEMORY
        return Ended.PROCESSES if counters.refused_forks > before.refused_forks else None

    def _why_it_does_not_answer(self) -> Ended:
        with daemon.translated("look at the shell's container"):
            state = daemon.client().api.inspect_container(self._container)["State"]
        if state["OOMKilled"]:
            return Ended.MEMORY
        return Ended.PROCESSES if state["Running"] else Ended.SHELL_DIED

    def _detail(self, ended: Ended, timeout: float) -> str:
        limits = self._spec.limits
        return {
            Ended.DEADLINE: f"it still ran after {human_seconds(timeout)}",
            Ended.OUTPUT: f"it wrote more than {human_bytes(limits.output)} to one stream",
            Ended.MEMORY: f"it used more than {human_bytes(limits.step_memory)} of memory, its files included",
            Ended.PROCESSES: f"it asked for more than {limits.processes} processes",
            Ended.SHELL_DIED: "the shell's container ended",
        }[ended]

    def _end_everything(self) -> bool:
        """Kill all that a command started; True when that took a restart, which loses the files."""
        try:
            outcome = self._own("kill -9 -1")
        except UnavailableError:
            outcome = None
        if outcome and outcome.ended is None and outcome.exit_code == 0:
            # What was killed went on hitting its limit until now, which is not the next command's doing.
            self._before = self._watch.ask(OWN_TIMEOUT) or self._before
            return False
        self._restart()
        return True

    def _begin(self) -> None:
        self._watch.start(START_TIMEOUT)
        if self._gate:
            self._gate.begin()

    def _wait_for_the_gate(self) -> bool:
        """Wait until every attempt is seen, and say whether it is."""
        if self._gate is None:
            return False
        ready = self._gate.ready()
        recorded = "each attempt recorded" if ready else f"not recorded: {self._gate.why_not}"
        self.details = self._described(f"no network ({recorded})")
        return ready

    def _restart(self) -> None:
        if self._gate:
            self._gate.end()
        with daemon.translated("restart the shell's container"):
            daemon.client().api.stop(self._container, timeout=0)
        self._begin()
        self._before = Counters()
        self._put_files()

    def _put_files(self) -> None:
        """Write the given files through a command's variables, since `docker cp` does not reach a tmpfs."""
        files = self._given.files
        if not files:
            return
        script, variables = placing(files)
        with _broken("put files into the shell"):
            outcome = self._own(script, environment=variables)
        if outcome.exit_code != 0:
            raise SandboxError(f"could not put files into the shell: {outcome.output.text(STDERR).strip()}")

    def _own(self, script: str, environment: Mapping[str, str] | None = None) -> Outcome:
        return execute(self._container, script, environment or {}, timeout=OWN_TIMEOUT, output_limit=OWN_OUTPUT)


def _never_started(outcome: Outcome) -> bool:
    """True when the runtime answered in the command's place, for want of a process to start it with."""
    return outcome.exit_code in (126, 128, 255) and b"OCI runtime exec failed" in outcome.output.raw(STDOUT)


@contextmanager
def _broken(doing: str) -> Iterator[None]:
    try:
        yield
    except SandboxError:
        raise
    except UnavailableError as error:
        raise SandboxError(f"the Docker shell broke while trying to {doing}: {error}", error.remedy) from error
