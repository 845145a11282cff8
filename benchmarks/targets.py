"""What the project promises of its speed and size, and whether this run found it: ``targets``.

A list of ``name``, ``found``, ``limit``, ``unit`` and ``met``; a figure is at most its limit, or, with ``at_least``, at
least.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.sides import middle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _turn(results: Mapping[str, Any], side: str, messages: int) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(one for one in results["turn"][side] if one["messages"] == messages)
    return found


def _cpu(messages: int) -> Callable[[Mapping[str, Any]], float]:
    def ratio(results: Mapping[str, Any]) -> float:
        ours, theirs = (middle(_turn(results, side, messages)["cpu_ms"]) for side in ("omoide", "langchain"))
        return ours / theirs

    return ratio


def _cold(function: str, figure: str) -> Callable[[Mapping[str, Any]], float]:
    def ratio(results: Mapping[str, Any]) -> float:
        found = results["cold_start"]
        return middle(found[function][figure]) / middle(found["langchain"][figure])

    return ratio


def _all_turns(figure: str) -> Callable[[Mapping[str, Any]], float]:
    return lambda results: max(one[figure] for one in [*results["turn"]["omoide"], results["turn"]["longest"]])


def _deep(results: Mapping[str, Any]) -> float:
    return float(results["turn"]["longest"]["bytes_read"] / _turn(results, "omoide", 100)["bytes_read"])


_TARGETS: tuple[tuple[str, Callable[[Mapping[str, Any]], float], float, str, bool], ...] = (
    ("A turn's own processor time at 10 messages, of LangChain's", _cpu(10), 1.5, "×", False),
    ("… at 1,000 messages", _cpu(1_000), 0.5, "×", False),
    ("… at 5,000 messages", _cpu(5_000), 0.05, "×", False),
    ("Import of the chat handler, of LangChain's program", _cold("chat", "import_ms"), 1 / 8, "×", False),
    ("Import of the history handler, of LangChain's program", _cold("history", "import_ms"), 1 / 8, "×", False),
    (
        "From a process's start to its first turn's answer, of LangChain's",
        _cold("chat", "start_to_answer_ms"),
        0.25,
        "×",
        False,
    ),
    ("Momento operations a turn, window of 20", _all_turns("operations"), 7, "", False),
    ("DynamoDB write units a turn", _all_turns("write_units"), 11, "", False),
    ("Bytes read a turn at 10,000 messages, of those at 100", _deep, 1.1, "×", False),
    ("Momento calls in a row, answered by the cache", lambda r: r["hit"]["stateless"]["in_a_row"], 2, "", False),
    ("… of a turn, until its answer is known", lambda r: r["hit"]["turn"]["in_a_row"] - 1, 2, "", False),
    (
        "A repeated question with `store: false`, faster than a model of 300 ms",
        lambda r: 100 * r["repeated"]["responses"]["faster"],
        98,
        "%",
        True,
    ),
    ("… whose answer is stored", lambda r: 100 * r["repeated"]["stored"]["faster"], 97, "%", True),
    (
        "First token behind the model's own, stateless",
        lambda r: r["first_token"]["stateless"]["behind_ms"],
        25,
        "ms",
        False,
    ),
    ("… a turn", lambda r: r["first_token"]["turn"]["behind_ms"], 60, "ms", False),
    ("Recall@4 (en)", lambda r: _method(r, "omoide")["recall_at_4"], 0.6, "", True),
    (
        "Something found for an unrelated request",
        lambda r: 100 * _method(r, "omoide")["unrelated_retrieved"],
        2,
        "%",
        False,
    ),
)


def _method(results: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(one for one in results["recall"]["en"] if one["method"] == name)
    return found


def targets(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Judge what was measured; what was not is left out."""
    told = []
    for name, read, limit, unit, at_least in _TARGETS:
        try:
            found = read(results)
        except (KeyError, StopIteration):
            continue
        told.append(
            {
                "name": name,
                "found": round(found, 3),
                "limit": round(limit, 3),
                "unit": unit,
                "at_least": at_least,
                "met": found >= limit if at_least else found <= limit,
            }
        )
    return told
