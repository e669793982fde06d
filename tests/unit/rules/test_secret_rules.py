"""Secrets are found by their form, their name or their place; their value is shown nowhere."""

import base64
from typing import Any

import pytest
from checking import HEAD, POLICY, api, applied, container, findings, k8s, load, manifest, of_shell, rules, shell

from wpk_sandbox.finding import Severity
from wpk_sandbox.rules.check import check
from wpk_sandbox.rules.secrets import entropy

RULE = "hard-coded-secret"

# Put together here, so that no scanner takes the tests for a leak.
AWS = "AKIA" + "Z7Q2M4X9P1L6K3J8"
GITHUB = "ghp_" + "a8Kd93jfLs02mXq7Zp4Wn6Rt1Vb5Yc0He3Gu"
SLACK = "xoxb-" + "2048-4096-Zk3Lq9Xv7Bn1"
JWT = "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiJydW5ib29rIn0" + ".c2lnbmF0dXJlLWhlcmU"
KEY = "-----BEGIN RSA PRIVATE" + " KEY-----\nMIIEpAIBAAKCAQEA7\nq2w3e4r5\n-----END RSA PRIVATE" + " KEY-----\n"
RANDOM = "u8Zq2LxW9vKp4Rt7"
BASIC = base64.b64encode(b"ops:Sunny42day").decode()
AZURE = base64.b64encode(bytes(range(7, 199, 3))).decode()

FOUND_IN_SHELL = {
    f"aws configure set x {AWS}": AWS,
    f"echo {GITHUB} > /tmp/x": GITHUB,
    f"export SLACK={SLACK}": SLACK,
    f"curl -H 'Authorization: Bearer {JWT}' http://web": JWT,
    f"curl -H 'Authorization: Bearer {RANDOM}' http://web": RANDOM,
    f"cat > /tmp/key <<'EOF'\n{KEY}EOF\n": "q2w3e4r5",
    "export DB_PASSWORD=hunter2!": "hunter2!",
    "PGPASSWORD='sunny day 42' psql -h db": "'sunny",
    f"API_KEY={RANDOM} ./run": RANDOM,
    f"./run --token {RANDOM}": RANDOM,
    f"./run --api-key={RANDOM}": RANDOM,
    "./run --password Sunny42day": "Sunny42day",
    "curl -u admin:Sunny42day http://web": "Sunny42day",
    "mysql -h db -pSunny42day -e 'SELECT 1'": "Sunny42day",
    "psql postgres://admin:Sunny42day@db/shop": "Sunny42day",
    """curl -d '{"password": "Sunny42day"}' http://web""": "Sunny42day",
    "curl -su admin:Sunny42day http://web": "Sunny42day",
    "curl 'http://web/?a=1&b=2' -u $USER:Sunny42day": "Sunny42day",
    f"curl -H 'Authorization: Basic {BASIC}' http://web": BASIC,
    f"export STORE='AccountName=shop;AccountKey={AZURE};EndpointSuffix=core.windows.net'": AZURE,
    "sshpass -p 'Sunny 42 day' ssh ops@node uptime": "Sunny 42 day",
    "sshpass -v -pSunny42day ssh -p 2222 ops@node uptime": "Sunny42day",
    "docker login registry.example.com -u ci -p Sunny42day": "Sunny42day",
    "docker --config /tmp/d login -u ci \\\n  -p Sunny42day registry.example.com": "Sunny42day",
    "helm registry login -u ci -p 'Sunny42day' registry.example.com": "Sunny42day",
    "mysqldump -h db -P3306 -p'Sunny42day' shop": "Sunny42day",
    "redis-cli -h cache -a Sunny42day PING": "Sunny42day",
    "redis-cli --pass Sunny42day PING": "Sunny42day",
}
NOT_IN_SHELL = [
    "export DB_PASSWORD=${DB_PASSWORD}",
    'PGPASSWORD="$PASSWORD" psql -h db',
    "PASSWORD=$(cat /run/secret/password); ./run --password $PASSWORD",
    "./run --password ${DB_PASSWORD}",
    "./run --token-file /run/token",
    "export PASSWORD=changeme",
    "export PASSWORD=<password>",
    "export TOKEN=your-token-here",
    "kubectl create secret generic x --from-literal=password=${PASSWORD}",
    "kubectl get secret db-credentials -o yaml",
    "kubectl delete secret token",
    "curl -u admin:${PASSWORD} http://web",
    "curl -H 'Authorization: Bearer ${TOKEN}' http://web",
    "psql postgres://admin:${PASSWORD}@db/shop",
    "psql postgres://admin@db/shop",
    "git checkout 3f2c1aa9d8e7b6c5f4a3b2c1d0e9f8a7b6c5d4e3",
    "sha256sum -c <<< '" + "ab12" * 16 + "  x'",
    "echo 'the password is wrong'",
    "passwd --lock admin",
    "mysqldump -h db -p shop",
    "mysql -h db -P3306 shop",
    "find /var/lib/mysql -print",
    "mysql -h db shop; find /tmp -path /tmp/x",
    "pg_dump --no-password orders",
    "gh auth login --with-token </run/secrets/gh4token",
    "basic authentication is needed",
    f"echo 'basic {RANDOM}'",
    "curl -H 'Authorization: Basic ${BASIC}' http://web",
    "curl -H 'Authorization: Basic " + base64.b64encode(b"ops:${PASSWORD}").decode() + "' http://web",
    'export STORE="AccountName=shop;AccountKey=${KEY}"',
    "sshpass -e ssh ops@node uptime",
    'sshpass -p "$PASSWORD" ssh ops@node uptime',
    "sshpass -f /run/secrets/login ssh -p 2222 ops@node uptime",
    "docker login -u ci -p $PASSWORD registry.example.com",
    "docker login -u ci -p `cat /run/secrets/ci` registry.example.com",
    "docker login -u ci --password-stdin registry.example.com </run/secrets/ci",
    "docker login registry.example.com && docker run -p 8080:80 web",
    'helm registry login -u ci -p "${PASSWORD}" registry.example.com',
    'mysql -h db -p"$PASSWORD" shop',
    "redis-cli -a $PASSWORD PING",
    "redis-cli KEYS cache | grep -a expired-entries",
    "curl -su $USER:$PASSWORD http://web",
    "curl -u ${USER:-admin} http://web",
    "./run --password ENC[AES256_GCM,data:8sdfjK2=,iv:Qm9n=,tag:Zm9v=,type:str]",
]


