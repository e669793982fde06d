"""What the targets are given: examples and corpus entries with damage, YAML made of its pieces, hostile findings.

The scripts of the corpus are text here as everywhere: they are parsed, and never run.
"""

from collections.abc import Callable
from pathlib import Path

import grammar
import yaml
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from policies import policies

from wpk_sandbox.finding import Finding, Location, Severity, Waiver
from wpk_sandbox.rules.catalogue import ALL_RULES

ROOT = Path(__file__).parents[2]
LONGEST = 120_000


def _corpus(folder: str, field: str) -> list[str]:
    files = sorted((ROOT / "tests/corpus" / folder).glob("*.yaml"))
    entries = (entry for file in files for entry in yaml.load(file.read_text("utf-8"), Loader=yaml.CSafeLoader))
    return [entry[field] for entry in entries if field in entry]


SCRIPTS = _corpus("shell", "script")
PACKAGES = [file.read_text("utf-8") for file in sorted((ROOT / "examples").glob("*.yaml"))]
PACKAGES += [file.read_text("utf-8") for file in sorted((ROOT / "tests/golden/rules").glob("*/*.wpk.yaml"))]
PACKAGES += _corpus("packages", "package")

YAML_PIECES = [
    "apiVersion: v1\n", "kind: WorkflowPackage\n", "metadata:\n", "  name: a\n", "spec:\n", "  handlers:\n", "    - ",
    "name: b\n", "      ", "type: k8s\n", "config: {action: ", "steps: [", "]", "}", "{", "[", "command: ", "timeout: ",
    "&a ", "*a ", "<<: ", "<<: *a\n", "!!int ", "!!binary ", "!x ", "? ", ": ", "- ", "---\n", "...\n", "'", '"', "\\e",
    "\\ud800", "| \n", "|2-\n", ">+\n", "\t", "\r", "\r\n", "\n", "\x85", "\u2028", "\u202e", "\ufeff", "é", "😀", "\0",
    "1e999", "-.inf", ".nan", "0x" + "f" * 40, "9" * 5000, "no", "~", "#", "# wpk-sandbox: allow ",
    "# wpk-sandbox: allow shell-destroy-data -- it is a copy (until 2027-01-31, @storage)\n", "password: Zq81xkLmN0pW\n",
    "value: \"ghp_" + "a1B2" * 9 + "\"\n", "env: [{name: API_TOKEN, value: x9Kp27Qr}]\n", "%YAML 1.1\n",
    "2026-02-30", "190:20:30", "${A}", "${A:-", "null", "true", "${", "`", "{{", "}}", "/", "~1", "[]", "{}", "\"\"",
]  # fmt: skip
SHELL_PIECES = [
    "'", '"', "`", "$(", "$((", "))", ")", "(", "{", "}", "${", "${X:-", "${X//", "|", "||", "&", "&&", ";", ";;", "\n",
    "<<EOF\n", "<<-'EOF'\n", "\nEOF\n", "<<<", ">", ">>", "<", "2>&1", "<(", "if ", "; then ", "; fi", "for x in ",
    "; do ", "; done", "while ", "case x in ", " esac", "f() {", "function f ", "[[ ", " ]]", "\\", "\\\n", "$'\\x2f'",
    "$\"", "é🙂", "{a,b}", "{1..9}", "{1..99999999}", "$X", '"$@"', "$#", "!", "#", "sh -c '", "eval ", "xargs ",
    "find / -exec ", "\\;", "sudo ", "env -S '", "ssh h '", "A=", "A+=(", "--", "-", "=", "~", "*", "?", "[a-", "\t",
    "\u2028", "\x85", "trap '", "set -- ", "printf '%b' '", "base64 -d", "python3 -c '", "awk '", "sed 's/a/b/e'",
]  # fmt: skip
HOSTILE = [
    "\x1b[2J\x1b]8;;http://a.example\x07", "\x00", "\x7f", "\x9b31m", "\r", "\n", "\r\n", "\t", "\u2028", "\u202e",
    "\ud800", "\ufffe", "\ufeff", "e\u0301" * 9, "\u200b", "👩‍👩‍👧", "日本", "<script>alert(1)</script>", "</style>",
    "<img src=x onerror=alert(1)>", "]]>", "-->", "&amp;", "&#0;", "{{ 7*7 }}", "{% raw %}", "{#", "::error::x",
    "\n::set-output name=a::b", "##[error]", "%0A::", "```\n", "~~~", "</details>", "|", "[a](javascript:x)", "![a](b)",
    "@everyone", "#1", "`", "\\", "'", '"', "section_start:0:a\r", "*", "_", " " * 300, "a" * 5000, "",
]  # fmt: skip


