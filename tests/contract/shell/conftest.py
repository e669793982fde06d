"""Every shell passes the same suite: bubblewrap, and containers of an image with busybox and one with dash."""

import secrets
from collections.abc import Callable, Iterator

import pytest
from shell_suite import LIMITS, PARAMETERS, PROVIDERS, Kind, Sleep

from wpk_sandbox.sandbox.sandbox import Completed, SandboxSpec, Shell


@pytest.fixture(scope="module", params=PARAMETERS)
def kind(request: pytest.FixtureRequest) -> Kind:
    name, image = request.param
    return Kind(PROVIDERS[name], SandboxSpec(shell_image=image, limits=LIMITS))


@pytest.fixture(scope="module")
def shell(kind: Kind) -> Iterator[Shell]:
    """One shell for all tests of a file: whatever one did to it, the next finds it usable."""
    with kind.open() as opened:
        yield opened


@pytest.fixture
def sh(shell: Shell) -> Callable[..., Completed]:
    def run(command: str, timeout: float = 20, **environment: str) -> Completed:
        return shell.run(command, environment=environment, timeout=timeout)

    return run


@pytest.fixture
def sleep() -> Sleep:
    return Sleep(f"{secrets.randbelow(10**8) + 10**8}")
