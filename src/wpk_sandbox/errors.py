"""Every way in which we can fail, with its exit code; raised anywhere, caught in `cli.py` only.

A problem in the user's package is never an exception: it is a `finding.Finding`.
"""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the process says when it ends."""

    PASS = 0
    FAIL = 1
    USAGE = 2
    INCONCLUSIVE = 3
    PUBLISHING = 4
    BUG = 70
    INTERRUPTED = 130
    TERMINATED = 143


class WpkSandboxError(Exception):
    """A failure with what happened as its message and what to do as its remedy."""

    exit_code: ClassVar[ExitCode] = ExitCode.BUG

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class UsageError(WpkSandboxError):
    """The command line cannot be carried out as it was given."""

    exit_code = ExitCode.USAGE


class SettingsError(UsageError):
    """A setting has an unknown name or a value of the wrong shape."""


class UnavailableError(WpkSandboxError):
    """This host, network or service could not do it; nothing is said about the package."""

    exit_code = ExitCode.INCONCLUSIVE


class ProgramMissingError(UnavailableError):
    """A program that we call is not on PATH."""


class SandboxError(UnavailableError):
    """A sandbox could not be made, or broke while it was in use."""


class NoRouteError(SandboxError):
    """A shell was to have routes, and nothing is at hand that leads them into it."""


class PublishingError(WpkSandboxError):
    """The result stands, but a service did not take it."""

    exit_code = ExitCode.PUBLISHING


class InterruptedRunError(BaseException):
    """SIGINT or SIGTERM arrived: everything unwinds and is removed, then the process ends.

    Derives from BaseException so that no handler of ordinary failures swallows it.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"signal {signal_number}")
        self.number = signal_number
        self.exit_code = ExitCode(128 + signal_number) if signal_number in (2, 15) else ExitCode.INTERRUPTED
