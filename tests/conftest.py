"""What tests need of the host, and the table of what was skipped for want of it.

`@pytest.mark.needs("docker")` skips a test, with the reason, where Docker is missing. A tool that
`WPK_SANDBOX_REQUIRE` names (`docker,kind`) may not be missing: then such a test fails instead.
"""

import functools
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest


def _answers(*argv: str) -> bool:
    try:
        return subprocess.run(argv, capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _docker() -> str | None:
    return None if _answers("docker", "info") else "no Docker daemon answers"


def _kind() -> str | None:
    if shutil.which("kind") is None:
        return "the program kind is not installed"
    return _docker()


def _bwrap() -> str | None:
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed"
    links = [word for name in ("bin", "lib", "lib64") for word in ("--symlink", f"usr/{name}", f"/{name}")]
    probe = ["bwrap", "--unshare-all", "--ro-bind", "/usr", "/usr", *links, "true"]
    return None if _answers(*probe) else "this host refuses namespaces to bubblewrap"


def _landlock() -> str | None:
    from wpk_sandbox.sandbox.sandbox import SandboxSpec  # noqa: PLC0415 - few tests ask for it
    from wpk_sandbox.sandbox.shells.landlock import LANDLOCK  # noqa: PLC0415

    return LANDLOCK.why_not(SandboxSpec())


def _act() -> str | None:
    if shutil.which("act") is None:
        return "the program act is not installed"
    return _docker()


def _kubectl() -> str | None:
    return None if shutil.which("kubectl") else "the program kubectl is not installed"


def _qemu() -> str | None:
    for program in ("qemu-system-x86_64", "busybox", "sqfstar"):
        if shutil.which(program) is None:
            return f"the program {program} is not installed"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "wpk-sandbox/kernel/boot")
    if not [kernel for folder in (cache, Path("/boot")) for kernel in folder.glob("vmlinuz-*")]:
        return "there is no kernel for guests; see docs/vm.md"
    return _docker()


WHY_NOT: dict[str, Callable[[], str | None]] = {
    "docker": functools.cache(_docker),
    "kind": functools.cache(_kind),
    "bwrap": functools.cache(_bwrap),
    "landlock": functools.cache(_landlock),
    "qemu": functools.cache(_qemu),
    "act": functools.cache(_act),
    "kubectl": functools.cache(_kubectl),
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    required = os.environ.get("WPK_SANDBOX_REQUIRE", "").split(",")
    for marker in item.iter_markers("needs"):
        for tool in marker.args:
            reason = WHY_NOT[tool]()
            if reason is None:
                continue
            if tool in required:
                pytest.fail(f"WPK_SANDBOX_REQUIRE names {tool}, but {reason}")
            pytest.skip(f"needs {tool}: {reason}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = terminalreporter.stats.get("skipped", [])
    if not reports:
        return
    reasons = Counter(str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else "" for report in reports)
    terminalreporter.section("skipped on this host")
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"{count:5d}  {reason.removeprefix('Skipped: ')}")
