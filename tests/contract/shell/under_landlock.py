"""Runs where there are no namespaces, by a bare Python: tries things plainly, then in the shell of `local`.

Prints JSON: what the shell says of itself, and the exit code of each attempt, plainly (the control) and inside.
All that is tried is done to things that are made here.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, sys.argv[1])

from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import SandboxSpec
from wpk_sandbox.sandbox.shells.landlock import LANDLOCK
from wpk_sandbox.sandbox.shells.local import LOCAL

CONNECT = 'python3 -c "import socket; socket.socket({family}).connect({address})"'
SUCCESSES = {
    "write to its folder": "echo kept >file && cat file",
    "run a program of its own": "printf '#!/bin/sh\\nexit 0\\n' >program && chmod 755 program && ./program",
    "change the mode of a file by its whole path": 'echo x >mode && chmod 600 "$HOME/mode"',
    "move between folders": "mkdir -p a b && echo x >a/x && mv a/x b/x",
    "end a process that it left": "sleep 60 & kill $!",
    "start many programs": "i=0; while [ $i -lt 50 ]; do /bin/true; i=$((i+1)); done",
    "make a temporary file": 'f=$(mktemp) && rm "$f"',
}


def attempts(folder: Path, listening: socket.socket, daemon: Path, bystander: int) -> dict[str, str]:
    """Commands that reach outside of the shell."""
    victim = folder / "victim"
    return {
        "read a file": f"cat {victim}",
        "write to a file": f"echo more >>{victim}",
        "change a file's mode": f"chmod 640 {victim}",
        "change a file's mode by a link": f"ln -s {victim} link$$ && chmod 640 link$$",
        "change a file's mode from its folder": f"cd {folder} && chmod 640 victim",
        "change a file's times": f"touch -c -d '2020-01-01' {victim}",
        "change a file's owner to the same": f"chown $(id -u) {victim}",
        "make a file": f"touch {folder}/new$$",
        "link a file to where it may be read": f"ln {victim} linked$$ 2>/dev/null || ln {victim} {folder}/linked$$",
        "list a folder": f"ls {folder}",
        "signal a process": f"kill -0 {bystander}",
        "change a process's limits": f'python3 -c "import resource; resource.prlimit({bystander}, 0, (9, 9))"',
        "connect to a daemon's socket": CONNECT.format(family="socket.AF_UNIX", address=f"'{daemon}'"),
        "connect to a port": CONNECT.format(family="socket.AF_INET", address=listening.getsockname()),
    }


def main() -> None:
    """Make what is tried, and try it."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        (folder / "victim").write_text("secret")
        listening = socket.create_server(("127.0.0.1", 0), backlog=16)
        daemon = socket.socket(socket.AF_UNIX)
        daemon.bind(str(folder / "daemon"))
        daemon.listen(16)
        with subprocess.Popen(["sleep", "100"]) as bystander:
            try:
                tried = attempts(folder, listening, folder / "daemon", bystander.pid)
                sys.stdout.write(json.dumps(report(tried, folder)))
            finally:
                bystander.kill()


def report(tried: dict[str, str], folder: Path) -> dict[str, object]:
    """What became of it all."""
    control = {}
    for what, text in {**SUCCESSES, **tried}.items():
        variables = {**os.environ, "HOME": str(folder)}
        done = subprocess.run(["sh", "-c", text], cwd=folder, env=variables, capture_output=True, check=False)
        control[what] = done.returncode
    ledger = Ledger(f"t{os.getpid()}", datetime.now(UTC) + timedelta(minutes=30))
    with (LOCAL if "local" in sys.argv else LANDLOCK).open(SandboxSpec(), ledger) as shell:
        evidence = {item.probe: item.held for item in shell.evidence()}
        inside = {
            what: shell.run(text, environment={}, timeout=20).exit_code
            for what, text in {**SUCCESSES, **tried}.items()
        }
        left = shell.run("setsid sleep 98765 >/dev/null 2>&1 & echo $!", environment={}, timeout=20).stdout.strip()
        events = [event.message for event in shell.observed().events]
        details = shell.details
    return {
        "details": details,
        "evidence": evidence,
        "control": control,
        "inside": inside,
        "events": events,
        "daemon is gone": not Path("/proc", left).exists(),
        "tally": str(ledger.close()),
    }


if __name__ == "__main__":
    main()
