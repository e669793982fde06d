"""Every setting once: its name, default and help; the only reader of the environment.

Flags win over the environment (`INPUT_*` of an Action, `WPK_SANDBOX_*`), which wins over `.wpk-sandbox.yaml`,
which wins over the defaults. The documentation, the Action's inputs and the JSON Schema are made from `SETTINGS`.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from wpk_sandbox.errors import SettingsError
from wpk_sandbox.finding import Location
from wpk_sandbox.package.units import quantity, seconds
from wpk_sandbox.rules.policy import Outcome, Policy
from wpk_sandbox.sandbox.outside.allowed import Allowed, allowed
from wpk_sandbox.sandbox.sandbox import Limits, Network, SandboxSpec, Security

if TYPE_CHECKING:
    from wpk_sandbox.package.package import Document

FILE_NAME = ".wpk-sandbox.yaml"
SANDBOX_TYPES = ("auto", "local", "container", "kind", "vm")
ROLLBACKS = ("prove", "on-failure", "never")
FAIL_ON = ("block", "person", "review")
ON_VIOLATION = ("warn", "fail")
REAPERS = ("auto", "off")
INLINE_WAIVERS = ("base", "any", "none")


def _words(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(word for word in value.replace(",", " ").split() if word)
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise ValueError(f"{value!r} is not a list of words")


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false", "yes", "no", "1", "0"):
        return value.lower() in ("true", "yes", "1")
    raise ValueError(f"{value!r} is neither true nor false")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a text")
    return value


def _number(value: Any) -> int:
    if isinstance(value, bool) or not str(value).strip().isdecimal():
        raise ValueError(f"{value!r} is not a whole number")
    return int(value)


def _count(value: Any) -> int:
    """At least one: Docker takes a limit of nothing for no limit."""
    if (count := _number(value)) < 1:
        raise ValueError(f"{value!r} is not at least 1")
    return count


def _size(value: Any) -> int:
    size = int(quantity(value))
    if size <= 0:
        raise ValueError(f"{value!r} is not more than nothing")
    return size


def _cores(value: Any) -> float:
    cores = quantity(value)
    if not 0.01 <= cores <= 1024:
        raise ValueError(f"{value!r} is not between 10m and 1024 cores")
    return cores


def _duration(value: Any) -> float:
    if (duration := seconds(value)) <= 0:
        raise ValueError(f"{value!r} is no time at all")
    return duration


def _bandwidth(value: Any) -> int:
    """Bits a second: `100Mbps`, or a number."""
    text = str(value).strip()
    return _size(text.removesuffix("bps"))


def _policy(reader: str) -> Callable[[Any, Callable[[str], Location]], Any]:
    """A reader of `rules.policy_file`, which loads every rule: only a policy with more than values needs it."""

    def read(value: Any, locate: Callable[[str], Location]) -> Any:
        from wpk_sandbox.rules import policy_file  # noqa: PLC0415 -- see above

        return getattr(policy_file, reader)(value, locate)

    return read


def _mocks(value: Any, locate: Callable[[str], Location]) -> Any:
    """A reader that loads the case file's format: only settings with mocks need it."""
    from wpk_sandbox.package.mocking import read_mocks  # noqa: PLC0415 -- see above

    return read_mocks(value, locate)


def _allowed(value: Any) -> tuple[Allowed, ...]:
    """Hosts with their ports."""
    return tuple(allowed(word) for word in _words(value))


def _unread(value: Any) -> Any:
    """Defaults of settings with a reader of their own: empty, and of the type that the policy takes."""
    return tuple(value) if isinstance(value, list) else value


