"""What a hostile pull request tries, one row for each attempt, in a repository with a base and a branch.

Each row is what the base holds, what the change does to it, and the rule that CI must then name. None may pass; the
base of each does, and so do the honest changes at the end, which differ from an attempt in little.
"""

import io
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from pull_requests import ALLOW, HARMLESS, POLICY, PURGE, WIPE, PullRequest, handler, package, policy_waiver

from wpk_sandbox import checking
from wpk_sandbox.package.discover import everything

Files = Mapping[str, str | bytes | None]
Row = tuple[Files, "Files | Callable[[PullRequest], object]", str]

CLEAN, WAIVED, MOVED = "ops/clean.wpk.yaml", "ops/waived.wpk.yaml", "ops/other/moved.wpk.yaml"
SYSTEM, DATA = "shell-destroy-system", "shell-destroy-data"
STRICT = "policy: {fail_on: review}\n"
LOOSE = "policy: {fail_on: block, review_from: 99, severity: {shell-destroy-data: off}}\n"
LOOK = package(handler("look", HARMLESS))
PURGES = package(handler("purge", PURGE))
WIPES = package(handler("wipe", WIPE))
LOOKS = [handler(f"look-{number}", HARMLESS) for number in range(9)]
KEPT = handler("wipe", WIPE, ALLOW.format(SYSTEM))
CLEARED = handler("purge", PURGE, ALLOW.format(DATA))
STRICTLY = {POLICY: STRICT, CLEAN: LOOK}


def waived(text: str) -> str:
    """A package whose only finding has this comment above it."""
    return package(handler("purge", PURGE, text))


def script(*lines: str, waiver: str = "") -> str:
    """A package with a script of several lines, and a comment where it begins."""
    text = "".join(f"          {line}\n" for line in lines)
    head = "    - name: wipe\n      type: shell\n      timeout: 5s\n      config:\n"
    return package(f"{head}        command: |  {waiver}\n{text}")


def timed(timeout: str) -> str:
    """A package with a waived step of several lines."""
    return package(
        f"    - name: purge\n      type: shell\n      timeout: {timeout}\n"
        f"      {ALLOW.format(DATA)}\n      config: {{command: {PURGE}}}\n"
    )


def referring(command: str) -> str:
    """A package whose waived handler refers to a command that stands elsewhere."""
    step = f"    {ALLOW.format(SYSTEM)}\n    - {{name: wipe, type: shell, timeout: 5s, config: {{command: *c}}}}\n"
    return package(step).replace("version: 1.0.0", f"version: 1.0.0, description: &c '{command}'")


def link_policy(change: PullRequest) -> None:
    (change.root / POLICY).unlink()
    (change.root / "loose.yaml").write_text(LOOSE)
    (change.root / POLICY).symlink_to("loose.yaml")
    (change.root / CLEAN).write_text(PURGES)


def link_package(change: PullRequest) -> None:
    (change.root / CLEAN).unlink()
    (change.root / "kept.txt").write_text(WIPES)
    (change.root / CLEAN).symlink_to("../kept.txt")


def link_folder(change: PullRequest) -> None:
    shutil.rmtree(change.root / "ops")
    (change.root / "kept").mkdir()
    (change.root / "kept" / "clean.txt").write_text(WIPES)
    (change.root / "ops").symlink_to("kept")


def add_submodule(change: PullRequest, path: str) -> None:
    """A submodule that asks git, in the change itself, never to show it."""
    other = change.root.parent / "other"
    change.git("init", "-q", str(other))
    change.git("-C", str(other), "commit", "-qm", "x", "--allow-empty")
    change.git("submodule", "--quiet", "add", str(other), path)
    change.git("config", "-f", ".gitmodules", f"submodule.{path}.ignore", "all")


def submodule_for_folder(change: PullRequest) -> None:
    change.git("rm", "-rq", "ops")
    add_submodule(change, "ops")


