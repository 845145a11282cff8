"""The state machine has teeth: each of these bugs makes it fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from chat_core.hot.copies import Known
from chat_core.messages.message import Message
from chat_core.turns.turn import OpenTurn
from tests.fakes.history import InMemoryHistory
from tests.fault.test_state_machine import Machine

if TYPE_CHECKING:
    from chat_core.history.records import Commit, Head

_SETTINGS = settings(
    max_examples=100,  # no more than `make test` runs
    stateful_step_count=20,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)


@pytest.fixture
def commit_without_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    conditional = InMemoryHistory.commit

    async def commit(self: Any, head: Head, change: Commit, *, token: str | None) -> Head:
        found = self._table.rows.get(head.address)
        # Where the writer thinks that the history ends, it writes: over what others wrote.
        if found is not None:
            found.head = head
        return await conditional(self, head, change, token=None)

    monkeypatch.setattr(InMemoryHistory, "commit", commit)


@pytest.fixture
def append_before_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    committing = OpenTurn._append

    async def append(self: Any, change: Commit) -> Any:
        text = change.turn.items[0]["content"][0]["text"]
        await self.parts.hot._append(self.head, [Message("user", text).text], keep=10)
        return await committing(self, change)

    monkeypatch.setattr(OpenTurn, "_append", append)


@pytest.fixture
def stale_value_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Known, "believed", lambda self, head: self)


_CAUGHT = {
    "commit_without_condition": "lost|half a turn|interleaved",
    "append_before_commit": "the list is not the history|risen",
    "stale_value_believed": "the model's memory is not the history",
}


@pytest.mark.parametrize("bug", _CAUGHT)
def test_the_state_machine_catches(bug: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(bug)
    with pytest.raises(AssertionError, match=_CAUGHT[bug]):
        run_state_machine_as_test(Machine, settings=_SETTINGS)
