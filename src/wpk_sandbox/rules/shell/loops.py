"""Loops that nothing ends: whether they rest, spin, or start processes without end."""

from collections.abc import Iterator, Sequence

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell import programs
from wpk_sandbox.rules.shell.command import Command

# What ends a loop, or waits for something before the next round.
_ENDS = frozenset({"break", "exit", "return", "exec", "wait", "read", "mapfile", "readarray", "select", "kill"})
_RESTS = frozenset({"sleep", "usleep", "snooze", "inotifywait", "inotifywatch", "flock", "fuser", "suspend"})
_SERVERS = frozenset({"nc", "ncat", "netcat", "socat", "ssh", "telnet", "watch", "nginx", "java", "tcpdump"})
# Options and subcommands with which a program goes on until something happens.
_FOLLOWS = frozenset(
    {"-f", "-F", "-w", "--watch", "--watch-only", "--follow", "--wait", "wait", "watch", "events", "attach"}
    | {"port-forward", "proxy", "serve", "monitor", "subscribe", "brpop", "blpop", "rollout", "http.server"}
)
_FOLLOWERS = frozenset(
    {"tail", "kubectl", "oc", "journalctl", "docker", "podman", "nerdctl", "crictl", "stern", "helm", "systemctl"}
    | {"redis-cli", "etcdctl", "consul", "dbus-monitor", "udevadm", "python", "python3", "aws", "gcloud", "az"}
)
_ONLY_ASKS = frozenset({"-z", "-zv", "-vz", "-zw1", "-zvw1"})
_STANDARD = ("/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/")
_BOUNDED = frozenset({"timeout", "prlimit"})
_NO_TIME = Pattern(r"0*(?:\.0*)?[smhd]?")
_CLIENTS = frozenset({"kubectl", "oc", "docker", "podman", "nerdctl", "systemd-run"})
_ATTACHES = frozenset({"-i", "-it", "-ti", "--attach", "--stdin", "--wait", "--rm"})
_DETACHES = frozenset({"-d", "--detach", "-dit", "-itd", "-dt", "-td", "systemd-run", "--no-block"})
# A program of another language that starts copies of itself: `fork while fork`, `while True: os.fork()`.
_FORKS = Pattern(
    r"\bfork\s+while\b|\bfork\s*(?:\(\))?\s*(?:&&|and)\s*fork|\bloop\s*(?:\{|do)[^}]*\bfork\b"
    r"|\bwhile\s*\(?\s*(?:True|true|1|fork)\s*(?:\(\))?\s*\)?\s*[:{;]?[^}]*?\bfork\b|\bfor\s*\(\s*;;\s*\)[^}]*\bfork\b"
)
_COLLECTS = Pattern(r"\bwait(?:pid)?\b|\bsleep\b|\bbreak\b|\bexit\b|\blast\b")


def endless_loops(commands: Sequence[Command]) -> Iterator[tuple[Command, ...]]:
    """The commands of each loop that nothing ends; those of loops side by side count as of one."""
    group: list[Command] = []
    for command in commands:
        if command.endless and _BOUNDED.isdisjoint(command.via):
            group.append(command)
        elif group and not command.piped:
            # What is piped may be a substitution within the loop, which is read apart.
            yield tuple(group)
            group = []
    if group:
        yield tuple(group)


def forks(loop: Sequence[Command]) -> tuple[Command, ...]:
    """The commands that each round of a loop leaves running; none where the loop rests or runs on itself."""
    if _rests(loop) or (loop[0].background and loop[0].name in ("true", ":", "false", "[", "[[")):
        return ()
    return tuple(command for command in loop if command.background)


def spins(loop: Sequence[Command]) -> bool:
    """True for a loop whose every round follows the one before at once."""
    return not _rests(loop) and not any(_may_block(command) for command in loop)


def program_forks(command: Command) -> bool:
    """True for a program of another language that starts copies of itself and collects none."""
    text = programs.text(command)
    return _FORKS.search(text) is not None and _COLLECTS.search(text) is None


def _rests(loop: Sequence[Command]) -> bool:
    return any(_lets_wait(command, loop) for command in loop)


def _lets_wait(command: Command, loop: Sequence[Command]) -> bool:
    """True for what ends a loop or holds it up: neither in the background nor by `sleep 0`."""
    if command.name in _ENDS:
        return not (command.name == "kill" and any(word.value == "-0" for word in command.arguments))
    if command.name not in _RESTS or command.background:
        return False
    values = [word.value or "" for word in command.arguments]
    return _NO_TIME.fullmatch("".join(values[:1])) is None and not _detached(command, loop)


def _detached(command: Command, loop: Sequence[Command]) -> bool:
    """True for what a client only starts: `kubectl run … -- sleep 60`, `docker run -d image sleep 60`."""
    if command.via[-1:] and command.via[-1] in _CLIENTS:
        starter = next((each for each in loop if each.name == command.via[-1] and each.span == command.span), None)
        starter = starter or next((each for each in loop if each.name == command.via[-1]), None)
        values = {word.value for word in starter.arguments} if starter is not None else set()
        if command.via[-1] in ("kubectl", "oc"):
            return "run" in values and _ATTACHES.isdisjoint(values)
        return not _DETACHES.isdisjoint(values)
    return False


def _may_block(command: Command) -> bool:
    """True for a command that waits, or one that nobody knows enough of to say that it does not."""
    if not command.words or command.name in _SERVERS:
        return bool(command.words) and not any(word.value in _ONLY_ASKS for word in command.arguments)
    path = command.words[0].value
    if path is None or ("/" in path and not path.startswith(_STANDARD)):
        return True
    values = {word.value for word in command.arguments}
    return command.name in _FOLLOWERS and not _FOLLOWS.isdisjoint(values)
