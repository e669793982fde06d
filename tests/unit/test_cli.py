"""The command line: exit codes, what is told to whom, and that help costs nothing."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from wpk_sandbox import __version__, asking, cli, pipeline
from wpk_sandbox.errors import ExitCode, InterruptedRunError, PublishingError, UnavailableError
from wpk_sandbox.generated import schemas
from wpk_sandbox.report.json import from_json

HEAVY = {"kubernetes", "docker", "pydantic", "jinja2", "yaml", "rich", "tree_sitter", "jsonschema"}
SUBCOMMANDS = ("run", "check", "plan", "changed", "ci", "doctor", "reap", "schema", "explain", "init", "completion")
REPORTS = [
    "findings.sarif",
    "gl-code-quality-report.json",
    "junit.xml",
    "report.html",
    "result.json",
    "summary.md",
]
GOOD = """\
apiVersion: v1
kind: WorkflowPackage
metadata: {name: good, version: 1.0.0}
spec:
  runtime: {type: shell}
  handlers:
    - name: look
      type: shell
      config: {command: "echo ${WORD:-none}"}
"""
BLOCKED = GOOD.replace("name: good", "name: blocked").replace("echo ${WORD:-none}", "rm -rf /")


@dataclass(frozen=True)
class Ended:
    """What a call came to."""

    code: int
    out: str
    err: str


Call = Callable[..., Ended]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """`call("run", "x.wpk.yaml")` in an empty folder, without what a CI system may have set."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(("GITHUB_", "INPUT_", "WPK_SANDBOX_", "CI")):
            monkeypatch.delenv(name)

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["wpk-sandbox", *arguments])
        monkeypatch.setattr(cli, "_end", sys.exit)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        code = ended.value.code
        assert isinstance(code, int)
        return Ended(code, *capsys.readouterr())

    return run


def test_help_names_every_subcommand_and_exit_code(call: Call) -> None:
    ended = call("--help")
    assert ended.code == 0
    assert all(f"\n  {name} " in ended.out for name in SUBCOMMANDS)
    assert "0 pass · 1 fail" in ended.out


@pytest.mark.parametrize(("package", "code"), [(GOOD, ExitCode.PASS), (BLOCKED, ExitCode.FAIL)])
def test_process_ends_with_the_code_and_with_all_that_it_said(tmp_path: Path, package: str, code: int) -> None:
    (tmp_path / "one.wpk.yaml").write_text(package)
    argv = [sys.executable, "-c", "from wpk_sandbox.cli import main; print('before'); main()", "check"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout.startswith("before\n")
    assert "one.wpk.yaml" in done.stdout


@pytest.mark.parametrize("subcommand", SUBCOMMANDS)
def test_each_subcommand_has_help(call: Call, subcommand: str) -> None:
    ended = call(subcommand, "-h")
    assert (ended.code, ended.out.startswith(f"Usage: wpk-sandbox {subcommand}")) == (0, True)


def test_version(call: Call) -> None:
    assert call("--version").out == f"wpk-sandbox, version {__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--version"]])
