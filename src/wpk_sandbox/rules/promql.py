"""What is plainly wrong with a query in PromQL; whatever is only unusual passes.

The language: https://prometheus.io/docs/prometheus/latest/querying/basics/
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell.options import names

_TOKEN = Pattern(
    r"""(?P<space>\s+|\#[^\n]*)
    |(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)
    |(?P<parameter>\$\{[^}]{0,200}\}|\$\w+|\{\{[^}]{0,200}\}\})
    |(?P<word>[A-Za-z_:][\w:.]*)
    |(?P<number>\d[\w.]*|\.\d+)
    |(?P<bracket>[()\[\]{}])
    |(?P<operator>==|!=|>=|<=|=~|!~|&&|\|\||[-+*/%^<>=!,@:&|])
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_CLOSES = {")": "(", "]": "[", "}": "{"}
_BINARY = frozenset({"+", "-", "*", "/", "%", "^", "==", "!=", ">", "<", ">=", "<=", "and", "or", "unless"})
_NEVER_LAST = _BINARY | {"by", "without", "on", "ignoring", "offset", "bool", "group_left", "group_right"} - {
    "group_left",
    "group_right",
}
# Signs may stand before a value; the others need one on their left.
_NEVER_FIRST = _BINARY - {"+", "-"}
_FOREIGN = {"&&": "and", "||": "or", "!": "unless", "=": "==", "&": "and", "|": "or"}


# https://prometheus.io/docs/prometheus/latest/querying/functions/
_OF_RANGES = names(
    "rate irate increase delta idelta deriv resets changes predict_linear holt_winters"
    " double_exponential_smoothing avg_over_time min_over_time max_over_time sum_over_time count_over_time"
    " quantile_over_time stddev_over_time stdvar_over_time last_over_time present_over_time absent_over_time"
    " mad_over_time"
)
_MATCHERS = frozenset({"=", "!=", "=~", "!~"})
_COMPARISONS = frozenset({"==", "!=", ">", "<", ">=", "<="})
_RANGE = Pattern(r"\[\s*(\d+)\s*([A-Za-z]*)\s*\]")
_UNITS = frozenset({"ms", "s", "m", "h", "d", "w", "y"})
_GROUPING = frozenset({"by", "without", "on", "ignoring"})


def problem(query: str) -> str:
    """What is wrong with a query, or nothing. Parameters and templates stand for anything."""
    tokens = list(_tokens(query))
    if not tokens:
        return "it is empty"
    for kind, text in tokens:
        if kind == "other":
            what = "a quote that nothing closes" if text in "\"'`" else f"the character `{text}`"
            return f"it has {what}"
    return (
        _odd_range(query)
        or _unbalanced(tokens)
        or _unquoted(tokens)
        or _misplaced(tokens)
        or _ungrouped(tokens)
        or _without_range(tokens)
        or _compared_range(tokens)
    )


def _odd_range(query: str) -> str:
    for found in _RANGE.finditer(query):
        if found[2] not in _UNITS:
            has = f"the unknown unit `{found[2]}`" if found[2] else "no unit"
            return f"the range `{found[0]}` has {has}; write `[{found[1]}m]`"
    return ""


def _tokens(query: str) -> Iterator[tuple[str, str]]:
    for match in _TOKEN.finditer(query):
        if match.lastgroup and match.lastgroup != "space":
            yield match.lastgroup, match[0]


def _unbalanced(tokens: list[tuple[str, str]]) -> str:
    opened: list[str] = []
    for kind, text in tokens:
        if kind != "bracket":
            continue
        if text not in _CLOSES:
            opened.append(text)
        elif not opened or opened.pop() != _CLOSES[text]:
            return f"nothing opens the `{text}`"
    return f"nothing closes the `{opened[-1]}`" if opened else ""


def _misplaced(tokens: list[tuple[str, str]]) -> str:
    """Operators without a side, and those of other languages."""
    opened: list[str] = []
    for index, (kind, text) in enumerate(tokens):
        before = tokens[index - 1][1].lower() if index else ""
        if kind == "bracket":
            if text in _CLOSES:
                opened.pop()
                if text == ")" and before in _BINARY:
                    return f"nothing stands after `{before}`"
            else:
                opened.append(text)
        # `=` belongs into braces, and there only.
        elif kind == "operator" and text in _FOREIGN and opened[-1:] != ["{"]:
            return f"`{text}` is no operator there; write `{_FOREIGN[text]}`"
        elif kind in ("operator", "word") and text.lower() in _NEVER_FIRST and before in ("", "("):
            return f"nothing stands before `{text}`" if kind == "operator" else ""
    last_kind, last = tokens[-1]
    if last_kind in ("operator", "word") and last.lower() in _NEVER_LAST:
        return f"nothing stands after `{last}`"
    first_is_word = all(kind == "word" for kind, _ in tokens) and len(tokens) > 2
    return (
        "it reads like a sentence" if first_is_word and not _BINARY & {text.lower() for _, text in tokens} else ""
    )


def _unquoted(tokens: list[tuple[str, str]]) -> str:
    """The value of a label stands in quotes."""
    braces = 0
    for (kind, text), (after_kind, after) in pairwise(tokens):
        braces += {"{": 1, "}": -1}.get(text, 0) if kind == "bracket" else 0
        if braces and kind == "operator" and text in _MATCHERS and after_kind not in ("text", "parameter"):
            meant = f'; write `{text}"{after}"`' if after_kind in ("word", "number") else ""
            return f"the value of a label is a text in quotes{meant}"
    return ""


def _without_range(tokens: list[tuple[str, str]]) -> str:
    """`rate(x)`: some functions look at a time, which stands in brackets."""
    # The function of each open parenthesis, and whether a range or anything unknown stands within.
    opened: list[tuple[str, bool]] = []
    for (_, before), (kind, text) in pairwise([("", ""), *tokens]):
        if text == "(" and kind == "bracket":
            opened.append((before, False))
        elif opened and (text == "[" or kind == "parameter"):
            opened[-1] = (opened[-1][0], True)
        elif opened and text == ")" and kind == "bracket":
            function, ranged = opened.pop()
            if function in _OF_RANGES and not ranged:
                return f"`{function}` takes a range of time; write `{function}(… [5m])`"
            if opened and ranged:
                opened[-1] = (opened[-1][0], True)
    return ""


def _compared_range(tokens: list[tuple[str, str]]) -> str:
    """`up[5m] > 0`: a range is many values, which only a function makes one."""
    depth = 0
    for (kind, text), (_, after) in pairwise(tokens):
        depth += {"(": 1, ")": -1}.get(text, 0) if kind == "bracket" else 0
        if not depth and text == "]" and after in _COMPARISONS:
            return "a range of time cannot be compared; put it into a function such as `rate` or `avg_over_time`"
    return ""


def _ungrouped(tokens: list[tuple[str, str]]) -> str:
    texts = [text for _, text in tokens]
    for before, word, after in zip(["", *texts], texts, texts[1:], strict=False):
        # Between parentheses and commas it is a label of that name.
        if word in _GROUPING and after != "(" and before not in ("(", ",", "{"):
            return f"`{word}` is followed by `{after}`; write `{word} ({after})`"
    return ""
