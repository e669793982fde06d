"""The simulated API on HTTP: loopback only, and only for who knows the token."""

import hmac
import json
import logging
import secrets
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from wpk_sandbox.sandbox.clusters.simulated.api import answer
from wpk_sandbox.sandbox.clusters.simulated.objects import Object
from wpk_sandbox.sandbox.clusters.simulated.refused import Refused
from wpk_sandbox.sandbox.clusters.simulated.request import Answer, Request
from wpk_sandbox.sandbox.clusters.simulated.store import Store

log = logging.getLogger(__name__)

# What etcd takes, and so the most that a real API server takes.
_LARGEST_BODY = 3 * 1024**2
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_POLL = 0.02
_IDLE_TIMEOUT = 600.0


class ApiServer:
    """Serves a store until it is closed. `url` and `token` are what a client needs."""

    def __init__(self, store: Store) -> None:
        self.token = secrets.token_urlsafe(32)
        self._store = store
        self._http = _HttpServer(("127.0.0.1", 0), _handler(store, self.token))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(_POLL,), daemon=True)

    @property
    def url(self) -> str:
        """Where the API is."""
        host, port = self._http.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """End every watch and stop listening."""
        self._store.close()
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def server_bind(self) -> None:
        # HTTPServer would ask the resolver for the host's name here; the simulation asks no network for anything.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("a client of the simulated API went away", exc_info=True)


def _handler(store: Store, token: str) -> type[BaseHTTPRequestHandler]:
    """The handler class of one server."""
    methods = {f"do_{method}": _Handler.serve for method in _METHODS}
    return type("Handler", (_Handler,), {"store": store, "expected": f"Bearer {token}", **methods})


class _Handler(BaseHTTPRequestHandler):
    store: Store
    expected: str
    protocol_version = "HTTP/1.1"
    server_version = "wpk-sandbox"
    sys_version = ""
    # Answers are written whole; Nagle's algorithm would only hold them back.
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = _IDLE_TIMEOUT

    def serve(self) -> None:
        """Answer one request, whatever its method."""
        given = self.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), self.expected.encode()):
            self.close_connection = True
            self._send(_failure(401, "Unauthorized", "Unauthorized"))
            return
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _LARGEST_BODY or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self._send(_failure(413, "RequestEntityTooLarge", f"the body is at most {_LARGEST_BODY} bytes"))
            return
        self._send(self._answer(self.rfile.read(int(length))))

    def _answer(self, body: bytes) -> Answer:
        parts = urlsplit(self.path)
        request = Request(
            self.command,
            unquote(parts.path),
            dict(reversed(parse_qsl(parts.query, keep_blank_values=True))),
            self.headers.get("Content-Type") or "application/json",
            body,
            self.headers.get("Impersonate-User", ""),
        )
        try:
            return answer(self.store, request)
        except Exception as error:
            # The client must get an answer, whatever our mistake is; the log has the traceback.
            log.exception("the simulated API failed at %s %s", request.method, request.path)
            return _failure(500, "InternalError", f"Internal error occurred: {error!r}")

    def _send(self, answered: Answer) -> None:
        if answered.stream is not None:
            self._send_stream(answered.stream)
            return
        is_text = isinstance(answered.body, str)
        body = answered.body.encode() if isinstance(answered.body, str) else _encode(answered.body)
        self.send_response(answered.code)
        self.send_header("Content-Type", "text/plain; charset=utf-8" if is_text else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_stream(self, events: Iterator[Object]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        for event in events:
            line = _encode(event) + b"\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        log.debug("simulated API: %s", format % args)


def _encode(value: Object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def _failure(code: int, reason: str, message: str) -> Answer:
    return Answer(code, Refused(code, reason, message).body)
