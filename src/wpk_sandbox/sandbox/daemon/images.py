"""Images on the daemon."""

from wpk_sandbox.errors import UnavailableError
from wpk_sandbox.sandbox.daemon.connection import client, translated

PULL_REMEDY = "pull it, or allow wpk-sandbox to (`pull: true`)"


def ensure_image(name: str, *, pull: bool) -> str | None:
    """Have an image on the daemon: None when it is there or was pulled, else why it is not.

    Raises `UnavailableError` when the daemon does not answer.
    """
    if has_image(name):
        return None
    if not pull:
        return f"the image {name} is not on this daemon; {PULL_REMEDY}"
    # A name without a tag would pull every tag that there is.
    plain = "@" in name or ":" in name.rpartition("/")[2]
    try:
        with translated(f"pull {name}"):
            client().api.pull(name if plain else f"{name}:latest")
    except UnavailableError as error:
        return f"{error}; check the name and that this host may read it"
    return None if has_image(name) else f"the registry sent no image for {name}"


def has_image(name: str) -> bool:
    """True when the daemon holds the image."""
    from docker.errors import ImageNotFound  # noqa: PLC0415 - only runs that use Docker load it

    with translated(f"look for the image {name}"):
        try:
            client().images.get(name)
        except ImageNotFound:
            return False
    return True