def _choice(*allowed: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if value not in allowed:
            near = difflib.get_close_matches(str(value), allowed, 1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            raise ValueError(f"{value!r} is none of {', '.join(allowed)}{hint}")
        return str(value)

    parse.allowed = allowed  # type: ignore[attr-defined]
    return parse


def _reaper(value: Any) -> str:
    """A bare `off` is false in YAML."""
    return _choice(*REAPERS)("off" if value is False else value)


_reaper.allowed = REAPERS  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Setting:
    """One setting. `name` is its path in the file; `default` is written as a user would write it.

    `input` names the Action's input of the same meaning, if it is worth one. `read` parses, instead of `parse`,
    what is more than a value and can stand in the file only; it is told where each part is, by its pointer.
    """

    name: str
    default: Any
    help: str
    parse: Callable[[Any], Any] = _text
    input: str = ""
    read: Callable[[Any, Callable[[str], Location]], Any] | None = None

    @property
    def variable(self) -> str:
        """The environment variable: `sandbox.limits.cpu` is `WPK_SANDBOX_LIMITS_CPU`; empty where there is none."""
        if self.read:
            return ""
        return "WPK_SANDBOX_" + self.name.removeprefix("sandbox.").replace(".", "_").upper()


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "sandbox.type",
        "auto",
        "Where packages run: `local` (bubblewrap, simulated cluster), `container` (Docker, simulated cluster), "
        "`kind` (Docker, a real cluster), `vm` (a virtual machine, simulated cluster), "
        "or `auto`: the strongest that a package needs and the host has.",
        _choice(*SANDBOX_TYPES),
        "sandbox",
    ),
    Setting("sandbox.limits.cpu", "2", "Cores for a whole sandbox.", _cores),
    Setting("sandbox.limits.memory", "4Gi", "Memory for a whole sandbox.", _size),
    Setting("sandbox.limits.storage", "10Gi", "Ephemeral storage for a whole sandbox.", _size),
    Setting(
        "sandbox.limits.execution_time", "30m", "Time for one package, rollback not included.", _duration, "timeout"
    ),
    Setting("sandbox.limits.network_bandwidth", "100Mbps", "Bandwidth where a link exists.", _bandwidth),
    Setting("sandbox.limits.step_cpu", "1", "Cores for the shell, and the most for one container.", _cores),
    Setting("sandbox.limits.step_memory", "1Gi", "Memory for the shell, and the most for one container.", _size),
    Setting("sandbox.limits.processes", 100, "Processes in a shell.", _count),
    Setting("sandbox.limits.tmp", "100Mi", "Size of `/tmp` in a shell.", _size),
    Setting("sandbox.limits.output", "1Mi", "Bytes kept of each stream of a step; more ends the step.", _size),
    Setting("sandbox.security.allow_privileged", False, "Admit privileged pods to the cluster.", _flag),
    Setting("sandbox.security.allow_host_network", False, "Admit pods on the node's network.", _flag),
    Setting("sandbox.security.allow_host_pid", False, "Admit pods that see the node's processes.", _flag),
    Setting(
        "sandbox.security.on_violation",
        "warn",
        "What fails a package: `warn`: only escape attempts and known attacks of high severity; what else is "
        "refused is only listed. `fail`: every refused connection too, and every event of medium severity.",
        _choice(*ON_VIOLATION),
    ),
    Setting("sandbox.security.drop_capabilities", ["ALL"], "Capabilities that a container loses.", _words),
    Setting("sandbox.security.add_capabilities", ["NET_BIND_SERVICE"], "Capabilities that it keeps.", _words),
    Setting(
        "sandbox.network.mocks",
        [],
        "What the outside answers, in every case: a list of `{request: {method, url}, response: {status, headers, "
        "body}}`; see `docs/network.md`.",
        _unread,
        read=_mocks,
    ),
    Setting(
        "sandbox.network.allow",
        [],
        "Hosts that a package may really reach, as `host:port`; each connection is listed in the report.",
        _allowed,
    ),
    Setting(
        "sandbox.network.record",
        True,
        "Record what a shell tries to reach. It is closed either way; without, attempts are not listed.",
        _flag,
    ),
    Setting(
        "sandbox.network.gate_image",
        "",
        "The image with Python that records for container shells; empty for our own.",
        _text,
    ),
    Setting("sandbox.cleanup.auto_cleanup", True, "Remove everything that was made, when a run ends.", _flag),
    Setting("sandbox.cleanup.cleanup_timeout", "5m", "Time for removing everything that was made.", _duration),
    Setting(
        "sandbox.cleanup.force_cleanup", True, "Kill what is removed; otherwise it is asked to end before.", _flag
    ),
    Setting(
        "sandbox.cleanup.reaper",
        "auto",
        "Who removes what was made when the tool itself is killed: `auto` has a process wait beside it, and in a "
        "container on a socket of the same daemon a container too; `off` leaves it to the next run or `reap`.",
        _reaper,
    ),
    Setting(
        "shell.image",
        "",
        "The image of container shells; empty for our own, which holds bash, curl, jq and kubectl.",
        _text,
        "shell-image",
    ),
    Setting(
        "shell.runtime",
        "",
        "The daemon's runtime for container shells, such as `runsc`, `kata` or `crun`; empty for its default.",
    ),
    Setting("kind.node_image", "", "The node image; empty for the newest on this host, else kind's own.", _text),
    Setting("kind.boot_timeout", "5m", "Time for a cluster to boot, a second try included.", _duration),
    Setting(
        "vm.image",
        "",
        "A folder, tar archive or squashfs: the file system of virtual machines; empty for `shell.image`.",
        _text,
    ),
    Setting("vm.kernel", "", "The kernel of virtual machines, a `vmlinuz`; empty for the best in `/boot`.", _text),
    Setting("images.pull", True, "May we pull images that are missing? The package never can.", _flag),
    Setting("images.stand_in", "busybox:1.36", "The image of the pods of stand-ins.", _text),
    Setting("timeouts.handler", "5m", "Time for a handler that names none.", _duration),
    Setting("timeouts.run", "2h", "Time for all packages together.", _duration),
    Setting(
        "rollback",
        "prove",
        "When the rollback runs: `prove` after success too, `on-failure`, or `never`.",
        _choice(*ROLLBACKS),
        "rollback",
    ),
    Setting(
        "policy.fail_on",
        "block",
        "The mildest decision that fails a package before it starts: `block`, `person` or `review`.",
        _choice(*FAIL_ON),
        "fail-on",
    ),
    Setting("policy.review_from", 25, "Risk from which a review is asked for.", _number),
    Setting("policy.person_from", 50, "Risk from which a person must decide.", _number),
    Setting("policy.block_from", 76, "Risk from which a package never starts.", _number),
    Setting("policy.allowed_images", [], "Images that need no further look; a `*` matches.", _words),
    Setting("policy.allowed_registries", [], "Registries that images may come from; empty for any.", _words),
    Setting("policy.allowed_hosts", [], "Hosts that a package may name.", _words),
    Setting("policy.max_cpu", "2", "Cores that a container may ask for.", _cores),
    Setting("policy.max_memory", "8Gi", "Memory that a container may ask for.", _size),
    Setting(
        "policy.severity",
        {},
        "Another severity for rules: `{image-unpinned: low, external-call: off}`; a critical one `high` at least.",
        _unread,
        read=_policy("severities"),
    ),
    Setting(
        "policy.required_fields",
        [],
        "Fields that each package must have, as dotted paths: `[metadata.author]`.",
        _unread,
        read=_policy("required_fields"),
    ),
    Setting(
        "policy.rules",
        [],
        "Rules of your own: a list of `{id, when, message, severity, fix, at, examples}`; see `docs/policy.md`.",
        _unread,
        read=_policy("custom_rules"),
    ),
    Setting(
        "policy.waivers",
        [],
        "Findings that may stand: a list of `{rule, path, reason, until, owner, text}`; see `docs/policy.md`.",
        _unread,
        read=_policy("waivers"),
    ),
    Setting(
        "policy.inline_waivers",
        "base",
        "Which comments waive in a change: those that the `base` has too, `any` (but for critical findings), or "
        "`none`, there and everywhere.",
        _choice(*INLINE_WAIVERS),
    ),
    Setting("policy.waiver_days", 366, "Days from today that a waiver may run at most.", _count),
    Setting("discover.patterns", ["*.wpk.yaml", "*.wpk.yml"], "What package files are called.", _words, "patterns"),
    Setting("report.directory", "wpk-sandbox-report", "Where `ci` writes the report files.", _text, "report"),
    Setting("report.templates", "", "A folder with your own `summary.md.j2`.", _text, "templates"),
)
_BY_NAME = {setting.name: setting for setting in SETTINGS}
_SECTIONS = {name.rpartition(".")[0] for name in _BY_NAME} | {name.partition(".")[0] for name in _BY_NAME}


