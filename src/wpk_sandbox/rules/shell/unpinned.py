"""Downloads whose content can change from one run to the next."""

import re
from collections.abc import Callable, Iterator, Sequence

from wpk_sandbox.finding import Rule, Severity
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell import engines, newest, packages
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.issue import Issue
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.words import Word

UNPINNED_DOWNLOAD = Rule(
    "shell-unpinned-download",
    Severity.MEDIUM,
    "A download has no fixed version",
    "What was tested is not what runs tomorrow: the newest version may be broken, or somebody else's. Nobody can"
    " tell afterwards which one it was.",
    "Name a version, or better a checksum or digest: `pip install requests==2.32.3`, `docker pull redis@sha256:…`,"
    " `helm install --version 1.2.3`, `git checkout v1.2.3`.",
    cwe=494,
    points=POINTS[Severity.MEDIUM],
)

RULES = (UNPINNED_DOWNLOAD,)

_PIP = names(
    "r requirement c constraint e editable t target i index-url extra-index-url f find-links python prefix root src"
    " platform proxy retries timeout trusted-host cache-dir log report only-binary no-binary progress-bar"
)
_NPM = names(
    "prefix registry loglevel w workspace cache userconfig tag omit include before network-timeout fetch-timeout"
    " fetch-retries network-concurrency cache-folder modules-folder mutex cwd C dir filter"
)
_BRANCH = r"(?:main|master|HEAD|develop|trunk|nightly)"
_MOVING = Pattern(
    rf"/latest(?:[/?.]|$)|(?<!debian/pool)(?<!ubuntu/pool)/(?:raw/)?{_BRANCH}/|/refs/heads/|/archive/{_BRANCH}\.|[?&]ref={_BRANCH}\b|[-_]latest\."
    r"|/(?:stable|current|nightly|edge|canary|snapshots?|rolling)/(?!\S*(?:\d\.\d|gpg|\.asc|\.key|\.repo|\.list|index|Release|\?))"
)
_HERE = Pattern(r"^(?:https?://)?(?:localhost|127\.|169\.254\.|\[::1\]|100\.100\.100\.200|metadata\.google)")
_LOCAL_FILE = Pattern(r"^(?:\.|/|~|file:)|\.(?:whl|tgz|tar\.gz|zip|gem|deb|rpm)$")
_VERSIONED = Pattern(r"\d")
_UNPACKS = names(
    "tar sh bash unzip bsdtar dpkg python python3 gunzip zcat cpio rpm tee apt-key gpg kubectl docker psql"
)


def check(commands: Sequence[Command]) -> Iterator[Issue]:
    """Which downloads of a script are not pinned."""
    for index, command in enumerate(commands):
        test = _TESTS.get(command.name)
        what = test(command, commands[index + 1 :]) if test is not None else ""
        what = what or packages.loose(command) or newest.taken(command)
        if what:
            yield Issue(UNPINNED_DOWNLOAD, command.span, f"`{command.shown}` {what}")


_Rest = Sequence[Command]


def _pip(command: Command, rest: _Rest) -> str:
    words = command.arguments
    values = [word.value for word in words]
    if command.name in ("uv", "python", "python3"):
        if "pip" not in values and "tool" not in values:
            return ""
        words = words[values.index("pip" if "pip" in values else "tool") + 1 :]
    options = parse(words, _PIP)
    verb = options.operands[0].value if options.operands else None
    if verb not in ("install", "download", "wheel") or options.has("require-hashes", "no-index", "e", "editable"):
        return ""
    if options.has("c", "constraint"):
        return ""
    loose = next((word for word in options.operands[1:] if _is_loose(word)), None)
    return f"takes whatever version of {loose.shown} is the newest" if loose is not None else ""


def _is_loose(word: Word) -> bool:
    """True for a requirement (PEP 508) without an exact version."""
    text = word.template("9")
    if word.pieces and not word.pieces[0].exact:
        return False
    if "git+" in text:
        return not re.search(r"\.git@[^/]*\d|@[^/@]*\d[^/@]*$", text)
    if "://" in text:
        return not _VERSIONED.search(text.rpartition("/")[2])
    return "==" not in text and not _LOCAL_FILE.search(text)


def _npm(command: Command, rest: _Rest) -> str:
    options = parse(command.arguments, _NPM)
    operands = options.operands
    verb = operands[0].value if operands else None
    if verb == "global":
        operands = operands[1:]
        verb = operands[0].value if operands else None
    if verb not in ("install", "i", "add"):
        return ""
    loose = next((word for word in operands[1:] if _is_loose_package(word)), None)
    return f"takes whatever version of {loose.shown} is the newest" if loose is not None else ""


