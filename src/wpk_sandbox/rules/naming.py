"""Packages with one name: what can only be said of several packages together."""

from collections.abc import Callable, Iterator

from wpk_sandbox.finding import Finding, Location, Rule, Severity
from wpk_sandbox.package.package import Package
from wpk_sandbox.rules.policy import POINTS

NAME_TAKEN = Rule(
    "name-taken",
    Severity.MEDIUM,
    "Two packages have the same name",
    "A package is found by its name: in a registry the second replaces the first, and an alert that names it starts"
    " whichever was loaded last.",
    "Rename one of them.",
    points=POINTS[Severity.MEDIUM],
)

RULES = (NAME_TAKEN,)


def _nowhere(_name: str) -> Location | None:
    return None


def name_taken(
    package: Package, taken: dict[str, Location], elsewhere: Callable[[str], Location | None] = _nowhere
) -> Iterator[Finding]:
    """A finding when another package before has the name; `taken` remembers who has which name first.

    `elsewhere` finds a name among the packages that are not checked now.
    """
    document = package.document
    place = document.locate("/metadata/name")
    if package.name not in taken:
        taken[package.name] = elsewhere(package.name) or place
    first = taken[package.name]
    if package.name and first != place:
        message = f"{first.path}:{first.line} is called `{package.name}` too"
        yield NAME_TAKEN.at(place, message, excerpt=document.line(place.line)[:200])