@dataclass(frozen=True)
class Settings:
    """The value of every setting, parsed: `settings["rollback"]`; and what the parts of the flow take of them."""

    values: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @property
    def spec(self) -> SandboxSpec:
        """What a sandbox needs to know to open."""
        return SandboxSpec(
            limits=self._limits(),
            security=self._security(),
            shell_image=self["shell.image"],
            runtime=self["shell.runtime"],
            node_image=self["kind.node_image"],
            vm_image=self["vm.image"],
            vm_kernel=self["vm.kernel"],
            boot_timeout=self["kind.boot_timeout"],
            cleanup_timeout=self["sandbox.cleanup.cleanup_timeout"],
            force_cleanup=self["sandbox.cleanup.force_cleanup"],
            pull=self["images.pull"],
            network=Network(record=self["sandbox.network.record"], gate_image=self["sandbox.network.gate_image"]),
        )

    @property
    def policy(self) -> Policy:
        """What the rules and the decision take."""
        return Policy(**{field.name: self[f"policy.{field.name}"] for field in fields(Policy)})

    @property
    def failing_outcomes(self) -> tuple[Outcome, ...]:
        """The decisions that fail a package before it starts."""
        strict = {"block": 3, "person": 2, "review": 1}[self["policy.fail_on"]]
        return tuple(Outcome)[strict:]

    def _limits(self) -> Limits:
        named = {name: self[f"sandbox.limits.{name}"] for name in ("cpu", "memory", "storage", "execution_time")}
        named |= {name: self[f"sandbox.limits.{name}"] for name in ("step_cpu", "step_memory", "processes")}
        bandwidth = self["sandbox.limits.network_bandwidth"]
        return Limits(
            **named, tmp=self["sandbox.limits.tmp"], output=self["sandbox.limits.output"], bandwidth=bandwidth
        )

    def _security(self) -> Security:
        fields = (
            "allow_privileged",
            "allow_host_network",
            "allow_host_pid",
            "drop_capabilities",
            "add_capabilities",
        )
        return Security(**{field: self[f"sandbox.security.{field}"] for field in fields})