def _is_loose_package(word: Word) -> bool:
    """True for a package of npm without a version: `name`, `@scope/name`, `name@latest`."""
    text = word.template("9")
    if (word.pieces and not word.pieces[0].exact) or _LOCAL_FILE.search(text):
        return False
    version = text[1:].partition("@")[2]
    return not _VERSIONED.search(version)


def _npx(command: Command, rest: _Rest) -> str:
    options = parse(command.arguments, names("p package c call"), first_operand_ends=True)
    if not options.has("y", "yes"):
        return ""
    word = options.value("p", "package") or (options.operands[0] if options.operands else None)
    return f"runs whatever version of {word.shown} is the newest" if word and _is_loose_package(word) else ""


def _gem(command: Command, rest: _Rest) -> str:
    options = parse(command.arguments, names("v version s source i install-dir"))
    if not options.operands or options.operands[0].value != "install" or options.has("v", "version"):
        return ""
    loose = [word for word in options.operands[1:] if ":" not in word.when_empty and _is_loose(word)]
    return f"takes whatever version of {loose[0].shown} is the newest" if loose else ""


def _go(command: Command, rest: _Rest) -> str:
    moving = [word for word in command.arguments if word.when_empty.endswith(("@latest", "@main", "@master"))]
    verbs = {word.value for word in command.arguments[:1]}
    return f"takes whatever {moving[0].shown} is" if moving and verbs & {"install", "get", "run"} else ""


def _cargo(command: Command, rest: _Rest) -> str:
    options = parse(command.arguments, names("version vers git branch tag rev path root"))
    if not options.operands or options.operands[0].value != "install":
        return ""
    pinned = options.has("version", "vers", "tag", "rev", "path") or any(
        "@" in w.when_empty for w in options.operands
    )
    named = options.operands[1:] or options.values.get("git", ())
    return f"takes whatever version of {named[0].shown} is the newest" if named and not pinned else ""


def _fetch(command: Command, rest: _Rest) -> str:
    """A file from an address that always has the newest one, unless a checksum is compared afterwards."""
    moving = [
        word
        for word in command.arguments
        if "/" in word.when_empty and _MOVING.search(word.when_empty) and not _HERE.match(word.when_empty)
    ]
    moving = [
        word for word in moving if "://" in word.when_empty or not word.when_empty.startswith(("/", ".", "-"))
    ]
    if not moving or not _keeps(command, rest) or any(_verifies(each) for each in rest):
        return ""
    return f"downloads whatever {moving[0].shown} is at the moment"


def _keeps(command: Command, rest: _Rest) -> bool:
    """True when a download becomes a file, or goes into a program that unpacks or runs it."""
    if any(each.writes and each.target.value != "/dev/null" for each in command.redirects):
        return True
    if command.piped:
        return any(each.name in _UNPACKS for each in rest if command in each.upstream)
    options = parse(command.arguments, names("o output output-document H d X u A e"))
    target = options.value("o", "output") if command.name == "curl" else None
    if command.name == "curl":
        return options.has("O", "remote-name") or (target is not None and target.value not in ("-", "/dev/null"))
    to_output = any(
        re.fullmatch(r"-[a-zA-Z]*O-?|--output-document=-", word.when_empty) for word in command.arguments
    )
    return not to_output or not any(word.value in ("-", "-O-", "-qO-", "/dev/null") for word in command.arguments)


def _verifies(command: Command) -> bool:
    values = {word.value for word in command.arguments}
    match command.name:
        case "sha256sum" | "sha512sum" | "sha1sum" | "shasum" | "md5sum" | "b2sum":
            return bool(values & {"-c", "--check", "-"}) or "256" in values
        case "gpg" | "minisign" | "gpgv":
            return bool(values & {"--verify", "-V", "-Vm"}) or command.name == "gpgv"
        case "cosign":
            return bool(values & {"verify", "verify-blob"})
    return False


def _docker(command: Command, rest: _Rest) -> str:
    operands = parse(command.arguments, names("platform H host context")).operands
    values = [word.value for word in operands]
    if values[:1] == ["image"]:
        operands, values = operands[1:], values[1:]
    if values[:1] == ["pull"] and len(operands) > 1:
        image = operands[1]
        return f"takes whatever {image.shown} is at the moment" if _is_loose_image(image) else ""
    if values[:1] in (["run"], ["create"]):
        moving = [word for word in operands[1:] if newest.is_moving(word.when_empty) and word.when_empty[:1] != "/"]
        started = _image(command)
        moving = moving or ([started] if started is not None and _is_loose_image(started) else [])
        return f"runs whatever {moving[0].shown} is at the moment" if moving else ""
    return ""


