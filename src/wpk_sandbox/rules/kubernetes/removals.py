"""The API versions that Kubernetes gave up, and what takes their place."""

from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from wpk_sandbox.rules.kubernetes.schemas import NEWEST, served


@dataclass(frozen=True)
class Removal:
    """An API version of a kind, with the minor releases that deprecated and removed it (None: not planned).

    `replacement` is the API version to use instead; empty where there is none.
    """

    deprecated: int
    removed: int | None
    replacement: str


@lru_cache(maxsize=256)  # not without end: anybody's words are asked for
def removal(api_version: str, kind: str) -> Removal | None:
    """What became of an API version of a kind; None when it is served as ever, or was never known."""
    return _guide().get((api_version, kind)) or _told_by_schemas(api_version, kind)


@cache
def _guide() -> dict[tuple[str, str], Removal]:
    lines = files(__package__).joinpath("removals.txt").read_text(encoding="utf-8").splitlines()
    found: dict[tuple[str, str], Removal] = {}
    for api_version, kinds, deprecated, removed, replacement in (
        line.split() for line in lines if not line.startswith("#")
    ):
        told = Removal(int(deprecated), None if removed == "-" else int(removed), replacement.strip("-"))
        found |= {(api_version, kind): told for kind in kinds.split(",")}
    return found


def _told_by_schemas(api_version: str, kind: str) -> Removal | None:
    """An alpha or beta that was served, and is no longer."""
    group = api_version.rpartition("/")[0]
    places = [place for place in served(kind) if place[0].rpartition("/")[0] == group]
    last = next((last for version, _, last in places if version == api_version), NEWEST)
    if last == NEWEST:
        return None
    after = [place for place in places if place[1] <= last + 1 <= place[2]]
    best = min(after, key=lambda place: _maturity(place[0]), default=("", last + 1, NEWEST))
    return Removal(min(best[1], last + 1), last + 1, best[0])


def _maturity(api_version: str) -> tuple[bool, bool, str]:
    """Sorts stable versions first, then betas."""
    return "alpha" in api_version, "beta" in api_version, api_version
