"""What is new at each look, and to which step it belongs."""

from dataclasses import dataclass, field, replace

from running import FakeShell, FakeTime, handler, perform, planned, said

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.finding import Severity
from wpk_sandbox.package.package import Retry, ShellAction
from wpk_sandbox.run.result import Requirements, StepStatus, Verdict
from wpk_sandbox.run.watched import violation
from wpk_sandbox.run.watcher import MOST_ATTEMPTS, MOST_EVENTS, Watcher, distinct_attempts, distinct_events
from wpk_sandbox.sandbox.sandbox import (
    Answer,
    Attempt,
    Completed,
    Observed,
    Sample,
    SecurityEvent,
    Threat,
    Usage,
)

OUT = Attempt("tcp", "198.18.0.1", 443, "api.example.com", "curl (7)")
ESCAPE = SecurityEvent(Threat.ESCAPE, Severity.HIGH, "tried to mount a file system", "mount(2)", "mount (8)")


@dataclass
class Half:
    """Tells what it is given, once."""

    tells: list[Observed] = field(default_factory=list)
    breaks: bool = False

    def observed(self) -> Observed:
        if self.breaks:
            raise SandboxError("the daemon is gone")
        return self.tells.pop(0) if self.tells else Observed()


class WatchedShell(FakeShell):
    """A shell whose commands are told of afterwards by their names: `out`, `escape`, `late` (after it ended)."""

    def __init__(self, time: FakeTime | None = None, answer: Completed | None = None) -> None:
        super().__init__(lambda command: answer or said(""))
        self._time = time or FakeTime()
        self._cpu = 0.0

    def run(self, command: str, *, environment: object, timeout: float) -> Completed:  # type: ignore[override]
        self._cpu += 2.0
        self._time.now += 2.0
        return super().run(command, environment=environment, timeout=timeout)  # type: ignore[arg-type]

    def observed(self) -> Observed:
        asked, self.commands = self.commands, []
        return Observed(
            attempts=(OUT,) * asked.count("out"),
            events=(ESCAPE,) * asked.count("escape"),
            samples=(Sample(self._time.now + 1000, self._cpu, 50 * 1024**2, 3),),
            usage=Usage(self._cpu, 100 * 1024**2),
        )


def watched_run(*commands: str, **options: object):
    time = FakeTime()
    made = planned(*map(ShellAction, commands), undo=(ShellAction("undo"),))
    return perform(made, shell=WatchedShell(time), clock=time.clock, **options)


def test_first_look_drops_what_opening_the_sandbox_took() -> None:
    half = Half([Observed((OUT,), (ESCAPE,), (Sample(9),), Usage(4.0)), Observed(usage=Usage(5.0))])
    seen = Watcher(half).look()
    assert (seen.network, seen.events, seen.samples, seen.usage.cpu_seconds) == ((), (), (), 1.0)


def test_samples_of_halves_come_on_one_clock_and_are_summed() -> None:
    time = FakeTime()
    shell, cluster = Half([Observed()]), Half([Observed()])
    watcher = Watcher(shell, [cluster], time.clock)
    time.now += 10
    shell.tells = [Observed(samples=(Sample(50.0, 1.0, 100, 2), Sample(51.0, 2.0, 200, 2)))]
    cluster.tells = [Observed(samples=(Sample(7.5, 5.0, 1000, 9), Sample(8.0, 5.5, 2000, 9)))]
    seen = watcher.look()
    assert [(sample.at, sample.cpu_seconds, sample.memory) for sample in seen.samples] == [
        (9.0, 1.0, 100),
        (9.5, 6.0, 1100),
        (10.0, 7.0, 1200),
        (10.0, 7.5, 2200),
    ]


def test_a_half_that_cannot_be_asked_is_a_trouble_and_hides_no_other() -> None:
    half, other = Half(breaks=True), Half([Observed(), Observed((OUT,))])
    watcher = Watcher(half, [other])
    assert watcher.look().network == (OUT,)
    assert str(watcher.trouble) == "the daemon is gone"


