"""Tries a target with ever new inputs, for as long as is asked: `make fuzz`.

Two engines make the inputs. Hypothesis works everywhere, and `--shrink` makes a failing input small. Atheris steers
by the lines that an input reaches, where it can be installed (the dependency group `fuzz`). Ends with 1 at the first
input for which something does not hold.
"""

import argparse
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

BATCH = 50
FAILURES = Path(__file__).parents[2] / ".fuzz"


def by_hypothesis(name: str, seconds: float, first: int, phases: Sequence[Phase]) -> int:
    """Batches of inputs, each from a seed of its own, until the time is over."""
    from targets import TARGETS  # noqa: PLC0415 -- Atheris must be there before what it watches

    target = TARGETS[name]
    began, tried, slowest, number = time.monotonic(), 0, 0.0, first

    def trial(value: Any) -> None:
        nonlocal tried, slowest
        tried += 1
        start = time.process_time()
        target.trial(value)
        slowest = max(slowest, time.process_time() - start)

    options = settings(
        max_examples=BATCH,
        deadline=None,
        database=None,
        phases=phases,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    while time.monotonic() - began < seconds:
        try:
            seed(number)(options(given(target.given)(trial)))()
        except BaseException as error:
            print(f"{name}: broken by --seed {number} after {tried} inputs; see {_kept(name, error)}", flush=True)
            raise
        number += 1
    took = time.monotonic() - began
    print(f"{name}: {tried} inputs in {took:.0f} s, the slowest {slowest:.2f} s, nothing broken", flush=True)
    return 0


def _kept(name: str, error: BaseException) -> Path:
    """The file that has the failing input, which may be too long for a terminal."""
    FAILURES.mkdir(exist_ok=True)
    file = FAILURES / f"{name}.txt"
    file.write_text("\n".join(getattr(error, "__notes__", ())), encoding="utf-8", errors="replace")
    error.__notes__ = []
    return file


def by_atheris(name: str, seconds: float, first: int) -> int:
    """One long run that keeps inputs which reach something new; libFuzzer ends the process itself."""
    import atheris  # noqa: PLC0415 -- an optional tool

    with atheris.instrument_imports(include=["wpk_sandbox"]):
        from targets import TARGETS  # noqa: PLC0415 -- what it watches

    target = TARGETS[name]

    @settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(target.given)
    def trial(value: Any) -> None:
        target.trial(value)

    FAILURES.mkdir(exist_ok=True)
    options = [
        f"-max_total_time={max(1, round(seconds))}",
        f"-seed={first}",
        "-max_len=4096",
        "-len_control=0",
        "-print_final_stats=1",
        "-verbosity=0",
        f"-artifact_prefix={FAILURES}/{name}-",
    ]
    atheris.Setup([sys.argv[0], *options], trial.hypothesis.fuzz_one_input)
    atheris.Fuzz()
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz one target with one engine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=["loader", "shell", "check", "forms"])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None, help="to have the same inputs again")
    parser.add_argument(
        "--shrink", action="store_true", help="make a failing input as small as can be, for minutes"
    )
    parser.add_argument("--engine", choices=["hypothesis", "atheris"], default="hypothesis")
    asked = parser.parse_args(arguments)
    first = random.SystemRandom().randrange(1, 2**31) if asked.seed is None else asked.seed
    if asked.engine == "hypothesis":
        phases = [Phase.generate, Phase.shrink] if asked.shrink else [Phase.generate]
        return by_hypothesis(asked.target, asked.seconds, first, phases)
    try:
        import atheris  # noqa: F401, PLC0415 -- an optional tool
    except ImportError as error:
        print(f"{asked.target}: skipped, since Atheris cannot be loaded here ({error}): pip install --group fuzz")
        return 0
    return by_atheris(asked.target, asked.seconds, first)


if __name__ == "__main__":
    sys.exit(main())
