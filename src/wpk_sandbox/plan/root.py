"""Which shell commands do the work of a system's root, by the programs that they call. Only a machine allows it."""

import re
import shlex

_BREAKS = re.compile(r"\n|;|&&|\|\||\||&|\$\(|[(){}`]")
_BEFORE = frozenset({"if", "then", "else", "elif", "while", "until", "do", "!", "time", "exec", "command", "env"})
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
# Programs that do nothing for anybody but root, and those that make somebody root.
_PROGRAMS = frozenset(
    (
        *(
            "sudo",
            "doas",
            "mount",
            "umount",
            "swapon",
            "swapoff",
            "losetup",
            "mkfs",
            "fdisk",
            "parted",
            "cryptsetup",
        ),
        *("modprobe", "insmod", "rmmod", "depmod", "iptables", "ip6tables", "nft", "ebtables", "tc"),
        *("chroot", "pivot_root", "unshare", "nsenter", "setcap", "mknod"),
        *("useradd", "userdel", "usermod", "groupadd", "groupdel", "adduser", "deluser", "chpasswd"),
        *("lvcreate", "lvextend", "lvremove", "vgcreate", "pvcreate", "resize2fs", "xfs_growfs", "mdadm"),
    )
)


def needs_root(command: str) -> bool:
    """True for a command that calls a program of root's; a program that only a variable names is not seen."""
    return any(_program(part) in _PROGRAMS for part in _BREAKS.split(command.replace("\\\n", " ")))


def _program(part: str) -> str:
    """The name of the program that a simple command calls; `mkfs.ext4` is `mkfs`."""
    try:
        words = shlex.split(part, comments=True)
    except ValueError:
        words = part.split()
    called = next((word for word in words if word not in _BEFORE and not _ASSIGNMENT.match(word)), "")
    name = called.rpartition("/")[2]
    changes = len(words) > 1 and name == "sysctl" and ("-w" in words or any("=" in word for word in words))
    return "sudo" if changes else name.partition(".")[0]
