"""What a secret is, and what may be done with it."""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a secret is, since that decides what may be done with it."""

    FILE = "a file of credentials: nothing of it belongs into an output"
    TOKEN = "the pod's own token: to be shown to the API server and to services of the cluster"
    VALUE = "a secret's value: to be handed to a program, never to be shown"
    ENVIRONMENT = "all variables of the environment: nobody's business elsewhere"
    PERSONAL = "accounts, or all settings of a machine: to be read, and not to leave it"
    SETTINGS = "much that holds secrets among others: harmless until just those are picked"
    DATA = "files of the machine, or a dump: to be copied inside only"


@dataclass(frozen=True)
class Secret:
    """A secret in the output of a command: its kind, and what it is for the message."""

    kind: Kind
    what: str
