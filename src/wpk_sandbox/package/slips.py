"""What a value of the wrong form was probably meant to be: the slips that authors make who know another tool."""

import re
from collections.abc import Iterator
from typing import Any

# YAML 1.1, which many tools still read, has more words for these.
_TRUTH = {
    **dict.fromkeys(("true", "yes", "on", "y"), True),
    **dict.fromkeys(("false", "no", "off", "n"), False),
}
_UNITS = {
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("d", "day", "days"), "d"),
}
_PARTS = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)\s*(?:,|and)?\s*", re.ASCII)
_AMOUNT = re.compile(r"(\d+(?:[.,]\d+)?)\s*([a-z]{0,3})", re.ASCII)
_SIZES = {"k": "k", "m": "M", "g": "G", "t": "T", "ki": "Ki", "mi": "Mi", "gi": "Gi", "ti": "Ti"}
_LONGEST = 100


def meanings(value: Any) -> Iterator[str | int | bool]:
    """What a text may stand for, the likeliest first; whether a field takes it is for the caller to try."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        return
    text = value.strip()
    word = text.lower()
    if word in _TRUTH:
        yield _TRUTH[word]
    if re.fullmatch(r"\d{1,9}", text) and text.isascii():
        yield int(text)
    if text != value:
        yield text
    yield from (each for each in (_duration(word), _quantity(word)) if each)
    if re.fullmatch(r"v\d[\w.+-]*", word):
        yield text[1:]
    if word != text:
        yield word


def alike(one: str, other: str) -> bool:
    """True for two spellings of a word: `maxAttempts` and `max_attempts`."""
    return _letters(one) == _letters(other)


def _letters(word: str) -> str:
    return re.sub(r"[\s_-]", "", word).lower()


def _duration(text: str) -> str:
    """`5 min` as `5m`, `1 hour 30 minutes` as `1h30m`; empty for anything else."""
    parts = [(found[1], _UNITS.get(found[2])) for found in _PARTS.finditer(text)]
    whole = "".join(found[0] for found in _PARTS.finditer(text)) == text
    return "".join(f"{number}{unit}" for number, unit in parts) if whole and all(unit for _, unit in parts) else ""


def _quantity(text: str) -> str:
    """`512MB` as `512M`, `0,5` as `0.5`, `256 Mib` as `256Mi`; empty for anything else."""
    found = _AMOUNT.fullmatch(text)
    if not found:
        return ""
    unit = found[2].removesuffix("b")
    known = _SIZES.get(unit, "" if not unit else None)
    return "" if known is None else found[1].replace(",", ".") + known
