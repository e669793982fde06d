"""CPU and memory over time as the numbers of a small drawing: two panels over one another, with the steps below."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from wpk_sandbox.plan.plan import Phase
from wpk_sandbox.report.phrases import ran, seconds, size
from wpk_sandbox.report.seen import steps
from wpk_sandbox.run.result import PackageResult, StepResult
from wpk_sandbox.sandbox.sandbox import Sample

# In units of the drawing.
WIDTH, HEIGHT = 720, 176
LEFT, RIGHT = 70, 712
CPU_TOP, CPU_BOTTOM = 10, 66
MEMORY_TOP, MEMORY_BOTTOM = 84, 140
# More points than a column of pixels each would only make the file large.
MOST_POINTS = 240
# The kernel hands out CPU in slices of 0.1 s, so a rate over less than this says nothing.
_SHORTEST = 0.25
_LEAST_CORES, _LEAST_BYTES = 0.1, 1024**2


@dataclass(frozen=True)
class Band:
    """A step's place on the axis of time; `peak` is the height of the kernel's own peak of memory, if known."""

    label: str
    name: str
    start: float
    width: float
    peak: float | None


@dataclass(frozen=True)
class Chart:
    """Paths as SVG writes them, and what stands at the axes. `description` says the same in words."""

    cpu: str
    memory: str
    bands: tuple[Band, ...]
    cores: str
    bytes: str
    seconds: str
    description: str


def chart(package: PackageResult) -> Chart | None:
    """The drawing of a package; None where there is too little to draw."""
    samples = sorted(_samples(package), key=lambda sample: sample.at)
    watched = [step for step in steps(package) if ran(step)]
    end = max([sample.at for sample in samples] + [step.began + step.seconds for step in watched], default=0.0)
    if len(samples) < 2 or end <= 0:
        return None
    gap = max(_SHORTEST, end / MOST_POINTS)
    rates, memory = list(_rates(samples, gap)), list(_highest(samples, gap))
    cores = max([rate for _, _, rate in rates] + [_LEAST_CORES])
    peaks = [step.usage.memory_peak or 0 for step in watched if step.usage]
    most = max([number for _, number in memory] + peaks + [_LEAST_BYTES])
    return Chart(
        cpu=_stairs([(_x(a, end), _x(b, end), _cpu_y(rate, cores)) for a, b, rate in rates]),
        memory=_line([(_x(at, end), _memory_y(number, most)) for at, number in memory]),
        bands=tuple(_band(step, end, most) for step in watched),
        cores=f"{cores:.1f} cores",
        bytes=size(most),
        seconds=seconds(end),
        description=_described(watched, cores, most, end),
    )


def _samples(package: PackageResult) -> Iterator[Sample]:
    for step in steps(package):
        yield from step.samples
    yield from package.samples


def _rates(samples: Sequence[Sample], gap: float) -> Iterator[tuple[float, float, float]]:
    """From when to when how many cores were busy; a counter that fell began anew."""
    kept = [samples[0]]
    for sample in samples[1:]:
        if sample.at - kept[-1].at >= gap:
            kept.append(sample)
    if kept[-1] is not samples[-1] and len(kept) > 1:
        kept[-1] = samples[-1]
    for before, after in pairwise(kept):
        if after.at > before.at:
            used = max(0.0, after.cpu_seconds - before.cpu_seconds)
            yield before.at, after.at, used / (after.at - before.at)


def _highest(samples: Sequence[Sample], gap: float) -> Iterator[tuple[float, int]]:
    """The highest of the samples of each stretch of time, so that thinning them loses no peak."""
    best = samples[0]
    until = best.at + gap / 2
    for sample in samples[1:]:
        if sample.at > until:
            yield best.at, best.memory
            best, until = sample, sample.at + gap / 2
        elif sample.memory > best.memory:
            best = sample
    yield best.at, best.memory


def _band(step: StepResult, end: float, most: int) -> Band:
    start, stop = _x(step.began, end), _x(step.began + step.seconds, end)
    peak = step.usage.memory_peak if step.usage else None
    label = f"{'r' if step.phase is Phase.ROLLBACK else ''}{step.number}"
    return Band(
        label=label,
        name=f"{step.label}, {seconds(step.seconds)}",
        start=start,
        width=round(max(stop - start, 1.0), 1),
        peak=None if peak is None else _memory_y(peak, most),
    )


def _described(watched: Sequence[StepResult], cores: float, most: int, end: float) -> str:
    places = "; ".join(
        f"{step.label} from {seconds(step.began)} to {seconds(step.began + step.seconds)}" for step in watched[:30]
    )
    return f"At most {cores:.1f} cores and {size(most)} of memory in {seconds(end)}. Steps: {places or 'none'}."


def _x(at: float, end: float) -> float:
    return round(LEFT + (RIGHT - LEFT) * min(max(at / end, 0.0), 1.0), 1)


def _cpu_y(rate: float, most: float) -> float:
    return round(CPU_BOTTOM - (CPU_BOTTOM - CPU_TOP) * rate / most, 1)


def _memory_y(number: int, most: int) -> float:
    return round(MEMORY_BOTTOM - (MEMORY_BOTTOM - MEMORY_TOP) * number / most, 1)


def _stairs(rows: Sequence[tuple[float, float, float]]) -> str:
    """Rates hold from one sample to the next."""
    return " ".join(f"{'L' if number else 'M'}{a:g} {y:g}H{b:g}" for number, (a, b, y) in enumerate(rows))


def _line(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{'L' if number else 'M'}{x:g} {y:g}" for number, (x, y) in enumerate(points))
