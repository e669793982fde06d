"""Code that comes from the network straight into an interpreter, or onto the machine."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from wpk_sandbox.finding import Rule, Severity
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell import programs
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.downloads import (
    DOWNLOADERS,
    MOST_STAGES,
    fetches,
    key_of,
    repeats,
    saved,
    saved_by_program,
    shows_kept,
)
from wpk_sandbox.rules.shell.issue import Issue
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.ran import evaluates, file_key, produced, reach, run_file, runs_its_input
from wpk_sandbox.rules.shell.unpacked import Unpacked
from wpk_sandbox.rules.shell.verified import names_of as verified_names
from wpk_sandbox.rules.shell.words import Word, literal
from wpk_sandbox.rules.shell.wrappers import SHELLS

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

# How programs of other languages fetch.
_FETCHES = Pattern(
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
    "pip": names("install"),
    "pip3": names("install"),
    "npm": names("install i add"),
    "gem": names("install"),
    "installer": frozenset[str](),
    "java": names("-jar"),
    "make": names("-f"),
    "insmod": frozenset[str](),
    "crontab": frozenset[str](),
    "at": names("-f"),
    "ansible-playbook": frozenset[str](),
    "deno": names("run"),
    "go": names("run"),
    "systemd-run": frozenset[str](),
}


# Where a file is run by itself: by cron, at a login, by systemd, by git, when a container or the network starts.
_LATER = Pattern(
    r"/etc/(?:cron[.\w-]*/|crontab$|profile$|profile\.d/|bash\.bashrc$|bashrc$|zsh/|zshrc$|init\.d/"
    r"|rc\.local$|rc\d\.d/|update-motd\.d/|systemd/system|NetworkManager/dispatcher\.d/|network/if-|apt/apt\.conf\.d/|ld\.so\.preload$"
    r"|periodic/|local\.d/|X11/xinit|xdg/autostart/|security/pam_|udev/rules\.d/)|/var/spool/cron"
    r"|/(?:usr/)?lib/systemd/system|(?:^|/)\.git/hooks/|docker-entrypoint(?:\.d|-initdb\.d)/|/entrypoint\.d/"
    r"|(?:^|/)(?:~|root|home/[^/]+|\.)?/?\.(?:bashrc|bash_profile|bash_login|bash_logout|profile|zshrc|zshenv|zprofile)$"
    r"|\.ssh/rc$|\.config/(?:autostart|systemd)/"
)
_JOBS = names("crontab at batch")
_SEARCHED = Pattern(r"(?:/usr(?:/local)?)?/s?bin/[^/]+$|~/(?:\.local/)?bin/[^/]+$|/opt/bin/[^/]+$")
_COPIES = names("cp mv install ln")
_POWERSHELL = Pattern(r"(?i)\b(?:iex|invoke-expression)\b")
_POWERSHELL_FETCHES = Pattern(r"(?i)\b(?:iwr|irm|curl|wget|invoke-(?:webrequest|restmethod))\b|downloadstring")
_INCLUDES = Pattern(r"\b(?:include|require)(?:_once)?\s*\(?\s*[\"'](?:https?|ftp|data):", re.IGNORECASE)
_COMMIT = Pattern(r"[0-9a-f]{12,40}|v?\d+\.\d+[\w.]*")
_REMOTE_PROGRAMS = names("deno bun")
_NETWORK_FILE = Pattern(r"/dev/(?:tcp|udp)/")


def check(commands: Sequence[Command]) -> Iterator[Issue]:
    """Where the commands of a script run what they downloaded."""
    downloads = _Downloads()
    for command in commands:
        yield from _direct(command, opened=downloads.opened)
        yield from downloads.follow(command)


@dataclass
class _Downloads:
    """What a script has downloaded so far and not compared with anything."""

    files: dict[str, Command] = field(default_factory=dict)
    programs: set[str] = field(default_factory=set)
    unpacked: Unpacked = field(default_factory=Unpacked)
    read: set[str] = field(default_factory=set)
    opened: bool = False

    def follow(self, command: Command) -> Iterator[Issue]:
        """Take in a command, with the issues that it makes."""
        self.opened = self.opened or _opens(command)
        if command.name in ("cd", "pushd"):
            self.unpacked.enter(command)
        elif command.name == "git":
            self.unpacked.pin(command)
        elif command.name == "read":
            self.read.update(word.value for word in command.arguments if word.value)
        yield from self._ran(command)
        if verified := verified_names(command):
            self._forget(verified)
        yield from self._saved(command)
        piped = any(map(fetches, command.upstream[-MOST_STAGES:])) or repeats(command)
        self.unpacked.note(command, fetched=lambda word: file_key(word) in self.files, piped=piped)

    def _ran(self, command: Command) -> Iterator[Issue]:
        name = run_file(command) or self._named(command)
        by = self.files.get(name) or self.unpacked.run(command)
        does = "runs"
        if by is None:
            by, does = self.files.get(self._installed(command)), "installs"
        if by is None:
            by, does = self.files.get(self._fed(command)), "runs"
        if by is not None and by is not command:
            yield Issue(FETCH_AND_RUN, command.span, f"`{command.shown}` {does} what `{by.shown}` downloaded")
        elif self._obeys(command):
            yield Issue(FETCH_AND_RUN, command.span, f"`{command.shown}` runs what it is sent")

    def _saved(self, command: Command) -> Iterator[Issue]:
        saved_words = list(saved(command))
        for word in (*saved_words, *self._copied(command)):
            key, path = key_of(word), word.when_empty
            if not key:
                continue
            self.files[key] = command
            if _SEARCHED.match(path) and word.value:
                self.programs.add(key)
            if _LATER.search(path):
                message = f"`{command.shown}` puts a download where it is run later"
                yield Issue(FETCH_AND_RUN, command.span, message)
        self.files.update(dict.fromkeys(saved_by_program(command), command))

    def _copied(self, command: Command) -> Iterator[Word]:
        """Where `cp`, `mv`, `install` and `ln` put what was downloaded."""
        if command.name not in _COPIES or not self.files:
            return
        options = parse(command.arguments, names("m o g t S mode owner group target-directory suffix"))
        folder = options.value("t", "target-directory")
        words = options.operands if folder is not None else options.operands[:-1]
        moved = [word for word in words if file_key(word) in self.files]
        if moved and folder is None:
            last = options.operands[-1]
            yield last
            slash = "" if last.when_empty.endswith("/") else "/"
            if not slash or _SEARCHED.match(f"{last.when_empty}/x"):
                yield Word((*last.pieces, *literal(f"{slash}{file_key(moved[0])}").pieces), last.span)
        elif folder is not None:
            yield from (
                Word((*folder.pieces, *literal(f"/{file_key(each)}").pieces), folder.span) for each in moved
            )

    def _forget(self, verified: frozenset[str]) -> None:
        """What was compared is known; where nothing that was downloaded is named, all is taken to be."""
        known = verified & self.files.keys()
        if known:
            for key in known:
                del self.files[key]
        else:
            self.files.clear()
            self.unpacked.folders.clear()

    def _named(self, command: Command) -> str:
        """The name of a program that was put where the shell looks for programs."""
        return command.name if command.name in self.programs and "/" not in (command.words[0].value or "") else ""

    def _installed(self, command: Command) -> str:
        """The name of the downloaded file that a package manager or another program takes for its own."""
        asks = _INSTALLERS.get(command.name)
        words = command.arguments
        if asks is None or (asks and asks.isdisjoint(word.value or "" for word in words)):
            return ""
        return next((key for word in words if (key := file_key(word)) in self.files), "")

    def _fed(self, command: Command) -> str:
        """The name of the downloaded file that an interpreter is given on its input."""
        if not self.files or not (runs_its_input(command) or command.name in _JOBS):
            return ""
        words = [each.target for each in command.redirects if each.operator == "<"]
        words += [word for source in command.upstream[-8:] for word in source.arguments]
        return next((key for word in words if (key := file_key(word)) in self.files), "")

    def _obeys(self, command: Command) -> bool:
        """`curl … | while read line; do eval "$line"`."""
        words = command.words[:1]
        if command.name == "eval" or command.name in SHELLS:
            words = command.arguments
        if not any(word.pieces and word.pieces[0].name in self.read for word in words):
            return False
        return any(source.name in DOWNLOADERS for source in command.upstream[:4])


def _opens(command: Command) -> bool:
    """`exec 9<>/dev/tcp/host/80`: from here on a descriptor leads to the network."""
    return command.name in ("exec", "") and any(
        _NETWORK_FILE.match(each.target.when_empty) for each in command.redirects
    )


def _direct(command: Command, *, opened: bool) -> Iterator[Issue]:
    """`curl … | sh`, `sh -c "$(curl …)"`, `bash <(curl …)`, `python -c 'exec(urlopen(…).read())'`."""
    groups = [command.upstream] if command.name in _JOBS and command.upstream else produced(command)
    for group in groups:
        for source in group:
            if _brings(source, opened=opened) or (shows_kept(source) and command.name in SHELLS):
                piped = group is command.upstream
                span = reach(source, command) if piped else command.span
                message = f"`{source.shown}` is run by `{command.shown}`"
                yield Issue(FETCH_AND_RUN, span, message if piped else f"`{command.shown}` runs what it downloads")
                return
    if evaluates(programs.text(command), _FETCHES) or _runs_address(command):
        yield Issue(FETCH_AND_RUN, command.span, f"`{command.shown}` runs what it downloads")


def _brings(source: Command, *, opened: bool) -> bool:
    """True for a command that prints what comes from elsewhere."""
    if fetches(source) or repeats(source):
        return True
    for redirect in source.redirects:
        if redirect.operator == "<" and _NETWORK_FILE.match(redirect.target.when_empty):
            return True
        if opened and redirect.operator == "<&" and redirect.target.value not in ("0", "-"):
            return True
    return False


def _runs_address(command: Command) -> bool:
    """`deno run https://…`, `php -r 'include "https://…"'`, `pwsh -c 'iex (iwr https://…)'`."""
    if command.name in ("pwsh", "powershell", "powershell.exe"):
        text = " ".join(word.when_empty for word in command.arguments)
        return bool(_POWERSHELL.search(text) and _POWERSHELL_FETCHES.search(text))
    if command.name == "ansible-pull":
        at = parse(command.arguments, names("U url C checkout i inventory d directory")).value("C", "checkout")
        return at is None or not _COMMIT.fullmatch(at.when_empty)
    if command.name in _REMOTE_PROGRAMS:
        return any(word.when_empty.startswith(("https://", "http://")) for word in command.arguments)
    return _INCLUDES.search(programs.text(command)) is not None
