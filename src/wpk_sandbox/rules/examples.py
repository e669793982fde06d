"""What a rule finds and what it leaves alone, in a few lines of the two packages that prove it.

`python -m wpk_sandbox.generated` takes them from `tests/golden/rules`, so that no example says what is not so.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Example:
    """Lines of a package with a finding, and the lines of its near miss that stand there instead, if any."""

    hit: str
    near_miss: str


def example(rule: str) -> Example | None:
    """The example of a rule, by its id; those about whole files have none."""
    known = _examples().get(rule)
    return Example(known["hit"], known["near_miss"]) if known else None


@cache
def _examples() -> dict[str, dict[str, str]]:
    text = files(__package__).joinpath("examples.json").read_text(encoding="utf-8")
    examples: dict[str, dict[str, str]] = json.loads(text)
    return examples
