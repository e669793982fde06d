"""`make chaos`: runs that are killed at random moments, a full disk, a daemon that is killed, eight runs at once.

It prints a ledger with a line for each run, and ends with 1 when anything was left, touched or half-written. With
`--state FILE` it goes on where it was broken off. `--seed` repeats an earlier chaos.
"""

import argparse
import json
import random
import shutil
import signal
import sys
import tempfile
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from wpk_sandbox.errors import WpkSandboxError
from wpk_sandbox.sandbox.sandbox import SandboxSpec
from wpk_sandbox.sandbox.table import CLUSTER, SANDBOXES, SHELL

from . import daemon_killed, eight, full_disk
from .inventory import canaries
from .runs import INCONCLUSIVE, WEIGHTS, Case, Outcome, case_of, kill

SCENARIOS: dict[str, Callable[[Path], list[str]]] = {
    "eight at once": eight.problems,
    "full disk": full_disk.problems,
    "daemon killed": daemon_killed.problems,
}


def main() -> int:
    """Run what was asked for; 1 when something is wrong."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))  # so that our own canaries go too
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed {seed}, {options.runs} runs, {options.at_once} at once", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="wpk-chaos-"))
    wrong: list[str] = []
    try:
        with canaries() as watched:
            outcomes = killed_runs(folder, seed, options)
            wrong += [f"run {each.case.number}: {reason}" for each in outcomes for reason in each.wrong]
            if 10 * (idle := sum(each.exit_code == INCONCLUSIVE for each in outcomes)) > len(outcomes):
                wrong.append(f"{idle} of {len(outcomes)} runs were inconclusive before they were killed")
            wrong += [f"canary harmed: {each}" for each in watched.harmed()]
            for name in () if options.runs_only else SCENARIOS:
                found = SCENARIOS[name](folder / name.replace(" ", "-"))
                print(f"{name}: {'; '.join(found) or 'as it should be'}", flush=True)
                wrong += [f"{name}: {each}" for each in found]
            wrong += [f"canary harmed: {each}" for each in watched.harmed()]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("\n".join(["", *ledger(outcomes), *(wrong or ["nothing left, nothing touched, nothing half-written"])]))
    return 1 if wrong else 0


def killed_runs(folder: Path, seed: int, options: argparse.Namespace) -> list[Outcome]:
    """The runs of a seed; those that the state file knows are not repeated."""
    sandboxes = options.sandboxes.split(",") if options.sandboxes else usable()
    state = Path(options.state) if options.state else None
    done = _known(state, seed)
    cases = [case_of(number, seed, sandboxes) for number in range(1, options.runs + 1) if number not in done]
    lock = threading.Lock()

    def one(case: Case) -> Outcome:
        outcome = kill(case, folder / f"run-{case.number}", f"chaos-{uuid.uuid4().hex[:10]}")
        with lock:
            print(outcome, flush=True)
            if state:
                with state.open("a") as file:
                    file.write(json.dumps({"seed": seed, **json.loads(outcome.as_json())}) + "\n")
        return outcome

    with ThreadPoolExecutor(options.at_once) as pool:
        try:
            return sorted([*done.values(), *pool.map(one, cases)], key=lambda outcome: outcome.case.number)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


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


def ledger(outcomes: list[Outcome]) -> list[str]:
    """Every run in a line, and how often who removed what."""
    removers = Counter((each.case.sandbox, each.remover.partition(",")[0].partition(" of")[0]) for each in outcomes)
    counted = [f"{count:>4} × {sandbox}: removed by {who}" for (sandbox, who), count in sorted(removers.items())]
    slowest = max((each.seconds for each in outcomes if each.case.signal != 9), default=0.0)
    return [*map(str, outcomes), *counted, f"longest from a signal to the exit: {slowest:.2f} s"]


def _known(state: Path | None, seed: int) -> dict[int, Outcome]:
    if state is None or not state.exists():
        return {}
    rows = [json.loads(line) for line in state.read_text().splitlines()]
    known = [row for row in rows if row.pop("seed") == seed]
    outcomes = [Outcome(**{**row, "case": Case(**row["case"]), "wrong": tuple(row["wrong"])}) for row in known]
    return {outcome.case.number: outcome for outcome in outcomes}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, help="repeats the chaos that printed it")
    parser.add_argument("--at-once", type=int, default=3)
    parser.add_argument("--sandboxes", default="", help="such as local,container; default: all that this host has")
    parser.add_argument("--state", help="a file that remembers the runs that are done")
    parser.add_argument("--runs-only", action="store_true", help="without the full disk, the daemon and the eight")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
