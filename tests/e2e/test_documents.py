"""What stands in the documents runs as it stands there; a block that nothing runs is told."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from tests.dev_server import ROOT
from tests.pages import Block, blocks
from tools import cost

if TYPE_CHECKING:
    import pytest
    from openai import OpenAI

    from tests.dev_server import RunningServer

DOCS = ROOT / "docs"
# Who runs a document's blocks, all of them or those of a section; what is deployed is rehearsed (tests/rehearsal).
RUN_ELSEWHERE = {
    "clients.md": "tests/e2e/clients/test_page.py",
    "operations.md": "tests/rehearsal",
    "memory.md": "tests/infra/test_memory_doc.py",
    "README.md A first conversation": "tests/e2e/test_readme.py",
    "README.md LangChain reads the same history": "tests/e2e/test_readme.py",
    "README.md Deploy": "tests/rehearsal",
    "README.md Omoide 思い出": "the dev server's own tests",  # make run, make test
}
RUN_HERE = {"troubleshooting.md", "cost.md", "README.md What a window forgets a summary keeps"}


def of(page: str, title: str = "") -> list[Block]:
    path = ROOT / page if page.startswith("README") else DOCS / page
    return [block for block in blocks(path) if block.title.startswith(title)]


def test_every_block_is_run_by_a_test() -> None:
    pages = [*sorted(DOCS.glob("*.md")), ROOT / "README.md"]
    for page in pages:
        for block in blocks(page):
            names = {page.name, f"{page.name} {block.title.rpartition(' ')[0]}"}
            assert names & (RUN_ELSEWHERE.keys() | RUN_HERE), f"nothing runs this block: {page.name}, {block.title}"
    for place in RUN_ELSEWHERE.values():
        assert not place.startswith("tests/") or (ROOT / place).exists(), place


def test_troubleshooting_shows_what_the_model_sees(server: RunningServer, client: OpenAI) -> None:
    client.responses.create(model="gpt-4.1-mini", conversation="naomi", input="私の名前は渡辺直美です。")
    here = {"http://127.0.0.1:8000/v1": server.url}
    looks, keeps = of("troubleshooting.md")
    told = json.loads(looks.at(here).run_console())
    assert told["object"] == "conversation.context"
    assert told["messages"]
    printed = keeps.at(here).run_console()
    tried, end = json.JSONDecoder().raw_decode(printed)
    assert tried["policy"] == "turn_window"
    assert json.loads(printed[end:])["memory"] == {"policy": "summary_window"}
    kept: Any = client.get("/conversations/naomi", cast_to=object)
    assert kept["memory"] == {"policy": "summary_window"}


def test_costs_are_told_with_any_figures(capsys: pytest.CaptureFixture[str]) -> None:
    [block] = of("cost.md")
    commands = [line.removeprefix("$ ") for line in block.code.splitlines()]
    assert len(commands) == 3
    for command in commands:
        make, target, *given = shlex.split(command)
        assert (make, target) == ("make", "cost")
        cost.main(shlex.split(given[0].removeprefix("ARGS=")) if given else [])
        assert "**Together**" in capsys.readouterr().out


def test_a_window_forgets_what_a_summary_keeps(client: OpenAI) -> None:
    [block] = of("README.md", "What a window forgets")
    assert block.run_python({"client": client}).splitlines() == block.told()
