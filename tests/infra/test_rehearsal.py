"""What is rehearsed is the built template, and what the documents say."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from local.cloudformation import load_template
from tests.infra import stack
from tests.rehearsal import emulator, keys, story, template
from tests.rehearsal.stack import commands
from tools import lambda_python

if TYPE_CHECKING:
    from pathlib import Path

WHERE = {"momento": "127.0.0.1:1", "model": "http://127.0.0.1:2/v1", "aws": "http://127.0.0.1:3"}


def test_the_rehearsed_template_differs_only_in_what_the_emulator_cannot_do(tmp_path: Path) -> None:
    template.rehearse(stack.ROOT / "template.yaml", tmp_path / "rehearsed.yaml", **WHERE)
    rehearsed = load_template(tmp_path / "rehearsed.yaml")
    kinds = {
        place[-1] if place[0] == "Resources" else ".".join(map(str, place))
        for place, _, _ in template.differences(stack.template(), rehearsed)
    }
    assert kinds == {
        "Globals.Function.Environment.Variables.MOMENTO_LOCAL",
        "Parameters.OpenAIBaseUrl.AllowedPattern",
        "Parameters.OpenAIBaseUrl.Default",
        "AWS_LAMBDA_EXEC_WRAPPER",
        "ResponseTransferMode",
        "Method",
        "Fn::Sub",
    }
    [issuers] = [after for place, _, after in template.differences(stack.template(), rehearsed) if "ISSUERS" in place]
    pool, client, where = str(issuers).partition(",")[0].split("|")
    assert (pool.startswith("https://cognito-idp."), client) == (True, "${UserPoolClient}")
    assert where == "http://127.0.0.1:3/${UserPool}/.well-known/jwks.json"


def test_a_difference_that_is_not_listed_ends_the_rehearsal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def another(tree: Any, place: template.Place, value: Any) -> None:
        tree["Resources"]["HistoryTable"]["DeletionPolicy"] = "Delete"

    monkeypatch.setattr(template, "_put", another)
    with pytest.raises(emulator.Failed, match="DeletionPolicy"):
        template.rehearse(stack.ROOT / "template.yaml", tmp_path / "rehearsed.yaml", **WHERE)


def test_differences_are_told_by_their_place() -> None:
    one = {"a": [1, {"b": "x"}], "c": 1, "d": True}
    other = copy.deepcopy(one)
    assert list(template.differences(one, other)) == []
    other = yaml.safe_load("{a: [1, {b: y}], d: 1, e: 2}")
    found = {place: (before, after) for place, before, after in template.differences(one, other)}
    assert found == {
        ("a", 1, "b"): ("x", "y"),
        ("c",): (1, template.ABSENT),
        ("d",): (True, 1),
        ("e",): (template.ABSENT, 2),
    }


def test_commands_are_those_of_the_sections_console_blocks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "## One\n\n```console\n$ first \\\n    --more   # why\nits output\n$ second\n```\n\n```python\n$ no\n```\n\n"
        "### Part\n\n```console\n$ third\n```\n## Two\n\n```console\n$ fourth\n```\n"
    )
    assert commands(page, "## One") == ["first --more # why", "second", "third"]
    assert commands(page, "## Two") == ["fourth"]
    with pytest.raises(emulator.Failed, match="Three"):
        commands(page, "## Three")


def test_the_documents_have_the_commands_that_are_rehearsed() -> None:
    found = commands(story.README, "## Deploy")
    assert [command.startswith(begun) for command, begun in zip(found, story.COMMANDS, strict=True)] == [True] * 4
    assert len(commands(story.OPERATIONS, "## Tear down")) == 5
    assert [one.startswith(("eval", "make key LIST")) for one in commands(keys.OPERATIONS, "### API keys")] == [
        True
    ] * 2


def test_the_operators_page_has_every_parameter() -> None:
    page = story.OPERATIONS.read_text(encoding="utf-8").partition("## Parameters")[2].partition("\n## ")[0]
    assert [name for name in stack.template()["Parameters"] if f"`{name}`" not in page] == []


def test_without_lambdas_python_it_is_not_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(emulator, "ENVIRONMENT", tmp_path / "environment")
    monkeypatch.setenv(lambda_python.OVERRIDE, str(tmp_path / "nothing"))
    with pytest.raises(emulator.NotHere, match=lambda_python.OVERRIDE):
        emulator.install()
