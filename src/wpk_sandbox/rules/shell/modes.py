"""Rights for everybody by other ways than `chmod`: settings, options, programs; and those of root to a shell."""

import re

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell import programs
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.phrases import meaning, table
from wpk_sandbox.rules.shell.settings import written_text

_WRITES = "lets everybody write"
_ROOT = "gives the rights of root to whoever runs it"
_OPEN = r"0?[0-7]?[0-7]?[2367]"  # a mode without the sticky bit, whose last digit lets others write

_KNOWN = table(
    (
        _WRITES,
        """
        mount \
            -o|--options=*file_mode=0777*|*dir_mode=0777*|*file_mode=0666*|*mode=0777*|*mode=777*|*umask=0|*umask=0,*|*umask=000*|*umask=0000*
        mount.cifs -o=*file_mode=0777*|*dir_mode=0777*|*file_mode=0666*
        mount -o=*dmask=0|*dmask=0,*|*dmask=000*|*fmask=0|*fmask=0,*|*fmask=000*
        git config|init core.sharedRepository|core.sharedrepository world|all|everybody|0666|0777
        git init --shared=all|world|everybody|0666|0777
        systemd-run -p|--property=UMask=0*0
        hdfs|hadoop dfs|fs -chmod 777|-R 777
        hdfs|hadoop dfs|fs 777|0777|666|a+rwx|ugo+rwx
        ansible -a=*mode=*777*|*mode=*666*|*mode=a+w*
        exportfs -o=*rw*no_root_squash* [*]:*
        nfs4_setfacl -a|-s=*EVERYONE@:*w*|*EVERYONE@:*W*
        icacls *Everyone:*F*|*Everyone:*M*|*Everyone:*W*
        zkCli.sh setAcl world:anyone:*w*
        docker|podman build --chmod=777
        useradd -K=UMASK=000*|UMASK=0
        net usershare add *Everyone:F*
        """,
    ),
)
_SETTINGS = Pattern(
    rf"^\s*UMask\s*=\s*0{{1,4}}\s*$|^\s*UMASK\s+0{{1,4}}\s*$|^\s*umask[\s=]+0{{1,4}}\s*$|\blocal_umask\s*=\s*0{{1,4}}\s*$"
    rf"|\b(?:create|directory|force create|force directory)[ _](?:mask|mode)\s*=\s*{_OPEN}\s*$"
    rf"|\bMODE\s*:?=\s*\"{_OPEN}\"|^\s*[dDfFwp]\+?!?\s+/\S+\s+0?[0-7][0-7][2367]\s|^\s*create\s+0?[0-7][0-7][2367]\b"
    rf"|\bunix_socket_permissions\s*=\s*'?{_OPEN}\b|\bunixsocketperm\s+{_OPEN}\b|^\s*listen\.mode\s*=\s*{_OPEN}\b"
    rf"|^\s*(?:Directory|RuntimeDirectory|StateDirectory|CacheDirectory|LogsDirectory)Mode\s*=\s*{_OPEN}\s*$"
    rf"|\*\((?:[^)\n]*,)?rw\b[^)\n]*no_root_squash|\bRUN\b[^\n]*\bchmod\s+(?:-R\s+)?(?:0?777|0?666|a\+\w*w\w*)\b"
    rf"|--chmod=0?777\b|\b(?:file|dir)_mode=0777\b|\b[fd]?umask=0{{1,4}}\b|\bpublic\s*=\s*yes\b[\s\S]{{0,200}}\bwritable\s*=\s*yes\b",
    re.MULTILINE,
)
_CHMOD = Pattern(
    r"\b(?:l?f?chmod(?:_R|Sync)?|Chmod|chmodSync|set_permissions|mkdirs?|makedirs|mkfifo)\b[^;\n]{0,300}?\b0o?([0-7]{3,4})\b"
)
# What the walk through a program finds by itself.
_FOUND_ALREADY = Pattern(r"\bchmod\b\s*\(?\s*(?:[^,()]{1,200},\s*)?0o?[0-7]{3,4}\b")
_MODE_IN_VARIABLE = Pattern(r"=\s*0o?([0-7]{3,4})\b")
_UMASK = Pattern(r"\bumask\s*\(?\s*0o?0*\b\)?(?![1-9])")
_FLAGS = Pattern(r"\bS_IWOTH\b|\bS_IRWXO\b")
_SHELLS = Pattern(
    r"(?:^|/)(?:(?:ba|da|z|k|a|c|tc|fi)?sh|busybox|python[\d.]*|perl|ruby|node|php\d?|lua|find|vim?|nano|awk|gawk|sed|cp|mv|tar|env"
    r"|nmap|docker|less|more|tee|dd|gdb|make|xxd|base64|socat|nc)$"
)
_TEMPORARY = Pattern(r"^/(?:tmp|var/tmp|dev/shm|home/[^/]+)/")
_CAPABILITY = Pattern(
    r"cap_(?:setuid|setgid|dac_override|dac_read_search|sys_admin|sys_ptrace|sys_module)|^(?:all)?=e?i?p$"
)
_SETUID = Pattern(r"(?:[ugoa]*u[ugoa]*|a?)[+=][rwxX]*s[rwxXs]*")


