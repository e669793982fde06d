import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.daemon import own
from wpk_sandbox.sandbox.ledger import Ledger

# Any run on this daemon takes away what has expired.
EXPIRES = datetime.now(UTC) + timedelta(hours=1)
ID, OTHER = "a" * 64, "b" * 64


def test_own_container_is_known_by_the_files_that_docker_mounts() -> None:
    mounts = f"""\
700 650 0:50 / / rw,relatime - overlay overlay rw
712 700 254:1 /var/lib/docker/containers/{ID}/resolv.conf /etc/resolv.conf rw - ext4 /dev/vda1 rw
713 700 254:1 /var/lib/docker/containers/{ID}/hostname /etc/hostname rw - ext4 /dev/vda1 rw
"""
    assert own.container_ids_of_mounts(mounts) == [ID]


def test_mounts_that_a_host_has_for_its_containers_are_not_its_own() -> None:
    mounts = f"90 80 0:60 / /var/lib/docker/containers/{OTHER}/mounts/shm rw - tmpfs shm rw\n"
    assert own.container_ids_of_mounts(mounts) == []


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (f"12:pids:/docker/{ID}", [ID]),
        (f"0::/system.slice/docker-{ID}.scope", [ID]),
        (f"0::/docker/{OTHER}/kubelet/pods/{ID}", [ID]),
        ("0::/user.slice/user-1000.slice", []),
        ("0::/", []),
        ("", []),
    ],
)
def test_own_container_is_the_innermost_of_the_control_group(path: str, found: list[str]) -> None:
    assert own.container_ids_of_cgroups(path) == found


@pytest.mark.needs("docker")
def test_container_finds_its_own_id_in_what_docker_mounted() -> None:
    ledger = Ledger(f"t{secrets.token_hex(4)}", EXPIRES)
    name = daemon.resource_name(ledger, "self")
    with daemon.container(ledger, name, "busybox:1.36", command=["sleep", "60"]) as container:
        api = daemon.client().api
        api.start(container)
        created = api.exec_create(container, ["cat", "/proc/self/mountinfo"])
        assert own.container_ids_of_mounts(api.exec_start(created["Id"]).decode()) == [container]
        assert own.container_ids_of_mounts(Path("/proc/self/mountinfo").read_text()) != [container]
    assert str(ledger.close()) == "made 1, removed 1, left 0"
