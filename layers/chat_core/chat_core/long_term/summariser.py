"""Asking the model for a summary: one call, and a second where the first answer can be mended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from chat_core.errors import ChatError, UpstreamRejected
from chat_core.long_term.fold import INPUT_TOKENS
from chat_core.long_term.language import language_of
from chat_core.long_term.prompt import AGAIN, PROMPT_VERSION, summary_request
from chat_core.long_term.records import Summary
from chat_core.long_term.summary import Wanted, accepted
from chat_core.long_term.transcript import lines_of, shortened

if TYPE_CHECKING:
    from collections.abc import Callable

    from chat_core.deadline import Deadline
    from chat_core.long_term.fold import Batch
    from chat_core.long_term.turns import WholeTurn
    from chat_core.model import ChatModel

TRIES = 2
ANSWER_SECONDS = 60.0
UNSUPPORTED = ("temperature", "text")
"""Parameters without which the model is asked where its provider refuses them."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of asking for a summary.

    Parameters
    ----------
    summary
        None where there is none to store.
    code
        Why not; empty with a summary.
    refused
        Whether it was for the model's answer to this transcript, not for the way to it.
    """

    summary: Summary | None
    code: str = ""
    refused: bool = False


class Summariser:
    """Has a model write summaries.

    Parameters
    ----------
    model
        The provider.
    name
        The model's name there.
    count
        Counts a text's tokens as the model does.
    clock
        Seconds since the epoch.
    """

    def __init__(self, model: ChatModel, name: str, *, count: Callable[[str], int], clock: Callable[[], float]) -> None:
        self.name = name
        self._model = model
        self._count = count
        self._clock = clock
        self._unsupported: set[str] = set()

    async def summarise(
        self, batch: Batch[WholeTurn], before: Summary, *, max_tokens: int, deadline: Deadline
    ) -> Answered:
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
            return Answered(replace(before, covers_up_to=last))
        source = "\n".join([before.text, *(line.text for line in lines)])
        code = ""
        for _ in range(TRIES):
            request = summary_request(
                lines, previous=before.text, language=language, max_tokens=max_tokens, refused=code
            )
            try:
                answer = await self._ask(request, deadline)
            except ChatError as error:
                return Answered(None, _code(error), refused=_is_refused(error))
            wanted = Wanted(language, max_tokens, source, structured="text" not in self._unsupported)
            text, refusal = accepted(answer, wanted, self._count)
            if refusal is None:
                return Answered(
                    Summary(
                        text,
                        last,
                        language,
                        self.name,
                        PROMPT_VERSION,
                        self._count(text),
                        int(self._clock()),
                        partial,
                    )
                )
            code = refusal
            if code not in AGAIN:
                break
        return Answered(None, code, refused=True)

    async def _ask(self, request: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
        body = {"model": self.name, **request}
        for _ in range(1 + len(UNSUPPORTED)):
            sent = {name: value for name, value in body.items() if name not in self._unsupported}
            timeout = min(ANSWER_SECONDS, deadline.remaining())
            try:
                return await self._model.post("responses", sent, timeout=timeout)
            except UpstreamRejected as rejected:
                named = _unsupported(rejected)
                if named is None or named not in sent:
                    raise
                self._unsupported.add(named)
        raise AssertionError


def _unsupported(rejected: UpstreamRejected) -> str | None:
    """Name the parameter that the provider does not take from us."""
    if rejected.status != 400:
        return None
    param = str(rejected.error.get("param") or "").split(".")[0]
    return param if param in UNSUPPORTED else None


def _is_refused(error: ChatError) -> bool:
    """Whether the provider refused what it was given: another range may do."""
    return isinstance(error, UpstreamRejected) and error.status in (400, 413, 422)


def _code(error: ChatError) -> str:
    return "rejected" if _is_refused(error) else error.code or "upstream_error"
