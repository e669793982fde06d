"""What an examination is asked and what it answers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wpk_sandbox.sandbox.sandbox import SandboxSpec

# Seconds for a program that only tells its version.
QUICK = 10.0


@dataclass(frozen=True)
class Check:
    """One examined topic: `ok` is None for a warning; `found` says what is there, `remedy` what to do about it."""

    topic: str
    ok: bool | None
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class Host:
    """What an examination looks at: what a sandbox would be asked for, the checkout, and the environment."""

    spec: SandboxSpec
    root: Path
    environment: Mapping[str, str]


def from_reason(topic: str, reason: str | None, found: str) -> Check:
    """A check of a provider's `why_not`, which puts its remedy behind the first semicolon."""
    if reason is None:
        return Check(topic, True, found)
    what, _, remedy = reason.partition("; ")
    return Check(topic, False, what, remedy)


def numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version: `v1.1.12-0-g51d5e946` is (1, 1, 12); empty where there are none."""
    match = re.match(r"v?(\d+(?:\.\d+)+)", version)
    return tuple(int(part) for part in match[1].split(".")) if match else ()
