"""The README's first conversation, and what LangChain and Momento's SDK alone read of it, as they stand there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.dev_server import ROOT
from tests.pages import Block, blocks

if TYPE_CHECKING:
    from local.momento import EmbeddedMomento
    from tests.dev_server import RunningServer

FIRST, HISTORY = "A first conversation", "LangChain reads the same history"
BLOCKS = blocks(ROOT / "README.md")
NAOMI = ["私の名前は渡辺直美です。", "あなたの名前は渡辺直美さんです！"]


@pytest.fixture
def places(server: RunningServer, momento: EmbeddedMomento) -> dict[str, str]:
    """Where things are here that the README has elsewhere."""
    return {"http://127.0.0.1:8000/v1": server.url, "8001": str(momento.port)}


def of(title: str, language: str) -> list[Block]:
    return [block for block in BLOCKS if block.title.startswith(title) and block.language == language]


def test_the_first_conversation(places: dict[str, str]) -> None:
    says, streams, _ = of(FIRST, "console")
    assert NAOMI[1] in says.at(places).run_console()
    assert "response.completed" in streams.at(places).run_console()
    names: dict[str, Any] = {}
    says, streams = of(FIRST, "python")
    printed = says.at(places).run_python(names)
    assert printed.splitlines()[0] == "Your name is Naomi Watanabe!"
    assert "user My name is Naomi Watanabe." in printed
    with names["client"]:
        assert streams.at(places).run_python(names)


@pytest.mark.filterwarnings("ignore:.langchain-community. is being sunset:DeprecationWarning")
def test_both_read_the_same_history(server: RunningServer, places: dict[str, str]) -> None:
    of(FIRST, "console")[0].at({"http://127.0.0.1:8000/v1": server.url}).run_console()
    by_langchain, by_momento = of(HISTORY, "python")
    names: dict[str, Any] = {}
    printed = by_langchain.at(places).run_python(names)
    with names["client"]:
        assert all(text in printed for text in NAOMI)
    assert by_momento.at(places).run_python() == printed
