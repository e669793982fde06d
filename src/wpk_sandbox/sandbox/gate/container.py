"""The gate of a shell in a container: a container beside it, in its network and process namespaces.

It holds a bare Python, runs our program with the right to make the device, and talks with us over its streams. When
it ends, its device goes with it: the shell is as closed as before, and only what it tries is not recorded any more.
"""

import logging
import threading
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import Any

from wpk_sandbox.errors import NoRouteError, UnavailableError
from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.gate.attached import Attached
from wpk_sandbox.sandbox.gate.observed import ended, joined, observed
from wpk_sandbox.sandbox.gate.program import source
from wpk_sandbox.sandbox.gate.recorder import Taken
from wpk_sandbox.sandbox.gate.talk import READY_TIMEOUT, Talk
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import Observed, Route
from wpk_sandbox.sandbox.seccomp.profile import docker_profile

log = logging.getLogger(__name__)

# To make the device; then to go on as the commands' user, whose processes it looks at.
_CAPABILITIES = ["NET_ADMIN", "SETUID", "SETGID"]
_MEMORY = 96 * 1024**2
_PROCESSES = 256

_WITHOUT_PYTHON = "holds no python3"
_ABOUT_PYTHON = "name an image with Python in `sandbox.network.gate_image`; see `wpk-sandbox doctor`"
_without_python: set[str] = set()


