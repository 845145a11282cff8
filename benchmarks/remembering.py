"""What long-term memory costs a view in CPU time: `summary_window` with entities and recall, 5,000 turns indexed.

``python benchmarks/remembering.py [turns]`` makes the view of a turn with and without the add-ons, in turns, in one
process, from a memory value that is believed and an index that the environment has decoded; stores answer at once. It
prints the medians and their difference as one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":  # pytest has the path from pyproject.toml
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "layers" / "chat_core"))

from chat_core.history import Head, StoredItem
from chat_core.hot import KeptFacts, MemoryState
from chat_core.keys import Address
from chat_core.long_term.notes import notes_message
from chat_core.long_term.recall import DIMENSIONS, Vectors, build, cut, entry_of, search, signs
from chat_core.long_term.recaller import Recaller, RecallStores
from chat_core.memory import Earlier, Kept, Notes, parse_turn_settings
from chat_core.messages import Message
from chat_core.turns import Sources
from chat_core.turns.context import Asked, turn_context

if TYPE_CHECKING:
    from collections.abc import Collection

MODEL = "text-embedding-3-small"
PAIRS = 41
ANSWER = 100
"""The turn that is asked about."""

PLAIN: dict[str, Any] = {"policy": "summary_window"}
ALL: dict[str, Any] = {**PLAIN, "entities": True, "recall": True}
DRAWN = random.Random(7)  # noqa: S311 - the same texts in each run
WORDS = ["".join(DRAWN.choices("abcdefghijklmnopqrstuvwxyz", k=DRAWN.randint(3, 9))) for _ in range(8_000)]
HERE = Address("user", "chat")


def said(count: int) -> str:
    """Draw a text; some words are much more frequent than others, as in a language."""
    return " ".join(WORDS[int(len(WORDS) * DRAWN.random() ** 3)] for _ in range(count))


def direction() -> list[float]:
    """Draw an embedding."""
    return [DRAWN.gauss(0, 1) for _ in range(DIMENSIONS)]


class Told:
    """History, index and embedder, each with its answer at hand."""

    name, known = MODEL, True

    def __init__(self, turns: int) -> None:
        self.messages = [
            Message("assistant" if seq % 2 == 0 else "user", said(40), seq=seq, created_at=1_764_000_000 + seq)
            for seq in range(1, 2 * turns + 1)
        ]
        self.asked = direction()
        entries = []
        for turn in range(turns):
            both = self.messages[2 * turn : 2 * turn + 2]
            entry = entry_of(both, first_seq=2 * turn + 1, tokens=lambda text: len(text) // 4)
            if entry is not None:
                toward = self.asked if turn == ANSWER else direction()
                entries.append(replace(entry, seq=2 * turn + 2, items=2, signs=signs(toward)))
        vectors = Vectors(MODEL, DIMENSIONS, 1_764_000_000)
        self.blocks = tuple(build(group, vectors) for group in cut(entries))

    async def search(self, indexed: Any, query: Any, *, limit: int) -> Any:
        """See `chat_core.long_term.RecallIndex`."""
        return search(self.blocks, query, conversation=indexed.address.conversation, limit=limit)

    async def items_at(self, _head: Head, seqs: Collection[int]) -> tuple[StoredItem, ...]:
        """See `chat_core.history.History`."""
        messages = [self.messages[seq - 1] for seq in sorted(seqs)]
        return tuple(
            StoredItem(one.seq, "turn", 0, {"type": "message", "role": one.role, "content": one.text})
            for one in messages
        )

    async def vector(self, *_: Any, **__: Any) -> list[float]:
        """See `chat_core.long_term.QueryVectors`."""
        return self.asked


async def main(turns: int) -> dict[str, Any]:
    """Make views in pairs, and tell the medians of their CPU time in milliseconds."""
    told: Any = Told(turns)
    head = Head(HERE, "0" * 16, seq=2 * turns, messages=2 * turns, items=2 * turns, folds=9)
    rows = [[f"fact_{n}", "user" if n % 2 else WORDS[n], said(2), said(3), None, n, n] for n in range(30)]
    notes = Notes(notes_message(said(250), "en"), covers_up_to=2 * turns - 40)
    kept = Kept(tuple(told.messages[-40:]), Earlier(whole=False, count=2 * turns - 40, notes=notes))
    state = MemoryState(head.incarnation, head.seq, 0, kept, folds=9, facts=KeptFacts(9, None, rows))
    recaller = Recaller(RecallStores(told, told, told), told, default_memory=ALL, clock=lambda: 1_764_100_000)
    sources = Sources(told, told, told, told, recaller)
    spent: dict[str, list[float]] = {"without": [], "with": []}
    recalled = 0
    for pair in range(PAIRS + 3):
        words = told.messages[2 * ANSWER].text.split()
        question = " ".join(DRAWN.sample(words, 15))
        asked = Asked([{"type": "message", "role": "user", "content": question}], {"model": "gpt-4.1-mini"})
        for name, settings in (("without", PLAIN), ("with", ALL)):
            start = time.process_time()
            view = await turn_context(sources, head, asked, memory=parse_turn_settings(settings, None), state=state)
            if pair >= 3:
                spent[name].append(1_000 * (time.process_time() - start))
            recalled += view.recalled is not None and view.recalled.message is not None
    figures = {f"cpu_ms_{name}": round(median(times), 2) for name, times in spent.items()}
    more = median(after - before for before, after in zip(spent["without"], spent["with"], strict=True))
    return {"turns": turns, **figures, "cpu_ms_more": round(more, 2), "views_with_recall": recalled}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000))))
