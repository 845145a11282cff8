"""Cases of a whole view: in which order its parts stand, and what stays the same while others change."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Any

from chat_core.memory import Counting, Earlier, Notes, parse_policy
from chat_core.messages import Message
from tests.conformance.cases import compared

if TYPE_CHECKING:
    from tests.conformance.cases import Case, Outcome

TALK = (
    Message("system", "Be brief.", id="system", seq=1),
    Message("user", "one", id="window", seq=2),
    Message("assistant", "uno", id="window", seq=3),
)
NOTES = Notes(Message("user", "notes", id="notes"))
INPUT = Message("user", "two", id="input")


def run(case: Case) -> Outcome:
    """Compute two views that differ in what the input brings up."""
    names = [name for name in case["params"]["add"] if name not in ("entities", "knowledge_graph", "recall")]
    policy = parse_policy({"policy": (*names, "message_window")[0], **dict.fromkeys(("entities", "recall"), True)})
    brought = [Message("user", text, id="recalled") for text in ("a turn", "another turn")]
    counting = Counting(count=lambda _: 10)
    views = [
        policy.view((*TALK, INPUT), inputs=1, earlier=Earlier(notes=NOTES, recalled=one), counting=counting)
        for one in brought
    ]
    one, other = (view.messages for view in views)
    same = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=True))
    got: dict[str, Any] = {
        "order": list(dict.fromkeys(message.id for message in one)),
        "prefix_equal_up_to": [message.id for message, _ in same][-1],
    }
    return compared(case["expected"], got)
