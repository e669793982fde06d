"""Puts files into a shell by a command's variables, since nothing else reaches a file system in memory."""

from collections.abc import Mapping
from shlex import quote

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.package.units import human_bytes

# The kernel's bound on one variable is 128 KiB (execve(2), MAX_ARG_STRLEN).
LARGEST_FILE = 120 * 1024


def placing(files: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The command that writes `files` (absolute paths to contents) for its user alone, and its variables.

    Raises `SandboxError` for a file that is too large.
    """
    large = [path for path, content in files.items() if len(content.encode()) > LARGEST_FILE]
    if large:
        raise SandboxError(f"{large[0]} is larger than {human_bytes(LARGEST_FILE)}")
    variables = {f"FILE_{number}": content for number, content in enumerate(files.values())}
    lines = [
        f'mkdir -p {quote(path.rpartition("/")[0])} && printf %s "$FILE_{number}" >{quote(path)}'
        for number, path in enumerate(files)
    ]
    return " && ".join(["umask 077", *lines]), variables
