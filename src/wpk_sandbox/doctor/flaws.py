"""The known ways out of a container, and the versions that closed them."""

from dataclasses import dataclass

from wpk_sandbox.doctor.check import Check, numbers

Version = tuple[int, ...]


@dataclass(frozen=True)
class Flaw:
    """`fixed` is the first good version of each series (major and minor); an older series got no fix.

    A series that is newer than all of them is good.
    """

    name: str
    what: str
    fixed: tuple[Version, ...]

    def is_in(self, version: Version) -> bool:
        """True when a version has it."""
        of_series = next((fixed for fixed in self.fixed if fixed[:2] == version[:2]), None)
        return version < (of_series or self.fixed[-1])


# https://github.com/opencontainers/runc/security/advisories: GHSA-xr7r-f8xq-vfvv, GHSA-9493-h29p-rfm2
RUNC = (
    Flaw("CVE-2024-21626", "a working folder that leads to the host's files", ((1, 1, 12),)),
    Flaw(
        "CVE-2025-31133", "masked paths that are exchanged while they are made", ((1, 2, 8), (1, 3, 3), (1, 4, 0))
    ),
)
# https://github.com/containerd/containerd/security/advisories/GHSA-265r-hfxg-fhmg
CONTAINERD = (
    Flaw("CVE-2024-40635", "an image's user that overflows to root", ((1, 6, 38), (1, 7, 27), (2, 0, 4))),
)
# https://github.com/moby/moby/security/advisories/GHSA-mq39-4gv4-mvpx
ENGINE = (
    Flaw("CVE-2024-29018", "internal networks that ask outside names", ((23, 0, 11), (25, 0, 5), (26, 0, 0))),
)


def version_check(topic: str, version: str, flaws: tuple[Flaw, ...]) -> Check:
    """A version against the flaws of its program; a warning, for it may be a patched build of a distribution."""
    found = numbers(version)
    # A series without a fix of its own is helped by the newest one's.
    newest = max(flaw.fixed[-1] for flaw in flaws)
    wanted = f"{_written(newest)} or newer"
    if not found:
        return Check(topic, None, f"version unknown ({version or 'not told'})", f"see that it is {wanted}")
    open_ = [flaw for flaw in flaws if flaw.is_in(found)]
    if not open_:
        return Check(topic, True, version)
    names = ", ".join(f"{flaw.name} ({flaw.what})" for flaw in open_)
    of_series = [fixed for flaw in open_ for fixed in flaw.fixed if fixed[:2] == found[:2]]
    near = f"{_written(max(of_series))}, or to " if len(of_series) == len(open_) else ""
    it = "it" if len(open_) == 1 else "them"
    remedy = f"update it to {near}{wanted}, unless your distribution fixed {it} in this one"
    return Check(topic, None, f"{version} has {names}", remedy)


def _written(version: Version) -> str:
    return ".".join(str(part) for part in version)
