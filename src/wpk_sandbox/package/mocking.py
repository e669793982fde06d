"""The mocks of the settings file: the same entries as a case file has."""

from collections.abc import Callable
from typing import Any

from wpk_sandbox.finding import Location
from wpk_sandbox.package.caseformat import Mocks
from wpk_sandbox.package.mock import Mock, mock_of
from wpk_sandbox.package.validate import check


class MockError(ValueError):
    """An entry that cannot be used; `pointer` leads to it within the list."""

    def __init__(self, message: str, pointer: str) -> None:
        super().__init__(message)
        self.pointer = pointer


def read_mocks(value: Any, _: Callable[[str], Location]) -> tuple[Mock, ...]:
    """The mocks of a list of entries. Raises `MockError`."""
    for problem in check({"mocks": value}, Mocks):
        raise MockError(f"{problem.message} {problem.fix}".strip(), problem.pointer.removeprefix("/mocks"))
    return tuple(_mock(entry, f"/{index}/request/url") for index, entry in enumerate(value))


def _mock(entry: dict[str, Any], pointer: str) -> Mock:
    try:
        return mock_of(entry)
    except ValueError as error:
        raise MockError(str(error), pointer) from error
