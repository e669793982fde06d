"""What is tried inside of a shell before the package's first command, as its user: all of it must fail.

The script needs a POSIX shell and takes, to connect with, what the image has. What cannot be tried for want of a
program is said to be untried. Nothing leaves a sandbox that is closed; in one that is not, the addresses are those
that documentation keeps for examples, or that hosts answer themselves.
"""

import fnmatch
import ipaddress
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from wpk_sandbox.sandbox.gate.netlink import NAME as GATE_DEVICE
from wpk_sandbox.sandbox.sandbox import Evidence, Route
from wpk_sandbox.sandbox.shells.probe import SAY, Answers

# Seconds to wait for an answer. A closed network answers at once; to wait is a sign that a packet went somewhere.
PATIENCE = 4

# RFC 2606, RFC 5737 and RFC 3849: names and addresses that are nobody's. The metadata services of clouds:
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
_NAMES = ("example.com", "example.org", "example.net")
_ADDRESSES = (
    ("TCP to a test address", "192.0.2.10", 443),
    ("IPv6 to a test address", "2001:db8::10", 443),
    ("metadata address", "169.254.169.254", 80),
    ("metadata address, IPv6", "fd00:ec2::254", 80),
)

# What each program says, or its C library (glibc, musl), when there is no way, or when somebody refuses.
_NO_WAY = (
    "unreachable",
    "no route to host",
    "cannot assign requested address",
    "address not available",
    "not supported by protocol",
)
_NO_NAME = (
    "name resolution",
    "not known",
    "bad address",
    "no address associated",
    "nodename nor servname",
    "can't resolve",
    "does not resolve",
    "try again",
)
_REFUSED = ("connection refused",)


@dataclass(frozen=True)
class Target:
    """Something that must be out of reach. `answered` says that one of the settings' routes answers there."""

    name: str
    host: str
    port: int
    answered: bool = False


def next_hop(table: str | None = None) -> str | None:
    """The gateway of this host's own way out (IPv4), by the table that the kernel shows; None where it has none.

    A shell that is on no bridge of a daemon's would have this one, if it had any.
    """
    with suppress(OSError):
        table = Path("/proc/net/route").read_text(encoding="ascii") if table is None else table
    for line in (table or "").splitlines()[1:]:
        fields = line.split()
        with suppress(IndexError, ValueError):
            number = int(fields[2], 16)
            if int(fields[1], 16) == 0 and number:
                # As the number lies in memory, https://man7.org/linux/man-pages/man5/proc_pid_net.5.html
                return str(ipaddress.IPv4Address(number.to_bytes(4, sys.byteorder)))
    return None


def targets(gateway: str | None, routes: Iterable[Route] = ()) -> tuple[Target, ...]:
    """What to try to reach. `gateway` is the host's address on the network that a shell would have, if known."""
    wanted = tuple(routes)
    free = [name for name in _NAMES if not any(_names(route, name) for route in wanted)]
    found = [("DNS", (free or _NAMES)[0], 443), *_ADDRESSES]
    found += [("host's gateway", gateway, 80)] if gateway else []
    return tuple(
        Target(name, host, port, any(_names(route, host) for route in wanted)) for name, host, port in found
    )


def _names(route: Route, host: str) -> bool:
    """True when a route is about a host: by its name, a pattern of it, or its address in whatever form."""
    try:
        return ipaddress.ip_address(route.host.strip("[]")) == ipaddress.ip_address(host)
    except ValueError:
        return fnmatch.fnmatchcase(host, route.host.lower())


