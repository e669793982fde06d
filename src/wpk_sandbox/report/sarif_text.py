"""Texts of a SARIF log: what a package wrote moves no cursor, and links to nothing."""

import re

from wpk_sandbox.report.escape import ZERO_WIDTH, one_line

_LINK = re.compile(r"\](?=\()")


def message_text(text: str) -> str:
    """Text on its lines, without what would move a cursor and without the links that a message may hold."""
    return "\n".join(_LINK.sub("]" + ZERO_WIDTH, one_line(line)) for line in text.split("\n"))
