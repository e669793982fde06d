"""What a change or a runbook tries against the program around the sandbox, where no other test tries it yet."""

import ast
import base64
import json
import urllib.parse
from pathlib import Path
from typing import Any

import pytest

import wpk_sandbox
from wpk_sandbox import pipeline
from wpk_sandbox.judging import Request, judge
from wpk_sandbox.package.package import ManifestAction, ShellAction
from wpk_sandbox.package.selection import find
from wpk_sandbox.rules.masking import hidden_values
from wpk_sandbox.settings import resolve

SOURCE = Path(wpk_sandbox.__file__).parent
SECRET = "Kw7Zp2Qx9RtYv3BnMz7CpHd5"
UNPACKING = {"tarfile", "zipfile", "shutil.unpack_archive"}
CALLING = {"urllib.request", "http.client", "requests", "httpx", "socket", "aiohttp", "urllib3"}


def imported(folder: Path) -> set[str]:
    """The modules that Python files import, wherever in them."""
    found = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def written(folder: Path, command: str, **more: Any) -> Request:
    """A repository with one package, as a run is asked for it."""
    step = {"name": "try", "timeout": "5s", **(more or {"shell": {"command": command}})}
    package = {
        "apiVersion": "v1",
        "kind": "WorkflowPackage",
        "metadata": {"name": "tried", "version": "1.0.0"},
        "spec": {"runtime": {"type": "shell"}, "handlers": [{"name": "try", "steps": [step]}]},
    }
    (folder / "tried.wpk.yaml").write_text(json.dumps(package))
    return Request(folder, find(["tried.wpk.yaml"], root=folder), resolve(), "conformance")


def test_nothing_of_ours_unpacks_an_archive() -> None:
    assert not imported(SOURCE) & UNPACKING
    assert "zipfile" in imported(Path(__file__).parent), "the control is seen"


def test_publishing_talks_to_no_service() -> None:
    assert not imported(SOURCE / "publish") & CALLING
    assert imported(SOURCE) & CALLING, "the control is seen: others of ours do talk"


def test_what_was_checked_is_what_runs(tmp_path: Path) -> None:
    request = written(tmp_path, "echo as it was checked")
    (judged,) = judge(request, [])
    written(tmp_path, "echo something else")
    (planned,) = pipeline.plan_package(judged, "local", request).steps
    assert isinstance(planned.step.action, ShellAction)
    assert planned.step.action.command == "echo as it was checked"
    (again,) = judge(request, [])
    assert again.package.digest != judged.package.digest, "the control: the file did change"


def test_a_manifest_that_changes_after_the_check_is_applied_as_it_was_checked(tmp_path: Path) -> None:
    def manifest(value: str) -> dict[str, Any]:
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}, "data": {"a": value}}

    request = written(tmp_path, "", kubernetes=manifest("checked"))
    (judged,) = judge(request, [])
    written(tmp_path, "", kubernetes=manifest("other"))
    (planned,) = pipeline.plan_package(judged, "local", request).steps
    assert isinstance(planned.step.action, ManifestAction)
    assert planned.step.action.manifest["data"] == {"a": "checked"}


@pytest.mark.parametrize(
    "encode",
    [
        pytest.param(lambda secret: secret, id="as it is"),
        pytest.param(lambda secret: base64.b64encode(f"x{secret}".encode()).decode(), id="base64"),
        pytest.param(lambda secret: urllib.parse.quote(secret, safe=""), id="URL"),
        pytest.param(json.dumps, id="JSON"),
    ],
)
def test_a_secret_is_hidden_in_every_common_encoding(encode: Any) -> None:
    secret = f"{SECRET}/+\"'"
    hiding = hidden_values({"password": secret})
    told = encode(secret)
    shown = hiding.told(f"before {told} after")
    assert SECRET not in shown
    assert told not in shown
    assert shown.startswith("before "), "the control: what is no secret stays"
    assert shown.endswith(" after")


@pytest.mark.parametrize("command", ["echo $DB_PASSWORD | base64", "env", "kubectl get secret db -o yaml"])
def test_a_script_that_prints_a_secret_is_found(tmp_path: Path, command: str) -> None:
    assert "shell-credential-access" in rules_of(written(tmp_path, command))
    assert "shell-credential-access" not in rules_of(written(tmp_path, "date | base64")), "the control has none"


def rules_of(request: Request) -> set[str]:
    return {finding.rule for judged in judge(request, []) for finding in judged.findings}
