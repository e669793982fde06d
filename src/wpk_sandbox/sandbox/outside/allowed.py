"""Hosts that a package may really reach, as the settings name them."""

import re
from dataclasses import dataclass

_ALLOWED = re.compile(r"(?P<host>[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True)
class Allowed:
    """A host, by name or by address, and a port that a package may reach."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def allowed(text: str) -> Allowed:
    """The meaning of `registry.example.com:443`. Raises ValueError: no pattern, no range, one port."""
    found = _ALLOWED.fullmatch(text.strip())
    if found is None or not 0 < int(found["port"]) < 65536:
        raise ValueError(f"{text!r} is no host and port such as `registry.example.com:443`")
    return Allowed(found["host"].strip("[]").lower(), int(found["port"]))
