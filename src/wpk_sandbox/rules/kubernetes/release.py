"""The Kubernetes releases that a package says it runs on."""

from dataclasses import dataclass

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.kubernetes.schemas import NEWEST, OLDEST

# Three minor releases are patched at a time: https://kubernetes.io/releases/version-skew-policy/
_MAINTAINED = 3
_MINOR = Pattern(r"(?<![\d.])1\.(\d{1,3})(?!\d)")
_BELOW = Pattern(r"<=?\s*v?1\.\d")


@dataclass(frozen=True)
class Release:
    """The oldest minor release (34 is Kubernetes 1.34), and whether newer ones are meant too.

    `told` is False when the package says nothing: then every release is meant that is still maintained.
    """

    minor: int
    newer: bool
    told: bool = True

    @property
    def schema(self) -> int:
        """The release whose schema decides: the nearest that is known; the newest where none was told."""
        return min(max(self.minor, OLDEST), NEWEST) if self.told else NEWEST

    def __str__(self) -> str:
        return f"Kubernetes 1.{self.schema}"


def release(version: str) -> Release:
    """Read a constraint such as `1.28+`, `>=1.28`, `v1.31.2`, `^1.30` or `1.28 - 1.31`: the oldest it names."""
    minors = [int(found) for found in _MINOR.findall(version.replace("v", ""))]
    if not minors:
        return Release(NEWEST - _MAINTAINED + 1, newer=True, told=False)
    only_below = _BELOW.match(version.strip()) and len(minors) == 1
    newer = len(set(minors)) > 1 or (not only_below and any(sign in version for sign in ("+", ">", "^")))
    return Release(min(minors), newer=bool(newer))
