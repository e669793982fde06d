"""A package that calls out in every way: each attempt is listed at its step, and the mocked host answers."""

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

IMAGE = "wpk-sandbox-test-conformance"
DOCKERFILE = Path(__file__).parents[1] / "conformance/image"

LOCAL = pytest.param("local", marks=pytest.mark.needs("bwrap"))
CONTAINER = pytest.param("container", marks=pytest.mark.needs("docker"))
KIND = pytest.param("kind", marks=pytest.mark.needs("docker", "kind"))

TCP = "import socket; socket.create_connection(('{}', {}), 3)"
UDP = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('{}', {}))"
HTTPS = "import urllib.request as u; print(u.urlopen('https://pay.example/v1/charge', b'7').read().decode())"

# What each step calls, and what the report must say that it tried: protocol, address, port, name, answer.
STEPS = [
    ("getent hosts billing.example || echo unknown", ("dns", "", None, "billing.example", "refused")),
    (f'python3 -c "{TCP.format("192.0.2.10", 443)}" || echo refused', ("tcp", "192.0.2.10", 443, "", "refused")),
    (f'python3 -c "{UDP.format("192.0.2.10", 9999)}" || echo refused', ("udp", "192.0.2.10", 9999, "", "refused")),
    (
        f'python3 -c "{TCP.format("2001:db8::10", 443)}" || echo refused',
        ("tcp", "2001:db8::10", 443, "", "refused"),
    ),
    (f'python3 -c "{HTTPS}"', ("https", "", 443, "POST https://pay.example/v1/charge", "mocked")),
]
MOCK = {
    "request": {"method": "POST", "url": "https://pay.example/v1/*"},
    "response": {"status": 202, "body": "accepted"},
}


@pytest.fixture(scope="module", autouse=True)
def image() -> None:
    """A shell with Python; where there is no daemon, only `local` is tried, with the host's."""
    argv = ["docker", "build", "--quiet", f"--tag={IMAGE}", str(DOCKERFILE)]
    subprocess.run(argv, capture_output=True, timeout=600, check=False)


@pytest.mark.parametrize("sandbox", [LOCAL, CONTAINER, KIND])
def test_each_attempt_is_listed_at_its_step_and_the_mocked_host_answers(repository: Any, sandbox: str) -> None:
    (repository.root / ".wpk-sandbox.yaml").write_text(f"shell: {{image: {IMAGE}}}\nimages: {{pull: false}}\n")
    commands = [command for command, _ in STEPS]
    if sandbox == "kind":
        commands.append("kubectl get pods")
    validation = {"schema_version": "1.0", "required_permissions": ["pods/list"], "resource_limits": {}}
    package = repository.package(*commands, validation=validation)
    case = {"cases": [{"name": "the outside is mocked", "mocks": [MOCK]}]}
    (repository.root / "tried.wpk.test.yaml").write_text(json.dumps(case))

    done = repository.call("run", package, "--sandbox", sandbox, "--report", "out", timeout=240)

    assert done.returncode == 0, done.stdout + done.stderr
    tried = repository.result["packages"][0]
    for step, (_, expected) in zip(tried["steps"], STEPS, strict=False):
        seen = [
            tuple(each[key] for key in ("protocol", "address", "port", "name", "answer"))
            for each in step["network"]
        ]
        assert expected in seen, step
        refused = expected[-1] == "refused"
        assert any(event["threat"] == "network violation" for event in step["events"]) is refused
        # Whoever sends a datagram may be gone before anyone can ask who it was; who waits for an answer is there.
        waits = [each for each in step["network"] if refused and each["protocol"] != "udp"]
        assert all(each["process"] for each in waits), waits
    assert tried["steps"][4]["stdout"] == "accepted\n"
    assert [host for host in ("billing.example", "192.0.2.10", "2001:db8::10") if host not in done.stdout] == []


@pytest.mark.parametrize("sandbox", [LOCAL, CONTAINER])
def test_without_the_mock_the_same_call_finds_nobody(repository: Any, sandbox: str) -> None:
    (repository.root / ".wpk-sandbox.yaml").write_text(f"shell: {{image: {IMAGE}}}\nimages: {{pull: false}}\n")
    done = repository.call("run", repository.package(STEPS[4][0]), "--sandbox", sandbox, "--report", "out")
    assert done.returncode == 1
    attempt = repository.result["packages"][0]["steps"][0]["network"][0]
    assert (attempt["protocol"], attempt["name"], attempt["answer"]) == ("dns", "pay.example", "refused")


@pytest.fixture
def service() -> Iterator[int]:
    """A service of ours on this host, and nobody else's: its port on the loopback."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"the real one")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.mark.parametrize("allowed", [True, False])
@pytest.mark.parametrize("sandbox", [LOCAL, CONTAINER])
def test_a_host_is_reached_for_real_only_where_the_settings_allow_it(
    repository: Any, sandbox: str, service: int, allowed: bool
) -> None:
    settings = f"shell: {{image: {IMAGE}}}\nimages: {{pull: false}}\n"
    settings += f"sandbox: {{network: {{allow: ['127.0.0.1:{service}']}}}}\n" if allowed else ""
    (repository.root / ".wpk-sandbox.yaml").write_text(settings)
    call = f"import urllib.request as u; print(u.urlopen('http://127.0.0.1:{service}/').read().decode())"

    done = repository.call(
        "run", repository.package(f'python3 -c "{call}"'), "--sandbox", sandbox, "--report", "out"
    )

    step = repository.result["packages"][0]["steps"][0]
    assert (done.returncode == 0) is allowed
    assert ("the real one" in step["stdout"]) is allowed
    listed = [(each["address"], each["port"]) for each in step["network"] if each["answer"] == "allowed"]
    assert listed == ([("127.0.0.1", service)] if allowed else [])
