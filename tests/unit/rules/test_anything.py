"""Whatever an author writes, checking it ends in findings whose places lie in the file; and the examples are judged."""

from pathlib import Path

import pytest
from checking import POLICY, package, shell
from hypothesis import given, settings
from hypothesis import strategies as st

from wpk_sandbox.package.load import load_file
from wpk_sandbox.rules.check import check
from wpk_sandbox.rules.policy import Outcome, decide

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted(path.name for path in (ROOT / "examples").glob("*.wpk.yaml"))

TOKENS = [
    "rm",
    "-rf",
    "/",
    "/*",
    "~",
    "$X",
    "${X}",
    "${Y:-/}",
    "${Y:?}",
    '"$X"/*',
    "'",
    '"',
    "`",
    "$(",
    ")",
    "(",
    "{",
    "}",
    "|",
    "&",
    "&&",
    "||",
    ";",
    ";;",
    "\n",
    "<<EOF",
    "\nEOF\n",
    "<<<",
    ">",
    "<",
    "2>&1",
    "if",
    "then",
    "fi",
    "for",
    "in",
    "do",
    "done",
    "while",
    "true",
    "case",
    "esac",
    "f()",
    "f",
    "echo",
    "sh",
    "-c",
    "eval",
    "xargs",
    "sudo",
    "env",
    "A=/",
    "curl",
    "http://a.example",
    "dd",
    "if=/dev/zero",
    "of=/dev/sda",
    "find",
    "-delete",
    "-exec",
    "\\;",
    "{a,b}",
    "$'\\x2f'",
    "\\",
    "é🙂",
    "trap",
    "cd",
    "nc",
    "-e",
    "base64",
    "-d",
    "python3",
    "--",
    "$((1+",
    "))",
    "[[",
    "]]",
    "=",
    "!",
    "${#X}",
    "$1",
    "export",
    "local",
    "unset",
    "printf",
    "tee",
    "cat",
    "head",
    "kubectl",
    "delete",
    "ssh",
    "docker",
    "exec",
    "su",
    "flock",
    "-",
    "password=x1Y2z3W4",
]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(TOKENS), max_size=25).map(" ".join) | st.text(max_size=60))
def test_any_command_is_checked_without_a_traceback(command: str) -> None:
    document_safe = "".join(char for char in command if char.isprintable() or char == "\n") or "true"
    checked = package(shell(document_safe))
    lines = checked.document.text.splitlines()
    for finding in check(checked, POLICY):
        assert 1 <= finding.location.line <= len(lines)
        assert 1 <= finding.location.column <= len(lines[finding.location.line - 1]) + 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(TOKENS), max_size=12).map(" ".join))
def test_a_check_always_says_the_same(command: str) -> None:
    checked = package(shell(command or "true"))
    assert check(checked, POLICY) == check(checked, POLICY)


@pytest.mark.parametrize("file", EXAMPLES)
def test_the_examples_are_approved_and_the_unsafe_one_is_blocked(file: str) -> None:
    (example,) = load_file(ROOT / "examples" / file, display=file, root=ROOT).packages
    decision = decide(check(example, POLICY), POLICY, automatic=example.safety.mode == "auto")
    assert decision.outcome is (Outcome.BLOCK if file.startswith("unsafe") else Outcome.APPROVE)
