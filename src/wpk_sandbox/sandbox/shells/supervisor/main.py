"""Where the supervisor begins."""

import array
import json
import os
import socket
import sys
from typing import Any

from .closing import close_sandbox
from .ending import end_everyone
from .measuring import everyone, stored
from .serving import Supervisor


def main() -> None:
    """Close the sandbox, say that it is ready, and serve until the socket ends."""
    with open(sys.argv[1], encoding="utf-8") as file:
        settings = json.load(file)
    control = socket.socket(fileno=settings["control"])
    made = make_before_closing(settings)
    close_sandbox(settings)
    folders = list(settings["mounts"])
    supervisor = Supervisor(control, settings, everyone, end_everyone, lambda: sum(map(stored, folders)))
    send_ready(control, made, supervisor.denials.how)
    supervisor.serve()


def make_before_closing(settings: dict[str, Any]) -> dict[str, int]:
    """What takes rights that are given up next: descriptors by name, which go to the caller and stay there."""
    return {}


def send_ready(control: socket.socket, made: dict[str, int], calls: str) -> None:
    """Say that the sandbox is closed, what becomes of denied system calls, and hand the descriptors out."""
    descriptors = array.array("i", made.values())
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)] if made else []
    control.sendmsg([json.dumps({"made": list(made), "calls": calls}).encode()], ancillary)
    for descriptor in made.values():
        os.close(descriptor)