# Each `reach` connects to $1 at port $2, and succeeds when it is connected. It says why not in its first line.
# Bash tries all of them first: to start it is most of the work. It is stopped where somebody keeps it waiting.
_REACH = """
LC_ALL=C; export LC_ALL
answered=
if command -v bash >/dev/null && command -v timeout >/dev/null; then
  tool=bash
  answered=$(timeout PATIENCE bash -c 'while [ $# -gt 0 ]; do
    words=$( (exec 3<>"/dev/tcp/$2/$3") 2>&1); status=$?
    printf "reach %s\\t%s %s\\n" "$1" "$status" "${words%%
*}"; shift 3
  done' bash TARGETS 2>/dev/null </dev/null)
  printf '%s\\n' "$answered"
  reach() { timeout PATIENCE bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2"; }
elif command -v python3 >/dev/null; then
  tool=python3
  reach() { python3 -I -S -c 'import socket, sys
try: socket.create_connection((sys.argv[1], sys.argv[2]), PATIENCE)
except OSError as error: sys.exit("timed out" if isinstance(error, TimeoutError) else str(error))' "$1" "$2"; }
elif command -v perl >/dev/null; then
  tool=perl
  reach() { perl -e 'use Socket qw(:all); alarm PATIENCE; $SIG{ALRM} = sub { die "timed out\\n" };
my ($e, $to) = getaddrinfo($ARGV[0], $ARGV[1], {socktype => SOCK_STREAM}); die "$e\\n" if $e;
socket(my $s, $to->{family}, SOCK_STREAM, 0) or die "$!\\n"; connect($s, $to->{addr}) or die "$!\\n";' "$1" "$2"; }
elif command -v nc >/dev/null; then
  tool=nc
  case $(nc --help 2>&1 </dev/null) in
    # Its `timeout` would leave a process behind for a second.
    *BusyBox*) reach() { nc -w PATIENCE "$1" "$2" -e true; } ;;
    *) reach() { nc -z -v -w PATIENCE "$1" "$2"; } ;;
  esac
fi
say tool "$tool"
try() {
  [ "$tool" ] || return
  case $answered in *"reach $1\t"*) return ;; esac
  words=$(reach "$2" "$3" 2>&1 </dev/null); status=$?
  say "reach $1" "$status ${words%%
*}"
}
""".replace("PATIENCE", str(PATIENCE))

# Ways to more rights, each of which does no harm where it succeeds.
_RIGHTS = """
gain() {
  name=$1; shift
  command -v "$1" >/dev/null || return
  if "$@" >/dev/null 2>&1 </dev/null; then say gained "$name"; else say denied "$name"; fi
}
gain "a user namespace" unshare -U true
gain "a mount" mount -t tmpfs none /tmp
gain "another root" chroot / true
gain "the root user" setpriv --reuid=0 --clear-groups true
gain "sudo" sudo -n true
gain "a device" mknod /tmp/.wpk-device c 1 3
rm -f /tmp/.wpk-device
"""


def script(tried: Iterable[Target], *, rights: bool = True) -> str:
    """What to run with `sh`; `evidence` reads what it prints. Without `rights` no way to more of them is tried."""
    closed = [f"{quote(target.name)} {quote(target.host)} {target.port}" for target in tried if not target.answered]
    lines = [f"try {words}" for words in closed]
    return "\n".join([SAY, _REACH.replace("TARGETS", " ".join(closed)), *lines, _RIGHTS if rights else ""])


def evidence(
    answers: Answers, tried: Iterable[Target], *, gate: bool = False, rights: bool = True
) -> list[Evidence]:
    """What was found open or closed.

    With a `gate`, somebody refuses at once what is tried. Else only "there is no way" proves that there is none.
    """
    accepted = _NO_WAY + _NO_NAME + (_REFUSED if gate else ())
    closed = set(answers.all("interface")) <= {"lo", GATE_DEVICE if gate else "lo"}
    reached = [_reached(answers, target, accepted, closed=closed) for target in tried]
    return [*reached, *(_rights(answers) if rights else ())]


def _reached(answers: Answers, target: Target, accepted: tuple[str, ...], *, closed: bool) -> Evidence:
    probe, place = f"canary: {target.name}", f"{target.host}, port {target.port}"
    if target.answered:
        return Evidence(probe, True, f"{target.host} is not tried: a route of the settings answers for it")
    if not answers.one("tool"):
        return Evidence(probe, closed, "not tried: the image has no program for it; see the interfaces")
    status, _, words = answers.one(f"reach {target.name}").partition(" ")
    seen = f"{place}: {_shortened(words)} ({answers.one('tool')})"
    if status == "0":
        return Evidence(probe, False, f"{place}: connected ({answers.one('tool')})")
    if any(sign in words.lower() for sign in accepted):
        return Evidence(probe, True, seen)
    silent = status.isdigit() and (int(status) >= 124 or "timed out" in words.lower())
    if silent:
        return Evidence(probe, False, f"{place}: no answer in {PATIENCE} s ({answers.one('tool')})")
    return Evidence(probe, False, seen if status else f"{place}: the probe said nothing")


def _shortened(words: str) -> str:
    """The reason at the end of a program's complaint."""
    return words.rpartition(": ")[2][:100] or "failed without a word"


def _rights(answers: Answers) -> Iterator[Evidence]:
    gained, denied = answers.all("gained"), answers.all("denied")
    if gained:
        yield Evidence("canary: rights", False, f"gained {', '.join(gained)}")
    elif denied:
        yield Evidence("canary: rights", True, f"denied: {', '.join(denied)}")
    else:
        yield Evidence("canary: rights", bool(answers.one("uid")), "not tried: the image has no program for it")
