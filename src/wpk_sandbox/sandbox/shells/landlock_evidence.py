"""Tries from inside that a shell under Landlock is closed, and what the answers mean."""

from collections.abc import Iterator

from wpk_sandbox.sandbox.sandbox import Evidence
from wpk_sandbox.sandbox.shells.inside import TEMPORARY
from wpk_sandbox.sandbox.shells.probe import SAY, Answers

# Tries from inside what must fail, each beside what must not, so that silence proves nothing.
PROBE = (
    SAY
    + """
say uid "$(id -u)"
while read -r key value rest; do
  case $key in CapEff:|CapPrm:|CapAmb:|NoNewPrivs:|Seccomp:) say "$key" "$value" ;; esac
done </proc/self/status
while read -r key kind soft rest; do
  case "$key $kind" in
    "Max processes") say nproc "$soft" ;;
    "Max data") say data "${rest%% *}" ;;
  esac
done </proc/self/limits
for folder in / /tmp /var/tmp /dev/shm /run "$HOST"; do
  if (: >"$folder/.wpk-probe-$$") 2>/dev/null; then say written "$folder"; rm -f "$folder/.wpk-probe-$$"; fi
done
if (: >"$HOME/.wpk-probe" && rm "$HOME/.wpk-probe" && : >"$TMPDIR/.wpk-probe" && rm "$TMPDIR/.wpk-probe"); then
  say own writable
fi
for file in /etc/passwd /etc/hostname /etc/shadow "$HOST/.wpk-sandbox.json"; do
  if (read -r line <"$file") 2>/dev/null; then say "read" "$file"; fi
done
for name in HOME TMPDIR; do
  eval "folder=\\$$name"
  cp /usr/bin/true "$folder/.wpk-true" 2>/dev/null || cp /bin/true "$folder/.wpk-true"
  if "$folder/.wpk-true" 2>/dev/null; then say started "$name"; fi
  rm -f "$folder/.wpk-true"
done
if kill -0 "$OURS" 2>/dev/null; then say signalled "$OURS"; fi
if kill -0 $$; then say "signals" own; fi
LD_LIBRARY_PATH="$LIBRARY" "$PYTHON" -I -S -c '
import socket
socket.socketpair()
print("socketpair", "made", sep="\\t")
for family in ("AF_INET", "AF_INET6", "AF_UNIX"):
    try:
        socket.socket(getattr(socket, family), socket.SOCK_DGRAM)
        print(family, "made", sep="\\t")
    except OSError as error:
        print(family, error.strerror, sep="\\t")
'
exit 0
"""
)


def judged(answers: Answers, user: int) -> Iterator[Evidence]:
    """What the answers of `PROBE` mean for a shell of that user."""
    held = [answers.one(f"{kind}:") for kind in ("CapEff", "CapPrm", "CapAmb")]
    yield Evidence("user", answers.one("uid") == str(user) != "0", f"uid {answers.one('uid') or 'unknown'}")
    none_held = all(value and int(value, 16) == 0 for value in held)
    yield Evidence("capabilities", none_held, "held none" if none_held else f"held {held}")
    yield Evidence("new privileges", answers.one("NoNewPrivs:") == "1", f"NoNewPrivs {answers.one('NoNewPrivs:')}")
    written, own = answers.all("written"), answers.one("own") == "writable"
    yield Evidence(
        "root file system", own and not written, f"writable: {', '.join(written) or 'none but its own folders'}"
    )
    read = answers.all("read")
    yield Evidence("host's files", own and not read, f"readable: {', '.join(read) or 'none of those tried'}")
    started = answers.all("started")
    yield Evidence(TEMPORARY, started == ["HOME"], f"programs start from: {', '.join(started) or 'nowhere'}")
    yield _sockets("network", answers, ("AF_INET", "AF_INET6"))
    yield _sockets("daemon sockets", answers, ("AF_UNIX",))
    signalled = answers.all("signalled")
    yield Evidence(
        "other processes",
        answers.one("signals") == "own" and not signalled,
        "wpk-sandbox itself can be signalled" if signalled else "a signal to wpk-sandbox was refused",
    )


def _sockets(name: str, answers: Answers, families: tuple[str, ...]) -> Evidence:
    """That sockets of some families are not to be had, beside a pair that is, so that it was tried at all."""
    refused = all("ermi" in answers.one(family) for family in families)
    seen = ", ".join(f"{family} {answers.one(family) or 'untried'}" for family in families)
    return Evidence(name, refused and answers.one("socketpair") == "made", seen)
