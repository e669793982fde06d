"""One mixed folder through every form of `check`: the same ids and places in all, what is waived included."""

import io
import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from wpk_sandbox.checking import check
from wpk_sandbox.judging import Request
from wpk_sandbox.package.selection import find
from wpk_sandbox.settings import resolve

# Rule, path, line and column, as far as every form has them.
Place = tuple[str, str, int, int]

SETTINGS = b"""\
policy:
  waivers:
    - {rule: image-unpinned, path: "*", reason: "a mirror, that pins", until: 2027-01-31, owner: "@ops"}
"""
SECRET = "ghp_8Gk2LwQx9RtYv3BnMz7CpHd5SjFa1Ue6Xo4W"
MIXED = f"""\
apiVersion: v1
kind: WorkflowPackage
metadata: {{name: mixed, version: 1.0.0}}
spec:
  runtime: {{type: k8s}}
  retries: 3
  handlers:
    - name: "日本 😀"
      type: shell
      config:
        command: |
          echo größe 😀; curl -H "X-Token: {SECRET}" https://api.example.net/
          true;\t\tmkfs.ext4 /dev/sdb
    # wpk-sandbox: allow shell-destroy-data -- the folder, 100% scratch: ok (until 2027-01-31, @ops)
    - {{name: purge, type: shell, timeout: 60s, config: {{command: rm -rf /srv/data}}}}
    - name: look
      timeout: 60s
      steps: [{{name: one, container: {{image: "busybox:latest", command: [ls]}}}}]
"""
FILES = {
    "my books/größe, 100%: a 😀.wpk.yaml": MIXED.encode(),
    "crlf.wpk.yaml": MIXED.replace("name: mixed", "name: windows").replace("\n", "\r\n").encode(),
    "broken.wpk.yaml": b"a: [1\nb: 2\n",
}


@pytest.fixture
def form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """`form("sarif")`: what `check` writes of the folder."""
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    for name, data in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    settings = resolve(file=SETTINGS)
    selection = find(["."], settings["discover.patterns"], root=tmp_path)
    request = Request(tmp_path, selection, settings, "3f2c1aa", today=date(2026, 11, 23))

    def written(name: str, **options: Any) -> str:
        stream = io.StringIO()
        assert check(request, name, stream, **options) == 1
        return stream.getvalue()

    return written