def rewritten_on_checkout(change: PullRequest) -> None:
    """The commit wipes; the work tree holds what `ident` makes of it, which is harmless."""
    wipe = WIPE.replace(" ", "\t")
    change.commit({CLEAN: package(handler("look", f"echo $Id:;{wipe};$"))})
    (change.root / ".gitattributes").write_text("*.wpk.yaml ident\n")
    change.git("add", ".gitattributes")
    change.git("commit", "-qm", "attributes")
    (change.root / CLEAN).unlink()
    change.git("checkout", "-q", "--", CLEAN)
    assert wipe in change.git("cat-file", "blob", f"HEAD:{CLEAN}")
    assert wipe not in (change.root / CLEAN).read_text()


THE_POLICY: dict[str, Row] = {
    "edit it": (STRICTLY, {POLICY: LOOSE, CLEAN: PURGES}, DATA),
    "delete it": (STRICTLY, {POLICY: None, CLEAN: PURGES}, DATA),
    "make it a link": (STRICTLY, link_policy, DATA),
    "add one of another spelling": (STRICTLY, {".wpk-sandbox.yml": LOOSE, CLEAN: PURGES}, DATA),
    "add one in upper case": (STRICTLY, {".WPK-SANDBOX.YAML": LOOSE, CLEAN: PURGES}, DATA),
    "add one beside the package": (STRICTLY, {"ops/.wpk-sandbox.yaml": LOOSE, CLEAN: PURGES}, DATA),
    "change what packages are called": (
        STRICTLY,
        {POLICY: "discover: {patterns: [none]}\n", CLEAN: PURGES},
        DATA,
    ),
    "add a waiver to it": (
        {POLICY: STRICT},
        {POLICY: policy_waiver(DATA), WAIVED: PURGES},
        DATA,
    ),
    "reach its pattern from another folder": (
        {POLICY: policy_waiver(SYSTEM, path="ops/scratch-*", text=WIPE)},
        {"ops/scratch-x/deep/a.wpk.yaml": WIPES},
        SYSTEM,
    ),
    "write more around its waived line": (
        {POLICY: policy_waiver(SYSTEM, text='rm -rf "$DIR"')},
        {WAIVED: script("DIR=/", 'rm -rf "$DIR"')},
        "waiver-refused",
    ),
    "go elsewhere before its waived line": (
        {POLICY: policy_waiver(SYSTEM, text="rm -rf *")},
        {WAIVED: script("cd /", "rm -rf *")},
        "waiver-refused",
    ),
}

