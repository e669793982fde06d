"""The guards that go before the common filter, tried in a process of their own under the real filter.

Every signal that is sent here is 0, which tells whether one could be sent and does nothing; and what is set is what
was set before. A common filter that failed would let the attempts through, so none may do harm.
"""

import base64
import errno
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from wpk_sandbox.sandbox.seccomp.bpf import ARCHITECTURES, filter_program
from wpk_sandbox.sandbox.shells import landlock_calls, supervisor
from wpk_sandbox.sandbox.shells.landlock_calls import Guard

pytestmark = pytest.mark.skipif(platform.machine() not in ARCHITECTURES, reason="no table for this machine")

TRY = """
import base64, ctypes, json, os, resource, socket, sys
sys.path.insert(0, sys.argv[1])
from supervisor.denials import PLAIN, install
from supervisor.kernel import LIBC
parent, file = os.getppid(), sys.argv[3]
LIBC.prctl(38, 1, 0, 0, 0)
install({PLAIN: sys.argv[2]}, PLAIN)
attempts = {
    "signal all": lambda: os.kill(-1, 0),
    "signal parent": lambda: os.kill(parent, 0),
    "signal parent's group": lambda: os.kill(-os.getpgid(parent), 0),
    "signal itself": lambda: os.kill(os.getpid(), 0),
    "limits of parent": lambda: resource.prlimit(parent, resource.RLIMIT_CORE),
    "own limits": lambda: resource.getrlimit(resource.RLIMIT_CORE),
    "affinity of parent": lambda: os.sched_setaffinity(parent, os.sched_getaffinity(parent)),
    "own affinity": lambda: os.sched_setaffinity(0, os.sched_getaffinity(0)),
    "niceness of parent": lambda: os.setpriority(os.PRIO_PROCESS, parent, os.getpriority(os.PRIO_PROCESS, parent)),
    "own niceness": lambda: os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0)),
    "unix": lambda: socket.socket(socket.AF_UNIX),
    "inet": lambda: socket.socket(socket.AF_INET),
    "pair": lambda: socket.socketpair(),
    "pair of datagrams": lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM),
    "mode": lambda: os.chmod(file, 0o600),
    "mode of an open file": lambda: os.fchmod(os.open(file, os.O_RDWR), 0o600),
    "times": lambda: os.utime(file),
    "times of an open file": lambda: os.utime(os.open(file, os.O_RDWR)),
    "attribute": lambda: os.setxattr(file, "user.x", b"1"),
    "owner": lambda: os.chown(file, -1, -1),
    "truncate": lambda: os.truncate(file, 0),
    "namespace": lambda: LIBC.unshare(0x10000000) and (_ for _ in ()).throw(OSError(ctypes.get_errno(), "")),
}
seen = {}
for what, attempt in attempts.items():
    try:
        attempt()
        seen[what] = 0
    except OSError as error:
        seen[what] = error.errno
print(json.dumps(seen))
"""
FINE = (
    *("signal itself", "own limits", "own affinity", "own niceness", "pair"),
    *("mode of an open file", "times of an open file"),
)


def tried(tmp_path: Path, guards: tuple[Guard, ...]) -> dict[str, int]:
    """The error of each attempt, 0 for none."""
    common = filter_program(platform.machine(), network=not guards)
    program = (landlock_calls.before(guards, notify=False) if guards else b"") + common
    file = tmp_path / "file"
    file.touch()
    shells = str(Path(supervisor.__file__).parents[1])
    # A parent of its own, so that what the child tries is not done to this process.
    argv = [sys.executable, "-c", TRY, shells, base64.b64encode(program).decode(), str(file)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    found: dict[str, int] = json.loads(done.stdout)
    return found


def parents() -> tuple[int, ...]:
    return (os.getpid(), os.getpgid(0))


def test_common_filter_alone_lets_all_of_it_pass(tmp_path: Path) -> None:
    seen = tried(tmp_path, ())
    assert {what for what, error in seen.items() if error} - {"attribute"} == {"namespace"}


def test_what_reaches_others_is_denied_and_the_rest_is_not(tmp_path: Path) -> None:
    seen = tried(tmp_path, landlock_calls.guards(parents(), 7, owns_files=True))
    assert {what: seen[what] for what in FINE} == dict.fromkeys(FINE, 0)
    denied = {what for what, error in seen.items() if error in (errno.EPERM, errno.EACCES)}
    assert denied == set(seen) - set(FINE) - {"truncate"}


def test_user_without_other_files_may_change_the_metadata_of_its_own(tmp_path: Path) -> None:
    seen = tried(tmp_path, landlock_calls.guards(parents(), 7, owns_files=False))
    assert [what for what in ("mode", "times", "owner") if seen[what]] == []
    assert seen["signal all"] == errno.EPERM


def test_older_landlock_is_helped_out(tmp_path: Path) -> None:
    seen = tried(tmp_path, landlock_calls.guards(parents(), 1, owns_files=False))
    assert seen["truncate"] == errno.EPERM
    assert seen["mode of an open file"] == 0


@pytest.mark.parametrize("denies", [True, False])
@pytest.mark.parametrize("values", [(0,), (1, 0), (5, 1, 0, 9)])
def test_every_place_in_a_list_of_values_counts(tmp_path: Path, values: tuple[int, ...], denies: bool) -> None:
    guard = Guard(("setpriority",), 0, values, denies_values=denies)
    assert (tried(tmp_path, (guard,))["own niceness"] == 0) is not denies
