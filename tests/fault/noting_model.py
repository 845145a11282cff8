"""A model whose summaries and facts tell which turns they were made of."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

from tests.fault.parts import RecordingModel

if TYPE_CHECKING:
    from collections.abc import Mapping


class NotingModel(RecordingModel):
    """Answers turns as ever; of a transcript it notes every word that tells where it is from."""

    def __init__(self) -> None:
        super().__init__()
        self.refusing: list[str] = []
        self.noted: list[list[str]] = []

    async def post(
        self, endpoint: str, body: Mapping[str, Any], *, timeout: float, tell: object = None
    ) -> dict[str, Any]:
        if "text" not in body:
            return await super().post(endpoint, body, timeout=timeout)
        await asyncio.sleep(0.2)
        if body["text"]["format"]["name"] == "memory_facts":
            said = _SAID.findall(str(body["input"][-1]["content"]))[:20]
            return _answered({"facts": [_fact(*one) for one in said]})
        words = [word for item in body["input"] for word in words_in(str(item["content"]))]
        self.noted.append(words)
        text = self.refusing.pop() if self.refusing else f"the user said to you that {' '.join(words)}"
        return _answered({"language": "en", "summary": text})


def _answered(value: Any) -> dict[str, Any]:
    content = [{"type": "output_text", "text": json.dumps(value)}]
    return {"status": "completed", "output": [{"type": "message", "content": content}]}


_SAID = re.compile(r"^\[(\d+)\] user[^\n]*?\n?[^\n]*?(post\d+\.)", re.MULTILINE)


def _fact(number: str, word: str) -> dict[str, Any]:
    """Tell that the user wrote a word, with the item that says it."""
    return {
        "op": "add",
        "replaces": None,
        "subject": "user",
        "predicate": "wrote",
        "object": word,
        "kind": "event",
        "cardinality": "many",
        "valid_from": None,
        "evidence": [int(number)],
    }


def words_in(text: str) -> list[str]:
    return re.findall(r"POST\d+\.|post\d+\.", text)
