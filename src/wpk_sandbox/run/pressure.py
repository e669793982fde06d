"""How near a step came to each limit, and what that looks like when somebody means it."""

from collections.abc import Iterator

from wpk_sandbox.finding import Severity
from wpk_sandbox.package.units import human_bytes, human_seconds
from wpk_sandbox.run.result import Limit, StepResult
from wpk_sandbox.sandbox.sandbox import Limits, SecurityEvent, Threat, Usage

# From this part of a limit on, the next run may be the one that hits it.
NEAR = 0.8
# Part of its time that the CPU limit may hold a step back before anybody should know, and from how many seconds on.
_THROTTLED, _THROTTLED_SECONDS = 0.2, 0.5
# Part of its cores that a step is busy with when it does nothing but turn round.
_SPINNING = 0.85
_FULL = 0.97
_TIMES = (Limit.STEP, Limit.HANDLER, Limit.PACKAGE, Limit.RUN)


def warnings(result: StepResult, shell: Usage, limits: Limits, timeout: float) -> Iterator[str]:
    """Each limit that came near, with what was used and how much there is; not the one that ended the step.

    `timeout` is the step's, in seconds.
    """
    ended = result.limit
    if ended is not Limit.MEMORY:
        yield from _of_size("of memory", shell.memory_peak, limits.step_memory)
    yield from _of_files(shell.stored_peak, limits)
    if ended is not Limit.OUTPUT:
        yield from _of_size("of output", max(map(_size, (result.stdout, result.stderr))), limits.output)
    if ended is not Limit.PROCESSES and _is_near(shell.processes_peak, limits.processes):
        used = f"{shell.processes_peak} of {limits.processes} processes at most"
        yield used + _share(shell.processes_peak, limits.processes)
    if ended not in _TIMES and _is_near(result.seconds, timeout):
        yield f"{human_seconds(result.seconds)} of {human_seconds(timeout)}{_share(result.seconds, timeout)}"
    held = shell.throttled_seconds or 0.0
    if held >= max(_THROTTLED_SECONDS, _THROTTLED * result.seconds):
        cores = f"{limits.step_cpu:g} {'core' if limits.step_cpu == 1 else 'cores'}"
        yield f"held back for {human_seconds(held)} by its limit of {cores}"


def abuse(result: StepResult, shell: Usage, limits: Limits) -> Iterator[SecurityEvent]:
    """What went beyond a limit: a storm of processes, memory, a flood of output, a full disk, an endless loop."""
    if result.limit is Limit.PROCESSES:
        yield _abuse(f"asked for more than {limits.processes} processes", result.message, Severity.MEDIUM)
    if result.limit is Limit.MEMORY:
        yield _abuse(f"used more than {human_bytes(limits.step_memory)} of memory", result.message)
    if result.limit is Limit.OUTPUT:
        yield _abuse(f"wrote more than {human_bytes(limits.output)} to one stream", result.message)
    busy = (shell.cpu_seconds or 0.0) / max(result.seconds, 0.1) / limits.step_cpu
    if result.limit in _TIMES and busy >= _SPINNING:
        used = f"{human_seconds(shell.cpu_seconds or 0.0)} of CPU in {human_seconds(result.seconds)}"
        yield _abuse("was busy without end until its time ran out", used)
    if (shell.stored_peak or 0) >= _FULL * limits.tmp and "No space left on device" in result.stderr:
        yield _abuse("filled its disk", f"{human_bytes(shell.stored_peak or 0)} in files")


def storage_of(limits: Limits) -> int:
    """Bytes that the files of a shell may take: `/tmp`, and the working folder, which lies in memory."""
    return limits.tmp + min(limits.storage, limits.step_memory // 2)


def _abuse(message: str, evidence: str, severity: Severity = Severity.LOW) -> SecurityEvent:
    """Of low severity, because a program that is only too large looks the same."""
    return SecurityEvent(Threat.ABUSE, severity, message, evidence)


def _of_size(what: str, used: int | None, limit: int) -> Iterator[str]:
    if _is_near(used, limit):
        yield f"{human_bytes(used or 0)} of {human_bytes(limit)} {what} at most{_share(used, limit)}"


def _of_files(stored: int | None, limits: Limits) -> Iterator[str]:
    """Nobody tells in which folder the files lie; as many as `/tmp` takes may all lie there."""
    if stored is not None and _is_near(stored, limits.tmp) and stored <= limits.tmp:
        takes = f"{human_bytes(stored)} of files at most, and /tmp takes {human_bytes(limits.tmp)}"
        yield takes + _share(stored, limits.tmp)
    yield from _of_size("of storage", stored, storage_of(limits))


def _is_near(used: float | None, limit: float) -> bool:
    return used is not None and limit > 0 and used >= NEAR * limit


def _share(used: float | None, limit: float) -> str:
    return f" ({100 * (used or 0) / limit:.0f} %)"


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
