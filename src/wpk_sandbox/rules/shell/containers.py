"""Commands that clients start in containers and on other machines: `kubectl exec`, `docker run`, `ansible -a`."""

from collections.abc import Iterator

from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.started import Started, text_of
from wpk_sandbox.rules.shell.words import Word

_KUBECTL = names(
    "n namespace context cluster user kubeconfig s server token as as-group request-timeout v c container f"
    " filename pod-running-timeout image l selector labels env restart overrides port profile target annotations"
)
# https://docs.docker.com/reference/cli/docker/ : options with a value, those of the client itself first
_DOCKER = names(
    "H host c context config l log-level tlscacert tlscert tlskey root url connection namespace n address a"
)
_DOCKER_RUN = names(
    "a add-host annotation attach blkio-weight cap-add cap-drop cgroup-parent cgroupns cidfile c cpu-shares cpus"
    " cpuset-cpus cpuset-mems device device-cgroup-rule dns dns-option dns-search domainname e env env-file expose"
    " gpus group-add health-cmd health-interval health-retries h hostname ip ip6 ipc isolation l label label-file"
    " link log-driver log-opt mac-address m memory memory-reservation memory-swap mount name network net"
    " oom-score-adj pid pids-limit platform p publish pull restart runtime security-opt shm-size stop-signal"
    " entrypoint stop-timeout storage-opt sysctl tmpfs ulimit u user userns uts v volume"
    " volume-driver volumes-from w workdir"
)
_DOCKER_EXEC = names("e env u user w workdir env-file detach-keys index")
_COMPOSE = names("f file p project-name profile env-file project-directory ansi parallel")


def kubectl(command: Command) -> Iterator[Started]:
    """`kubectl exec pod -- rm -rf /`, also without the `--`; `run` and `debug` too."""
    words = command.arguments
    values = [word.value for word in words]
    operands = parse(words, _KUBECTL).operands
    if not operands or not {"exec", "run", "debug", "rsh"} & {word.value for word in operands[:2]}:
        return
    if "--" in values:
        started = words[values.index("--") + 1 :]
    elif operands[0].value in ("exec", "rsh"):
        # Everything from the pod on, options of the other command included.
        rest = parse(words[values.index(operands[0].value) + 1 :], _KUBECTL, first_operand_ends=True)
        started = rest.operands[1:]
    else:
        return
    if started:
        yield started


def docker(command: Command) -> Iterator[Started]:
    """`docker exec container command`, `docker run image command`, and the same by `compose`."""
    operands = parse(command.arguments, _DOCKER, first_operand_ends=True).operands
    if operands and operands[0].value == "compose":
        yield from _composed(operands[1:])
        return
    if operands and operands[0].value in ("container", "task", "tasks", "t"):
        operands = operands[1:]
    verb = operands[0].value if operands else ""
    if verb in ("exec", "run", "create"):
        takes = _DOCKER_EXEC if verb == "exec" else _DOCKER_RUN
        yield from _in_container(operands[1:], takes | {"exec-id"} if command.name == "ctr" else takes)


def compose(command: Command) -> Iterator[Started]:
    """`docker-compose exec service command`."""
    yield from _composed(command.arguments)


def _composed(words: tuple[Word, ...]) -> Iterator[Started]:
    operands = parse(words, _COMPOSE, first_operand_ends=True).operands
    if operands and operands[0].value in ("exec", "run"):
        yield from _in_container(operands[1:], _DOCKER_RUN | _DOCKER_EXEC)


def _in_container(words: tuple[Word, ...], takes: frozenset[str]) -> Iterator[Started]:
    options = parse(words, takes, first_operand_ends=True)
    entry = options.value("entrypoint")
    rest = options.operands[1:]
    if entry is not None and entry.value:
        yield (entry, *rest)
    elif rest and not rest[0].when_empty.startswith("-"):
        yield rest


def lxc(command: Command) -> Iterator[Started]:
    """`lxc exec container -- command`."""
    words = command.arguments
    values = [word.value for word in words]
    if "--" in values:
        started = words[values.index("--") + 1 :]
        if started:
            yield started


def ansible(command: Command) -> Iterator[Started]:
    """`ansible hosts -m shell -a '…'`; its default module runs commands too."""
    options = parse(
        command.arguments, names("m a i u e l f module-name args inventory user extra-vars limit forks")
    )
    module, script = options.value("m", "module-name"), options.value("a", "args")
    if script is not None and (module is None or module.when_empty.rpartition(".")[2] in _RUNS):
        yield text_of((script,))


def salt(command: Command) -> Iterator[Started]:
    """`salt '*' cmd.run '…'`."""
    values = [word.value for word in command.arguments]
    for index, value in enumerate(values[:-1]):
        if value in ("cmd.run", "cmd.shell", "cmd.run_all"):
            yield text_of(command.arguments[index + 1 : index + 2])


_RUNS = names("shell command raw")

CLIENTS = {
    **dict.fromkeys(("kubectl", "oc", "k"), kubectl),
    **dict.fromkeys(("docker", "podman", "nerdctl", "crictl", "ctr"), docker),
    **dict.fromkeys(("docker-compose", "podman-compose"), compose),
    **dict.fromkeys(("lxc", "lxc-attach", "incus", "multipass"), lxc),
    "ansible": ansible,
    "salt": salt,
}
