"""What a command finds inside every shell, whichever it is: its user, its folders, its first variables."""

import math
import re

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox.sandbox import Limits, ShellAccess

# The user that distroless images call nonroot; no host gives it to a person.
USER = 65532
# Who watches the commands, out of their reach.
WATCHER = 65533
HOSTNAME = "wpk"
WORKSPACE = "/workspace"
TEMPORARY = "/tmp"  # noqa: S108 - a mount of the sandbox's own, not the host's
SHARED_MEMORY = 16 * 1024**2
OPEN_FILES = 1024
# Bytes of memory that a process may keep from being swapped; enough for a key.
LOCKED_MEMORY = 64 * 1024
# A file system in memory holds one file for each so many of its bytes, since an empty file takes memory too.
BYTES_OF_A_FILE = 4096
ENVIRONMENT = {"HOME": WORKSPACE, "LANG": "C.UTF-8"}

# A process that outlives its command and holds its streams open is waited for no longer than this, in seconds.
GRACE = 0.5

_REFUSED_FORK = re.compile(rb"fork.{0,40}(Resource temporarily unavailable|retry)|can.?t fork|cannot fork", re.I)


def workspace_size(limits: Limits) -> int:
    """Bytes of the working folder. It lies in memory, so it gets no more than half of that."""
    return min(limits.storage, limits.step_memory // 2)


def most_files(size: int) -> int:
    """How many files a file system in memory of so many bytes may hold."""
    return max(64, size // BYTES_OF_A_FILE)


def cores(limits: Limits) -> int:
    """Whole cores that a step needs to get its share."""
    return max(1, math.ceil(limits.step_cpu))


def refused_fork(stderr: bytes) -> bool:
    """True when a program complained that it could not start another."""
    return _REFUSED_FORK.search(stderr) is not None


def require_placeable(access: ShellAccess) -> None:
    """Raise `SandboxError` for a file that would have to lie on the read-only root."""
    for path in access.files:
        if not path.startswith((f"{WORKSPACE}/", f"{TEMPORARY}/")) or ".." in path.split("/"):
            raise SandboxError(
                f"{path} cannot be placed in the shell", f"place it below {WORKSPACE} or {TEMPORARY}"
            )
