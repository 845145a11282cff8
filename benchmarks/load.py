"""One environment under load, and both sides at Momento's default quota of 100 operations a second.

``throughput``: turns and cached answers a second of one environment of ours, and turns of LangChain's process.
``quota``: by side, of turns at 100 messages, back to back, while Momento refuses what is beyond 100 operations a
second: ``answered``, ``failed`` (turns), ``refused`` (calls of Momento), ``turns_a_second`` that the quota allows by
the operations of a turn.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from benchmarks.turns import history

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.sides import Stage

TURNS = 150
QUOTA = 100
QUOTA_TURNS = 40
AT = 100


def measure(stage: Stage, tell: Callable[[str], None]) -> dict[str, Any]:
    """Run turns as fast as they go."""
    ours, theirs = stage.ours(), stage.theirs()
    sides = {"omoide": ours, "langchain": theirs}
    tell("throughput of one environment")
    for side in sides.values():
        side.ask("fill", conversation="load", messages=history(AT))
        side.ask("turns", text="温める", count=5, conversation="load")
    throughput = {
        f"{name}_turns": _rate(lambda side=side: side.ask("turns", text="負荷", count=TURNS, conversation="load"))  # type: ignore[misc]
        for name, side in sides.items()
    }
    ours.ask("turn", text="いつもの質問", store=False)
    cached = [{"text": "いつもの質問", "store": False}] * TURNS
    began = time.perf_counter()
    for asked in cached:
        ours.ask("turn", **asked)
    throughput["omoide_hits"] = round(TURNS / (time.perf_counter() - began), 1)
    tell(f"{QUOTA} operations a second")
    found = {}
    for name, side in sides.items():
        stage.servers.ask("counted")
        side.ask("turn", text="量る", conversation="load")
        operations = stage.servers.ask("counted")["operations"]
        stage.servers.ask("quota", operations=QUOTA)
        turns = side.ask("turns", text="割当", count=QUOTA_TURNS, conversation="load")
        refused = stage.servers.ask("quota", operations=None)
        answered = sum(turn["ok"] for turn in turns)
        found[name] = {
            "turns": QUOTA_TURNS,
            "answered": answered,
            "failed": QUOTA_TURNS - answered,
            "refused": refused,
            "operations_a_turn": operations,
            "turns_a_second": round(QUOTA / operations, 2),
        }
    return {"throughput": throughput, "quota": {"operations_a_second": QUOTA, **found}}


def _rate(work: Callable[[], list[dict[str, Any]]]) -> float:
    began = time.perf_counter()
    turns = work()
    return round(len(turns) / (time.perf_counter() - began), 1)
