"""Long-term memory as `make run` has it: made by the function that the table's stream starts, seen by the stock SDK."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any, cast

import pytest

from local.model import faults

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types.responses import Response

    from local.model.answers import Reply
    from local.model.server import StandInModel

SUMMARY: dict[str, Any] = {"policy": "summary_window", "trigger_tokens": 600, "keep": 300}
WINDOW: dict[str, Any] = {"policy": "message_window", "max_messages": 20}
FILLER = (
    "The train to Oslo was late again.",
    "I walked around the lake and it was lovely.",
    "We cooked pasta with tomatoes for dinner.",
    "The garden needs new soil this spring.",
    "The bus drivers are on strike this week.",
)


def create(client: OpenAI, memory: dict[str, Any]) -> str:
    return client.conversations.create(extra_body={"memory": memory}).id


def say(client: OpenAI, conversation: str, text: str) -> str:
    return client.responses.create(model="gpt-4.1-mini", conversation=conversation, input=text).output_text


def notes(client: OpenAI, conversation: str) -> str:
    """What the model would see of long-term memory; nothing before it is made."""
    context = cast("dict[str, Any]", client.get(f"/conversations/{conversation}/context", cast_to=object))
    shown = [json.dumps(item, ensure_ascii=False) for item in context["input"]]
    return "\n".join(text for text in shown if "<memory_notes>" in text)


def wait_for(client: OpenAI, conversation: str, words: str, *, saying: str = "") -> None:
    """Wait for words in the notes; what failed is tried again with a turn after its wait, so ``saying`` makes some."""
    deadline = time.monotonic() + 30
    while words not in notes(client, conversation):
        assert time.monotonic() < deadline, notes(client, conversation) or "there are no notes"
        time.sleep(0.05)
        if saying:
            say(client, conversation, saying)


def recalled(response: Response) -> list[str]:
    """The ids of the items that a turn was reminded of."""
    told = cast("dict[str, Any]", response.to_dict()["omoide"])
    return list(told["memory"].get("recalled") or ())


def wait_until_indexed(client: OpenAI, conversation: str, *, turns: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        memory = cast("dict[str, Any]", client.get(f"/conversations/{conversation}/memory", cast_to=object))
        if memory["recall"] and memory["recall"]["turns"] >= turns:
            return
        assert time.monotonic() < deadline, memory["recall"]
        time.sleep(0.1)


@dataclass(frozen=True)
class Dialogue:
    """The founding dialogue in a language, how a note has it, and how many turns lie between."""

    introduction: str
    filler: str
    question: str
    known: str
    unknown: str
    noted: str
    turns: int


JAPANESE = Dialogue(
    "私の名前は渡辺直美です。",
    "今日は{0}回歩いて、とても楽しかったです。",
    "私の名前なんだっけ？",
    "あなたの名前は渡辺直美さんです！",
    "まだお名前を伺っていません。",
    "ユーザーの名前は渡辺直美です。",
    turns=60,
)
ENGLISH = Dialogue(
    "My name is Naomi Watanabe.",
    "I walked {0} times around the lake, and it was a lovely day.",
    "What is my name?",
    "Your name is Naomi Watanabe!",
    "You have not told me your name yet.",
    "The user's name is Naomi Watanabe.",
    turns=25,
)


@pytest.mark.parametrize("said", [JAPANESE, ENGLISH], ids=["ja", "en"])
def test_what_a_window_forgets_a_summary_keeps(client: OpenAI, said: Dialogue) -> None:
    for memory, turns, expected in ((WINDOW, 12, said.unknown), (SUMMARY, said.turns, said.known)):
        conversation = create(client, memory)
        say(client, conversation, said.introduction)
        for number in range(turns):
            say(client, conversation, said.filler.format(number))
        if memory is SUMMARY:
            wait_for(client, conversation, said.noted)
        assert say(client, conversation, said.question) == expected


def test_notes_in_another_language_are_refused_and_asked_for_again(client: OpenAI, model: StandInModel) -> None:
    model.script += [faults.foreign_summary(), faults.not_the_schema()]
    conversation = create(client, SUMMARY)
    say(client, conversation, "私の名前は渡辺直美です。")
    for number in range(30):
        say(client, conversation, f"今日は{number}回歩いて、とても楽しかったです。")
    wait_for(client, conversation, "ユーザーの名前は渡辺直美です。", saying="今日は休みました。")
    assert "Assistant was of help" not in notes(client, conversation)
    assert not model.script


def test_no_turn_waits_for_the_summariser(client: OpenAI, model: StandInModel) -> None:
    asked, released = Event(), Event()

    def held(reply: Reply) -> Reply:
        asked.set()
        assert released.wait(60)
        return reply

    model.script.append(faults.Fault(change=held, form="memory_summary"))
    conversation = create(client, SUMMARY)
    say(client, conversation, "My name is Naomi Watanabe.")
    try:
        for number in range(100):
            say(client, conversation, f"{FILLER[number % len(FILLER)]} That was on day {number}.")
            if asked.is_set():
                break
        for number in range(10):
            assert say(client, conversation, f"{FILLER[number % len(FILLER)]} And again.")
        assert asked.is_set()
        assert notes(client, conversation) == ""
    finally:
        released.set()
    wait_for(client, conversation, "The user's name is Naomi Watanabe.")


def test_a_move_ends_the_home_before_it(client: OpenAI) -> None:
    conversation = create(client, {**SUMMARY, "entities": True})
    # Facts are taken some 4,000 tokens at a time.
    filler = "今日は川のそばを歩いて、鳥や魚の話をたくさんしました。" * 20
    for words, home in (("大阪に住んでいます。", "大阪"), ("来月から福岡です。", "福岡")):
        say(client, conversation, words)
        for number in range(14):
            say(client, conversation, f"{number}日目。{filler}")
        wait_for(client, conversation, f"- user | 住んでいる所 | {home}")
    assert "| 大阪" not in notes(client, conversation)
    assert "福岡" in say(client, conversation, "どこに住んでいますか？")


def test_a_turn_is_recalled_by_what_it_is_about_and_none_by_what_nobody_spoke_of(client: OpenAI) -> None:
    conversation = create(client, {**WINDOW, "recall": True})
    say(client, conversation, "My dog's food is chicken and rice.")
    for number in range(40):
        say(client, conversation, f"{FILLER[number % len(FILLER)]} That was on day {number}.")
    wait_until_indexed(client, conversation, turns=41 - 13)  # the newest, and up to 24 messages behind it, wait
    asked = client.responses.create(
        model="gpt-4.1-mini", conversation=conversation, input="What did I say about my dog's food?"
    )
    assert asked.output_text == "My notes say: “My dog's food is chicken and rice.”"
    assert recalled(asked)
    asked = client.responses.create(model="gpt-4.1-mini", conversation=conversation, input="Who won the cup?")
    assert "stand-in" in asked.output_text
    assert not recalled(asked)
