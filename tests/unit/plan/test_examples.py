"""The packages of `examples/` load without a finding, plan completely, and tidy up after themselves."""

import re
import subprocess
from pathlib import Path

import pytest

from wpk_sandbox.package.case import load_cases
from wpk_sandbox.package.load import load_file
from wpk_sandbox.package.package import Case, Package, ShellAction
from wpk_sandbox.plan.plan import Fidelity, Plan
from wpk_sandbox.plan.planner import PlanOptions, plan

ROOT = Path(__file__).parents[3]
FILES = sorted(path.name for path in (ROOT / "examples").glob("*.wpk.yaml"))
UNSAFE = "unsafe-cleanup.wpk.yaml"
SHELL_ONLY = ["clean-host-tmp.wpk.yaml", "verify-backup.wpk.yaml"]


def loaded(file: str) -> Package:
    answer = load_file(ROOT / "examples" / file, display=f"examples/{file}", root=ROOT)
    assert answer.findings == ()
    (package,) = answer.packages
    return package


def cases(package: Package) -> tuple[Case, ...]:
    found, findings = load_cases(package, ROOT)
    assert findings == ()
    return found


def plans(file: str, sandbox: str) -> list[Plan]:
    package = loaded(file)
    return [plan(package, case, PlanOptions(sandbox)) for case in cases(package)]


@pytest.mark.parametrize("file", FILES)
def test_an_example_has_a_description_an_author_and_its_own_name(file: str) -> None:
    package = loaded(file)
    assert f"{package.name}.wpk.yaml" == file
    assert len(package.description) > 40
    assert package.author
    assert package.document.text.startswith("# yaml-language-server: $schema=../schema/wpk.schema.json\n")


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("sandbox", ["local", "container", "kind"])
def test_no_step_of_an_example_is_skipped(file: str, sandbox: str) -> None:
    for made in plans(file, sandbox):
        assert made.steps
        assert not [step.reason for step in (*made.steps, *made.rollback) if step.fidelity is Fidelity.SKIPPED]


@pytest.mark.parametrize("file", [file for file in FILES if file != UNSAFE])
def test_a_safe_example_has_a_rollback_and_short_timeouts(file: str) -> None:
    package = loaded(file)
    assert package.rollback.enabled
    assert package.rollback.handlers
    for made in plans(file, "kind"):
        limits = {step.timeout for step in (*made.steps, *made.rollback) if step.fidelity is Fidelity.EXECUTED}
        assert max(limits) <= 60


@pytest.mark.parametrize("file", [file for file in FILES if file not in SHELL_ONLY and file != UNSAFE])
def test_the_first_case_of_an_example_provides_every_object_that_it_acts_on(file: str) -> None:
    package = loaded(file)
    case_file = ROOT / "examples" / file.replace(".wpk.yaml", ".wpk.test.yaml")
    made = plan(package, cases(package)[0], PlanOptions("kind"))
    needy = {"rolling-restart.wpk.yaml": ["Deployment"]}.get(file, [])
    assert [one["kind"] for one in made.stand_ins] == needy
    assert case_file.exists() == (file not in ("rolling-restart.wpk.yaml", "migrate-database.wpk.yaml"))


def test_examples_use_only_images_that_everybody_has() -> None:
    images = {image for file in FILES if file != UNSAFE for made in plans(file, "kind") for image in made.images}
    assert images == {"busybox:1.36"}


def test_the_readme_has_a_row_for_each_example_and_no_other() -> None:
    text = (ROOT / "examples/README.md").read_text()
    rows = re.findall(r"^\| \[([a-z0-9-]+)\]\(([a-z0-9.-]+)\)", text, re.MULTILINE)
    assert sorted(file for _, file in rows) == FILES
    assert all(file == f"{name}.wpk.yaml" for name, file in rows)


def commands(made: Plan) -> list[str]:
    actions = [step.step.action for step in (*made.steps, *made.rollback)]
    assert all(isinstance(action, ShellAction) for action in actions)
    return [action.command for action in actions if isinstance(action, ShellAction)]


def in_one_shell(steps: list[str]) -> subprocess.CompletedProcess[str]:
    """Each command in an `sh` of its own, all with the same fresh `/tmp` and no network.

    Of the host it sees programs alone: below `/` mounts come and go, which fails a bind of all of it.
    """
    script = "\n".join(f"sh -c {quoted(step)} || exit 1" for step in steps)
    links = [word for name in ("bin", "lib", "lib64", "sbin") for word in ("--symlink", f"usr/{name}", f"/{name}")]
    host = ["--ro-bind", "/usr", "/usr", *links, "--ro-bind", "/etc", "/etc"]
    argv = ["bwrap", *host, "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--unshare-all"]
    return subprocess.run([*argv, "sh", "-c", script], capture_output=True, text=True, timeout=60, check=False)


def quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


@pytest.mark.needs("bwrap")
@pytest.mark.parametrize("file", SHELL_ONLY)
def test_the_commands_of_a_shell_example_work_and_their_rollback_leaves_nothing(file: str) -> None:
    (made,) = plans(file, "local")
    done = in_one_shell([*commands(made), "find /tmp -mindepth 1"])
    assert (done.returncode, done.stderr) == (0, "")
    assert not [line for line in done.stdout.splitlines()[-1:] if line.startswith("/tmp/")]


@pytest.mark.needs("bwrap")
@pytest.mark.parametrize("file", SHELL_ONLY)
def test_without_its_rollback_a_shell_example_leaves_something(file: str) -> None:
    (made,) = plans(file, "local")
    done = in_one_shell([*commands(made)[: len(made.steps)], "find /tmp -mindepth 1"])
    assert done.returncode == 0
    assert [line for line in done.stdout.splitlines()[-1:] if line.startswith("/tmp/")]


@pytest.mark.needs("bwrap")
def test_a_damaged_backup_does_not_verify() -> None:
    (made,) = plans("verify-backup.wpk.yaml", "local")
    steps = commands(made)
    damage = "printf x >> /tmp/verify-backup/backup.tar.gz"
    assert in_one_shell(steps[:5]).returncode == 0
    assert in_one_shell([*steps[:2], damage, *steps[2:5]]).returncode == 1


def test_the_unsafe_example_is_unsafe_in_the_ways_that_it_says() -> None:
    text = loaded(UNSAFE).document.text
    assert "rm -rf /" in text
    assert "privileged: true" in text
