"""Commands that ask for root are told from those that only speak of it."""

import pytest

from wpk_sandbox.plan.root import needs_root


@pytest.mark.parametrize(
    "command",
    [
        "sudo systemctl restart app",
        "df -h && mount -o remount,rw /",
        "DEBUG=1 /sbin/modprobe br_netfilter",
        "if ! swapoff -a; then exit 1; fi",
        "echo $(iptables -L | wc -l)",
        "for d in a b; do mkfs.ext4 /dev/$d; done",
        "sysctl -w vm.swappiness=10",
        "sysctl vm.swappiness=10",
        "sleep 1 & \\\n  nsenter -t 1 -m true",
    ],
)
def test_work_of_root_is_seen(command: str) -> None:
    assert needs_root(command)


@pytest.mark.parametrize(
    "command",
    [
        "echo mount the disk",
        "grep sudo /etc/group",
        "# sudo reboot",
        "sysctl vm.swappiness",
        "cat /proc/mounts; df -h",
        "kubectl get pods",
        "echo 'sudo rm -rf' >>notes",
        "",
    ],
)
def test_words_about_root_are_none(command: str) -> None:
    assert not needs_root(command)
