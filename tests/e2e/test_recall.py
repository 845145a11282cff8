"""Recall as `make run` has it: what was told long ago is quoted when it is asked for, and nothing when it is not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from openai import OpenAI

TURNS = 14
MEMORY: dict[str, Any] = {"policy": "message_window", "max_messages": 4, "recall": True}
TOLD = {
    "en": (
        "My dog's food is salmon with brown rice, twice a day.",
        "What did I say about my dog's food?",
        "Who won the cup?",
    ),
    "ja": ("犬のポチの食事はサーモンと玄米です。", "犬のポチの食事について何と言った？", "優勝したのはどこ？"),
}
FILLER = {
    "en": "On day {0} we walked along the harbour, counted {0} ferries and talked about the weather.",
    "ja": "{0}日目は港まで歩いて、船を{0}隻数え、来週の天気についていろいろと話しました。",
}


def recalled(client: OpenAI, conversation: str, text: str) -> list[str]:
    """What a turn would quote of the history: nothing is stored."""
    body = {"conversation": conversation, "input": text, "memory": {"dry_run": True}}
    context = cast("dict[str, Any]", client.post("/responses", body=body, cast_to=object))
    return [str(item["content"]) for item in context["input"] if "<recalled_turns>" in str(item["content"])]


def test_what_was_told_long_ago_is_recalled_and_only_when_it_is_asked_for(client: OpenAI) -> None:
    names = {}
    for language, (told, _, _) in TOLD.items():
        names[language] = client.conversations.create(extra_body={"memory": MEMORY}).id
        for text in (told, *(FILLER[language].format(day) for day in range(TURNS))):
            client.responses.create(model="gpt-4.1-mini", conversation=names[language], input=text)
    deadline = time.monotonic() + 30
    for language, (told, question, other) in TOLD.items():
        while not recalled(client, names[language], question):
            assert time.monotonic() < deadline, "nothing is recalled"
            time.sleep(0.1)
        (quoted,) = recalled(client, names[language], question)
        assert told in quoted
        assert recalled(client, names[language], other) == []
        answer = client.responses.create(model="gpt-4.1-mini", conversation=names[language], input=question)
        report = cast("Any", answer).omoide["memory"]
        items = client.conversations.items.list(names[language], order="asc", limit=1)
        assert items.data[0].id in report["recalled"]
