"""A mock: which HTTP calls it answers, and with what."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}

REMEDY = "Write the whole address, with `http://` or `https://`; a `*` stands for anything."

_URL = re.compile(r"(?P<scheme>https?)://(?P<host>[^/:?#@\s]+)(?::(?P<port>\d{1,5}))?(?P<rest>[/?].*)?", re.I)
# RFC 9110, sections 5.1 and 5.5
_HEADER_NAME = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_HEADER_VALUE = re.compile(r"[\t -~\x80-\xff]*")


@dataclass(frozen=True)
class Mock:
    """What one kind of call is answered with. `method` is empty for any; `*` in `url` stands for anything.

    Raises ValueError for a `url` that is not an absolute one of HTTP, or whose port is none.
    """

    url: str
    method: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def __post_init__(self) -> None:
        if (found := _URL.fullmatch(self.url)) is None:
            raise ValueError(f"{self.url!r} is no address such as `https://api.example.com/v1/*`")
        if found["port"] and not 0 < int(found["port"]) < 65536:
            raise ValueError(f"{found['port']} is no port")

    @property
    def scheme(self) -> str:
        """`http` or `https`."""
        return str(self._parts["scheme"]).lower()

    @property
    def host(self) -> str:
        """The host's name or address; it may hold `*`."""
        return str(self._parts["host"]).lower()

    @property
    def port(self) -> int:
        """The port, the scheme's own where none is named."""
        return int(self._parts["port"] or DEFAULT_PORTS[self.scheme])

    def answers(self, method: str, url: str) -> bool:
        """Whether a call is one of those that this is for. A pattern without a query takes any query."""
        if self.method and self.method.upper() != method.upper():
            return False
        try:
            parts = urlsplit(url)
            port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
        except ValueError:
            return False
        if parts.scheme != self.scheme or port != self.port or not fits(self.host, parts.hostname or ""):
            return False
        asked = f"{parts.path or '/'}?{parts.query}" if self._takes_query else parts.path or "/"
        return fits(self._rest, asked)

    @cached_property
    def _parts(self) -> dict[str, Any]:
        found = _URL.fullmatch(self.url)
        return found.groupdict() if found else {}

    @cached_property
    def _takes_query(self) -> bool:
        return "?" in (self._parts["rest"] or "")

    @cached_property
    def _rest(self) -> str:
        rest = self._parts["rest"] or "/"
        return rest if rest.startswith("/") else f"/{rest}"


def mock_of(entry: Mapping[str, Any]) -> Mock:
    """The mock of an entry as the case file and the settings have it. Raises ValueError."""
    request, response = entry["request"], entry.get("response") or {}
    body = response.get("body")
    text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
    headers = {str(name): str(value) for name, value in (response.get("headers") or {}).items()}
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise ValueError(f"{name!r} with {value!r} is no HTTP header")
    if body is not None and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "text/plain; charset=utf-8" if isinstance(body, str) else "application/json"
    return Mock(request["url"], request.get("method") or "", response.get("status") or 200, headers, text.encode())


def answering(mocks: Iterable[Mock], method: str, url: str) -> Mock | None:
    """The first of the mocks that answers a call."""
    return next((mock for mock in mocks if mock.answers(method, url)), None)


def fits(pattern: str, text: str) -> bool:
    """Whether a text fits a pattern in which `*` alone has a meaning; in linear time, whatever the pattern."""
    first, *others = pattern.split("*")
    if not others:
        return text == first
    *middle, last = others
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    at, end = len(first), len(text) - len(last)
    for part in middle:
        if (found := text.find(part, at, end)) < 0:
            return False
        at = found + len(part)
    return True
