"""Settings that a command writes into files: what it prints into them, and what `sed -i` puts there."""

import re
from collections.abc import Sequence

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.printed import printed_words
from wpk_sandbox.rules.shell.written import written_paths

# Longer texts are programs and data, no settings; the patterns would take long in them.
LONGEST_TEXT = 16 * 1024

# Lines that take a safeguard away, wherever their programs look for them.
_OFF: tuple[tuple[Pattern, str], ...] = tuple(
    (Pattern(pattern, re.MULTILINE), what)
    for pattern, what in (
        (r"(?i:StrictHostKeyChecking)[ =]+(?:no|off)\b", "lets any host key be taken"),
        (r"(?i:UserKnownHostsFile)[ =]+/dev/null", "lets any host key be taken"),
        (r"\bSELINUX=(?:disabled|permissive)", "stops SELinux from enforcing"),
        (
            r"\b(?:selinux|apparmor|audit)=0\b|\bmitigations=off\b|\bapparmor=0\b|\bsecurity=none\b",
            "starts the kernel without a safeguard",
        ),
        (r"\bPermit(?:RootLogin|EmptyPasswords)[ \t]+yes", "lets more people log in than should"),
        (r"\bPasswordAuthentication[ \t]+yes", "lets more people log in than should"),
        (r"\bNOPASSWD:[ \t]*ALL\b", "gives the rights of root without a password"),
        (r"^[ \t]*gpgcheck[ \t]*=[ \t]*(?:0|no|false)", "lets packages in that nobody signed"),
        (r"\[(?:[^\]\n]{0,80} )?trusted=yes\b", "lets packages in that nobody signed"),
        (r"AllowUnauthenticated\s+\"?(?:true|1|yes)", "lets packages in that nobody signed"),
        (r"AllowInsecureRepositories\s+\"?(?:true|1|yes)", "lets packages in that nobody signed"),
        (r"\bSigLevel[ \t]*=[ \t]*(?:Never|Optional TrustAll)", "lets packages in that nobody signed"),
        (r"Verify-(?:Peer|Host)\s+\"?(?:false|0)", "lets any certificate be taken"),
        (r"^[ \t]*sslverify[ \t]*=[ \t]*(?:0|no|false)", "lets any certificate be taken"),
        (r"(?i:\bstrict-ssl)[ \t]*=[ \t]*false|^sslVerify[ \t]*=[ \t]*false", "lets any certificate be taken"),
        (r"^[ \t]*check_certificate[ \t]*=[ \t]*(?:off|0|no)", "lets any certificate be taken"),
        (r"(?i:tls_reqcert)[ \t=]+(?:never|allow)\b", "lets any certificate be taken"),
        (r"^[ \t]*trusted-host[ \t]*=", "lets any certificate be taken"),
        (r"(?i:insecure_?skip_?(?:tls_?)?verify)['\"]?[ \t]*[:=][ \t]*\"?true", "lets any certificate be taken"),
        (r"\binsecure-skip-tls-verify:[ \t]*true|\"insecure-registries\"", "lets any certificate be taken"),
        (r"^[ \t]*(?:local|host\w*)[ \t]+.*[ \t]trust[ \t]*$", "lets in whoever asks"),
        (r"^[ \t]*(?:skip-grant-tables|protected-mode[ \t]+no|noauth[ \t]*=[ \t]*true)", "lets in whoever asks"),
        (r"\bxpack\.security\.enabled:[ \t]*false|^[ \t]*authorization:[ \t]*disabled", "lets in whoever asks"),
        (r"\banonymous-auth=true|\bauthorization-mode=AlwaysAllow", "lets in whoever asks"),
        (r"anonymous:[ \t]*\n[ \t]*enabled:[ \t]*true|^[ \t]*mode:[ \t]*AlwaysAllow", "lets in whoever asks"),
        (r"\bHISTFILE=(?:/dev/null|['\"]{2}|$)|\bHISTSIZE=0|\bunset HISTFILE", "keeps no history of the shell"),
        (r"^[ \t]*fsync[ \t]*=[ \t]*off|^[ \t]*full_page_writes[ \t]*=[ \t]*off", "lets a crash lose data"),
    )
)
_CURL = Pattern(r"^[ \t]*(?:insecure|-k)[ \t]*$", re.MULTILINE)


def loosened(command: Command) -> str:
    """Which safeguard a command takes away by what it writes, for the message; empty if none."""
    text = written_text(command)
    if not text:
        return ""
    if any(word.when_empty.endswith("curlrc") for word in written_paths(command)) and _CURL.search(text):
        return "lets any certificate be taken"
    return next((what for pattern, what in _OFF if pattern.search(text)), "")


def written_text(command: Command) -> str:
    """What a command writes into files, as far as it is known: printed text, or what `sed -i` puts there."""
    if not any(True for _ in written_paths(command)):
        return ""
    if command.name == "sed":
        return _put_by_sed([word.when_empty for word in command.arguments])[:LONGEST_TEXT]
    words = printed_words(command)
    return " ".join(word.template("x") for word in words)[:LONGEST_TEXT]


def _put_by_sed(arguments: Sequence[str]) -> str:
    """The new texts of `s/old/new/`, and of `a`, `i` and `c`, each on a line."""
    found: list[str] = []
    for argument in arguments:
        for each in re.split(r"\s*[;\n]\s*", argument):
            if (put := re.search(r"(?:^|[/\d$,{ ])s([/|#,@!~%])", each)) is not None:
                parts = each[put.end() :].split(put[1])
                found += parts[1:2]
            elif put := re.match(r"(?:/[^/]*/|\d+|\$)?\s*[aic]\\?\s*(.+)", each):
                found.append(put[1])
    return "\n".join(found)
