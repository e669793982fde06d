from collections.abc import Iterator
from pathlib import Path

import pytest

from wpk_sandbox.errors import UnavailableError
from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.daemon import connection


@pytest.fixture(autouse=True)
def _fresh_client() -> Iterator[None]:
    daemon.client.cache_clear()
    yield
    daemon.client.cache_clear()


def test_missing_daemon_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    reason = daemon.why_not()
    assert reason is not None
    assert "DOCKER_HOST" in reason


def test_nobody_listening_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(UnavailableError, match="could not reach the Docker daemon") as raised:
        daemon.client()
    assert "start Docker" in raised.value.remedy


@pytest.mark.needs("docker")
def test_daemon_of_this_host_answers() -> None:
    assert daemon.why_not() is None


@pytest.mark.needs("docker")
def test_too_old_a_daemon_is_told_to_be_updated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "OLDEST_API", (99, 0))
    reason = daemon.why_not()
    assert reason is not None
    assert "update" in reason
