"""Arithmetic of what was used: of several halves together, of one step alone, and what a runbook should ask for."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

from wpk_sandbox.package.units import quantity
from wpk_sandbox.run.result import Requirements
from wpk_sandbox.sandbox.sandbox import Sample, Usage

_PEAKS = {"memory_peak": "memory", "processes_peak": "processes", "stored_peak": "stored"}
# A rate over less than this is noise: the kernel hands out CPU in slices of 0.1 s.
_SHORTEST = 0.4
_HEAD_ROOM_CPU, _HEAD_ROOM = 1.5, 1.25
_MEBI = 1024**2


def together(usages: Iterable[Usage]) -> Usage:
    """What several halves, or several steps one beside the other, used in all."""
    known = list(usages)
    values: dict[str, Any] = {
        each.name: _sum(getattr(usage, each.name) for usage in known) for each in fields(Usage)
    }
    return Usage(**values)


def one_after_another(usages: Iterable[Usage]) -> Usage:
    """What several tries used: their counters summed, and the highest of their peaks."""
    known = list(usages)
    peaks = {name: _most(getattr(usage, name) for usage in known) for name in _PEAKS}
    return replace(together(known), **peaks)


def added(before: Usage, now: Usage, samples: Sequence[Sample]) -> Usage:
    """What came between two totals.

    A total that fell began anew meanwhile. A peak that did not rise is an earlier one: then the samples tell.
    """
    counted: dict[str, Any] = {
        each.name: _difference(getattr(before, each.name), getattr(now, each.name))
        for each in fields(Usage)
        if each.name not in _PEAKS
    }
    peaks = {
        name: _peak(getattr(before, name), getattr(now, name), [getattr(sample, of) for sample in samples])
        for name, of in _PEAKS.items()
    }
    return Usage(**counted, **peaks)


def measured(usage: Usage) -> bool:
    """True where anything is known."""
    return usage != Usage()


def suggested(
    usage: Usage, samples: Sequence[Sample], seconds: float, declared: Mapping[str, str]
) -> Requirements | None:
    """What the package should ask for, with head room; None where it asks for as much as was measured, or more.

    `usage` is what the steps used, `seconds` how long they took. `declared` are its `requirements`.
    """
    cores = _cores(usage, samples, seconds)
    needs = {"cpu": cores, "memory": usage.memory_peak, "storage": usage.stored_peak or None}
    if all(need is None or _is_enough(declared.get(name), need) for name, need in needs.items()):
        return None
    asked = {
        "cpu": "" if cores is None else f"{_up(cores * 1000 * _HEAD_ROOM_CPU, 50)}m",
        "memory": "" if usage.memory_peak is None else _mebibytes(usage.memory_peak, 16),
        "storage": "" if not usage.stored_peak else _mebibytes(usage.stored_peak, 1),
    }
    # A line to take over as it is: it must not ask for less of what there is enough of.
    enough = {name: text for name, text in declared.items() if name in needs and _is_enough(text, needs[name])}
    return Requirements(**{**asked, **enough})


def _cores(usage: Usage, samples: Sequence[Sample], seconds: float) -> float | None:
    """The most cores that were busy at one time, as well as the samples can tell; None where nothing is known."""
    if usage.cpu_seconds is None:
        return None
    rates = [
        (later.cpu_seconds - earlier.cpu_seconds) / (later.at - earlier.at)
        for earlier, later in pairwise(thinned(samples, _SHORTEST))
        if later.cpu_seconds >= earlier.cpu_seconds
    ]
    return max([usage.cpu_seconds / max(seconds, 1.0), *rates])


def thinned(samples: Sequence[Sample], gap: float) -> list[Sample]:
    """The samples with at least `gap` seconds between two."""
    kept: list[Sample] = []
    for sample in samples:
        if not kept or sample.at - kept[-1].at >= gap:
            kept.append(sample)
    return kept


def _is_enough(declared: str | None, need: float | None) -> bool:
    if declared is None:
        return False
    if need is None:
        return True
    try:
        return quantity(declared) >= need
    except ValueError:
        # A parameter: whoever fires the runbook says how much.
        return True


def _mebibytes(number: int, step: int) -> str:
    """In coarser steps the more it is: nobody asks for 1,037 MiB."""
    wanted = number * _HEAD_ROOM / _MEBI
    return f"{_up(wanted, step if wanted < 256 else 64 if wanted < 1024 else 256)}Mi"


def _up(value: float, step: int) -> int:
    return max(1, math.ceil(value / step)) * step


def _difference(before: float | None, now: float | None) -> float | None:
    if now is None or before is None or now < before:
        return now
    return now - before


def _peak(before: int | None, now: int | None, seen: Sequence[int]) -> int | None:
    if now is not None and (before is None or now > before):
        return now
    # Between two looks a short process comes and goes: none that was seen is none that is known.
    return max(seen, default=0) or None


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _most(values: Iterable[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)
