"""Cases of the policies with a summary: when turns are folded, what becomes of the answer, what a view shows."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from chat_core.deadline import Deadline
from chat_core.errors import InvalidRequest, UpstreamError
from chat_core.keys import item_id
from chat_core.long_term.asking import StructuredModel
from chat_core.long_term.fence import NOTES, TRANSCRIPT
from chat_core.long_term.fold import INPUT_TOKENS, Batch, batches, due_turns
from chat_core.long_term.notes import HEADINGS, notes_message, notes_of
from chat_core.long_term.records import Memory, Summary
from chat_core.long_term.summariser import Summariser
from chat_core.long_term.turns import whole_turns
from chat_core.memory import Counting, Earlier, Folding, parse_policy
from chat_core.memory.policies.summary import Summary as SummaryPolicy
from chat_core.memory.policies.summary_window import SummaryWindow
from chat_core.messages import Message
from chat_core.tokens.counter import counter_for
from tests.chat_messages import from_chat
from tests.conformance.cases import Case, Outcome, compared

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chat_core.keys import Endpoint
    from chat_core.long_term.turns import WholeTurn
    from chat_core.memory import View
    from chat_core.messages import Role
    from chat_core.model import Tell

# Members of `params` that tell of the runner's surroundings, and are no fields of the API.
SURROUNDINGS = frozenset(
    {
        "granularity",
        "keep_semantics",
        "store",
        "previous_summary",
        "previous_summary_tokens",
        "covers_up_to",
        "summariser",
        "summariser_input_limit_tokens",
        "delimiter",
    }
)
ACCEPTABLE = "…"
"""What the scripted model answers where a case does not say: a summary in no language that could be wrong."""


@dataclass
class ScriptedModel:
    """Answers with the text that is set, and keeps what it was asked."""

    reply: Any = ACCEPTABLE
    fails: bool = False
    requests: list[Mapping[str, Any]] = field(default_factory=list)

    async def post(
        self, endpoint: Endpoint, body: Mapping[str, Any], *, timeout: float, tell: Tell | None = None
    ) -> dict[str, Any]:
        self.requests.append(body)
        if self.fails:
            raise UpstreamError("It fails.")
        text = self.reply if isinstance(self.reply, str) else json.dumps(self.reply, ensure_ascii=False)
        if not _is_object(text):
            text = json.dumps({"language": "", "summary": text})
        return {"output": [{"type": "message", "content": [{"type": "output_text", "text": text}]}]}


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


@dataclass
class Conversation:
    """A conversation whose summary a case folds and shows."""

    case: Case
    messages: tuple[Message, ...]
    names: dict[int, list[str]]
    sizes: Mapping[str, int]
    folding: Folding | None
    memory: Memory
    model: ScriptedModel
    folds: list[list[str]] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        params = self.case.get("params") or {}
        self.limit = params.get("summariser_input_limit_tokens", INPUT_TOKENS)
        self.overhead = self.case.get("request_overhead_tokens", 0)
        self.before = self.memory
        counter = counter_for("gpt-4o")
        self._count: Callable[[Message], int] = (
            (lambda message: self.sizes.get(message.id, 0)) if self.sizes else counter.message
        )
        self._summariser = Summariser(StructuredModel(self.model, "gpt-4o"), counter=counter, clock=lambda: 0)

    def size(self, turn: WholeTurn) -> int:
        if self.folding and self.folding.unit == "messages":
            return len(turn.messages)
        return self.tokens(turn)

    def tokens(self, turn: WholeTurn) -> int:
        return sum(map(self._count, turn.messages))

    def fold(self, length: int | None = None) -> None:
        """Run the worker once on the first messages of the conversation."""
        tail = [one for one in self.messages[:length] if one.seq > self.memory.covers_up_to]
        turns = whole_turns(tail)
        due: Sequence[WholeTurn] = turns
        if self.folding is not None:
            due = due_turns(turns, self.size, replace(self.folding, trigger=self.folding.trigger - self.overhead))
        if not due:
            self.outcomes.append("nothing_to_do")
        for batch in batches(due, self.tokens, limit=self.limit - self.memory.summary.tokens):
            if not self._take_in(batch):
                break

    def _take_in(self, batch: Batch[WholeTurn]) -> bool:
        most = (self.case.get("params") or {}).get("max_summary_tokens", 400)
        asking = self._summariser.summarise(batch, self.memory.summary, max_tokens=most, deadline=Deadline.after(60))
        answered = asyncio.run(asking)
        if answered.made is None:
            self.memory = self.memory.failed(answered.code, refused=answered.refused)
            self.outcomes.append(answered.code)
            return False
        self.memory = self.memory.folded(answered.made)
        self.outcomes.append("stored")
        self.folds.append([name for turn in batch.turns for name in self.names[turn.last]])
        return True

    def view(self, length: int | None = None) -> View:
        given = self.case.get("params") or {}
        folding = self.folding or Folding(4_000, 2_000)
        policy: SummaryPolicy | SummaryWindow = SummaryWindow(folding, given.get("max_tokens", 0))
        if self.case["policy"] == "summary":
            policy = SummaryPolicy(folding)
        noted = notes_of(self.memory)
        tokens = self.before.summary.tokens  # of another text a case does not tell what it takes
        counting = Counting(
            count=lambda message: tokens if message is noted.message else self._count(message), overhead=self.overhead
        )
        return policy.view(self.messages[:length], earlier=Earlier(notes=noted), counting=counting)


def run(case: Case) -> Outcome:
    """Run one case of a policy with a summary."""
    expected = {"error": None, **case["expected"]}
    try:
        conversation = _conversation(case)
    except InvalidRequest as error:
        return compared(expected, {"error": "invalid_argument"}, note=error.message)
    if case["op"] == "fold":
        for reply in case.get("model_replies") or [case.get("model_reply", ACCEPTABLE)]:
            conversation.model.reply = reply
            conversation.fold()
    elif case["op"] == "append":
        for length in range(1, len(conversation.messages) + 1):
            conversation.fold(length)
    elif conversation.messages and "state" not in case:
        conversation.fold()
    got = _got(conversation)
    if (least := expected.pop("summariser_calls_min", None)) is not None:
        expected["enough_calls"], got["enough_calls"] = True, len(conversation.model.requests) >= least
    if "summary_role_in" in expected:
        expected["summary_role"] = got["summary_role"] in expected.pop("summary_role_in") and got["summary_role"]
    return compared(expected, got)


def _conversation(case: Case) -> Conversation:
    params = case.get("params") or {}
    messages, names, sizes = _messages(case)
    state = case.get("state") or {}
    text = str(state.get("text") or params.get("previous_summary") or "")
    covers = state.get("covers_up_to", 0)
    if not isinstance(covers, int):
        covers = 0
    given = state.get("tokens", params.get("previous_summary_tokens", 0))
    summary = Summary(text, covers, str(state.get("language") or ""), tokens=given)
    return Conversation(
        case,
        messages,
        names,
        sizes,
        _folding(case, params),
        Memory("i", summaries=(summary,) if text or covers else ()),
        ScriptedModel(fails=params.get("summariser") == "fails"),
    )


def _folding(case: Case, params: Mapping[str, Any]) -> Folding | None:
    """Read the trigger; None where a case tells what the fold was given."""
    turns = case.get("turns") or ()
    if case["op"] == "fold" and not any("tokens" in turn for turn in turns):
        return None
    fields = {name: value for name, value in params.items() if name not in SURROUNDINGS}
    # What stands alone is both: a window that folds whenever it is full.
    for alone, unit in (("max_tokens", "tokens"), ("keep", "messages")):
        if fields.keys() == {alone}:
            return Folding(fields[alone], fields[alone], "tokens" if unit == "tokens" else "messages")
    return parse_policy({**fields, "policy": case["policy"]}).folding


_SPOKEN: tuple[Role, ...] = ("user", "assistant")


def _messages(case: Case) -> tuple[tuple[Message, ...], dict[int, list[str]], Mapping[str, int]]:
    """Read a case's messages, the names of each turn's parts by its last seq, and what each takes."""
    if "turns" not in case:
        found = from_chat(case.get("messages") or ())
        if "state" not in case:
            found = tuple(replace(one, seq=seq) for seq, one in enumerate(found, 1))
        names = {turn.last: [one.id for one in turn.messages] for turn in whole_turns(found)}
        return found, names, case.get("token_counts") or {}
    built: list[Message] = []
    for turn in case["turns"]:
        said: list[tuple[Role, str]] = [(role, turn[role]) for role in _SPOKEN if turn.get(role)]
        said = said or [("user", turn["id"])]
        for place, (role, text) in enumerate(said, turn["seq"] - len(said) + 1):
            built.append(Message(role, text, id=turn["id"] if place == turn["seq"] else f"{turn['id']}.", seq=place))
        if len(said) == 1:
            # Who answered does not matter: another user's message opens another turn.
            built[-1] = replace(built[-1], seq=turn["seq"] - 1, id=f"{turn['id']}.")
            built.append(Message("assistant", turn["id"], id=turn["id"], seq=turn["seq"]))
    names = {turn["seq"]: [turn["id"]] for turn in case["turns"]}
    return tuple(built), names, {turn["id"]: turn["tokens"] for turn in case["turns"] if "tokens" in turn}


def _got(conversation: Conversation) -> dict[str, Any]:
    memory, model = conversation.memory, conversation.model
    view = conversation.view()
    left_out = [
        {"id": left.message.id, "reason": left.reason}
        for left in view.left_out
        if not ("turns" in conversation.case and left.message.id.endswith("."))
    ]
    folded = [name for fold in conversation.folds for name in fold]
    every = [one.id for one in conversation.messages]
    read = "\n".join(json.dumps(request, ensure_ascii=False) for request in model.requests)
    notes = notes_message("s")
    times = {folded.count(name) for name in folded} or {0}
    return {
        "error": None,
        "folds": list(conversation.folds),
        "summarised": folded,
        "summariser_calls": len(model.requests),
        "covers_up_to": memory.covers_up_to,
        "stored_text": memory.summary.text,
        "language": memory.summary.language,
        "partial": list(memory.summary.partial),
        "outcome": conversation.outcomes[-1] if conversation.outcomes else "nothing_to_do",
        "outcomes": list(conversation.outcomes),
        "retry": memory.attempts > 0,
        "request_affected": False,  # the view stands, whatever became of the fold
        "request_fails": False,
        "summary_unchanged": memory.summary == conversation.before.summary,
        "each_message_summarised_times": max(times),
        "turns_never_summarised": _never(conversation, view),
        "previous_summary_in_summariser_input": bool(model.requests)
        and conversation.before.summary.text in json.dumps(model.requests[0], ensure_ascii=False),
        "every_folded_message_was_in_summariser_input": all(
            one.text in read for one in conversation.messages if one.id in folded
        ),
        "duplicate_append": _again(conversation),
        "missing_id": "assigned by the store" if item_id("msg", "0" * 16, 1) else "none",
        "retained": _retained(view, conversation),
        "left_out": left_out,
        "not_lost": set(every) <= set(folded) | {one.id for one in view.messages} | {one["id"] for one in left_out},
        "over_budget": view.over_budget,
        **_shown(view),
        "summary_role": notes.role,
        "summary_is_delimited_and_marked_untrusted": notes.text.startswith(f"<{NOTES}>\n{HEADINGS['en']}\n")
        and notes.text.endswith(f"</{NOTES}>"),
        "delimiter_occurs_in_summariser_input_exactly": _transcripts(conversation),
    }


def _retained(view: View, conversation: Conversation) -> list[str]:
    names = ["SUMMARY" if one is view.notes else one.id for one in view.messages]
    return [name for name in names if not ("turns" in conversation.case and name.endswith("."))]


def _never(conversation: Conversation, view: View) -> int:
    """Count the turns that neither the summary tells of nor the view shows."""
    shown = {one.seq for one in view.messages}
    covers = conversation.memory.covers_up_to
    return sum(turn.last > covers and turn.last not in shown for turn in whole_turns(conversation.messages))


def _again(conversation: Conversation) -> str:
    """Fold what is folded already once more."""
    before = conversation.memory
    conversation.fold()
    return "idempotent no-op" if conversation.memory == before else "another summary"


def _shown(view: View) -> dict[str, Any]:
    fenced = view.notes.text if view.notes else ""
    return {
        "roles": [one.role for one in view.messages],
        "notes_index": next((place for place, one in enumerate(view.messages) if one is view.notes), None),
        "fence_open_count": len(re.findall(f"<{NOTES}>", fenced)),
        "fence_close_count": len(re.findall(f"</{NOTES}>", fenced)),
        "system_authority": bool(view.notes and view.notes.role == "system"),
    }


def _transcripts(conversation: Conversation) -> int:
    """Count the tags around the transcript in what the model is given of the whole conversation."""
    turns = whole_turns(conversation.messages)
    if not turns:
        return 0
    given = len(conversation.model.requests)
    conversation._take_in(Batch(turns))
    return len(re.findall(f"</?{TRANSCRIPT}", json.dumps(conversation.model.requests[given:], ensure_ascii=False)))
