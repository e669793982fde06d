"""Shell scripts made by the rules of its grammar, so that they reach deeper than damaged ones: text, never run."""

import shlex
from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

_WORDS = [
    "ls", "rm", "-rf", "/", "/etc", "/srv/data/*", '"$X"', "$X", "${X:-/}", "${A[@]}", '"$@"', "$1", "cat", "curl",
    "-s", "http://a.example/x", "sh", "-", "kubectl", "delete", "-n", "kube-system", "ns", "chmod", "777", "dd",
    "if=/dev/zero", "of=/dev/sda", "base64", "-d", "echo", "-e", "é🙂", "$'\\x2f'", "~/.ssh/id_rsa", "{a,b}", "*", "tee",
    "/tmp/a.sh", "docker", "run", "--privileged", "-v", "/:/h", "psql", "-c", "'drop table a'", "nc", "xargs", "find",
    "-exec", "{}", "\\;", "PASSWORD=Zq81xkLmN0pW", "export", "token=ghp_" + "a1B2" * 9, "sudo", "env", "eval", "cd",
    "read", "x", "set", "--", "printf", "'%s\\n'", "python3", "'import os; os.system(\"ls\")'", "pip", "install", "[",
    "-f", "]", "crontab", "true", ":", "exit", "sleep", "1", "tar", "czf", "trap", "EXIT", "alias", "a='ls -l'",
]  # fmt: skip
LONGEST_QUOTED = 2_000
LONGEST = 30_000
_MANY = ["\n", "; ", " && ", " || ", " | ", " & "]


def _quoted(text: str) -> str:
    """A script as one word; each level of quotes makes one of quotes five times as long."""
    return shlex.quote(text) if len(text) < LONGEST_QUOTED else "ls"


def _commands() -> SearchStrategy[str]:
    ends = st.sampled_from(["", "", "", " > /tmp/a.sh", " 2>&1", ' >> "$X"', " < /tmp/a.sh", ' <<< "$X"', " &"])
    words = st.lists(st.sampled_from(_WORDS), min_size=1, max_size=6).map(" ".join)
    assigned = st.builds(lambda name, word: f"{name}={word}", st.sampled_from("XYA"), st.sampled_from(_WORDS))
    return st.builds(str.__add__, words, ends) | assigned


def _around(inner: SearchStrategy[str]) -> SearchStrategy[str]:
    """What the grammar makes of one statement or two."""
    one: list[Callable[[str], str]] = [
        "( {} )".format,
        "{{ {}\n}}".format,
        "x=$({})".format,
        'rm -rf "$({})"/x'.format,
        "while true; do\n{}\ndone".format,
        'for X in /a "$@"; do {}\ndone'.format,
        "for ((i=0;i<3;i++)); do {}\ndone".format,
        "f() {{\n{}\n}}\nf /etc".format,
        "cat <<EOF | sh\n{}\nEOF".format,
        "cat > /tmp/a.sh <<-'EOF'\n{}\nEOF\nsh /tmp/a.sh".format,
        "diff <({}) `ls`".format,
        "# {}".format,
        "\t{}\r".format,
        lambda text: f"sh -c {_quoted(text)}",
        lambda text: f"ssh h {_quoted(text)}",
        lambda text: f"eval {_quoted(text)}",
        lambda text: f"trap {_quoted(text)} EXIT",
    ]
    two: list[Callable[[str, str], str]] = [
        "if {}; then\n{}\nfi".format,
        "if [[ $X == a* ]]; then {}\nelse {}\nfi".format,
        "case $X in\n a|b) {};;\n *) {}\nesac".format,
        *(lambda left, right, sign=sign: left + sign + right for sign in _MANY),
    ]
    return st.one_of(
        st.builds(lambda shape, text: shape(text), st.sampled_from(one), inner),
        st.builds(lambda shape, left, right: shape(left, right), st.sampled_from(two), inner, inner),
    )


scripts = st.recursive(_commands(), _around, max_leaves=12)
# A statement many times, which finds what takes more than its share of time.
long_scripts = st.builds(
    lambda text, sign, times: sign.join([text] * min(times, LONGEST // len(text) + 1))[:LONGEST],
    scripts,
    st.sampled_from(_MANY),
    st.sampled_from([20, 200, 3_000]),
)