COMMENTS: dict[str, Row] = {
    "waive what is critical": ({CLEAN: LOOK}, {CLEAN: package(KEPT)}, "waiver-refused"),
    "waive what is not": (STRICTLY, {CLEAN: package(CLEARED)}, "waiver-new"),
    "waive in pieces": ({CLEAN: LOOK}, {CLEAN: package(CLEARED, CLEARED, CLEARED)}, "waiver-new"),
    "change what is waived": (
        {POLICY: STRICT, CLEAN: package(CLEARED)},
        {CLEAN: package(CLEARED).replace(PURGE, f"{PURGE} /srv/database")},
        "waiver-new",
    ),
    "change the script around the waived line": (
        {POLICY: STRICT, CLEAN: script(PURGE, waiver=ALLOW.format(DATA))},
        {CLEAN: script("alias ls=true", PURGE, waiver=ALLOW.format(DATA))},
        "waiver-new",
    ),
    "change what the waived line refers to": (
        {CLEAN: referring("rm -rf /boot")},
        {CLEAN: referring("rm -rf /boot; ls")},
        "waiver-refused",
    ),
    "change when the waived step is run": (
        {CLEAN: package(KEPT)},
        {CLEAN: package(KEPT, more="  safety: {mode: auto}\n")},
        "waiver-refused",
    ),
    "move it to another step": (
        {POLICY: STRICT, CLEAN: package(CLEARED, handler("look", HARMLESS))},
        {CLEAN: package(handler("purge", HARMLESS), CLEARED.replace("name: purge", "name: look"))},
        "waiver-new",
    ),
    "copy it to another file": (
        {CLEAN: package(*LOOKS, KEPT)},
        {MOVED: package(*LOOKS, KEPT, name="other")},
        "waiver-refused",
    ),
    "use it twice": ({CLEAN: package(KEPT)}, {CLEAN: package(KEPT, KEPT)}, "waiver-refused"),
    "split the package in two": (
        {CLEAN: package(*LOOKS, KEPT)},
        {CLEAN: package(*LOOKS[:5], KEPT), MOVED: package(*LOOKS[5:], KEPT)},
        "waiver-refused",
    ),
    "prolong it": (
        {CLEAN: package(KEPT)},
        {CLEAN: package(KEPT.replace("2027-01-31", "2027-02-28"))},
        "waiver-refused",
    ),
    "give it two ends": (
        STRICTLY,
        {CLEAN: waived(ALLOW.format(DATA).replace("(until", "(until 2026-12-01, until"))},
        "waiver-invalid",
    ),
    "let it run for ever": (
        STRICTLY,
        {CLEAN: waived(ALLOW.format(DATA).replace("2027", "9999"))},
        "waiver-invalid",
    ),
    "waive every rule": (STRICTLY, {CLEAN: waived(ALLOW.format("*"))}, "waiver-invalid"),
    "write a letter that looks like another": (
        STRICTLY,
        {CLEAN: waived(ALLOW.format(DATA.replace("o", "\u043e")))},
        "waiver-invalid",
    ),
    "give a reason that nobody can see": (
        STRICTLY,
        {CLEAN: waived(ALLOW.format(DATA).replace("the machine is thrown away", "\u200b"))},
        "waiver-invalid",
    ),
    "turn the comment around": (
        STRICTLY,
        {CLEAN: waived(ALLOW.format(DATA).replace("the machine", "\u202eenihcam eht"))},
        "waiver-invalid",
    ),
    "hide the mark from a search": (
        STRICTLY,
        {CLEAN: waived(ALLOW.format(DATA).replace("wpk-s", "wpk-\u017f"))},
        DATA,
    ),
    "put it into the script": (STRICTLY, {CLEAN: script(ALLOW.format(DATA), PURGE)}, DATA),
    "put it into a value": (STRICTLY, {CLEAN: package(handler("purge", f"{PURGE} {ALLOW.format(DATA)}"))}, DATA),
    "put it above the file": (STRICTLY, {CLEAN: f"{ALLOW.format(DATA)}\n{PURGES}"}, DATA),
    "put it into another document": (
        STRICTLY,
        {CLEAN: f"{LOOK.replace('clean-up', 'first')}{ALLOW.format(DATA)}\n---\n{PURGES}"},
        DATA,
    ),
}

