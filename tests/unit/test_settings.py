"""Settings: which source wins, what a mistake is told, and that all that is made from the list is fresh."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from wpk_sandbox import generated
from wpk_sandbox.errors import SettingsError
from wpk_sandbox.package.mock import Mock
from wpk_sandbox.rules.policy import Outcome
from wpk_sandbox.sandbox.outside.allowed import Allowed
from wpk_sandbox.settings import resolve
from wpk_sandbox.settings.table import SETTINGS

PROJECT = Path(__file__).parents[2]


def refused(**sources: Any) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        resolve(**sources)
    return caught.value


def test_defaults_are_those_of_the_list() -> None:
    settings = resolve()
    assert set(settings.values) == {setting.name for setting in SETTINGS}
    assert (settings["sandbox.type"], settings["rollback"], settings["timeouts.run"]) == ("auto", "prove", 7200)
    assert (settings["sandbox.limits.memory"], settings["sandbox.limits.cpu"]) == (4 * 1024**3, 2)
    assert settings["discover.patterns"] == ("*.wpk.yaml", "*.wpk.yml")


def test_file_wins_over_the_default_environment_over_the_file_and_flag_over_all() -> None:
    sources: dict[str, Any] = {"file": b"rollback: never\n"}
    assert resolve(**sources)["rollback"] == "never"
    sources["environment"] = {"WPK_SANDBOX_ROLLBACK": "on-failure"}
    assert resolve(**sources)["rollback"] == "on-failure"
    sources["flags"] = {"rollback": "prove"}
    assert resolve(**sources)["rollback"] == "prove"


def test_input_of_the_action_wins_over_the_variable() -> None:
    environment = {"INPUT_ROLLBACK": "never", "WPK_SANDBOX_ROLLBACK": "on-failure"}
    assert resolve(environment=environment)["rollback"] == "never"


@pytest.mark.parametrize("empty", ["", "  "])
def test_empty_variables_count_as_unset(empty: str) -> None:
    assert resolve(environment={"INPUT_ROLLBACK": empty}, file=b"rollback: never\n")["rollback"] == "never"


def test_environment_of_other_programs_decides_nothing() -> None:
    assert resolve(environment={"ROLLBACK": "never", "TYPE": "local"}) == resolve()


@pytest.mark.parametrize("file", [b"", b"# only a comment\n", b"sandbox:\n", b"sandbox: {limits: {}}\n"])
def test_file_that_sets_nothing_changes_nothing(file: bytes) -> None:
    assert resolve(file=file) == resolve()


@pytest.mark.parametrize(
    ("file", "place", "near"),
    [
        (b"sandbox:\n  limits:\n    memry: 2Gi\n", "3:5", "sandbox.limits.memory"),
        (b"rolback: never\n", "1:1", "rollback"),
        (b"policy:\n  fail-on: block\n", "2:3", "policy.fail_on"),
    ],
)
def test_unknown_setting_is_told_with_its_place_and_the_nearest_name(file: bytes, place: str, near: str) -> None:
    error = refused(file=file, file_name="folder/mine.yaml")
    assert str(error).startswith(f"folder/mine.yaml:{place}: unknown setting `")
    assert f"did you mean `{near}`?" in str(error)
    assert "docs/settings.md" in error.remedy


def test_name_like_no_other_gets_no_suggestion() -> None:
    assert str(refused(file=b"zzzqq: 1\n")) == ".wpk-sandbox.yaml:1:1: unknown setting `zzzqq`"


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (b"- rollback\n", "1:1: settings are a mapping"),
        (b"rollback: never\nrollback: prove\n", "2:1: the key `rollback` stands already in line 1"),
        (b"rollback: [\n", "2:1: "),
        (b"sandbox: 5\n", "1:1: unknown setting `sandbox`"),
    ],
)
def test_file_that_is_no_settings_is_refused_at_its_place(file: bytes, words: str) -> None:
    assert str(refused(file=file)).startswith(f".wpk-sandbox.yaml:{words}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sandbox.type", "podman"),
        ("sandbox.limits.cpu", "0"),
        ("sandbox.limits.cpu", "many"),
        ("sandbox.limits.memory", "lots"),
        ("sandbox.limits.memory", "-1Gi"),
        ("sandbox.limits.memory", float("inf")),
        ("sandbox.limits.memory", float("nan")),
        ("sandbox.limits.execution_time", "0s"),
        ("sandbox.limits.execution_time", "-5s"),
        ("sandbox.limits.execution_time", float("inf")),
        ("sandbox.limits.processes", "1.5"),
        ("sandbox.limits.processes", 0),
        ("sandbox.limits.processes", True),
        ("sandbox.cleanup.auto_cleanup", "maybe"),
        ("policy.review_from", -1),
        ("policy.allowed_images", [1]),
        ("shell.image", 5),
    ],
)
def test_bad_value_is_refused_with_the_meaning_and_the_default(name: str, value: Any) -> None:
    error = refused(flags={name: value})
    assert str(error).startswith("--")
    assert error.remedy.startswith(f"{name}: ")
    assert "Default: " in error.remedy


def test_bad_value_names_where_it_came_from() -> None:
    assert str(refused(file=b"timeouts:\n  run: soon\n")).startswith(".wpk-sandbox.yaml:2:3: timeouts.run: 'soon'")
    assert str(refused(environment={"WPK_SANDBOX_TIMEOUTS_RUN": "soon"})).startswith("WPK_SANDBOX_TIMEOUTS_RUN: ")
    assert str(refused(environment={"INPUT_TIMEOUT": "soon"})).startswith("INPUT_TIMEOUT: ")


def test_choice_with_a_slip_is_told_the_nearest() -> None:
    assert str(refused(flags={"rollback": "proof"})).endswith("did you mean `prove`?")


@pytest.mark.parametrize(
    ("name", "value", "parsed"),
    [
        ("sandbox.limits.cpu", "500m", 0.5),
        ("sandbox.limits.memory", "256Mi", 256 * 1024**2),
        ("sandbox.limits.execution_time", "1h30m", 5400),
        ("sandbox.limits.network_bandwidth", "5Mbps", 5_000_000),
        ("sandbox.limits.processes", "40", 40),
        ("sandbox.cleanup.auto_cleanup", "no", False),
        ("policy.allowed_images", "busybox:*, debian", ("busybox:*", "debian")),
    ],
)
def test_values_are_read_as_their_users_write_them(name: str, value: str, parsed: Any) -> None:
    assert resolve(flags={name: value})[name] == parsed


@pytest.mark.parametrize(
    ("fail_on", "failing"),
    [
        ("block", {Outcome.BLOCK}),
        ("person", {Outcome.PERSON, Outcome.BLOCK}),
        ("review", {Outcome.REVIEW, Outcome.PERSON, Outcome.BLOCK}),
    ],
)
def test_fail_on_takes_all_that_is_at_least_as_grave(fail_on: str, failing: set[Outcome]) -> None:
    assert set(resolve(flags={"policy.fail_on": fail_on}).failing_outcomes) == failing


def test_sandbox_and_rules_get_what_was_set() -> None:
    settings = resolve(file=b"sandbox: {limits: {processes: 7}}\npolicy: {max_cpu: 3}\nimages: {pull: false}\n")
    assert (settings.spec.limits.processes, settings.policy.max_cpu, settings.spec.pull) == (7, 3, False)


def test_variables_are_told_apart() -> None:
    variables = [setting.variable for setting in SETTINGS if setting.variable]
    inputs = [setting.input for setting in SETTINGS if setting.input]
    assert (len(set(variables)), len(set(inputs))) == (len(variables), len(inputs))


def test_commented_defaults_change_nothing() -> None:
    assert resolve(file=generated.commented_defaults().encode()) == resolve()


def test_commented_defaults_hold_every_default_once_the_marks_are_removed() -> None:
    lines = generated.commented_defaults().splitlines()[1:]
    text = "\n".join(line.removeprefix("# ") for line in lines)
    assert resolve(file=text.encode()) == resolve()
    assert resolve(file=text.replace('"prove"', '"never"').encode())["rollback"] == "never"
    assert all(f"{setting.name.rpartition('.')[2]}:" in text for setting in SETTINGS)


def test_generated_files_are_fresh() -> None:
    made = generated.files(PROJECT)
    assert len(made) == 8
    stale = [str(path.relative_to(PROJECT)) for path, text in made.items() if path.read_text() != text]
    assert stale == [], "run `python -m wpk_sandbox.generated`"


def test_schema_of_the_settings_takes_what_the_program_takes() -> None:
    validator = Draft202012Validator(generated.settings_schema())
    lines = generated.commented_defaults().splitlines()[1:]
    everything = yaml.safe_load("\n".join(line.removeprefix("# ") for line in lines))
    assert list(validator.iter_errors(everything)) == []
    for wrong in ({"rolback": "never"}, {"rollback": "proof"}, {"sandbox": {"limits": {"memry": 1}}}):
        assert not validator.is_valid(wrong)


def test_mocks_and_allowed_hosts_come_from_the_file() -> None:
    settings = resolve(
        file=b"sandbox:\n  network:\n    allow: ['registry.example:443']\n    mocks:\n"
        b"    - {request: {url: 'https://x.example/*'}, response: {status: 201}}\n"
    )
    assert settings["sandbox.network.allow"] == (Allowed("registry.example", 443),)
    assert settings["sandbox.network.mocks"] == (Mock("https://x.example/*", status=201),)


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        (b"    mocks: [{request: {url: x}}]\n", ".wpk-sandbox.yaml:3:24"),
        (b"    mocks: [{request: {url: 'http://x', methud: GET}}]\n", ".wpk-sandbox.yaml:3:41"),
        (b"    mocks: [{request: {url: 'http://x'}, response: {status: 2000}}]\n", ".wpk-sandbox.yaml:3:53"),
        (b"    mocks: 7\n", ".wpk-sandbox.yaml:3:5"),
        (b"    allow: ['*:443']\n", ".wpk-sandbox.yaml:3:5"),
    ],
)
def test_a_mock_that_cannot_be_used_is_told_with_its_place(lines: bytes, place: str) -> None:
    assert place in str(refused(file=b"sandbox:\n  network:\n" + lines))
