"""Tries everything against every sandbox, and prints what came of it. Start reading here.

    python tests/conformance/conformance.py [--sandbox local,container] [--numbers 1-30] [--page FILE] [--json FILE]

`--beside` takes what earlier calls wrote with `--json`; what is tried anew replaces it.

Ends with status 1 where something is open, where a control did not succeed, where something is left behind, or where
a sandbox that WPK_SANDBOX_REQUIRE names is missing.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import clusters
import elsewhere
import leaving
import left
import table
from attempts import ATTEMPTS
from host import Host, canaries, in_reach
from judging import OF_CLUSTERS, Findings
from model import Attempt, Cell, Told, Verdict
from sandboxes import Sandbox, Tried
from twin import Twin, opened

SANDBOXES = ("local", "landlock", "container", "kind", "vm")
IMAGE = "wpk-sandbox-test-conformance"
PROJECT = Path(__file__).parents[2]
# What of the tools that WPK_SANDBOX_REQUIRE names each sandbox is made of.
MADE_OF = {"local": "bwrap", "landlock": "landlock", "container": "docker", "kind": "kind", "vm": "qemu"}


def main(argv: Sequence[str] | None = None) -> int:
    asked = _arguments(argv)
    findings, began = Findings(), time.monotonic()
    before = left.look()
    if asked.sandbox:
        _build()
        with canaries(IMAGE) as host:
            _sandboxes(asked, host, findings)
    elsewhere.tested(asked.numbers, findings)
    findings.faults += left.compared(before, left.look())
    findings.cells = table.merged([*map(table.cells_in, asked.beside), findings.cells])
    _write(asked, findings)
    print(table.printed(findings.cells))
    print(*(f"FAULT {fault}" for fault in findings.faults), sep="\n")
    print(f"{len(findings.cells)} attempts in {time.monotonic() - began:.0f} s")
    return int(bool(findings.faults) or any(cell.verdict is Verdict.OPEN for cell in findings.cells))


def _sandboxes(asked: argparse.Namespace, host: Host, findings: Findings) -> None:
    attempts = [attempt for attempt in ATTEMPTS if attempt.number in asked.numbers]
    attempts = [replace(each, names=_aimed(each.names, host.given)) for each in attempts]
    for name, reached in in_reach(host, IMAGE).items():
        if not reached:
            findings.faults.append(
                f"{name}: a plain container does not reach it either, so its silence means nothing"
            )
    with opened(IMAGE, host.given, host.canary, Path(host.given["host_file"])) as twin:
        control = _controls(twin, attempts, host.given)
    for name in asked.sandbox:
        _sandbox(name, asked, attempts, control, host, findings)
    if host.visitors:
        findings.faults.append(f"somebody came to this host's {', '.join(sorted(set(host.visitors)))}")


def _controls(twin: Twin, attempts: Sequence[Attempt], given: dict[str, Any]) -> dict[str, Told]:
    told = twin.tell(given, [attempt.name for attempt in attempts if not attempt.command])
    told |= {attempt.name: twin.command(attempt) for attempt in attempts if attempt.command}
    return told | leaving.controls(twin)


def _sandbox(
    name: str,
    asked: argparse.Namespace,
    attempts: Sequence[Attempt],
    control: dict[str, Told],
    host: Host,
    findings: Findings,
) -> None:
    """All attempts in one sandbox, opened once."""
    sandbox = Sandbox(name, host.folder, IMAGE, f"{left.MINE}-{name}")
    if reason := sandbox.why_not():
        if MADE_OF[name] in os.environ.get("WPK_SANDBOX_REQUIRE", "").split(","):
            findings.faults.append(f"WPK_SANDBOX_REQUIRE names {MADE_OF[name]}, but {reason}")
        for attempt in attempts:
            findings.none(attempt.number, attempt.name, name, reason)
        clusters.not_here(name, findings, reason)
        return
    behind = leaving.Leaving()
    with sandbox.open():
        findings.faults += [f"{name}: {each.probe}: {each.seen}" for each in sandbox.evidence if not each.held]
        apply = [each for each in attempts if name not in each.not_for]
        tried = sandbox.batch([each for each in apply if not each.alone], host.given)
        tried |= {each.name: sandbox.alone(each, host.given) for each in apply if each.alone}
        killed = leaving.kill(sandbox, host)
        if name == "kind" and asked.numbers[-1] == OF_CLUSTERS:
            clusters.refused(sandbox, host, findings)
        behind.leave(sandbox)
        sandbox.alone(leaving.DEEP, host.given)
    for attempt in attempts:
        one = tried.get(attempt.name, Tried(Told("mistake", "a step before it failed")))
        findings.add(attempt, name, one, control[attempt.name])
    for attempt, one in (*killed, *behind.afterwards()):
        findings.add(attempt, name, one, control[attempt.name])
    _closed(sandbox, findings)


def _closed(sandbox: Sandbox, findings: Findings) -> None:
    """An endless tree of folders goes with its sandbox, and nothing is copied out of one."""
    tally = sandbox.tally
    verdict = Verdict.OPEN if tally.left or sandbox.broke else Verdict.BLOCKED
    seen = sandbox.broke or "; ".join((str(tally), *(one.reason[:80] for one in tally.left)))
    findings.cells.append(Cell(23, leaving.DEEP.name, sandbox.name, verdict, seen))
    if sandbox.name != "kind":
        clusters.not_here(sandbox.name, findings)


def _aimed(names: str, given: dict[str, Any]) -> str:
    return names.replace("GATEWAY", given["gateway"]).replace("NEIGHBOUR", given["neighbour"])


def _build() -> None:
    argv = ["docker", "build", "--quiet", f"--tag={IMAGE}", str(Path(__file__).with_name("image"))]
    subprocess.run(argv, env={**os.environ, "DOCKER_BUILDKIT": "0"}, check=True, capture_output=True, timeout=600)


def _write(asked: argparse.Namespace, findings: Findings) -> None:
    if asked.page:
        asked.page.write_text(table.markdown(findings.cells), encoding="utf-8")
    if asked.json:
        asked.json.write_text(table.as_json(findings.cells, findings.faults), encoding="utf-8")


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sandbox", type=lambda text: tuple(filter(None, text.split(","))), default=SANDBOXES)
    parser.add_argument("--numbers", type=_range, default=range(1, 56))
    parser.add_argument(
        "--beside",
        type=lambda text: [Path(each) for each in text.split(",")],
        default=[],
        help="earlier --json files",
    )
    parser.add_argument("--page", type=Path, help="write the page of the documentation")
    parser.add_argument("--json", type=Path, help="write everything that was seen")
    return parser.parse_args(argv)


def _range(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


if __name__ == "__main__":
    sys.exit(main())
