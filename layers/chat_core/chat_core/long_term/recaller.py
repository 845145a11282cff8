"""Recall in a turn: what the input brings up of what the view does not show. It never fails a turn, nor delays it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from chat_core.errors import NotFound, StoreUnavailable
from chat_core.history import stored_messages
from chat_core.long_term.index import Indexed
from chat_core.long_term.recall import WORDS, Limits, Query, quoted, rank, recalled, scale_of, speeches
from chat_core.memory import own_add_ons
from chat_core.messages import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from chat_core.history import ConversationStore, Head, History
    from chat_core.keys import Address
    from chat_core.long_term.index import RecallIndex
    from chat_core.long_term.query_vectors import QueryVectors
    from chat_core.long_term.question import Question, Shown
    from chat_core.long_term.recall import Candidate, Found, Judged, Ranking
    from chat_core.memory import RecallSettings

Degraded = Literal["lexical_only", "unavailable"]

CANDIDATES = 64
OTHER_CONVERSATIONS = 20
"""The last active ones of the user's that a search over conversations looks through."""

SEEN_CONVERSATIONS = 1_000
"""Of those an environment knows that they want recall: their next question is embedded before the head is read."""

SEARCH_SECONDS = 1.5
"""For the search and the texts together."""


@dataclass(frozen=True, slots=True)
class Told:
    """A turn that was considered, as a context tells it.

    Parameters
    ----------
    conversation
        Its id.
    first_seq, last_seq
        Of its items.
    incarnation
        Of the conversation.
    score
        See `chat_core.long_term.recall.ranking`.
    tokens
        What it takes to show it.
    reason
        Why it is not shown; empty: it is.
    """

    conversation: str
    first_seq: int
    last_seq: int
    incarnation: str
    score: float
    tokens: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Recalled:
    """What a turn recalls.

    Parameters
    ----------
    message
        Quotes it; None where nothing is recalled.
    item_ids
        Of the messages that are quoted, in the order of the quotation.
    considered
        What was shown and what was not, the best first.
    degraded
        ``lexical_only``: no vectors were compared. ``unavailable``: the index or the history could not be reached.
    turns, conversations
        How many were searched.
    """

    message: Message | None = None
    item_ids: tuple[str, ...] = ()
    considered: tuple[Told, ...] = ()
    degraded: Degraded | None = None
    turns: int = 0
    conversations: int = 0


NOTHING_RECALLED = Recalled()


@dataclass(frozen=True, slots=True)
class RecallStores:
    """Where recall reads."""

    history: History
    conversations: ConversationStore
    index: RecallIndex


