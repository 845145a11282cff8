"""Whatever was killed, a user who erases everything leaves no row: what no list shows is found, too."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from chat_core.conversations import Erasure
from chat_core.deadline import Deadline
from chat_core.errors import CommitConflict, NotFound
from chat_core.history import Deletion, Head
from chat_core.keys import Address, new_conversation_id, new_incarnation
from tests.contract.history_store.builders import (
    HERE,
    TOKEN,
    USER,
    Clock,
    Stores,
    commit,
    converse,
    lease,
    message,
    recorded,
)
from tests.contract.history_store.dynamodb import Killed, StrictClient, rows_of
from tests.contract.history_store.test_erasure import KEYS, long_conversation

pytestmark = pytest.mark.anyio

MANY = [message(f"item {number}") for number in range(200)]
STEPS = [(call, sent) for call in (1, 2, 3) for sent in (False, True)]


Scan = Callable[[], list[tuple[str, str]]]


@pytest.fixture
def scan(boto: Any, table: str) -> Scan:
    return partial(rows_of, boto, table)


class NoCopies:
    """Nothing is in the cache."""

    async def forget(self, address: Address) -> bool:
        return True


async def erase_everything(stores: Stores) -> None:
    hot: Any = NoCopies()
    erasure = Erasure(stores.history, stores.conversations, hot, stores.facts, stores.responses)
    erased = await erasure.everything(USER, Deadline.after(60))
    assert erased.complete


async def begin(stores: Stores) -> None:
    """Begin a first turn that takes three transactions."""
    head = await stores.leases.take(HERE, lease(), create=True)
    await stores.history.commit(head, recorded(KEYS[0], head, *MANY), token=TOKEN)


async def create(stores: Stores) -> None:
    """Create a conversation, with its items, under an id that nobody is told before the end."""
    head = Head(Address(USER, new_conversation_id()), new_incarnation(), updated_at=Clock.now)
    await stores.conversations.create(head, commit(*MANY[:20]))


async def erase(stores: Stores) -> None:
    await stores.conversations.erase(HERE)


@pytest.mark.parametrize("kill", STEPS)
@pytest.mark.parametrize("work", [begin, create, erase], ids=["a first turn", "a creation", "an erasure"])
async def test_everything_erased_leaves_no_row(
    dynamo: Stores, client: StrictClient, scan: Scan, work: Any, kill: tuple[int, bool]
) -> None:
    call, sent = kill
    if work is erase:
        await long_conversation(dynamo)
    client.kill("TransactWriteItems", call, sent=sent)
    try:
        await work(dynamo)
    except Killed:
        client.heal()
        if work is not create and not (work is begin and (call, sent) == (3, True)) and (sent or work is not erase):
            with pytest.raises(NotFound):
                await dynamo.history.head(HERE)
    client.heal()
    await erase_everything(dynamo)
    assert scan() == []


@pytest.mark.parametrize("sent", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("items", [(), MANY[:20]], ids=["empty", "with items"])
async def test_a_killed_creation_is_whole_or_nothing(
    dynamo: Stores, client: StrictClient, scan: Scan, items: tuple[Any, ...], sent: bool
) -> None:
    """There is one step: an id that nobody was told is in the list, or not in the table."""
    for operation in ("TransactWriteItems", "GetItem", "UpdateItem", "Query"):
        head = Head(Address(USER, new_conversation_id()), new_incarnation(), updated_at=Clock.now)
        before = scan()
        client.kill(operation, 1, sent=sent)
        try:
            await dynamo.conversations.create(head, commit(*items, frame={}) if items else None)
        except Killed:
            client.heal()
            assert operation == "TransactWriteItems"
            if not sent:
                assert scan() == before
                continue
        client.heal()
        listed = (await dynamo.conversations.recent(USER, limit=9, after=None, order="desc")).data
        assert head.conversation in [one.conversation for one in listed]
        assert len(await dynamo.history.items(await dynamo.history.head(head.address), 1, 99)) == len(items)
    assert await dynamo.conversations.unfinished(USER) == ()


@pytest.mark.parametrize("kill", STEPS[:3])
async def test_what_a_failed_first_turn_staged_is_found_after_its_lease_was_given_back(
    dynamo: Stores, client: StrictClient, scan: Scan, clock: Clock, kill: tuple[int, bool]
) -> None:
    client.kill("TransactWriteItems", kill[0], sent=kill[1])
    with pytest.raises(Killed):
        await begin(dynamo)
    client.heal()
    await dynamo.leases.release(HERE, TOKEN)
    head = await dynamo.leases.take(HERE, lease("next", until=clock.now + 30), create=True)
    assert head.seq == 0
    await dynamo.leases.release(HERE, "next")
    await erase_everything(dynamo)
    assert scan() == []


async def test_nothing_is_taken_from_others(dynamo: Stores, scan: Scan) -> None:
    await dynamo.leases.take(Address("user-2", "begun"), lease(), create=True)
    await converse(dynamo, user="user-2")
    await converse(dynamo)
    assert await dynamo.conversations.unfinished(USER) == ()
    await erase_everything(dynamo)
    assert {pk.partition("#")[0] for pk, _ in scan()} == {"user-2/begun", "user-2/my-chat", "user-2/responses"}


async def test_what_is_begun_is_in_no_list(store: Stores) -> None:
    await store.leases.take(HERE, lease(), create=True)
    assert await store.conversations.unfinished(USER) == (HERE,)
    assert (await store.conversations.recent(USER, limit=5, after=None, order="desc")).data == ()
    await store.leases.release(HERE, TOKEN)
    assert await store.conversations.unfinished(USER) == ()


async def test_a_turn_does_not_bring_back_a_deleted_title_or_another_policys_window(store: Stores) -> None:
    head = await converse(store)
    await store.conversations.delete_items(head, Deletion([1], messages=1, title="second words"))
    await store.history.commit(head, commit(title=head.title), token=None)
    now = await store.history.head(HERE)
    assert now.title == "second words"


async def test_a_commit_under_settings_that_were_changed_is_made_anew(store: Stores) -> None:

    head = await converse(store)
    changed = await store.conversations.update(head, metadata=None, memory={"policy": "buffer"})
    with pytest.raises(CommitConflict):
        await store.history.commit(head, commit(), token=None)
    assert (await store.history.commit(changed, commit(anchor=None), token=None)).anchor is None
