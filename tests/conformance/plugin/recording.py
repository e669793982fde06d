"""A plugin of pytest that writes what became of each test, by its id, to the file that WPK_RECORD names."""

import json
import os
from pathlib import Path

import pytest

_FOUND: dict[str, tuple[str, str]] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """The call decides; where there is none, whatever kept it from being made."""
    if report.when == "call" or report.outcome != "passed":
        _FOUND.setdefault(report.nodeid, (report.outcome, _reason(report)))


def pytest_sessionfinish() -> None:
    """Write it down."""
    Path(os.environ["WPK_RECORD"]).write_text(json.dumps(_FOUND))


def _reason(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return "" if report.outcome == "passed" else str(report.longrepr)[-300:]
