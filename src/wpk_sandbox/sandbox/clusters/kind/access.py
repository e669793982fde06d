"""How a shell reaches the API server and nothing else: one route, and a kubeconfig that leads there."""

import base64
import http.client
import json
import socket
import ssl
import threading
from contextlib import suppress

from wpk_sandbox.sandbox.clusters.kind.connection import Connection
from wpk_sandbox.sandbox.sandbox import Answer, Evidence, Route, ShellAccess

KUBECONFIG = "/workspace/.kube/config"

# By this name pods call it, and its certificate holds it.
# https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
HOST, PORT = "kubernetes.default.svc", 443

_CHUNK = 65536
_CONNECT_TIMEOUT = 10.0


def access(connection: Connection, token: str, namespace: str) -> ShellAccess:
    """What a shell is given to call the API as a service account."""
    kubeconfig = kubeconfig_text(connection.authority.read_text(encoding="ascii"), token, namespace)
    return ShellAccess(
        files={KUBECONFIG: kubeconfig}, environment={"KUBECONFIG": KUBECONFIG}, routes=(route(connection),)
    )


def route(connection: Connection) -> Route:
    """Leads to the API server the way that we reach it ourselves. TLS goes through it from end to end."""
    return Route(HOST, PORT, Answer.CLUSTER, lambda stream: _relay(stream, connection.address))


def evidence(connection: Connection) -> Evidence:
    """Ask the API server through the shells' route who it is, without showing who we are."""
    probe = "reach the API server by the shells' route"
    ours, theirs = socket.socketpair()
    threading.Thread(target=route(connection).serve, args=(theirs,), daemon=True).start()
    context = ssl.create_default_context(cafile=str(connection.authority))
    client = http.client.HTTPConnection(HOST, PORT)
    try:
        ours.settimeout(_CONNECT_TIMEOUT)
        with ours, context.wrap_socket(ours, server_hostname=HOST) as stream:
            client.sock = stream
            client.request("GET", "/version")
            answer = client.getresponse()
            return Evidence(probe, True, f"its certificate is {HOST}'s, and it answers {answer.status}")
    except (OSError, http.client.HTTPException) as error:
        return Evidence(probe, False, str(error))


def kubeconfig_text(authority: str, token: str, namespace: str) -> str:
    """A kubeconfig with everything in it. JSON is YAML, and leaves nothing to quote."""
    cluster = {
        "server": f"https://{HOST}:{PORT}",
        "certificate-authority-data": base64.b64encode(authority.encode()).decode(),
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "sandbox", "cluster": cluster}],
        "users": [{"name": "sandbox", "user": {"token": token}}],
        "contexts": [
            {"name": "sandbox", "context": {"cluster": "sandbox", "user": "sandbox", "namespace": namespace}}
        ],
        "current-context": "sandbox",
    }
    return json.dumps(document, indent=1)


def _relay(stream: socket.socket, address: tuple[str, int]) -> None:
    """Join a shell's connection to the API server's address until both directions have ended."""
    with stream, suppress(OSError), socket.create_connection(address, _CONNECT_TIMEOUT) as server:
        server.settimeout(None)
        back = threading.Thread(target=_pump, args=(server, stream), daemon=True)
        back.start()
        _pump(stream, server)
        back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(_CHUNK):
            sink.sendall(chunk)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