class ContainerGate:
    """One gate container. It is started again whenever its shell was, or when it ended by itself."""

    def __init__(
        self, ledger: Ledger, shell: str, images: Iterable[str], routes: Sequence[Route], user: int
    ) -> None:
        """`shell` is the name of the shell's container; `images` are tried in order until one holds a Python."""
        self._ledger, self._shell, self._images, self._user = ledger, shell, iter(images), user
        self._routes = tuple(routes)
        self._opened = ExitStack()
        self._container = ""
        self._talk: Talk | None = None
        self._starting: threading.Thread | None = None
        self._before: list[Observed] = []
        self._attached: Attached | None = None
        self._shell_runs = threading.Event()
        self._closing = self._ended = False
        self._forbidden = ""
        self.why_not = ""

    def forbid(self, reason: str) -> None:
        """Say why there can be none, before it is begun."""
        self._forbidden = reason

    def prepare(self) -> None:
        """Create the container in the background, while the shell's is started."""
        self.why_not = ""
        self._starting = threading.Thread(target=self._start, daemon=True)
        self._starting.start()

    def begin(self) -> None:
        """Start it in the background: the shell's container runs by now. `ready` waits for it."""
        if self._starting is None:
            self.prepare()
        self._shell_runs.set()

    def ready(self) -> bool:
        """Wait until the gate stands, and start it again when it ended; False, with `why_not`, when there is none.

        Raises `NoRouteError` when routes were asked for and cannot be had.
        """
        self._wait()
        self._note_an_end()
        if self._ended:
            self._ended = False
            self.begin()
            self._wait()
        if self._talk is None:
            self.why_not = self.why_not or "it did not start"
        if self.why_not and self._routes:
            words = f"the shell's routes cannot be had: {self.why_not}"
            raise NoRouteError(words, _ABOUT_PYTHON if "python3" in self.why_not else "see `wpk-sandbox doctor`")
        return not self.why_not

    def observed(self) -> Observed:
        """What was tried since this was last asked, and the end of the gate when that was not the shell's."""
        if self._talk:
            self._before.append(observed(self._talk.take(), self._routes))
            self._note_an_end()
        before, self._before = self._before, []
        return joined(before)

    def take(self) -> Taken:
        """The attempts so far as they were recorded, which are then forgotten."""
        return self._talk.take() if self._talk else Taken()

    def end(self) -> None:
        """Let go of the container before its shell is ended, which ends it too."""
        self._wait()
        self._shell_runs.clear()
        talk, self._talk = self._talk, None
        if talk:
            self._before.append(observed(talk.take(), self._routes))
            talk.streams.close()

    def close(self) -> None:
        """Remove it. May be called again, and while it is being started."""
        self._closing = True
        self._shell_runs.set()
        if self._attached:
            self._attached.close()
        self._wait()
        self._talk = None
        self._opened.close()

    def _wait(self) -> None:
        if self._starting:
            self._starting.join()
            self._starting = None

    def _note_an_end(self) -> None:
        """Note when the gate has ended by itself."""
        talk = self._talk
        if talk is None or not talk.ended.is_set():
            return
        self._talk, self._ended = None, True
        self._before.append(observed(talk.take(), self._routes))
        self._before.append(ended(talk.streams.last_words()))

    def _start(self) -> None:
        try:
            self.why_not = self._forbidden or self._started()
        except (UnavailableError, OSError) as error:
            self.why_not = str(error)
        if self.why_not:
            log.info("no gate: %s", self.why_not)
            self._opened.close()
            self._container = ""

    def _started(self) -> str:
        """Start it, and create it first where there is none yet; why not."""
        if self._container:
            # It ended with its shell; until the daemon has noticed that, starting it would do nothing.
            with daemon.translated("wait for the gate's end"):
                daemon.client().api.wait(self._container, timeout=int(READY_TIMEOUT))
            return self._run()
        reasons = []
        # A generator: those that were tried in vain are not tried again, and the good one stays the first.
        for image in self._images:
            reason = _WITHOUT_PYTHON if image in _without_python else self._tried(image)
            if not reason:
                self._images = iter([image])
                return ""
            reasons.append(f"{image} {reason}")
        self._forbidden = "; ".join(reasons) or "no image with a python3 is at hand for the gate"
        return self._forbidden

    def _tried(self, image: str) -> str:
        """Create and start it; why not, and then nothing of it is left."""
        self._container = self._opened.enter_context(self._created(image))
        try:
            reason = self._run()
        except UnavailableError as error:
            missing = "executable file not found" in str(error)
            reason = _WITHOUT_PYTHON if missing else f"does not start: {error}"
            if missing:
                _without_python.add(image)
        if reason:
            self._opened.close()
            self._container = ""
        return reason

    def _created(self, image: str) -> Any:
        name = f"{self._shell}-gate"
        return daemon.container(self._ledger, name, image, lasts=False, **container_options(self._shell))

    def _run(self) -> str:
        """Start the container as soon as its shell's runs, and wait until it says that it is ready; why not."""
        self._shell_runs.wait()
        if self._closing:
            return "is closed"
        api = daemon.client().api
        with daemon.translated("start the gate"):
            streams = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
            self._attached = attached = Attached(api.attach_socket(self._container, streams))
            try:
                api.start(self._container)
            except BaseException:
                attached.close()
                raise
        talk = Talk(attached, self._routes)
        reason = talk.begin(self._user)
        if reason:
            attached.close()
        else:
            self._talk = talk
        return reason


def container_options(shell: str) -> dict[str, Any]:
    """What the gate's container is created with, for the SDK's `create_container`."""
    from docker.types import LogConfig  # noqa: PLC0415 - heavy

    host = daemon.client().api.create_host_config(
        network_mode=f"container:{shell}",
        pid_mode=f"container:{shell}",
        cap_drop=["ALL"],
        cap_add=_CAPABILITIES,
        devices=["/dev/net/tun:/dev/net/tun:rw"],
        security_opt=["no-new-privileges", f"seccomp={docker_profile()}"],
        read_only=True,
        pids_limit=_PROCESSES,
        mem_limit=_MEMORY,
        memswap_limit=_MEMORY,
        ipc_mode="none",
        log_config=LogConfig(type="none"),
    )
    return {
        "entrypoint": ["python3", "-I", "-S", "-c", source()],
        "user": "0:0",
        "stdin_open": True,
        "healthcheck": {"test": ["NONE"]},
        "host_config": host,
    }
