"""Every shell is closed, and the probes that say so can tell an open one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from shell_suite import BUSYBOX, LIMITS, PROVIDERS, Kind

from wpk_sandbox import command
from wpk_sandbox.sandbox import canary, daemon
from wpk_sandbox.sandbox.gate.netlink import NAME as GATE
from wpk_sandbox.sandbox.sandbox import Completed, SandboxSpec, Shell, ShellAccess
from wpk_sandbox.sandbox.shells import probe

Run = Callable[..., Completed]
Open = Callable[[str], str]

# What an open shell gives away. `/tmp` is one: it runs programs.
COMMON = {"user", "capabilities", "new privileges", "root file system", "/tmp"}


@pytest.fixture(scope="module")
def open_shell(kind: Kind) -> Iterator[Open]:
    """The positive control: the same way to have a shell, with nothing closed; gives what a command prints."""
    if kind.provider.name == "docker":
        yield from _open_container(kind)
    else:
        yield _open_namespaces


def _open_container(kind: Kind) -> Iterator[Open]:
    ledger = kind.ledger()
    api = daemon.client().api
    host = api.create_host_config(network_mode="bridge", privileged=True, tmpfs={"/tmp": "exec", "/workspace": ""})
    options = {"entrypoint": ["sh", "-c", "sleep 600"], "host_config": host}
    with daemon.container(
        ledger, daemon.resource_name(ledger, "open"), kind.spec.shell_image, **options
    ) as container:
        api.start(container)

        def run(script: str) -> str:
            created = api.exec_create(
                container, ["sh", "-c", script], user="0", environment={"CANARY_INSIDE": "yes"}
            )
            return api.exec_start(created["Id"]).decode()

        yield run


def _open_namespaces(script: str) -> str:
    links = [part for name in ("bin", "lib", "lib64") for part in ("--symlink", f"usr/{name}", f"/{name}")]
    root = [
        "--tmpfs",
        "/",
        "--ro-bind",
        "/usr",
        "/usr",
        *links,
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--tmpfs",
        "/tmp",
    ]
    argv = ["bwrap", *root, "--unshare-user", "--uid", "0", "--cap-add", "ALL", "sh", "-c", script]
    return command.run(argv, timeout=20).stdout


def test_all_evidence_holds(kind: Kind, shell: Shell) -> None:
    evidence = shell.evidence()
    assert [item for item in evidence if not item.held] == []
    probes = {item.probe for item in evidence}
    assert probes >= COMMON | {"network", "daemon sockets", "memory limit", "process limit"}
    assert len(probes) == len(evidence)
    ways_out = canary.next_hop() is not None or kind.provider.name == "docker"
    if kind.provider.name != "landlock":
        assert ("canary: host's gateway" in probes) is ways_out


@pytest.mark.usefixtures("namespaces")
def test_the_same_probes_do_not_hold_in_an_open_shell(kind: Kind, open_shell: Open) -> None:
    answers = probe.Answers(open_shell(probe.POSTURE))
    found = [
        *probe.common_evidence(answers),
        probe.network_evidence(answers),
        *probe.group_limits_evidence(answers, kind.spec.limits),
    ]
    held = {item.probe for item in found if item.held}
    # bubblewrap always forbids new privileges and the kernel's switches; an open shell has no daemon's socket either.
    always = {"new privileges", "kernel's switches"} if kind.provider.name == "bubblewrap" else set()
    assert held <= {"daemon sockets"} | always


def test_evidence_is_not_held_when_nothing_could_be_measured() -> None:
    answers = probe.Answers("")
    assert not probe.network_evidence(answers).held
    assert {item.probe for item in probe.common_evidence(answers) if item.held} <= {"daemon sockets"}


@pytest.mark.usefixtures("namespaces")
def test_only_the_loopback_and_the_gate_are_there(sh: Run, open_shell: Open) -> None:
    names = "while read -r name rest; do case $name in *:*) echo ${name%%:*} ;; esac; done </proc/net/dev"
    assert set(open_shell(names).split()) - {"lo"}, "the control has a network"
    assert set(sh(names).stdout.split()) <= {"lo", GATE}


@pytest.mark.usefixtures("namespaces")
def test_no_route_leads_past_the_gate(sh: Run, open_shell: Open) -> None:
    routes = "while read -r name rest; do echo $name; done </proc/net/route"
    assert set(open_shell(routes).split()) - {"Iface", GATE}, "the control has a route"
    assert set(sh(routes).stdout.split()) <= {"Iface", GATE}


def test_user_is_nobody_on_the_host(sh: Run) -> None:
    assert sh("id -u; id -g").stdout == "65532\n65532\n"


@pytest.mark.parametrize("folder", ["/", "/etc", "/usr/bin", "/dev"])
def test_root_is_read_only(sh: Run, folder: str) -> None:
    completed = sh(f": >{folder}/made-here")
    assert completed.exit_code != 0
    assert sh(": >$HOME/made-here").exit_code == 0, "the control is writable"


def test_tmp_runs_no_program(sh: Run, tmp: str) -> None:
    program = "printf '#!/bin/sh\\necho ran\\n' >{0}/program; chmod 755 {0}/program; {0}/program"
    completed = sh(program.format(tmp))
    assert (completed.stdout, completed.exit_code) == ("", 126)
    assert sh(program.format("$HOME")).stdout == "ran\n"


@pytest.mark.usefixtures("namespaces")
def test_tmp_has_its_size(sh: Run) -> None:
    completed = sh("head -c 15000000 /dev/zero >/tmp/a && head -c 10000000 /dev/zero >/tmp/b; echo $?; rm /tmp/?")
    assert completed.stdout.strip() != "0"
    assert sh("head -c 15000000 /dev/zero >/tmp/a && rm /tmp/a").exit_code == 0


def test_there_are_no_capabilities_and_no_way_to_new_ones(sh: Run, kind: Kind) -> None:
    status = dict(line.split(":\t") for line in sh("cat /proc/self/status").stdout.splitlines() if ":\t" in line)
    assert [int(status[key], 16) for key in ("CapEff", "CapPrm", "CapInh", "CapAmb")] == [0, 0, 0, 0]
    # Only a capability could empty the bounding set, which means nothing where no program can gain one.
    if kind.provider.name != "landlock":
        assert (probe.capabilities(status["CapBnd"]) or set()) <= {"NET_BIND_SERVICE"}
    assert status["NoNewPrivs"] == "1"


@pytest.mark.parametrize("attempt", ["mount -t tmpfs none /tmp", "unshare -U true"])
def test_administration_is_refused(sh: Run, open_shell: Open, attempt: str) -> None:
    assert open_shell(f"{attempt} && echo granted") == "granted\n", "the control may"
    completed = sh(attempt)
    assert completed.exit_code not in (0, 127, None)


def test_our_environment_is_not_seen(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WPK_CANARY", "canary-4711")
    with kind.open() as shell:
        seen = shell.run(
            "env; cat /proc/*/environ 2>/dev/null", environment={"GIVEN": "given-42"}, timeout=20
        ).stdout
    assert "GIVEN=given-42" in seen, "the control is seen"
    assert "canary-4711" not in seen


def test_variables_are_those_that_were_given_and_a_few_of_the_shell(sh: Run) -> None:
    names = {line.partition("=")[0] for line in sh("env", GIVEN="1").stdout.splitlines()}
    of_the_image = {"SSL_CERT_FILE", "TMPDIR"}
    assert names - of_the_image <= {"PATH", "HOME", "LANG", "GIVEN", "PWD", "SHLVL", "HOSTNAME", "OLDPWD", "_"}


def test_files_of_the_host_are_not_there(sh: Run, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary-file")
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() == Path("/proc/self").owner() and folder.is_relative_to("/tmp/pytest"):
            folder.chmod(0o755)
    assert sh(f"cat {secret}").exit_code != 0
    assert sh(f"cat {Path(__file__)}").exit_code != 0
    assert sh("ls /home/* /root/.ssh /etc/shadow 2>/dev/null; cat /etc/shadow").exit_code != 0


@pytest.mark.usefixtures("namespaces")
def test_processes_of_the_host_are_not_there(sh: Run) -> None:
    assert len(sh("for id in /proc/[0-9]*; do echo $id; done").stdout.splitlines()) < 6


def test_supervising_process_is_out_of_reach(sh: Run) -> None:
    completed = sh("kill -9 1; kill -STOP 1; echo still here")
    assert completed.stdout == "still here\n"
    assert sh("echo and now").stdout == "and now\n"


@pytest.mark.usefixtures("namespaces")
def test_host_name_tells_nothing(sh: Run) -> None:
    assert sh("cat /proc/sys/kernel/hostname").stdout == "wpk\n"


@pytest.mark.parametrize(("limit", "most"), [("-n", 1024), ("-c", 0), ("-f", 64 * 1024**2)])
def test_limits_are_read_from_inside(sh: Run, limit: str, most: int) -> None:
    value = sh(f"ulimit {limit}").stdout.strip()
    unit = 512 if limit == "-f" else 1
    assert value.isdigit(), "unlimited"
    assert int(value) * unit <= most


@pytest.mark.needs("docker")
def test_access_places_files_and_variables() -> None:
    content = "a 'quoted' \"file\" with $PATH\nand ✓\n"
    access = ShellAccess({"/workspace/.kube/config": content}, {"KUBE": "yes"})
    kind = Kind(PROVIDERS["docker"], SandboxSpec(shell_image=BUSYBOX, limits=LIMITS, access=access))
    with kind.open() as shell:
        seen = shell.run("cat .kube/config; echo $KUBE", environment={}, timeout=20)
        mode = shell.run("ls -l .kube/config", environment={}, timeout=20).stdout
    assert seen.stdout == f"{content}yes\n"
    assert mode.startswith("-rw-------")
