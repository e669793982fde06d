"""What a script inside a shell printed of its attempts, and what the gate saw of them."""

from collections.abc import Callable
from dataclasses import dataclass

from wpk_sandbox.sandbox.sandbox import Answer, Observed


@dataclass(frozen=True)
class Tried:
    """What a script printed, and what was observed of it."""

    said: str
    observed: Observed

    @property
    def attempts(self) -> set[tuple[str, str, int | None, str, Answer]]:
        return {(each.protocol, each.address, each.port, each.name, each.answer) for each in self.observed.attempts}


Try = Callable[[str], Tried]


def refused(protocol: str, address: str = "", port: int | None = None, name: str = "") -> tuple[object, ...]:
    return (protocol, address, port, name, Answer.REFUSED)
