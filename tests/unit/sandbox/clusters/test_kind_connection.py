"""Reaching an API server: by its port only if it is ours, else through a program that joins us to it."""

import base64
import json
import os
import socket
import ssl
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from wpk_sandbox.sandbox.clusters.kind.access import evidence, kubeconfig_text, route
from wpk_sandbox.sandbox.clusters.kind.connection import Connection, Credentials, answers, read_kubeconfig
from wpk_sandbox.sandbox.clusters.kind.node import Node
from wpk_sandbox.sandbox.clusters.kind.tunnel import relay_script, tunnel
from wpk_sandbox.sandbox.sandbox import Answer


@contextmanager
def server(handle: Callable[[socket.socket], None]) -> Iterator[int]:
    """A loopback server that treats each connection in a thread."""

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=handle, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def shouting(connection: socket.socket) -> None:
    """Answers each message in capitals, until `bye`, after which it hangs up."""
    with connection, suppress(OSError):
        while data := connection.recv(4096):
            connection.sendall(data.upper())
            if data == b"bye":
                return


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate, which is its own authority."""
    key, file = folder / f"{name}.key", folder / f"{name}.crt"
    made = f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={name}"
    files = [
        "-addext",
        "subjectAltName=DNS:kubernetes,DNS:kubernetes.default.svc",
        "-keyout",
        str(key),
        "-out",
        str(file),
    ]
    subprocess.run([*made.split(), *files], check=True, capture_output=True)
    return file, key


@contextmanager
def tls_server(file: Path, key: Path) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)

    def handle(connection: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(1)

    with server(handle) as port:
        yield port


def test_server_that_the_authority_vouches_for_answers(tmp_path: Path) -> None:
    file, key = certificate(tmp_path, "ours")
    with tls_server(file, key) as port:
        assert answers(Credentials(f"https://127.0.0.1:{port}", file, file, key))


def test_another_cluster_on_the_same_port_is_not_ours(tmp_path: Path) -> None:
    ours, key = certificate(tmp_path, "ours")
    with tls_server(*certificate(tmp_path, "theirs")) as port:
        assert not answers(Credentials(f"https://127.0.0.1:{port}", ours, ours, key))


def test_port_where_nobody_listens_does_not_answer(tmp_path: Path) -> None:
    file, key = certificate(tmp_path, "ours")
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    assert not answers(Credentials(f"https://127.0.0.1:{port}", file, file, key))


def test_kubeconfig_of_kind_becomes_private_files(tmp_path: Path) -> None:
    def data(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    path = tmp_path / "kubeconfig"
    cluster = {"server": "https://127.0.0.1:1234", "certificate-authority-data": data("authority")}
    user = {"client-certificate-data": data("certificate"), "client-key-data": data("key")}
    path.write_text(json.dumps({"clusters": [{"cluster": cluster}], "users": [{"user": user}]}))
    credentials = read_kubeconfig(path)
    files = (credentials.authority, credentials.certificate, credentials.key)
    assert credentials.server == "https://127.0.0.1:1234"
    assert [file.read_text() for file in files] == ["authority", "certificate", "key"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def connection_to(port: int, authority: Path) -> Connection:
    # What is tested here leaves the client alone.
    return Connection(None, authority, ("127.0.0.1", port), "by its published port")  # type: ignore[arg-type]


def test_route_of_the_shells_relays_until_either_side_ends(tmp_path: Path) -> None:
    with server(shouting) as port:
        api = route(connection_to(port, tmp_path))
        assert (api.host, api.port, api.answer) == ("kubernetes.default.svc", 443, Answer.CLUSTER)
        ours, theirs = socket.socketpair()
        served = threading.Thread(target=api.serve, args=(theirs,))
        served.start()
        with ours:
            ours.settimeout(10)
            ours.sendall(b"hello")
            assert ours.recv(100) == b"HELLO"
            ours.sendall(b"bye")
            assert ours.recv(100) == b"BYE"
            assert ours.recv(100) == b""
        served.join(10)
        assert not served.is_alive()


def test_api_that_answers_by_the_route_is_held(tmp_path: Path) -> None:
    def answering(connection: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(4096)
            secure.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")

    file, key = certificate(tmp_path, "ours")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    with server(answering) as port:
        held = evidence(connection_to(port, file))
        assert (held.held, held.seen.endswith("answers 401")) == (True, True)
        theirs, _ = certificate(tmp_path, "theirs")
        assert not evidence(connection_to(port, theirs)).held
    assert not evidence(connection_to(port, file)).held, "nobody listens any more"


def test_kubeconfig_for_shells_names_server_authority_token_and_namespace() -> None:
    document = json.loads(kubeconfig_text("authority\n", "secret", "atom-sandbox"))
    cluster, user, context = (document[key][0] for key in ("clusters", "users", "contexts"))
    assert cluster["cluster"]["server"] == "https://kubernetes.default.svc:443"
    assert base64.b64decode(cluster["cluster"]["certificate-authority-data"]) == b"authority\n"
    assert user["user"] == {"token": "secret"}
    assert context["context"] == {"cluster": cluster["name"], "user": user["name"], "namespace": "atom-sandbox"}
    assert document["current-context"] == context["name"]


@pytest.fixture
def _docker_that_runs_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A program `docker` whose `exec` runs the relay on this host, to a server in the API server's place."""
    with server(shouting) as port:
        program = tmp_path / "docker"
        program.write_text(
            "#!/bin/sh\n"
            'test "$1 $2 $3 $4 $5" = "exec -i node bash -c" || exit 64\n'
            f'exec bash -c "$(printf %s "$6" | sed s,/127.0.0.1/6443,/127.0.0.1/{port},)"\n'
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        yield


def say(connection: socket.socket, data: bytes) -> bytes:
    connection.sendall(data)
    return connection.recv(4096)


@pytest.mark.usefixtures("_docker_that_runs_here")
def test_tunnel_carries_both_ways_and_several_at_once() -> None:
    with tunnel(Node("node", "")) as port:
        pair = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(2)]
        assert [say(pair[1], b"second"), say(pair[0], b"first"), say(pair[1], b"again")] == [
            b"SECOND",
            b"FIRST",
            b"AGAIN",
        ]
        for connection in pair:
            connection.close()


@pytest.mark.usefixtures("_docker_that_runs_here")
def test_tunnel_hangs_up_when_the_server_does() -> None:
    with tunnel(Node("node", "")) as port, socket.create_connection(("127.0.0.1", port), 10) as connection:
        assert say(connection, b"bye") == b"BYE"
        assert connection.recv(1) == b""


@pytest.mark.usefixtures("_docker_that_runs_here")
def test_tunnel_that_is_left_is_closed_with_its_connections() -> None:
    with tunnel(Node("node", "")) as port:
        connection = socket.create_connection(("127.0.0.1", port), 10)
        assert say(connection, b"before") == b"BEFORE"
    with connection:
        assert connection.recv(1) == b""
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), 1).close()


def test_relay_ends_when_its_caller_hangs_up() -> None:
    with server(shouting) as port:
        argv = ["bash", "-c", relay_script(port)]
        done = subprocess.run(argv, input=b"hello", capture_output=True, timeout=20, check=False)
    assert done.returncode != 0, "it was ended, and did not wait for a server that keeps the connection"


def test_relay_fails_where_no_server_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    done = subprocess.run(
        ["bash", "-c", relay_script(port)], input=b"", capture_output=True, timeout=20, check=False
    )
    assert done.returncode == 1
