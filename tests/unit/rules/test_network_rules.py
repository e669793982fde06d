"""Calls that leave the cluster are found; calls inside of it are not; what a parameter decides is said."""

import pytest
from checking import POLICY, api, container, k8s, of_shell, one, rules, shell

from wpk_sandbox.rules.hosts import UNKNOWN_MARK, Where, address
from wpk_sandbox.rules.policy import Policy

EXTERNAL, UNKNOWN, METADATA = "external-call", "unknown-host", "metadata-call"

ADDRESSES = {
    "https://example.com/x": Where.OUTSIDE,
    "HTTPS://Example.COM": Where.OUTSIDE,
    "example.com": Where.OUTSIDE,
    "example.com:8443/x": Where.OUTSIDE,
    "https://user:word@example.com/": Where.OUTSIDE,
    "https://localhost@example.com/": Where.OUTSIDE,
    "https://example.com#localhost": Where.OUTSIDE,
    "https://web.svc.example.com/": Where.OUTSIDE,
    "https://svc.com": Where.OUTSIDE,
    "http://8.8.8.8": Where.OUTSIDE,
    "http://134744072/": Where.OUTSIDE,
    "http://[2001:4860:4860::8888]:80/": Where.OUTSIDE,
    "http://203.0.113.7": Where.OUTSIDE,
    "http://localhost:8080/": Where.INSIDE,
    "http://localhost./": Where.INSIDE,
    "http://127.0.0.1": Where.INSIDE,
    "http://127.1.2.3": Where.INSIDE,
    "http://2130706433/": Where.INSIDE,
    "http://[::1]:80": Where.INSIDE,
    "http://web": Where.INSIDE,
    "http://web:8080/health": Where.INSIDE,
    "http://web.shop.svc/": Where.INSIDE,
    "http://web.shop.svc.cluster.local:8080/": Where.INSIDE,
    "http://prometheus.monitoring:9090/": Where.INSIDE,
    "http://web.my-team/": Where.INSIDE,
    "http://web.named/": Where.INSIDE,
    "http://web.unnamed/": Where.OUTSIDE,
    "http://web.xn--p1ai/": Where.OUTSIDE,
    "http://10.1.2.3": Where.PRIVATE,
    "http://192.168.1.1": Where.PRIVATE,
    "http://169.254.1.1": Where.PRIVATE,
    "http://169.254.169.254/latest": Where.METADATA,
    "http://169.254.170.2\0": Where.METADATA,
    "http://169.254.170.20\0": Where.UNKNOWN,
    "http://2852039166/": Where.METADATA,
    "http://metadata.google.internal/": Where.METADATA,
    f"{UNKNOWN_MARK}": Where.UNKNOWN,
    f"https://{UNKNOWN_MARK}/x": Where.UNKNOWN,
    f"https://{UNKNOWN_MARK}.com/x": Where.UNKNOWN,
    f"https://hooks.{UNKNOWN_MARK}/x": Where.UNKNOWN,
    f"https://{UNKNOWN_MARK}.example.com/": Where.OUTSIDE,
    f"https://example.com/{UNKNOWN_MARK}": Where.OUTSIDE,
    f"https://{UNKNOWN_MARK}@example.com/": Where.OUTSIDE,
    f"http://{UNKNOWN_MARK}.shop.svc/": Where.INSIDE,
    f"http://localhost:{UNKNOWN_MARK}/": Where.INSIDE,
}


@pytest.mark.parametrize(("text", "where"), ADDRESSES.items())
def test_an_address_leads_somewhere(text: str, where: Where) -> None:
    assert address(text, (), frozenset({"named"})).where is where


@pytest.mark.parametrize(
    ("pattern", "url", "where"),
    [
        ("example.com", "https://example.com/", Where.INSIDE),
        ("example.com", "https://sub.example.com/", Where.OUTSIDE),
        ("*.example.com", "https://sub.example.com/", Where.INSIDE),
        ("*.example.com", "https://example.com.evil.example/", Where.OUTSIDE),
        ("*.EXAMPLE.com", "https://sub.example.com/", Where.INSIDE),
        ("10.1.2.3", "http://10.1.2.3/", Where.INSIDE),
        ("*.example.com", f"https://{UNKNOWN_MARK}.example.com/", Where.INSIDE),
        ("*", f"https://{UNKNOWN_MARK}/", Where.UNKNOWN),
    ],
)
def test_the_policy_allows_hosts(pattern: str, url: str, where: Where) -> None:
    assert address(url, (pattern,), frozenset()).where is where


