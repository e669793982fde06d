"""Which images a package runs."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from wpk_sandbox.finding import Finding, Rule, Severity
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.policy import POINTS, Policy
from wpk_sandbox.rules.subject import Subject, as_list, as_mapping

UNPINNED = Rule(
    "image-unpinned",
    Severity.MEDIUM,
    "An image has no fixed version",
    "`latest`, or no tag at all, is another image tomorrow: what was tried in the sandbox is not what runs when the"
    " alert fires.",
    "Name a version, or better a digest: `postgres:16.4` or `postgres@sha256:…`.",
    cwe=829,
    points=POINTS[Severity.MEDIUM],
)
NOT_ALLOWED = Rule(
    "image-not-allowed",
    Severity.MEDIUM,
    "An image comes from a place that the policy does not name",
    "An image is code with the rights of the runbook. The policy lists whom the team trusts.",
    "Use an image from an allowed registry, or add this one to the policy after a review.",
    cwe=829,
    points=POINTS[Severity.MEDIUM],
)

RULES = (UNPINNED, NOT_ALLOWED)

_PARAMETER = Pattern(r"\$\{[^}]*\}")
_MOVING = frozenset({"latest", "stable", "edge", "nightly", "main", "master", "dev", "develop"})


def check(subject: Subject) -> Iterator[Finding]:
    """Images that may change, and images that nobody allowed."""
    for pointer, image in _images(subject):
        if why := _unpinned(image):
            yield subject.finding(UNPINNED, pointer, f"the image {image} {why}", _fixed(image))
        if not _allowed(image, subject.policy):
            message = f"the image {image} is not among those that the policy allows"
            yield subject.finding(NOT_ALLOWED, pointer, message)


def _fixed(image: str) -> str:
    """What to write instead: nobody but the author knows the version."""
    folder, slash, last = image.rpartition("/")
    name = folder + slash + last.partition(":")[0]
    return f"Name a version, as in `{name}:1.2.3`, or better its digest: `{name}@sha256:…`."


def _images(subject: Subject) -> Iterator[tuple[str, str]]:
    """The images of containers, and those that are mounted as volumes, with their pointers."""
    found = [(f"{pointer}/image", container.get("image")) for pointer, container, _ in subject.containers]
    for pointer, mapping in subject.mappings():
        for index, volume in enumerate(as_list(mapping.get("volumes"))):
            image = as_mapping(as_mapping(volume).get("image"))
            found.append((f"{pointer}/volumes/{index}/image/reference", image.get("reference")))
    yield from ((pointer, image) for pointer, image in found if isinstance(image, str) and image)


def _unpinned(image: str) -> str:
    """Why an image may change; empty if it is fixed, or if a parameter decides."""
    if "@" in image:
        return ""
    last = image.rpartition("/")[2]
    _, colon, tag = _PARAMETER.sub("x", last).partition(":")
    if not colon:
        return "" if _PARAMETER.fullmatch(last) else "has neither tag nor digest"
    return f"has the tag {tag}, which moves" if tag in _MOVING else ""


def _allowed(image: str, policy: Policy) -> bool:
    if not policy.allowed_images and not policy.allowed_registries:
        return True
    if _PARAMETER.match(image):
        return True
    first, slash, _ = image.partition("/")
    registry = first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"
    names = {image, image.removeprefix("docker.io/").removeprefix("library/")}
    names |= {name.partition("@")[0] for name in names}
    names |= {_without_tag(name) for name in names}
    return any(fnmatchcase(name, pattern) for name in names for pattern in policy.allowed_images) or any(
        _within(image, registry, allowed) for allowed in policy.allowed_registries
    )


def _without_tag(name: str) -> str:
    folder, slash, last = name.rpartition("/")
    return folder + slash + last.partition(":")[0]


def _within(image: str, registry: str, allowed: str) -> bool:
    """True for an image of a registry, or of a folder of one (`ghcr.io/team`)."""
    allowed = allowed.rstrip("/")
    return fnmatchcase(registry, allowed) or image.startswith(f"{allowed}/")
