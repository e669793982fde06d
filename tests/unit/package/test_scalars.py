"""Values are read as YAML 1.2 reads them, and what YAML 1.1 reads otherwise stays text."""

import pytest

from wpk_sandbox.package.source import parse


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("", None), ("~", None), ("null", None), ("NULL", None), ("true", True), ("FALSE", False),
        ("1", 1), ("-12", -12), ("0", 0), ("0x1F", 31), ("0o17", 15), ("9223372036854775807", 2**63 - 1),
        ("1.5", 1.5), ("-.5", -0.5), ("1e3", 1000.0), ("1.", 1.0),
        ("no", "no"), ("Yes", "Yes"), ("on", "on"), ("OFF", "OFF"), ("y", "y"),
        ("014", "014"), ("0o8", "0o8"), ("22:22", "22:22"), ("1_000", "1_000"), ("0b11", "0b11"),
        ("2001-12-14", "2001-12-14"), ("2001-13-45", "2001-13-45"), ("1.2.3", "1.2.3"), ("1e999", "1e999"),
        (".inf", ".inf"), (".NaN", ".NaN"), ("9223372036854775808", "9223372036854775808"), ("+", "+"),
        ("=", "="), ("nUll", "nUll"), ('"1"', "1"), ("'true'", "true"), ("! 5", "5"),
        ("!!str 5", "5"), ("!!int 5", 5), ("!!float 5", 5.0), ("!!bool true", True), ("!!null ''", None),
        ("|\n  a\n  b\n", "a\nb\n"), (">-\n  a\n  b\n", "a b"),
    ],
)  # fmt: skip
def test_scalars(written: str, value: object) -> None:
    documents = parse(f"a: {written}\n".encode(), "x").documents
    assert documents[0].data == {"a": value}
    assert type(documents[0].data["a"]) is type(value)


def test_keys_are_text_as_they_were_written() -> None:
    data = parse(b"404: a\ntrue: b\n1.0: c\nno: d\n'<<': e\n", "x").documents[0].data
    assert list(data) == ["404", "true", "1.0", "no", "<<"]


def test_references_are_copies() -> None:
    data = parse(b"a: &a {b: [c]}\nd: *a\n", "x").documents[0].data
    assert data["a"] == data["d"]
    assert data["a"] is not data["d"]
    assert data["a"]["b"] is not data["d"]["b"]


def test_places_are_those_of_values_and_keys() -> None:
    text = 'a:\n  "b/c~":  [1, two]\n  d: >\n    long\n    text\ne: *x\n'.replace("[1", "&x [1")
    document = parse(text.encode(), "x").documents[0]

    def span(pointer: str) -> tuple[int, int, int, int]:
        place = document.places[pointer]
        return place.line, place.column, place.end_line, place.end_column

    assert span("/a/b~1c~0") == (2, 12, 2, 23)
    assert span("/a/b~1c~0/1") == (2, 19, 2, 22)
    assert span("/a") == (2, 3, 6, 1)
    assert (document.keys["/a/b~1c~0"].line, document.keys["/a/b~1c~0"].column) == (2, 3)
    assert document.locate("/a/b~1c~0/9/x") == document.places["/a/b~1c~0"]
    assert document.locate_key("/e").column == 1
    assert document.locate("/e/1") == document.places["/e"]


def test_columns_count_characters_and_lines_all_line_ends() -> None:
    document = parse('é: "😀"\r\nb:  c\n'.encode(), "x").documents[0]
    assert str(document.places["/é"]) == "x:1:4"
    assert document.places["/é"].end_column == 7
    assert str(document.places["/b"]) == "x:2:5"
