"""Turns through `lambda_handler`, on Momento's SDK, boto3 and the OpenAI SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from tests.integration.app import App


def text(answer: object) -> str:
    assert isinstance(answer, dict)
    return "".join(part["text"] for item in answer["output"] for part in item.get("content", ()))


def test_a_chat_that_remembers(app: App) -> None:
    first = app.turn("naomi", "私の名前は渡辺直美です。")
    assert first.status == 200, first.body
    assert_valid(first.body, "Response")
    assert text(first.body).startswith("こんにちは、渡辺直美さん！")
    second = app.turn("naomi", "私の名前なんだっけ？")
    assert text(second.body).startswith("あなたの名前は渡辺直美さんです！")