def _image(command: Command) -> Word | None:
    """The image of `docker run`, which is the first operand behind the options."""
    words = command.arguments
    verb = next((at for at, word in enumerate(words) if word.value in ("run", "create")), len(words))
    return next(iter(parse(words[verb + 1 :], engines.RUN_TAKES, first_operand_ends=True).operands), None)


def _is_loose_image(word: Word) -> bool:
    """True for an image without a tag or digest, or with `latest`; https://docs.docker.com/reference/cli/docker/image/tag/"""
    text = word.template("9")
    if word.pieces and not word.pieces[0].exact:
        return False
    name = text.rpartition("/")[2]
    if "@" in name:
        return False
    return ":" not in name or newest.is_moving(name)


def _helm(command: Command, rest: _Rest) -> str:
    takes = names(
        "n namespace f values set set-string version repo timeout kube-context name-template post-renderer"
    )
    options = parse(command.arguments, takes)
    operands = options.operands
    verb = operands[0].value if operands else None
    if options.has("version") or verb not in ("install", "upgrade", "pull", "fetch", "template"):
        return ""
    chart = operands[-1] if len(operands) > 1 else None
    if chart is None or not chart.pieces or not chart.pieces[0].exact:
        return ""
    text = chart.when_empty
    local = _LOCAL_FILE.search(text) or re.match(r"(?:charts?|helm|deploy|k8s|infra)(?:/|$)", text)
    remote = options.has("repo") or text.startswith("oci://") or re.fullmatch(r"[\w.-]+/[\w.-]+", text)
    return f"takes whatever version of {chart.shown} is the newest" if remote and not local else ""


def _kubectl(command: Command, rest: _Rest) -> str:
    moving = [w for w in command.arguments if "://" in w.when_empty and _MOVING.search(w.when_empty)]
    verbs = {word.value for word in command.arguments}
    return f"applies whatever {moving[0].shown} is at the moment" if moving and verbs & {"apply", "create"} else ""


def _git(command: Command, rest: _Rest) -> str:
    """A clone of a branch whose content is run afterwards."""
    options = parse(command.arguments, names("b branch depth C c o origin reference j jobs"))
    operands = options.operands
    if not operands or operands[0].value != "clone" or len(operands) < 2:
        return ""
    branch = options.value("b", "branch")
    if branch is not None and (branch.value is None or _VERSIONED.search(branch.value)):
        return ""
    if any(_picks_version(each) for each in rest):
        return ""
    folder = (operands[2] if len(operands) > 2 else operands[1]).when_empty.rstrip("/")
    folder = folder.rpartition("/")[2].removesuffix(".git")
    if not folder or not any(_runs_from(each, folder, rest) for each in rest):
        return ""
    return "runs whatever the branch holds at the moment"


def _picks_version(command: Command) -> bool:
    values = [word.value or "" for word in command.arguments]
    picks = command.name == "git" and bool(
        {"checkout", "reset", "switch", "verify-tag", "verify-commit"} & set(values)
    )
    return picks and not {"main", "master", "develop"} & set(values)


def _runs_from(command: Command, folder: str, rest: _Rest) -> bool:
    """True when a command runs something of a folder, by its path or after `cd`."""
    values = [word.when_empty for word in command.words]
    if not values:
        return False
    entered = any(
        each.name in ("cd", "pushd") and folder in (each.arguments[-1:] or each.words)[0].when_empty
        for each in rest
    )
    program = values[0]
    if "/" in program and (folder in program or (entered and program.startswith("./"))):
        return True
    if (
        command.name in ("sh", "bash", "python", "python3", "source", ".", "ruby", "perl", "node")
        and len(values) > 1
    ):
        return folder in values[1] or (entered and not values[1].startswith(("-", "/")))
    if command.name in ("make", "cmake", "npm", "pip", "pip3", "cargo", "go", "ansible-playbook", "terraform"):
        return entered or any(folder in value for value in values)
    return False


_TESTS: dict[str, Callable[[Command, _Rest], str]] = {
    **dict.fromkeys(("pip", "pip2", "pip3", "pipx", "uv", "python", "python3"), _pip),
    **dict.fromkeys(("npm", "pnpm", "yarn"), _npm),
    "npx": _npx,
    "gem": _gem,
    "go": _go,
    "cargo": _cargo,
    **dict.fromkeys(("curl", "wget", "aria2c"), _fetch),
    **dict.fromkeys(("docker", "podman", "nerdctl", "crictl"), _docker),
    "helm": _helm,
    **dict.fromkeys(("kubectl", "oc"), _kubectl),
    "git": _git,
}
