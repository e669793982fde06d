"""Real git repositories for tests, without anybody's configuration."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from package.text_of import PACKAGE

ENVIRONMENT = {
    **{
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GIT_", "GITHUB_", "CI_", "GITLAB"))
    },
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}


@dataclass(frozen=True)
class Folder:
    """A working copy."""

    path: Path

    def git(self, *arguments: str) -> str:
        argv = ["git", "-C", str(self.path), "-c", "protocol.file.allow=always", *arguments]
        done = subprocess.run(argv, env=ENVIRONMENT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return done.stdout.strip()

    def write(self, path: str, text: str = PACKAGE) -> None:
        file = self.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def commit(self, message: str = "change") -> str:
        """Commit everything that was written, and return the commit."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def add(self, *paths: str) -> str:
        """Write packages and commit them."""
        for path in paths:
            self.write(path)
        return self.commit(f"add {paths}")

    def clone(self, name: str, *options: str) -> "Folder":
        """A clone beside this folder, over the same protocol as any remote's."""
        made = self.path.parent / name
        self.git("clone", "-q", *options, self.path.as_uri(), str(made))
        return Folder(made)


def repository(path: Path) -> Folder:
    """An empty repository with the branch `main`."""
    path.mkdir()
    folder = Folder(path)
    folder.git("init", "-q", "-b", "main")
    return folder