def resolve(
    *,
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    file: bytes | None = None,
    file_name: str = FILE_NAME,
) -> Settings:
    """The settings in force. `flags` maps setting names to values; `file` is the content of the settings file.

    Raises `errors.SettingsError` with the place of the mistake and the nearest known name.
    """
    values = {setting.name: setting.parse(setting.default) for setting in SETTINGS}
    values.update(_from_file(file, file_name) if file is not None else {})
    values.update(_from_environment(environment or {}))
    for name, value in (flags or {}).items():
        values[name] = _parsed(_BY_NAME[name], value, f"--{_BY_NAME[name].input or name}")
    return Settings(values)


def _parsed(setting: Setting, value: Any, where: str) -> Any:
    try:
        return setting.parse(value)
    except (ValueError, TypeError) as error:
        remedy = f"{setting.name}: {setting.help} Default: {setting.default}"
        raise SettingsError(f"{where}: {error}", remedy) from error


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """Empty variables count as unset: GitHub sets `INPUT_X` to nothing for an input that is not given."""
    for setting in (each for each in SETTINGS if each.variable):
        names = [f"INPUT_{setting.input.upper()}"] if setting.input else []
        for name in (*names, setting.variable):
            if environment.get(name, "").strip():
                yield setting.name, _parsed(setting, environment[name].strip(), name)
                break


def _from_file(data: bytes, name: str) -> dict[str, Any]:
    from wpk_sandbox.package.source import parse  # noqa: PLC0415 -- loads PyYAML, which `--help` has no need of

    source = parse(data, name)
    if source.findings and source.findings[0].severity.rank >= 3:
        worst = source.findings[0]
        raise SettingsError(f"{worst.location}: {worst.message}", worst.fix)
    if len(source.documents) > 1:
        second = source.documents[1].locate("")
        raise SettingsError(
            f"{second}: a second document begins here", "settings are one document: remove the `---`"
        )
    return {key: value for document in source.documents for key, value in _of_document(document)}


def _of_document(document: "Document") -> Iterator[tuple[str, Any]]:
    for pointer, value in _leaves(document.data, ""):
        key = pointer.strip("/").replace("/", ".")
        where = str(document.locate_key(pointer))
        setting = _known(key, where)
        yield (
            key,
            _read(setting, value, document, pointer)
            if setting.read
            else _parsed(setting, value, f"{where}: {key}"),
        )


def _read(setting: Setting, value: Any, document: "Document", pointer: str) -> Any:
    """What can stand in the file only; a mistake is told at the very place."""
    if value is None or setting.read is None:
        return setting.parse(setting.default)
    try:
        return setting.read(value, lambda below: document.locate_key(pointer + below))
    except ValueError as error:
        place = document.locate_key(pointer + getattr(error, "pointer", ""))
        raise SettingsError(f"{place}: {setting.name}: {error}", f"{setting.name}: {setting.help}") from error


def _leaves(data: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    name = pointer.strip("/").replace("/", ".")
    if isinstance(data, dict) and (not name or name in _SECTIONS) and name not in _BY_NAME:
        for key, value in data.items():
            yield from _leaves(value, f"{pointer}/{key}")
    elif data is not None or name not in _SECTIONS | {""}:
        yield pointer, data


def _known(key: str, where: str) -> Setting:
    if key in _BY_NAME:
        return _BY_NAME[key]
    near = difflib.get_close_matches(key, _BY_NAME, 1, 0.5)
    hint = f"; did you mean `{near[0]}`?" if near else ""
    label = f"unknown setting `{key}`" if key else "settings are a mapping of names to values"
    raise SettingsError(f"{where}: {label}{hint}", "docs/settings.md lists every setting")
