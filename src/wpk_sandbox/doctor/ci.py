"""The doctor's examination of the CI service that runs us."""

from collections.abc import Iterator, Mapping

from wpk_sandbox import command
from wpk_sandbox.doctor.check import QUICK, Check, Host


def ci(host: Host) -> Iterator[Check]:
    """The event, and whether the checkout knows what changed."""
    from wpk_sandbox.package.repository import Repository  # noqa: PLC0415 - asked for only here

    name, remedy = _service(host.environment)
    event = host.environment.get("GITHUB_EVENT_NAME", "")
    if event in ("pull_request_target", "workflow_run"):
        found = f"{name}, event {event}: packages would run with the repository's own rights"
        yield Check("CI", False, found, "use `on: pull_request`")
        return
    repository = Repository(host.root)
    if command.find("git") is None or not repository.git("rev-parse", "--git-dir", timeout=QUICK).ok:
        yield Check("CI", None, f"{name}, no git checkout here", "run in the repository, or name the packages")
    elif repository.shallow():
        depth = repository.git("rev-list", "--count", "HEAD", timeout=QUICK).stdout.strip()
        yield Check("CI", None, f"{name}, shallow checkout of {depth} commits; more is fetched if needed", remedy)
    else:
        yield Check("CI", True, f"{name}, checkout with its whole history")


def _service(environment: Mapping[str, str]) -> tuple[str, str]:
    """The CI service that runs us, and how to have the whole history there."""
    if environment.get("GITHUB_ACTIONS") == "true":
        return "GitHub Actions", "set `fetch-depth: 0` on actions/checkout"
    if environment.get("GITLAB_CI") == "true":
        return "GitLab CI", 'set the variable `GIT_DEPTH: "0"`'
    return "none detected", "`git fetch --unshallow`"
