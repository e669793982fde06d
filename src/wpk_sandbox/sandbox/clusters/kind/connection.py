"""A client of the cluster's API: directly by its published port, or through the node."""

import base64
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from wpk_sandbox.sandbox.clusters.kind.node import Node
from wpk_sandbox.sandbox.clusters.kind.tunnel import tunnel

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

# A name that every API server's certificate holds, whatever address leads to it.
SERVER_NAME = "kubernetes"
DIRECT_TIMEOUT = 2.0


@dataclass(frozen=True)
class Credentials:
    """What kind's kubeconfig holds: the published address, and three files in PEM."""

    server: str
    authority: Path
    certificate: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """TLS that trusts this cluster alone and shows who we are."""
        context = ssl.create_default_context(cafile=str(self.authority))
        context.load_cert_chain(self.certificate, self.key)
        return context


@dataclass(frozen=True)
class Connection:
    """A client of the API, the authority that its server is known by, where it is reached, and how in words."""

    api: "ApiClient"
    authority: Path
    address: tuple[str, int]
    way: str


@contextmanager
def connected(node: Node, kubeconfig: Path, *, direct: bool = True) -> Iterator[Connection]:
    """Connect; `direct=False` goes through the node in any case."""
    credentials = read_kubeconfig(kubeconfig)
    with ExitStack() as stack:
        server, way = credentials.server, "by its published port"
        if not (direct and answers(credentials)):
            server, way = f"https://127.0.0.1:{stack.enter_context(tunnel(node))}", "through the node"
        client = _client(credentials, server)
        stack.callback(client.rest_client.pool_manager.clear)
        yield Connection(client, credentials.authority, _address(server), way)


def read_kubeconfig(path: Path) -> Credentials:
    """Read the kubeconfig that kind wrote, and lay its certificates beside it as files, which OpenSSL wants."""
    import yaml  # noqa: PLC0415 - not needed by runs without a cluster

    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
    files = {
        "ca.crt": cluster["certificate-authority-data"],
        "client.crt": user["client-certificate-data"],
        "client.key": user["client-key-data"],
    }
    for name, data in files.items():
        file = path.with_name(name)
        file.touch(mode=0o600)
        file.write_bytes(base64.b64decode(data))
    authority, certificate, key = (path.with_name(name) for name in files)
    return Credentials(cluster["server"], authority, certificate, key)


def answers(credentials: Credentials) -> bool:
    """True when this cluster, and not something else, listens at the published address.

    From inside a container, or where the daemon is another machine, it does not.
    """
    try:
        with (
            socket.create_connection(_address(credentials.server), DIRECT_TIMEOUT) as plain,
            credentials.context().wrap_socket(plain, server_hostname=SERVER_NAME),
        ):
            return True
    except OSError:
        return False


def _address(server: str) -> tuple[str, int]:
    parts = urlsplit(server)
    return parts.hostname or "", parts.port or 443


def _client(credentials: Credentials, server: str) -> "ApiClient":
    from kubernetes.client import ApiClient, Configuration  # noqa: PLC0415 - heavy

    configuration = Configuration(host=server)
    configuration.ssl_ca_cert = str(credentials.authority)
    configuration.cert_file = str(credentials.certificate)
    configuration.key_file = str(credentials.key)
    configuration.tls_server_name = SERVER_NAME
    # The library takes a proxy from the environment; the way to loopback leads through none.
    configuration.proxy = None
    return ApiClient(configuration)
