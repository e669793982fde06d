"""A file that findings are about, for the forms that need more of it than a finding holds."""

from dataclasses import dataclass

from wpk_sandbox.rules.corrections import Fix


@dataclass(frozen=True)
class Source:
    """The text of a file, with its byte order mark, and what `check --fix` would correct in it."""

    text: str
    fixes: tuple[Fix, ...] = ()
