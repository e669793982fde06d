"""`required_permissions`, held against what the actions ask for."""

from collections.abc import Iterator

from wpk_sandbox.finding import Finding, Rule, Severity
from wpk_sandbox.package.package import ApiAction, ContainerAction, ShellAction
from wpk_sandbox.rules import kubectl
from wpk_sandbox.rules.acts import Act, acts
from wpk_sandbox.rules.permission import Need, Permission, needs, read, uses
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell.options import names
from wpk_sandbox.rules.subject import Subject

MISSING = Rule(
    "permission-missing",
    Severity.MEDIUM,
    "An action needs a permission that the package does not list",
    "The service account is made from `required_permissions`. What is missing there fails with *forbidden* in"
    " production, half-way through; and in a dry run, whose steps act with these permissions alone. What"
    " `kubectl` and `helm` ask for in scripts counts too.",
    "Add the permission to `required_permissions`. A package without the list says nothing, and nothing is held"
    " against it.",
    points=POINTS[Severity.MEDIUM],
)
UNUSED = Rule(
    "permission-unused",
    Severity.LOW,
    "The package lists a permission that none of its actions needs",
    "Whoever takes over the runbook has these rights too. Each one that nothing needs is only good for that.",
    "Remove it from `required_permissions`. Nothing is said beside a script, an image or a file"
    " that may ask for more.",
    cwe=272,
    points=POINTS[Severity.LOW],
)

RULES = (MISSING, UNUSED)

# Nobody reads a longer list; and each permission is held against each action.
_MOST = 500
_PLACE = "/spec/validation/required_permissions"
# Programs that do not talk to the Kubernetes API; of any other a script may need every permission. What starts
# another program (`timeout 60 kubectl …`) is read with that one.
_APART = names(
    "timeout nice ionice nohup env time command sudo sh bash dash ash exec eval busybox : let local declare"
    " readonly wait kill jobs ps pgrep seq expr bc rev paste comm join fold column od xxd base64 md5 sha1sum"
    " sha512sum envsubst printenv getent nproc uname whoami tty stty tput clear break continue type which hash"
    " umask ulimit readlink realpath stat file touch truncate mount findmnt lsblk vmstat iostat mpstat netstat ss"
    " lsof top rm rmdir mkdir mv cp ln chmod chown echo printf cat test [ [[ true false set cd sleep date exit"
    " export grep egrep sed awk find tar gzip gunzip zcat sha256sum md5sum wc sort uniq cut tr head tail df du ls"
    " read dirname basename diff free uptime hostname id logger jq yq trap return shift tee xargs mktemp psql"
    " pg_dump pg_restore pg_isready mysql mysqldump redis-cli systemctl journalctl vacuumdb"
)


def check(subject: Subject) -> Iterator[Finding]:
    """Permissions that are missing, and those that are too many."""
    if subject.written(_PLACE) is None:
        return
    listed = [read(text) for text in subject.package.required_permissions]
    done = [act for step in subject.steps for act in acts(step, subject.package.files)]
    called, readable = _called(subject)
    done += called
    if len(done) > _MOST or len(listed) > _MOST:
        return
    if all(listed):
        yield from _missing(subject, done, [one for one in listed if one])
    if readable and _all_is_seen(subject, done):
        yield from _unused(subject, done, listed)


def _missing(subject: Subject, done: list[Act], listed: list[Permission]) -> Iterator[Finding]:
    """One finding that names every permission that is missing, with the first step that needs it."""
    lacking: dict[str, Need] = {}
    for act in done:
        for need in needs(act):
            if not any(one.allows(wanted) for one in listed for wanted in need.any_of):
                lacking.setdefault(str(need.any_of[0]), need)
    if lacking:
        words = ", ".join(f"`{name}` (for {need.act.step.name})" for name, need in lacking.items())
        fix = f"Add {', '.join(f'`{name}`' for name in lacking)}."
        yield subject.finding(MISSING, _PLACE, f"the permissions lack {words}", fix, key=True)


def _unused(subject: Subject, done: list[Act], listed: list[Permission | None]) -> Iterator[Finding]:
    for index, permission in enumerate(listed):
        if permission is not None and not any(uses(act, permission) for act in done):
            message = f"no action needs `{subject.package.required_permissions[index]}`"
            yield subject.finding(UNUSED, f"{_PLACE}/{index}", message)


def _called(subject: Subject) -> tuple[list[Act], bool]:
    """What the scripts of the steps ask of the API, and whether that is all that they may ask.

    The containers of manifests have service accounts of their own.
    """
    done: list[Act] = []
    readable = True
    for text in subject.scripts:
        if not isinstance(text.step.action, ShellAction | ContainerAction):
            continue
        commands = text.script.commands
        own = {name for command in commands for name in command.functions}
        calls = [kubectl.call(command, text.step) for command in commands if kubectl.is_client(command)]
        done += [act for call in calls for act in call.acts]
        others = {command.name for command in commands if not kubectl.is_client(command)} - own
        readable = readable and not text.script.problems and others <= _APART and all(call.whole for call in calls)
    return done, readable


def _all_is_seen(subject: Subject, done: list[Act]) -> bool:
    """True when every request to the API is known: no call, file or image may make others."""
    actions = [step.action for step in subject.steps]
    if not all(act.kinds or act.verb == "metrics" for act in done):
        return False
    if any(isinstance(action, ContainerAction) for action in actions):
        return False
    if any(isinstance(action, ApiAction) and "kubernetes" in action.url for action in actions):
        return False
    return bool(done) or any(isinstance(action, ShellAction) for action in actions)