class DyingShell(WatchedShell):
    """Gives way at the first command, and knows why."""

    broke = False

    def run(self, command: str, *, environment: object, timeout: float) -> Completed:  # type: ignore[override]
        self.broke = True
        raise SandboxError("it does not answer")

    def observed(self) -> Observed:
        if self.broke:
            raise SandboxError("its disk was full", "write less")
        return super().observed()


def test_the_half_that_broke_says_why() -> None:
    outcome = perform(planned(ShellAction("a")), shell=DyingShell())
    assert (outcome.verdict, outcome.reason) == (Verdict.INCONCLUSIVE, "its disk was full")
    assert (outcome.steps[0].message, outcome.steps[0].advice) == ("its disk was full", "write less")
    assert "what the sandbox saw is not fully known: its disk was full" in outcome.notes


def test_what_was_not_told_once_is_not_counted_twice() -> None:
    half = Half([Observed(usage=Usage(4.0)), Observed(usage=Usage(6.0))])
    watcher = Watcher(half)
    half.breaks = True
    assert watcher.look().usage == Usage(cpu_seconds=0.0)
    half.breaks = False
    assert watcher.look().usage.cpu_seconds == 2.0


def test_what_is_seen_while_no_step_runs_is_set_aside() -> None:
    time = FakeTime()
    half = Half([Observed(), Observed((OUT,)), Observed()])
    watcher = Watcher(half, clock=time.clock)
    time.now += 1
    watcher.set_aside()
    assert watcher.aside.network == (OUT,)
    assert watcher.look().network == ()


def test_right_after_a_look_there_is_nothing_to_set_aside() -> None:
    half = Half([Observed(), Observed((OUT,))])
    watcher = Watcher(half, clock=FakeTime().clock)
    watcher.set_aside()
    assert watcher.look().network == (OUT,)


def test_the_same_attempt_is_listed_once_with_its_count() -> None:
    kept, unlisted = distinct_attempts([OUT, OUT, Attempt("dns", name="a"), OUT])
    assert [(attempt.protocol, attempt.count) for attempt in kept] == [("tcp", 3), ("dns", 1)]
    assert unlisted == 0


def test_a_flood_of_attempts_and_events_does_not_fill_the_report() -> None:
    kept, unlisted = distinct_attempts(Attempt("dns", name=str(number)) for number in range(10_000))
    assert (len(kept), unlisted) == (MOST_ATTEMPTS, 10_000 - MOST_ATTEMPTS)
    many = [SecurityEvent(Threat.ABUSE, Severity.LOW, str(number)) for number in range(1000)]
    events = distinct_events([*many, ESCAPE], unlisted)
    assert len(events) == MOST_EVENTS + 2
    assert events[0] == ESCAPE
    assert "9800 more attempts than are listed" in [event.message for event in events]
    assert "951 more events than are listed" in [event.message for event in events]


def test_a_flood_of_network_violations_hides_nothing_else() -> None:
    flood = [SecurityEvent(Threat.NETWORK, Severity.HIGH, str(number)) for number in range(1000)]
    abuse = SecurityEvent(Threat.ABUSE, Severity.LOW, "filled its disk")
    assert abuse in distinct_events([*flood, abuse])
    assert len(distinct_events(flood)) == MOST_ATTEMPTS + 1


def test_each_step_has_its_own_network_events_usage_and_time() -> None:
    outcome = watched_run("quiet", "out", "escape")
    quiet, out, escape = outcome.steps
    assert (quiet.network, quiet.events) == ((), ())
    assert (out.network, out.events) == ((OUT,), ())
    assert (escape.network, escape.events) == ((), (ESCAPE,))
    assert [step.began for step in outcome.steps] == [0.0, 2.0, 4.0]
    assert [step.usage.cpu_seconds for step in outcome.steps if step.usage] == [2.0, 2.0, 2.0]
    assert [[sample.at for sample in step.samples] for step in outcome.steps] == [[2.0], [4.0], [6.0]]


def test_steps_of_the_rollback_are_watched_too() -> None:
    (undone,) = watched_run("out").rollback.steps
    assert undone.usage is not None
    assert (undone.usage.cpu_seconds, undone.usage.memory_peak) == (2.0, 50 * 1024**2)


