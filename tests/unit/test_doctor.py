import subprocess
from pathlib import Path

import pytest

from wpk_sandbox import doctor
from wpk_sandbox.doctor import Check, Host, doctor_lines, examine, kernel, usable
from wpk_sandbox.doctor import ci as doctor_ci
from wpk_sandbox.doctor import docker as doctor_docker
from wpk_sandbox.doctor import host as doctor_host
from wpk_sandbox.doctor import vm as doctor_vm
from wpk_sandbox.doctor.check import from_reason
from wpk_sandbox.doctor.flaws import CONTAINERD, ENGINE, RUNC, Flaw, version_check
from wpk_sandbox.errors import UnavailableError
from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.sandbox import Limits, SandboxSpec

GIB = 1024**3
TOPICS = {"Python", "git", "sandbox local", "Docker daemon", "Docker disk", "memory", "sandbox container"}
TOPICS |= {"kind program", "node image", "inotify limits", "sandbox kind", "kubectl", "CI", "guard", "leftovers"}
TOPICS |= {
    "system calls",
    "Landlock",
    "user namespaces",
    "control groups",
    "bubblewrap",
    "gate",
    "KVM",
    "sandbox vm",
}


@pytest.fixture
def bare_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A host with no program on PATH and no Docker daemon."""
    daemon.client.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    yield tmp_path
    daemon.client.cache_clear()


def checkout(folder: Path, commits: int = 3) -> Path:
    def git(*words: str) -> None:
        subprocess.run(["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@t", *words], check=True)

    folder.mkdir()
    git("init", "-q")
    for number in range(commits):
        git("commit", "-q", "--allow-empty", "-m", str(number))
    return folder


def ci(root: Path, **environment: str) -> Check:
    return next(doctor_ci.ci(Host(SandboxSpec(), root, environment)))


def test_a_bare_host_gets_every_topic_and_no_exception(bare_host: Path) -> None:
    checks = {check.topic: check for check in examine(SandboxSpec(), root=bare_host, environment={})}
    assert set(checks) == TOPICS
    assert checks["Python"].ok is True
    for topic in ("git", "sandbox local", "Docker daemon", "sandbox container", "kind program", "sandbox kind"):
        assert checks[topic].ok is False, topic
        assert checks[topic].remedy, topic
    assert checks["kubectl"].ok is None


def test_the_first_line_says_why_a_bare_host_has_no_sandbox(bare_host: Path) -> None:
    first = doctor_lines(examine(SandboxSpec(), root=bare_host, environment={})).splitlines()[0]
    assert first.startswith(
        "local no: bubblewrap is not installed · container no: could not reach the Docker daemon"
    )


@pytest.mark.needs("bwrap")
def test_a_host_with_bubblewrap_can_use_the_local_sandbox() -> None:
    assert usable(examine(SandboxSpec(pull=False), environment={})).startswith("local yes · ")


@pytest.mark.needs("docker")
def test_a_host_with_docker_tells_its_versions() -> None:
    checks = {check.topic: check for check in examine(SandboxSpec(shell_image="any:1"), environment={})}
    assert {"runc", "containerd", "Docker isolation", "Docker users"} <= set(checks)
    assert checks["sandbox container"].ok is True
    assert "pulled at the first run" in checks["sandbox container"].found


def test_lines_are_aligned_and_show_a_remedy_only_where_something_is_wrong() -> None:
    checks = (
        Check("sandbox local", True, "fine", "never shown"),
        Check("sandbox kind", False, "kind is not installed", "install it"),
        Check("git", None, "old", "update it"),
    )
    assert doctor_lines(checks).splitlines() == [
        "local yes · kind no: kind is not installed",
        "",
        "ok       sandbox local  fine",
        "missing  sandbox kind   kind is not installed",
        "                        → install it",
        "warn     git            old",
        "                        → update it",
    ]


def test_what_programs_say_cannot_move_the_cursor_or_add_lines() -> None:
    lines = doctor_lines((Check("git", False, "a\x1b[2Jb\nok  git"),))
    assert "a?[2Jb ok git" in lines
    assert "\x1b" not in lines


@pytest.mark.parametrize(
    ("error", "ok"),
    [(UnavailableError("gone", "come back"), None), (PermissionError("no"), None), (KeyError("x"), None)],
)
def test_an_examination_that_fails_becomes_a_line(error: Exception, ok: bool | None) -> None:
    def look(host: Host):
        raise error
        yield

    (check,) = doctor._examined("memory", look, Host(SandboxSpec(), Path(), {}))
    assert (check.ok, bool(check.found), bool(check.remedy)) == (ok, True, True)


def test_a_sandbox_whose_examination_fails_does_not_count_as_usable() -> None:
    def look(host: Host):
        raise UnavailableError("the daemon went away")
        yield

    checks = doctor._examined("sandbox kind", look, Host(SandboxSpec(), Path(), {}))
    assert usable(tuple(checks)) == "kind no: the daemon went away"


def test_a_reason_is_split_into_what_and_remedy() -> None:
    assert from_reason("t", "it is gone; get it; or not", "fine") == Check(
        "t", False, "it is gone", "get it; or not"
    )
    assert from_reason("t", None, "fine") == Check("t", True, "fine")


def test_a_program_that_is_there_but_broken_is_shown_with_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "kind"
    program.write_text("#!/bin/sh\necho broken library >&2; exit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (check,) = doctor_host.kind_program(Host(SandboxSpec(), tmp_path, {}))
    assert check.ok is False
    assert "broken library" in check.found
    program.write_text("#!/bin/sh\necho kind v0.30.0 go1.26\n")
    (check,) = doctor_host.kind_program(Host(SandboxSpec(), tmp_path, {}))
    assert (check.ok, check.found) == (True, f"v0.30.0 at {program}")


def test_memory_below_what_a_cluster_may_use_is_a_warning() -> None:
    def memory(wanted: int) -> bool | None:
        return next(doctor_host.memory(Host(SandboxSpec(Limits(memory=wanted)), Path(), {}))).ok

    assert memory(1024) is True
    assert memory(2**60) is None


def test_a_whole_checkout_in_ci_is_fine_and_a_shallow_one_a_warning(tmp_path: Path) -> None:
    whole = checkout(tmp_path / "whole")
    shallow = tmp_path / "shallow"
    subprocess.run(["git", "clone", "-q", "--depth=2", f"file://{whole}", str(shallow)], check=True)
    assert ci(whole, GITHUB_ACTIONS="true") == Check("CI", True, "GitHub Actions, checkout with its whole history")
    check = ci(shallow, GITHUB_ACTIONS="true")
    assert (check.ok, "2 commits" in check.found, "fetch-depth: 0" in check.remedy) == (None, True, True)
    assert "GIT_DEPTH" in ci(shallow, GITLAB_CI="true").remedy
    assert "git fetch --unshallow" in ci(shallow).remedy


def test_an_event_with_the_repositorys_rights_is_refused(tmp_path: Path) -> None:
    whole = checkout(tmp_path / "whole", 1)
    assert ci(whole, GITHUB_ACTIONS="true", GITHUB_EVENT_NAME="pull_request_target").ok is False
    assert ci(whole, GITHUB_ACTIONS="true", GITHUB_EVENT_NAME="pull_request").ok is True


@pytest.mark.parametrize(
    ("version", "ok", "words"),
    [
        ("20.10.24+dfsg1", None, "no more fixes"),
        ("23.0.6", None, "no more fixes"),
        ("24.0.9", None, "update it to 26.0.0 or newer"),
        ("25.0.4", None, "update it to 25.0.5, or to 26.0.0"),
        ("25.0.5", True, ""),
        ("29.1", True, ""),
        ("", None, "no more fixes"),
    ],
)
def test_engines_that_are_old_or_flawed_are_a_warning(version: str, ok: bool | None, words: str) -> None:
    check = doctor_docker.engine_check({"Version": version}, {"OperatingSystem": "Debian"})
    assert check.ok is ok
    assert words in check.remedy


FLAW = Flaw("CVE-1", "a way out", ((1, 2, 8), (1, 3, 3)))


@pytest.mark.parametrize(
    ("version", "has"),
    [("1.1.99", True), ("1.2.7", True), ("1.2.8", False), ("1.3.2", True), ("1.3.3", False), ("1.4.0", False)],
)
def test_each_series_has_its_own_fix_and_an_older_one_has_none(version: str, has: bool) -> None:
    check = version_check("runc", version, (FLAW,))
    assert check.ok is (None if has else True)
    assert ("CVE-1 (a way out)" in check.found) is has


def test_a_remedy_names_the_fix_of_the_series_that_is_there() -> None:
    assert version_check("runc", "1.2.7", (FLAW,)).remedy.startswith("update it to 1.2.8, or to 1.3.3 or newer")
    assert version_check("runc", "1.1.5", (FLAW,)).remedy.startswith("update it to 1.3.3 or newer")


@pytest.mark.parametrize(
    ("flaws", "bad", "good"),
    [(RUNC, "1.1.11", "1.3.3"), (CONTAINERD, "1.6.20", "2.0.4"), (ENGINE, "24.0.9", "28.2.2")],
)
def test_the_known_flaws_are_found(flaws: tuple[Flaw, ...], bad: str, good: str) -> None:
    assert version_check("part", bad, flaws).ok is None
    assert version_check("part", good, flaws).ok is True


@pytest.mark.parametrize(
    ("component", "commit", "ok"),
    [
        ("1.1.11", "", None),
        ("1.1.12", "", None),
        ("1.3.4", "v1.1.0", True),
        (None, "v1.3.3-0-g51d5e946", True),
        (None, "1.1.5+ds1-1+deb12u1", None),
        (None, "51d5e946", None),
        (None, "", None),
    ],
)
def test_a_runc_that_lets_containers_out_is_a_warning(component: str | None, commit: str, ok: bool | None) -> None:
    components = [{"Name": "Engine", "Version": "29.0"}, {"Name": "containerd", "Version": "v2.1.5"}]
    components += [{"Name": "runc", "Version": component}] if component else []
    asked = doctor_docker.component_checks({"Components": components}, {"RuncCommit": {"ID": commit}})
    checks = {check.topic: check for check in asked}
    assert checks["containerd"].ok is True
    assert checks["runc"].ok is ok
    assert bool(checks["runc"].remedy) is (ok is None)


@pytest.mark.parametrize(
    ("options", "ok", "words"),
    [
        (["name=seccomp", "name=rootless"], True, "without root"),
        (["name=userns"], True, "are mapped"),
        (["name=apparmor"], True, "AppArmor guards too"),
        (["name=selinux"], True, "SELinux guards too"),
        (["name=seccomp"], None, "neither AppArmor nor SELinux"),
    ],
)
def test_whose_root_a_containers_root_is_is_told(options: list[str], ok: bool | None, words: str) -> None:
    check = doctor_docker.user_ids_check({"SecurityOptions": options})
    assert check.ok is ok
    assert words in check.found


def test_what_the_gate_lacks_is_named_with_its_remedy() -> None:
    def gate(tun: bool, *images: str, pull: bool = False) -> Check:
        return doctor_docker.gate_check(tun=tun, images=list(images), pull=pull)

    assert gate(True, "python:3").ok is True
    assert gate(True, pull=True).ok is True
    assert "gate_image" in gate(True).remedy
    assert (gate(False, "python:3").ok, "modprobe tun" in gate(False, "python:3").remedy) == (None, True)


def test_what_the_kernel_cannot_filter_is_a_warning() -> None:
    every = ["kill_process", "kill_thread", "trap", "errno", "user_notif", "trace", "log", "allow"]
    assert kernel.system_calls_check(every, "x86_64").ok is True
    assert kernel.system_calls_check([], "x86_64").ok is None
    old = [action for action in every if action != "user_notif"]
    assert "not recorded" in kernel.system_calls_check(old, "aarch64").found
    assert "no table" in kernel.system_calls_check(every, "riscv64").found


@pytest.mark.parametrize(
    ("switches", "ok"),
    [
        (("96365", "", ""), True),
        (("96365", "1", "0"), True),
        (("0", "", ""), None),
        (("", "", ""), None),
        (("96365", "0", ""), None),
        (("96365", "1", "1"), None),
    ],
)
def test_each_switch_that_forbids_user_namespaces_is_found(switches: tuple[str, str, str], ok: bool | None) -> None:
    most, unprivileged, restricted = switches
    check = kernel.user_namespaces_check(most=most, unprivileged=unprivileged, restricted=restricted)
    assert check.ok is ok
    assert bool(check.remedy) is (ok is None)


def test_kvm_that_does_not_work_is_a_warning_for_guests_are_emulated_then() -> None:
    assert doctor_vm.kvm_check("works").ok is True
    check = doctor_vm.kvm_check("a guest under it does not run")
    assert (check.ok, "emulated" in check.remedy) == (None, True)


def test_control_groups_without_a_controller_are_a_warning() -> None:
    assert kernel.control_groups_check(2, {"memory", "pids", "cpu", "io"}).ok is True
    check = kernel.control_groups_check(1, {"pids", "cpu"})
    assert (check.ok, "without memory" in check.found) == (None, True)


def test_limits_that_the_daemon_cannot_enforce_are_named() -> None:
    good = {"Driver": "overlay2", "CgroupVersion": "2", "SecurityOptions": ["name=seccomp,profile=default"]}
    check = doctor_docker.isolation_check(good)
    assert (check.ok, check.found) == (True, "storage overlay2, cgroup v2, security seccomp")
    check = doctor_docker.isolation_check({**good, "PidsLimit": False, "MemoryLimit": True})
    assert (check.ok, check.found.endswith("cannot limit processes")) == (None, True)
    assert doctor_docker.isolation_check({**good, "SecurityOptions": ["name=cgroupns"]}).ok is None


def test_little_room_is_a_warning_and_unseen_room_too() -> None:
    assert doctor_docker.disk_check("/var/lib/docker", 20 * GIB, 10 * GIB).ok is True
    assert doctor_docker.disk_check("/var/lib/docker", 9 * GIB, 10 * GIB).ok is None
    check = doctor_docker.disk_check("/elsewhere", None, 10 * GIB)
    assert (check.ok, "cannot be seen" in check.found) == (None, True)
