"""Rewrites each dangerous script of the corpus in ten ways that mean the same, and counts what is still found.

`make mutations`. Scripts are data: they are parsed and checked, and no shell ever sees one. A rewrite counts only when
it is still shell syntax. Each works on all simple commands of a script at once, so that the dangerous one is among
them wherever it stands.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from measure import Entry, raised, read

from wpk_sandbox.rules.shell.source import Source

if TYPE_CHECKING:
    from tree_sitter import Node

BAR = 0.95
WAYS_EACH = 10

# What only the shell itself can do: no program of these names can be wrapped or named by its path.
_BUILTINS = frozenset(
    [
        ".",
        ":",
        "alias",
        "bg",
        "break",
        "builtin",
        "cd",
        "command",
        "continue",
        "coproc",
        "declare",
        "dirs",
        "eval",
        "exec",
        "exit",
        "export",
        "false",
        "fg",
        "getopts",
        "hash",
        "history",
        "let",
        "local",
        "mapfile",
        "popd",
        "pushd",
        "read",
        "readarray",
        "readonly",
        "return",
        "set",
        "shift",
        "shopt",
        "source",
        "test",
        "times",
        "trap",
        "true",
        "type",
        "typeset",
        "ulimit",
        "umask",
        "unalias",
        "unset",
        "wait",
    ]
)
_NAME = re.compile(r"[a-z][\w.+-]*")
# Short options without values, which may stand in any order, apart or together.
_CLUSTERS = {
    "rm": "rRfvi",
    "curl": "fsSLkgI",
    "chmod": "Rvf",
    "chown": "Rvf",
    "ls": "larth",
    "cp": "rRfv",
    "wget": "qc",
}
_LONG = {
    ("rm", "-rf"): "--recursive --force",
    ("rm", "-fr"): "--force --recursive",
    ("rm", "-r"): "--recursive",
    ("rm", "-f"): "--force",
    ("curl", "-k"): "--insecure",
    ("curl", "-s"): "--silent",
    ("curl", "-sL"): "--silent --location",
    ("curl", "-fsSL"): "--fail --silent --show-error --location",
    ("curl", "-fsS"): "--fail --silent --show-error",
    ("curl", "-sS"): "--silent --show-error",
    ("curl", "-o"): "--output",
    ("curl", "-d"): "--data",
    ("curl", "-T"): "--upload-file",
    ("curl", "-F"): "--form",
    ("chmod", "-R"): "--recursive",
    ("chown", "-R"): "--recursive",
    ("base64", "-d"): "--decode",
    ("wget", "-q"): "--quiet",
    ("kubectl", "-n"): "--namespace",
    ("kubectl", "-A"): "--all-namespaces",
    ("docker run", "-v"): "--volume",
    ("shred", "-u"): "--remove",
    ("truncate", "-s"): "--size",
    ("nsenter", "-t"): "--target",
    ("nsenter", "-m"): "--mount",
}


@dataclass(frozen=True)
class Simple:
    """A simple command in a script: the bytes of its words, and its name."""

    words: tuple[tuple[int, int], ...]
    name: str
    external: bool


@dataclass(frozen=True)
class Script:
    """A script that is rewritten."""

    data: bytes
    commands: tuple[Simple, ...]

    @property
    def text(self) -> str:
        return self.data.decode()

    def edited(self, edits: Sequence[tuple[int, int, str]]) -> str | None:
        """The script with parts replaced; None for no parts."""
        data = self.data
        for start, end, new in sorted(edits, reverse=True):
            data = data[:start] + new.encode() + data[end:]
        return data.decode() if edits else None

    def word(self, span: tuple[int, int]) -> str:
        return self.data[span[0] : span[1]].decode()


Way = Callable[[Script, int], str | None]


def parsed(text: str) -> Script | None:
    """A script with its commands; None where it is no shell syntax."""
    source = Source(text)
    root = source.parse()
    if source.error(root) is not None:
        return None
    nodes = list(_nodes(root))
    functions = {
        _text(child, source) for node in nodes if node.type == "function_definition" for child in node.children
    }
    commands = [_simple(node, source, functions) for node in nodes if node.type == "command"]
    return Script(source.data, tuple(each for each in commands if each is not None))


def _nodes(root: "Node") -> Iterator["Node"]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(node.children)


def _text(node: "Node", source: Source) -> str:
    return source.slice(node.start_byte, node.end_byte)


def _simple(node: "Node", source: Source, functions: set[str]) -> Simple | None:
    """A command that is not preceded by assignments, with a plain word for its name."""
    named = node.child_by_field_name("name")
    if named is None or node.children[0] != named:
        return None
    name = _text(named, source)
    words = [named] + [child for child in node.children[1:] if "redirect" not in child.type]
    if not _NAME.fullmatch(name) or name in functions:
        return None
    return Simple(tuple((each.start_byte, each.end_byte) for each in words), name, name not in _BUILTINS)


# The ways; each gets the number of the script, to take turns with.


def quoted_name(script: Script, turn: int) -> str | None:
    """`"rm" -rf /`."""
    mark = ("'{}{}'", '"{}{}"', "\\{}{}", "{}''{}")[turn % 4]
    return script.edited([(*each.words[0], mark.format(each.name[0], each.name[1:])) for each in script.commands])


def quoted_words(script: Script, turn: int) -> str | None:
    """`rm '-rf' "/"`."""
    mark = "'\""[turn % 2]
    plain = [span for each in script.commands for span in each.words[1:] if _is_plain(script.word(span))]
    return script.edited([(*span, f"{mark}{script.word(span)}{mark}") for span in plain])


def _is_plain(word: str) -> bool:
    return re.fullmatch(r"[\w./:=,@%+-]+", word) is not None


def wide(script: Script, turn: int) -> str | None:
    """`rm   -rf	/`."""
    return script.edited([(start, end, "   " if turn % 2 else " \t ") for start, end in _gaps(script)])


def continued(script: Script, turn: int) -> str | None:
    """A line continuation behind each name."""
    first = [(each.words[0][1], each.words[1][0]) for each in script.commands if len(each.words) > 1]
    return script.edited([(start, end, " \\\n    ") for start, end in first if _is_gap(script, start, end)])


def _gaps(script: Script) -> list[tuple[int, int]]:
    """The white space between two words of a command."""
    pairs = [
        (left[1], right[0])
        for each in script.commands
        for left, right in zip(each.words, each.words[1:], strict=False)
    ]
    return [pair for pair in pairs if _is_gap(script, *pair)]


def _is_gap(script: Script, start: int, end: int) -> bool:
    return start < end and not script.data[start:end].strip(b" \t")


def reordered(script: Script, turn: int) -> str | None:
    """`rm -fr /` for `rm -rf /`."""
    return script.edited([(*span, f"-{word[:0:-1]}") for span, word in _clusters(script)])


def split_flags(script: Script, turn: int) -> str | None:
    """`rm -r -f /` for `rm -rf /`."""
    return script.edited(
        [(*span, " ".join(f"-{letter}" for letter in word[1:])) for span, word in _clusters(script)]
    )


def _clusters(script: Script) -> Iterator[tuple[tuple[int, int], str]]:
    for each in script.commands:
        letters = _CLUSTERS.get(each.name, "")
        for span in each.words[1:]:
            word = script.word(span)
            if len(word) > 2 and word[0] == "-" and set(word[1:]) <= set(letters):
                yield span, word


def long_flags(script: Script, turn: int) -> str | None:
    """`rm --recursive --force /`."""
    edits = []
    for each in script.commands:
        for span in each.words[1:]:
            long = _LONG.get((each.name, script.word(span)))
            if long:
                edits.append((*span, long))
    return script.edited(edits)


def named_by_variable(script: Script, turn: int) -> str | None:
    """`C=rm; $C -rf /`."""
    names = sorted({each.name for each in script.commands if each.external})
    variables = {name: f"C{index}" for index, name in enumerate(names)}
    use = ("${}", "${{{}}}", '"${}"')[turn % 3]
    edits = [(*each.words[0], use.format(variables[each.name])) for each in script.commands if each.external]
    rewritten = script.edited(edits)
    given = "; ".join(f"{variable}={name}" for name, variable in variables.items())
    return f"{given}\n{rewritten}" if rewritten else None


def wrapped(script: Script, turn: int) -> str | None:
    """`sudo rm -rf /`."""
    return _before(script, ("env ", "sudo ", "nice -n 5 ", "nohup ")[turn % 4])


def wrapped_again(script: Script, turn: int) -> str | None:
    """`timeout 60 rm -rf /`."""
    return _before(script, ("timeout 60 ", "command ", "env A=1 ", "sudo -n -u root -- ")[turn % 4])


def _before(script: Script, wrapper: str) -> str | None:
    return script.edited(
        [(each.words[0][0], each.words[0][0], wrapper) for each in script.commands if each.external]
    )


def by_path(script: Script, turn: int) -> str | None:
    """`/usr/bin/rm -rf /`."""
    folder = ("/bin/", "/usr/bin/")[turn % 2]
    return _before(script, folder)


def in_shell(script: Script, turn: int) -> str | None:
    """`sh -c '…'`."""
    text = script.text.replace("'", "'\\''")
    return f"{('bash -c', 'sh -c', 'bash -ec', 'sudo bash -lc')[turn % 4]} '{text}'"


def grouped(script: Script, turn: int) -> str | None:
    """A subshell, a group, a function, a branch."""
    around = ("(\n{}\n)", "{{\n{}\n}}", "work() {{\n{}\n}}\nwork", "if true; then\n{}\nfi")[turn % 4]
    return around.format(script.text)


def after_harmless(script: Script, turn: int) -> str | None:
    """`true && rm -rf /`."""
    before = ("true && ", "echo start; ", "date\n", ": start && ")[turn % 4]
    return before + script.text


# The first ten that change a script are taken; the last ones stand in where one of the others has nothing to change.
WAYS: tuple[Way, ...] = (
    quoted_name,
    wide,
    named_by_variable,
    wrapped,
    continued,
    in_shell,
    grouped,
    after_harmless,
    reordered,
    split_flags,
    long_flags,
    quoted_words,
    wrapped_again,
    by_path,
)


def mutants(text: str, turn: int) -> Iterator[tuple[str, str]]:
    """Rewrites of a script that are still shell syntax, each with the name of its way; at most ten."""
    script = parsed(text)
    if script is None:
        return
    made = 0
    for way in WAYS:
        rewritten = way(script, turn)
        if rewritten is not None and rewritten != text and parsed(rewritten) is not None:
            yield way.__name__, rewritten
            made += 1
            if made == WAYS_EACH:
                return


def main(arguments: Sequence[str] | None = None) -> int:
    """Check every rewrite, and print the share that is still found and each that is not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("family", nargs="*", help="only the entries of these families")
    asked = parser.parse_args(arguments)
    entries = [entry for entry in read() if entry.script and entry.must]
    found, all_, known, lost = Counter[str](), Counter[str](), 0, 0
    for turn, entry in enumerate(entries):
        if asked.family and entry.family not in asked.family:
            continue
        plain = _missing(entry)
        for way, text in mutants(entry.text, turn):
            all_.update((way, entry.family))
            known += not plain
            missing = _missing(replace(entry, text=text))
            if not missing:
                found.update((way, entry.family))
            elif not plain:
                lost += 1
                print(f"tests/corpus/{entry.place}: {way} hides {missing}: {text!r}")
    for name, count in sorted(all_.items()):
        print(f"{name:<18} {found[name]:5} of {count:5}  {found[name] / count:.3f}")
    total = sum(all_.values()) // 2
    share = sum(found.values()) / 2 / total if total else 0.0
    print(f"{known - lost} of {known} rewrites of scripts that are found as they stand are still found")
    print(f"{total} rewrites of {len(entries)} scripts: {share:.3f} found")
    return 0 if share >= BAR else 1


def _missing(entry: Entry) -> str:
    rules = raised(entry)
    return ", ".join(" or ".join(due) for due in entry.must if rules.isdisjoint(due))


if __name__ == "__main__":
    sys.exit(main())
