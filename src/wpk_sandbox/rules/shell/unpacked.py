"""Folders that a script fills from elsewhere, by an archive or a clone, and what is run in them."""

import posixpath
from collections.abc import Callable
from dataclasses import dataclass, field

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.ran import UNKNOWN
from wpk_sandbox.rules.shell.words import Word
from wpk_sandbox.rules.shell.wrappers import INTERPRETERS, SHELLS, script_files

_TAR = names("f file C directory strip-components exclude transform")
_CLONE = names("b branch depth o origin reference c config j jobs template u server-option recurse-submodules")
_COMMIT = Pattern(r"[0-9a-f]{12,64}|v?\d+\.\d+[\w.+-]*|refs/tags/.+|tags/.+")
# Programs that run what stands in the folder they are started in, or in one that they are given.
_BUILDERS = names(
    "make gmake npm yarn pnpm pip pip3 cargo go mvn gradle rake bundle ansible-playbook just task cmake"
)
_BUILDS = names("install i ci run build all deploy . ./ start test -e")
_INSTALLERS = names("./configure ./gradlew ./mvnw")


@dataclass
class Unpacked:
    """The folders filled so far by downloads that nobody has compared, and the one that the shell is in."""

    folders: dict[str, Command] = field(default_factory=dict)
    here: str = "."

    def enter(self, command: Command) -> None:
        """Follow a `cd`."""
        words = [word for word in command.arguments if not word.when_empty.startswith("-")]
        self.here = _join(self.here, _path(words[-1])) if words else "~"

    def note(self, command: Command, *, fetched: Callable[[Word], bool], piped: bool) -> None:
        """Take in an archive that is unpacked, from a file that was fetched or straight `piped`, and a clone."""
        folder = _clone(command) if command.name in ("git", "svn", "hg") else None
        if folder is None and (piped or any(map(fetched, command.arguments))):
            folder = _target(command)
        if folder is not None:
            self.folders[_join(self.here, folder)] = command

    def pin(self, command: Command) -> None:
        """`git checkout COMMIT`: from here on it is known what stands there."""
        if any(_COMMIT.fullmatch(word.template("0.0")) for word in command.arguments[1:]):
            self.folders = {
                folder: by for folder, by in self.folders.items() if by.name not in ("git", "svn", "hg")
            }

    def run(self, command: Command) -> Command | None:
        """The command that brought what is run here."""
        path = self._ran(command)
        if path is None:
            return None
        return next((by for folder, by in self.folders.items() if _within(path, folder)), None)

    def _ran(self, command: Command) -> str | None:
        """The path of what a command runs."""
        if not command.words or not self.folders:
            return None
        first = command.words[0]
        if command.name in SHELLS:
            word = next(iter(script_files(command)), None)
        elif command.name in INTERPRETERS or command.name in (".", "source"):
            word = next(
                iter(parse(command.arguments, names("c e r m W X"), first_operand_ends=True).operands), None
            )
        elif command.name in _BUILDERS:
            return self._built(command)
        else:
            word = first if first.value is None or "/" in first.value else None
        return None if word is None or not word.pieces else _join(self.here, _path(word))

    def _built(self, command: Command) -> str | None:
        options = parse(command.arguments, names("C directory f file prefix path p"))
        given = next(
            (options.values[name][-1] for name in ("C", "directory", "path") if name in options.values), None
        )
        values = [word.when_empty for word in command.arguments]
        folders = [word for word in options.operands if "/" in word.when_empty]
        if command.name in ("pip", "pip3", "go", "cargo", "npm", "yarn", "pnpm") and not _BUILDS.intersection(
            values
        ):
            return None
        if given is None and command.name in ("pip", "pip3") and not {".", "./"}.intersection(values):
            given = folders[0] if folders else None
            if given is None:
                return None
        return _join(_join(self.here, _path(given)) if given is not None else self.here, "Makefile")


def _path(word: Word) -> str:
    parts = [
        piece.text if piece.exact else f"{UNKNOWN}{piece.name or piece.source}".replace("/", ":")
        for piece in word.pieces
    ]
    return "".join(parts)


def _join(folder: str, path: str) -> str:
    return path if path.startswith(UNKNOWN) else posixpath.normpath(posixpath.join(folder, path or "."))


def _within(path: str, folder: str) -> bool:
    """True below a folder; where the shell stands when it is not known, for a relative path."""
    if folder == ".":
        return not path.startswith(("/", "~", UNKNOWN, ".."))
    return path.startswith(f"{folder}/")


def _target(command: Command) -> str | None:
    """The folder that an archive program unpacks to; None if it does not unpack."""
    name = command.name
    values = [word.when_empty for word in command.arguments]
    if name in ("tar", "bsdtar", "gtar"):
        options = parse(command.arguments, _TAR)
        old = bool(values) and not values[0].startswith("-") and "x" in values[0]
        folder = options.value("C", "directory")
        return (_path(folder) if folder is not None else ".") if old or options.has("x", "extract", "get") else None
    if name in ("unzip", "bsdunzip"):
        options = parse(command.arguments, names("d x P"))
        folder = options.value("d")
        return None if options.has("l", "p", "t", "v") else _path(folder) if folder is not None else "."
    if name in ("7z", "7za", "7zz") and values[:1] in (["x"], ["e"]):
        return next((value[2:] for value in values if value.startswith("-o")), ".")
    return "." if name in ("cpio", "unsquashfs") and any(value.startswith("-i") for value in values) else None


def _clone(command: Command) -> str | None:
    """The folder that `git clone` makes; None if it is something else, or at a tag."""
    options = parse(command.arguments, names("C c"), first_operand_ends=True)
    verb = options.operands[0].value if options.operands else None
    if verb not in ("clone", "checkout", "co", "export") or (command.name == "git" and verb != "clone"):
        return None
    given = parse(options.operands[1:], _CLONE | {"r", "revision", "rev"})
    at = given.value("b", "branch", "r", "revision", "rev", "u")
    if not given.operands or (at is not None and _COMMIT.fullmatch(at.template("0.0"))):
        return None
    words = given.operands
    if len(words) > 1:
        return _path(words[1])
    return _path(words[0]).rstrip("/").rpartition("/")[2].rpartition(":")[2].removesuffix(".git")
