"""The file system of the guest: the container image, or what the user gave, as one read-only squashfs in our cache.

Made once for each image and used by every run: a guest writes to a layer in its own memory. Squashfs, because it is
made straight from the stream of `docker export`, with owners and rights, by a user who has none.
"""

import hashlib
import json
import os
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from wpk_sandbox import command
from wpk_sandbox.errors import SandboxError, UnavailableError
from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import SandboxSpec
from wpk_sandbox.sandbox.shells.docker_gate import shell_image
from wpk_sandbox.sandbox.shells.qemu import cache

MAKING_TIMEOUT = 600.0
REMEDY = "`apt install squashfs-tools` (4.5 or newer), or your system's equivalent"

_SQUASHFS_MAGIC = b"hsqs"
# Quick to unpack, which counts where the guest is emulated.
_OPTIONS = ("-comp", "lz4", "-no-progress", "-quiet")
_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Image:
    """An open file that holds the file system, what to call it, and the variables that its maker gave it."""

    file: IO[bytes]
    name: str
    environment: dict[str, str]


def open_image(spec: SandboxSpec, ledger: Ledger) -> Image:
    """Have the file system made, or find it made. Raises `SandboxError`."""
    if spec.vm_image:
        path = Path(spec.vm_image)
        return Image(_from_path(path), str(path), {"PATH": _DEFAULT_PATH})
    name = shell_image(spec)
    reason = daemon.why_not() or daemon.ensure_image(name, pull=spec.pull)
    if reason:
        raise SandboxError(f"the guest's image is not to be had: {reason}", "name a file with `vm.image`")
    with _broken(f"read the image {name}"):
        facts: dict[str, Any] = daemon.client().images.get(name).attrs
    file = cache.made(_key(facts["Id"]), lambda part: _from_daemon(name, part, ledger))
    return Image(file, name, {"PATH": _DEFAULT_PATH, **_variables(facts)})


def why_not(spec: SandboxSpec) -> str | None:
    """Why the file system cannot be made here, with the remedy; None when it can. Makes nothing."""
    if spec.vm_image:
        path = Path(spec.vm_image)
        if not os.access(path, os.R_OK):
            return f"the setting `vm.image` names {path}, which cannot be read"
    elif reason := daemon.why_not():
        return f"its file system is made from an image: {reason}; or name a file with the setting `vm.image`"
    elif not spec.pull and not daemon.has_image(shell_image(spec)):
        return f"the image {shell_image(spec)} is not on this daemon; {daemon.PULL_REMEDY}"
    missing = [name for name in ("sqfstar", "mksquashfs") if command.find(name) is None]
    return f"{missing[0]} is not installed; {REMEDY}" if missing else None


def _from_daemon(name: str, part: Path, ledger: Ledger) -> None:
    """Export a container that never starts."""
    made = daemon.resource_name(ledger, f"image-{secrets.token_hex(3)}")
    with (
        _broken(f"export the image {name}"),
        daemon.container(ledger, made, name, command=["true"]) as container,
    ):
        _squash(["sqfstar", *_OPTIONS, str(part)], daemon.client().api.export(container), part)


def _from_path(path: Path) -> IO[bytes]:
    try:
        if path.is_dir():
            # Files of an ordinary user become root's: in the guest only root is known.
            owners = () if os.geteuid() == 0 else ("-all-root",)
            argv = ["mksquashfs", str(path)]
            return cache.made(
                _key(_state_of_folder(path)), lambda part: _squash([*argv, str(part), *_OPTIONS, *owners], (), part)
            )
        file = path.open("rb")
        head = file.read(4)
        file.seek(0)
        if head == _SQUASHFS_MAGIC:
            return file
        with file:
            state = os.fstat(file.fileno())
            key = _key(f"{path.resolve()} {state.st_size} {state.st_mtime_ns} {state.st_ino}")
            return cache.made(key, lambda part: _squash(_unpacking(path, part), _chunks(path), part))
    except OSError as error:
        raise SandboxError(
            f"the image {path} cannot be read: {error.strerror}", "see the setting `vm.image`"
        ) from None


def _unpacking(path: Path, part: Path) -> list[str]:
    return ["sqfstar", *_OPTIONS, str(part)]


def _chunks(path: Path) -> Iterator[bytes]:
    """A tar archive, unpacked if it is packed."""
    import bz2  # noqa: PLC0415 - these four are needed here alone
    import gzip  # noqa: PLC0415
    import lzma  # noqa: PLC0415

    openers: dict[bytes, Callable[[Path], Any]] = {b"\x1f\x8b": gzip.open, b"\xfd7": lzma.open, b"BZ": bz2.open}
    with path.open("rb") as plain:
        opener = openers.get(plain.read(2))
    with opener(path) if opener else path.open("rb") as file:
        while chunk := file.read(1024 * 1024):
            yield chunk


def _squash(argv: list[str], tar: Iterable[bytes], part: Path) -> None:
    """Run the program that makes the file system, fed with an archive. Raises `SandboxError`."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as source:
        feeder = threading.Thread(target=_feed, args=(writing, tar), daemon=True)
        feeder.start()
        try:
            result = command.run(argv, timeout=MAKING_TIMEOUT, stdin=source)
        except UnavailableError as error:
            raise SandboxError(f"could not make the guest's file system: {error}", REMEDY) from error
    if not result.ok or not part.exists():
        words = (result.stderr or result.stdout).strip()[-500:]
        raise SandboxError(f"could not make the guest's file system: {words or 'no time left'}", REMEDY)


def _feed(writing: int, tar: Iterable[bytes]) -> None:
    with suppress(OSError), os.fdopen(writing, "wb", buffering=0) as sink:
        for chunk in tar:
            sink.write(chunk)


def _state_of_folder(path: Path) -> str:
    """Changes when a file in it does, as far as names, sizes and times tell."""
    digest = hashlib.sha256(str(path.resolve()).encode())
    for where, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            state = os.lstat(os.path.join(where, name))
            digest.update(f"{where}/{name} {state.st_size} {state.st_mtime_ns} {state.st_mode}\n".encode())
    return digest.hexdigest()


def _key(identity: str) -> str:
    return hashlib.sha256(json.dumps([identity, _OPTIONS]).encode()).hexdigest()[:32]


def _variables(facts: dict[str, Any]) -> dict[str, str]:
    words = (facts.get("Config") or {}).get("Env") or []
    return dict(word.split("=", 1) for word in words if "=" in word)


@contextmanager
def _broken(doing: str) -> Iterator[None]:
    try:
        with daemon.translated(doing):
            yield
    except SandboxError:
        raise
    except UnavailableError as error:
        raise SandboxError(str(error), error.remedy) from error
