"""Secrets that are seen from outside a program: in its memory, its environment, its traffic, its settings."""

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.secret import Kind, Secret

# Programs whose memory is nothing but keys and passwords.
_KEEPERS = Pattern(
    r"\b(?:sshd?|ssh-agent|gpg-agent|gnome-keyring\S*|keyring|vault|sssd|login|su|sudo|passwd|kubelet|kube-apiserver|etcd"
    r"|lsass\S*|keepassxc?|1password|bitwarden|secretsmanager\S*|spire-agent|teleport|openvpn|wg-quick)\b"
)
_CORE = Pattern(r"(?:^|/)core(?:\.|$)|\.(?:core|dmp|dump|hprof|mdmp|vmem)(?:$|\.)|/memdump|\$\w*[cC]ore")
_TOOLS = names(
    "mimipenguin mimipenguin.sh lazagne laZagne.py linpeas linpeas.sh linenum.sh secretsdump.py"
    " impacket-secretsdump john hashcat unshadow hydra mimikatz pypykatz gosecretsdump kubeletctl peirates"
)
_ENVIRONMENT_OF_ALL = Pattern(r"[a-df-z]*e[a-df-np-z]*")
_OUTPUTS = names("yaml json")


def seen(command: Command) -> Secret | None:
    """The secret that a command shows by looking into another program, or the settings that hold one."""
    if command.name in _TOOLS:
        return Secret(Kind.FILE, "passwords, which is all that this program is for")
    check = _CHECKS.get(command.name)
    return check(command) if check is not None else None


def _dumped(command: Command) -> Secret | None:
    """`gcore`, `gdb -p`, `strace -p`: of a program that keeps keys."""
    words = [word for word in command.arguments if not word.when_empty.startswith("-")]
    named = [inner for word in words for piece in word.unknown for inner in piece.commands[:8]]
    texts = [each.when_empty for inner in named if inner.name in ("pgrep", "pidof") for each in inner.arguments]
    texts += [word.when_empty for word in words]
    found = next((match[0] for text in texts if (match := _KEEPERS.search(text))), "")
    if command.name in ("gdb", "strace", "ltrace", "bpftrace") and not _attaches(command):
        return None
    return Secret(Kind.FILE, f"the memory of {found}") if found else None


def _attaches(command: Command) -> bool:
    options = parse(command.arguments, names("p e s o ex batch-ex x"))
    texts = " ".join(word.when_empty for word in command.arguments)
    return options.has("p") and (command.name != "gdb" or "dump" in texts or "gcore" in texts or "print" in texts)


def _strings(command: Command) -> Secret | None:
    paths = [word.template("$core") if word.unknown else word.when_empty for word in command.arguments]
    cores = any(_CORE.search(path) for path in paths if not path.startswith("-"))
    return Secret(Kind.SETTINGS, "secrets in the memory of a program") if cores else None


def _sniffed(command: Command) -> Secret | None:
    options = parse(command.arguments, names("i c w r s C G W F B y z"))
    shows = options.has("A", "X", "XX", "x") and not options.has("w")
    return Secret(Kind.SETTINGS, "passwords in what goes over the network") if shows or _grabs(command) else None


def _grabs(command: Command) -> bool:
    """Sniffers that show what they find: `ngrep -q 'passw'`, `tshark -e http.authorization`."""
    texts = " ".join(word.when_empty for word in command.arguments)
    return command.name in ("ngrep", "tshark", "dsniff", "ettercap", "bettercap") and "-w " not in texts


def _processes(command: Command) -> Secret | None:
    first = command.arguments[0].when_empty if command.arguments else ""
    every = _ENVIRONMENT_OF_ALL.fullmatch(first) is not None
    return Secret(Kind.FILE, "the environment of every process") if every else None


def _configured(command: Command) -> Secret | None:
    """What shows the environment of containers and units, and the settings of releases."""
    words = [word.when_empty for word in command.arguments if not word.when_empty.startswith("-")]
    line = " ".join(word.when_empty for word in command.arguments)
    shows = {
        "docker": "inspect" in words or words[:2] == ["compose", "config"] or ("exec" in words and "env" in words),
        "kubectl": bool({"get", "describe"} & set(words[:1]))
        and ("describe" in words or bool(_OUTPUTS & set(words))),
        "helm": words[:1] == ["get"],
        "systemctl": "show" in words or "cat" in words or "show-environment" in words,
        "aws": bool({"get-function-configuration", "describe-task-definition", "get-function"} & set(words)),
        "gcloud": "describe" in words,
        "crictl": "inspect" in words,
        "journalctl": False,
    }
    name = {"podman": "docker", "nerdctl": "docker", "oc": "kubectl"}.get(command.name, command.name)
    wide = shows.get(name, False) or ("-o" in line and "yaml" in line and name == "kubectl")
    return Secret(Kind.SETTINGS, "passwords among settings") if wide else None


_CHECKS = {
    **dict.fromkeys(("gcore", "gdb", "strace", "ltrace", "procdump", "bpftrace"), _dumped),
    "strings": _strings,
    **dict.fromkeys(("tcpdump", "ngrep", "tshark", "dsniff", "ettercap", "bettercap"), _sniffed),
    "ps": _processes,
    **dict.fromkeys(
        ("docker", "podman", "nerdctl", "kubectl", "oc", "helm", "systemctl", "aws", "gcloud", "crictl"),
        _configured,
    ),
}
