"""Process 1 of the container: it says how closed it is, and then, each time it is asked, what was used.

So neither costs a command of its own (80 ms), and it answers even when a command has used up all processes, for it
needs none. Its user is not the commands' user: they can neither end it nor speak in its place. A shell as process 1
also reaps orphans while it waits; an init would not do, because it ends with its child.
"""

import time
from collections.abc import Callable
from contextlib import suppress

from wpk_sandbox.errors import UnavailableError
from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.shells import probe
from wpk_sandbox.sandbox.shells.docker_exec import Stream
from wpk_sandbox.sandbox.shells.inside import WATCHER
from wpk_sandbox.sandbox.shells.output import STDOUT, Output

_END = "that is all"
_SCRIPT = f"""({probe.POSTURE}); echo '{_END}'
{probe.SAY}
while read -r _; do {probe.COUNTERS}
echo '{_END}'; done
while :; do sleep 3600; done
"""

# For the SDK's `create_container`. Its input stays open when we let go of it.
PROCESS = {"entrypoint": ["sh", "-c", _SCRIPT], "user": f"{WATCHER}:{WATCHER}", "stdin_open": True}

_LARGEST_ANSWER = 64 * 1024
_GLANCE = 0.005


class Watch:
    """A conversation with process 1 of one container."""

    def __init__(self, container: str) -> None:
        self._container = container
        self._stream: Stream | None = None

    def start(self, timeout: float) -> probe.Answers:
        """Start the container; what process 1 says of itself. Raises `UnavailableError` when it does not start."""
        api = daemon.client().api
        self.end()
        with daemon.translated("start the shell's container"):
            attached = api.attach_socket(self._container, {"stdin": 1, "stdout": 1, "stream": 1})
            self._stream = Stream(attached, Output(_LARGEST_ANSWER))
            words = self._words_after(lambda: api.start(self._container), timeout)
        return probe.Answers(words or "")

    def ask(self, timeout: float) -> probe.Counters | None:
        """The counters now; None when process 1 does not answer within `timeout` seconds."""
        stream = self._stream
        if stream is None or stream.at_end.is_set():
            return None
        stream.output = Output(_LARGEST_ANSWER)
        with suppress(OSError):
            words = self._words_after(lambda: stream.send(b"\n"), timeout)
            return None if words is None else probe.read_counters(words)
        return None

    def end(self) -> None:
        """Let go of it; the container goes on."""
        if self._stream:
            self._stream.close()
        self._stream = None

    def _words_after(self, signal: Callable[[], None], timeout: float) -> str | None:
        """What it says in answer; None when the end of that does not come."""
        if (stream := self._stream) is None:
            raise UnavailableError("the shell's container was not started")
        until = time.monotonic() + timeout
        signal()
        while True:
            over = stream.at_end.wait(_GLANCE) or time.monotonic() >= until
            if _END in (words := stream.output.text(STDOUT)):
                return words
            if over:
                return None
