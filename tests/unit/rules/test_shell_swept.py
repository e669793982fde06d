"""What is swept away by age, by lists of everything and by wipers; and what is the script's own."""

import pytest
from checking import of_shell

RULES = {"shell-destroy-system", "shell-destroy-data", "shell-raw-disk-write"}

SWEPT = [
    "find /usr -xdev -type f -atime +90 -delete",
    'for d in /usr /lib; do find "$d" -type f -mtime +90 -print -delete; done',
    "find /etc -size +1M -delete",
    "docker rm -f $(docker ps -aq)",
    "docker container rm --force $(docker container ls -aq)",
    "podman rm -af",
    "docker ps -aq | xargs docker rm -f",
    "find /home -type f -name '*.sql' -print0 | xargs -0 shred -uz",
    'mkfs.ext4 "$DISK"',
    "psql -c 'DROP TABLE orders; CREATE TABLE orders (id int)'",
]
OWN = [
    "find /var/cache/app -type f -atime +90 -delete",
    "find /usr/local/app/tmp -mtime +3 -delete",
    "docker rm -f web",
    "docker rm -f $(docker ps -aq --filter status=exited)",
    "docker rm $(docker ps -aq)",
    "find /tmp/x -type f -print0 | xargs -0 shred -u",
    'img=$(mktemp); truncate -s 64M "$img"; mkfs.ext4 -q -F "$img"',
    'loop=$(losetup --show -f /srv/x.img); mkfs.ext4 "$loop"',
    "psql -c 'CREATE TEMP TABLE stale AS SELECT 1; DROP TABLE stale'",
    "psql -c 'CREATE TABLE probe (id int); DROP TABLE IF EXISTS probe'",
]


@pytest.mark.parametrize("script", SWEPT)
def test_what_sweeps_everything_away_is_found(script: str) -> None:
    assert RULES & of_shell(script)


@pytest.mark.parametrize("script", OWN)
def test_what_is_chosen_or_made_by_the_script_is_left_alone(script: str) -> None:
    assert not RULES & of_shell(script)