@pytest.mark.parametrize("command", FOUND_IN_SHELL)
def test_a_secret_in_a_command_is_found(command: str) -> None:
    assert RULE in of_shell(command)


@pytest.mark.parametrize("command", FOUND_IN_SHELL)
def test_the_value_is_in_no_part_of_any_finding(command: str) -> None:
    for finding in findings(shell(command + "\ncurl https://example.com; if")):
        for text in (finding.message, finding.excerpt, finding.fix):
            assert FOUND_IN_SHELL[command] not in text


@pytest.mark.parametrize("command", NOT_IN_SHELL)
def test_what_is_no_secret_is_left_alone(command: str) -> None:
    assert RULE not in of_shell(command)


def test_a_finding_beside_a_secret_does_not_show_it() -> None:
    command = "curl -u admin:Sunny42day 'https://example.com/?password=Sunny42day'"
    found = findings(shell(command))
    assert {finding.rule for finding in found} == {RULE, "external-call"}
    assert all("Sunny42day" not in finding.excerpt + finding.message for finding in found)
    assert all(len(finding.excerpt) == len(found[0].excerpt) for finding in found)


def test_a_secret_that_the_file_escapes_is_not_shown_either() -> None:
    text = HEAD + (
        "  handlers:\n"
        '    - {name: a, timeout: 1m, type: shell, config: {command: "export DB_PASSWORD=S\\u0075nny42day"}}\n'
    )
    (found,) = check(load(text), POLICY)
    assert "nny42day" not in found.excerpt
    assert found.excerpt.count("*") == len("S\\u0075nny42day")


NAMED = [
    ("password", "Sunny42day", True),
    ("db_password", "hunter2!", True),
    ("dbPassword", "hunter2!", True),
    ("PASSWORD", "correct horse battery", True),
    ("password", 12345678, True),
    ("api_key", RANDOM, True),
    ("client-secret", RANDOM, True),
    ("token", RANDOM, True),
    ("password", "${PASSWORD}", False),
    ("password", "", False),
    ("password", "new_password", False),
    ("password", "{{ password }}", False),
    ("password", True, False),
    ("token", "api-token", False),
    ("secret", "db-credentials", False),
    ("secretName", "Db4Credentials9x", False),
    ("passwordPolicy", "Sunny42day", False),
    ("tokenPath", "/var/run/secrets/token", False),
    ("token", "/var/run/secrets/token", False),
    ("credentials", "new_credentials", False),
    ("name", RANDOM, False),
    ("Authorization", f"Basic {BASIC}", True),
    ("Proxy-Authorization", f"basic {BASIC}", True),
    ("Authorization", "Basic ${BASIC}", False),
    ("password", "ENC[AES256_GCM,data:8sdfjK2=,iv:Qm9n=,tag:Zm9v=,type:str]", False),
    ("password", "$ANSIBLE_VAULT;1.1;AES256\n62313365396662343061393464336163", False),
]


