"""What one turn costs, at several lengths of its conversation and several round trips to the stores.

``turn``: by side, a list with one entry a length: ``messages``, ``cpu_ms`` (the side's own processor time), ``seconds``
by round trip in milliseconds (``rtt``, of each call of Momento and DynamoDB; the model takes no time),
``momento_calls``, ``in_a_row`` (calls that wait for one another), ``operations`` (by Momento's metering),
``bytes_read``, ``bytes_written``; for ours ``write_units`` (DynamoDB's, by the sizes of the rows), ``stages`` (what
``Server-Timing`` tells), ``dynamodb_ms`` (of ``cpu_ms``, what the calls of DynamoDB take: JSON, signature and
HTTP). ``hit``: of ours, what the response cache answers: a ``turn`` that begins a conversation, and calls without one,
``stored`` and ``stateless`` (``store: false``).
"""

from __future__ import annotations

from collections import defaultdict
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.sides import Stage, spread

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.program import Program

LENGTHS = (10, 100, 1_000, 5_000)
RTTS = (0.0, 0.002, 0.01)
ROUNDS = {0.0: 15, 0.002: 5, 0.01: 5}
SHORT = 1_000
"""Shorter conversations are made anew for each round: a turn would be a part of their length."""

LONGEST = 10_000
_KANA = "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわをん"
_COUNTS = ("momento_calls", "operations", "bytes_read", "bytes_written")


def japanese(length: int, seed: int) -> str:
    """Make a text that no other seed makes, of so many characters."""
    return f"{seed:06}{''.join(_KANA[(seed * 7 + place * 11) % len(_KANA)] for place in range(length - 6))}"


def history(messages: int) -> list[list[str]]:
    """Make messages of 42 and 104 characters, in turn."""
    return [[("user", "assistant")[n % 2], japanese((42, 104)[n % 2], n)] for n in range(messages)]


class Questions:
    """Gives questions that nobody has asked."""

    def __init__(self) -> None:
        self._asked = 500_000

    def next(self) -> str:
        """Give one of 42 characters."""
        self._asked += 1
        return japanese(42, self._asked)


def measure(stage: Stage, tell: Callable[[str], None]) -> dict[str, Any]:
    """Run turns of both sides, one after the other."""
    sides = {"omoide": stage.ours(), "langchain": stage.theirs()}
    questions, found = Questions(), {name: list[dict[str, Any]]() for name in sides}
    for length in LENGTHS:
        tell(f"turns at {length:,} messages")
        for name, entry in _at(stage.servers, sides, length, questions).items():
            found[name].append(entry)
    ours = sides["omoide"]
    tell(f"a turn at {LONGEST:,} messages")
    return {"turn": {**found, "longest": _longest(stage.servers, ours, questions)}, "hit": _hits(stage.servers, ours)}


def _at(servers: Program, sides: dict[str, Program], length: int, questions: Questions) -> dict[str, dict[str, Any]]:
    entries: dict[str, dict[str, Any]] = {name: {"messages": length, "seconds": {}} for name in sides}
    if length >= SHORT:
        _begin(sides, f"at-{length}", length, questions)
    for rtt in RTTS:
        turns: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for number in range(ROUNDS[rtt]):
            conversation = f"at-{length}"
            if length < SHORT:
                conversation = f"at-{length}-{rtt * 1000:g}-{number}"
                _begin(sides, conversation, length, questions)
            servers.ask("slow", rtt=rtt)
            for name, side in sides.items():
                servers.ask("counted")
                turn = side.ask("turn", text=questions.next(), conversation=conversation)
                counted = servers.ask("counted")
                if turn["ok"]:  # one that a busy machine let time out is no figure
                    turns[name].append({**turn, **counted})
            servers.ask("slow")
        for name, found in turns.items():
            entries[name]["seconds"][f"{rtt * 1000:g}"] = spread((one["seconds"] for one in found), digits=4)
            _take(entries[name], found, rtt)
    shares = [sides["omoide"].ask("dynamodb", text=questions.next(), conversation=conversation) for _ in range(9)]
    entries["omoide"]["dynamodb_ms"] = spread(shares, scale=1000)
    entries["omoide"]["write_units"] = sides["omoide"].ask("units", conversation=conversation)["write_units"]
    return entries


def _begin(sides: dict[str, Program], conversation: str, length: int, questions: Questions) -> None:
    """Make a conversation of so many messages; its last turn is a real one, which makes the copies."""
    for side in sides.values():
        side.ask("fill", conversation=conversation, messages=history(length - 2))
        side.ask("turn", text=questions.next(), conversation=conversation)


def _take(entry: dict[str, Any], found: list[dict[str, Any]], rtt: float) -> None:
    if not rtt:
        entry["cpu_ms"] = spread((one["cpu"] for one in found), scale=1000)
        entry |= {name: int(median(one[name] for one in found)) for name in _COUNTS}
    elif rtt == max(RTTS):
        entry["in_a_row"] = int(median(one["in_a_row"] for one in found))
        if timing := found[-1].get("timing"):
            entry["stages"] = timing


def _longest(servers: Program, ours: Program, questions: Questions) -> dict[str, Any]:
    """Count a turn of a conversation that is longer than any other here."""
    conversation = f"at-{LONGEST}"
    ours.ask("fill", conversation=conversation, messages=history(LONGEST))
    for _ in range(3):
        ours.ask("turn", text=questions.next(), conversation=conversation)
    servers.ask("counted")
    ours.ask("turn", text=questions.next(), conversation=conversation)
    counted = servers.ask("counted")
    units = ours.ask("units", conversation=conversation)["write_units"]
    return {"messages": LONGEST, **{name: counted[name] for name in _COUNTS}, "write_units": units}


def _hits(servers: Program, ours: Program) -> dict[str, Any]:
    """Ask what the cache knows: in a new conversation, and without one."""
    found = {}
    numbers = range(9)
    kinds: dict[str, list[dict[str, Any]]] = {
        "turn": [{"conversation": f"hit-{number}"} for number in numbers],
        "stored": [{} for _ in numbers],
        "stateless": [{"store": False} for _ in numbers],
    }
    for name, members in kinds.items():
        text = f"同じ質問です、{name}。"
        ours.ask("turn", text=text, **members[0])
        servers.ask("slow", rtt=max(RTTS))
        rows = []
        for one in members[1:]:
            servers.ask("counted")
            turn = ours.ask("turn", text=text, **one)
            counted = servers.ask("counted")
            if turn["cache"] == "HIT":
                rows.append({**turn, **counted})
        servers.ask("slow")
        found[name] = {
            "cpu_ms": spread((one["cpu"] for one in rows), scale=1000),
            **{count: int(median(one[count] for one in rows)) for count in (*_COUNTS, "in_a_row", "model_calls")},
        }
    return found
