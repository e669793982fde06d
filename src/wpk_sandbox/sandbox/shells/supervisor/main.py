"""Where the supervisor begins."""

import array
import functools
import importlib
import json
import os
import signal
import socket
import sys
from typing import Any

from .closing import close_sandbox
from .denials import DoneFor
from .ending import end_descendants, end_everyone
from .folders import Folders
from .landlock import restrict
from .measuring import descendants, everyone, stored
from .modes import change_mode
from .serving import Supervisor
from .starting import enters


def main() -> None:
    """Close the sandbox, say that it is ready, and serve until the socket ends."""
    # The file of settings, or `-` for what we read.
    with open(sys.argv[1] if sys.argv[1] != "-" else 0, encoding="utf-8") as file:
        settings = json.load(file)
    control = socket.socket(fileno=settings["control"])
    made = make_before_closing(settings)
    held = enters(settings["groups"])
    if not held:
        settings["groups"], settings["cpu_is_held"] = [], False
    supervisor = closed_by_landlock(control, settings) if "places" in settings else in_namespaces(control, settings)
    send_ready(control, made, {"calls": supervisor.denials.how, "groups": held})
    supervisor.serve()
    supervisor.kill()


def in_namespaces(control: socket.socket, settings: dict[str, Any]) -> Supervisor:
    """Close namespaces that were made for us, of which this is process 1."""
    close_sandbox(settings)
    folders = list(settings["mounts"])
    return Supervisor(control, settings, everyone, end_everyone, lambda _: sum(map(stored, folders)))


def closed_by_landlock(control: socket.socket, settings: dict[str, Any]) -> Supervisor:
    """Close ourselves where there are no namespaces. What is begun is ended in good order, whoever asks for it."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    restrict(settings["places"])
    end = functools.partial(end_descendants, descendants)
    done_for: dict[int, DoneFor] = {
        number: functools.partial(change_mode, relative=relative, folders=list(settings["written"]))
        for number, relative in settings["changing_modes"]
    }
    return Supervisor(control, settings, descendants, end, Folders(settings["written"], descendants), done_for)


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
