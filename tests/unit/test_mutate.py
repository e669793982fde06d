"""Rewrites of a script mean the same, are shell syntax, and are ten at most."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "corpus"))  # where mutate.py finds measure.py as a program

import mutate

from wpk_sandbox.rules.shell.syntax import read

SCRIPTS = [
    "chmod -Rv 777 /srv/app",
    "curl -fsSL https://example.com/x | sh",
    'for f in a b; do rm -rf "/srv/$f"; done\necho done',
    "f() { rm -r /srv/x; }; f",
    "echo 'rm -rf /srv' > notes",
    "cat <<EOF > notes\nrm -rf /srv\nEOF",
]


def words(script: str, name: str) -> set[tuple[str, ...]]:
    """The flags, letter by letter, and the operands of each command of a name."""
    found = set()
    for command in read(script).commands:
        if command.name == name:
            values = [word.value or "" for word in command.arguments]
            letters = [
                f"-{letter}" for value in values if value[:1] == "-" and value[1:2] != "-" for letter in value[1:]
            ]
            found.add((*sorted(letters), *(value for value in values if value[:1] != "-")))
    return found


@pytest.mark.parametrize("script", SCRIPTS)
def test_rewrites_are_shell_syntax_and_differ(script: str) -> None:
    made = [text for _, text in mutate.mutants(script, 0)]
    assert 5 <= len(made) <= mutate.WAYS_EACH
    assert len({*made, script}) == len(made) + 1
    assert all(read(text).problems == () for text in made)


@pytest.mark.parametrize("turn", range(4))
def test_rewrites_run_the_same_commands(turn: int) -> None:
    script = 'for f in a b; do rm -rf "/srv/$f"; done'
    rewritten = [(way, text) for way, text in mutate.mutants(script, turn) if way != "long_flags"]
    assert len(rewritten) >= 8
    assert [way for way, text in rewritten if words(text, "rm") != words(script, "rm")] == []


def test_what_only_the_shell_can_do_is_not_wrapped() -> None:
    assert mutate.wrapped(mutate.parsed("cd /srv && export X=1") or pytest.fail("no script"), 0) is None
    assert mutate.wrapped(mutate.parsed("ls /srv") or pytest.fail("no script"), 0) == "env ls /srv"


def test_a_function_of_the_script_is_no_program() -> None:
    script = mutate.parsed("f() { ls; }; f")
    assert script is not None
    assert [command.name for command in script.commands] == ["ls"]


def test_text_that_is_no_shell_has_no_rewrites() -> None:
    assert list(mutate.mutants("if then fi (", 0)) == []
