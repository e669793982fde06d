"""What a supervisor needs of this host to run in a sandbox: a Python that it may read, and its own modules."""

import marshal
import stat
import sys
from collections.abc import Iterable
from importlib.machinery import SourceFileLoader
from importlib.util import MAGIC_NUMBER
from pathlib import Path

# Folders and files of a host, beside /usr, without which its programs do not work as they should.
FROM_HOST = (
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust/extracted",
)
USR_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
DEVICES = ("null", "zero", "full", "random", "urandom")


def interpreter(user: int | None) -> Path | None:
    """The Python that runs the supervisor: this one where `user` can read it, else the host's; None for neither."""
    own = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    if user is None or all(_open_to_all(path) for path in (own, *own.parents, Path(sys.base_prefix))):
        return own
    host = Path("/usr/bin/python3").resolve()
    return host if host.exists() else None


def outside_usr(python: Path) -> tuple[Path, ...]:
    """The folders of an interpreter that the host's packages did not bring, such as pyenv's; the library last."""
    return () if python.is_relative_to("/usr") else (python, python.parents[1] / "lib")


def supervisor(folder: str) -> dict[str, bytes]:
    """The supervisor's modules by where the sandbox finds them in `folder`, which is run as a program.

    Their content is handed over: whoever runs them may not be able to read ours.
    """
    modules = sorted(Path(__file__).with_name("supervisor").glob("*.py"))
    return {f"{folder}/__main__.py": b"from supervisor.main import main\n\nmain()\n", **package(folder, modules)}


def package(folder: str, modules: Iterable[Path]) -> dict[str, bytes]:
    """The modules of a package by where they are found in `folder`, each beside its bytecode.

    To make that took a third of the supervisor's start. A Python of another version does not look at it: its name
    tells which version it is for.
    """
    found = {}
    for path in modules:
        beside = f"{folder}/{path.parent.name}"
        found[f"{beside}/{path.name}"] = path.read_bytes()
        code = SourceFileLoader(path.stem, str(path)).get_code(path.stem)
        # PEP 552: bytecode that is not to be held against its source.
        bytecode = MAGIC_NUMBER + b"\1" + bytes(11) + marshal.dumps(code)
        found[f"{beside}/__pycache__/{path.stem}.{sys.implementation.cache_tag}.pyc"] = bytecode
    return found


def _open_to_all(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & stat.S_IXOTH)
    except OSError:
        return False
