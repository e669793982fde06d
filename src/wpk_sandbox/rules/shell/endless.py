"""Programs in other languages that never end and never rest, or that ask for more memory than machines have.

They are not parsed. What is read are the loops that nothing ends as each language writes them; a program with any
word that waits or leaves is taken to be patient.
"""

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell import programs
from wpk_sandbox.rules.shell.command import Command

_FOREVER = Pattern(
    r"\bwhile\s*\(?\s*(?:True|true|TRUE|1|not\s+False|!0)\b"  # Python, C and its kin, awk, Perl behind a statement
    r"|\buntil\s*\(?\s*(?:False|false|0)\b"
    r"|\bfor\s*\(\s*[^;(){}]{0,40};\s*(?:;|true\s*;|1\s*;)"
    r"|\bloop\s*(?:do\b|\{)"
    r"|\b(?:itertools\.)?(?:count|cycle|repeat)\(\s*\)"
    r"|\brepeat\b[^\n]{0,200}\buntil\s+false\b"
)
# What ends a program or lets it wait: for time, for input, for another process, for the network.
_PATIENT = Pattern(
    r"\b(?:sleep|usleep|nanosleep|delay|setTimeout|setInterval|break|exit|_exit|quit|return|last|die|raise|throw|throws"
    r"|wait|waitpid|wait_for|await|select|poll|epoll|accept|recv|recvfrom|read|readline|readlines|input|getline|gets|getc"
    r"|next|listen|serve|serve_forever|subscribe|consume|join|yield|stdin|STDIN|timeout|alarm|pause|urlopen|request"
    r"|requests|fork)\b|<>|<STDIN>|\.get\("
)
# `10**10`, `1e11`, `1 << 34`, `1024**4`: ten thousand million and more.
_MUCH = r"(?:10\s*\*\*\s*\d{2,3}|1e\d{2,3}|\d{11,18}|1\s*<<\s*(?:3[4-9]|[4-9]\d)|1024\s*\*\*\s*[4-9])\b"
_MEMORY = Pattern(
    rf"(?:[\"'\])]\s*(?:\*|\bx\b)|\b(?:bytearray|bytes|Buffer\.alloc|new\s+Array|calloc|malloc)\s*\(|\.repeat\s*\("
    rf"|\bstr_repeat\s*\([^,()]{{1,40}},)\s*{_MUCH}"
)
_BOUNDED = frozenset({"timeout", "prlimit"})


def program(command: Command) -> str:
    """What a program in a command's arguments or input uses up, for the message; empty if nothing."""
    text = programs.text(command)
    if not text or not _BOUNDED.isdisjoint(command.via):
        return ""
    if _MEMORY.search(text):
        return "asks for more memory than machines have"
    return "never ends and never rests" if _FOREVER.search(text) and not _PATIENT.search(text) else ""
