"""What tells the things of one run from those of all others."""

import re
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime


def new_run_id(environment: Mapping[str, str]) -> str:
    """The id of this run: the CI job's where there is one, so that its post step finds what is left.

    The legs of a matrix have all of GitHub's numbers in common; where they share a daemon, only the names of their
    runners tell them apart. https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    """
    if run := environment.get("GITHUB_RUN_ID"):
        runner = environment.get("RUNNER_NAME", "")
        leg = [f"{zlib.crc32(runner.encode()):08x}"] if runner else []
        parts = (run, environment.get("GITHUB_RUN_ATTEMPT", "1"), *leg, environment.get("GITHUB_JOB", ""))
        return re.sub(r"[^a-zA-Z0-9.-]", "-", "-".join(("gh", *parts)))[:60]
    if job := environment.get("CI_JOB_ID"):
        return re.sub(r"[^a-zA-Z0-9.-]", "-", f"gl-{job}")[:60]
    import secrets  # noqa: PLC0415 -- 10 ms that only a run has to pay

    return f"{datetime.now(UTC):%Y%m%d%H%M%S}-{secrets.token_hex(3)}"
