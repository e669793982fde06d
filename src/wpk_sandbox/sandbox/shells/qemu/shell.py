"""An open shell in a guest: commands go to the agent inside, one at a time; a guest that died is booted anew."""

import secrets
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from shlex import quote

from wpk_sandbox import command
from wpk_sandbox.errors import SandboxError
from wpk_sandbox.package.units import human_bytes, human_seconds
from wpk_sandbox.sandbox import canary
from wpk_sandbox.sandbox.gate.netlink import NAME
from wpk_sandbox.sandbox.sandbox import (
    Completed,
    Ended,
    Evidence,
    Limits,
    Observed,
    SandboxSpec,
    ShellAccess,
    Usage,
)
from wpk_sandbox.sandbox.shells import inside
from wpk_sandbox.sandbox.shells.output import STDERR, STDOUT, Output
from wpk_sandbox.sandbox.shells.placing import placing
from wpk_sandbox.sandbox.shells.probe import Answers
from wpk_sandbox.sandbox.shells.qemu import machine, posture
from wpk_sandbox.sandbox.shells.qemu.gate import NO_PYTHON, GuestGate
from wpk_sandbox.sandbox.shells.qemu.image import Image
from wpk_sandbox.sandbox.shells.qemu.initramfs import initramfs
from wpk_sandbox.sandbox.shells.qemu.kernel import Kernel
from wpk_sandbox.sandbox.shells.qemu.meter import Counters, Meter, read_counters
from wpk_sandbox.sandbox.shells.qemu.ports import Ports

# Emulated on a busy host it takes ten times what it takes on an idle one.
BOOT_TIMEOUT = 180.0
ANSWER_TIMEOUT = 20.0
PROBE_TIMEOUT = 60.0
# An emulated machine needs seconds for as many processes as a fork bomb may have.
MULTIPLYING = 10.0
# Looks at memory from one sample to the next, each a tenth of a second: half of the second that is promised, for an
# emulated machine that is busy takes as long again.
LOOKS = 5
_ANEW = "a new guest was booted, so the files of earlier steps are gone"


