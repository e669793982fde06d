"""A command is found wherever a shell would run it: through functions, arrays, loops, containers and other languages."""

import pytest
from checking import of_shell

from wpk_sandbox.rules.shell.parser import OVER
from wpk_sandbox.rules.shell.progress import MOST_CALLS, MOST_COMMANDS, MOST_REPEATED
from wpk_sandbox.rules.shell.syntax import read

SYSTEM = "shell-destroy-system"

RUNS = {
    "functions": [
        'f() { rm -rf "$D"; }; D=/etc; f',
        'f() { rm -rf "$D"; }; D=/etc f',
        'f() { rm -rf "$@"; }; f -- /tmp/x /etc',
        "f() { rm -rf $*; }; f /tmp/x /etc",
        'f() { shift; rm -rf "$1"; }; f /tmp/x /etc',
        'f() { shift 2; rm -rf "$1"; }; f a b /etc',
        'f() { "$@"; }; f rm -rf /etc',
        'f() { eval "$*"; }; f rm -rf /etc',
        'f() { sh -c "$*"; }; f rm -rf /etc',
        'f() { for d in "$@"; do rm -rf "$d"; done; }; f /tmp/x /etc',
        'f() { for d; do rm -rf "$d"; done; }; f /tmp/x /etc',
        'f() { local d=$2; rm -rf "$d"; }; f a /etc',
        'f() { g "$@"; }; g() { rm -rf "$2"; }; f a /etc',
        "f() { rm -rf /etc; }",
        "f() { D=/etc; }; f; rm -rf $D",
        'f() { echo "$(rm -rf "$1")"; }; f /tmp/x; f /etc',
        'set -- /tmp/x /etc; rm -rf "$2"',
        'set -- rm -rf /etc; "$@"',
        "sh -c 'rm -rf \"$1\"' sh /etc",
        "sh -c '\"$@\"' sh rm -rf /etc",
        "alias r='rm -rf'; r /etc",
    ],
    "arrays": [
        'A=(/tmp/x /etc); rm -rf "${A[@]}"',
        'A=(/etc /tmp/x); rm -rf "${A[0]}"',
        "A=(/tmp/x /etc); rm -rf ${A[1]}",
        'A=(rm -rf /etc); "${A[@]}"',
        "A=(rm -rf /etc); ${A[*]}",
        'A=(rm -rf); A+=(/etc); "${A[@]}"',
        'A=(/tmp/x /etc); for d in "${A[@]}"; do rm -rf "$d"; done',
        "D=/e; D+=tc; rm -rf $D",
    ],
    "loops": [
        'while read d; do rm -rf "$d"; done <<< /etc',
        'while read -r d; do rm -rf "$d"; done <<EOF\n/tmp/x\n/etc\nEOF\n',
        'echo /etc | while read -r d; do rm -rf "$d"; done',
        'printf "%s\\n" /tmp/x /etc | while read -r d; do rm -rf "$d"; done',
        'read -r a b <<< "x /etc"; rm -rf "$b"',
        "echo '/tmp/x /etc' | xargs rm -rf",
        "echo /etc | xargs -I{} rm -rf {}",
        "echo /etc | xargs -I{} sh -c 'rm -rf {}'",
        'mapfile -t A <<< /etc; rm -rf "${A[@]}"',
        "printf -v D '/%s' etc; rm -rf $D",
    ],
    "containers": [
        "docker run --rm -v /:/host alpine rm -rf /host/etc",
        "docker run --rm -v /:/host -it alpine:3 sh -c 'rm -rf /host/etc'",
        "docker -H tcp://127.0.0.1:2375 exec -u 0 web rm -rf /etc",
        "docker --context x exec web bash -lc 'rm -rf /etc'",
        "podman exec -it web sh -c 'rm -rf /etc'",
        "nerdctl -n k8s.io run alpine rm -rf /etc",
        "docker compose -f a.yaml exec web rm -rf /etc",
        "docker-compose exec -T web rm -rf /etc",
        "docker run --entrypoint rm alpine -rf /etc",
        "crictl exec -it abc rm -rf /etc",
        "kubectl -n prod exec web -- rm -rf /etc",
        "kubectl exec -n prod web sh -c 'rm -rf /etc'",
        "kubectl run x --image=alpine --restart=Never -- sh -c 'rm -rf /etc'",
        "gcloud compute ssh web --zone z --command 'rm -rf /etc'",
        "ansible all -m shell -a 'rm -rf /etc'",
        "salt '*' cmd.run 'rm -rf /etc'",
    ],
    "languages": [
        "python3 -c 'import os; os.system(\"rm -rf /etc\")'",
        "python -c \"import subprocess; subprocess.run(['rm', '-rf', '/etc'])\"",
        "python3 -c 'import subprocess as s; s.check_call(\"rm -rf /etc\", shell=True)'",
        "python3 -c 'import shutil; shutil.rmtree(\"/etc\")'",
        "python3 - <<'EOF'\nimport os\nos.system('rm -rf /etc')\nEOF\n",
        "echo 'import os; os.system(\"rm -rf /etc\")' | python3",
        "perl -e 'system(\"rm -rf /etc\")'",
        'perl -e \'exec "rm", "-rf", "/etc"\'',
        "perl -e '`rm -rf /etc`'",
        "ruby -e 'system(\"rm -rf /etc\")'",
        "ruby -e '%x(rm -rf /etc)'",
        'node -e \'require("child_process").execSync("rm -rf /etc")\'',
        "php -r 'shell_exec(\"rm -rf /etc\");'",
        "awk 'BEGIN { system(\"rm -rf /etc\") }'",
    ],
    "hidden": [
        "echo cm0gLXJmIC9ldGMK | base64 -d | sh",
        "base64 -d <<< cm0gLXJmIC9ldGMK | bash",
        'eval "$(echo cm0gLXJmIC9ldGMK | base64 --decode)"',
        'sh -c "$(printf cm0gLXJmIC9ldGMK | base64 -d)"',
        "bash <(echo cm0gLXJmIC9ldGMK | base64 -d)",
        "X=cm0gLXJmIC9ldGMK; echo $X | base64 -d | sh",
        "echo 726d202d7266202f657463 | xxd -r -p | sh",
        "echo cte/ fr- mr | rev | sh",
        "echo 'ez -es /rgp' | tr A-Za-z N-ZA-Mn-za-m | sh",
        "printf '\\162\\155 -rf /etc' | sh",
        "echo -e '\\x72m -rf /etc' | sh",
        "$(printf '%s' rm) -rf /etc",
        "{ echo true; echo rm -rf /etc; } | sh",
        "cat <<EOF | sh\nrm -rf /etc\nEOF\n",
        "echo rm -rf /etc | at now",
    ],
    "wrappers": [
        "env -S 'rm -rf /etc'",
        "env -i -S 'X=1 rm -rf /etc'",
        "exec -a quiet rm -rf /etc",
        "exec -c rm -rf /etc",
        "systemd-run --wait -p User=root rm -rf /etc",
        "ip netns exec blue rm -rf /etc",
        "sshpass -p x ssh host rm -rf /etc",
        "ssh host <<EOF\nrm -rf /etc\nEOF\n",
        "bash -eo pipefail -c 'rm -rf /etc'",
        "bash -co pipefail 'rm -rf /etc'",
        "sudo -E -u root -- env A=1 timeout -k 1 5 nice -n 5 rm -rf /etc",
        "source /dev/stdin <<< 'rm -rf /etc'",
        ". <(echo rm -rf /etc)",
        "pkexec rm -rf /etc",
        "numactl -N 0 rm -rf /etc",
        "echo start\n\\rm -rf /etc",
        "x=$(date)\n\\rm -rf /etc\n\\ls",
    ],
}
DOES_NOT_RUN = {
    "functions": [
        'f() { rm -rf "$D"; }; D=/tmp/x; f',
        'f() { shift; rm -rf "$1"; }; f /etc /tmp/x',
        'f() { echo "$@"; }; f rm -rf /etc',
        'f() { rm -rf "$2"; }; f /etc /tmp/x',
        'f() { printf "%s\\n" "$*" >&2; }; f "rm -rf /etc is refused"',
        "sh -c 'rm -rf \"$1\"' /etc /tmp/x",
    ],
    "arrays": [
        'A=(/tmp/x /etc); rm -rf "${A[0]}"',
        'A=(/etc /var); ls "${A[@]}"',
        'A=(rm -rf /etc); echo "${A[@]}"',
        'A=(/etc); echo "${#A[@]}"; rm -rf /tmp/x',
        'A=(-rf /etc); printf "%s\\n" "${A[*]}"',
    ],
    "loops": [
        'while read d; do echo "$d"; done <<< "rm -rf /etc"',
        'echo /etc | while read -r d; do ls "$d"; done',
        "echo /etc | xargs ls -la",
        "echo /etc | xargs -I{} echo rm -rf {}",
        'read -r a b <<< "/etc /tmp/x"; rm -rf "$b"',
    ],
    "containers": [
        "docker run --rm alpine echo rm -rf /etc",
        "docker exec web ls /etc",
        "docker exec -w /etc web rm -rf ./x",
        "docker run -v /etc:/etc:ro alpine ls",
        "kubectl exec web -- ls /etc",
        "kubectl run rm --image=alpine",
    ],
    "languages": [
        "python3 -c 'print(\"rm -rf /etc\")'",
        "python3 -c 'import json,sys; print(json.load(sys.stdin)[\"system\"])'",
        "perl -pe 's/rm -rf/x/' notes.txt",
        "ruby -e 'puts \"rm -rf /etc\"'",
        "awk '/rm -rf/ {print $1}' audit.log",
    ],
    "hidden": [
        "echo cm0gLXJmIC9ldGMK | base64 -d",
        "echo cm0gLXJmIC9ldGMK | base64 -d > /tmp/script",
        "kubectl get secret x -o jsonpath='{.data.ca}' | base64 -d > /tmp/ca.crt",
        "echo rm -rf /etc | rev",
        "printf '%s' 'rm -rf /etc' | sha256sum",
    ],
    "wrappers": [
        "env -S 'ls /etc'",
        "exec -a rm ls /etc",
        "ip netns list",
        "ssh host echo rm -rf /etc",
        "systemd-run --wait ls /etc",
        "echo 'a\n\\rm -rf /etc'",
        "cat <<'EOF'\n\\rm -rf /etc\nEOF\n",
    ],
}


