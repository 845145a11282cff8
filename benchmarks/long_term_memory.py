"""What memory costs over a long conversation: tokens sent a turn, and calls of the model beside the turns.

``tokens``: by policy, ``sent`` (tokens of each turn's prompt), ``mean`` and ``largest`` of them, ``calls`` (of the
model beside the turns), ``calls_a_turn``, ``given`` (tokens that those calls were given), ``waited_for`` (by a turn),
and ``knows_turn_1`` (whether the last prompt has what the first turn said). Names that begin with ``langchain`` are
its own.

Every policy, and LangChain's classes, have the same dialogue, the
same counter and the same writer of summaries, whose notes grow to 390 tokens and stay there. Only counts are told, so
the figures are the same on any machine.
"""

from __future__ import annotations

import asyncio
import json
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from chat_core.deadline import Deadline
from chat_core.long_term import Memory, notes_of
from chat_core.long_term.fold import INPUT_TOKENS, batches, due_turns
from chat_core.long_term.folding import StructuredModel, Summariser
from chat_core.long_term.turns import whole_turns
from chat_core.memory import Earlier, parse_policy
from chat_core.messages import Message
from chat_core.tokens import RememberedCounts, counter_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from chat_core.keys import Endpoint
    from chat_core.model import Tell

TURNS = 200
SUMMARY_TOKENS = 390
FIRST = "My name is Naomi Watanabe, and my cat is called Tama."
COUNTER = counter_for("gpt-4.1-mini")
POLICIES: tuple[Mapping[str, Any], ...] = (
    {"policy": "buffer"},
    {"policy": "message_window"},
    {"policy": "token_window", "max_tokens": 2_000},
    {"policy": "summary"},
    {"policy": "summary_window"},
)
THEIRS: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
    ("langchain_buffer", "ConversationBufferMemory", {}),
    ("langchain_summary", "ConversationSummaryMemory", {}),
    ("langchain_summary_buffer", "ConversationSummaryBufferMemory", {"max_token_limit": 2_000}),
)


def dialogue() -> Iterator[tuple[str, str]]:
    """Give turns of about 100 tokens; the first says what must not be lost."""
    for number in range(TURNS):
        said = FIRST if not number else f"On day {number} I walked around the lake, and saw {number + 3} herons. "
        yield (
            said + "It was a long walk and I want to tell you of it in some detail, as I do. " * 2,
            (f"That is good to hear, number {number}. I will keep it in mind for the next time that you ask me. " * 2),
        )


def summarised(words: str) -> str:
    """Write a summary as long as the words allow, up to the limit; what was said first stays in it."""
    kept, taken = [], 0
    for word in words.split():
        taken += COUNTER.text(f" {word}")
        if taken > SUMMARY_TOKENS:
            break
        kept.append(word)
    return " ".join(kept)


@dataclass
class Writer:
    """Writes summaries for either side, and counts what it is given.

    Attributes
    ----------
    calls, tokens
        How often it was asked, and how much it was given in all.
    """

    calls: int = 0
    tokens: int = 0
    said: list[str] = field(default_factory=list)

    def write(self, prompt: str, words: str) -> str:
        self.calls += 1
        self.tokens += COUNTER.text(prompt)
        return summarised(words)

    async def post(
        self, endpoint: Endpoint, body: Mapping[str, Any], *, timeout: float, tell: Tell | None = None
    ) -> dict[str, Any]:
        """Answer as `chat_core.model.ChatModel`."""
        given = [str(item["content"]) for item in body["input"]]
        text = self.write("\n".join([body["instructions"], *given]), " ".join(given).replace("<", " <"))
        content = [{"type": "output_text", "text": json.dumps({"language": "en", "summary": text})}]
        return {"status": "completed", "output": [{"type": "message", "content": content}]}


@dataclass(frozen=True)
class Cost:
    """What a memory costs.

    Parameters
    ----------
    sent
        Tokens of each turn's prompt.
    writer
        What was asked beside the turns.
    waited
        Whether a turn waits for that.
    known
        Whether the last prompt still has what the first turn said.
    """

    sent: Sequence[int]
    writer: Writer
    waited: bool
    known: bool


