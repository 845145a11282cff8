"""What can be read back is measured as Lambda's answer carries it."""

from __future__ import annotations

import json

import pytest

from chat_core.errors import AnswerTooLarge
from chat_core.turns.returnable import ITEM_BYTES, check_returnable


@pytest.mark.parametrize("letter", ["x", "漢", '"', "\n", "\x00"])
def test_the_limit_is_that_of_the_text_within_the_text(letter: str) -> None:
    each = len(json.dumps(json.dumps(letter, ensure_ascii=False), ensure_ascii=False).encode()) - 6
    most = (ITEM_BYTES - 100) // each
    check_returnable([{"type": "message", "text": letter * most}])
    with pytest.raises(AnswerTooLarge):
        check_returnable([{"type": "message"}, {"type": "message", "text": letter * (most + 100)}])
