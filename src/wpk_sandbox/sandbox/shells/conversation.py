"""Our end of the talk with a supervisor: requests with their descriptors go there, JSON comes back."""

import json
import os
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from wpk_sandbox.errors import SandboxError

ANSWER_TIMEOUT = 10.0

_LARGEST_ANSWER = 192 * 1024
_MOST_DESCRIPTORS = 16


class Conversation:
    """One socket of packets. Every method raises `SandboxError` when the supervisor is gone or makes no sense."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control

    def fileno(self) -> int:
        """The descriptor to wait at for an answer."""
        return self._control.fileno()

    def close(self) -> None:
        """Let go, which ends the sandbox."""
        self._control.close()

    def ready(self, timeout: float, opened: ExitStack) -> tuple[dict[str, Any], dict[str, int]]:
        """What it says of itself once the sandbox is closed, and the descriptors that it made before, by name.

        They are ours, for as long as `opened`.
        """
        self._control.settimeout(timeout)
        try:
            message, descriptors, _, _ = socket.recv_fds(self._control, _LARGEST_ANSWER, _MOST_DESCRIPTORS)
            for descriptor in descriptors:
                opened.callback(os.close, descriptor)
            said = json.loads(message)
            return said, dict(zip(said["made"], descriptors, strict=True))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SandboxError("the shell's supervisor does not answer") from error

    def ask(self, request: bytes) -> dict[str, Any]:
        """Send a request and wait for its answer, past that of a command that ended at the same moment."""
        self.send(request)
        answer = self.receive(ANSWER_TIMEOUT)
        while "exit_code" in answer or "ended" in answer:
            answer = self.receive(ANSWER_TIMEOUT)
        return answer

    def send(self, request: bytes, descriptors: Sequence[int] = ()) -> None:
        """Send a request; its answer is still to be received."""
        try:
            socket.send_fds(self._control, [request], list(descriptors))
        except OSError as error:
            raise SandboxError(f"the shell's supervisor is gone: {error}") from error

    def receive(self, timeout: float) -> dict[str, Any]:
        """The next answer."""
        self._control.settimeout(timeout)
        try:
            message = self._control.recv(_LARGEST_ANSWER)
            answer = json.loads(message)
        except (OSError, ValueError) as error:
            raise SandboxError("the shell's supervisor does not answer") from error
        if not isinstance(answer, dict):
            raise SandboxError("the shell's supervisor does not make sense")
        return answer
