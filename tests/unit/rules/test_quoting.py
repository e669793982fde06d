"""Which variables of a shell command want quotes."""

import pytest

from wpk_sandbox.rules.quoting import unquoted


def found(command: str) -> list[str]:
    return [command[start:end] for start, end in unquoted(command)]


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("rm -rf /data/$NAME/*", ["$NAME"]),
        ("cp $A/x ${B}/y", ["$A", "${B}"]),
        ("cd $DIR && ls", ["$DIR"]),
        ('cat "$A"/$B', ["$B"]),
        ("if true; then mv ${A}/b /tmp; fi", ["${A}"]),
        ("x=$(cat /etc/$F)", ["$F"]),
        ("/bin/rm -f /tmp/é/$X", ["$X"]),
        ("sudo true; touch é/$X", ["$X"]),
    ],
)
def test_a_variable_within_a_path_is_one(command: str, names: list[str]) -> None:
    assert found(command) == names


@pytest.mark.parametrize(
    "command",
    [
        "rm -rf $FILES",
        'rm -rf "/data/$NAME"',
        "rm -rf '/data/$NAME'",
        "echo /data/$NAME",
        "cp ${A:-/tmp}/x /y",
        "cp ${A%/}/x /y",
        "cp /x/$@ /y",
        "rm $A$B",
        "cat <<EOF\n/data/$NAME\nEOF",
        "sh -c 'rm /data/$NAME'",
        "# rm /data/$NAME",
        "rm /data/$(",
        "",
    ],
)
def test_another_is_left_alone(command: str) -> None:
    assert found(command) == []