@pytest.mark.parametrize("command", [each for family in RUNS.values() for each in family])
def test_a_command_is_found_wherever_it_runs(command: str) -> None:
    assert SYSTEM in of_shell(command)


@pytest.mark.parametrize("command", [each for family in DOES_NOT_RUN.values() for each in family])
def test_text_that_nothing_runs_is_no_command(command: str) -> None:
    found = of_shell(command)
    assert SYSTEM not in found
    assert "shell-unreadable" not in found


@pytest.mark.parametrize(
    "script",
    [
        "for host do echo $host; done",
        'if [ "$X" = ~ ] || true; then ls; fi',
        "((ls /a; ls /b) | sort)",
        "exec 5<>/srv/pipe\ncat <&5 | while read x; do ls; done",
        "echo start\n\\ls",
    ],
)
def test_what_the_grammar_does_not_know_is_read_all_the_same(script: str) -> None:
    assert read(script).problems == ()
    assert {"ls", "echo"} & {command.name for command in read(script).commands}


def test_a_repaired_script_keeps_its_places() -> None:
    text = "for host do rm $host; done; ls /srv"
    spans = {command.name: text[slice(*command.span)] for command in read(text).commands}
    assert spans == {"rm": "rm $host", "ls": "ls /srv"}


@pytest.mark.parametrize("script", ["if then fi", "echo (", "for x in a; do ls"])
def test_what_is_no_shell_is_still_told(script: str) -> None:
    assert read(script).problems


