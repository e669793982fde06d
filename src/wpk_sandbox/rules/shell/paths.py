"""Which paths an operating system, or a person's work, cannot do without."""

import posixpath
import re
from fnmatch import fnmatchcase

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell.options import names
from wpk_sandbox.rules.shell.words import Word

# What the system itself needs; deleting a part of it by a pattern is already a mistake.
OPERATING_SYSTEM = names(
    "/ /bin /boot /dev /etc /lib /lib32 /lib64 /proc /root /sbin /sys /usr /usr/bin /usr/lib /usr/lib64 /usr/local"
    " /usr/sbin /usr/share /etc/kubernetes /var/lib/dpkg /var/lib/rpm /var/lib/kubelet /var/lib/etcd"
)
# What whole machines keep their data in.
DATA_ROOTS = names("/home /media /mnt /opt /run /srv /var /var/lib /var/log /var/lib/docker /var/lib/containerd")
SYSTEM_FILES = names(
    "/etc/passwd /etc/shadow /etc/group /etc/sudoers /etc/fstab /etc/hosts /etc/resolv.conf"
    " /etc/ssh/sshd_config /boot/grub/grub.cfg"
)
# Those of them that programs write anew whenever the network changes; only without a text are they ruined.
REWRITTEN = names("/etc/hosts /etc/resolv.conf")
EVERYTHING = frozenset({"*", "**", ".*", "?*", ".??*", ".[!.]*", ".[^.]*", "..?*", "[!.]*"})
# Where pods commonly mount the root of their node.
_HOST_MOUNT = Pattern(r"^/(?:host|hostfs|rootfs|host-root|node|mnt/host)(?=/|$)")
_GLOB = Pattern(r"[*?\[]")


def resolve(word: Word, folder: str | None) -> str | None:
    """The path (or pattern) that a word names when everything unknown in it is empty.

    None if it is relative to an unknown folder, or if the shell stops rather than letting it be empty.
    """
    text = word.pattern()
    if not text or not word.can_be_empty:
        return None
    if not text.startswith(("/", "~")):
        if folder is None:
            return None
        text = f"{folder}/{text}"
    path = posixpath.normpath(re.sub(r"^/+", "/", text))
    return _HOST_MOUNT.sub("", path) or "/"


def system_root(path: str, *, only_os: bool = False) -> str | None:
    """The system folder that a path names, or all of whose contents a pattern names; None for other paths."""
    roots = OPERATING_SYSTEM if only_os else OPERATING_SYSTEM | DATA_ROOTS
    if path in roots:
        return path
    folder, _, last = path.rpartition("/")
    if last in EVERYTHING and (folder or "/") in roots:
        return folder or "/"
    if not _GLOB.search(path):
        return None
    parts = path.split("/")
    for root in sorted(roots - {"/"}):
        names = root.split("/")
        if len(names) == len(parts) and all(map(fnmatchcase, names, parts)):
            return root
    return None


def is_pattern(path: str) -> bool:
    """True for a path with wildcards in it."""
    return _GLOB.search(path) is not None


def is_home(path: str) -> bool:
    """True for a home folder, or a pattern of everything in it."""
    home, _, rest = path.partition("/")
    return home.startswith("~") and (not rest or rest in EVERYTHING)
