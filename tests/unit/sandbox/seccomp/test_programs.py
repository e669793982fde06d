"""Programs that packages use, under the kernel's own filter: what the table denies must not be what they need."""

import ctypes
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from wpk_sandbox.sandbox.seccomp.bpf import ARCHITECTURES, filter_program

pytestmark = pytest.mark.skipif(platform.machine() not in ARCHITECTURES, reason="no table for this machine")

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2

SHELL = "cat <(echo piped); mkfifo fifo && ls -l fifo | cut -c1; tar c fifo | tar t; sleep 0 & wait; timeout 1 true"
PYTHON = """
import asyncio, multiprocessing, os, socket, ssl, subprocess, tempfile, threading
with multiprocessing.Pool(2) as pool: print(sum(pool.map(abs, [-1, -2])))
asyncio.run(asyncio.sleep(0)); ssl.create_default_context(); os.close(os.memfd_create("x"))
server = socket.create_server(("127.0.0.1", 0)); client = socket.create_connection(server.getsockname())
print(subprocess.check_output(["echo", "child"], text=True).strip(), socket.if_nameindex()[0][1])
"""
NODE = """
const http = require("http"), { Worker } = require("worker_threads"), { execSync } = require("child_process");
const server = http.createServer((request, response) => response.end("served")).listen(0, "127.0.0.1", () =>
  http.get({ port: server.address().port }, answer => answer.on("data", data => {
    console.log(String(data), String(execSync("echo child")).trim()); server.close();
    new Worker("console.log('worker')", { eval: true }); })));
"""
GO = """
package main
import ("fmt"; "io"; "net"; "net/http"; "os/exec")
func main() {
  listener, err := net.Listen("tcp", "127.0.0.1:0"); if err != nil { panic(err) }
  go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "served") }))
  answer, err := http.Get("http://" + listener.Addr().String()); if err != nil { panic(err) }
  body, _ := io.ReadAll(answer.Body); child, err := exec.Command("echo", "child").Output()
  fmt.Print(string(body), " ", string(child)); if err != nil { panic(err) } }
"""


def filtered() -> None:
    """In the child, before it becomes the program."""
    library = ctypes.CDLL(None, use_errno=True)
    program = filter_program(platform.machine())
    fields = {"_fields_": [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]}
    handed = type("Program", (ctypes.Structure,), fields)(len(program) // 8, program)
    for call in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(handed))):
        if library.prctl(*call):
            raise OSError(ctypes.get_errno(), "prctl")


def under_the_filter(folder: Path, *argv: str) -> str:
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{argv[0]} is not installed")
    done = subprocess.run(
        argv, preexec_fn=filtered, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("bash", "-c", SHELL), "piped\np\nfifo\n"),
        ((sys.executable, "-c", PYTHON), "3\nchild lo\n"),
        (("node", "-e", NODE), "served child\nworker\n"),
        (("perl", "-e", 'fork or exit; wait; print "perl\\n"'), "perl\n"),
        (("jq", "-n", "1"), "1\n"),
        (("git", "init", "-q", "made"), ""),
        (("getent", "hosts", "127.0.0.1"), "127.0.0.1"),
        (("curl", "-s", "-o", "copy", "file:///etc/os-release"), ""),
        (("kubectl", "version", "--client"), "Client Version"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_programs_work(tmp_path: Path, argv: tuple[str, ...], said: str) -> None:
    assert under_the_filter(tmp_path, *argv).startswith(said)


def test_a_program_of_go_serves_and_starts_others(tmp_path: Path) -> None:
    if shutil.which("go") is None:
        pytest.skip("go is not installed")
    (tmp_path / "main.go").write_text(GO)
    subprocess.run(["go", "build", "-o", "program", "main.go"], cwd=tmp_path, check=True, timeout=300)
    assert under_the_filter(tmp_path, str(tmp_path / "program")) == "served child\n"


def test_the_filter_is_really_there(tmp_path: Path) -> None:
    status = under_the_filter(tmp_path, "cat", "/proc/self/status")
    assert "Seccomp:\t2" in status
    with pytest.raises(AssertionError, match="not permitted"):
        under_the_filter(tmp_path, "unshare", "--user", "true")
