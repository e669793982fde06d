"""Pull requests for tests: real repositories with a base and a branch, judged as the CI job judges them."""

import io
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from wpk_sandbox import checking, continuous
from wpk_sandbox.errors import ExitCode
from wpk_sandbox.finding import Finding
from wpk_sandbox.judging import Judged, Request, judge
from wpk_sandbox.package.discover import changed_for_event

TODAY = date(2026, 11, 23)
POLICY = ".wpk-sandbox.yaml"
HARMLESS = "systemctl is-active web"
WIPE = "rm -rf /"
PURGE = "rm -rf /srv/data"
ALLOW = "# wpk-sandbox: allow {} -- the machine is thrown away (until 2027-01-31, @ops)"
_GIT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT")},
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}
_WHO = ("-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "protocol.file.allow=always")


def handler(name: str, command: str, above: str = "") -> str:
    """A shell step that runs a command, with a comment above it."""
    comment = f"    {above}\n" if above else ""
    return f"{comment}    - {{name: {name}, type: shell, timeout: 5s, config: {{command: '{command}'}}}}\n"


def package(*handlers: str, name: str = "clean-up", more: str = "") -> str:
    """The text of a package; `more` are further lines of its `spec`."""
    head = f"apiVersion: v1\nkind: WorkflowPackage\nmetadata: {{name: {name}, version: 1.0.0}}\n"
    return f"{head}spec:\n  runtime: {{type: shell}}\n{more}  handlers:\n" + "".join(handlers)


def rules(judged: Judged) -> set[str]:
    """The rules of the findings that count."""
    return {finding.rule for finding in judged.findings if finding.waiver is None}


def policy_waiver(rule: str, **further: str) -> str:
    """A policy with one waiver, of a rule in `ops/waived.wpk.yaml`."""
    entry = {"rule": rule, "path": "ops/waived.wpk.yaml", "reason": "r", "until": "2027-01-31", "owner": "@ops"}
    return json.dumps({"policy": {"waivers": [entry | further]}})


@dataclass(frozen=True)
class Said:
    """What CI says of a pull request: its packages, what belongs to none of them, and whether the check passes."""

    packages: tuple[Judged, ...]
    loose: tuple[Finding, ...]
    notes: tuple[str, ...]
    passes: bool

    @property
    def rules(self) -> set[str]:
        """The rules of all findings that count."""
        return {each.rule for each in self.loose}.union(*(rules(each) for each in self.packages))


class PullRequest:
    """A repository with a base and a branch, and the CI job of the pull request from it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "repository"
        self.root.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        """What git says."""
        argv = ["git", *_WHO, *arguments]
        done = subprocess.run(argv, cwd=self.root, capture_output=True, text=True, check=True, env=_GIT)
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str | bytes | None] | None = None) -> str:
        """Write files by their paths (None removes one), commit everything, and give the hash."""
        for name, content in (files or {}).items():
            path = self.root / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.git("add", "-A", "-f")
        self.git("commit", "-qm", "change", "--allow-empty")
        return self.git("rev-parse", "HEAD")

    def environment(self, base: str, head: str = "") -> dict[str, str]:
        """What GitHub tells the job of the pull request from `base` to `head` (what is checked out)."""
        facts = {"base": {"sha": base}, "head": {"sha": head or self.git("rev-parse", "HEAD")}}
        path = self.root.parent / "event.json"
        path.write_text(json.dumps({"pull_request": facts}))
        return {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(path)}

    def request(self, environment: Mapping[str, str]) -> Request:
        """What the job asks for: the packages that changed, under the settings of the base."""
        settings = continuous.settings(self.root, environment, {}, None)
        event = json.loads(Path(environment["GITHUB_EVENT_PATH"]).read_bytes())
        selection = changed_for_event(self.root, environment, event, settings["discover.patterns"])
        return continuous.measured(Request(self.root, selection, settings, "run", today=TODAY), environment)

    def said(self, base: str, environment: Mapping[str, str] | None = None) -> Said:
        """What CI says of the pull request from `base` to what is checked out."""
        request = self.request(environment or self.environment(base))
        loose: list[Finding] = []
        packages = tuple(judge(request, loose))
        passes = checking.check(request, "json", io.StringIO()) == ExitCode.PASS
        return Said(packages, tuple(loose), request.selection.notes, passes)

    def one(self, base: str) -> Judged:
        """The same, of the only package that it is about."""
        (judged,) = self.said(base).packages
        return judged
