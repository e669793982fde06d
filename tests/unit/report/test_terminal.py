"""Colour on a terminal, plain text elsewhere."""

import io

import pytest

from report.hostile import HOSTILE_PACKAGE
from report.sample import BLOCKED
from wpk_sandbox.report.findings import finding_lines
from wpk_sandbox.report.lines import plain
from wpk_sandbox.report.terminal import write
from wpk_sandbox.run.result import PackageResult


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


def written(stream: io.StringIO, package: PackageResult = BLOCKED) -> str:
    write(finding_lines(package.findings), stream)
    return stream.getvalue()


def test_a_pipe_gets_no_colour() -> None:
    assert written(io.StringIO()) == plain(finding_lines(BLOCKED.findings))


def test_a_terminal_gets_the_same_words_in_colour() -> None:
    text = written(Terminal())
    assert "\x1b[1;31mcritical\x1b[0m" in text
    for code in ("\x1b[1;31m", "\x1b[1m", "\x1b[2m", "\x1b[0m"):
        text = text.replace(code, "")
    assert text == plain(finding_lines(BLOCKED.findings))


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1;31m" not in written(Terminal())


def test_a_dumb_terminal_gets_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in written(Terminal())


def test_colour_codes_of_a_package_are_not_passed_on() -> None:
    text = written(Terminal(), HOSTILE_PACKAGE)
    assert "\x1b]0;title" not in text
    assert "\\x1b]0;title" in text
