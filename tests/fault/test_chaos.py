"""Callers, kills and faults all at once, through the dev server: what was acknowledged is there once, whole, in order.

``make chaos N=120`` sends more than the few of `make test`.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from local.embedded_aws import EmbeddedAws
from local.model.server import StandInModel
from local.momento import EmbeddedMomento
from tests.fault.callers import Callers
from tests.fault.fate import Fate
from tests.fault.gate import Gate
from tests.fault.killing_server import killing_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TURNS = int(os.environ.get("CHAOS_TURNS") or 8)
SEED = int(os.environ.get("CHAOS_SEED") or 1)
HEALING_SECONDS = 60.0
"""More than an environment leaves Momento alone (`chat_core.momento.breaker`), several times over."""

ENVIRONMENTS = 4 if TURNS > 20 else 2
# What a caller may be told while things fail; 500 is none of it.
TOLD = {"409", "429", "502", "503", "504", "connection", "stream"}

pytestmark = pytest.mark.timeout(1_800)


@pytest.fixture(scope="module")
def chaos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callers]:
    """Callers who have talked, with all that a turn stands on going wrong, and for whom all is well again."""
    folder: Path = tmp_path_factory.mktemp("chaos")
    with EmbeddedMomento() as momento, StandInModel() as model, EmbeddedAws() as aws:
        host, _, port = aws.url.removeprefix("http://").partition(":")
        with Gate((host, int(port))) as table, Gate(("127.0.0.1", momento.port)) as cache:
            variables = {
                "MOMENTO_LOCAL": f"127.0.0.1:{cache.port}",
                "OPENAI_BASE_URL": model.base_url,
                "SHORT_LEASES": "3",
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{table.port}",
                "AWS_ACCESS_KEY_ID": "fake-offline-id",
                "AWS_SECRET_ACCESS_KEY": "fake-offline-secret",
            }
            with killing_server(folder, variables, environments=ENVIRONMENTS) as server:
                fate = Fate(SEED, momento=momento, model=model, table=table, cache=cache, marker=folder / "next")
                callers = Callers(server, model, momento, fate, seed=SEED)
                with fate:
                    callers.talk(TURNS)
                callers.come_again()
                yield callers
                callers.close()


def test_what_was_acknowledged_is_there_once_whole_and_in_order(
    chaos: Callers, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(chaos.acknowledged) >= TURNS
    there = Counter(text for name in chaos.conversations for text in chaos.texts(name))
    for name in chaos.conversations:
        items = chaos.items(name)
        assert [item["role"] for item in items] == ["user", "assistant"] * (len(items) // 2), "interleaved"
        said = chaos.texts(name)[::2]
        places = {text: place for place, text in enumerate(said)}
        assert len(places) == len(said), "doubled"
        for post in chaos.posts:
            if post.conversation == name and post.acknowledged:
                assert post.text in places, f"{post.text} is lost"
                assert items[2 * places[post.text] + 1]["id"] == post.answer
        for earlier, later in chaos.one_after_the_other(name):
            assert places[earlier.text] < places[later.text]
        assert {post.text for post in chaos.posts if post.conversation == name} >= set(said)
    assert all(there[post.text] <= 1 for post in chaos.posts)
    with capsys.disabled():
        print(f"\n{chaos}")  # noqa: T201 - the figures


def test_the_model_saw_beginnings_of_the_history_and_nothing_else(chaos: Callers) -> None:
    for name in chaos.conversations:
        history = chaos.texts(name)
        own = {post.text for post in chaos.posts if post.conversation == name}
        for request in chaos.model.requests:
            *before, asked = [_text(item) for item in request["input"]]
            if asked in own:
                assert before == history[: len(before)]


def test_whoever_comes_again_with_a_key_gets_the_first_answer(chaos: Callers) -> None:
    before = {name: len(chaos.items(name)) for name in chaos.conversations}
    for post in chaos.acknowledged[:: max(1, len(chaos.acknowledged) // 20)]:
        raw = chaos.openai.responses.with_raw_response.create(**post.request())
        assert (raw.headers["idempotent-replayed"], raw.parse().output[0].id) == ("true", post.answer)
    assert {name: len(chaos.items(name)) for name in chaos.conversations} == before


def test_the_hot_lists_are_whole_again_with_the_next_turns(chaos: Callers) -> None:
    """An environment that has lost Momento looks for it again after a while."""
    for name in chaos.conversations:
        until = time.monotonic() + HEALING_SECONDS
        chaos.post_at_last(name)
        while chaos.hot_texts(name) != chaos.texts(name) and time.monotonic() < until:
            time.sleep(0.5)
            chaos.post_at_last(name)
        assert chaos.hot_texts(name) == chaos.texts(name)


def test_nobody_was_told_of_a_fault_of_ours_and_no_words_are_in_the_log(chaos: Callers) -> None:
    assert set(chaos.errors) <= TOLD, chaos.errors
    log = chaos.server.output()
    assert "Traceback" not in log
    assert "chaotic words" not in log


def test_everything_erased_is_nowhere(chaos: Callers) -> None:
    """The last test: it takes away what the others look at."""
    assert chaos.erase_everything()
    assert chaos.rows() == []
    assert chaos.copies() == []


def _text(item: dict[str, Any]) -> str:
    content = item["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content)
