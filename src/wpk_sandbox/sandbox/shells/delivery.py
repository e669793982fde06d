"""What a supervisor needs of this host to run in a sandbox: a Python that it may read, and its own modules."""

import stat
import sys
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


def supervisor(folder: str) -> dict[str, str]:
    """The supervisor's modules by where the sandbox finds them in `folder`, which is run as a program.

    They are handed over as text: whoever runs them may not be able to read ours.
    """
    modules = sorted(Path(__file__).with_name("supervisor").glob("*.py"))
    found = {f"{folder}/supervisor/{path.name}": path.read_text(encoding="utf-8") for path in modules}
    return {f"{folder}/__main__.py": "from supervisor.main import main\n\nmain()\n", **found}


def _open_to_all(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & stat.S_IXOTH)
    except OSError:
        return False