MOVES: dict[str, Row] = {
    "rename and change": ({CLEAN: package(*LOOKS)}, {CLEAN: None, MOVED: package(*LOOKS, KEPT)}, "waiver-refused"),
    "rename and change nearly all": ({CLEAN: LOOK}, {CLEAN: None, MOVED: package(*[KEPT] * 9)}, "waiver-refused"),
    "copy and change": (STRICTLY, {MOVED: package(handler("look", PURGE), name="other")}, DATA),
    "swap two files": (
        {CLEAN: package(KEPT), MOVED: package(handler("wipe", HARMLESS), name="other")},
        {CLEAN: package(KEPT.replace("/'", "/etc'"), name="other"), MOVED: package(KEPT)},
        "waiver-refused",
    ),
    "take a name that is taken": (
        {POLICY: STRICT.replace("}", ", review_from: 10}"), CLEAN: LOOK, WAIVED: LOOK.replace("clean-up", "b")},
        {MOVED: LOOK},
        "name-taken",
    ),
    "rename to no package's name": ({CLEAN: LOOK}, {CLEAN: None, "ops/clean.yaml": WIPES}, "package-hidden"),
    "rename to JSON": ({CLEAN: LOOK}, {CLEAN: None, "ops/clean.wpk.json": WIPES}, "package-hidden"),
    "rename and rewrite out of sight": (
        {CLEAN: package(*LOOKS)},
        {CLEAN: None, "kept/x.txt": package(*[KEPT] * 9)},
        "package-hidden",
    ),
    "rename to upper case": ({CLEAN: LOOK}, {CLEAN: None, "ops/CLEAN.WPK.YAML": WIPES}, SYSTEM),
    "make it a link": ({CLEAN: LOOK}, link_package, "file-link"),
    "make its folder a link": ({CLEAN: LOOK}, link_folder, "file-link"),
    "make it a submodule": ({CLEAN: LOOK}, lambda change: add_submodule(change, "ops/s.wpk.yaml"), "file-link"),
    "make its folder a submodule": ({CLEAN: LOOK}, submodule_for_folder, "file-link"),
}

FILES: dict[str, Row] = {
    "call it binary": ({CLEAN: LOOK}, {".gitattributes": "* binary -diff\n", CLEAN: WIPES}, SYSTEM),
    "call it generated": ({CLEAN: LOOK}, {".gitattributes": "* linguist-generated\n", CLEAN: WIPES}, SYSTEM),
    "let git rewrite it": ({CLEAN: LOOK}, rewritten_on_checkout, "file-not-as-committed"),
    "let git ignore it": ({CLEAN: LOOK}, {".gitignore": "*\n", MOVED: WIPES}, SYSTEM),
    "end its lines otherwise": ({CLEAN: LOOK}, {CLEAN: WIPES.replace("\n", "\r\n")}, SYSTEM),
    "begin it with a mark": ({CLEAN: LOOK}, {CLEAN: b"\xef\xbb\xbf" + WIPES.encode()}, SYSTEM),
    "write UTF-16": ({CLEAN: LOOK}, {CLEAN: WIPES.encode("utf-16")}, "yaml-encoding"),
    "write Latin-1": ({CLEAN: LOOK}, {CLEAN: f"{WIPES}# \u00e9\n".encode("latin-1")}, "yaml-encoding"),
    "write more than is read": ({CLEAN: LOOK}, {CLEAN: WIPES + "#" * 1_100_000}, "yaml-too-large"),
    "write more documents than are read": (
        {CLEAN: LOOK},
        {CLEAN: LOOK + "---\n{}\n" * 40 + "---\n" + WIPES},
        "yaml-too-large",
    ),
    "write a text longer than is read": (
        {CLEAN: LOOK},
        {CLEAN: f"{LOOK}---\n{package(handler('x', WIPE + '#' * 70_000), name='b')}"},
        "yaml-too-large",
    ),
    "name a key twice in a second document": (
        {CLEAN: LOOK},
        {CLEAN: f"{LOOK}---\n{WIPES.replace('kind:', 'kind: WorkflowPackage' + chr(10) + 'kind:')}"},
        "yaml-duplicate-key",
    ),
    "misspell the kind of a second document": (
        {CLEAN: LOOK},
        {CLEAN: f"{LOOK}---\n{WIPES.replace('WorkflowPackage', 'Workflowpackage')}"},
        "not-a-package",
    ),
    "use another version in a second document": (
        {CLEAN: LOOK},
        {CLEAN: f"{LOOK}---\n{WIPES.replace('apiVersion: v1', 'apiVersion: v2')}"},
        "wrong-api-version",
    ),
    "put it into a list": (
        {CLEAN: LOOK},
        {CLEAN: LOOK + "---\nkind: List\nitems:\n- " + WIPES.replace("\n", "\n  ").rstrip() + "\n"},
        "not-a-package",
    ),
    "break its case file": (
        {CLEAN: LOOK},
        {"ops/clean.wpk.test.yaml": "cases: [{name: 1, name: 2}]\n"},
        "yaml-duplicate-key",
    ),
}

