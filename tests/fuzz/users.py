"""Users with one of everything that a path can name: what forged ids and cursors are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fuzz.valid import ITEMS
from tests.integration.app import Context
from tests.integration.test_memory import record

if TYPE_CHECKING:
    from tests.integration.app import App

REMEMBERED = {"policy": "summary_window", "trigger_messages": 4, "keep": 2, "entities": True, "recall": True}
TALK = ("大阪に住んでいます。", "私の名前は渡辺直美です。", "今日は晴れです。", "そうですか。")


def seeded(app: App, *users: str) -> list[str]:
    """Make conversations, with what is remembered of them, and give their ids and those of all that is in them."""
    from memory.handler import lambda_handler

    ids: list[str] = []
    for user in users:
        ids.append(app.turn("known", "hi", user=user).body["id"])
        ids.append(app.call("POST", "/v1/responses", {"input": "hi"}, user=user).body["id"])
        created = app.call("POST", "/v1/conversations", {"items": ITEMS[:2], "memory": REMEMBERED}, user=user).body[
            "id"
        ]
        for text in TALK:
            app.turn(created, text, user=user)
        lambda_handler({"Records": [record(created, user)]}, Context(60.0))
        for conversation in ("known", created):
            page = app.call("GET", f"/v1/conversations/{conversation}/items", user=user).body
            ids += [conversation, *(item["id"] for item in page["data"][:4])]
        facts = app.call("GET", "/v1/memory/facts", user=user).body["data"]
        assert facts, "nothing is known of the user"
        ids += [fact["id"] for fact in facts]
    return ids
