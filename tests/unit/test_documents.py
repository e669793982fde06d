"""The documents hold together: links and headings exist, and so do the commands, rules and modules that they name."""

import re
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from wpk_sandbox.cli import commands
from wpk_sandbox.rules.policy_trial import trials
from wpk_sandbox.settings import resolve

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "wpk_sandbox"
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "examples/README.md", ROOT / "tests/corpus/README.md"]
)


def prose(text: str) -> str:
    """A document without its code, which has no links and no headings."""
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(text: str) -> set[str]:
    """The anchors that GitHub makes of the headings, and those that are written."""
    headings = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    made = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return made | set(re.findall(r'(?:id|name)="([^"]+)"', text))


def broken(document: Path, text: str) -> list[str]:
    """The links of a text that lead nowhere in the repository."""
    found = []
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", prose(text))):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        there = (document.parent / path).resolve() if path else document
        if not there.exists():
            found.append(target)
        elif anchor and there.suffix == ".md":
            found += [target] * (anchor not in anchors(text if there == document else there.read_text()))
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_link_leads_somewhere(document: Path) -> None:
    assert broken(document, document.read_text()) == []


def test_a_link_that_leads_nowhere_is_seen() -> None:
    text = "# A page\n[a](docs/policy.md#waivers) [b](docs/policy.md#no) [c](#a-page) [d](#b) [e](LICENSE) [g](docs/none.md#x) `[f](x)`\n"
    assert broken(ROOT / "README.md", text) == ["docs/policy.md#no", "#b", "docs/none.md#x"]


def test_the_table_of_the_readme_has_every_command_and_option_that_there_is() -> None:
    rows = re.findall(r"^\| (`[a-z`, ]+)[^|]*\| (.*) \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    named = {name for cell, _ in rows for name in re.findall(r"[a-z]+", cell)}
    assert set(commands.commands) <= named
    runner = CliRunner()
    for cell, words in rows:
        name = re.findall(r"[a-z]+", cell)[0]
        if name in commands.commands:
            told = runner.invoke(commands, [name, "--help"]).output
            assert set(re.findall(r"--[a-z]+", words)) <= set(re.findall(r"--[a-z]+", told)), name


def test_the_policy_that_is_shown_can_be_used_and_proves_itself() -> None:
    text = re.search(r"```yaml\n(policy:.*?)```", (ROOT / "docs/policy.md").read_text(), re.DOTALL)
    assert text
    policy = resolve(file=text[1].encode()).policy
    pytest.importorskip("cel_expr_python")
    tried = list(trials(policy, date(2026, 12, 1)))
    assert tried
    assert [each for each in tried if not each.good] == []


@pytest.mark.parametrize("document", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_each_module_that_is_named_is_there(document: str) -> None:
    text = (ROOT / document).read_text()
    named = set(re.findall(r"[a-z_/]+\.py\b", text))
    assert named
    files = {str(path.relative_to(ROOT)) for folder in (SOURCE, ROOT / "tests") for path in folder.rglob("*.py")}
    assert [name for name in sorted(named) if not any(f"/{file}".endswith(f"/{name}") for file in files)] == []
