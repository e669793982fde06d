"""The settings in force, and who wins; the only reader of the environment.

Flags win over the environment (`INPUT_*` of an Action, `WPK_SANDBOX_*`), which wins over `.wpk-sandbox.yaml`,
which wins over the defaults.
"""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from wpk_sandbox.errors import SettingsError
from wpk_sandbox.rules.policy import Outcome, Policy
from wpk_sandbox.sandbox.sandbox import Limits, Network, SandboxSpec, Security
from wpk_sandbox.settings.table import SETTINGS, Setting

if TYPE_CHECKING:
    from wpk_sandbox.package.package import Document

FILE_NAME = ".wpk-sandbox.yaml"

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