@pytest.mark.parametrize(("name", "value", "found"), NAMED)
def test_the_name_of_a_value_tells(name: str, value: Any, found: bool) -> None:
    assert (RULE in rules(api("http://web.shop.svc", payload={name: value}))) is found
    if isinstance(value, str):
        assert (RULE in rules(container(env=[{"name": name, "value": value}]))) is found


def test_every_part_of_the_file_is_examined() -> None:
    header = api("http://web.shop.svc", headers={"Authorization": f"Bearer {RANDOM}"})
    assert RULE in rules(header)
    trigger = [{"type": "webhook", "config": {"path": "/x", "token": RANDOM}}]
    assert RULE in rules(shell("true"), triggers=trigger)
    assert RULE in rules(k8s("patch", resource_type="configmap", name="a", data={"url": f"redis://:{RANDOM}@db/0"}))


def test_the_contents_of_a_secret_manifest_are_secrets() -> None:
    def encoded(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    assert rules(applied(manifest("Secret", data={"pin": encoded("admin")}))) == {RULE}
    assert rules(applied(manifest("Secret", stringData={"pin": "admin"}))) == {RULE}
    assert rules(applied(manifest("Secret", data={"pin": encoded("${USER}")}))) == set()
    assert rules(applied(manifest("Secret", stringData={"pin": "${USER}"}))) == set()
    assert rules(applied(manifest("ConfigMap", data={"pin": "admin"}))) == set()


CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIBizCCATGgAwIBAgIUFe9k5r98\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("key", "text", "kept"),
    [
        ("username", "orders", False),
        ("db-host", "postgres.data.svc", False),
        ("ca.crt", CERTIFICATE, False),
        ("trust", CERTIFICATE, False),
        ("tls.key", KEY, True),
        ("url", "postgres://orders@db/shop", False),
        ("url", "postgres://orders:Sunny42day@db/shop", True),
        (".dockerconfigjson", f'{{"auths": {{"registry.example.com": {{"auth": "{BASIC}"}}}}}}', True),
        ("config", "replace: me", False),
        ("config", f"host: registry.example.com\ntoken: {RANDOM}\n", True),
    ],
)
def test_what_stands_in_a_secret_beside_secrets_is_none(key: str, text: str, kept: bool) -> None:
    assert (RULE in rules(applied(manifest("Secret", stringData={key: text})))) is kept
    encoded = base64.b64encode(text.encode()).decode()
    assert (RULE in rules(applied(manifest("Secret", data={key: encoded})))) is kept


