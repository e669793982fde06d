"""Rights for everybody that other ways than `chmod` give, and further ways out of a container."""

import pytest
from checking import of_shell

WRITABLE = "shell-world-writable"
ESCAPE = "shell-container-escape"

OPENED = [
    "printf '[Service]\\nUMask=0000\\n' > /etc/systemd/system/a.service.d/u.conf",
    "systemd-run -p UMask=0000 /opt/app/run",
    "echo 'UMASK 000' >> /etc/login.defs",
    "printf '[data]\\ncreate mask = 0777\\n' >> /etc/samba/smb.conf",
    'echo \'KERNEL=="kvm0", MODE="0666"\' > /etc/udev/rules.d/9.rules',
    "echo 'd /run/app 0777 root root -' > /etc/tmpfiles.d/app.conf",
    "echo 'listen.mode = 0666' >> /etc/php/8.2/fpm/pool.d/www.conf",
    "echo '/data *(rw,sync,no_root_squash)' >> /etc/exports",
    "printf 'FROM alpine:3.20\\nRUN chmod -R 777 /app\\n' > Dockerfile",
    "rsync -a --chmod=D777,F666 a/ b/",
    "rsync -a --chmod=ugo=rwX a/ b/",
    "tar --mode=a+rw -cf a.tar a",
    "mount -t cifs //nas/share /mnt/s -o dir_mode=0777,file_mode=0777",
    "git config core.sharedRepository world",
    "hdfs dfs -chmod -R 777 /data",
    'python3 -c \'import os; os.umask(0); open("/srv/a", "w")\'',
    "ruby -e 'FileUtils.chmod_R(0777, \"/srv/a\")'",
    "node -e 'fs.chmodSync(\"/srv/a\", 0o666)'",
    "python3 -c 'import os, stat; os.chmod(\"/srv/a\", stat.S_IRWXU | stat.S_IRWXO)'",
    "chmod u+s /tmp/x",
    "cp /bin/bash /var/tmp/b && chmod 4755 /var/tmp/b",
    "chmod 4755 /bin/bash",
    "install -o root -m 4755 /bin/sh /tmp/.s",
    "setcap cap_setuid+ep /usr/bin/python3.11",
]
SHUT = [
    "printf '[Service]\\nUMask=0077\\n' > /etc/systemd/system/a.service.d/u.conf",
    "echo 'UMASK 027' >> /etc/login.defs",
    "printf '[data]\\ncreate mask = 0660\\n' >> /etc/samba/smb.conf",
    'echo \'KERNEL=="kvm0", MODE="0660"\' > /etc/udev/rules.d/9.rules',
    "echo 'd /run/app 1777 root root -' > /etc/tmpfiles.d/app.conf",
    "echo 'd /run/app 0755 root root -' > /etc/tmpfiles.d/app.conf",
    "echo '/data 10.0.0.0/8(ro,sync,root_squash)' >> /etc/exports",
    "rsync -a --chmod=Du=rwx,Dgo=rx,Fu=rw,Fgo=r a/ b/",
    "tar --mode='u+rwX,go+rX,go-w' -cf a.tar a",
    "mount -t cifs //nas/share /mnt/s -o dir_mode=0750,file_mode=0640",
    "git config core.sharedRepository group",
    "python3 -c 'import os; os.umask(0o077)'",
    "node -e 'fs.chmodSync(\"/srv/a\", 0o640)'",
    "chmod 4755 /usr/bin/sudo",
    "chmod u+s /usr/bin/passwd",
    "chmod g+s /srv/shared",
    "setcap cap_sys_admin,cap_net_admin=ep /bin/ip",
    "setcap cap_net_bind_service=+ep /usr/bin/node",
    "mknod -m 0666 /dev/null c 1 3",
]

OUT = [
    'd=$(lsblk -nrpo NAME | head -1); mount "$d" /mnt/x',
    'mount "$(findfs LABEL=root)" /mnt/x',
    "crictl exec 1a2b sh -c id",
    "curl -sk https://10.0.0.5:10250/run/default/web/app -d cmd=id",
    "curl -s http://10.0.0.5:2375/containers/json",
    "DOCKER_HOST=tcp://10.0.0.5:2375 docker ps",
    "cat > /etc/kubernetes/manifests/x.yaml <<'EOF'\nkind: Pod\nEOF",
    'kubectl patch ds agent -p \'{"spec":{"template":{"spec":{"hostPID":true}}}}\'',
    "helm install x ./x --set securityContext.privileged=true",
    "lxc config set c1 security.privileged true",
    "gdb -p 1 -batch -ex 'call (int)system(\"id\")'",
    "mount -o remount,rw /sys",
    "mount -t devtmpfs none /mnt/dev",
    "python3 -c 'print(open(\"/proc/1/root/etc/hostname\").read())'",
    "python3 -c 'import docker; docker.from_env().containers.run(\"alpine:3.20\", privileged=True)'",
    "fuse2fs /dev/sda1 /mnt/x",
]
IN = [
    "lsblk -nrpo NAME,FSTYPE",
    "crictl ps --name web -q",
    "crictl rmi --prune",
    "curl -sk https://10.0.0.5:10250/healthz",
    "ls /etc/kubernetes/manifests",
    'kubectl patch deploy web -p \'{"spec":{"replicas":3}}\'',
    "helm install x ./x --set securityContext.privileged=false",
    "kubectl run probe --image=alpine:3.20 --privileged --dry-run=server",
    "mount -t tmpfs -o size=1g tmpfs /mnt/x",
    "python3 -c 'print(open(\"/proc/self/status\").read())'",
]


@pytest.mark.parametrize("script", OPENED)
def test_rights_for_everybody_are_found(script: str) -> None:
    assert WRITABLE in of_shell(script)


@pytest.mark.parametrize("script", SHUT)
def test_rights_for_some_are_left_alone(script: str) -> None:
    assert WRITABLE not in of_shell(script)


@pytest.mark.parametrize("script", OUT)
def test_a_way_out_of_the_container_is_found(script: str) -> None:
    assert ESCAPE in of_shell(script)


@pytest.mark.parametrize("script", IN)
def test_what_stays_inside_is_left_alone(script: str) -> None:
    assert ESCAPE not in of_shell(script)


def test_a_failed_migration_must_not_go_unnoticed() -> None:
    assert "shell-safety-disabled" in of_shell("/opt/app/bin/migrate up || true")
    assert "shell-safety-disabled" not in of_shell("/opt/app/bin/migrate status || true")


def test_the_metadata_service_is_found_in_a_program() -> None:
    ask = "python3 -c 'import urllib.request as u; u.urlopen(\"http://{}/metadata/identity/oauth2/token\")'"
    assert "metadata-call" in of_shell(ask.format("169.254.169.254"))
    assert "metadata-call" not in of_shell(ask.format("identity.shop.svc"))
