"""The documents name tests and pages that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


def test_every_proof_is_a_test() -> None:
    named = re.findall(r"`([^`\s]*?)(?:::(test_\w+))?(?:\[[^\]]*\])?`", PAGE)
    found = 0
    file = ""
    for path, test in named:
        if path.endswith(".py"):
            file = path.removeprefix("tests/")
            assert (TESTS / file).is_file(), path
        elif not test:
            continue
        if test:
            found += 1
            assert f"def {test}(" in (TESTS / file).read_text(encoding="utf-8"), (file, test)
    assert found >= 20


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("docs/*.md")), ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        assert "://" in target or (page.parent / target).is_file(), target


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("docs/*.md")), ids=lambda page: page.name)
def test_every_link_to_a_section_finds_it(page: Path) -> None:
    for target, section in re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert section in _sections(page.parent / target if target else page), (target, section)


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("docs/*.md")), ids=lambda page: page.name)
def test_every_picture_is_there(page: Path) -> None:
    for target in re.findall(r"(?:src|srcset)=\"([^\"]+)\"", page.read_text(encoding="utf-8")):
        assert (page.parent / target).is_file(), target


def _sections(page: Path) -> set[str]:
    """Give the names that GitHub makes of a document's headings."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", ["ci", "nightly"])
def test_the_workflows_run_commands_that_there_are(name: str) -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8"))
    commands = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert commands
    for command in commands:
        first, _, rest = command.partition(" ")
        target = rest.partition(" ")[0]
        assert f"\n{target}: " in makefile if first == "make" else (ROOT / first).is_file(), command
