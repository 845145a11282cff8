"""One turn of a conversation: asked, run, answered; it knows neither HTTP nor Lambda."""

from chat_core.turns.answer import answer_again, as_committed, title_of
from chat_core.turns.branching import Point, point_in
from chat_core.turns.calls import Calls
from chat_core.turns.context import check_budget
from chat_core.turns.going_on import not_found as previous_not_found
from chat_core.turns.item_references import is_reference
from chat_core.turns.keeping import Keeping
from chat_core.turns.lease import TurnLeases
from chat_core.turns.once import Keyed, once, snapshot_head, snapshot_record, with_record
from chat_core.turns.parts import TurnParts
from chat_core.turns.request import TurnRequest
from chat_core.turns.service import TurnService
from chat_core.turns.sources import Sources
from chat_core.turns.tool_results import RESULTS_REACH, check_tool_results, results_of
from chat_core.turns.unlocked import conversation_context, head_or_new

__all__ = [
    "RESULTS_REACH",
    "Calls",
    "Keeping",
    "Keyed",
    "Point",
    "Sources",
    "TurnLeases",
    "TurnParts",
    "TurnRequest",
    "TurnService",
    "answer_again",
    "as_committed",
    "check_budget",
    "check_tool_results",
    "conversation_context",
    "head_or_new",
    "is_reference",
    "once",
    "point_in",
    "previous_not_found",
    "results_of",
    "snapshot_head",
    "snapshot_record",
    "title_of",
    "with_record",
]
