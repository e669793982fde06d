"""Several runs at once, but one cluster at a time."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from .runs import Case, Outcome


def side_by_side(one: Callable[[Case], Outcome], cases: list[Case], at_once: int) -> list[Outcome]:
    """Do `one` for each case, so many at once; when one fails, those that are on are waited for, and none is begun.

    A node takes about half of the file watches (inotify instances) that a host has by default, and boots on all cores:
    two at once are no quicker, and a third that somebody else has would let them fail.
    """
    crew = _Crew(one, cases)
    with ThreadPoolExecutor(at_once) as pool:
        working = [pool.submit(crew.work) for _ in range(at_once)]
        try:
            for each in working:
                each.result()
        finally:
            crew.stop()
    return crew.outcomes


class _Crew:
    def __init__(self, one: Callable[[Case], Outcome], cases: list[Case]) -> None:
        self.outcomes: list[Outcome] = []
        self._one, self._waiting = one, deque(cases)
        self._has_cluster = False
        self._changed = threading.Condition()

    def work(self) -> None:
        """Do what is waiting, until there is nothing."""
        while case := self._next():
            try:
                self.outcomes.append(self._one(case))
            except BaseException:
                self.stop()
                raise
            finally:
                with self._changed:
                    self._has_cluster = self._has_cluster and case.sandbox != "kind"
                    self._changed.notify_all()

    def stop(self) -> None:
        """Begin none any more."""
        with self._changed:
            self._waiting.clear()
            self._changed.notify_all()

    def _next(self) -> Case | None:
        """The next case that may begin, when there is one; None when none is waiting."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting or self._possible())
            case = self._possible()
            if case:
                self._waiting.remove(case)
                self._has_cluster = self._has_cluster or case.sandbox == "kind"
            return case

    def _possible(self) -> Case | None:
        free = (each for each in self._waiting if each.sandbox != "kind" or not self._has_cluster)
        return next(free, None)
