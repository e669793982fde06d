"""Values that become a part of a program, and those that are arguments or were looked at before."""

import pytest
from checking import of_shell

RULE = "shell-unsafe-expansion"

PARTS = [
    "python3 -c \"print('$NAME')\"",
    "perl -e \"print '$NAME'\"",
    "ruby -e \"puts '$NAME'\"",
    "node -e \"console.log('$NAME')\"",
    "php -r \"echo '$NAME';\"",
    'sh -c "grep -c -- $PATTERN app.log"',
    'bash -lc "systemctl restart $UNIT"',
    'ssh web-1 "rm -f /srv/files/$FILE"',
    "psql -d shop -c \"DELETE FROM t WHERE id = '$ID'\"",
    'mysql shop -e "DELETE FROM t WHERE $WHERE"',
    "sqlite3 app.db \"SELECT '$NAME'\"",
    "mongosh --eval \"db.t.find({a: '$NAME'})\"",
    'awk "/$PATTERN/ { print }" app.log',
    "find . -name '*.jpg' -exec sh -c 'convert {} x' \\;",
    "find . -print | xargs -I{} sh -c 'wc -l {}'",
    "ls /srv/uploads | xargs -I F bash -c 'gzip /srv/uploads/F'",
    'echo "systemctl restart $UNIT" | sh',
    "bash <<EOF\nsystemctl restart $UNIT\nEOF",
    'while read -r f; do ssh web-1 "rm -f /srv/$f"; done < list',
    'fix=$(jq -r .fix alert.json); bash -c "$fix"',
]
ARGUMENTS = [
    "python3 -c 'import sys; print(sys.argv[1])' \"$NAME\"",
    'sh -c \'grep -c -- "$1" app.log\' _ "$PATTERN"',
    'ssh "$HOST" systemctl restart nginx',
    "ssh \"$HOST\" 'systemctl restart nginx && uptime'",
    'ssh web-1 "systemctl restart $(printf %q "$UNIT")"',
    'printf -v q \'%q \' systemctl restart "$UNIT"; ssh web-1 "sudo $q"',
    'ssh web-1 "systemctl restart ${UNIT@Q}"',
    'UNIT=nginx; ssh web-1 "systemctl restart $UNIT"',
    'for u in nginx app; do ssh web-1 "systemctl restart $u"; done',
    '[[ $UNIT =~ ^[a-z]+$ ]] || exit 1; ssh web-1 "systemctl restart $UNIT"',
    'case "$UNIT" in nginx|app) ;; *) exit 1 ;; esac; sh -c "systemctl restart $UNIT"',
    'sh -c "echo $HOME $$ $RANDOM"',
    "psql -v id=\"$ID\" -c 'SELECT 1'",
    "awk -v p=\"$PATTERN\" '$0 ~ p' app.log",
    "find . -name '*.jpg' -exec sh -c 'for f; do gzip \"$f\"; done' _ {} +",
    "kubectl get pods -o name | xargs -I{} sh -c 'kubectl describe {} | tail'",
    "seq 3 | xargs -I{} sh -c 'echo {}'",
    'bash -c "</dev/tcp/$HOST/$PORT"',
    "bash <<'EOF'\nsystemctl restart $UNIT\nEOF",
    'echo "restarting $UNIT" | tee -a log',
]


@pytest.mark.parametrize("script", PARTS)
def test_a_value_that_becomes_a_part_of_a_program_is_found(script: str) -> None:
    assert RULE in of_shell(script)


@pytest.mark.parametrize("script", ARGUMENTS)
def test_arguments_and_known_values_are_left_alone(script: str) -> None:
    assert RULE not in of_shell(script)


@pytest.mark.parametrize("end", ["exit 64", "return 1"])
def test_a_case_that_ends_for_everything_else_silences_the_empty_path(end: str) -> None:
    look = f'case "$dir" in /srv/app/?*) ;; *) {end} ;; esac'
    script = 'dir=$(readlink -f "$1"); LOOK rm -rf -- "$dir"/*'
    assert not {RULE, "shell-destroy-data"} & of_shell(script.replace("LOOK", f"{look};"))
    assert {RULE, "shell-destroy-data"} & of_shell(script.replace("LOOK", ""))
