"""Asking the model for facts: one call for the turns of a fold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chat_core.errors import ChatError
from chat_core.long_term.answer import written
from chat_core.long_term.asking import Outcome, code_of, is_refused
from chat_core.long_term.facts.accept import Said
from chat_core.long_term.facts.extraction import parse_facts, taken
from chat_core.long_term.facts.prompt import facts_request, known_for
from chat_core.long_term.facts.records import Evidence, Moment
from chat_core.long_term.fold import INPUT_TOKENS
from chat_core.long_term.transcript import lines_of, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chat_core.deadline import Deadline
    from chat_core.long_term.asking import StructuredModel
    from chat_core.long_term.facts.extraction import Taken
    from chat_core.long_term.facts.records import Fact
    from chat_core.long_term.fold import Batch
    from chat_core.long_term.transcript import Line
    from chat_core.long_term.turns import WholeTurn
    from chat_core.messages import Message


class Extractor:
    """Has a model find facts.

    Parameters
    ----------
    model
        Whom to ask.
    count
        Counts a text's tokens as the model does.
    clock
        Seconds since the epoch.
    """

    def __init__(self, model: StructuredModel, *, count: Callable[[str], int], clock: Callable[[], float]) -> None:
        self._model = model
        self._count = count
        self._clock = clock

    async def extract(
        self,
        batch: Batch[WholeTurn],
        known: Sequence[Fact],
        ids: Ids,
        *,
        forgotten: Mapping[str, Moment],
        include_assistant: bool,
        deadline: Deadline,
    ) -> Outcome[Taken]:
        """Find what whole turns tell; turns in which nobody said anything cost no call.

        Parameters
        ----------
        known
            The facts so far.
        ids
            Names items and new facts.
        forgotten, include_assistant
            See `taken`.
        """
        lines = lines_of(batch.turns)
        if batch.partial:
            lines = shortened(lines, self._count, limit=INPUT_TOKENS)
        shown = known_for(known, lines)
        items = _said(lines, batch.turns, ids.item)
        if not any(one.evidence.said_by == "user" or include_assistant for one in items.values()):
            return Outcome(taken((), {}, new_id=ids.fact, recorded_at=int(self._clock()), forgotten={}))
        try:
            answer = await self._model.ask(facts_request(lines, shown), deadline)
        except ChatError as error:
            return Outcome(None, code_of(error), refused=is_refused(error))
        handles = {number: fact.id for number, fact in enumerate(shown, 1)}
        wrote = written(answer)
        candidates = parse_facts(wrote.text, handles) if wrote.complete else None
        if candidates is None:
            return Outcome(None, "refusal" if wrote.refused else "invalid_output", refused=True)
        found = taken(
            candidates,
            items,
            new_id=ids.fact,
            recorded_at=int(self._clock()),
            forgotten=forgotten,
            include_assistant=include_assistant,
        )
        return Outcome(found)


@dataclass(frozen=True, slots=True)
class Ids:
    """How a fold names things.

    Parameters
    ----------
    item
        The id of a message in the history.
    fact
        The id of the fact at a place of the answer.
    """

    item: Callable[[Message], str]
    fact: Callable[[int], str]


def _said(lines: Sequence[Line], turns: Sequence[WholeTurn], item: Callable[[Message], str]) -> dict[str, Said]:
    """Give each numbered line of the transcript as what it is evidence of; tools and marks are none."""
    messages = {message.seq: message for turn in turns for message in turn.messages}
    said: dict[str, Said] = {}
    for number, line in enumerate(lines, 1):
        message = messages.get(line.seq)
        if message is not None and line.role in ("user", "assistant"):
            moment = Moment(message.created_at, message.seq)
            role = message.role if message.role == "user" else "assistant"
            said[str(number)] = Said(Evidence(item(message), moment, role), message.text)
    return said
