"""Something in Kubernetes data that the API server would refuse."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """What is wrong at a pointer; `at_key` when it is the key, or what stands below it, and not the value."""

    pointer: str
    message: str
    fix: str
    at_key: bool = False
