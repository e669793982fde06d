"""Commands that run on other machines (`aws ssm`, `pdsh`) and in other terminals (`tmux`, `screen`)."""

import json
from collections.abc import Iterator

from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.started import Started, Text, text_of
from wpk_sandbox.rules.shell.words import Word

MOST_COMMANDS = 16

_CLOUD = names("command scripts zone project tunnel c commands region profile")
_SSM = names("parameters command profile region instance-ids document-name targets cluster task container comment")
# Clients for many machines: options with a value, and the operands (a host, a query) before the command.
_MANY = {
    "pssh": (names("h hosts H host l user p par o outdir e errdir t timeout O option x args X extra-arg"), 0),
    "parallel-ssh": (names("h hosts H host l user p par o outdir e errdir t timeout O option x args"), 0),
    "pdsh": (names("w x g G l f t u R"), 0),
    "clush": (names("w x g X l f t u o"), 0),
    "mosh": (names("p port ssh server predict family"), 1),
    "knife": (names("x P p a C i G A ssh-user ssh-port attribute concurrency"), 2),
    "fab": (names("H hosts u user i"), 0),
    "heroku": (names("a app r remote s size e env"), 1),
}
_TMUX = names("t target s n c e F x y L S f")
_TMUX_STARTS = names(
    "new new-session neww new-window splitw split-window respawnp respawn-pane respawnw respawn-window run"
    " run-shell display-popup popup if if-shell"
)
_KEYS = frozenset({"Enter", "C-m", "C-c", "C-j", "KPEnter"})


def aws(command: Command) -> Iterator[Started]:
    """`aws ssm send-command --parameters commands=…`, `aws ecs execute-command --command …`."""
    options = parse(command.arguments, _SSM)
    verbs = [word.value for word in options.operands[:2]]
    if verbs == ["ecs", "execute-command"] and (script := options.value("command")) is not None:
        yield text_of((script,))
    given = options.value("parameters")
    if verbs == ["ssm", "send-command"] and given is not None:
        yield from _sent(given)


def _sent(given: Word) -> Iterator[Text]:
    """The parameter `commands` of a document, in the short form or as JSON."""
    text = given.when_empty
    if not text.lstrip().startswith("{"):
        if text.startswith("commands="):
            yield text_of((given.after(len("commands=")),))
        return
    try:
        scripts = json.loads(text).get("commands", ())
    except (ValueError, AttributeError, RecursionError):
        return
    for script in scripts[:MOST_COMMANDS] if isinstance(scripts, list) else ():
        if isinstance(script, str):
            start = given.span[0]
            yield Text(script, [start] * (len(script) + 1))


def cloud(command: Command) -> Iterator[Started]:
    """`gcloud compute ssh … --command '…'`, or behind `--`; `az vm run-command invoke --scripts '…'`."""
    script = parse(command.arguments, _CLOUD).value("command", "scripts", "c", "C")
    values = [word.value for word in command.arguments]
    if script is not None:
        yield text_of((script,))
    elif "ssh" in values and "--" in values:
        started = parse(command.arguments[values.index("--") + 1 :], names("L R D i p o"), first_operand_ends=True)
        if started.operands:
            yield text_of(started.operands)


def fly(command: Command) -> Iterator[Started]:
    """`fly ssh console -C '…'`."""
    script = parse(command.arguments, names("C command a app s machine")).value("C", "command")
    if script is not None:
        yield text_of((script,))


def many(command: Command) -> Iterator[Started]:
    """`pdsh -w web[1-9] …`, `knife ssh 'role:web' …`: what further operands make is one script."""
    takes, skips = _MANY[command.name]
    words = command.arguments
    if command.name == "mosh" and any(word.value == "--" for word in words):
        words = words[[word.value for word in words].index("--") :]
        skips = 0
    operands = parse(words, takes, first_operand_ends=not skips).operands[skips:]
    if operands:
        yield text_of(operands)


def machine(command: Command) -> Iterator[Started]:
    """`machinectl shell user@machine command`."""
    takes = names("M machine H host uid E setenv p property")
    operands = parse(command.arguments, takes, first_operand_ends=True).operands
    if operands and operands[0].value == "shell" and len(operands) > 2:
        yield parse(operands[1:], takes, first_operand_ends=True).operands[1:]


def nspawn(command: Command) -> Iterator[Started]:
    """`systemd-nspawn -D folder command`."""
    takes = names("D directory M machine i image u user bind bind-ro E setenv p port network-bridge template")
    operands = parse(command.arguments, takes, first_operand_ends=True).operands
    if operands:
        yield operands


def tmux(command: Command) -> Iterator[Started]:
    """`tmux new-session -d '…'`, and the keys of `send-keys`."""
    operands = parse(command.arguments, names("L S f"), first_operand_ends=True).operands
    verb = operands[0].value if operands else None
    words = parse(operands[1:], _TMUX, first_operand_ends=True).operands
    if verb in ("send-keys", "send"):
        words = tuple(word for word in words if word.value not in _KEYS)
    elif verb not in _TMUX_STARTS:
        return
    if words:
        yield text_of(words)


def screen(command: Command) -> Iterator[Started]:
    """`screen -dmS name command`, and `screen -X stuff '…'`."""
    options = parse(command.arguments, names("S s t c h e p T X"), first_operand_ends=True)
    sent = options.value("X")
    words = options.operands
    if sent is not None and sent.value == "stuff":
        if words:
            yield text_of(words[:1])
    elif sent is None and words and options.has("d", "D", "m", "S"):
        yield words


CLIENTS = {
    "aws": aws,
    **dict.fromkeys(("gcloud", "az", "vagrant"), cloud),
    **dict.fromkeys(("fly", "flyctl"), fly),
    **dict.fromkeys(_MANY, many),
    "machinectl": machine,
    "systemd-nspawn": nspawn,
    "tmux": tmux,
    "screen": screen,
}