def test_the_uses_of_a_variable_are_bounded() -> None:
    script = read("X=" + "a" * 4000 + "\necho " + "$X" * 2000)
    assert sum(len(piece.text) for word in script.commands[-1].words for piece in word.pieces) < 600_000


def test_a_body_that_is_called_is_not_also_read_without_its_arguments() -> None:
    called = read('f() { rm -rf "$D"/*; }; D=/srv/x; f')
    deletions = [command for command in called.commands if command.name == "rm"]
    assert [command.arguments[-1].value for command in deletions] == ["/srv/x/*"]


def test_each_call_has_its_own_arguments() -> None:
    commands = read('f() { rm "$1" "$2"; }; f a b; f c').commands
    shown = [[word.value for word in command.arguments] for command in commands if command.name == "rm"]
    assert shown == [["a", "b"], ["c", ""]]


def test_functions_that_call_each_other_without_end_are_read_to_an_end() -> None:
    script = read("f() { g; g; }; g() { f; f; }; f; g")
    assert script.problems == ()
    assert {command.name for command in script.commands} == {"f", "g"}


def test_functions_that_call_ever_more_functions_are_each_read_and_not_forever() -> None:
    definitions = "".join(f"f{n}() {{ {f'f{n + 1}; ' * 6} }}; " for n in range(12))
    script = read(definitions + "f12() { rm -rf /srv/data; }; f0; f0; ls /srv")
    assert [problem.message[:23] for problem in script.problems] == ["there are too many call"]
    assert {command.name for command in script.commands} == {f"f{n}" for n in range(13)} | {"rm", "ls"}
    assert 500 < len(script.commands) < MOST_COMMANDS


