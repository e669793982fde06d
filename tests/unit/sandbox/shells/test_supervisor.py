"""The parts of the supervisor that need no sandbox around them."""

import ast
import os
import sys
from pathlib import Path

import pytest

from wpk_sandbox.sandbox.shells import supervisor
from wpk_sandbox.sandbox.shells.supervisor import kernel, measuring

MODULES = sorted(Path(supervisor.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_it_stands_alone(path: Path) -> None:
    imported: set[str] = set()
    siblings = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            siblings.add(node.module)
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module)
        elif isinstance(node, ast.Import):
            imported |= {name.name for name in node.names}
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names
    assert siblings <= {module.stem for module in MODULES}


def test_other_processes_are_measured() -> None:
    processes, memory, seconds = measuring.measure(measuring.everyone())
    assert processes >= 1
    assert memory > 1024**2, "this very process uses more"
    assert seconds > 0


def test_stored_bytes_grow_with_a_file() -> None:
    shared = Path("/dev/shm")
    if not os.access(shared, os.W_OK):
        pytest.skip("no file system in memory")
    path = shared / f"wpk-sandbox-test-{os.getpid()}"
    before = measuring.stored(str(shared))
    try:
        path.write_bytes(b"x" * 4 * 1024**2)
        assert measuring.stored(str(shared)) - before >= 3 * 1024**2
    finally:
        path.unlink()


def test_refused_system_call_is_named() -> None:
    kernel.checked(0, "do nothing")
    with pytest.raises(OSError, match="could not mount the moon"):
        kernel.checked(-1, "mount the moon")