def digits(length: int, letters: str = "0123456789abcdef") -> str:
    """Letters that look random, and are the same each time."""
    return "".join(letters[(number * 7 + number // 3) % len(letters)] for number in range(length))


ISSUED = [
    "hf_" + digits(34, RANDOM),
    "SG." + digits(22, RANDOM) + "." + digits(43, RANDOM),
    "https://api.telegram.org/bot" + "9564536669:AA" + digits(33, RANDOM) + "/sendMessage",
    "https://discord.com/api/webhooks/931551816618431364/" + digits(68, RANDOM),
    "https://chat.googleapis.com/v1/spaces/AAA/messages?key=x&token=" + digits(40, RANDOM),
    "pypi-" + digits(60, RANDOM),
    "dckr_pat_" + digits(27, RANDOM),
    "sk-proj-" + digits(48, RANDOM),
    "GOCSPX-" + digits(28, RANDOM),
    "dop_v1_" + digits(64),
    "hvs." + digits(30, RANDOM),
    digits(14, RANDOM) + ".atlasv1." + digits(64, RANDOM),
    "glsa_" + digits(40, RANDOM),
    "NRAK-" + digits(27, RANDOM.upper()),
    "dapi" + digits(32),
    "shpat_" + digits(32),
    "pul-" + digits(40),
    "AGE-SECRET-KEY-1" + digits(58, RANDOM.upper()),
    "xapp-1-" + digits(30, RANDOM),
]


@pytest.mark.parametrize("token", ISSUED)
def test_tokens_are_known_by_the_form_that_their_issuer_gives_them(token: str) -> None:
    assert RULE in rules(api("http://web.shop.svc/", payload={"text": f"it is {token}"}))


SETTINGS = [
    f"PrivateKey = {AZURE[:43]}=",
    f"users:\n- name: ops\n  user:\n    token: {RANDOM}",
    f"[db]\npassword = {RANDOM}",
    f"routing_key: {RANDOM}",
    f'"auth": "{BASIC}"',
    f"SMTP_PASS={RANDOM}",
    "admin.password=vT9#qLw2$Rz7mKx!pE4d",
]
NO_SETTINGS = [
    "PublicKey = " + AZURE[:43] + "=",
    "password: ${file:/run/secrets/db:password}",
    "token: ENV[API_TOKEN]",
    "password: {{ .Values.auth.password | quote }}",
    "DB_PASSWORD=op://shop/orders-db/password",
    "API_TOKEN=vault:kv/data/shop/api#token",
    "SECRET=arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/orders-db-Qx7LmZ",
    "SECRET=https://shop-vault.vault.azure.net/secrets/orders-db/c8801cccfdfd0b60f15376add53774e1",
    "SECRET=secret/data/shop/orders#password",
    "login.password=Password",
    "login.secret=Geheimnis",
    "secret: orders-db-2",
    "author: platform-team@example.com",
    "bypass=12345678abcdef",
    "compass: north-by-northwest-7",
]


@pytest.mark.parametrize("text", SETTINGS)
def test_a_secret_in_a_settings_file_is_found(text: str) -> None:
    assert RULE in rules(applied(manifest("ConfigMap", data={"settings": text})))


@pytest.mark.parametrize("text", NO_SETTINGS)
def test_where_a_secret_is_and_what_it_is_called_is_none(text: str) -> None:
    assert RULE not in rules(applied(manifest("ConfigMap", data={"settings": text})))


def test_the_value_of_an_annotation_goes_by_the_name_of_the_annotation() -> None:
    web = {"resource_type": "deployment", "name": "web"}
    assert RULE in rules(k8s("annotate", **web, annotation="example.com/admin-password", value="kP4-zzWq81_mLt"))
    assert RULE not in rules(k8s("annotate", **web, annotation="example.com/team", value="kP4-zzWq81_mLt"))


def test_what_is_encrypted_for_the_cluster_is_no_secret() -> None:
    def sealed(**spec: Any) -> set[str]:
        return rules(applied(manifest("SealedSecret", spec, "bitnami.com/v1alpha1")))

    assert RULE not in sealed(encryptedData={"password": "AgBa0iXDFoxWQmnkKZdOqAwRE+eqES3f"})
    assert RULE in sealed(template={"data": {"password": RANDOM}})
    assert RULE in rules(applied(manifest("ConfigMap", encryptedData={"password": RANDOM})))


@pytest.mark.parametrize("piece", ["mysql ", "curl ", "docker login ", "a", "://", "_", "-eyJaaaaaaaa.", "'mysql "])
def test_a_long_text_is_read_in_one_pass(piece: str) -> None:
    """A pattern whose work grows with the square of the text would keep this busy for minutes."""
    assert rules(api("http://web.shop.svc", payload={"note": "token " + piece * (60_000 // len(piece))})) == set()


def test_the_place_is_the_value_and_the_weight_is_high() -> None:
    (found,) = [each for each in findings(shell("DB_PASSWORD=Sunny42day ./run")) if each.rule == RULE]
    start, end = found.location.column - 1, found.location.end_column - 1
    assert found.excerpt[start:end] == "*" * len("Sunny42day")
    assert (found.severity, found.cwe) == (Severity.HIGH, 798)


def test_each_secret_is_told_once() -> None:
    found = [each for each in findings(shell(f"A={GITHUB}; TOKEN={GITHUB}")) if each.rule == RULE]
    assert len(found) == 2


def test_random_text_has_more_entropy_than_words() -> None:
    assert entropy(RANDOM) > 3.5 > entropy("aaaabbbb") > entropy("aaaaaaaa") == 0