def test_a_call_outside_of_functions_is_read_however_many_there_are_before_it() -> None:
    script = read('f() { rm -rf "$1"; }; ' + "f /tmp/x; " * MOST_CALLS + "f /etc")
    assert script.commands[-1].arguments[-1].value == "/etc"
    assert len(script.commands) == 2 * MOST_CALLS + 2


def test_calls_are_read_again_as_long_as_there_are_few_commands() -> None:
    script = read("f() { ls; ls; ls; ls; ls; ls; }; " + "f; " * 1000 + "rm -rf /srv/data")
    assert [problem.message[:23] for problem in script.problems] == ["there are too many call"]
    assert MOST_REPEATED < len(script.commands) < MOST_COMMANDS
    assert script.commands[-1].name == "rm"


def test_a_file_is_read_again_where_it_has_another_text() -> None:
    calls = "f() { " + "g; " * 200 + "}; g() { ls; }; f; f; f; "
    writes = "h() { echo ls /srv > a; sh a; sh a; echo rm -rf /srv/data > a; sh a; sh a; }; h"
    names = [command.name for command in read(calls + writes).commands]
    assert names.count("rm") == 1


def test_a_chain_of_many_stages_is_read_and_one_of_too_many_is_told() -> None:
    # Only numbers are compared: each stage holds all those before it, which cannot be printed for a difference.
    many, absurd = (read("echo x" + " | cat" * number + " | sh") for number in (100, 900))
    assert len(many.problems) == 0
    assert len(many.commands) == 102
    assert [problem.message for problem in absurd.problems] == [OVER]
    assert 400 < len(absurd.commands) < 902


def test_a_command_inside_a_program_is_placed_in_the_text() -> None:
    text = "python3 -c 'import os; os.system(\"rm -rf /etc\")'"
    (deletion,) = (command for command in read(text).commands if command.name == "rm")
    assert text[slice(*deletion.span)] == "rm -rf /etc"
