"""Process 1 of the container: it says, each time it is asked, what was used.

So that costs no command of its own (80 ms), and it answers even when a command has used up all processes, for it
needs none. Its user is not the commands' user: they can neither end it nor speak in its place. A shell as process 1
also reaps orphans while it waits; an init would not do, because it ends with its child.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.sandbox import Observed, Sample, Usage
from wpk_sandbox.sandbox.shells import probe
from wpk_sandbox.sandbox.shells.counters import COUNTERS, MEMORY, Counters, read_counters
from wpk_sandbox.sandbox.shells.docker_exec import Stream
from wpk_sandbox.sandbox.shells.inside import WATCHER
from wpk_sandbox.sandbox.shells.output import STDOUT, Output

# An answer ends with this and the number of its question, so that a late one is not taken for the next.
_END = "that is all"
_SCRIPT = f"""echo '{_END} 0'
{probe.SAY}
while read -r what question; do
case $what in memory) {MEMORY} ;; *) {COUNTERS} ;; esac
echo "{_END} $question"; done
while :; do sleep 3600; done
"""

# For the SDK's `create_container`. Its input stays open when we let go of it.
PROCESS = {"entrypoint": ["sh", "-c", _SCRIPT], "user": f"{WATCHER}:{WATCHER}", "stdin_open": True}

_LARGEST_ANSWER = 64 * 1024
# Seconds between two samples, each of which costs the container 3 ms of its CPU; between two looks at its memory
# alone; and how long one may take.
INTERVAL, MEMORY_INTERVAL, _PATIENCE = 0.5, 0.1, 1.0
# Of two looks so close together, in seconds, the later one says enough.
_TOO_CLOSE = 0.05


class Watch:
    """A conversation with process 1 of one container, from the main thread and from one that takes samples."""

    def __init__(self, container: str) -> None:
        self._container = container
        self._stream: Stream | None = None
        self._talking = threading.Lock()
        self._question = 0
        self._opened = time.monotonic()
        self._total = Total()
        self._samples: list[Sample] = []
        self._latest = self._highest = Sample(0.0)
        self._over = threading.Event()
        self._sampler = threading.Thread(target=self._take_samples, daemon=True)

    def start(self, timeout: float) -> None:
        """Start the container, again too, and wait for process 1's first word. Raises `UnavailableError`."""
        api = daemon.client().api
        self._let_go()
        with self._talking, daemon.translated("start the shell's container"):
            self._total.begin_anew()
            attached = api.attach_socket(self._container, {"stdin": 1, "stdout": 1, "stream": 1})
            self._stream = Stream(attached, Output(_LARGEST_ANSWER))
            self._question = 0
            self._answer(self._stream, lambda: api.start(self._container), timeout)
        if not self._sampler.is_alive() and not self._over.is_set():
            self._sampler.start()

    def ask(self, timeout: float) -> Counters | None:
        """The counters now, of this life of the container; None when process 1 takes longer than `timeout`."""
        with self._talking:
            if (words := self._asked("all", timeout)) is None:
                return None
            counters = read_counters(words)
            self._note(counters)
        return counters

    def look(self) -> None:
        """Look at its memory, and remember that where it is the most since the last sample."""
        with self._talking:
            if (words := self._asked("memory", _PATIENCE)) is None:
                return
            memory, latest = read_counters(words).memory, self._latest
            if memory > self._highest.memory:
                self._highest = replace(latest, at=self._now(), memory=memory)

    def usage(self, timeout: float) -> Usage:
        """The total of all lives of the container, as far as it could be asked."""
        self.ask(timeout)
        return self._total.usage

    def observed(self, timeout: float) -> Observed:
        """The total, and the samples since this was last asked."""
        self.ask(timeout)
        with self._talking:
            samples, self._samples = self._samples, []
            return Observed(samples=tuple(samples), usage=self._total.usage)

    def end(self) -> None:
        """Take no more samples, and let go of process 1; the container goes on."""
        self._over.set()
        self._let_go()

    def _let_go(self) -> None:
        if self._stream:
            self._stream.close()
        self._stream = None

    def _take_samples(self) -> None:
        due = time.monotonic() + INTERVAL
        while not self._over.wait(MEMORY_INTERVAL):
            if time.monotonic() < due:
                self.look()
            else:
                due = time.monotonic() + INTERVAL
                self.ask(_PATIENCE)

    def _note(self, counters: Counters) -> None:
        """Keep a sample, and before it the one with the most memory since the last, where both have less."""
        usage = self._total.add(counters)
        now = Sample(self._now(), usage.cpu_seconds or 0.0, counters.memory, counters.processes, counters.stored)
        last = self._samples[-1] if self._samples else Sample(0.0)
        if self._highest.memory > max(last.memory, now.memory):
            self._samples.append(self._highest)
        elif self._samples and now.at - last.at < _TOO_CLOSE and last.memory <= now.memory:
            self._samples.pop()
        self._samples.append(now)
        self._latest, self._highest = now, Sample(0.0)

    def _now(self) -> float:
        return round(time.monotonic() - self._opened, 3)

    def _asked(self, what: str, timeout: float) -> str | None:
        stream = self._stream
        if stream is None or stream.at_end.is_set():
            return None
        self._question += 1
        question = f"{what} {self._question}\n".encode()
        stream.output = Output(_LARGEST_ANSWER)
        words = None
        with suppress(OSError):
            words = self._answer(stream, lambda: stream.send(question), timeout)
        return words

    def _answer(self, stream: Stream, ask: Callable[[], None], timeout: float) -> str | None:
        """What it says to the question; None when the end of that does not come."""
        end = f"{_END} {self._question}\n"
        until = time.monotonic() + timeout
        ask()
        while True:
            stream.heard.wait(max(0.0, until - time.monotonic()))
            # Before the look: what is written after it is heard again.
            stream.heard.clear()
            words, found, _ = stream.output.text(STDOUT).partition(end)
            if found:
                return words.rpartition(_END)[2]
            if stream.at_end.is_set() or time.monotonic() >= until:
                return None


class Total:
    """What a container used in all of its lives: a restart begins the control group's counters anew."""

    _COUNTERS = ("cpu_seconds", "throttled_seconds", "read_bytes", "written_bytes", "out_of_memory")
    _PEAKS = ("memory_peak", "processes_peak", "stored_peak")

    def __init__(self) -> None:
        self._before = Usage()
        self.usage = Usage()

    def begin_anew(self) -> None:
        """The next counters are those of another life."""
        self._before = self.usage

    def add(self, counters: Counters) -> Usage:
        """The total with the counters of this life; peaks are the highest that were seen or told."""
        seen = {"processes_peak": counters.processes, "stored_peak": counters.stored}
        now = counters.usage
        summed: dict[str, Any] = {
            name: _sum(getattr(self._before, name), getattr(now, name)) for name in self._COUNTERS
        }
        peaks: dict[str, Any] = {
            name: max(getattr(self.usage, name) or 0, getattr(now, name) or 0, seen.get(name, 0)) or None
            for name in self._PEAKS
        }
        self.usage = replace(self.usage, **summed, **peaks)
        return self.usage


def _sum(before: float | None, now: float | None) -> float | None:
    return before if now is None else now + (before or 0)
