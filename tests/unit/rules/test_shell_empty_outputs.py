"""What a command prints may be nothing, or code: paths and `eval` that take it are told of, guarded ones are not."""

import pytest
from checking import of_shell

RULE = "shell-unsafe-expansion"

FOUND = [
    'OLD=$(ls -1t /srv/app/releases | tail -1); rm -rf "/srv/app/releases/$OLD"',
    'rm -rf "/srv/app/releases/$(ls -1t /srv/app/releases | grep old)"',
    "rm -rf /srv/tenants/$tenant",
    "rm -rf /srv/tenants/$tenant/",
    'if [ -n $DIR ]; then rm -rf "$DIR"/*; fi',
    'test -n $DIR && rm -rf "$DIR"/*',
    'check=$(jq -r .command checks.json); eval "$check"',
    'set -u; eval "$CHECK"',
    'set -eu; sh -c "$CHECK"',
]
LEFT_ALONE = [
    'OLD=$(ls -1t /srv/app/releases | tail -1); [ -n "$OLD" ] && rm -rf "/srv/app/releases/$OLD"',
    'OLD=$(ls -1t /srv/app/releases | tail -1); rm -rf "/srv/app/releases/${OLD:?}"',
    'rm -rf "/srv/app/releases/$(date +%F)"',
    'rm -rf "/srv/tenants/$tenant"',
    "rm -rf /tmp/build/$job",
    'for old in $(ls /srv/app/releases | head -2); do rm -rf "/srv/app/releases/$old"; done',
    'if [ -n "$DIR" ]; then rm -rf "$DIR"/*; fi',
    'if [[ -n $DIR ]]; then rm -rf "$DIR"/*; fi',
    'eval "$(jq -r \'@sh "NAME=\\(.name)"\' in.json)"',
    'eval "$(ssh-agent -s)"',
    'set -u; eval "x=1"',
]


@pytest.mark.parametrize("script", FOUND)
def test_what_may_be_nothing_or_code_is_found(script: str) -> None:
    assert RULE in of_shell(script)


@pytest.mark.parametrize("script", LEFT_ALONE)
def test_what_is_guarded_known_or_scratch_is_left_alone(script: str) -> None:
    assert RULE not in of_shell(script)


@pytest.mark.parametrize("flags", ["-n", "-nv"])
def test_a_script_that_is_only_read_is_not_run(flags: str) -> None:
    fetched = "curl -fsSLo /tmp/i.sh https://vendor.example.com/i.sh\nbash {} /tmp/i.sh"
    assert "shell-fetch-and-run" in of_shell(fetched.format("-e"))
    assert "shell-fetch-and-run" not in of_shell(fetched.format(flags))