class Recaller:
    """Finds what a turn's input brings up.

    Parameters
    ----------
    stores
        See there.
    vectors
        Make those of questions; None: words alone.
    default_memory
        Memory settings of a conversation that has none.
    clock
        Seconds since the epoch.
    """

    def __init__(
        self,
        stores: RecallStores,
        vectors: QueryVectors | None,
        *,
        default_memory: Mapping[str, Any],
        clock: Callable[[], float],
    ) -> None:
        self.vectors = vectors
        self._stores = stores
        self._seen: OrderedDict[Address, None] = OrderedDict()
        self._default_memory = default_memory
        self._clock = clock

    def is_likely(self, address: Address, override: Mapping[str, Any] | None) -> bool:
        """Whether a turn will want recall, as far as can be told before its conversation is read."""
        for settings in (override or {}, self._default_memory):
            if settings.get("recall") is not None:
                return bool(settings["recall"])
        return address in self._seen

    async def recall(
        self, head: Head, question: Question, shown: Shown, settings: RecallSettings, count: Callable[[str], int]
    ) -> Recalled:
        """Find the turns, and quote them.

        Parameters
        ----------
        head
            The conversation as it is.
        question
            What is asked.
        shown
            What need not be recalled.
        settings
            The turn's.
        count
            Counts a text's tokens as the turn's model does.
        """
        self._seen[head.address] = None
        self._seen.move_to_end(head.address)
        if len(self._seen) > SEEN_CONVERSATIONS:
            self._seen.popitem(last=False)
        if not question.text and not shown.previous:
            return NOTHING_RECALLED
        try:
            async with asyncio.timeout(SEARCH_SECONDS):
                heads = [head, *await self._others(head, settings)]
                if not any(one.folds for one in heads):
                    return Recalled(conversations=len(heads))  # nothing was ever indexed
                return await self._recall(heads, question, shown, settings, count)
        except (StoreUnavailable, TimeoutError):
            return Recalled(degraded="unavailable")

    async def _recall(
        self,
        heads: Sequence[Head],
        question: Question,
        shown: Shown,
        settings: RecallSettings,
        count: Callable[[str], int],
    ) -> Recalled:
        now = self._clock()
        vector = await question.vector(shown.previous, fresh_from=now - settings.refresh_after)
        scale = WORDS if vector is None else scale_of(vector.model) or WORDS
        since = now - settings.expires_after if settings.expires_after else 0.0
        query = Query(question.words(shown.previous), vector, scale, since=since, neighbours=settings.neighbours)
        found = await asyncio.gather(*(self._search(one, query, shown, own=one is heads[0]) for one in heads))
        frame = count(recalled([""]))
        limits = Limits(
            settings.k, settings.min_score, settings.relative, settings.max_tokens - frame, settings.neighbours
        )
        ranking = rank([one for result in found for one in result.candidates], limits, scale)
        quotes = await self._quotes({one.conversation: one for one in heads}, ranking)
        ranking, message, ids = _written(ranking, quotes, lambda text: count(text) <= settings.max_tokens)
        incarnations = {one.conversation: one.incarnation for one in heads}
        searched = sum(result.turns for result in found)
        compared = any(result.compared for result in found)
        return Recalled(
            message,
            ids,
            tuple(_told(one, incarnations) for one in sorted((*ranking.shown, *ranking.left_out), key=_best_first)),
            None if compared or not searched else "lexical_only",
            searched,
            len(heads),
        )

    async def _search(self, head: Head, query: Query, shown: Shown, *, own: bool) -> Found:
        if own:
            query = replace(query, before=shown.before)
        return await self._stores.index.search(Indexed.of(head), query, limit=CANDIDATES)

    async def _others(self, head: Head, settings: RecallSettings) -> list[Head]:
        """Give the user's other conversations whose own stored settings, as this one's, let each other be searched."""
        if settings.scope != "user" or not _is_open(head):
            return []
        recent = await self._stores.conversations.recent(
            head.address.user, limit=OTHER_CONVERSATIONS + 1, after=None, order="desc"
        )
        wanted = [one for one in recent.data if one.address != head.address and _is_open(one)]
        read = await asyncio.gather(*(self._head(one) for one in wanted[:OTHER_CONVERSATIONS]))
        return [one for one in read if one is not None and _is_open(one)]

    async def _head(self, listed: Head) -> Head | None:
        """Read a conversation's head: a list may tell of one that was erased, or has other settings by now."""
        try:
            return await self._stores.history.head(listed.address)
        except NotFound:
            return None

    async def _quotes(self, heads: Mapping[str, Head], ranking: Ranking) -> dict[tuple[str, int], Sequence[Message]]:
        """Read what was said in the turns that are shown: one call a conversation. What is gone is skipped."""
        wanted: dict[str, list[Candidate]] = {}
        for one in ranking.shown:
            wanted.setdefault(one.candidate.conversation, []).append(one.candidate)

        async def read(conversation: str) -> dict[tuple[str, int], Sequence[Message]]:
            turns = wanted[conversation]
            seqs = [seq for turn in turns for seq in range(turn.first_seq, turn.seq + 1)]
            messages = stored_messages(await self._stores.history.items_at(heads[conversation], seqs))
            return {
                (conversation, turn.seq): [one for one in messages if turn.first_seq <= one.seq <= turn.seq]
                for turn in turns
            }

        found = await asyncio.gather(*map(read, wanted))
        return {key: messages for part in found for key, messages in part.items() if quoted(messages)}


def _is_open(head: Head) -> bool:
    recall = own_add_ons(head.memory).recall
    return recall is not None and recall.scope == "user"


def _written(
    ranking: Ranking, quotes: Mapping[tuple[str, int], Sequence[Message]], fits: Callable[[str], bool]
) -> tuple[Ranking, Message | None, tuple[str, ...]]:
    """Quote what is left of the ranking; as long as it does not fit, what has the lowest score goes."""
    left = [one for one in ranking.shown if (one.candidate.conversation, one.candidate.seq) in quotes]
    gone: list[Judged] = []
    while left:
        turns = [quotes[one.candidate.conversation, one.candidate.seq] for one in left]
        text = recalled([quoted(turn) for turn in turns])
        if fits(text):
            ids = tuple(message.id for turn in turns for message in speeches(turn))
            shown = replace(ranking, shown=tuple(left), left_out=(*gone, *ranking.left_out))
            return shown, Message("user", text), ids
        worst = min(left, key=lambda one: one.score)
        left.remove(worst)
        gone.append(replace(worst, reason="token_cap"))
    return replace(ranking, shown=(), left_out=(*gone, *ranking.left_out)), None, ()


def _best_first(judged: Judged) -> float:
    return -judged.score


def _told(judged: Judged, incarnations: Mapping[str, str]) -> Told:
    candidate = judged.candidate
    return Told(
        candidate.conversation,
        candidate.first_seq,
        candidate.seq,
        incarnations[candidate.conversation],
        round(judged.score, 4),
        candidate.tokens,
        judged.reason or "",
    )
