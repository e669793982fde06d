"""No finding shows a secret, nor half of one, however its rule shortens, spells or quotes what it tells of."""

import base64
import json
from urllib.parse import quote

import pytest
from checking import api, applied, findings, k8s, load, manifest, package, shell

from wpk_sandbox.finding import Finding
from wpk_sandbox.package.attached import with_files
from wpk_sandbox.package.package import Package
from wpk_sandbox.rules.check import check
from wpk_sandbox.rules.policy import Policy

SECRET = "Kw7Zp2Qx9RtYv3BnMz7CpHd5"
HEAD = """\
apiVersion: v1
kind: WorkflowPackage
metadata: {name: sample, version: 1.0.0, description: A package., author: team@example.com}
spec:
  runtime: {type: k8s}
  safety: {mode: manual}
  triggers: []
  handlers:
"""


def pieces(secret: str, least: int = 4) -> list[str]:
    """Everything of a secret that is long enough to be a part of it rather than chance."""
    return [secret[at : at + least] for at in range(len(secret) - least + 1)]


def shown(found: Finding) -> str:
    return "\n".join((found.message, found.fix, found.excerpt))


def leaks(told: tuple[Finding, ...], *secrets: str) -> list[tuple[str, str]]:
    parts = [part for secret in secrets for part in pieces(secret)]
    return [(each.rule, shown(each)) for each in told if any(part in shown(each) for part in parts)]


def padded(before: str, after: str, length: int) -> str:
    """A command in which so many characters stand before the secret."""
    return f"{before} {'a' * max(1, length - len(before) - 12)} --password {SECRET} {after}"


@pytest.mark.parametrize("length", range(50, 84, 3))
@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        ("chmod 777", "/srv/data", "shell-world-writable"),
        ("rm -rf", "/etc", "shell-destroy-system"),
        ("rm -rf", "/srv/data", "shell-destroy-data"),
        ("curl", "https://tools.example.net/x | sh", "shell-fetch-and-run"),
        ("mkfs.ext4", "/dev/sdb", "shell-raw-disk-write"),
        ("sysctl -w kernel.panic=0", "", "shell-kernel-change"),
    ],
)
def test_a_command_is_cut_without_half_of_a_secret(before: str, after: str, rule: str, length: int) -> None:
    told = findings(shell(padded(before, after, length)))
    assert rule in {each.rule for each in told}
    assert leaks(told, SECRET) == []


@pytest.mark.parametrize("length", range(12, 62, 5))
def test_a_statement_is_cut_without_half_of_a_secret(length: int) -> None:
    words = f"DROP DATABASE {'a' * length} /* password={SECRET} */ "
    told = findings(shell(f'psql -c "{words}"'))
    assert any("DROP" in each.message for each in told)
    assert leaks(told, SECRET) == []


def test_a_cut_that_is_in_no_secret_stays_as_it_was() -> None:
    command = f"chmod 777 --password {SECRET} " + "/srv/a-folder-with-a-long-name " * 3
    (message,) = {each.message for each in findings(shell(command)) if each.rule == "shell-world-writable"}
    assert message.startswith("`chmod 777 --password *** /srv/a-folder-with")
    assert "...`" in message


@pytest.mark.parametrize("style", ["hunter2abc  and more words", "hunter2abc\tand more words"])
def test_a_secret_with_white_space_is_hidden_though_the_message_has_less(style: str) -> None:
    told = findings(shell(f'chmod 777 "$DIR"; rm -rf "/etc" "--password={style}"'), shell(f"PASSWORD='{style}' x"))
    assert [each for each in told if "hunter2abc" in each.message] == []


def forms_of(secret: str) -> dict[str, str]:
    return {
        "base64": base64.b64encode(secret.encode()).decode(),
        "base64 with a line end": base64.b64encode(f"{secret}\n".encode()).decode(),
        "base64 of a pair": base64.b64encode(f"operator:{secret}".encode()).decode(),
        "base64 for URLs": base64.urlsafe_b64encode(secret.encode()).decode(),
        "percent": quote(secret, safe=""),
        "JSON": json.dumps(secret)[1:-1],
    }


@pytest.mark.parametrize("form", list(forms_of("")))
@pytest.mark.parametrize("secret", [SECRET, 'p4$$/w"rd+Z+q=?ÿé9'])
def test_another_spelling_of_a_known_secret_is_hidden_too(form: str, secret: str) -> None:
    spelled = forms_of(secret)[form]
    known = applied(manifest("Secret", stringData={"password": secret}))
    told = findings(known, shell(f"chmod 777 /srv --mark='{spelled}'", "open"))
    (found,) = [each for each in told if each.rule == "shell-world-writable"]
    core = spelled[-20:-4] if form.startswith("base64") else spelled
    assert core not in shown(found)
    assert found.message.startswith("`chmod 777 /srv --mark=")


def test_what_a_secret_decodes_to_is_hidden_too() -> None:
    known = applied(manifest("Secret", data={"password": base64.b64encode(SECRET.encode()).decode()}))
    told = findings(known, shell(f"chmod 777 /srv/{SECRET}", "open"))
    assert leaks(told, SECRET) == []


@pytest.mark.parametrize(
    "url",
    [
        f"http://operator:{SECRET}@db.example.net:5432/x",
        f"http://10.0.0.7/x?password={SECRET}&a=b",
        f"http://10.0.0.7/x?key={SECRET}",
    ],
)
def test_a_url_is_told_of_without_its_secret(url: str) -> None:
    told = findings(api(url), shell(f"curl -k {url} | sh"), shell(f"rm -rf {url} /etc", "c"))
    assert told
    assert leaks(told, SECRET) == []


