"""Where the supervisor begins."""

import array
import importlib
import json
import os
import socket
import sys
from typing import Any

from .closing import close_sandbox
from .ending import end_everyone
from .measuring import everyone, stored
from .serving import Supervisor
from .starting import enters


def main() -> None:
    """Close the sandbox, say that it is ready, and serve until the socket ends."""
    with open(sys.argv[1], encoding="utf-8") as file:
        settings = json.load(file)
    control = socket.socket(fileno=settings["control"])
    made = make_before_closing(settings)
    close_sandbox(settings)
    folders = list(settings["mounts"])
    held = enters(settings["groups"])
    if not held:
        settings["groups"], settings["cpu_is_held"] = [], False
    supervisor = Supervisor(control, settings, everyone, end_everyone, lambda: sum(map(stored, folders)))
    send_ready(control, made, {"calls": supervisor.denials.how, "groups": held})
    supervisor.serve()


def make_before_closing(settings: dict[str, Any]) -> dict[str, int]:
    """What takes rights that are given up next: descriptors by name, which go to the caller and stay there."""
    if "gate" not in settings:
        return {}
    # Laid beside this package by whoever started us, who shares it with other sandboxes.
    made: dict[str, int] = importlib.import_module("gate.device").handed_out(**settings["gate"])
    return made


def send_ready(control: socket.socket, made: dict[str, int], said: dict[str, Any]) -> None:
    """Say that the sandbox is closed, and how, and hand the descriptors out."""
    descriptors = array.array("i", made.values())
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)] if made else []
    control.sendmsg([json.dumps({"made": list(made), **said}).encode()], ancillary)
    for descriptor in made.values():
        os.close(descriptor)
