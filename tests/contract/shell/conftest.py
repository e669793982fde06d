"""Every shell passes the same suite: bubblewrap, and containers of an image with busybox and one with dash."""

import secrets
from collections.abc import Callable, Iterator

import pytest
from shell_suite import LIMITS, PARAMETERS, PROVIDERS, Kind, Sleep, SleepInside

from wpk_sandbox.sandbox.sandbox import Completed, SandboxSpec, Shell


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Modules say with `KINDS` which shells they are about, where those are not the usual ones."""
    if "kind" in metafunc.fixturenames and not hasattr(metafunc.module, "kind"):
        metafunc.parametrize("kind", getattr(metafunc.module, "KINDS", PARAMETERS), indirect=True, scope="module")


@pytest.fixture(scope="module")
def kind(request: pytest.FixtureRequest) -> Kind:
    name, image = request.param
    return Kind(PROVIDERS[name], SandboxSpec(shell_image=image, limits=LIMITS, pull=False))


@pytest.fixture(scope="module")
def shell(kind: Kind) -> Iterator[Shell]:
    """One shell for all tests of a file: whatever one did to it, the next finds it usable."""
    with kind.open() as opened:
        yield opened


@pytest.fixture
def sh(kind: Kind, shell: Shell) -> Callable[..., Completed]:
    # An emulated processor is some twenty times slower than this host's.
    usual = 90.0 if kind.provider.name == "qemu" else 20.0

    def run(command: str, timeout: float = usual, **environment: str) -> Completed:
        return shell.run(command, environment=environment, timeout=timeout)

    return run


@pytest.fixture
def tmp(kind: Kind) -> str:
    """The folder for temporary files, as commands write it."""
    return "$TMPDIR" if kind.provider.name == "landlock" else "/tmp"


@pytest.fixture
def namespaces(kind: Kind) -> None:
    if kind.provider.name == "landlock":
        pytest.skip("a shell under Landlock has no namespaces, and says so")


@pytest.fixture
def sleep(kind: Kind, request: pytest.FixtureRequest) -> Sleep:
    seconds = f"{secrets.randbelow(10**8) + 10**8}"
    if kind.provider.name == "qemu":
        return SleepInside(seconds, request.getfixturevalue("sh"))
    return Sleep(seconds)
