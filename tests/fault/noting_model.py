"""A model whose summaries tell which turns they were made of."""

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
        words = [word for item in body["input"] for word in words_in(str(item["content"]))]
        self.noted.append(words)
        text = self.refusing.pop() if self.refusing else f"the user said to you that {' '.join(words)}"
        content = [{"type": "output_text", "text": json.dumps({"language": "en", "summary": text})}]
        return {"status": "completed", "output": [{"type": "message", "content": content}]}


def words_in(text: str) -> list[str]:
    return re.findall(r"POST\d+\.|post\d+\.", text)