def test_api_calls_are_examined() -> None:
    assert rules(api("https://example.com/x")) == {EXTERNAL}
    assert rules(api("http://web.shop.svc/x")) == set()
    assert rules(api("http://169.254.169.254/x")) == {METADATA}
    assert rules(api("${CHAT_URL}")) == {UNKNOWN}
    assert rules(api("https://${HOST}/x")) == {UNKNOWN}
    assert rules(api("https://example.com/${USER_ID}")) == {EXTERNAL}
    assert rules(api("https://example.com/x"), policy=Policy(allowed_hosts=("example.com",))) == set()


def test_the_namespaces_of_the_package_are_inside() -> None:
    call = api("http://web.shop/x")
    assert rules(call) == {EXTERNAL}
    assert rules(k8s("restart", resource_type="deployment", name="web", namespace="shop"), call) == set()


CALLS = [
    "curl https://example.com",
    "curl example.com",
    "curl -sS -X POST -d @/tmp/x -H 'A: b' https://example.com/hook",
    "curl --url https://example.com",
    "curl -o /tmp/x https://example.com",
    "curl -so/tmp/x https://example.com",
    "curl $(echo https://example.com)",
    "URL=https://example.com; curl $URL",
    "curl http://web.shop.svc https://example.com",
    "sh -c 'curl https://example.com'",
    "true | xargs curl https://example.com",
    "wget -q -O - https://example.com/x",
    "nc example.com 443",
    "telnet example.com 25",
    "ssh admin@example.com uptime",
    "scp /tmp/x admin@example.com:/tmp/",
    "rsync -a /tmp/ admin@example.com:/tmp/",
    "git clone https://example.com/x.git",
    "git clone git@example.com:x/y.git",
    "ping -c 1 example.com",
    "psql -h db.example.com -c 'SELECT 1'",
    "psql postgres://user@db.example.com/x",
    "kubectl apply -f https://example.com/x.yaml",
    "helm repo add x https://example.com/charts",
    "pip install --index-url=https://example.com/simple x",
    "cat /tmp/x > /dev/tcp/example.com/80",
    "socat - tcp:example.com:80",
    "aws s3 ls",
]
NO_CALLS = [
    "curl http://web.shop.svc/health",
    "curl -s localhost:8080/health",
    "curl -H 'Host: example.com' http://web",
    "curl -o example.com http://web",
    "curl -A https://example.com http://web",
    "curl --unix-socket /run/x.sock http://x.example.com/",
    "curl file:///etc/hostname",
    "echo https://example.com",
    "echo curl https://example.com",
    "grep https://example.com /tmp/x",
    "# curl https://example.com",
    "nc -l 8080",
    "nc -z web 80",
    "git status",
    "git commit -m 'see https://example.com'",
    "scp /tmp/a /tmp/b",
    "psql -h db.shop.svc -c 'SELECT 1'",
    "kubectl apply -f /tmp/x.yaml",
    "kubectl get pods",
    "curl https://$KUBERNETES_SERVICE_HOST/api",
]
UNKNOWN_CALLS = [
    "curl $URL",
    'curl "${URL}/x"',
    "wget https://${HOST}/x",
    "nc $HOST 80",
    "curl $(cat /tmp/url)",
    "curl 10.1.2.3",
]


@pytest.mark.parametrize("command", CALLS)
def test_a_shell_command_that_calls_outside_is_found(command: str) -> None:
    assert EXTERNAL in of_shell(command)


@pytest.mark.parametrize("command", NO_CALLS)
def test_a_shell_command_that_calls_nobody_outside_is_left_alone(command: str) -> None:
    assert not {EXTERNAL, UNKNOWN, METADATA} & of_shell(command)


@pytest.mark.parametrize("command", UNKNOWN_CALLS)
def test_a_call_to_a_host_that_is_not_known_is_low(command: str) -> None:
    assert {EXTERNAL, UNKNOWN} & of_shell(command) == {UNKNOWN}


def test_allowed_hosts_hold_for_the_shell_and_for_the_clients_of_clouds() -> None:
    policy = Policy(allowed_hosts=("example.com", "*amazonaws.com"))
    assert of_shell("curl https://example.com; aws s3 ls", policy) == set()
    assert of_shell("curl https://example.org", policy) == {EXTERNAL}


def test_containers_are_examined_too() -> None:
    assert rules(container(command=["curl", "https://example.com"])) == {EXTERNAL}


def test_the_place_is_the_address() -> None:
    found = one(EXTERNAL, shell("curl -s https://example.com/x"), policy=POLICY)
    start, end = found.location.column - 1, found.location.end_column - 1
    assert found.excerpt[start:end] == "https://example.com/x"
    assert found.message == "`curl` calls example.com, outside of the cluster"
