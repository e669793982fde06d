"""Where the supervisor begins."""

import array
import json
import os
import socket
import sys
from typing import Any

from .closing import close_sandbox
from .serving import Supervisor


def main() -> None:
    """Close the sandbox, say that it is ready, and serve until the socket ends."""
    settings = json.loads(sys.argv[1])
    control = socket.socket(fileno=settings["control"])
    made = make_before_closing(settings)
    close_sandbox(settings)
    send_ready(control, made)
    Supervisor(control, settings).serve()


def make_before_closing(settings: dict[str, Any]) -> dict[str, int]:
    """What takes rights that are given up next: descriptors by name, which go to the caller and stay there."""
    return {}


def send_ready(control: socket.socket, made: dict[str, int]) -> None:
    """Say that the sandbox is closed, and hand the descriptors out in the order of their names here."""
    descriptors = array.array("i", made.values())
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)] if made else []
    control.sendmsg([json.dumps({"ready": True, "made": list(made)}).encode()], ancillary)
    for descriptor in made.values():
        os.close(descriptor)
