"""Turns, retries, parallel posts, wipes, expiries, deletions and kills in any order, against a model of the history."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from chat_core.errors import ChatError
from chat_core.history.as_messages import stored_messages
from chat_core.history.records import IdempotencyKey
from chat_core.hot.value import unpack
from chat_core.keys import Address
from chat_core.messages.langchain import element
from chat_core.turns.once import Keyed
from tests.fault.conversing import CONVERSATIONS, USER, Conversing, Post, Told, text_of
from tests.fault.parts import HOT_MESSAGES, Dead, Process
from tests.nightly import NIGHTLY

if TYPE_CHECKING:
    from collections.abc import Coroutine


DAY = 86_400.0
WHOLE = 1_000_000
FOREIGN = '{"type":"human","data":{"content":"foreign","type":"human"}}'

conversations = st.sampled_from(CONVERSATIONS)
actions = st.sampled_from(["die before", "die after", "refuse", "lose answer", "jump", "yield"])
plans = st.dictionaries(st.integers(1, 16), actions, max_size=2)
# A retry without a key is one for a minute.
quick_plans = st.dictionaries(st.integers(1, 16), actions.filter(lambda action: action != "jump"), max_size=2)
keys = st.booleans()
SLOWLY: dict[int, Any] = dict.fromkeys(range(1, 20), "yield")
"""A pause before each call."""


class Machine(Conversing):
    """Each rule is one thing that users, operators or fate do; the checks follow each."""

    # What happens

    @rule(conversation=conversations, keyed=keys)
    def turn(self, conversation: str, keyed: bool) -> None:
        """A turn without any fault: after it, everything agrees."""
        self._lease_is_over()
        post = self._post(conversation, keyed)
        head_before = self._items(conversation)
        calls = len(self.world.model.seen)
        self._run(self._send(post, Process(self.world)))
        assert post.acknowledged == self.step
        assert len(self.world.model.seen) == calls + 1
        expected = [*(text_of(stored) for stored in head_before), post.text]
        assert self.world.model.seen[-1] == expected, "the model's memory is not the history"
        self._everything_agrees(conversation)

    @rule(conversation=conversations, keyed=keys, plan=plans)
    def turn_in_trouble(self, conversation: str, keyed: bool, plan: dict[int, Any]) -> None:
        post = self._post(conversation, keyed)
        self._run(self._send(post, Process(self.world, plan)))

    @rule(
        conversation=conversations,
        keyed=st.lists(keys, min_size=2, max_size=3),
        trouble=st.lists(plans, min_size=3, max_size=3),
    )
    def parallel_turns(self, conversation: str, keyed: list[bool], trouble: list[dict[int, Any]]) -> None:
        posts = [self._post(conversation, one) for one in keyed]
        sent = [self._send(post, Process(self.world, plan)) for post, plan in zip(posts, trouble, strict=False)]
        self._run(*sent)

    @precondition(lambda self: self.retryable)
    @rule(data=st.data(), plan=quick_plans)
    def retry(self, data: st.DataObject, plan: dict[int, Any]) -> None:
        """The caller's SDK sends the last post of a conversation again, whatever became of it."""
        post = data.draw(st.sampled_from(self.retryable))
        if post.key is None and not self._is_last_and_recent(post):
            return
        post.tried += 1
        self.touched.add(post.conversation)
        self.step += 1
        calls = len(self.world.model.seen)
        before = post.acknowledged
        self._run(self._send(post, Process(self.world, plan)))
        if before is not None:
            assert len(self.world.model.seen) == calls, "an answered turn was paid again"

    @rule(conversation=conversations, plan=plans)
    def add_item(self, conversation: str, plan: dict[int, Any]) -> None:
        process = Process(self.world, plan)
        text = self._new_text("item")
        told = self.told[conversation]
        told.added.append(text)
        self.touched.add(conversation)
        item = {"type": "message", "role": "user", "content": text}
        keyed = Keyed(IdempotencyKey(USER, "items", f"key {self.step}"), sha256(text.encode()).hexdigest())

        async def add() -> None:
            await process.conversations.add_items(
                Address(USER, conversation), [item], deadline=process.deadline(), keyed=keyed
            )

        self.retryable = [post for post in self.retryable if post.conversation != conversation]
        self._run(_whatever(add()))

    @rule(conversation=conversations, data=st.data())
    def delete_item(self, conversation: str, data: st.DataObject) -> None:
        items = self._items(conversation)
        if not items:
            return
        self._lease_is_over()
        doomed = data.draw(st.sampled_from(items))
        text = text_of(doomed)
        self._run(Process(self.world).erasure.item(Address(USER, conversation), str(doomed.item["id"])))
        self.told[conversation].deleted.add(text)
        self.values[conversation].clear()
        self.touched.add(conversation)
        self.retryable = [post for post in self.retryable if post.conversation != conversation]
        left = [text_of(stored) for stored in self._items(conversation)]
        if text not in left:
            assert text not in self._anywhere(conversation)

    @rule(conversation=conversations, plan=plans)
    def erase(self, conversation: str, plan: dict[int, Any]) -> None:
        """Erased, or not quite: then it is erased again."""
        told = self.told[conversation]
        self._run(_whatever(Process(self.world, plan).erasure.conversation(Address(USER, conversation))))
        self._run(_whatever(Process(self.world).erasure.conversation(Address(USER, conversation))))
        self._erased(conversation, told)

    @rule(conversation=conversations, keyed=keys, moment=st.integers(0, 32), slowly=st.booleans())
    def erase_during_a_turn(self, conversation: str, keyed: bool, moment: int, slowly: bool) -> None:
        """Whatever comes first: of a conversation whose erasure is acknowledged nothing rises again."""
        post = self._post(conversation, keyed)
        told = self.told[conversation]
        erased = False

        async def erase() -> None:
            nonlocal erased
            await asyncio.sleep(0.01 * moment + 0.005)
            process = Process(self.world, SLOWLY if slowly else {})
            erased = await _whatever(process.erasure.conversation(Address(USER, conversation))) is None

        self._run(self._send(post, Process(self.world, SLOWLY)), erase())
        if not erased:
            return
        if self._items(conversation):
            # The turn came after the erasure, and made a new conversation of the name.
            self._erased_all_but(conversation, told, post)
        else:
            self._erased(conversation, told)

    @rule(what=st.sampled_from(["all", "list", "value", "garbage"]), conversation=conversations)
    def momento_loses(self, what: str, conversation: str) -> None:
        memory, name = self.world.memory, Address(USER, conversation).session_id
        if what == "all":
            memory.wipe()
            self.world.cache.wipe()
        elif what == "list":
            memory._lists.delete(name)
        elif what == "value":
            memory._values.delete(name)
        else:
            memory._values.set(name, b"\xffanother version", DAY)

    @rule(conversation=conversations, data=st.data())
    def momento_shows_an_old_value(self, conversation: str, data: st.DataObject) -> None:
        """Its reads are eventually consistent."""
        if self.values[conversation]:
            value = data.draw(st.sampled_from(self.values[conversation]))
            self.world.memory._values.set(Address(USER, conversation).session_id, value, DAY)

    @rule(conversation=conversations)
    def another_app_appends(self, conversation: str) -> None:
        found = self.world.memory.history(Address(USER, conversation))
        if len(found) < HOT_MESSAGES - 3:
            self._run(self.world.memory.append_history(Address(USER, conversation), [FOREIGN], keep=WHOLE, timeout=1))

    @rule(seconds=st.sampled_from([40.0, 90.0, DAY + 1]))
    def time_passes(self, seconds: float) -> None:
        self.world.skew += seconds
        self.retryable = []

    # What must hold

    @invariant()
    def history_is_what_was_told(self) -> None:
        if not hasattr(self, "loop"):
            return
        for conversation in sorted(self.touched):
            told = self.told[conversation]
            items = [text_of(stored) for stored in self._items(conversation)]
            assert len(items) == len(set(items)), f"doubled: {items}"
            places = {text: place for place, text in enumerate(items)}
            present: list[tuple[int, Post]] = []
            for post in told.posts:
                pair = [post.text, post.text.upper()]
                there = [text for text in pair if text in places]
                missing = [text for text in pair if text not in places and text not in told.deleted]
                assert not (there and missing), f"half a turn: {there}"
                if post.acknowledged is not None:
                    assert not missing, f"lost: {missing}"
                if len(there) == 2:
                    assert places[pair[1]] == places[pair[0]] + 1, "interleaved"
                if there:
                    present.append((places[there[0]], post))
            known = {text for post in told.posts for text in (post.text, post.text.upper())} | set(told.added)
            assert set(items) <= known, "from nowhere"
            present.sort(key=lambda one: one[0])
            for (_, first), (_, second) in pairwise(present):
                assert second.acknowledged is None or first.began <= second.acknowledged, "out of order"
        self.touched.clear()

    def _everything_agrees(self, conversation: str) -> None:
        """Items, the list that LangChain reads, the context and the memory value tell the same."""
        head, items = self._head(conversation), self._items(conversation)
        assert head is not None
        assert (head.seq, head.items, head.messages) == (items[-1].seq, len(items), len(items))
        newest = [element(message) for message in stored_messages(items)][-HOT_MESSAGES:]
        assert list(self.world.memory.history(Address(USER, conversation))) == newest, "the list is not the history"
        reading = Process(self.world).conversations.contexts(Address(USER, conversation), [{}], model="m")
        context = [item["content"] for item in self._run(reading)[0][0]["input"]]
        assert context == [text_of(stored) for stored in items], "the context is not the history"
        value = self._run(self.world.memory.read_memory(Address(USER, conversation), timeout=1))[0]
        state = unpack(value) if value else None
        if value:
            self.values[conversation].append(value)
        if state is None:
            return  # the next turn makes it anew
        assert (state.incarnation, state.seq, state.edits) == (head.incarnation, head.seq, head.edits)
        assert [message.text for message in state.kept.messages] == [text_of(stored) for stored in items]

    def _erased(self, conversation: str, told: Told) -> None:
        assert self._items(conversation) == []
        self._erased_all_but(conversation, told, None)

    def _erased_all_but(self, conversation: str, told: Told, post: Post | None) -> None:
        anywhere = self._anywhere(conversation)
        for old in told.posts:
            if old is not post:
                assert old.text not in anywhere, "risen"
        self.told[conversation] = Told([post] if post else [])
        self.values[conversation].clear()
        self.retryable = [one for one in self.retryable if one.conversation != conversation]


async def _whatever(work: Coroutine[Any, Any, Any]) -> BaseException | None:
    try:
        await work
    except (ChatError, Dead) as error:
        return error
    return None


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=5_000 if NIGHTLY else 100,
    stateful_step_count=40 if NIGHTLY else 20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)
