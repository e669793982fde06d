"""What a shell says was used agrees with what the program knows of itself."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from shell_suite import LIMITS, WITH_PERL, Kind

from wpk_sandbox.run.measured import added
from wpk_sandbox.sandbox.sandbox import Observed, Shell

KINDS = WITH_PERL

MEBI = 1024**2
HELD = 200 * MEBI
BURNT = 2.0
# Perl burns seconds of its own CPU, as the kernel counts them; another fills 200 MiB and holds them.
BURN = f"perl -e 'do {{ @t = times }} while ($t[0] + $t[1] < {BURNT}); printf qq{{%.3f\\n}}, $t[0] + $t[1]'"
HOLD = f"perl -e '$n = {HELD}; $x = q(a); $x x= $n; sleep 2; print length $x'"
AGREES = 0.10


@pytest.fixture(scope="module")
def shell(kind: Kind) -> Iterator[Shell]:
    roomy = replace(kind, spec=replace(kind.spec, limits=replace(LIMITS, step_memory=512 * MEBI)))
    with roomy.open() as opened:
        yield opened


def observed(shell: Shell, command: str) -> tuple[str, Observed, Observed]:
    """What the command said, and what was observed before and after it."""
    before = shell.observed()
    completed = shell.run(command, environment={}, timeout=120)
    assert completed.exit_code == 0, completed
    return completed.stdout, before, shell.observed()


def test_seconds_of_cpu_agree_with_the_programs_own(shell: Shell) -> None:
    said, before, after = observed(shell, BURN)
    own = float(said)
    used = (after.usage.cpu_seconds or 0) - (before.usage.cpu_seconds or 0)
    assert own >= BURNT
    assert used == pytest.approx(own, rel=AGREES)


def test_idle_time_is_no_cpu(shell: Shell) -> None:
    _, before, after = observed(shell, "sleep 1")
    assert (after.usage.cpu_seconds or 0) - (before.usage.cpu_seconds or 0) < 0.5


def test_peak_of_memory_agrees_with_what_was_filled(shell: Shell) -> None:
    said, _, after = observed(shell, HOLD)
    assert int(said) == HELD
    assert after.usage.memory_peak == pytest.approx(HELD, rel=AGREES)


def test_a_peak_is_told_though_an_earlier_one_was_higher_and_it_lasts_for_a_moment(shell: Shell) -> None:
    observed(shell, HOLD)
    lower = f"perl -e '$n = {HELD // 2}; $x = q(a); $x x= $n; select undef, undef, undef, 0.3; print length $x'"
    said, before, after = observed(shell, lower)
    peak = added(before.usage, after.usage, after.samples).memory_peak
    assert peak == pytest.approx(int(said), rel=AGREES)


def test_samples_come_at_least_each_second_and_see_the_memory_that_was_held(shell: Shell) -> None:
    _, before, after = observed(shell, HOLD)
    times = [sample.at for sample in (*before.samples[-1:], *after.samples)]
    assert times == sorted(times)
    assert max(late - early for early, late in pairwise(times)) <= 1.1
    assert max(sample.memory for sample in after.samples) == pytest.approx(HELD, rel=AGREES)
    assert after.samples[-1].memory < HELD / 2, "it was given back"
    assert max(sample.processes for sample in after.samples) >= 1


def test_samples_count_cpu_up_to_the_total(shell: Shell) -> None:
    _, _, after = observed(shell, BURN)
    counted = [sample.cpu_seconds for sample in after.samples]
    assert counted == sorted(counted)
    assert counted[-1] == pytest.approx(after.usage.cpu_seconds, abs=0.1)


def test_nothing_is_told_twice(shell: Shell) -> None:
    observed(shell, "true")
    again = shell.observed()
    assert len(again.samples) <= 2
    assert again.attempts == ()


def test_files_are_seen_as_long_as_they_are_there(shell: Shell, tmp: str) -> None:
    _, _, after = observed(shell, f"head -c 8388608 /dev/zero >{tmp}/kept; sleep 1")
    assert after.samples[-1].stored == pytest.approx(8 * MEBI, rel=AGREES)
    assert (after.usage.stored_peak or 0) >= 8 * MEBI
    _, _, later = observed(shell, f"rm {tmp}/kept")
    assert later.samples[-1].stored < MEBI


def test_usage_survives_a_shell_that_is_made_anew(shell: Shell) -> None:
    _, _, before = observed(shell, BURN)
    bomb = shell.run("tail /dev/zero", environment={}, timeout=120)
    assert bomb.ended is not None
    after = shell.usage()
    assert (after.cpu_seconds or 0) >= (before.usage.cpu_seconds or 0)
    assert (after.memory_peak or 0) > 400 * MEBI
