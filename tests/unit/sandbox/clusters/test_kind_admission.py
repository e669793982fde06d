"""The evidence that policies hold, from an API server that takes its time to hold requests to them."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from kubernetes.client import ApiClient, Configuration

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox.clusters.kind import admission, closing

REFUSAL = {"code": 403, "message": "services is forbidden: ValidatingAdmissionPolicy 'node-ports' denied request"}


class Server(ThreadingHTTPServer):
    """An API server that takes what is asked, so many times, before a policy refuses it."""

    taken_before = 0
    asked = 0
    words = ""


class Handler(BaseHTTPRequestHandler):
    """Answers each POST as its server is told to."""

    server: Server

    def do_POST(self) -> None:
        """Take it, or refuse it as a policy does."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked += 1
        refused = self.server.asked > self.server.taken_before
        body = self.server.words.encode() or json.dumps(REFUSAL if refused else {"kind": "Service"}).encode()
        self.send_response(403 if refused else 201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name for it
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield serving
        serving.shutdown()


@pytest.fixture
def api(server: Server) -> ApiClient:
    return ApiClient(Configuration(host=f"http://127.0.0.1:{server.server_port}"))


def test_policy_that_holds_is_evidence_at_the_first_question(api: ApiClient, server: Server) -> None:
    assert admission.evidence(api).held
    assert server.asked == 1


def test_policy_that_holds_a_moment_later_is_waited_for(api: ApiClient, server: Server) -> None:
    server.taken_before = 2
    assert admission.evidence(api).held
    assert server.asked == 3


def test_policy_that_never_holds_is_told(api: ApiClient, server: Server) -> None:
    server.taken_before = 1_000_000
    seen = admission.evidence(api, timeout=0)
    assert (seen.held, seen.seen) == (False, "the API server took it")


def test_cluster_whose_policies_never_hold_is_not_used(
    api: ApiClient, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.taken_before = 1_000_000
    monkeypatch.setattr(admission, "TIMEOUT", 0.0)
    with pytest.raises(SandboxError, match="until the policies hold: the API server took it"):
        admission.await_policies(api)


def test_answer_in_other_words_than_json_is_shown_and_holds_nothing(api: ApiClient, server: Server) -> None:
    server.words = "no more than words"
    seen = admission.evidence(api, timeout=0)
    assert (seen.held, seen.seen) == (False, "no more than words")


@pytest.mark.parametrize(
    "measure",
    [
        lambda api: closing.quota_evidence(api, "default"),
        lambda api: closing.admission_evidence(api, "default"),
        lambda api: admission.evidence(api, timeout=0),
    ],
    ids=["quota", "pod security", "policies"],
)
def test_api_server_that_does_not_answer_is_told_as_that(measure: Callable[[ApiClient], object]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(SandboxError, match="does not answer"):
        measure(ApiClient(Configuration(host=f"http://127.0.0.1:{port}")))
