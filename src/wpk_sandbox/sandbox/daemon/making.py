"""Making containers and networks: entered in the ledger before, and out of the reach of an interrupt."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from wpk_sandbox.errors import UnavailableError
from wpk_sandbox.sandbox.daemon.connection import client, translated
from wpk_sandbox.sandbox.daemon.removing import remove_container, remove_network
from wpk_sandbox.sandbox.ledger import Entry, Ledger

MAKING_TIMEOUT = 60.0
_CONFLICT = 409


def resource_name(ledger: Ledger, what: str) -> str:
    """The name of a container or network of this run; `what` tells it from the run's others."""
    return f"wpk-sandbox-{ledger.run_id}-{what}"


def create_container(
    ledger: Ledger, name: str, image: str, *, lasts: bool = True, **options: Any
) -> tuple[str, Entry]:
    """Create, but do not start, a labelled container; returns its id and its ledger entry.

    Without `lasts` it is never kept: it is of no use without us. `options` are those of the SDK's
    `create_container`. Raises `UnavailableError`.
    """
    made = _Making(
        f"create the container {name}",
        lambda: client().api.create_container(image, name=name, labels=ledger.labels, **options)["Id"],
    )
    undo = partial(made.then, lambda: remove_container(name, grace=ledger.grace))
    entry = ledger.enter("container", name, undo, lasts=lasts, alone=True)
    return made.result(), entry


@contextmanager
def container(ledger: Ledger, name: str, image: str, **options: Any) -> Iterator[str]:
    """A labelled container, created and not started, that is removed when the block is left; gives its id.

    Raises `UnavailableError`.
    """
    identifier, entry = create_container(ledger, name, image, **options)
    try:
        yield identifier
    finally:
        ledger.undo(entry)


def name_is_free(ledger: Ledger, name: str, image: str) -> bool:
    """False while there is a container of that name, or the daemon is still making one: it takes the name first.

    Raises `UnavailableError`.
    """
    from docker.errors import APIError  # noqa: PLC0415 - only runs that use Docker load it

    with translated(f"ask for the name {name}"):
        try:
            placeholder = client().api.create_container(image, name=name, labels=ledger.labels)["Id"]
        except APIError as error:
            if error.status_code == _CONFLICT:
                return False
            raise
    remove_container(placeholder)
    return True


def create_network(ledger: Ledger, name: str, **options: Any) -> tuple[str, Entry]:
    """Create a labelled network; returns its id and its ledger entry.

    `options` are those of the SDK's `create_network`. Raises `UnavailableError`.
    """
    made = _Making(
        f"create the network {name}",
        lambda: client().api.create_network(name, labels=ledger.labels, **options)["Id"],
    )
    entry = ledger.enter("network", name, partial(made.then, partial(remove_network, name)))
    return made.result(), entry


class _Making:
    """A request that makes something, out of the reach of an interrupt.

    A signal that arrives while the daemon still works on it must not lead to an undo that finds nothing yet,
    and then a thing that nobody removes: the request goes on in a thread of its own, and the undo waits for it.
    """

    def __init__(self, doing: str, request: Callable[[], Any]) -> None:
        self._doing, self._request = doing, request
        self._answer: Any = None
        self._error: Exception | None = None
        self._begun = self._cancelled = False
        self._lock = threading.Lock()
        # Not the thread's own state, which says "not alive" to a caller that was interrupted while starting it.
        self._answered = threading.Event()

    def _make(self) -> None:
        with self._lock:
            self._begun = not self._cancelled
        if not self._begun:
            self._error = UnavailableError(f"did not {self._doing}: the run is over")
            self._answered.set()
            return
        try:
            self._answer = self._request()
        except Exception as error:  # raised again, and translated, by result()
            self._error = error
        finally:
            self._answered.set()

    def result(self) -> str:
        """Make it; the answer. Raises `UnavailableError`."""
        threading.Thread(target=self._make, daemon=True).start()
        self._answered.wait()
        with translated(self._doing):
            if self._error:
                raise self._error
        return str(self._answer)

    def then(self, undo: Callable[[], None]) -> None:
        """Undo it when the daemon has answered; what has not begun never will."""
        with self._lock:
            self._cancelled = True
        if self._begun:
            self._answered.wait(MAKING_TIMEOUT)
        undo()
