"""Programs that hand a shell, or the way to one, to whoever connects: daemons, terminals in a browser, tunnels."""

import re
from collections.abc import Callable

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell import programs
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.printed import here_documents
from wpk_sandbox.rules.shell.wrappers import SHELLS

_SHELL_PATH = Pattern(r"(?:^|[\s/=,:])(?:ba|da|a|z|k|c|tc|fi)?sh(?:$|[\s,])")
_SHELL = r"/bin/(?:ba|da|a|z|k)?sh"
# A language's connection, and what it then starts; a list or a text that stands there is no shell of somebody else.
_TELLING = {
    "python": (
        r"socket\.socket|create_connection|create_server|\.connect\s*\(|\.listen\s*\(|open_connection|socketserver",
        rf"dup2|pty\.spawn|{_SHELL}|os\.(?:system|popen)\s*\(\s*(?![\"'])|subprocess\.\w+\s*\(\s*(?![\[\"'])",
    ),
    "perl": (r"\bSocket\b|socket\s*\(", rf"exec|system|{_SHELL}|open\s*\(?\s*STDIN"),
    "ruby": (r"TCPSocket|TCPServer|Socket\.tcp", rf"exec|spawn|popen|{_SHELL}|system|`"),
    "php": (r"fsockopen|stream_socket_client|socket_create", rf"exec|popen|passthru|proc_open|system|{_SHELL}|`"),
    "node": (r"\bnet\b|\btls\b|WebSocket", rf"child_process|spawn|{_SHELL}"),
    "nodejs": (r"\bnet\b|\btls\b|WebSocket", rf"child_process|spawn|{_SHELL}"),
    "lua": (r"socket", r"os\.execute|io\.popen"),
}
_PATTERNS = {name: (Pattern(connects), Pattern(starts)) for name, (connects, starts) in _TELLING.items()}
# The same in a source that is compiled or read by another program: Go, Java, C, Tcl, PowerShell, Groovy.
_SOURCES = tuple(
    (Pattern(connects, re.DOTALL), Pattern(starts))
    for connects, starts in (
        (r"\bnet\.(?:Dial|Listen)\b", rf"exec\.Command\s*\(\s*\"(?:{_SHELL}|(?:ba)?sh|cmd)"),
        (r"new\s+(?:java\.net\.)?(?:Server)?Socket\s*\(", r"ProcessBuilder|getRuntime|\.execute\(\)"),
        (r"#include.*\bconnect\s*\(|#include.*\baccept\s*\(", r"\bdup2\s*\(|\bexec[lv]"),
        (r"TCPClient|TcpListener", r"(?i)\biex\b|invoke-expression|powershell|cmd\.exe|/bin/"),
        (r"\[\s*socket\s", r"\bexec\b"),
        (r"TcpStream::connect", r"Command::new"),
    )
)
_WRITERS = names(
    "cat tee echo printf go java jshell gcc cc tcc clang tclsh groovy pwsh powershell rustc swift kotlinc"
)
_ATTACHED = ("localhost:22", "127.0.0.1:22", "[::1]:22", ":22")
_TERMINALS = names("ttyd gotty shellinaboxd shellinabox wetty websocketd gotty2 butterfly.server.py")
_SHARED = names("tmate teleconsole sshx upterm pwncat pwncat-cs rustcat rcat gs-netcat hoaxshell dnscat dnscat2")


def hands_over(command: Command) -> bool:
    """True for a command that gives a shell to whoever is at the other end of a connection."""
    name = command.name
    if name in _CHECKS:
        return _CHECKS[name](command)
    if name in _TERMINALS or name in _SHARED:
        return bool(command.arguments) and command.arguments[0].value not in ("--version", "--help", "-h", "-v")
    return _program(command) or _source(command)


def _program(command: Command) -> bool:
    patterns = _PATTERNS.get(programs.language(command.name))
    text = programs.text(command) if patterns else ""
    return patterns is not None and bool(text and patterns[0].search(text) and patterns[1].search(text))


def _source(command: Command) -> bool:
    if command.name not in _WRITERS:
        return False
    words = (*here_documents(command), *command.arguments)
    text = "\n".join(word.when_empty for word in words)
    return any(connects.search(text) and starts.search(text) for connects, starts in _SOURCES)


def _telnetd(command: Command) -> bool:
    login = parse(command.arguments, names("p b f l u L E S w K")).value("l", "L", "E")
    return login is not None and _SHELL_PATH.search(login.when_empty) is not None


def _names_shell(command: Command) -> bool:
    return any(word.value is not None and word.value.rpartition("/")[2] in SHELLS for word in command.arguments)


def _ssh(command: Command) -> bool:
    """`ssh -R 2222:localhost:22 host`: from there, anybody reaches the ssh of this machine."""
    takes = names("b c D E e F I i J L l m O o p Q R S W w B M")
    remote = parse(command.arguments, takes, first_operand_ends=True).values.get("R", ())
    return any(word.when_empty.endswith(_ATTACHED) for word in remote)


def _tunnel(command: Command) -> bool:
    """`ngrok tcp 22`, `bore local 22`, `cloudflared tunnel --url ssh://…`, `chisel client host R:…:22`."""
    values = [word.when_empty for word in command.arguments]
    if not {"tcp", "local", "tunnel", "access", "client", "http"}.intersection(values):
        return False
    return any(value == "22" or value.endswith(":22") or "ssh://" in value for value in values)


def _xterm(command: Command) -> bool:
    display = parse(command.arguments, names("display e")).value("display")
    return display is not None and not display.when_empty.startswith((":", "localhost:", "unix:", "127."))


_CHECKS: dict[str, Callable[[Command], bool]] = {
    **dict.fromkeys(("telnetd", "in.telnetd", "utelnetd"), _telnetd),
    **dict.fromkeys(("tcpserver", "systemd-socket-activate", "tcpsvd", "udpsvd", "s6-tcpserver"), _names_shell),
    **dict.fromkeys(("ssh", "autossh"), _ssh),
    **dict.fromkeys(("ngrok", "bore", "cloudflared", "chisel", "rathole", "localtonet", "zrok", "pinggy"), _tunnel),
    "xterm": _xterm,
}