def every(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The findings of the JSON form, which has all that is known."""
    return [*document["findings"], *(found for package in document["packages"] for found in package["findings"])]


def place_of(found: dict[str, Any]) -> Place:
    location = found["location"]
    return found["rule"], location["path"], location["line"], location["column"]


@pytest.fixture
def found(form: Callable[..., str]) -> list[dict[str, Any]]:
    return every(json.loads(form("json")))


def places(found: list[dict[str, Any]], *, waived: bool | None = None) -> list[Place]:
    chosen = [each for each in found if waived is None or (each["waiver"] is not None) == waived]
    return sorted(set(map(place_of, chosen)))


def of_sarif(written: str) -> list[tuple[Place, bool]]:
    """Each place, and whether it is suppressed."""
    paths = {
        "my%20books/gr%C3%B6%C3%9Fe%2C%20100%25%3A%20a%20%F0%9F%98%80.wpk.yaml": next(iter(FILES)),
    }
    result = []
    for each in json.loads(written)["runs"][0]["results"]:
        physical = each["locations"][0]["physicalLocation"]
        uri, region = physical["artifactLocation"]["uri"], physical["region"]
        place = (each["ruleId"], paths.get(uri, uri), region["startLine"], region["startColumn"])
        result.append((place, bool(each["suppressions"])))
    return sorted(result)


def of_gitlab(written: str) -> list[Place]:
    result = []
    for each in json.loads(written):
        begin = each["location"]["positions"]["begin"]
        assert each["location"]["lines"]["begin"] == begin["line"]
        result.append((each["check_name"], each["location"]["path"], begin["line"], begin["column"]))
    return sorted(result)


def of_listing(written: str) -> list[Place]:
    heads = re.findall(r"^(\S.*?\.yaml):(\d+):(\d+): \w+ ([a-z-]+): ", written, re.MULTILINE)
    return sorted((rule, path, int(line), int(column)) for path, line, column, rule in heads)


def of_annotations(written: str) -> list[Place]:
    """The places that GitHub would show: a range over several lines has no column there."""
    result = []
    for line in written.splitlines():
        said = re.fullmatch(r"::(error|warning) ([^:]*)::(.*)", line)
        assert said, f"a colon or a line end gets out of its property: {line}"
        pairs = dict(pair.split("=", 1) for pair in said[2].split(","))
        if "file" in pairs:
            path = pairs["file"].replace("%3A", ":").replace("%2C", ",").replace("%25", "%")
            result.append((pairs["title"], path, int(pairs["line"]), int(pairs.get("col", "1"))))
    return result


def test_the_folder_has_enough_of_everything(found: list[dict[str, Any]]) -> None:
    rules = {each["rule"] for each in found}
    assert {"yaml-syntax", "shell-raw-disk-write", "hard-coded-secret", "unknown-field"} <= rules
    assert {each["rule"] for each in found if each["waiver"]} == {"shell-destroy-data", "image-unpinned"}
    assert len({each["location"]["path"] for each in found}) == 3


def test_sarif_has_every_place_and_suppresses_what_is_waived(
    form: Callable[..., str], found: list[dict[str, Any]]
) -> None:
    said = of_sarif(form("sarif"))
    assert sorted(place for place, _ in said) == places(found)
    assert sorted(place for place, suppressed in said if suppressed) == places(found, waived=True)


def test_gitlab_has_every_place_but_the_waived_for_which_it_has_no_word(
    form: Callable[..., str], found: list[dict[str, Any]]
) -> None:
    assert of_gitlab(form("gitlab")) == places(found, waived=False)


@pytest.mark.parametrize("name", ["text", "junit"])
def test_forms_for_people_have_every_place_and_say_who_waives(
    form: Callable[..., str], found: list[dict[str, Any]], name: str
) -> None:
    written = form(name)
    listing = "\n".join(ElementTree.fromstring(written.encode()).itertext()) if name == "junit" else written
    assert of_listing(listing) == places(found)
    said = listing.count("   waived until 2027-01-31 by @ops: ")
    assert said == len(places(found, waived=True))


def test_annotations_have_what_asks_for_something(form: Callable[..., str], found: list[dict[str, Any]]) -> None:
    asking = [each for each in found if each["severity"] != "info" and not each["waiver"]]
    said = of_annotations(form("github"))
    known = {*places(asking), *((rule, path, line, 1) for rule, path, line, _ in places(asking))}
    assert {each for each in said if not each[0].endswith("failed")} <= known
    # Ten of each level are all that the runner takes; these are fewer, and therefore all there.
    rules = {each[0] for each in said}
    assert {each["rule"] for each in asking} <= rules


def test_a_waived_finding_is_not_the_line_of_a_test_case(form: Callable[..., str]) -> None:
    suites = ElementTree.fromstring(form("junit").encode())
    lines = {case.get("classname"): case.get("line") for case in suites.iter("testcase")}
    assert lines["mixed"] == "13", "the disk, and not the folder that is waived"


@pytest.mark.parametrize("name", ["text", "json", "sarif", "gitlab", "github", "junit"])
def test_no_form_shows_a_secret(form: Callable[..., str], name: str) -> None:
    written = form(name)
    assert SECRET not in written
    assert SECRET[4:16] not in written


def test_sarif_gitlab_and_json_name_a_finding_alike(form: Callable[..., str], found: list[dict[str, Any]]) -> None:
    gitlab = [each["fingerprint"] for each in json.loads(form("gitlab"))]
    results = json.loads(form("sarif"))["runs"][0]["results"]
    ours = [each["partialFingerprints"]["wpkSandbox/v1"] for each in results]
    assert len(set(ours)) == len(ours)
    assert gitlab == [name for name, each in zip(ours, results, strict=True) if not each["suppressions"]]
    assert {each["fingerprint"] for each in found} == set(ours)


def test_the_name_of_a_line_does_not_depend_on_line_ends(form: Callable[..., str]) -> None:
    named: dict[str, set[tuple[str, int, str]]] = {}
    for each in json.loads(form("sarif"))["runs"][0]["results"]:
        place = each["locations"][0]["physicalLocation"]
        name = each["partialFingerprints"]["primaryLocationLineHash"]
        of_file = named.setdefault(place["artifactLocation"]["uri"], set())
        of_file.add((each["ruleId"], place["region"]["startLine"], name))
    broken, windows, plain = (named[uri] for uri in sorted(named))
    assert broken
    assert len(windows) >= 6
    assert windows == plain


def test_sarif_can_leave_out_what_is_waived(form: Callable[..., str], found: list[dict[str, Any]]) -> None:
    said = of_sarif(form("sarif", waived=False))
    assert said == [(place, False) for place in places(found, waived=False)]


def test_a_category_reaches_the_log(form: Callable[..., str]) -> None:
    log = json.loads(form("sarif", category="nightly"))
    assert log["runs"][0]["automationDetails"] == {"id": "nightly/"}


def test_the_last_line_counts_what_is_waived(form: Callable[..., str], found: list[dict[str, Any]]) -> None:
    waived = len(places(found, waived=True))
    assert form("text").splitlines()[-1].startswith(f"2 packages checked, {len(found)} findings, {waived} waived")
