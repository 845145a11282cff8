"""Conversations as resources, on stores in memory: what is made, read, changed and appended, and once."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.errors import ConversationLocked, IdempotencyKeyReused, InvalidRequest, NotFound
from chat_core.history import IdempotencyKey, Lease
from chat_core.keys import Address, is_generated_id
from chat_core.turns import Keyed
from tests.unit.turns.stage import HERE, staged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chat_core.history import Head, Page, StoredItem
    from chat_core.messages import Item
    from tests.unit.turns.stage import Stage

OWN = Address("user", "my-own-name")
RESULT = {"type": "function_call_output", "call_id": "call_1", "output": "4C"}
SYSTEM = {"content": [{"type": "input_text", "text": "Be brief."}], "status": "completed"}
CALL = {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": "{}"}


def said(text: str, role: str = "user") -> Item:
    return {"type": "message", "role": role, "content": text}


def keyed(route: str, key: str = "key", body: str = "body") -> Keyed:
    return Keyed(IdempotencyKey("user", route, key), sha256(body.encode()).hexdigest())


def texts(page: Page[StoredItem]) -> list[str]:
    return [str(stored.item["content"][0]["text"]) for stored in page.data]


class Resources:
    """What the routes ask, done at once."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.all = stage.process.conversations

    def create(self, *items: Item, key: Keyed | None = None, **memory: Any) -> tuple[Head, bool]:
        creating = self.all.create("user", metadata={"topic": "one"}, memory=memory, items=items, keyed=key)
        return self.stage.run(creating)

    def update(self, head: Head, *, key: Keyed | None = None, **changes: Any) -> tuple[Head, bool]:
        changes = {"metadata": None, "memory": None, **changes}
        return self.stage.run(self.all.update(head.address, **changes, keyed=key))

    def add(self, address: Address, *items: Item, key: Keyed | None = None) -> tuple[tuple[StoredItem, ...], bool]:
        deadline = self.stage.process.deadline()
        return self.stage.run(self.all.add_items(address, items, deadline=deadline, keyed=key))

    def items(self, address: Address, *, after: str | None = None, limit: int = 100) -> Page[StoredItem]:
        return self.stage.run(self.all.items(address, limit=limit, after=after, order="asc"))

    def head(self, address: Address) -> Head:
        return self.stage.run(self.all.get(address))

    def listed(self) -> list[str]:
        page = self.stage.run(self.all.recent("user", limit=100, after=None, order="desc"))
        return [head.conversation for head in page.data]


@pytest.fixture
def resources() -> Iterator[Resources]:
    with staged() as stage:
        yield Resources(stage)


def test_a_conversation_is_created_with_its_first_items(resources: Resources) -> None:
    answered, before = resources.create(said("Be brief.", "system"), said("Where is Oslo?"))
    assert not before
    assert is_generated_id(answered.conversation)
    found = resources.head(answered.address)
    assert (found.items, found.messages, found.title) == (2, 2, "Where is Oslo?")
    assert (answered.items, answered.messages, answered.title) == (2, 2, "Where is Oslo?")
    assert (found.metadata, found.system) == ({"topic": "one"}, said("Be brief.", "system") | SYSTEM)
    page = resources.items(answered.address)
    assert texts(page) == ["Be brief.", "Where is Oslo?"]
    ids = [str(stored.item["id"]) for stored in page.data]
    assert len(set(ids)) == 2
    assert len(resources.stage.world.memory.history(answered.address)) == 2


def test_one_without_items_is_there_and_empty(resources: Resources) -> None:
    head, _ = resources.create()
    assert (resources.head(head.address).items, texts(resources.items(head.address))) == (0, [])


