"""A way to the API server where its published port is not ours: each connection is a `docker exec` into the node.

That needs nothing but the daemon, so it works in a container that holds only its socket, and with a remote
`DOCKER_HOST`. The listener is on loopback; TLS goes through it from end to end, and so does the authentication.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from wpk_sandbox import command
from wpk_sandbox.sandbox.clusters.kind.node import Node

API_PORT = 6443


@contextmanager
def tunnel(node: Node) -> Iterator[int]:
    """Listen on 127.0.0.1 and relay to the node's API server; gives the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        opened: list[socket.socket] = []
        threading.Thread(target=_accept, args=(listener, node, opened), daemon=True).start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            # shutdown() wakes a thread that waits in accept() or a program that reads; close() alone does not.
            for each in (listener, *opened):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)


def relay_script(port: int) -> str:
    """Bash that joins its own input and output to a local port; when one direction ends, so does the other.

    Bash, because the published node image holds no socat.
    """
    return f"""
exec 3<>/dev/tcp/127.0.0.1/{port} 4<&0 || exit 1
{{ cat <&4 >&3; kill $$; }} 2>/dev/null &
exec cat <&3
"""


def _accept(listener: socket.socket, node: Node, opened: list[socket.socket]) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            opened.append(connection)
            threading.Thread(target=_relay, args=(connection, node), daemon=True).start()


def _relay(connection: socket.socket, node: Node) -> None:
    argv = ["docker", "exec", "-i", node.name, "bash", "-c", relay_script(API_PORT)]
    descriptor = connection.fileno()
    with connection, command.start(argv, stdin=descriptor, stdout=descriptor) as process:
        process.wait()
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
