"""What bubblewrap is asked for: the namespaces, and a root that holds little more than the host's /usr."""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from wpk_sandbox.sandbox.gate import device
from wpk_sandbox.sandbox.shells import delivery, inside
from wpk_sandbox.sandbox.shells.supervised import memory_file

NAMESPACES = (
    "--unshare-user",
    "--unshare-pid",
    "--unshare-net",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
    "--new-session",
    "--as-pid-1",
    *("--uid", str(inside.USER), "--gid", str(inside.USER), "--hostname", inside.HOSTNAME),
    # For the supervisor, which gives them up before the first command: to mount, to empty the bounding set, to
    # forbid further user namespaces, to make the gate's device.
    *("--cap-add", "CAP_SYS_ADMIN", "--cap-add", "CAP_SETPCAP", "--cap-add", "CAP_SYS_RESOURCE"),
    *("--cap-add", "CAP_NET_ADMIN"),
)

# Run as a folder: its `__main__.py` starts the package beside it.
SUPERVISOR = "/run/wpk"
SETTINGS = f"{SUPERVISOR}/settings.json"

# Where the supervisor finds the device that makes devices. What is mounted there later hides it from commands.
TUN = "/dev/shm/tun"  # noqa: S108 - the sandbox's own

_STREAMS = {"fd": "", "stdin": "/0", "stdout": "/1", "stderr": "/2"}
_OWN_ACCOUNT = f"wpk:x:{inside.USER}:{inside.USER}:wpk:{inside.WORKSPACE}:/bin/sh"
_WRITTEN = {
    "/etc/passwd": f"root:x:0:0:root:/:/sbin/nologin\n{_OWN_ACCOUNT}\n",
    "/etc/group": f"root:x:0:\nwpk:x:{inside.USER}:\n",
    "/etc/hosts": f"127.0.0.1 localhost {inside.HOSTNAME}\n::1 localhost\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "/etc/resolv.conf": f"nameserver {device.RESOLVER}\n",
}


def root_arguments(python: Path, settings: str, open_files: ExitStack) -> tuple[list[str], list[int]]:
    """Arguments that build the root, and the descriptors that they read from, open as long as `open_files`.

    `settings` are what the supervisor is told.
    """
    written = {path: text.encode() for path, text in {SETTINGS: settings, **_WRITTEN}.items()}
    contents = {**delivery.supervisor(SUPERVISOR), **_gate(), **written}
    descriptors = {
        path: open_files.enter_context(memory_file(content)).fileno() for path, content in contents.items()
    }
    arguments = [
        *usr(),
        *_outside_usr(python),
        *(part for path in delivery.FROM_HOST for part in ("--ro-bind-try", path, path)),
        *(part for path, fd in descriptors.items() for part in ("--file", str(fd), path)),
        *("--proc", "/proc", "--dir", "/dev/shm"),  # noqa: S108 - the sandbox's own
        *(part for name in delivery.DEVICES for part in ("--dev-bind", f"/dev/{name}", f"/dev/{name}")),
        *(part for name, fd in _STREAMS.items() for part in ("--symlink", f"/proc/self/fd{fd}", f"/dev/{name}")),
        *("--dev-bind-try", device.PATH, TUN),
        *("--dir", inside.TEMPORARY, "--dir", inside.WORKSPACE),
        *("--remount-ro", "/", "--chdir", "/"),
    ]
    return arguments, list(descriptors.values())


def usr() -> Iterable[str]:
    """Arguments that show the host's programs, and what leads to them from `/`."""
    yield from ("--ro-bind", "/usr", "/usr")
    for name in delivery.USR_LINKS:
        path = Path("/", name)
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), str(path))
        elif path.is_dir():
            yield from ("--ro-bind", str(path), str(path))


def _outside_usr(python: Path) -> Iterable[str]:
    """The folders of an interpreter of its own, and where it finds its library."""
    paths = delivery.outside_usr(python)
    for path in paths:
        yield from ("--ro-bind", str(path), str(path))
    if paths:
        yield from ("--setenv", "LD_LIBRARY_PATH", str(paths[-1]))


def _gate() -> dict[str, bytes]:
    """The modules that make the gate's device, likewise."""
    modules = [Path(device.__file__).with_name(f"{name}.py") for name in ("__init__", "netlink", "device")]
    return delivery.package(SUPERVISOR, modules)
