"""The smallest image that a gate can run in: Debian's with a bare Python, built once for all tests of this host."""

import functools
import os
import subprocess

NAME = "wpk-sandbox-test-gate"

_DOCKERFILE = """\
FROM debian:trixie-slim
RUN apt-get update && apt-get install --yes --no-install-recommends python3-minimal && rm -rf /var/lib/apt/lists/*
"""


@functools.cache
def gate_image() -> str:
    """Its name; it is built where it is missing. Raises `subprocess.CalledProcessError`."""
    if not _docker("image", "inspect", NAME, check=False):
        _docker("build", "--tag", NAME, "-", stdin=_DOCKERFILE)
    return NAME


def _docker(*argv: str, stdin: str = "", check: bool = True) -> bool:
    # Without BuildKit, which is not everywhere that Docker is.
    environment = {**os.environ, "DOCKER_BUILDKIT": "0"}
    done = subprocess.run(
        ["docker", *argv], input=stdin, text=True, capture_output=True, timeout=300, check=check, env=environment
    )
    return done.returncode == 0