def test_help_loads_no_heavy_library(arguments: list[str]) -> None:
    script = (
        "import sys\nfrom wpk_sandbox.cli import commands\n"
        f"commands({arguments!r}, standalone_mode=False)\n"
        "sys.stderr.write(' '.join({name.partition('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "click" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.needs("bwrap")
@pytest.mark.parametrize(("sandbox", "code"), [("local", ExitCode.PASS), ("container", ExitCode.INCONCLUSIVE)])
def test_run_loads_no_library_of_a_sandbox_that_it_does_not_open(tmp_path: Path, sandbox: str, code: int) -> None:
    (tmp_path / "good.wpk.yaml").write_text(GOOD)
    script = (
        "import sys\nfrom wpk_sandbox.cli import commands\n"
        f"code = commands(['run', 'good.wpk.yaml', '--sandbox', {sandbox!r}], standalone_mode=False)\n"
        "sys.stderr.write(' '.join({str(int(code)), *(name.partition('.')[0] for name in sys.modules)}))\n"
    )
    argv, environment = [sys.executable, "-c", script], {**os.environ, "DOCKER_HOST": "unix:///nowhere"}
    done = subprocess.run(argv, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert str(int(code)) in loaded
    assert loaded & {"kubernetes", "jinja2", "rich", "jsonschema"} == set()
    assert ("docker" in loaded) == (sandbox == "container")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rn"], "No such command 'rn'. Did you mean 'run'?"),
        (["run"], "there is no package to look at"),
        (["check"], "there is no package to look at"),
        (
            ["check"],
            "package files are called *.wpk.yaml or *.wpk.yml (`discover.patterns`); `init` writes a first",
        ),
        (["run", "nowhere.wpk.yaml"], "there is no `nowhere.wpk.yaml`"),
        (["run", "--param", "x", "good.wpk.yaml"], "`--param x` is not NAME=VALUE"),
        (["run", "--param", "=x", "good.wpk.yaml"], "`--param =x` is not NAME=VALUE"),
        (["run", "--param", "a b=x", "good.wpk.yaml"], "`--param a b=x` is not NAME=VALUE"),
        (["run", "--sandbox", "podman", "good.wpk.yaml"], "'podman' is not one of"),
        (["run", "--timeout", "soon", "good.wpk.yaml"], "--timeout: 'soon' is not a duration"),
        (["run", "--settings", "no.yaml", "good.wpk.yaml"], "the settings file no.yaml cannot be read"),
        (["run", "--event", "no.json", "good.wpk.yaml"], "no.json"),
        (["run", "--colour"], "No such option"),
        (["explain", "shell-exhaustio"], "did you mean `shell-exhaustion`?"),
        (["schema", "nothing"], "'nothing' is not one of"),
        (["changed"], "neither GitHub Actions nor GitLab CI"),
    ],
    ids=" ".join,
)
def test_call_that_cannot_be_carried_out_is_a_usage_error(
    call: Call, tmp_path: Path, request: pytest.FixtureRequest, arguments: list[str], words: str
) -> None:
    if "good.wpk.yaml" in arguments:
        (tmp_path / "good.wpk.yaml").write_text(GOOD)
    ended = call(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err


def test_message_of_an_error_cannot_command_the_terminal(call: Call) -> None:
    ended = call("run", "\x1b[31m\u202eno")
    assert ended.code == 2
    assert "\x1b" not in ended.err
    assert "\u202e" not in ended.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UnavailableError("no daemon", "start it"), 3),
        (PublishingError("refused"), 4),
        (KeyboardInterrupt(), 130),
        (RuntimeError("never to happen"), 70),
    ],
    ids=["host", "publishing", "interrupt", "bug"],
)
def test_failure_has_its_exit_code(
    call: Call, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    def fail() -> Path:
        raise error

    monkeypatch.setattr(asking, "repository", fail)
    ended = call("doctor")
    assert (ended.code, ended.out) == (code, "")
    assert str(error) in ended.err


def test_remedy_is_told_with_the_failure(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Path:
        raise UnavailableError("no daemon", "start it")

    monkeypatch.setattr(asking, "repository", fail)
    assert call("doctor").err == "wpk-sandbox: no daemon\n  → start it\n"


def test_check_of_a_good_package_passes_and_of_a_blocked_one_fails(call: Call, tmp_path: Path) -> None:
    (tmp_path / "good.wpk.yaml").write_text(GOOD)
    assert call("check").code == 0
    (tmp_path / "blocked.wpk.yaml").write_text(BLOCKED)
    ended = call("check", ".", "--format", "json")
    assert ended.code == 1
    decisions = {each["name"]: each["decision"] for each in json.loads(ended.out)["packages"]}
    assert decisions == {"good": "approve", "blocked": "block"}


def test_check_writes_the_forms_of_ci_systems(call: Call, tmp_path: Path) -> None:
    (tmp_path / "blocked.wpk.yaml").write_text(BLOCKED)
    sarif = call("check", "--format", "sarif")
    (result,) = [each for each in json.loads(sarif.out)["runs"][0]["results"] if each["level"] == "error"]
    gitlab = call("check", "--format", "gitlab")
    worst = json.loads(gitlab.out)[0]
    assert (sarif.code, gitlab.code) == (1, 1)
    assert result["ruleId"] == worst["check_name"] == "shell-destroy-system"
    assert result["partialFingerprints"]["wpkSandbox/v1"] == worst["fingerprint"]


@pytest.mark.parametrize(("form", "begins"), [("github", "::error title="), ("junit", "<?xml ")])
def test_check_writes_what_else_ci_systems_read(call: Call, tmp_path: Path, form: str, begins: str) -> None:
    (tmp_path / "blocked.wpk.yaml").write_text(BLOCKED)
    ended = call("check", "--format", form)
    assert (ended.code, ended.out[: len(begins)]) == (1, begins)


@pytest.mark.parametrize("option", [("--category", "nightly"), ("--no-waived",)])
def test_some_options_belong_to_sarif(call: Call, tmp_path: Path, option: tuple[str, ...]) -> None:
    (tmp_path / "good.wpk.yaml").write_text(GOOD)
    log = json.loads(call("check", "--format", "sarif", *option).out)
    assert ("automationDetails" in log["runs"][0]) == (option[0] == "--category")
    ended = call("check", *option)
    assert (ended.code, "--format sarif" in ended.err) == (2, True)


@pytest.mark.parametrize("form", ["json", "sarif", "gitlab", "junit"])
def test_forms_for_programs_are_utf_8_whatever_the_locale(tmp_path: Path, form: str) -> None:
    (tmp_path / "a.wpk.yaml").write_text(BLOCKED.replace("rm -rf /", "echo größe 日本; rm -rf /"), encoding="utf-8")
    argv = [sys.executable, "-c", "from wpk_sandbox.cli import main; main()", "check", "--format", form]
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    ended = subprocess.run(argv, cwd=tmp_path, capture_output=True, env=environment, check=False)
    text = ended.stdout.decode("utf-8")
    said = text if form == "junit" else json.dumps(json.loads(text), ensure_ascii=False)
    # GitLab's form has no source line.
    assert ("größe 日本" in said) == (form != "gitlab")


def test_plan_runs_nothing_and_shows_the_step(call: Call, tmp_path: Path) -> None:
    (tmp_path / "good.wpk.yaml").write_text(GOOD)
    ended = call("plan", "good.wpk.yaml", "--sandbox", "local", "-p", "WORD=hello", "--format", "json")
    assert ended.code == 0
    assert "hello" in ended.out


def test_run_of_a_blocked_package_writes_json_that_fits_its_schema(call: Call, tmp_path: Path) -> None:
    (tmp_path / "blocked.wpk.yaml").write_text(BLOCKED)
    ended = call("run", "blocked.wpk.yaml", "--sandbox", "local", "--format", "json")
    assert ended.code == 1
    document = json.loads(ended.out)
    Draft202012Validator(schemas()["result"]()).validate(document)
    assert from_json(ended.out).packages[0].sandbox is None
    assert "blocked before it started" in ended.err, "what goes on is told beside the JSON"


def test_reports_and_logs_are_written_where_asked(call: Call, tmp_path: Path) -> None:
    (tmp_path / "blocked.wpk.yaml").write_text(BLOCKED)
    ended = call("run", "blocked.wpk.yaml", "--report", "out", "--save-logs", "logs")
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == REPORTS
    assert "reports: " in ended.err


def test_settings_of_the_nearest_repository_are_taken(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".wpk-sandbox.yaml").write_text('discover: {patterns: ["*.runbook"]}\n')
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/good.runbook").write_text(GOOD)
    (tmp_path / "deep/blocked.wpk.yaml").write_text(BLOCKED)
    monkeypatch.chdir(tmp_path / "deep")
    ended = call("check", "--format", "json")
    assert [each["path"] for each in json.loads(ended.out)["packages"]] == ["deep/good.runbook"]


def test_changed_lists_what_a_branch_changed(call: Call, tmp_path: Path) -> None:
    (tmp_path / "old.wpk.yaml").write_text(GOOD)
    base = _commit(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "new.wpk.yaml").write_text(GOOD)
    (tmp_path / "notes.txt").write_text("no package")
    _commit(tmp_path)
    assert call("changed", "--base", base).out == "new.wpk.yaml\n"
    document = json.loads(call("changed", "--base", base, "--format", "json").out)
    assert (document["files"], document["all"]) == (["new.wpk.yaml"], False)
    assert call("changed", "--base", "HEAD").out == ""


def test_interrupted_run_ends_with_the_signals_code(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise InterruptedRunError(15)

    (tmp_path / "good.wpk.yaml").write_text(GOOD)
    monkeypatch.setattr(pipeline, "_try_package", stop)
    ended = call("run", "good.wpk.yaml", "--format", "json")
    assert ended.code == 143
    result = from_json(ended.out)
    assert (result.verdict, result.packages) == ("inconclusive", ())
    assert "interrupted (signal 15)" in result.notes[0]


def test_run_that_nobody_reads_does_not_pass(tmp_path: Path) -> None:
    (tmp_path / "blocked.wpk.yaml").write_text(BLOCKED)
    read, write = os.pipe()
    os.close(read)
    program = Path(sys.executable).with_name("wpk-sandbox")
    done = subprocess.run(
        [program, "run", "."], cwd=tmp_path, stdout=write, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(write)
    assert done.returncode == ExitCode.INCONCLUSIVE, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("which", ["package", "case", "settings", "result"])
def test_schemas_are_schemas(call: Call, which: str) -> None:
    Draft202012Validator.check_schema(json.loads(call("schema", which).out))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_of_each_shell(call: Call, shell: str) -> None:
    ended = call("completion", shell)
    assert (ended.code, "_WPK_SANDBOX_COMPLETE" in ended.out) == (0, True)


def test_explain_lists_every_rule_and_tells_of_one(call: Call) -> None:
    assert "shell-exhaustion " in call("explain").out
    assert call("explain", "shell-exhaustion").out.startswith("shell-exhaustion (critical")


def test_explain_knows_what_a_run_can_find_and_offers_no_waiver_for_it(call: Call) -> None:
    assert "run-escape " in call("explain").out
    text = call("explain", "run-escape").out
    assert text.startswith("run-escape (high, of a run)")
    assert "wpk-sandbox: allow" not in text
    assert "wpk-sandbox: allow shell-unsafe-expansion" in call("explain", "shell-unsafe-expansion").out


def test_explain_knows_the_rules_of_the_repository(call: Call, tmp_path: Path) -> None:
    own = {
        "id": "no-prod",
        "when": "spec.namespace == 'prod'",
        "message": "no runbook for prod \x1b[2J",
        "severity": "high",
        "fix": "Ask.",
    }
    (tmp_path / ".wpk-sandbox.yaml").write_text(json.dumps({"policy": {"rules": [own]}}))
    assert call("explain").out.splitlines()[-1] == f"{'no-prod':32} high      no runbook for prod \\x1b[2J"
    text = call("explain", "no-prod").out
    assert text.startswith("no-prod (high, 30 points), a rule of this repository\nno runbook for prod \\x1b[2J\n")
    assert "  | spec.namespace == 'prod'\n" in text
    assert "What to do\n  Ask.\n" in text
    assert "# wpk-sandbox: allow no-prod -- " in text


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        ("shell-exhaution", "did you mean `shell-exhaustion`?"),
        ("curl", "shell-fetch-and-run"),
        ("docker.sock", "runtime-socket"),
        ("zzzz", "`wpk-sandbox explain` lists all"),
        ("", "`wpk-sandbox explain` lists all"),
        ("(", "shell-fork-bomb"),
    ],
)
def test_a_rule_that_is_not_there_leads_to_one_that_is(call: Call, written: str, remedy: str) -> None:
    ended = call("explain", written)
    assert ended.code == 2
    assert remedy in ended.err


def _commit(folder: Path, *first: str) -> str:
    """Commit all; gives the revision."""
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    calls = [[*first]] if first else []
    for arguments in [*calls, ["add", "."], [*identity, "commit", "-q", "-m", "change"]]:
        subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
    return head.stdout.strip()
