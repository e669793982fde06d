"""The program stands alone, fits into one argument, and runs in a bare Python."""

import ast
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from wpk_sandbox.sandbox import gate
from wpk_sandbox.sandbox.gate import device, program

SENT = [Path(gate.__file__).with_name(f"{name}.py") for name in program._MODULES]
DEVICE = [Path(gate.__file__).with_name(f"{name}.py") for name in ("netlink", "device")]


def imported(path: Path) -> tuple[set[str], set[str]]:
    """The modules of others and of ours that a file imports."""
    others: set[str] = set()
    ours: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            ours |= {node.module} if node.module else {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            others.add(str(node.module))
        elif isinstance(node, ast.Import):
            others |= {name.name for name in node.names}
    return {name.partition(".")[0] for name in others}, ours


@pytest.mark.parametrize("path", SENT, ids=lambda path: path.stem)
def test_module_needs_the_standard_library_and_those_before_it(path: Path) -> None:
    others, ours = imported(path)
    assert others <= sys.stdlib_module_names
    assert ours <= {each.stem for each in SENT[: SENT.index(path)]}


@pytest.mark.parametrize("path", SENT, ids=lambda path: path.stem)
def test_module_needs_nothing_that_a_bare_python_lacks(path: Path) -> None:
    # Debian's python3-minimal has neither; python3 -S has no `site`.
    assert not imported(path)[0] & {"ctypes", "queue", "logging", "subprocess", "site", "uuid"}


@pytest.mark.parametrize("path", DEVICE, ids=lambda path: path.stem)
def test_device_needs_little(path: Path) -> None:
    others, ours = imported(path)
    assert not others & {"dataclasses", "typing", "re", "ipaddress", "enum", "json"}
    assert ours <= {"netlink"}


def test_program_is_one_argument() -> None:
    assert len(program.source().encode()) < 64 * 1024
    assert program.source().isascii()


def test_program_answers_in_a_bare_python_and_ends_with_its_input() -> None:
    argv = [sys.executable, "-I", "-S", "-c", program.source()]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        # A frame that cannot be: it says so, and ends.
        words = process.communicate(struct.pack(">BII", 0, 0, 2) + b"[]", timeout=20)[1]
    assert b"BrokenMuxError" in words
    ended = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


def test_addresses_are_of_the_range_for_tests_of_networks() -> None:
    assert socket.inet_ntop(socket.AF_INET, device.SHELL).startswith("198.18.")
    assert device.RESOLVER.startswith("198.18.")
