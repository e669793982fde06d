import secrets
from datetime import UTC, datetime, timedelta

import pytest

from wpk_sandbox.errors import UnavailableError
from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.ledger import Ledger

# Any run on this daemon takes away what has expired.
EXPIRES = datetime.now(UTC) + timedelta(hours=1)


@pytest.mark.needs("docker")
def test_thing_that_never_came_to_be_is_undone_without_failure() -> None:
    ledger = Ledger(f"t{secrets.token_hex(4)}", EXPIRES)
    with pytest.raises(UnavailableError, match="could not create the container"):
        daemon.create_container(ledger, daemon.resource_name(ledger, "none"), "wpk-sandbox.invalid/none:1")
    assert str(ledger.close()) == "made 1, removed 1, left 0"
