"""What pods use and ask for, second by second: a small program in the node says it, and we write it down."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from wpk_sandbox import command
from wpk_sandbox.sandbox.clusters.kind.node import Node
from wpk_sandbox.sandbox.clusters.kind.pods import Pods
from wpk_sandbox.sandbox.sandbox import Attempt, Sample, Usage

# How long an answer may take that is asked for out of turn, in seconds.
PATIENCE = 2.0

_PROGRAM = Path(__file__).with_name("watcher.pl")
_MOST_SAMPLES = 3600
# Looks at the disk that are ours: the first may have begun before the last image was there.
_TO_SETTLE = 2
# A name below it is the cluster's own, be it there or not: the resolver tries its search list first.
_OWN = ".cluster.local"


@dataclass(frozen=True)
class Used:
    """What one pod uses: nanoseconds so far, bytes, processes."""

    cpu: int
    memory: int
    processes: int


class Notes:
    """What the program in the node said so far. Safe to read while it goes on.

    It looks at pods more often than it says everything, which makes a sample: a sample's memory and processes are
    the most that any look found since the sample before. Time of a CPU is what all pods ever took, without that of
    the cluster's own, so that nothing is lost with a pod that ends between two looks. Whatever the first look finds
    is the cluster's own: nobody else has been let in yet.
    """

    def __init__(self, pods: Pods, clock: Callable[[], float] = time.monotonic) -> None:
        self._pods, self._clock, self._began = pods, clock, clock()
        self._lock = threading.Condition()
        self._reports = 0
        self._now: dict[str, Used] = {}
        self._first: dict[str, int] | None = None
        self._all = self._before = self._spent = 0
        self._cpu: dict[str, int] = {}
        self._memory = self._processes = 0
        self._disk = self._base = 0
        self._settling: float = _TO_SETTLE
        self._peak = Sample(0.0)
        self._samples: list[Sample] = []
        self._asked: dict[tuple[str, str], int] = {}

    def line(self, text: str) -> None:
        """Write one line down."""
        word, *rest = text.split()
        with self._lock:
            if word == "pod":
                self._now[rest[0]] = Used(*map(int, rest[1:4]))
            elif word == "all":
                self._all = max(self._all, int(rest[0]))
            elif word == "look":
                self._looked()
            elif word == "disk":
                self._disk = int(rest[0]) * 1024
                if self._settling:
                    self._settling -= 1
                    self._base = self._disk
            elif word == "dns":
                source, name, count = rest[0], rest[1].rstrip("."), int(rest[2])
                self._asked[source, name] = self._asked.get((source, name), 0) + count
            elif word == "end":
                self._sampled()

    @property
    def stored(self) -> int:
        """What was written to the node's disk since images were last loaded, in bytes."""
        with self._lock:
            return max(0, self._disk - self._base)

    @contextmanager
    def loading(self) -> Iterator[None]:
        """What comes to lie on the disk until the block is left is ours: images that we load."""
        with self._lock:
            self._settling = math.inf
        try:
            yield
        finally:
            with self._lock:
                self._settling = _TO_SETTLE

    def reports(self) -> int:
        """How often the program has said everything."""
        with self._lock:
            return self._reports

    def await_report(self, beyond: int, timeout: float) -> None:
        """Return when it has said everything once more, or when `timeout` seconds are over."""
        with self._lock:
            self._lock.wait_for(lambda: self._reports > beyond, timeout)

    def samples(self) -> tuple[Sample, ...]:
        """The samples since this was last called."""
        with self._lock:
            taken, self._samples = tuple(self._samples), []
        return taken

    def usage(self) -> Usage:
        """What the package's pods used at most, and how much time of a CPU in all."""
        with self._lock:
            if not self._reports:
                return Usage()
            peak = self._peak
        return Usage(peak.cpu_seconds, peak.memory, peak.processes, stored_peak=peak.stored)

    def questions(self) -> tuple[Attempt, ...]:
        """The names that the package's pods asked for outside of the cluster since this was last called."""
        with self._lock:
            asked, self._asked = self._asked, {}
        named = ((self._pods.name_of(source), name, count) for (source, name), count in asked.items())
        return tuple(
            Attempt("dns", name=name, process=process, count=count)
            for process, name, count in named
            if process and not self._pods.is_system(process) and not f".{name}".endswith(_OWN)
        )

    def _looked(self) -> None:
        now, self._now = self._now, {}
        for uid, used in now.items():
            self._cpu[uid] = max(used.cpu, self._cpu.get(uid, 0))
        if self._first is None:
            self._first, self._before = dict(self._cpu), self._all
        ours = [used for uid, used in now.items() if self._is_of_package(uid)]
        self._memory = max(self._memory, sum(used.memory for used in ours))
        self._processes = max(self._processes, sum(used.processes for used in ours))
        theirs = sum(self._since_first(uid) for uid in self._cpu if not self._is_of_package(uid))
        self._spent = max(self._spent, self._all - self._before - theirs)

    def _is_of_package(self, uid: str) -> bool:
        return uid not in (self._first or {}) and self._pods.is_of_package(uid)

    def _since_first(self, uid: str) -> int:
        return self._cpu[uid] - (self._first or {}).get(uid, 0)

    def _sampled(self) -> None:
        sample = Sample(
            self._clock() - self._began,
            self._spent / 1e9,
            self._memory,
            self._processes,
            max(0, self._disk - self._base),
        )
        self._memory = self._processes = 0
        if len(self._samples) < _MOST_SAMPLES:
            self._samples.append(sample)
        self._peak = Sample(
            sample.at,
            sample.cpu_seconds,
            max(sample.memory, self._peak.memory),
            max(sample.processes, self._peak.processes),
            max(sample.stored, self._peak.stored),
        )
        self._reports += 1
        self._lock.notify_all()


class Watcher:
    """The program in the node, and the thread that listens to it."""

    def __init__(self, process: command.Process, notes: Notes, looked: Callable[[], None]) -> None:
        self.notes = notes
        self._process, self._looked = process, looked
        threading.Thread(target=self._listen, daemon=True).start()

    def ask(self) -> None:
        """Have it say everything now; returns when it has, or does not answer."""
        before = self.notes.reports()
        with suppress(OSError, ValueError):
            if self._process.stdin and self._process.poll() is None:
                self._process.stdin.write(b"\n")
                self._process.stdin.flush()
                self.notes.await_report(before, PATIENCE)

    def _listen(self) -> None:
        with suppress(OSError, ValueError):
            for line in self._process.stdout or ():
                with suppress(ValueError, IndexError, TypeError):
                    self.notes.line(line.decode("ascii", "replace"))
                if line == b"end\n":
                    self._looked()


@contextmanager
def watching(node: Node, notes: Notes, looked: Callable[[], None]) -> Iterator[Watcher]:
    """Watch a node until the block is left; `looked` is called after each report, in the listening thread."""
    argv = ["docker", "exec", "-i", node.name, "perl", "-e", _PROGRAM.read_text(encoding="ascii")]
    with command.start(argv, stdin=command.PIPE, stderr=command.DEVNULL) as process:
        yield Watcher(process, notes, looked)
