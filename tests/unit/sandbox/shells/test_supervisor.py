"""The parts of the supervisor that need no sandbox around them."""

import ast
import os
import sys
from pathlib import Path

import pytest

from wpk_sandbox.sandbox.shells import supervisor

SOURCE = Path(supervisor.__file__).read_text(encoding="utf-8")


def test_it_stands_alone() -> None:
    imported = {
        name.name if isinstance(node, ast.Import) else node.module
        for node in ast.walk(ast.parse(SOURCE))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    assert imported <= sys.stdlib_module_names


def test_other_processes_are_measured() -> None:
    processes, memory = supervisor.measure()
    assert processes >= 1
    assert memory > 1024**2, "this very process uses more"


def test_stored_bytes_grow_with_a_file() -> None:
    shared = Path("/dev/shm")
    if not os.access(shared, os.W_OK):
        pytest.skip("no file system in memory")
    path = shared / f"wpk-sandbox-test-{os.getpid()}"
    before = supervisor.stored(str(shared))
    try:
        path.write_bytes(b"x" * 4 * 1024**2)
        assert supervisor.stored(str(shared)) - before >= 3 * 1024**2
    finally:
        path.unlink()


def test_refused_system_call_is_named() -> None:
    supervisor.checked(0, "do nothing")
    with pytest.raises(OSError, match="could not mount the moon"):
        supervisor.checked(-1, "mount the moon")