@st.composite
def _damaged(draw: DrawFn, seeds: list[str], pieces: list[str]) -> str:
    """A seed after a few changes, each of which keeps most of it."""
    text = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 6))):
        change = draw(st.sampled_from(_CHANGES))
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 80)))
        text = change(draw, text, start, end, seeds, pieces)[:LONGEST]
    return text


def _insert(draw: DrawFn, text: str, start: int, _: int, __: list[str], pieces: list[str]) -> str:
    return text[:start] + draw(st.sampled_from(pieces)) + text[start:]


def _replace(draw: DrawFn, text: str, start: int, end: int, _: list[str], pieces: list[str]) -> str:
    return text[:start] + draw(st.sampled_from(pieces) | st.text(max_size=6)) + text[end:]


def _repeat(draw: DrawFn, text: str, start: int, end: int, _: list[str], __: list[str]) -> str:
    return text[:start] + text[start:end] * draw(st.sampled_from([0, 2, 3, 50, 2000])) + text[end:]


def _truncate(_: DrawFn, text: str, start: int, __: int, ___: list[str], ____: list[str]) -> str:
    return text[:start]


def _splice(draw: DrawFn, text: str, start: int, _: int, seeds: list[str], __: list[str]) -> str:
    other = draw(st.sampled_from(seeds))
    return text[:start] + other[draw(st.integers(0, len(other))) :]


def _swap_lines(draw: DrawFn, text: str, start: int, _: int, __: list[str], ___: list[str]) -> str:
    lines = text.splitlines(keepends=True) or [""]
    one, two = min(text.count("\n", 0, start), len(lines) - 1), draw(st.integers(0, len(lines) - 1))
    lines[one], lines[two] = lines[two], lines[one]
    return "".join(lines)


_Change = Callable[[DrawFn, str, int, int, list[str], list[str]], str]
_CHANGES: list[_Change] = [_insert, _replace, _repeat, _truncate, _splice, _swap_lines]


def _pieces(pieces: list[str]) -> SearchStrategy[str]:
    """A text made of nothing but the pieces, one of them perhaps very often."""
    few = st.lists(st.sampled_from(pieces), max_size=40).map("".join)
    many = st.builds(
        lambda piece, times: (piece * times)[:LONGEST], st.sampled_from(pieces), st.integers(1, 20_000)
    )
    return few | st.builds(lambda a, b, c: a + b + c, few, many, few)


def _ended(text: str, end: str, mark: str) -> str:
    """The text as an editor of another system keeps it."""
    return mark + text.replace("\n", end)


_damaged_packages = _damaged(PACKAGES, YAML_PIECES) | _damaged(PACKAGES, YAML_PIECES + SHELL_PIECES)
packages = _damaged_packages | st.builds(
    _ended,
    _damaged_packages,
    st.sampled_from(["\n", "\r\n", "\r", "\x85", "\u2028", "\n\n"]),
    st.sampled_from(["", "\ufeff"]),
)
judged = st.tuples(packages, policies)
scripts = _damaged(SCRIPTS, SHELL_PIECES) | _pieces(SHELL_PIECES) | grammar.scripts | grammar.long_scripts
files = (
    (packages | _pieces(YAML_PIECES)).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.binary(max_size=400)
    | st.builds(lambda text, tail: text.encode() + tail, st.sampled_from(PACKAGES), st.binary(max_size=9))
)

_texts = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=8), max_size=5).map("".join)
_numbers = st.integers(0, 9) | st.sampled_from([2**31, 10**12])
_locations = st.builds(Location, _texts, st.integers(1, 99), st.integers(1, 200), _numbers, _numbers)
findings = st.lists(
    st.builds(
        Finding,
        rule=st.sampled_from([rule.id for rule in ALL_RULES]) | st.from_regex(r"[a-z]+(-[a-z]+)*", fullmatch=True),
        severity=st.sampled_from(Severity),
        message=_texts,
        location=_locations,
        fix=_texts,
        cwe=st.none() | st.integers(1, 1999),
        points=st.integers(0, 100),
        excerpt=_texts,
        waiver=st.none() | st.builds(Waiver, _texts, _texts, _texts, _locations),
    ),
    max_size=6,
)
