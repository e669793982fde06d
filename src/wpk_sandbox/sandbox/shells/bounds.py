"""What the commands of a supervised shell may use, who holds them to it, and how that is shown."""

from collections.abc import Iterator

from wpk_sandbox.package.units import human_bytes
from wpk_sandbox.sandbox.sandbox import Evidence, Limits
from wpk_sandbox.sandbox.shells import confinement, inside
from wpk_sandbox.sandbox.shells.groups import CPU, MEMORY, PROCESSES, Groups
from wpk_sandbox.sandbox.shells.probe import Answers


def bounds(limits: Limits, groups: Groups) -> str:
    """What commands may use, and who holds them to it."""
    wanted = {
        CPU: (f"{limits.step_cpu:g} CPU", f"{inside.cores(limits)} CPU by affinity"),
        MEMORY: (human_bytes(limits.step_memory),) * 2,
        PROCESSES: (f"{limits.processes} processes",) * 2,
    }
    held = [by_kernel for limit, (by_kernel, _) in wanted.items() if limit in groups.held]
    watched = [by_us for limit, (_, by_us) in wanted.items() if limit not in groups.held]
    words = [f"{', '.join(held)} held by control groups"] if held else []
    if watched:
        words.append(f"{', '.join(watched)} watched from inside every 50 ms (not held: {groups.why_not})")
    return ", ".join(words)


def limits_evidence(limits: Limits, groups: Groups, answers: Answers) -> Iterator[Evidence]:
    """The limits of memory and processes, as the kernel tells them where it holds the commands together."""
    rlimits = confinement.rlimits(limits, groups.held)
    data, forks = answers.number("data"), answers.number("nproc")
    memory, processes = groups.enforced(MEMORY), groups.enforced(PROCESSES)
    if memory is None:
        each = f"{human_bytes(data)} a process, by the kernel" if data is not None else "no limit a process"
        seen = f"{human_bytes(limits.step_memory)} in all, watched; {each}"
        yield Evidence("memory limit", data == rlimits["RLIMIT_DATA"], seen)
    else:
        yield Evidence("memory limit", memory <= limits.step_memory, f"{human_bytes(memory)}, by the kernel")
    if processes is None:
        wanted = rlimits.get("RLIMIT_NPROC")
        seen = f"{limits.processes}, watched" + (f"; {forks}, by the kernel" if wanted else "")
        yield Evidence("process limit", wanted is None or forks == wanted, seen)
    else:
        yield Evidence("process limit", processes <= limits.processes, f"{processes}, by the kernel")
