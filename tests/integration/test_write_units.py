"""What a turn's writes cost, response included, from the sizes of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.app import application
from tests.write_units import Metered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.app import App

# The ids of users in a pool, and a history's texts of 42 and 104 characters.
USER = "3f8b2c1d-7a64-4e0b-9c55-0d1e2f3a4b5c"
QUESTION = "明日の京都の天気はどうですか。傘を持って行った方がいいか、教えてくれませんか。"


@pytest.fixture
def metered(app: App) -> Iterator[Metered]:
    """Meter the writes of the chat function."""
    from chat import handler as chat

    table = chat.parts().stores.table
    client = table._connected()
    [defined] = application().tables
    meter = Metered(client, defined.definition)
    table._client = meter
    yield meter
    table._client = client


@pytest.mark.parametrize("more", [{}, {"instructions": "Answer in one sentence.", "metadata": {"topic": "weather"}}])
def test_a_turn_costs_eleven_write_units(app: App, metered: Metered, more: dict[str, object]) -> None:
    for number in range(3):
        metered.units, metered.told[:] = 0, []
        answer = app.turn("units", f"{number}: {QUESTION}", user=USER, **more)
        assert answer.status == 200, answer.body
        # The first one makes the conversation, and writes its name beside its responses.
        assert metered.units <= (11 if number else 16), metered.told
    assert metered.units == 11, metered.told
