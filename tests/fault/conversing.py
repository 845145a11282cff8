"""Conversations as their callers see them, on a world whose time and faults are the test's."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from hypothesis.stateful import RuleBasedStateMachine, initialize

from chat_core.cache.policy import Directives
from chat_core.errors import ChatError, NotFound
from chat_core.history.records import IdempotencyKey
from chat_core.hot.value import unpack
from chat_core.keys import Address
from chat_core.turns.once import Keyed
from chat_core.turns.request import TurnRequest
from tests.fakes.virtual_time import VirtualLoop, run_together
from tests.fault.parts import Dead, Process, World
from tests.langchain_reader import parse_element

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from chat_core.history.records import Head, StoredItem

USER = "user"
CONVERSATIONS = ("tea", "time")
RETRY_SECONDS = 30.0


@dataclass(eq=False)
class Post:
    """A turn as its caller sees it.

    Attributes
    ----------
    began, acknowledged
        Steps of the machine; None while it is not acknowledged.
    """

    conversation: str
    text: str
    key: IdempotencyKey | None
    began: int
    sent_at: float
    acknowledged: int | None = None
    tried: int = 0

    def request(self) -> TurnRequest:
        fingerprint = sha256(f"{self.conversation} {self.text}".encode()).hexdigest()
        return TurnRequest(
            address=Address(USER, self.conversation),
            body={"model": "m"},
            input=({"type": "message", "role": "user", "content": self.text},),
            memory=None,
            directives=Directives(),
            fingerprint=fingerprint,
            keyed=Keyed(self.key, fingerprint) if self.key else None,
            retry_count=self.tried,
        )


@dataclass
class Told:
    """What the machine knows of a conversation: its posts since it was last erased, and items added or deleted."""

    posts: list[Post] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)


class Conversing(RuleBasedStateMachine):
    """What a machine of conversations knows, and how it acts and looks."""

    @initialize()
    def start(self) -> None:
        self.loop = VirtualLoop()
        self.world = World(self.loop)
        self.told = {name: Told() for name in CONVERSATIONS}
        self.step = 0
        self.retryable: list[Post] = []
        self.touched: set[str] = set()
        self.values: dict[str, list[bytes]] = {name: [] for name in CONVERSATIONS}

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.loop.close()

    def _new_text(self, kind: str) -> str:
        self.step += 1
        return f"{kind}{self.step}."

    def _post(self, conversation: str, keyed: bool) -> Post:
        text = self._new_text("post")
        post = Post(
            conversation,
            text,
            IdempotencyKey(USER, "turn", f"key {self.step}") if keyed else None,
            self.step,
            self.world.clock(),
        )
        self.told[conversation].posts.append(post)
        self.touched.add(conversation)
        self.retryable = [one for one in self.retryable if one.conversation != conversation] + [post]
        return post

    async def _send(self, post: Post, process: Process) -> None:
        try:
            completed = await process.turns.run(post.request(), process.deadline())
        except (ChatError, Dead):
            return
        answer = completed.answer["output"][0]["content"][0]["text"]
        assert answer == post.text.upper()
        post.acknowledged = self.step

    def _run(self, *work: Coroutine[Any, Any, Any]) -> list[Any]:
        return run_together(self.loop, *work)

    def _is_last_and_recent(self, post: Post) -> bool:
        """Whether a retry without a key is recognised: its turn is the last one, or was never committed."""
        texts = [text_of(stored) for stored in self._items(post.conversation)]
        last = post.text not in texts or texts[-2:] == [post.text, post.text.upper()]
        return last and self.world.clock() - post.sent_at <= RETRY_SECONDS

    def _lease_is_over(self) -> None:
        self.world.skew += 40.0

    def _head(self, conversation: str) -> Head | None:
        try:
            return self._run(self.world.history.head(Address(USER, conversation)))[0]  # type: ignore[no-any-return]
        except NotFound:
            return None

    def _items(self, conversation: str) -> list[StoredItem]:
        """Read the history as a client does, page by page."""
        if self._head(conversation) is None:
            return []
        service, found, after = Process(self.world).conversations, [], None
        while True:
            page = self._run(service.items(Address(USER, conversation), limit=7, after=after, order="asc"))[0]
            found += page.data
            if not page.has_more:
                return found
            after = str(found[-1].item["id"])

    def _anywhere(self, conversation: str) -> str:
        """All that a store still holds of a conversation, as one text."""
        parts = [repr(self._head(conversation))] + [repr(stored) for stored in self._items(conversation)]
        for text in self.world.memory.history(Address(USER, conversation)):
            message = parse_element(text)
            parts.append(message.text if message else text)
        value = self._run(self.world.memory.read_memory(Address(USER, conversation), timeout=1))[0]
        state = unpack(value) if value else None
        parts += [message.text for message in state.kept.messages] if state else []
        parts += [repr(record) for record in self.world.table.records.values() if record.conversation == conversation]
        return "\n".join(parts)


def text_of(stored: StoredItem) -> str:
    return str(stored.item["content"][0]["text"])
