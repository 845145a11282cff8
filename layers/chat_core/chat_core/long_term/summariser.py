"""Asking the model for a summary: one call, and a second where the first answer can be mended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chat_core.errors import ChatError
from chat_core.long_term.asking import Outcome, code_of, is_refused
from chat_core.long_term.fold import INPUT_TOKENS
from chat_core.long_term.language import language_of
from chat_core.long_term.prompt import AGAIN, PROMPT_VERSION, summary_request
from chat_core.long_term.records import Summary
from chat_core.long_term.summary import Wanted, accepted
from chat_core.long_term.transcript import lines_of, shortened

if TYPE_CHECKING:
    from collections.abc import Callable

    from chat_core.deadline import Deadline
    from chat_core.long_term.asking import StructuredModel
    from chat_core.long_term.fold import Batch
    from chat_core.long_term.turns import WholeTurn
    from chat_core.tokens import TokenCounter

TRIES = 2


class Summariser:
    """Has a model write summaries.

    Parameters
    ----------
    model
        Whom to ask.
    counter
        Counts as the model does.
    clock
        Seconds since the epoch.
    """

    def __init__(self, model: StructuredModel, *, counter: TokenCounter, clock: Callable[[], float]) -> None:
        self.counter = counter
        self._model = model
        self._count = counter.text
        self._clock = clock

    async def summarise(
        self, batch: Batch[WholeTurn], before: Summary, *, max_tokens: int, deadline: Deadline
    ) -> Outcome[Summary]:
        """Summarise whole turns and the summary before them.

        Parameters
        ----------
        before
            The summary so far.
        max_tokens
            Most tokens of the new one.
        """
        last = batch.turns[-1].last
        lines = lines_of(batch.turns)
        partial = before.partial
        if batch.partial:
            lines = shortened(lines, self._count, limit=INPUT_TOKENS - before.tokens)
            partial = (*partial, last)
        language = language_of([line.text for line in lines if line.role == "user"], before.language)
        if not lines:
            # Pictures alone, say: there is nothing to tell, and nothing to ask for.
            return Outcome(replace(before, covers_up_to=last))
        source = "\n".join([before.text, *(line.text for line in lines)])
        code = ""
        for _ in range(TRIES):
            request = summary_request(
                lines, previous=before.text, language=language, max_tokens=max_tokens, refused=code
            )
            try:
                answer = await self._model.ask(request, deadline)
            except ChatError as error:
                return Outcome(None, code_of(error), refused=is_refused(error))
            wanted = Wanted(language, max_tokens, source, structured=self._model.structured)
            text, refusal = accepted(answer, wanted, self._count)
            if refusal is None:
                return Outcome(
                    Summary(
                        text,
                        last,
                        language,
                        self._model.name,
                        PROMPT_VERSION,
                        self._count(text),
                        int(self._clock()),
                        partial,
                    )
                )
            code = refusal
            if code not in AGAIN:
                break
        return Outcome(None, code, refused=True)