def ours(settings: Mapping[str, Any]) -> Cost:
    """Run the dialogue: each turn sees the view, and what is due is folded behind it."""
    policy, writer = parse_policy(settings), Writer()
    summariser = Summariser(StructuredModel(writer, "gpt-4.1-mini"), counter=COUNTER, clock=lambda: 0)
    counting = RememberedCounts(COUNTER, {}).counting(bounded=False)
    memory, history = Memory("0" * 16), list[Message]()
    sent, text = list[int](), ""
    for number, (asked, answered) in enumerate(dialogue()):
        new = Message("user", asked)
        view = policy.view((*history, new), inputs=1, earlier=Earlier(notes=notes_of(memory)), counting=counting)
        sent.append(view.tokens["total"])
        text = "\n".join(message.text for message in view.messages)
        history += [
            Message("user", asked, seq=2 * number + 1, created_at=1_764_072_000),
            Message("assistant", answered, seq=2 * number + 2, created_at=1_764_072_000),
        ]
        if policy.folding is None:
            continue
        turns = whole_turns([message for message in history if message.seq > memory.covers_up_to])
        due = due_turns(turns, lambda turn: sum(map(COUNTER.message, turn.messages)), policy.folding)
        for batch in batches(due, lambda turn: sum(map(COUNTER.message, turn.messages)), limit=INPUT_TOKENS):
            asking = summariser.summarise(batch, memory.summary, max_tokens=400, deadline=Deadline.after(60))
            folded = asyncio.run(asking)
            assert folded.made is not None, folded.code
            memory = memory.folded(folded.made)
    return Cost(sent, writer, waited=False, known="Tama" in text)


def langchain(name: str, **options: Any) -> Cost:
    """Run the dialogue through one of LangChain's classes, as its documentation does."""
    from langchain_classic import memory as classes
    from langchain_core.language_models import FakeListLLM

    writer = Writer()

    class Stand(FakeListLLM):
        responses: list[str] = [""]  # noqa: RUF012 - LangChain's own field

        def _call(self, prompt: str, *_: Any, **__: Any) -> str:
            # Its example is in every prompt: the summary begins behind it.
            return writer.write(
                prompt, prompt.rpartition("Current summary:")[2].replace("New lines of conversation:", "")
            )

        def get_num_tokens(self, text: str) -> int:
            return COUNTER.text(text)

        def get_num_tokens_from_messages(self, messages: Any, *_: Any) -> int:
            return sum(COUNTER.text(message.content) + 4 for message in messages)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        own = options if name == "ConversationBufferMemory" else {"llm": Stand(), **options}
        made = getattr(classes, name)(return_messages=True, **own)
        sent, text = [], ""
        for asked, answered in dialogue():
            shown = made.load_memory_variables({})["history"]
            text = "\n".join(message.content for message in shown)
            sent.append(3 + sum(COUNTER.text(message.content) + 4 for message in shown) + COUNTER.text(asked) + 4)
            made.save_context({"input": asked}, {"output": answered})
    return Cost(sent, writer, waited=True, known="Tama" in text)


def measure(_stage: object, tell: Callable[[str], None]) -> dict[str, Any]:
    """Run the dialogue through each."""
    costs: dict[str, Cost] = {}
    for settings in POLICIES:
        tell(f"{TURNS} turns with {settings['policy']}")
        costs[str(settings["policy"])] = ours(settings)
    for name, made, options in THEIRS:
        tell(f"{TURNS} turns with LangChain's {made}")
        costs[name] = langchain(made, **options)
    size = sum(COUNTER.text(asked) + COUNTER.text(answered) for asked, answered in dialogue()) // TURNS
    return {
        "tokens": {
            "turns": TURNS,
            "tokens_a_turn": size,
            "policies": {
                name: {
                    "sent": list(cost.sent),
                    "mean": sum(cost.sent) // TURNS,
                    "largest": max(cost.sent),
                    "calls": cost.writer.calls,
                    "calls_a_turn": cost.writer.calls / TURNS,
                    "given": cost.writer.tokens,
                    "waited_for": cost.waited and cost.writer.calls > 0,
                    "knows_turn_1": cost.known,
                }
                for name, cost in costs.items()
            },
        }
    }