@pytest.mark.parametrize(
    ("items", "memory", "param"),
    [
        ((RESULT,), {}, "items[0].call_id"),
        ((), {"policy": "none such"}, "memory.policy"),
        ((said("word " * 500, "system"),), {"policy": "token_window", "max_tokens": 64}, "memory.max_tokens"),
    ],
)
def test_what_is_refused_creates_nothing(
    resources: Resources, items: tuple[Item, ...], memory: dict[str, Any], param: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        resources.create(*items, key=keyed("conversations"), **memory)
    assert refused.value.param == param
    assert resources.listed() == []
    # The key is as good as new.
    assert resources.create(said("one"), key=keyed("conversations"))[1] is False


def test_a_key_creates_one_and_answers_as_it_did_then(resources: Resources) -> None:
    first, before = resources.create(said("one"), key=keyed("conversations"))
    resources.add(first.address, said("two"))
    resources.update(first, metadata={"topic": "other"})
    again, known = resources.create(said("one"), key=keyed("conversations"))
    assert (before, known) == (False, True)
    assert (again.conversation, again.items, again.metadata) == (first.conversation, 1, {"topic": "one"})
    assert resources.listed() == [first.conversation]
    with pytest.raises(IdempotencyKeyReused):
        resources.create(said("two"), key=keyed("conversations", body="another"))


@pytest.mark.parametrize("key", [None, keyed("update")])
def test_settings_that_join_others_from_now_on_have_the_conversations_rest_waited_for(
    resources: Resources, key: Keyed | None
) -> None:
    due = resources.stage.world.table.due
    head, _ = resources.create(said("one"))
    resources.update(head, memory={"entities": True})
    assert not due
    resources.update(head, memory={"entities": {"scope": "user"}}, key=key)
    assert list(due) == [(head.address, "quiet")]


def test_settings_change_member_by_member_and_metadata_as_a_whole(resources: Resources) -> None:
    head, _ = resources.create(policy="message_window", max_messages=4)
    changed, _ = resources.update(head, memory={"max_messages": 6})
    assert (changed.memory, changed.metadata) == ({"policy": "message_window", "max_messages": 6}, {"topic": "one"})
    changed, _ = resources.update(head, metadata={"other": "two"})
    assert (changed.memory["max_messages"], changed.metadata) == (6, {"other": "two"})
    assert resources.head(head.address).metadata == {"other": "two"}


def test_settings_that_no_policy_has_change_nothing(resources: Resources) -> None:
    head, _ = resources.create(said("word " * 500, "system"), policy="message_window", max_messages=4)
    for memory in ({"max_messages": 0}, {"policy": "token_window", "max_tokens": 64}):
        with pytest.raises(InvalidRequest):
            resources.update(head, metadata={"other": "two"}, memory=memory)
    now = resources.head(head.address)
    assert (now.memory, now.metadata) == ({"policy": "message_window", "max_messages": 4}, {"topic": "one"})


def test_a_change_with_a_key_is_made_once(resources: Resources) -> None:
    head, _ = resources.create()
    resources.update(head, metadata={"at": "first"}, key=keyed("update"))
    resources.update(head, metadata={"at": "second"})
    told, known = resources.update(head, metadata={"at": "first"}, key=keyed("update"))
    assert (known, told.metadata) == (True, {"at": "first"})
    assert resources.head(head.address).metadata == {"at": "second"}


def test_who_spoke_last_is_listed_first(resources: Resources) -> None:
    one, two = resources.create(said("one"))[0], resources.create(said("two"))[0]
    resources.stage.world.skew += 60
    resources.add(one.address, said("more"))
    assert resources.listed() == [one.conversation, two.conversation]


def test_items_come_in_pages_that_begin_behind_one_of_them(resources: Resources) -> None:
    head, _ = resources.create(*(said(f"{number}") for number in range(5)))
    first = resources.items(head.address, limit=2)
    behind = str(first.data[-1].item["id"])
    assert (texts(first), first.has_more) == (["0", "1"], True)
    assert texts(resources.items(head.address, after=behind)) == ["2", "3", "4"]
    other, _ = resources.create(said("other"))
    foreign = str(resources.items(other.address).data[0].item["id"])
    for wrong in (foreign, "no id"):
        with pytest.raises(InvalidRequest) as refused:
            resources.items(head.address, after=wrong)
        assert refused.value.param == "after"


def test_a_name_of_ones_own_has_no_items_yet_and_an_id_of_ours_is_not_found(resources: Resources) -> None:
    assert texts(resources.items(OWN)) == []
    with pytest.raises(NotFound):
        resources.items(Address("user", f"conv_{'0' * 32}"))
    with pytest.raises(NotFound):
        resources.head(OWN)


def test_one_item_is_read_by_its_id_in_its_own_conversation_alone(resources: Resources) -> None:
    head, _ = resources.create(said("one"))
    other, _ = resources.create(said("other"))
    (stored,) = resources.items(head.address).data
    name = str(stored.item["id"])
    assert resources.stage.run(resources.all.item(head.address, name)) == stored
    another_kind = "fc_" + name.partition("_")[2]
    for address, wrong in ((other.address, name), (head.address, another_kind), (head.address, "no id")):
        with pytest.raises(NotFound):
            resources.stage.run(resources.all.item(address, wrong))


def test_the_first_items_under_a_name_of_ones_own_create_it(resources: Resources) -> None:
    added, before = resources.add(OWN, said("one"), said("two"))
    assert (before, added) == (False, resources.items(OWN).data)
    assert texts(resources.items(OWN)) == ["one", "two"]
    assert resources.head(OWN).title == "one"
    assert len(resources.stage.world.memory.history(OWN)) == 2
    with pytest.raises(NotFound):
        resources.add(Address("user", f"conv_{'0' * 32}"), said("one"))


def test_items_added_with_a_key_are_there_once_and_told_alike(resources: Resources) -> None:
    added, _ = resources.add(OWN, said("one"), key=keyed("items"))
    resources.add(OWN, said("two"))
    assert resources.add(OWN, said("one"), key=keyed("items")) == (added, True)
    assert texts(resources.items(OWN)) == ["one", "two"]
    with pytest.raises(IdempotencyKeyReused):
        resources.add(OWN, said("three"), key=keyed("items", body="another"))


def test_nothing_is_appended_while_a_turn_runs(resources: Resources) -> None:
    resources.add(OWN, said("one"))
    leases = resources.stage.world.leases
    until = resources.stage.world.clock() + 30
    resources.stage.run(leases.take(OWN, Lease("a turn's", until), create=False))
    with pytest.raises(ConversationLocked) as locked:
        resources.add(OWN, said("two"))
    assert locked.value.retry_after_ms
    assert texts(resources.items(OWN)) == ["one"]
    resources.stage.world.skew += 31
    resources.add(OWN, said("two"))
    assert texts(resources.items(OWN)) == ["one", "two"]


def test_a_result_needs_its_call_and_what_is_refused_locks_nobody_out(resources: Resources) -> None:
    resources.add(OWN, said("one"))
    with pytest.raises(InvalidRequest) as refused:
        resources.add(OWN, said("fine"), RESULT)
    assert refused.value.param == "items[1].call_id"
    resources.add(OWN, CALL)
    resources.add(OWN, RESULT)
    assert resources.head(OWN).items == 3


def test_a_turn_sees_what_was_added(resources: Resources) -> None:
    resources.add(HERE, said("My name is Naomi."))
    resources.stage.run(resources.stage.turn("What is my name?"))
    assert resources.stage.world.model.seen[-1] == ["My name is Naomi.", "What is my name?"]


def test_a_context_is_told_where_the_cache_does_not_answer(resources: Resources) -> None:
    resources.add(OWN, said("one"))

    def hot() -> Any:
        [context] = resources.stage.run(resources.all.contexts(OWN, [None], model=""))
        return context["hot"]

    assert hot()["messages"] == 1
    resources.stage.world.memory.unavailable = "timeout"
    assert hot() is None
