"""Shell that the grammar does not know is read all the same, with what stands around it; what is none is told of."""

import pytest
from checking import findings, of_shell, shell

from wpk_sandbox.rules.shell.syntax import read

UNREADABLE, SYSTEM = "shell-unreadable", "shell-destroy-system"

READABLE = [
    "x=$(show it) 2>/dev/null || x=0",
    'archive="$(guess $suite)" 2>/dev/null || true',
    "n=`count` >/dev/null 2>&1 && echo $n",
    "until m=$(ask) > /dev/null || [ $r -eq 1 ]; do sleep 1; done",
    'echo "${@:$#}"',
    'echo "${name:$start:1}"',
    'note="${first:+${first}; }${second:+ (${second})}"',
    'depends="base${minor:+ (>> $minor)}"',
    "limits=${LIMITS:-memory<250Mi,nodefs<10%}",
    'host=$(trim "${HOST%%\\]}")',
    'if [ "x$a" != x -a \\( "x$b" = x -o "x$c" = x \\) ]; then echo one; fi',
    'if [ "$a" = yes -o \\\n  \\( "$b" = yes \\) ]; then echo two; fi',
    'V=4 log::info "done"',
    "case $1 in *\\(*) echo bad;; esac",
    'case $1 in *[" \t"]*) echo blank;; esac',
    "ls | grep -v ^lo$; echo",
    "kubectl version | sed -e s/'}'/''/g -e /^$/d > out.txt",
    "exec 0<> /dev/console 1<> /dev/console 2<> /dev/console",
    "for n in $(seq $((16#$a)) $((16#$b))); do echo $n; done",
    "if (ping -c1 host 2>&1 >/dev/null) then echo up; fi",
    'if [[ "$l" = *".pb" || "$r" = *".pb" ]]; then echo same; fi',
    ": <<=cut\nhow (to) use it: don't\n=cut",
    "for NAME do echo $NAME; done",
    "protoc --import=vendor `# for the extensions` --out=. a.proto",
    "if ! { ask >/dev/null 2>&1 || [ $? -ne 1 ]; } then echo no; fi",
    "case $version in app' '[1-9]*) echo new;; ?*' '?*) echo words;; esac",
    'if [ ! "$KIND" "$DEVICE" ]; then echo missing; fi',
    "copy \"${url//'https://storage.example.com/'/gs://}\" file",
    "readonly -f log::path",
    "<<COMMENT\nwhat (nobody) reads\nCOMMENT",
    'exec > >( exec 1>&- 2>&- logger -t "app[$$]" ) 2>&1',
    "text=${text//<end>/${more}<new><end>}",
    'if [[ $* = *" disk:none"*" client:yes"* ]]; then echo one; fi',
    "[[ $title =~ ^\\[([0-9]*\\.)[^]]*\\] ]] && echo release",
    'conf="${CONF:-${DIR}\\auth.yaml}"',
    ": ${NAME=`echo ${INSTANCE} | tr ':' '-'`}",
]
# What a repair must not hide: it says the same as what was written.
STILL_FOUND = [
    'rm -rf /etc "${NOTE:+(${NOTE})}"',
    "<<EOF bash\nrm -rf /etc\nEOF",
    "x=$(rm -rf /etc) 2>/dev/null || true",
    "ls `# a remark` `rm -rf /etc`",
    "PATH=/x 2>&- rm -rf /etc",
    'if [ ! "$A" "$B" ] || rm -rf /etc; then echo; fi',
]
NO_SHELL = [
    "if true; then echo",
    "echo 'never closed",
    "case x in a) echo",
    "ls | grep -v ^p$) && echo",
    '& "C:\\docker" images `\n  | Select { $_ }',
    'x=$(show it 2>/dev/null || x="${y:+ (',
]


@pytest.mark.parametrize("script", READABLE)
def test_what_shells_know_is_read(script: str) -> None:
    assert UNREADABLE not in of_shell(script)


@pytest.mark.parametrize("script", READABLE)
def test_the_danger_behind_it_is_found_in_its_place(script: str) -> None:
    text = f"{script}\nrm -rf /etc\n"
    issues = [each for each in read(text).commands if each.name == "rm"]
    assert [text[slice(*each.span)] for each in issues] == ["rm -rf /etc"]
    assert SYSTEM in of_shell(text)


@pytest.mark.parametrize("script", STILL_FOUND)
def test_a_repair_hides_nothing(script: str) -> None:
    # Without the second line some of them can be read as they stand.
    assert SYSTEM in of_shell(f"{script}\ny=$(ask) 2>/dev/null || y=0\n")


@pytest.mark.parametrize("script", NO_SHELL)
def test_what_is_no_shell_is_told_of(script: str) -> None:
    assert UNREADABLE in of_shell(script)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("rm -rf $A/$B/c", ["rm", "-rf", "$A/${B}/c"]),
        ("cp $A/$1; echo", ["cp", "$A/${1}"]),
        ("mv $root/$HOME/.db/* $root/var", ["mv", "$root/~/.db/*", "$root/var"]),
    ],
)
def test_two_variables_with_a_slash_between_are_one_word(script: str, words: list[str]) -> None:
    command = read(script).commands[0]
    assert [word.shown for word in command.words] == words
    assert script[slice(*command.span)] == script.partition(";")[0]


def test_the_second_of_two_variables_is_known() -> None:
    assert SYSTEM in of_shell("A=\nB=etc\nrm -rf $A/$B/")
    assert SYSTEM not in of_shell("A=/srv\nB=etc\nrm -rf $A/$B/")


def test_as_much_as_possible_is_read_of_what_is_no_shell() -> None:
    script = 'x=$(ask) 2>/dev/null || x=0\nnote="${a:+ (${b})}"\nrm -rf /etc\nif true; then echo\n'
    assert {UNREADABLE, SYSTEM} <= of_shell(script)


def test_text_for_eval_with_variables_in_it_is_not_held_to_be_shell_yet() -> None:
    assert UNREADABLE not in of_shell('eval "$name"="\'$value\'"')
    assert UNREADABLE in of_shell("eval 'if true; then echo'")


def test_a_place_behind_a_repair_is_that_in_the_script() -> None:
    script = 'x=$(ask) 2>/dev/null || x=0\nV=4 log::info "done"\nrm -rf /etc'
    (found,) = [each for each in findings(shell(script)) if each.rule == SYSTEM]
    assert found.excerpt[found.location.column - 1 : found.location.end_column - 1] == "rm -rf /etc"
