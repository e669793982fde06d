"""Expressions that wait for their first use: the same answers as `re`, and none that `re` would refuse."""

import gc
import pkgutil
import re
from importlib import import_module

import pytest

import wpk_sandbox
from wpk_sandbox.pattern import Pattern


def test_answers_as_the_compiled_expression_does() -> None:
    lazy, compiled = Pattern(r"(\w)(\d+)", re.IGNORECASE), re.compile(r"(\w)(\d+)", re.IGNORECASE)
    text = "a1, B22 and c"

    for method in ("search", "match", "fullmatch"):
        assert str(getattr(lazy, method)(text)) == str(getattr(compiled, method)(text))
        assert str(getattr(lazy, method)("A7")) == str(getattr(compiled, method)("A7")) != "None"
    assert str(lazy.match(text, 4)) == str(compiled.match(text, 4)) != "None"
    assert lazy.search(text, 4, 6) is not None
    assert lazy.search(text, 7) is None
    assert [each.span() for each in lazy.finditer(text)] == [(0, 2), (4, 7)]
    assert lazy.findall(text) == compiled.findall(text) == [("a", "1"), ("B", "22")]
    assert lazy.split(text) == compiled.split(text)
    assert lazy.sub(r"<\1>", text) == "<a>, <B> and c"
    assert lazy.sub(lambda found: found[2], text) == "1, 22 and c"


def test_heeds_its_flags() -> None:
    assert Pattern("a", re.IGNORECASE).search("A") is not None
    assert Pattern("a").search("A") is None


def test_compiles_when_it_is_first_used_and_only_then() -> None:
    pattern = Pattern("(a|b)+")
    assert "compiled" not in vars(pattern)

    assert pattern.search("xab") is not None

    assert vars(pattern)["search"].__self__ is vars(pattern)["compiled"]


def test_tells_of_a_mistake_at_the_first_use() -> None:
    pattern = Pattern("(")

    with pytest.raises(re.error):
        pattern.search("(")


def test_no_expression_of_the_package_is_one_that_re_refuses() -> None:
    for module in pkgutil.walk_packages(wpk_sandbox.__path__, "wpk_sandbox."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    gc.unfreeze()  # the command line freezes what its start has made, and a frozen object is not listed
    patterns = [each for each in gc.get_objects() if type(each) is Pattern and each.source != "("]

    for pattern in patterns:
        assert pattern.compiled.pattern == pattern.source
    assert len(patterns) > 100
