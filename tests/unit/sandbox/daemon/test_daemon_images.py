import pytest

from wpk_sandbox.sandbox import daemon


@pytest.mark.needs("docker")
def test_image_that_is_missing_may_not_be_pulled() -> None:
    reason = daemon.ensure_image("wpk-sandbox.invalid/none:1", pull=False)
    assert reason is not None
    assert "wpk-sandbox.invalid/none:1" in reason