EVERY = {
    f"{part}: {name}": row
    for part, rows in (("policy", THE_POLICY), ("comment", COMMENTS), ("move", MOVES), ("file", FILES))
    for name, row in rows.items()
}
every_attempt = pytest.mark.parametrize("row", [pytest.param(row, id=name) for name, row in EVERY.items()])


@every_attempt
def test_it_does_not_get_through(tmp_path: Path, row: Row) -> None:
    files, attempt, told = row
    change = PullRequest(tmp_path)
    base = change.commit(files)
    if callable(attempt):
        attempt(change)
        change.commit()
    else:
        change.commit(attempt)
    said = change.said(base)
    assert told in said.rules
    assert not said.passes


@every_attempt
def test_its_base_passes(tmp_path: Path, row: Row) -> None:
    files, _, _ = row
    change = PullRequest(tmp_path)
    request = change.request(change.environment(change.commit(files)))
    all_of_it = everything(change.root, request.settings["discover.patterns"], "the whole base")
    assert checking.check(replace(request, selection=all_of_it), "text", io.StringIO()) == 0


HONEST: dict[str, tuple[Files, Files]] = {
    "a harmless package": ({CLEAN: LOOK}, {MOVED: LOOK.replace("clean-up", "other")}),
    "a rename": ({CLEAN: LOOK}, {CLEAN: None, MOVED: LOOK}),
    "a package that goes": ({CLEAN: LOOK}, {CLEAN: None}),
    "another step beside what is waived": (
        {CLEAN: package(KEPT)},
        {CLEAN: package(handler("look", HARMLESS), KEPT)},
    ),
    "another step right below what is waived": (
        {CLEAN: script(WIPE, waiver=ALLOW.format(SYSTEM)) + handler("look", HARMLESS)},
        {CLEAN: script(WIPE, waiver=ALLOW.format(SYSTEM)) + handler("see", HARMLESS, "# It only looks.")},
    ),
    "another description of what is waived": (
        {POLICY: STRICT, CLEAN: package(KEPT)},
        {CLEAN: package(KEPT).replace("version: 1.0.0", "version: 1.0.1, description: better")},
    ),
    "another time for what is waived and not critical": (
        {POLICY: STRICT, CLEAN: timed("5s")},
        {CLEAN: timed("9s")},
    ),
    "a waived package that moves": ({CLEAN: package(*LOOKS, KEPT)}, {CLEAN: None, MOVED: package(*LOOKS, KEPT)}),
    "what the policy waives": ({POLICY: policy_waiver(SYSTEM, text=WIPE)}, {WAIVED: WIPES}),
    "a whole script that the policy waives": (
        {POLICY: policy_waiver(SYSTEM, text="cd /\nrm -rf *\n")},
        {WAIVED: script("cd /", "rm -rf *")},
    ),
    "a whole handler that the policy waives": (
        {POLICY: policy_waiver(SYSTEM, text=handler("wipe", WIPE))},
        {WAIVED: WIPES},
    ),
    "a page that shows a package": ({CLEAN: LOOK}, {"docs/how.md": f"# How\n\n```yaml\n{WIPES}```\n"}),
    "a link beside the packages": ({CLEAN: LOOK}, {"ops/README.md": "kind: WorkflowPackage is what we write\n"}),
}


@pytest.mark.parametrize(("files", "then"), [pytest.param(*row, id=name) for name, row in HONEST.items()])
def test_an_honest_change_passes(tmp_path: Path, files: Files, then: Files) -> None:
    change = PullRequest(tmp_path)
    base = change.commit(files)
    change.commit(then)
    said = change.said(base)
    assert said.passes, [each for one in said.packages for each in one.findings]
