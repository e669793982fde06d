"""The only user of subprocess: every program gets a deadline, a cap on its output and a log line."""

import logging
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO

from wpk_sandbox.errors import ProgramMissingError, UnavailableError

log = logging.getLogger(__name__)

Process = subprocess.Popen[bytes]
PIPE, DEVNULL = subprocess.PIPE, subprocess.DEVNULL
StillRunning = subprocess.TimeoutExpired  # what `Process.wait` raises

# The variable by which a program that outlived us is known as ours.
OWNER = "WPK_SANDBOX_OWNER"

OUTPUT_CAP = 4 * 1024 * 1024
KILL_GRACE = 2.0

_marks: dict[str, str] = {}


@dataclass(frozen=True)
class CommandResult:
    """How a program ended. `timed_out` means that we killed it at its deadline."""

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str
    seconds: float
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        """True when the program ended by itself with status 0."""
        return self.returncode == 0 and not self.timed_out

    def require(self, remedy: str = "") -> "CommandResult":
        """Return itself, or raise `UnavailableError` that shows the command and its last words."""
        if self.ok:
            return self
        how = "timed out" if self.timed_out else f"ended with status {self.returncode}"
        words = (self.stderr or self.stdout).strip()[-2000:]
        raise UnavailableError(f"`{printable(self.argv)}` {how} after {self.seconds:.1f} s: {words}", remedy)


def find(program: str) -> str | None:
    """The path of a program on PATH, or None."""
    return shutil.which(program)


def printable(argv: Sequence[str]) -> str:
    """The command as a person would type it, cut to one readable line."""
    line = " ".join(argument if argument and " " not in argument else repr(argument) for argument in argv)
    return line if len(line) <= 300 else line[:297] + "..."


def run(
    argv: Sequence[str],
    *,
    timeout: float,
    stdin: bytes | IO[bytes] = b"",
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    output_cap: int = OUTPUT_CAP,
    undecodable: str = "replace",
) -> CommandResult:
    """Run a program to its end or its deadline, keeping at most `output_cap` bytes of each stream.

    `stdin` is what it reads, or a stream that it reads from, such as another program's output. `env` adds to (or
    overrides) our own environment. `undecodable` says what becomes of bytes that are not UTF-8: `replace`, or
    `surrogateescape` where they are file names. Raises `ProgramMissingError` if there is no such program.
    """
    began = time.monotonic()
    source = subprocess.PIPE if isinstance(stdin, bytes) else stdin
    with start(argv, env=env, cwd=cwd, stdin=source) as process:
        readers = [_CappedReader(stream, output_cap) for stream in (process.stdout, process.stderr) if stream]
        _feed(process, stdin if isinstance(stdin, bytes) else b"")
        timed_out = _wait(process, timeout)
        stdout, stderr = (reader.text(undecodable) for reader in readers)
    result = CommandResult(tuple(argv), process.returncode, stdout, stderr, time.monotonic() - began, timed_out)
    log.debug("%s: status %d in %.2f s", printable(argv), result.returncode, result.seconds)
    return result


@contextmanager
def start(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    stdin: int | IO[bytes] | None = subprocess.DEVNULL,
    stdout: int | IO[bytes] | None = subprocess.PIPE,
    stderr: int | IO[bytes] | None = subprocess.PIPE,
    pass_fds: Sequence[int] = (),
    user: int | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program in a process group of its own; leaving the block kills what is left of the group.

    `user` runs it as that user and group id with no further groups, which only root can ask for.
    """
    path = find(argv[0])
    if path is None:
        raise ProgramMissingError(f"the program `{argv[0]}` is not installed", "see `wpk-sandbox doctor`")
    process = subprocess.Popen(
        [path, *argv[1:]],
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env={**os.environ, **_marks, **(env or {})} if env or _marks else None,
        cwd=cwd,
        pass_fds=pass_fds,
        start_new_session=True,
        user=user,
        group=user,
        extra_groups=None if user is None else (),
    )
    try:
        yield process
    finally:
        kill_group(process)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                with suppress(OSError):
                    stream.close()


@contextmanager
def marked(variable: str, value: str) -> Iterator[None]:
    """Give every program that is started meanwhile a variable in its environment."""
    before = _marks.get(variable)
    _marks[variable] = value
    try:
        yield
    finally:
        if before is None:
            del _marks[variable]
        else:
            _marks[variable] = before


def detach(argv: Sequence[str], *, keep: Callable[[str], bool]) -> IO[bytes]:
    """Start a program that outlives us, in a session of its own; gives its standard input, unbuffered.

    Of our environment it sees the variables that `keep` names, of our files none. It is to fork at once and go on
    in its child: then it is nobody's child, and who kills us with our children does not find it. Raises OSError.
    """
    process = subprocess.Popen(
        argv,
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if keep(name)},
        cwd="/",
        start_new_session=True,
    )
    threading.Thread(target=process.wait, daemon=True).start()
    if process.stdin is None:  # which was asked for
        raise OSError("no pipe")
    return process.stdin


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, a short grace, then SIGKILL, to the program and its children."""
    if process.poll() is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(KILL_GRACE)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _feed(process: subprocess.Popen[bytes], data: bytes) -> None:
    if process.stdin:
        with suppress(BrokenPipeError):
            process.stdin.write(data)
            process.stdin.close()


def _wait(process: subprocess.Popen[bytes], timeout: float) -> bool:
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        kill_group(process)
        return True
    return False


class _CappedReader:
    """Drains a stream to its end, so that the writer never blocks, and keeps its first bytes."""

    def __init__(self, stream: IO[bytes], cap: int) -> None:
        self._stream, self._cap, self._kept = stream, cap, bytearray()
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        with suppress(OSError, ValueError):
            while chunk := os.read(self._stream.fileno(), 65536):
                self._kept += chunk[: max(0, self._cap - len(self._kept))]

    def text(self, undecodable: str) -> str:
        """What was kept, decoded; a grandchild that holds the stream open is not waited for."""
        self._thread.join(KILL_GRACE)
        return bytes(self._kept).decode("utf-8", undecodable)
