"""Ways out of a container, and changes of the kernel: found, and told from looking at them."""

import pytest
from checking import of_shell, one, shell

ESCAPE, KERNEL = "shell-container-escape", "shell-kernel-change"

FOUND = {
    ESCAPE: [
        "nsenter -t 1 -m -u -i -n -p -- bash",
        "nsenter --target 1 --mount sh -c 'id'",
        "nsenter --target=1 --all",
        "nsenter -t1 -m",
        "nsenter --mount=/host/proc/1/ns/mnt sh",
        "sudo nsenter -t 1 -m sh",
        "chroot /host",
        "chroot /host bash -c 'systemctl restart kubelet'",
        "chroot /proc/1/root sh",
        "cat /proc/1/root/etc/hostname",
        "ls > /proc/1/root/tmp/x",
        "mount /dev/sda1 /mnt",
        "mount -t ext4 /dev/nvme0n1p1 /mnt/node",
        "D=/dev/vda1; mount $D /mnt",
        "mount -t cgroup -o rdma cgroup /tmp/cgrp",
        "debugfs /dev/sda1",
        "mknod /dev/sda1 b 8 1",
        'echo "$host_path/cmd" > /tmp/cgrp/release_agent',
        "echo 1 > /tmp/cgrp/x/notify_on_release",
        "echo /tmp/x | tee /sys/fs/cgroup/rdma/release_agent",
        "echo '|/tmp/x' > /proc/sys/kernel/core_pattern",
        'sysctl -w kernel.core_pattern="|/tmp/x"',
        "echo /tmp/x > /sys/kernel/uevent_helper",
        "curl --unix-socket /var/run/docker.sock http://localhost/containers/json",
        "curl -s --unix-socket=/run/docker.sock -X POST http://d/containers/create",
        "socat - UNIX-CONNECT:/var/run/docker.sock",
        "nc -U /var/run/docker.sock",
        "docker -H unix:///var/run/docker.sock run -it alpine",
        "chmod 666 /var/run/docker.sock",
        "docker run --privileged alpine",
        "docker run --rm -it --privileged=true alpine sh",
        "docker run -v /:/host alpine chroot /host",
        "docker run -v /etc:/e alpine",
        "docker run --volume=/:/host:rw alpine",
        "docker run --mount type=bind,source=/,target=/host alpine",
        "docker run -v /var/run/docker.sock:/var/run/docker.sock docker ps",
        "docker run --pid=host alpine",
        "docker run --pid host alpine",
        "podman run --cap-add=SYS_ADMIN alpine",
        "docker run --cap-add ALL alpine",
        "docker run --device /dev/sda alpine",
        "nerdctl container run --privileged alpine",
        "kubectl debug node/worker-1 -it --image=busybox",
        "kubectl debug -it node/worker-1 --image busybox -- chroot /host",
        "kubectl run x --image=alpine --privileged",
        'kubectl run x --image=a --overrides=\'{"spec":{"hostPID":true}}\'',
        'kubectl run x --image=a --overrides=\'{"spec":{"volumes":[{"hostPath":{"path":"/"}}]}}\'',
        "sh -c 'docker run --privileged alpine'",
        "ctr -n k8s.io run --privileged docker.io/library/alpine:3 x sh",
        "mount --bind / /mnt",
        "mount -o bind /host/etc /etc",
        "mount --rbind /host /mnt",
        "echo '* * * * * root sh' >> /host/etc/crontab",
        "cp /tmp/x /host/usr/bin/x",
    ],
    KERNEL: [
        "echo vm.swappiness=10 >> /etc/sysctl.conf",
        "echo overlay > /etc/modules-load.d/k8s.conf",
        "insmod /tmp/x.ko",
        "modprobe br_netfilter",
        "sudo modprobe -r nf_conntrack",
        "rmmod veth",
        "sysctl -w net.ipv4.ip_forward=1",
        "sysctl net.core.somaxconn=1024",
        "sysctl --write vm.swappiness=10",
        "sysctl -p /etc/sysctl.d/99-app.conf",
        "sysctl --system",
        "echo 1 > /proc/sys/net/ipv4/ip_forward",
        "echo 3 | sudo tee /proc/sys/vm/drop_caches",
        "echo b > /proc/sysrq-trigger",
        "echo never > /sys/kernel/mm/transparent_hugepage/enabled",
        "dd if=/tmp/x of=/proc/sys/kernel/hostname",
        "echo 0 > /proc/sys/net/ipv4/conf/${DEV}/rp_filter",
        "kexec -l /boot/vmlinuz --initrd=/boot/initrd",
        "kexec -e",
        "chroot /mnt modprobe overlay",
    ],
}
NOT_FOUND = {
    ESCAPE: [
        "nsenter -t $PID -n ss -tlnp",
        "nsenter -t 4242 -n ip addr",
        "chroot /srv/jail /bin/true",
        "cat /proc/1/cmdline",
        "cat /proc/self/root/etc/hostname",
        "readlink /proc/1/root",
        "mount",
        "mount | grep /data",
        "mount -t nfs nas.default.svc:/export /mnt",
        "mount -t tmpfs tmpfs /mnt/scratch",
        "mount -o remount,ro /data",
        "umount /dev/sda1",
        "cat /sys/fs/cgroup/memory.max",
        "cat /proc/sys/kernel/core_pattern",
        "echo core.%p > /proc/sys/kernel/core_pattern",
        "sysctl kernel.core_pattern",
        "ls -l /var/run/docker.sock",
        "test -S /var/run/docker.sock",
        "curl --unix-socket /run/app/app.sock http://localhost/healthz",
        "docker ps -a",
        "docker run --rm alpine:3.20 echo --privileged",
        "docker run --privileged=false alpine",
        "docker run -v /srv/app:/app -v data:/data alpine",
        'docker run -v "$PWD:/src" alpine make',
        "docker run --cap-drop=ALL --cap-add=NET_BIND_SERVICE nginx",
        "docker build -t app .",
        "kubectl debug pod/web-0 -it --image=busybox --target=web",
        "kubectl debug web-0 --image=busybox -- ls /host",
        "kubectl get nodes",
        "kubectl run x --image=alpine --restart=Never -- sleep 1",
        'kubectl run x --image=a --overrides=\'{"spec":{"hostPID":false}}\'',
        "echo 'docker run --privileged alpine'",
        "mknod /tmp/fifo p",
        "ctr -n k8s.io containers list",
        "mount --bind /srv/a /srv/b",
        "echo x > /host/tmp/x",
        "cp /host/etc/os-release /tmp/",
        "mknod -m 666 /tmp/null c 1 3",
    ],
    KERNEL: [
        "lsmod | grep overlay",
        "modinfo overlay",
        "modprobe -n overlay",
        "modprobe --show-depends overlay",
        "sysctl -a",
        "sysctl -n net.core.somaxconn",
        "sysctl net.ipv4.ip_forward",
        "cat /proc/sys/vm/swappiness",
        "cat /proc/meminfo > /tmp/meminfo",
        "grep . /sys/kernel/mm/transparent_hugepage/enabled",
        "cp /proc/sys/kernel/hostname /tmp/name",
        "uname -r",
        "cat /etc/sysctl.conf",
        "echo 'sysctl -w vm.swappiness=10'",
        "echo 1 > /tmp/proc/sys/x",
        "echo 1 > /sys/fs/cgroup/app/cgroup.procs",
    ],
}


def pairs(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(rule, command) for rule, commands in table.items() for command in commands]


@pytest.mark.parametrize(("rule", "command"), pairs(FOUND))
def test_a_way_out_is_found(rule: str, command: str) -> None:
    assert rule in of_shell(command)


@pytest.mark.parametrize(("rule", "command"), pairs(NOT_FOUND))
def test_its_neighbour_is_left_alone(rule: str, command: str) -> None:
    assert rule not in of_shell(command)


def test_the_message_says_what_is_reached() -> None:
    found = one(ESCAPE, shell("docker run -v /etc/:/e alpine"))
    assert found.message == "`docker run -v /etc/:/e alpine` gives the node's /etc to a container"


def test_a_redirection_alone_is_told_in_words() -> None:
    assert (
        one(KERNEL, shell("> /proc/sys/vm/drop_caches")).message
        == "this writes to the kernel's /proc/sys/vm/drop_caches"
    )
