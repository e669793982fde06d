"""What stands on this host while attempts are made, and must never be seen from inside: listeners, files, processes.

Each is shown to be in reach of who is not shut in: a plain container, or this host itself.
"""

import json
import os
import secrets
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from left import MINE
from payload import packed
from probes.reading import MARK
from twin import LABEL, read

WORD = "wpk-reached"
_OF_NETWORK = "{{range .NetworkSettings.Networks}}{{.%s}}{{end}}"


@dataclass
class Host:
    """The canaries, and who came to them."""

    folder: Path
    canary: str
    network: str = ""
    given: dict[str, Any] = field(default_factory=dict)
    visitors: list[str] = field(default_factory=list)
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def process_lives(self) -> bool:
        """True while the process that nobody inside may end goes on."""
        return self._process is not None and self._process.poll() is None

    def begin(self, process: "subprocess.Popen[bytes]") -> None:
        """Hold the process to be watched."""
        self._process = process

    def listen(self, server: socket.socket, name: str) -> None:
        """Note whoever connects."""

        def serve() -> None:
            while True:
                try:
                    stream, _ = server.accept()
                except OSError:
                    return
                self.visitors.append(name)
                with stream:
                    stream.sendall(WORD.encode())

        threading.Thread(target=serve, daemon=True).start()


@contextmanager
def canaries(image: str) -> Iterator[Host]:
    """Put everything in place; leaving the block removes it."""
    token = secrets.token_hex(6)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wpk-conformance-")))
        folder.chmod(0o755)
        host = Host(folder, f"{MARK}-{token}")
        (folder / "secret").write_text(f"{host.canary}\n")
        os.environ["WPK_CONFORMANCE_SECRET"] = host.canary
        stack.callback(os.environ.pop, "WPK_CONFORMANCE_SECRET")
        server = stack.enter_context(
            closing(socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True))
        )
        host.listen(server, "port")
        unseen = stack.enter_context(closing(socket.socket(socket.AF_UNIX)))
        unseen.bind(f"\0wpk-{token}")
        unseen.listen()
        host.listen(unseen, "abstract socket")
        number = f"{secrets.randbelow(10**8) + 10**8}"
        process = stack.enter_context(subprocess.Popen(["sleep", number]))
        stack.callback(process.kill)
        host.begin(process)
        port = server.getsockname()[1]
        network = stack.enter_context(_network())
        name, address = stack.enter_context(_neighbour(image, network, port))
        host.network = network
        host.given = {
            "host_name": socket.gethostname(),
            "host_file": str(folder / "secret"),
            "host_process": number,
            "host_port": port,
            "gateway": _inspected(name, _OF_NETWORK % "Gateway"),
            "neighbour": address,
            "abstract": f"wpk-{token}",
            "word": WORD,
            "name": f"leak-{token}.example.com",
            "most": 600 * 1024**2,
            "processes": 300,
        }
        yield host


def in_reach(host: Host, image: str) -> dict[str, bool]:
    """Which of the listeners a plain container reaches: without that, nobody's silence means anything."""
    told = _plain(image, host.given, host.network, "gateway", "neighbour") | _plain(
        image, host.given, "host", "abstract-socket", "host-loopback"
    )
    host.visitors.clear()
    return {name: one.outcome == "open" for name, one in told.items()}


def _plain(image: str, given: Mapping[str, Any], network: str, *names: str) -> Any:
    start = 'cat >/tmp/probes.pyz; exec python3 /tmp/probes.pyz "$@"'
    argv = ["docker", "run", "--rm", "--interactive", f"--label={LABEL}", f"--network={network}", image]
    argv += ["sh", "-c", start, "sh", json.dumps(given), *names]
    done = subprocess.run(argv, input=packed(), capture_output=True, timeout=120, check=False)
    return read(done.stdout.decode())


@contextmanager
def _network() -> Iterator[str]:
    """A network of Docker's, as any container has one by default."""
    name = f"wpk-{MINE}"
    try:
        argv = ["docker", "network", "create", f"--label={LABEL}", name]
        subprocess.run(argv, check=True, capture_output=True, timeout=60)
        yield name
    finally:
        subprocess.run(["docker", "network", "rm", name], capture_output=True, check=False, timeout=60)


@contextmanager
def _neighbour(image: str, network: str, port: int) -> Iterator[tuple[str, str]]:
    """Another container of the same daemon, that answers."""
    name = f"{network}-neighbour"
    script = (
        "import socket\n"
        f"server = socket.create_server(('', {port}))\n"
        "while True:\n"
        "    stream, _ = server.accept()\n"
        f"    stream.sendall(b'{WORD}')\n"
        "    stream.close()\n"
    )
    argv = ["docker", "run", "--detach", "--init", f"--label={LABEL}", f"--name={name}"]
    argv += [f"--network={network}", "--memory=64m", "--pids-limit=16"]
    try:
        subprocess.run([*argv, image, "python3", "-c", script], check=True, capture_output=True, timeout=60)
        yield name, _inspected(name, _OF_NETWORK % "IPAddress")
    finally:
        subprocess.run(["docker", "rm", "--force", "--volumes", name], capture_output=True, check=False, timeout=60)


def _inspected(name: str, form: str) -> str:
    argv = ["docker", "inspect", "--format", form, name]
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
