"""Waits without a pause, programs in other languages without an end, streams that are kept, room that is taken whole."""

import pytest
from checking import of_shell

EXHAUSTS = [
    # waits that only look, again and again
    "until [ -S /run/app.sock ]; do :; done",
    "while [ -e /run/lock/deploy ]; do true; done",
    "while ! grep -q ready /tmp/app.log; do echo waiting; done",
    "while ! systemctl is-active --quiet app; do logger -t watch 'app is down'; done",
    "while pgrep -x backup > /dev/null; do :; done",
    "while kill -0 $pid 2>/dev/null; do :; done",
    "until curl -s http://web/; do :; done",
    'until [ "$(kubectl get pod web -o jsonpath={.status.phase})" = Running ]; do :; done',
    "until nc -z db 5432; do echo waiting for db; done",
    # loops whose rest is none
    "while true; do kubectl get pods; sleep 0; done",
    'while true; do kubectl run "w-$RANDOM" --image=busybox -- sleep 3600; done',
    "while true; do docker run -d busybox sleep 3600; done",
    "while true; do kubectl create job j-$RANDOM --image=busybox; done",
    'for (( ; ; )); do x+="$x"; done',
    # other languages
    """awk 'BEGIN { s = "x"; while (1) s = s s }'""",
    """awk 'BEGIN { for (;;) a[n++] = n }'""",
    "python3 -c 'while True: pass'",
    "python3 - <<'PY'\nhog = []\nwhile True:\n    hog.append(bytearray(1 << 20))\nPY",
    "python3 -c 'x = \"A\" * 10**11'",
    "python3 -c 'b = bytearray(64000000000)'",
    "perl -e '$x .= \"A\" x 1048576 while 1'",
    "perl -e 'while (1) { push @a, 1 }'",
    "ruby -e 'a = []; loop { a << \"x\" * 1000000 }'",
    "node -e 'const a = []; while (true) a.push(new Array(1e6))'",
    "php -r 'while (true) { $a[] = str_repeat(\"x\", 1000000); }'",
    "lua -e 'local t = {} while true do t[#t+1] = {} end'",
    # streams
    "tail /dev/zero > /dev/null",
    "nohup tail /dev/zero > /dev/null 2>&1 &",
    "sort /dev/urandom > /dev/null",
    "grep x /dev/zero",
    'SECRET="$(base64 -w0 /dev/urandom)"',
    "KEY=`cat /dev/urandom | tr -dc a-z`",
    "X=$(yes)",
    "openssl enc -aes-256-ctr -pass pass:x < /dev/zero | cat > /dev/shm/blob",
    "dd if=/dev/zero bs=1M | tee /srv/fill > /dev/null",
    "cat /dev/zero > /dev/null &",
    "sha256sum /dev/zero &",
    "cat /dev/zero | nc sink 9999",
    "yes | xargs -P 50 -n 1 curl -s",
    "base64 /dev/urandom | logger -t x",
    "mapfile -t lines < /dev/urandom",
    "tail -n +1 -f /var/log/app.log >> /var/log/app.log",
    "stress-ng --vm 2 --vm-bytes 95% --timeout 0",
    # all the room that there is
    'avail=$(df --output=avail -B1 /data | tail -n 1); fallocate -l "$avail" /data/x',
    "fallocate -l $(df -B1 --output=avail / | tail -1) /x",
    'head -c "$(df -B1 --output=avail / | tail -1)" /dev/zero > /x',
    "n=$(df -m /data | awk 'NR==2{print $4}'); dd if=/dev/zero of=/data/x bs=1M count=$n",
]
PATIENT = [
    "until [ -S /run/app.sock ]; do sleep 1; done",
    "until [ -S /run/app.sock ]; do read -r -t 1 _ < /dev/tty; done",
    "while [ $# -gt 0 ]; do shift; done",
    "while [ $i -lt 5 ]; do i=$((i+1)); done",
    "while (( i++ < 5 )); do echo $i; done",
    "while ! kubectl wait --for=condition=ready pod/web; do :; done",
    "until wait_until_ready; do :; done",
    "until ./ready.sh; do echo waiting; done",
    "until ssh web-1 true; do :; done",
    "while ! timeout 5 test -e /x; do :; done",
    "while inotifywait -q /etc/app; do echo again; done",
    "while getopts n:h opt; do echo $opt; done",
    "while IFS= read -r line; do echo $line; done < list",
    "while jobs -r | grep -q .; do wait -n; done",
    "until curl -s --retry 5 --retry-delay 2 http://web/; do :; done",
    # rests
    "while true; do kubectl exec web -- sleep 5; done",
    "while true; do docker run --rm busybox sleep 5; done",
    "while true; do kubectl run x --rm -i --image=busybox -- sleep 5; done",
    "while true; do kubectl get pods; sleep 0.5; done",
    # other languages
    "python3 -c 'import time\nwhile True:\n    time.sleep(1)'",
    "python3 - <<'PY'\nwhile True:\n    line = f.readline()\n    if not line: break\nPY",
    "awk 'BEGIN { while (1) { if ((getline l) <= 0) exit; print l } }'",
    "awk '{ while (match($0, /x/)) sub(/x/, \"y\") } 1' file",
    "perl -ne 'while (/x/g) { print }' file",
    "node -e 'setInterval(() => {}, 1000); for (;;) await tick()'",
    "python3 -c 'print(\"-\" * 80)'",
    "python3 -c 'import time; print(int(time.time() * 1000000000))'",
    "timeout 10 python3 -c 'while True: pass'",
    # streams with an end
    "tail -n 5 /var/log/app.log",
    "KEY=$(head -c 32 /dev/urandom | base64)",
    "KEY=$(base64 /dev/urandom | head -c 32)",
    "KEY=$(tr -dc A-Z < /dev/urandom | fold -w 16 | head -n 1)",
    "KEY=$(od -An -N4 -tu4 /dev/urandom)",
    "KEY=$(xxd -l 16 -p /dev/urandom)",
    "KEY=$(dd if=/dev/urandom bs=16 count=1 | base64)",
    "grep -m1 x /dev/urandom",
    "cat /dev/zero | head -c 1M | nc sink 9999",
    "cmp <(yes | head) /dev/stdin",
    "read -r line < <(yes)",
    "timeout 10 cat /dev/urandom > /dev/null",
    "timeout 10 sha256sum /dev/zero &",
    "yes | ./install.sh",
    "yes | sed 3q",
    "cat /dev/null > /var/log/app.log",
    # some of the room
    "fallocate -l 2G /swapfile",
    "df -h /data; fallocate -l 1G /data/x",
]


@pytest.mark.parametrize("script", EXHAUSTS)
def test_what_has_no_end_is_found(script: str) -> None:
    assert {"shell-exhaustion", "shell-fork-bomb"} & of_shell(script)


@pytest.mark.parametrize("script", PATIENT)
def test_what_waits_or_ends_is_left_alone(script: str) -> None:
    assert not {"shell-exhaustion", "shell-fork-bomb"} & of_shell(script)


def test_sleeping_children_of_an_endless_loop_are_no_rest() -> None:
    assert "shell-fork-bomb" in of_shell("while :; do ( sleep 3600; rm -f /tmp/lock ) & done")
