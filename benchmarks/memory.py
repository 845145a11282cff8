"""Time of a memory view beside LangChain's `trim_messages`, and what a provider's prompt cache finds of it.

``views_ms``: by kind of view and messages in the history, the best of several rounds in one process. A turn has what is
kept, so its time is flat; `trim_messages` converts all of its input and counts prefixes by bisection. ``prefix``: the
share of the prompts' tokens that the turn before sent too, over 200 turns, and how often the prefix broke.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, trim_messages

from chat_core.memory import Counting, Earlier, MemoryPolicy, parse_policy
from chat_core.messages.message import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LENGTHS = (20, 100, 1_000, 10_000)
TURNS = 200
TOKENS = {"system": 12, "user": 40, "assistant": 100}
TOKEN_BUDGET = 1_200
STEPPED = {
    "message_window": ({"max_messages": 20}, {"evict_step_messages": 10}),
    "token_window": ({"max_tokens": TOKEN_BUDGET}, {"evict_step_tokens": TOKEN_BUDGET // 2}),
}


def history(length: int) -> tuple[Message, ...]:
    """Make a conversation: a system message, then questions and answers."""
    talk = (("user", "assistant")[place % 2] for place in range(length - 1))
    roles = ("system", *talk)
    return tuple(
        Message(role, f"{role} {place}", id=f"m{place}", seq=place + 1)  # type: ignore[arg-type]
        for place, role in enumerate(roles)
    )


def langchain_history(length: int) -> list[BaseMessage]:
    kinds: dict[str, type[BaseMessage]] = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}
    return [kinds[message.role](content=message.text) for message in history(length)]


def best(call: Callable[[], Any], *, seconds: float = 0.15) -> float:
    """Milliseconds of one call: the best of many, for as long as ``seconds`` or three times."""
    found: list[float] = []
    started = perf_counter()
    while len(found) < 3 or perf_counter() - started < seconds:
        before = perf_counter()
        call()
        found.append(perf_counter() - before)
    return min(found) * 1_000


def counting(messages: Sequence[Message]) -> Counting:
    """Give known counts, as the memory value holds them."""
    counts = {message.seq: TOKENS[message.role] for message in messages}
    return Counting(count=lambda message: counts.get(message.seq, 40), overhead=3)


def ours(settings: dict[str, Any], length: int, *, tail: bool) -> float:
    """Time a view of a whole history and the next question, or of what is kept of it."""
    policy = parse_policy(settings)
    messages = history(length)
    known = counting(messages)
    earlier = Earlier()
    system = None
    if tail:
        kept = policy.keep(messages, counting=known)
        messages, earlier, system = kept.messages, kept.earlier, messages[0]
    asked = (*messages, Message("user", "next"))
    view = policy.view(asked, system=system, earlier=earlier, counting=known, inputs=1)
    assert not view.short
    uncounted = Counting() if not policy.counts_tokens else known
    return best(lambda: policy.view(asked, system=system, earlier=earlier, counting=uncounted, inputs=1))


def langchain(length: int, counter: str) -> float:
    """Time `trim_messages` as its documentation recommends it for chats.

    Parameters
    ----------
    counter
        ``messages`` counts messages, ``known`` looks up counts as ours does, ``approximate`` is LangChain's own.
    """
    messages = [*langchain_history(length), HumanMessage(content="next")]
    counts = {"system": TOKENS["system"], "human": TOKENS["user"], "ai": TOKENS["assistant"]}

    def count(found: list[BaseMessage]) -> int:
        return 3 + sum(counts[message.type] for message in found)

    counters: dict[str, Any] = {"messages": len, "known": count, "approximate": "approximate"}
    most = {"messages": 20, "known": TOKEN_BUDGET, "approximate": 120}

    def trim() -> Any:
        return trim_messages(
            messages,
            max_tokens=most[counter],
            token_counter=counters[counter],
            strategy="last",
            start_on="human",
            include_system=True,
        )

    assert len(trim()) < 22
    return best(trim)


def cached_share(policy: MemoryPolicy) -> tuple[float, int]:
    """Share of the prompts' tokens that stand in the prefix shared with the prompt before, and how often it broke."""
    messages = history(2 * TURNS + 1)
    known = counting(messages)
    sent = found = breaks = 0
    before: tuple[Message, ...] = ()
    for turn in range(TURNS):
        prompt = policy.view(messages[: 2 * turn + 2], counting=known, inputs=1).messages
        shared = 0
        for one, other in zip(before, prompt, strict=False):
            if one is not other:
                break
            shared += TOKENS[one.role]
        breaks += shared < sum(TOKENS[message.role] for message in before)
        found += shared
        sent += sum(TOKENS[message.role] for message in prompt)
        before = prompt
    return found / sent, breaks


def measure(_stage: object, tell: Callable[[str], None]) -> dict[str, Any]:
    """Time the views, and count what a provider's prompt cache would find."""
    rows: list[tuple[str, Callable[[int], float]]] = []
    for name, (settings, _) in STEPPED.items():
        named = {"policy": name, **settings}
        rows.append((f"{name}, whole history", lambda n, named=named: ours(named, n, tail=False)))  # type: ignore[misc]
        rows.append((f"{name}, what is kept", lambda n, named=named: ours(named, n, tail=True)))  # type: ignore[misc]
    rows.append(("langchain trim_messages, messages", lambda n: langchain(n, "messages")))
    rows.append(("langchain trim_messages, known counts", lambda n: langchain(n, "known")))
    rows.append(("langchain trim_messages, approximate", lambda n: langchain(n, "approximate")))
    views = {}
    for label, time_of in rows:
        tell(f"time of a view: {label}")
        views[label] = {str(length): round(time_of(length), 3) for length in LENGTHS}
    prefixes = {}
    for name, (settings, step) in STEPPED.items():
        for extra in ({}, step):
            share, breaks = cached_share(parse_policy({"policy": name, **settings, **extra}))
            label = ", ".join([name, *(f"{field} {value}" for field, value in {**settings, **extra}.items())])
            prefixes[label] = {"share": round(share, 3), "breaks": breaks}
    return {"views_ms": views, "prefix": {"turns": TURNS, **prefixes}}
