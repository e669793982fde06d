"""What was used, step by step, for who asks for it with `--monitor-resources`."""

from collections.abc import Iterable, Iterator

from wpk_sandbox.report.phrases import title, usage
from wpk_sandbox.report.seen import steps, usage_details
from wpk_sandbox.run.result import PackageResult


def usage_lines(packages: Iterable[PackageResult]) -> Iterator[str]:
    """What each package used, and each of its steps below it."""
    for package in packages:
        nothing = "nothing was measured, for no program of it ran in a sandbox"
        yield f"{title(package)}: {usage(package.usage) or nothing}"
        for step in steps(package):
            if step.usage is not None:
                yield f"  {step.label}: " + " · ".join([usage(step.usage), *usage_details(step.usage)]).strip(" ·")
