"""What a command gets and gives back, in every shell."""

from collections.abc import Callable

import pytest
from shell_suite import WITH_MACHINES, Kind

from wpk_sandbox.sandbox.sandbox import Completed, SandboxSpec, Shell
from wpk_sandbox.sandbox.shells.docker import DOCKER

KINDS = WITH_MACHINES

Run = Callable[..., Completed]


def test_provider_says_that_this_host_can(kind: Kind) -> None:
    assert kind.provider.why_not(kind.spec) is None


def test_streams_and_exit_code_come_back_apart(sh: Run) -> None:
    completed = sh("echo out; echo err >&2; exit 7")
    assert (completed.exit_code, completed.stdout, completed.stderr) == (7, "out\n", "err\n")
    assert completed.ended is None
    assert not completed.truncated


def test_success_is_zero(sh: Run) -> None:
    assert sh("true").exit_code == 0


def test_death_by_a_signal_is_128_and_its_number(sh: Run) -> None:
    assert sh("kill -TERM $$").exit_code == 143


def test_kill_by_itself_is_no_memory_limit(sh: Run) -> None:
    completed = sh("kill -KILL $$")
    assert (completed.exit_code, completed.ended) == (137, None)


def test_files_are_shared_between_commands(sh: Run, tmp: str) -> None:
    assert sh(f"echo one >kept; echo two >{tmp}/kept").exit_code == 0
    assert sh(f"cat kept {tmp}/kept").stdout == "one\ntwo\n"


def test_each_command_starts_in_the_working_folder(sh: Run) -> None:
    sh("cd /usr")
    assert sh('[ "$(pwd)" = "$HOME" ]; echo $?').stdout == "0\n"


def test_working_folder_runs_programs(sh: Run) -> None:
    assert sh("printf '#!/bin/sh\\necho ran\\n' >program; chmod +x program; ./program").stdout == "ran\n"


def test_variables_of_one_command_are_not_the_next_ones(sh: Run) -> None:
    assert sh('echo "$GREETING"', GREETING="good morning 'all'\nof \"you\" ✓").stdout == (
        "good morning 'all'\nof \"you\" ✓\n"
    )
    assert sh('echo "<$GREETING>"').stdout == "<>\n"


def test_stdin_is_empty(sh: Run) -> None:
    completed = sh("cat; echo end", timeout=5)
    assert (completed.exit_code, completed.stdout) == (0, "end\n")


def test_broken_syntax_is_the_commands_failure(sh: Run) -> None:
    completed = sh("if then")
    assert completed.exit_code == 2
    assert "yntax" in completed.stderr


def test_missing_program_is_127(sh: Run) -> None:
    assert sh("no-such-program").exit_code == 127


def test_binary_output_is_decoded_with_replacements(sh: Run) -> None:
    completed = sh(r"printf 'a\377\000b'")
    assert completed.stdout == "a�\0b"


def test_last_line_needs_no_newline(sh: Run) -> None:
    assert sh("printf unfinished").stdout == "unfinished"


def test_command_that_closes_its_streams_is_waited_for(sh: Run) -> None:
    assert sh("exec >&- 2>&-; sleep 0.3; exit 9").exit_code == 9


def test_seconds_are_measured(sh: Run) -> None:
    assert 0.3 <= sh("sleep 0.3").seconds < 10


def test_usage_grows_with_what_was_used(sh: Run, shell: Shell) -> None:
    sh("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done")
    usage = shell.usage()
    assert usage.cpu_seconds is not None
    assert usage.cpu_seconds > 0.05
    assert usage.memory_peak is not None
    assert 0 < usage.memory_peak < 2 * 128 * 1024**2


def test_details_name_the_limits(shell: Shell) -> None:
    assert "128 MiB" in shell.details
    assert "60 processes" in shell.details


@pytest.mark.needs("docker")
def test_missing_image_is_named_with_the_remedy() -> None:
    reason = DOCKER.why_not(SandboxSpec(shell_image="wpk-sandbox.invalid/none:1", pull=False))
    assert reason is not None
    assert "wpk-sandbox.invalid/none:1" in reason
    assert "pull" in reason