class QemuShell:
    """Counters are kept to know what a command added to them."""

    name = "vm"

    def __init__(
        self, spec: SandboxSpec, given: ShellAccess, kernel: Kernel, image: Image, *, accelerated: bool
    ) -> None:
        self._limits, self._given = spec.limits, given
        self._kernel, self._image, self._accelerated = kernel, image, accelerated
        self._opened = ExitStack()
        self._ports = Ports()
        self._meter = Meter()
        self._before = Counters()
        self._began = time.monotonic()
        self._gate = GuestGate(given.routes) if spec.network.record or given.routes else None
        self.details = self._described("no network")

    def _described(self, network: str) -> str:
        limits = self._limits
        return (
            f"{self._image.name} as root of a virtual machine, Linux {self._kernel.version}, "
            f"{'KVM' if self._accelerated else 'emulated'}, {network}, {limits.step_cpu:g} CPU, "
            f"{human_bytes(limits.step_memory)}, {limits.processes} processes; {machine.walls()}"
        )

    def start(self) -> None:
        """Boot the guest and wait for its agent. Raises `SandboxError`."""
        wanted = machine.Machine(
            kernel=self._kernel.path.read_bytes(),
            initramfs=initramfs(self._kernel, _agent_settings(self._limits)),
            memory=self._limits.step_memory + machine.OVERHEAD,
            cores=inside.cores(self._limits),
            accelerated=self._accelerated,
            disk=self._image.file,
        )
        self._ports.close()
        self._ports = Ports()
        self._opened.callback(self._ports.close)
        self._meter.boot(time.monotonic() - self._began)
        process = machine.start(wanted, self._ports.descriptors(), self._opened)
        self._ports.start()
        try:
            self._ports.answer("ready", BOOT_TIMEOUT)
        except SandboxError as error:
            words = _last_words(process) or error
            raise SandboxError(f"the guest did not come up: {words}", "see `wpk-sandbox doctor`") from None
        self._before = Counters()
        self._put_files()
        self._open_gate()

    def close(self) -> None:
        """End the guest. May be called again, and from any thread."""
        if self._gate:
            self._gate.end()
        opened, self._opened = self._opened, ExitStack()
        opened.close()

    def run(self, command: str, *, environment: Mapping[str, str], timeout: float) -> Completed:
        began = time.monotonic()
        output = Output(self._limits.output)
        detail = ""
        try:
            exit_code, ended = self._execute(self._request(command, environment), output, began + timeout)
        except SandboxError:
            exit_code, ended, detail = None, Ended.SHELL_DIED, _ANEW
            self._boot_anew()
        return Completed(
            exit_code=None if ended else exit_code,
            stdout=output.text(STDOUT),
            stderr=output.text(STDERR),
            seconds=time.monotonic() - began,
            ended=ended,
            truncated=output.full,
            detail=detail or (self._detail(ended, timeout) if ended else ""),
        )

    def usage(self) -> Usage:
        try:
            self._count()
        except SandboxError:
            return Usage()
        return self._meter.usage

    def observed(self) -> Observed:
        self._ports.send(b"sample\n")
        newest = " ".join(self._ports.answer("sample", ANSWER_TIMEOUT))
        samples = tuple(self._meter.samples([*self._ports.watched(), newest]))
        recorded = self._gate.observed() if self._gate else Observed()
        ordered = tuple(sorted(samples, key=lambda sample: sample.at))
        return replace(recorded, samples=ordered, usage=self._meter.usage, emulated=not self._accelerated)

    def evidence(self) -> tuple[Evidence, ...]:
        tried = canary.targets(canary.next_hop(), self._given.routes)
        # Root may all that the canary tries of rights, and is to.
        script = f"({posture.SCRIPT})\n{canary.script(tried, rights=False)}"
        completed = self.run(script, environment={}, timeout=PROBE_TIMEOUT)
        if completed.ended:
            raise SandboxError(f"the guest could not be measured: {completed.ended}, {completed.detail}")
        answers = Answers(completed.stdout)
        gate = self._gate is not None and self._gate.ready()
        if self._gate:
            # What we tried ourselves is not the package's doing.
            self._gate.observed()
        memory = self._limits.step_memory + machine.OVERHEAD
        return (
            *posture.evidence(answers, self._kernel.version, memory, self._limits, device=NAME if gate else ""),
            *canary.evidence(answers, tried, gate=gate, rights=False),
        )

    def _request(self, command: str, environment: Mapping[str, str]) -> bytes:
        """A script for the agent's own shell, which enters the system and becomes the image's shell there."""
        variables = {**self._image.environment, **inside.ENVIRONMENT, **self._given.environment, **environment}
        words = " ".join(quote(f"{name}={value}") for name, value in variables.items())
        enter = 'nsenter -t "$HOLDER" -m -p /bin/sh -c'
        begin = quote(f'echo 0 >&7; exec 7>&-; cd {inside.WORKSPACE} && exec sh -c "$0"')
        return f"exec env -i {words} {enter} {begin} {quote(command)}\n".encode()

    def _execute(self, request: bytes, output: Output, deadline: float) -> tuple[int | None, Ended | None]:
        """Run it; its exit code, or what ended it. Raises `SandboxError` when the guest does not answer."""
        if self._count().refused_forks > self._before.refused_forks:
            # What an earlier command left behind goes on asking for processes that it does not get.
            self._end_everything()
            self._before = self._count()
        self._wait_for_the_gate()
        mark = secrets.token_hex(8).encode()
        self._ports.begin(mark, output)
        self._ports.send(b"run %s %d\n" % (mark, len(request)) + request)
        self._ports.answer("started", ANSWER_TIMEOUT)
        exit_code, ended = self._follow(mark.decode(), output, deadline)
        before, after = self._before, self._settled() if ended is None else self._count()
        if after.out_of_memory > before.out_of_memory:
            ended = Ended.MEMORY
        elif after.refused_forks > before.refused_forks:
            # Whatever it says of itself: what did without a process that it asked for has not shown what it does.
            ended = Ended.PROCESSES
        if ended:
            self._end_everything()
        self._before = self._count()
        return exit_code, ended

    def _settled(self) -> Counters:
        """The counters as soon as what the command left behind, if anything, no longer multiplies."""
        counters, calm, until = self._count(), 0, time.monotonic() + MULTIPLYING
        while counters.processes and calm < 2 and time.monotonic() < until:
            time.sleep(0.2)
            newer = self._count()
            if newer.refused_forks > self._before.refused_forks:
                return newer
            calm = calm + 1 if newer.processes <= counters.processes else 0
            counters = newer
        return counters

    def _follow(self, mark: str, output: Output, deadline: float) -> tuple[int | None, Ended | None]:
        ports = self._ports
        while ports.wait(lambda: output.full or ports.answered, deadline):
            if output.full:
                return None, Ended.OUTPUT
            words = ports.next_answer(deadline)
            if words and words[:2] == ["ended", mark]:
                self._end_streams(inside.GRACE)
                return (None, Ended.OUTPUT) if output.full else (int(words[2]), None)
        return None, Ended.DEADLINE

    def _end_streams(self, grace: float) -> None:
        """Wait for the end of what was written; what holds a stream open for longer is cut off."""
        ports = self._ports
        if not ports.wait(lambda: ports.streams_ended, time.monotonic() + grace):
            ports.send(b"cut\n")
            if not ports.wait(lambda: ports.streams_ended, time.monotonic() + ANSWER_TIMEOUT):
                raise SandboxError("the guest does not end a command's streams")

    def _end_everything(self) -> None:
        self._ports.send(b"kill\n")
        self._ports.answer("killed", ANSWER_TIMEOUT)
        self._end_streams(ANSWER_TIMEOUT / 2)

    def _count(self) -> Counters:
        self._ports.send(b"count\n")
        counters = read_counters(self._ports.answer("counters", ANSWER_TIMEOUT))
        self._meter.take(counters)
        return counters

    def _boot_anew(self) -> None:
        self.close()
        self.start()

    def _put_files(self) -> None:
        if not self._given.files:
            return
        script, variables = placing(self._given.files)
        request = self._request(script, variables)
        self._ports.send(b"put %d\n" % len(request) + request)
        if self._ports.answer("put", ANSWER_TIMEOUT) != ["0"]:
            raise SandboxError(f"could not put files into the guest{self._ports.last_words()}")

    def _open_gate(self) -> None:
        """Start its program, if the image can. Raises `SandboxError` when routes need it."""
        if self._gate is None:
            return
        program = self._gate.program()
        self._ports.send(b"gate %d\n" % len(program) + program)
        if self._ports.answer("gate", ANSWER_TIMEOUT) == ["yes"]:
            self._gate.begin(self._ports.gate)
        else:
            self._gate.why_not = NO_PYTHON
        if self._given.routes:
            self._wait_for_the_gate()

    def _wait_for_the_gate(self) -> None:
        """Wait until every attempt is seen, and say whether it is."""
        if self._gate is None:
            return
        stands = self._gate.ready()
        if self._given.routes and not stands:
            raise SandboxError(
                f"the shell's routes cannot be had: {self._gate.why_not}", "take an image with python3"
            )
        recorded = "each attempt recorded" if stands else f"not recorded: {self._gate.why_not}"
        self.details = self._described(f"no network ({recorded})")

    def _detail(self, ended: Ended, timeout: float) -> str:
        limits = self._limits
        return {
            Ended.DEADLINE: f"it still ran after {human_seconds(timeout)}",
            Ended.OUTPUT: f"it wrote more than {human_bytes(limits.output)} to one stream",
            Ended.MEMORY: f"it used more than {human_bytes(limits.step_memory)} of memory, its files included",
            Ended.PROCESSES: f"it asked for more than {limits.processes} processes",
            Ended.SHELL_DIED: "the guest ended",
        }[ended]


def _agent_settings(limits: Limits) -> dict[str, object]:
    """The variables of agent.sh: bytes, processes, microseconds of CPU in 100 ms."""
    workspace = inside.workspace_size(limits)
    return {
        "HOST": inside.HOSTNAME,
        "LAYER": workspace,
        "WORKSPACE": workspace,
        "TMP": limits.tmp,
        "SHARED": inside.SHARED_MEMORY,
        "MEMORY": limits.step_memory,
        "PROCESSES": limits.processes,
        "QUOTA": int(limits.step_cpu * 100_000),
        "LOOKS": LOOKS,
    }


def _last_words(process: command.Process) -> str:
    if process.stderr is None or process.poll() is None:
        return ""
    return process.stderr.read(4096).decode("utf-8", "replace").strip()
