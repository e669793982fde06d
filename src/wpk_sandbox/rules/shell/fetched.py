"""Code that comes from the network straight into an interpreter, or onto the machine."""

import re
from collections.abc import Iterator, Sequence

from wpk_sandbox.finding import Rule, Severity
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell import programs
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.issue import Issue
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.ran import evaluates, file_name, produced, reach, run_file, written

FETCH_AND_RUN = Rule(
    "shell-fetch-and-run",
    Severity.CRITICAL,
    "A download is run without being checked",
    "Whoever controls the server, or the way to it, runs anything with the rights of the runbook; and what was"
    " reviewed is not what runs tomorrow.",
    "Put the script into the repository or the image; or download a fixed version, compare its checksum"
    " (`sha256sum -c`), and then run it.",
    cwe=494,
    points=POINTS[Severity.CRITICAL],
)

RULES = (FETCH_AND_RUN,)

DOWNLOADERS = frozenset(
    {"curl", "wget", "aria2c", "http", "https", "fetch", "lwp-request", "lwp-download", "axel", "lynx", "w3m"}
)
_VERIFIERS = frozenset(
    {"sha256sum", "sha512sum", "sha1sum", "shasum", "md5sum", "gpg", "cosign", "minisign", "openssl"}
)
# How programs of other languages fetch.
_FETCHES = re.compile(
    r"urlopen\s*\(|urlretrieve\s*\(|requests\.get\s*\(|httpx\.get\s*\(|LWP::Simple|LWP::UserAgent|HTTP::Tiny"
    r"|open-uri|Net::HTTP|URI\.open|file_get_contents\s*\(\s*[\"']https?:|https?\.get\s*\(|\bfetch\s*\("
)
# Package managers that install a file, with the options or words that ask for it.
_INSTALLERS = {
    "dpkg": names("-i --install"),
    "rpm": names("-i -U -F -ivh -Uvh -Fvh --install --upgrade"),
    "apt": names("install"),
    "apt-get": names("install"),
    "yum": names("install localinstall"),
    "dnf": names("install localinstall"),
    "zypper": names("install in"),
    "apk": names("add"),
}


def check(commands: Sequence[Command]) -> Iterator[Issue]:
    """Where the commands of a script run what they downloaded."""
    files: dict[str, Command] = {}
    for command in commands:
        yield from _direct(command)
        if command.name in DOWNLOADERS:
            files.update(dict.fromkeys(_saved(command), command))
        elif command.name in _VERIFIERS:
            files.clear()
        elif (name := run_file(command)) in files:
            message = f"`{command.shown}` runs what `{files[name].shown}` downloaded"
            yield Issue(FETCH_AND_RUN, command.span, message)
        elif (name := _installed(command, files)) in files:
            message = f"`{command.shown}` installs what `{files[name].shown}` downloaded"
            yield Issue(FETCH_AND_RUN, command.span, message)


def _direct(command: Command) -> Iterator[Issue]:
    """`curl … | sh`, `sh -c "$(curl …)"`, `bash <(curl …)`, `python -c 'exec(urlopen(…).read())'`."""
    for group in produced(command):
        for source in group:
            if source.name in DOWNLOADERS:
                piped = group is command.upstream
                span = reach(source, command) if piped else command.span
                message = f"`{source.shown}` is run by `{command.shown}`"
                yield Issue(FETCH_AND_RUN, span, message if piped else f"`{command.shown}` runs what it downloads")
                return
    if evaluates(programs.text(command), _FETCHES):
        yield Issue(FETCH_AND_RUN, command.span, f"`{command.shown}` runs what it downloads")


def _installed(command: Command, files: dict[str, Command]) -> str:
    """The name of the downloaded file that a package manager installs; empty if there is none."""
    asks = _INSTALLERS.get(command.name)
    values = [word.value or "" for word in command.arguments]
    if asks is None or asks.isdisjoint(values):
        return ""
    return next((file_name(value) for value in values if file_name(value) in files), "")


def _saved(command: Command) -> Iterator[str]:
    """The names of the files that a download is saved as."""
    takes = names("o O d H X u A e output output-document data header request user")
    if command.name == "curl":
        takes -= {"O"}
    options = parse(command.arguments, takes)
    named = options.value("O", "output-document") if command.name == "wget" else options.value("o", "output")
    if named is not None and named.value:
        yield file_name(named.value)
    if command.name in ("wget", "lwp-download") or options.has("O", "remote-name"):
        yield from (file_name(word.value) for word in options.operands if word.value and "/" in word.value)
    yield from written(command)