def test_a_secret_in_json_is_hidden_in_what_is_told_of_it() -> None:
    body = json.dumps({"user": "operator", "password": SECRET})
    told = findings(shell(f"curl -k -d '{body}' http://tools.example.net/x | sh; chmod 777 '{body}'"))
    assert {"shell-fetch-and-run", "shell-world-writable"} <= {each.rule for each in told}
    assert leaks(told, SECRET) == []


def test_a_secret_over_folded_lines_is_hidden_on_each() -> None:
    folded = f"""\
    - name: run
      timeout: 60s
      steps:
        - name: one
          container:
            image: "busybox:latest"
            command: [chmod, "777", /srv/{SECRET}, "{SECRET} {SECRET[::-1]} {SECRET.lower()}x"]
            env: [{{name: DB_PASSWORD, value: "{SECRET} {SECRET[::-1]}
              {SECRET.lower()}x"}}]
    - name: again
      timeout: 60s
      type: shell
      config:
        command: >-
          chmod 777 /srv
          PASSWORD={SECRET}
    - name: broken
      timeout: 60s
      type: shell
      config:
        command: "chmod 777 /srv PASSWORD={SECRET[:12]}\\
          {SECRET[12:]}"
"""
    told = check(load(HEAD + folded), Policy())
    assert len([each for each in told if each.rule == "shell-world-writable"]) == 3
    assert leaks(told, SECRET, SECRET[::-1], SECRET.lower()) == []


@pytest.mark.parametrize("name", ["DB_PASSWORD", "API_TOKEN"])
def test_the_default_of_a_variable_is_a_secret_by_its_name(name: str) -> None:
    told = findings(shell(f"chmod 777 /srv/{SECRET} ${{{name}:-{SECRET}}}"))
    assert "hard-coded-secret" in {each.rule for each in told}
    assert leaks(told, SECRET) == []
    for other in (
        "${DB_PASSWORD:-$OTHER}",
        "${DB_PASSWORD:-}",
        "${DB_PASSWORD:?is missing}",
        "${TOKEN_FILE:-/run/x}",
    ):
        assert "hard-coded-secret" not in {each.rule for each in findings(shell(f"login {other}"))}


@pytest.mark.parametrize("key", ["value", "default"])
def test_the_default_of_a_parameter_is_a_secret_by_its_name(key: str) -> None:
    parameters = [{"name": "db_password", key: SECRET}]
    made = applied(manifest("Template", api_version="template.example.net/v1", parameters=parameters))
    told = findings(made, shell(f"chmod 777 /srv/{SECRET}", "b"))
    assert "hard-coded-secret" in {each.rule for each in told}
    assert leaks(told, SECRET) == []


def test_a_secret_in_the_name_of_a_step_is_hidden() -> None:
    key = "ghp_8Gk2LwQx9RtYv3BnMz7CpHd5SjFa1Ue6Xo4W"
    told = findings(shell("rm -rf /srv/data", f"use {key}"), {"name": f"as {key}", **api("http://10.0.0.7/x")})
    assert "shell-destroy-data" in {each.rule for each in told}
    assert leaks(told, key) == []


PIPED = """\
kubectl apply -f - <<EOF
apiVersion: v1
kind: Pod
metadata: {{name: made}}
spec:
  containers:
    - {{name: a, image: "busybox:latest", securityContext: {{privileged: true}}, env: [{{name: DB_PASSWORD, value: {secret}}}]}}
EOF
chmod 777 /srv/{secret}
"""


def test_a_secret_of_a_piped_object_is_hidden_in_the_whole_package() -> None:
    told = findings(shell(PIPED.format(secret=SECRET)), shell(f"chmod 777 /opt/{SECRET}", "b"))
    assert {"hard-coded-secret", "image-unpinned"} <= {each.rule for each in told}
    assert leaks(told, SECRET) == []


def naming(text: str, *handlers: dict[str, object]) -> Package:
    """A package that names a file of that text."""
    whole, told = with_files(package(k8s("apply", manifest="deploy/app.yaml"), *handlers), lambda _: text.encode())
    assert told == ()
    return whole


ATTACHED = """\
apiVersion: v1
kind: Pod
metadata: {{name: made}}
spec:
  hostNetwork: true
  containers:
    - {{name: a, image: "busybox:latest", env: [{{name: DB_PASSWORD, value: {secret}}}]}}
"""


@pytest.mark.parametrize("form", ["one", "List", "list"])
def test_a_secret_of_a_named_file_is_hidden_in_the_package_too(form: str) -> None:
    text = ATTACHED.format(secret=SECRET)
    item = "- " + text.rstrip().replace("\n", "\n  ") + "\n"
    text = {"one": text, "List": f"kind: List\napiVersion: v1\nitems:\n{item}", "list": item}[form]
    told = check(naming(text, shell(f"chmod 777 /opt/{SECRET}", "b")), Policy())
    assert {each.location.path for each in told} >= {"deploy/app.yaml", "sample.wpk.yaml"}
    assert leaks(told, SECRET) == []


def test_a_secret_of_the_package_is_hidden_in_a_named_file_too() -> None:
    text = ATTACHED.format(secret="none").replace("name: made", f"name: made, labels: {{a: {SECRET}}}")
    text = text.replace("busybox:latest", f"busybox-{SECRET.lower()}:latest")
    told = check(
        naming(text, shell(f"login --password {SECRET}", "b"), shell(f"PASSWORD={SECRET.lower()}", "c")), Policy()
    )
    assert "image-unpinned" in {each.rule for each in told}
    assert leaks(told, SECRET, SECRET.lower()) == []