def test_all_tries_of_a_step_are_in_its_result() -> None:
    time = FakeTime()
    made = planned(handler("once-more", ShellAction("out"), retry=Retry(3, 1.0)))
    outcome = perform(made, shell=WatchedShell(time, said("", exit_code=1)), clock=time.clock)
    (step,) = outcome.steps
    assert (step.status, step.attempts) == (StepStatus.FAILED, 3)
    assert [attempt.count for attempt in step.network] == [3]


def test_output_is_measured_where_anything_is() -> None:
    time = FakeTime()
    outcome = perform(planned(ShellAction("say")), shell=WatchedShell(time, said("äb\n", stderr="c")))
    (step,) = outcome.steps
    assert step.usage is not None
    assert step.usage.output_bytes == 5


def test_a_package_without_requirements_hears_what_it_needs() -> None:
    assert watched_run("quiet").suggested == Requirements("1500m", "64Mi")


def test_seconds_of_an_emulated_processor_suggest_no_cpu() -> None:
    class Slow(WatchedShell):
        def observed(self) -> Observed:
            return replace(super().observed(), emulated=True)

    outcome = perform(planned(ShellAction("quiet")), shell=Slow(time := FakeTime()), clock=time.clock)
    assert outcome.suggested == Requirements(memory="64Mi")
    assert outcome.steps[0].usage is not None
    assert outcome.steps[0].usage.cpu_seconds == 2.0


def test_calling_out_is_told_and_passes() -> None:
    outcome = watched_run("out")
    assert outcome.verdict is Verdict.PASS
    assert outcome.steps[0].network != ()


def test_calling_out_fails_where_the_settings_say_so() -> None:
    outcome = watched_run("out", on_violation="fail")
    assert (outcome.verdict, outcome.reason) == (
        Verdict.FAIL,
        "step-1: network violation: tried api.example.com:443",
    )


def test_grave_attempt_to_escape_always_fails() -> None:
    outcome = watched_run("quiet", "escape")
    assert (outcome.verdict, outcome.reason) == (
        Verdict.FAIL,
        "step-2: high escape attempt: tried to mount a file system",
    )
    assert [step.status for step in outcome.steps] == [StepStatus.OK, StepStatus.OK]
    assert outcome.violation == outcome.reason
    assert [step.violation for step in outcome.steps] == ["", "high escape attempt: tried to mount a file system"]


def test_what_fails_nothing_is_no_violation() -> None:
    outcome = watched_run("out")
    assert (outcome.violation, outcome.steps[0].violation) == ("", "")


def event(threat: Threat, severity: Severity) -> SecurityEvent:
    return SecurityEvent(threat, severity, "it")


def test_what_fails_depends_on_threat_severity_and_setting() -> None:
    def fails(threat: Threat, severity: Severity, how: str) -> bool:
        return violation((), [event(threat, severity)], how) != ""

    assert fails(Threat.ESCAPE, Severity.HIGH, "warn")
    assert fails(Threat.ESCAPE, Severity.CRITICAL, "warn")
    assert fails(Threat.SIGNATURE, Severity.HIGH, "warn")
    assert not fails(Threat.ESCAPE, Severity.MEDIUM, "warn")
    assert not fails(Threat.SIGNATURE, Severity.MEDIUM, "warn")
    assert not fails(Threat.ABUSE, Severity.HIGH, "warn")
    assert not fails(Threat.NETWORK, Severity.HIGH, "warn")
    assert fails(Threat.ABUSE, Severity.MEDIUM, "fail")
    assert fails(Threat.ESCAPE, Severity.MEDIUM, "fail")
    assert not fails(Threat.ESCAPE, Severity.LOW, "fail")


def test_what_was_answered_violates_nothing() -> None:
    answers = [Attempt("tcp", name="a", answer=answer) for answer in Answer if answer is not Answer.REFUSED]
    assert violation(answers, (), "fail") == ""
    assert violation([*answers, OUT], (), "fail") != ""


def test_worst_event_is_named() -> None:
    found = violation((), [event(Threat.ESCAPE, Severity.HIGH), event(Threat.ESCAPE, Severity.CRITICAL)], "warn")
    assert found.startswith("critical")


def test_runs_without_a_shell_have_nothing_to_tell() -> None:
    outcome = perform(planned(ShellAction("true")))
    assert outcome.network == ()
    assert outcome.events == ()