def opened(command: Command) -> str:
    """How a command gives rights to everybody, as the end of a sentence; empty if it does not."""
    text = written_text(command)
    if text and _SETTINGS.search(text):
        return "lets everybody write, by a setting"
    if command.name in ("rsync", "tar", "bsdtar") and _copies_open(command):
        return "lets everybody write to the copies"
    return meaning(command, _KNOWN) or _by_program(command) or _to_a_shell(command)


def _copies_open(command: Command) -> bool:
    """`rsync --chmod=D777,F666`, `tar --mode=a+rw`."""
    given = parse(command.arguments, names("chmod mode")).value("chmod", "mode")
    clauses = given.when_empty.split(",") if given is not None else []
    for clause in clauses:
        if re.fullmatch(r"[DF]?0?[0-7]{3}", clause) and int(clause.lstrip("DF"), 8) & 0o002:
            return True
        found = re.fullmatch(r"[DF]?([ugoa]*)[+=]([rwxXst]*)", clause)
        if found and "w" in found[2] and ("o" in found[1] or "a" in found[1]):
            return True
    return False


def _by_program(command: Command) -> str:
    text = programs.text(command)
    if not text:
        return ""
    modes = [found[1] for found in _CHMOD.finditer(text)] if not _FOUND_ALREADY.search(text) else []
    if "chmod" in text and not modes and not _FOUND_ALREADY.search(text):
        modes = [found[1] for found in _MODE_IN_VARIABLE.finditer(text)]
    opens = any(int(mode, 8) & 0o002 and not int(mode, 8) & 0o1000 for mode in modes)
    return _WRITES if opens or _UMASK.search(text) or ("chmod" in text and _FLAGS.search(text)) else ""


def _to_a_shell(command: Command) -> str:
    """`chmod u+s /tmp/x`, `chmod 4755 /bin/bash`, `install -m 4755 /bin/sh /tmp/x`."""
    if command.name == "chmod":
        operands = parse(command.arguments, names("reference")).operands
        mode, paths = (operands[0].value, operands[1:]) if operands else (None, ())
    elif command.name == "install":
        options = parse(command.arguments, names("m mode o owner g group t S"))
        given = options.value("m", "mode")
        mode, paths = given.value if given is not None else None, options.operands
    elif command.name == "setcap":
        texts = [word.template("*") for word in command.arguments]
        powerful = any(_CAPABILITY.search(text) for text in texts)
        return _ROOT if powerful and any(_SHELLS.search(text) or _TEMPORARY.match(text) for text in texts) else ""
    else:
        return ""
    numeric = mode is not None and re.fullmatch(r"0?[4567][0-7]{3}", mode) is not None
    sets = numeric or any(_SETUID.fullmatch(part) for part in (mode or "").split(","))
    texts = [path.template("*") for path in paths]
    return _ROOT if sets and any(_SHELLS.search(text) or _TEMPORARY.match(text) for text in texts) else ""
