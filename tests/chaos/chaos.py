"""`make chaos`: runs that are killed at random moments, a full disk, a daemon that is killed, eight runs at once.

It prints a line for each run and a ledger of them all, and ends with 1 when anything was left, touched or
half-written. With `--state FILE` it goes on where it was broken off. `--seed` repeats an earlier chaos.
"""

import argparse
import itertools
import json
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from subprocess import SubprocessError

from wpk_sandbox.errors import WpkSandboxError
from wpk_sandbox.sandbox.sandbox import SandboxSpec
from wpk_sandbox.sandbox.table import CLUSTER, SANDBOXES, SHELL

from . import daemon_killed, eight, full_disk
from .crew import side_by_side
from .inventory import canaries
from .ledger import ledger, wrong_with
from .runs import WEIGHTS, Case, Outcome, case_of, kill

# Those of the sandboxes that this host has are told to each.
Scenario = Callable[[Path, list[str]], list[str]]
SCENARIOS: dict[str, Scenario] = {
    "eight at once": lambda folder, _: eight.problems(folder),
    "full disk": lambda folder, _: full_disk.problems(folder),
    "daemon killed": daemon_killed.problems,
}


def main() -> int:
    """Run what was asked for; 1 when something is wrong."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))  # so that our own canaries go too
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    sandboxes = options.sandboxes.split(",") if options.sandboxes else usable()
    print(f"seed {seed}: {options.runs} runs of {', '.join(sandboxes)}, {options.at_once} at once", flush=True)
    folder, began = Path(tempfile.mkdtemp(prefix="wpk-chaos-")), time.monotonic()
    found: dict[str, list[str]] = {}
    try:
        with canaries() as watched:
            outcomes = killed_runs(folder, seed, sandboxes, options)
            harmed = watched.harmed()
            for name in () if options.runs_only else SCENARIOS:
                print(f"\n{name}", flush=True)
                found[name] = tried(SCENARIOS[name], folder / name.replace(" ", "-"), sandboxes)
                print(f"{name}: {'; '.join(found[name]) or 'as it should be'}", flush=True)
            harmed = sorted({*harmed, *watched.harmed()})
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    scenarios = [f"{name:<17} {len(problems)} problems" for name, problems in found.items()]
    print("\n".join(["", *ledger(outcomes), "", *watched.ledger(harmed), *scenarios]))
    wrong = [*wrong_with(outcomes), *(f"foreign touched: {each}" for each in harmed)]
    wrong += [f"{name}: {each}" for name, problems in found.items() for each in problems]
    minutes, seconds = divmod(int(time.monotonic() - began), 60)
    verdict = "\n".join(f"WRONG: {each}" for each in wrong) or "nothing left, nothing touched, nothing half-written"
    print(f"\n{verdict}\n{minutes}:{seconds:02} minutes, seed {seed}")
    return 1 if wrong else 0


def tried(scenario: Scenario, folder: Path, sandboxes: list[str]) -> list[str]:
    """What a scenario finds; where it breaks off, that, so that the ledger is printed all the same."""
    try:
        return scenario(folder, sandboxes)
    except (OSError, SubprocessError) as error:
        return [f"it broke off: {error}"]


def killed_runs(folder: Path, seed: int, sandboxes: list[str], options: argparse.Namespace) -> list[Outcome]:
    """The runs of a seed; those that the state file knows are not repeated."""
    state = Path(options.state) if options.state else None
    done = _known(state, seed)
    cases = [case_of(number, seed, sandboxes) for number in range(1, options.runs + 1) if number not in done]
    lock, count = threading.Lock(), itertools.count(len(done) + 1)

    def one(case: Case) -> Outcome:
        outcome = kill(case, folder / f"run-{case.number}", f"chaos-{uuid.uuid4().hex[:10]}")
        shutil.rmtree(folder / f"run-{case.number}", ignore_errors=True)
        with lock:
            print(f"[{next(count):>3} of {options.runs}] {outcome}", flush=True)
            if state:
                with state.open("a") as file:
                    file.write(json.dumps({"seed": seed, **json.loads(outcome.as_json())}) + "\n")
        return outcome

    outcomes = [*done.values(), *side_by_side(one, cases, options.at_once)]
    return sorted(outcomes, key=lambda outcome: outcome.case.number)


def usable() -> list[str]:
    """The sandboxes of the table that this host has."""
    spec = SandboxSpec(shell_image="debian:trixie-slim", node_image="kindest/node:v1.34.4", pull=False)
    found = []
    for name in (name for name in SANDBOXES if name in WEIGHTS):
        try:
            reason = SANDBOXES[name].why_not(spec, frozenset([SHELL, CLUSTER]))
        except WpkSandboxError as error:
            reason = str(error)
        if reason:
            print(f"without {name}: {reason}", flush=True)
        else:
            found.append(name)
    return found


def _known(state: Path | None, seed: int) -> dict[int, Outcome]:
    if state is None or not state.exists():
        return {}
    rows = [json.loads(line) for line in state.read_text().splitlines()]
    known = [row for row in rows if row.pop("seed") == seed]
    lists = ("left", "half_written", "wrong")
    outcomes = [
        Outcome(**{**row, "case": Case(**row["case"]), **{name: tuple(row[name]) for name in lists}})
        for row in known
    ]
    return {outcome.case.number: outcome for outcome in outcomes}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, help="repeats the chaos that printed it")
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--sandboxes", default="", help="such as local,container; default: all that this host has")
    parser.add_argument("--state", help="a file that remembers the runs that are done")
    parser.add_argument("--runs-only", action="store_true", help="without the full disk, the daemon and the eight")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
