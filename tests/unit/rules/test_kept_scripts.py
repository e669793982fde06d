"""Scripts that stand in ConfigMaps are read like those of steps; so are programs that a default names."""

from typing import Any

import pytest
from checking import k8s, of_shell, package

from wpk_sandbox.rules.check import check
from wpk_sandbox.rules.policy import Policy

SYSTEM = "shell-destroy-system"


def of_config_map(contents: str, **more: Any) -> set[str]:
    """The rules that a ConfigMap with one text raises."""
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "hooks"}, "data": {"run": contents}}
    return {finding.rule for finding in check(package(k8s("apply", manifest={**manifest, **more})), Policy())}


@pytest.mark.parametrize(
    "shebang", ["#!/bin/sh", "#!/bin/bash -eu", "#!/usr/bin/env bash", "#! /usr/bin/env -S bash -e", "#!/bin/ash"]
)
def test_a_script_in_a_config_map_is_read(shebang: str) -> None:
    assert SYSTEM in of_config_map(f"{shebang}\nset -e\nrm -rf /etc\n")
    assert SYSTEM not in of_config_map(f"{shebang}\nset -e\nls -la /etc\n")


@pytest.mark.parametrize(
    "contents",
    [
        "rm -rf /etc",
        "# never do this: rm -rf /etc",
        "#!/usr/bin/python3\nprint('rm -rf /etc')\n",
        "#!shadow\nrm -rf /etc",
    ],
)
def test_a_text_that_is_no_shell_script_is_left_alone(contents: str) -> None:
    assert SYSTEM not in of_config_map(contents)


def test_other_kinds_have_no_scripts_of_their_own() -> None:
    assert SYSTEM not in of_config_map("#!/bin/sh\nrm -rf /etc\n", kind="Flags", apiVersion="example.com/v1")


@pytest.mark.parametrize(
    "script",
    [
        "${CMD:-rm -rf /etc}",
        "${CMD:-rm} -rf /etc",
        "${CMD-rm} -rf /etc",
        'eval "${CMD:-rm -rf /etc}"',
        'sh -c "${CMD:-rm -rf /etc}"',
        'ssh host "${CMD:-rm -rf /etc}"',
    ],
)
def test_a_program_that_a_default_names_is_found(script: str) -> None:
    assert SYSTEM in of_shell(script)
    assert SYSTEM not in of_shell(script.replace("rm", "ls"))
