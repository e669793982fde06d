"""Packages of operating systems that are installed or renewed without a version."""

from dataclasses import dataclass

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import Options, names, parse
from wpk_sandbox.rules.shell.words import Word

_APT_TAKES = names("o t c a option target-release default-release config-file host-architecture")
_DNF_TAKES = names("c d x enablerepo disablerepo repo repoid setopt releasever installroot exclude rpmverbosity")


@dataclass(frozen=True)
class _Manager:
    """How a package manager is told to install, and to renew all that is there; `pin` marks a version in a name."""

    installs: frozenset[str]
    renews: frozenset[str]
    takes: frozenset[str]
    pin: Pattern


_EQUALS = Pattern(r"=|\d\.\d+")
_APT = _Manager(
    names("install download"), names("upgrade dist-upgrade full-upgrade safe-upgrade"), _APT_TAKES, _EQUALS
)
_DNF = _Manager(
    names("install in localinstall"),
    names("update upgrade distro-sync up dup dist-upgrade patch"),
    _DNF_TAKES,
    Pattern(r"[-=:]v?\d+(?:\.|$)|\d\.\d+|^@"),
)
_MANAGERS = {
    **dict.fromkeys(("apt", "apt-get", "aptitude", "apt-fast"), _APT),
    **dict.fromkeys(("dnf", "dnf5", "yum", "microdnf", "tdnf", "zypper"), _DNF),
    "apk": _Manager(
        names("add"),
        names("upgrade"),
        names("t virtual X repository p root cache-dir keys-dir arch"),
        Pattern("[=~]"),
    ),
    "brew": _Manager(names("install reinstall"), names("upgrade"), names("cask"), Pattern(r"@\d")),
    "snap": _Manager(names("install"), names("refresh"), names("channel revision cohort"), Pattern("=")),
    "choco": _Manager(names("install"), names("upgrade"), names("version source s params"), Pattern(r"\.nupkg$")),
    "winget": _Manager(names("install"), names("upgrade"), names("version v id source"), Pattern(r"^$")),
    **dict.fromkeys(
        ("conda", "mamba", "micromamba"),
        _Manager(
            names("install"), names("update upgrade"), names("c channel n name p prefix f file"), Pattern("=")
        ),
    ),
    "opkg": _Manager(names("install"), names("upgrade"), frozenset(), Pattern("=")),
    "pkg": _Manager(names("install"), names("upgrade"), frozenset(), Pattern(r"-\d+\.")),
}
_SIMULATES = names(
    "s simulate just-print dry-run recon no-act assumeno download-only print-uris reinstall no-network offline C"
    " cacheonly fix-broken version v revision file f help"
)
_LOCAL = Pattern(r"^(?:\.|/|~)|\.(?:deb|rpm|apk|snap|tar\.bz2|conda)$|://.*\d")
_PACMAN_ASKS = Pattern(r"[sgilpw]")


def loose(command: Command) -> str:
    """What a package manager takes in whatever version is the newest, for the message; empty if nothing."""
    if command.name in ("pacman", "yay", "paru"):
        return _pacman(command)
    manager = _MANAGERS.get(command.name)
    if manager is None:
        return ""
    options = parse(command.arguments, manager.takes)
    verb = options.operands[0].value if options.operands else None
    if _only_asks(command.name, options):
        return ""
    if verb in manager.installs:
        word = next((word for word in options.operands[1:] if _is_loose(word, manager.pin)), None)
        return f"takes whatever version of {word.shown} is the newest" if word is not None else ""
    named = options.operands[1:]
    if verb in manager.renews and (not named or any(_is_loose(word, manager.pin) for word in named)):
        return "renews what is installed, to whatever is the newest"
    return ""


def _only_asks(name: str, options: Options) -> bool:
    asked = _SIMULATES - names("f v") if name in ("apt", "apt-get", "dnf", "yum") else _SIMULATES
    return options.has(*asked)


def _is_loose(word: Word, pin: Pattern) -> bool:
    """True for a package that is known by its name, without a version."""
    if not word.pieces or not word.pieces[0].exact:
        return False
    text = word.template("=9.9")
    return not (pin.search(text) or _LOCAL.search(text)) and not text.endswith("-")


def _pacman(command: Command) -> str:
    """`pacman -S name`, `pacman -Syu`; a distribution without older versions."""
    options = parse(command.arguments, names("config root dbpath cachedir"))
    if "S" not in options.flags or any(_PACMAN_ASKS.fullmatch(flag) for flag in options.flags):
        return ""
    if "u" in options.flags:
        return "renews what is installed, to whatever is the newest"
    return f"takes whatever version of {options.operands[0].shown} is the newest" if options.operands else ""
