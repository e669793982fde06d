"""Commands that write to disks below their file systems."""

import re
from collections.abc import Iterator, Sequence

from wpk_sandbox.finding import Rule, Severity
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.issue import Issue
from wpk_sandbox.rules.shell.options import names
from wpk_sandbox.rules.shell.words import Word

RAW_DISK_WRITE = Rule(
    "shell-raw-disk-write",
    Severity.CRITICAL,
    "A command writes to a disk below its file system",
    "Partitions, file systems and volumes are overwritten; nothing on the disk can be read afterwards, and no"
    " rollback brings it back.",
    "Work on files in a mounted file system. Preparing disks is a job for provisioning, not for a runbook.",
    points=POINTS[Severity.CRITICAL],
)

RULES = (RAW_DISK_WRITE,)

_DISK = Pattern(
    r"/dev/(?:(?:sd|hd|vd|xvd)[a-z*?\[]|nvme\d|nvme\*|mmcblk\d|dm-\d|md\d|mapper/|disk/by-|nbd\d|vg|mem$|kmem$|port$)"
)
_TERMINAL = Pattern(r"tty|pts|console|term|std(?:in|out|err)|null", re.IGNORECASE)
# Makers of images, which write a file, and variables for something else than the disk.
_IMAGES = names("mkfs.jffs2 mkfs.ubifs mkfs.cramfs mkfs.erofs mkfs.squashfs")
_NO_DISK = Pattern(r"opt|flag|args|label|type|filesystem|^\$\(\(", re.IGNORECASE)
# What prints the name of a new file, or of a device that a file is behind.
_FILE_MAKERS = names("mktemp tempfile losetup")
# Programs whose operands are disks or volumes that they overwrite.
_FORMATTERS = names(
    "mkswap wipefs blkdiscard sgdisk sfdisk parted fdisk gdisk pvcreate pvremove vgremove lvremove zpool"
    " cryptsetup hdparm mdadm nvme badblocks"
)
_ONLY_WITH = {
    "cryptsetup": {"luksFormat", "erase", "luksErase"},
    "zpool": {"destroy", "create", "labelclear"},
    "hdparm": {"--security-erase", "--security-erase-enhanced", "--trim-sector-ranges"},
    "fdisk": set[str](),
    "mdadm": {"--zero-superblock", "--create", "-C"},
    "nvme": {"format", "sanitize", "write"},
    "badblocks": {"-w", "-ws", "-wsv", "-wv", "-sw", "-svw"},
}
_ONLY_LISTS = frozenset({"-l", "--list", "-p", "--print", "print", "--dump", "-d", "-n", "--no-act"})
_WRITERS = frozenset({"tee", "cp", "shred", "truncate"})


def check(commands: Sequence[Command]) -> Iterator[Issue]:
    """What the commands of a script would do to disks."""
    said: set[int] = set()
    for command in commands:
        for redirect in command.redirects:
            if id(redirect) not in said and redirect.writes and _is_written(command, redirect.target):
                said.add(id(redirect))
                yield _issue(command, f"writes over the disk {redirect.target.shown}")
        if word := _written(command):
            yield _issue(command, f"writes over {word.shown}")


def _issue(command: Command, what: str) -> Issue:
    return Issue(RAW_DISK_WRITE, command.span, f"`{command.shown}` {what}" if command.words else f"this {what}")


def _is_written(command: Command, target: Word) -> bool:
    """True for a redirection to a disk; `exec` opens a device, and a terminal is no disk."""
    if not _is_disk(target) or target.value is not None:
        return _is_disk(target)
    return command.name != "exec" and not _TERMINAL.search(target.shown)


def _is_disk(word: Word) -> bool:
    text = word.when_empty
    if _DISK.match(text):
        return True
    # `/dev/${DISK}`: whatever it is, it is a device.
    return word.value is None and text == "/dev/"


def _written(command: Command) -> Word | None:
    """The disk that a command writes to."""
    name, words = command.name, command.arguments
    if name == "dd":
        outputs = [word.after(3) for word in words if word.when_empty.startswith("of=")]
        return next((word for word in outputs if _is_disk(word)), None)
    if name in _WRITERS:
        targets = words[-1:] if name == "cp" else words
        return next((word for word in targets if _is_disk(word)), None)
    if name.partition(".")[0] in ("mkfs", "mke2fs", "mkntfs") and name not in _IMAGES:
        return next((word for word in words if _is_disk(word) or _unknown(word)), None)
    if name in _FORMATTERS and not any(word.value in _ONLY_LISTS for word in words):
        return _formatted(name, words)
    return None


def _unknown(word: Word) -> bool:
    made = any(each.name in _FILE_MAKERS for piece in word.pieces for each in piece.commands)
    return word.value is None and not word.when_empty and not made and not _NO_DISK.search(word.shown)


def _formatted(name: str, words: Sequence[Word]) -> Word | None:
    needed = _ONLY_WITH.get(name)
    if needed and not any(word.value in needed for word in words):
        return None
    if name in ("zpool", "vgremove", "lvremove"):
        return words[-1] if words else None
    return next((word for word in words if _is_disk(word)), None)
