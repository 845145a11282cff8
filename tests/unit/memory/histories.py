"""Random histories, an independent model of what a window keeps, and validators of providers' message order."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import strategies as st

from chat_core.memory.units import Unit, units_backwards
from chat_core.messages.message import Message, ToolCall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

T = TypeVar("T")

CALL_IDS = ("c1", "c2", "c3")
TEXTS = ("", "hi", "今日は", "a longer text, with a comma", "😀😀")


def user(text: str = "question") -> Message:
    return Message("user", text)


def assistant(text: str | None = "answer", *calls: str) -> Message:
    return Message("assistant", text, tool_calls=tuple(ToolCall(call, "tool", "{}") for call in calls))


def result(call: str, text: str = "result") -> Message:
    fields = {"type": "function_call_output", "call_id": call, "output": text}
    return Message("tool", tool_call_id=call, fields=fields)


def reasoning(*, readable: bool = True) -> Message:
    return Message("reasoning", fields={"type": "reasoning", **({"encrypted_content": "b64"} if readable else {})})


def other() -> Message:
    return Message("other", fields={"type": "web_search_call", "action": {"query": "x"}})


def system(text: str = "Answer briefly.") -> Message:
    return Message("system", text)


def flat(lists: Iterable[Iterable[T]]) -> list[T]:
    return list(chain.from_iterable(lists))


def numbered(messages: Iterable[Message], first: int = 1) -> tuple[Message, ...]:
    """Give messages the places and ids that a commit gives them."""
    found: list[Message] = []
    seq = first - 1
    for message in messages:
        seq += len(message.tool_calls) + (message.content is not None or not message.tool_calls)
        found.append(replace(message, seq=seq, id=f"m{seq}"))
    return tuple(found)


_texts = st.sampled_from(TEXTS)
_calls = st.lists(st.sampled_from(CALL_IDS), min_size=1, max_size=3, unique=True)

messy_messages = st.one_of(
    st.builds(user, _texts),
    st.builds(assistant, _texts),
    st.builds(lambda text, calls: assistant(text, *calls), st.sampled_from((None, "", "so")), _calls),
    st.builds(result, st.sampled_from(CALL_IDS)),
    st.builds(result, st.sampled_from(CALL_IDS)),
    st.builds(lambda readable: reasoning(readable=readable), st.booleans()),
    st.builds(other),
    st.builds(system, st.sampled_from(("A", "B", ""))),
    st.just(Message("other", "?", fields={"role": "critic"})),
    st.just(Message("user", None)),
    st.just(Message("assistant", ())),
)
"""Whatever others may have written: orphans, second results, results out of place, empty and unknown things."""


@st.composite
def clean_turns(draw: st.DrawFn) -> list[Message]:
    """A turn as models and clients write it: a question, exchanges with tools, an answer."""
    turn = [user(draw(st.sampled_from(TEXTS[1:])))]
    for number in range(draw(st.integers(0, 4))):
        calls = [f"{number}{call}" for call in draw(_calls)]
        if draw(st.booleans()):
            turn.append(reasoning())
        turn.append(assistant(None, *calls))
        turn += [result(call) for call in draw(st.permutations(calls))]
    if draw(st.booleans()):
        turn.append(reasoning())
    turn.append(assistant(draw(st.sampled_from(TEXTS[1:]))))
    return turn


messy_histories = st.lists(messy_messages, max_size=40).map(numbered)
clean_histories = st.lists(clean_turns(), max_size=10)
"""Turn by turn."""


def kept_by_hand(
    messages: Sequence[Message], most: int, cost: Callable[[Message], int], *, by_turn: bool
) -> list[Message]:
    """Evict from the whole history, oldest first, until the rest fits: rules R3 and R5, the slow way."""
    units = list(units_backwards(messages))[::-1]
    questions = [place for place, unit in enumerate(units) if unit.user]
    asked = bool(questions)
    first = questions[-1] if asked else max(len(units) - 1, 0)
    older, active = units[:first], units[first:]
    groups: list[list[Unit]] = []
    for unit in older:
        if not groups or not (by_turn and asked) or unit.user:
            groups.append([])
        groups[-1].append(unit)

    def total() -> int:
        return sum(cost(message) for unit in [*flat(groups), *active] for message in unit.messages)

    evicted = False
    while groups and total() > most:
        del groups[0]
        evicted = True
    while evicted and groups and groups[0][0].messages[0].role == "reasoning":
        del groups[0]
    while total() > most and any(unit.exchange for unit in active[:-1]):
        active.remove(next(unit for unit in active[:-1] if unit.exchange))
    return [message for unit in [*flat(groups), *active] for message in unit.messages]


def broken_rules_of_openai(items: Sequence[dict[str, Any]]) -> list[str]:
    """Check input items of the Responses API: what it answers with 400.

    Each output stands behind its call, with no message between; each call has one output, but for calls at the very
    end; reasoning is followed by what it led to.
    """
    broken: list[str] = []
    open_calls: dict[str, bool] = {}
    for item in items:
        kind = item.get("type")
        if kind == "function_call":
            open_calls[item["call_id"]] = False
        elif kind == "function_call_output":
            if open_calls.get(item["call_id"]) is not False:
                broken.append(f"an output without an open call {item['call_id']}")
            open_calls[item["call_id"]] = True
        elif kind == "message":
            broken += [f"no output for {call}" for call, answered in open_calls.items() if not answered]
            open_calls.clear()
    for item, following in zip(items, [*items[1:], None], strict=False):
        if item.get("type") == "reasoning" and (
            following is None or following.get("role") == "user" or following.get("type") == "function_call_output"
        ):
            broken.append("reasoning that leads to nothing")
    if any(item.get("role") == "system" for item in items[1:]):
        broken.append("a system message that is not the first")
    return broken


def broken_rules_of_anthropic(messages: Sequence[Message]) -> list[str]:
    """Check the Messages API's order: it starts with the user, and results follow right behind their calls.

    Messages of one role in a row are one message there, so only the change of roles matters.
    """
    broken: list[str] = []
    talk = [message for message in messages if message.role in ("user", "assistant", "tool")]
    if talk and talk[0].role != "user":
        broken.append(f"it starts with {talk[0].role}")
    waiting: set[str] = set()
    for message in talk:
        if message.role == "tool":
            if message.tool_call_id not in waiting:
                broken.append(f"a result without a call before it: {message.tool_call_id}")
            waiting.discard(message.tool_call_id)
        elif message.role == "user" and waiting:
            broken.append(f"no results for {sorted(waiting)}")
        elif message.role == "assistant":
            waiting |= {call.id for call in message.tool_calls}
    return broken
