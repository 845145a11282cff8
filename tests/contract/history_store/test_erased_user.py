"""A user with a row of every kind erases everything: none is left, wherever that was killed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.conversations import Erasure
from chat_core.deadline import Deadline
from chat_core.errors import CommitConflict
from chat_core.history.records import IdempotencyKey
from chat_core.keys import Address
from chat_core.long_term import Change, Memory
from chat_core.long_term.fact_store import Found
from chat_core.long_term.facts import resolved
from chat_core.long_term.facts.records import Moment
from chat_core.long_term.index import Addition
from tests.contract.fact_store.test_facts import said
from tests.contract.history_store.builders import HERE, USER, Stores, converse, lease, recorded
from tests.contract.history_store.dynamodb import Killed, StrictClient, rows_of
from tests.contract.history_store.test_unfinished import NoCopies
from tests.contract.recall_index.test_index import OLD, entries

if TYPE_CHECKING:
    from chat_core.history import Head

pytestmark = pytest.mark.anyio

KINDS = {"head", "memory", "due", "quiet", "state", "item", "recall", "fact", "correction", "forgotten", "idempotency"}
WRITES = ("TransactWriteItems", "DeleteItem")


async def live(stores: Stores) -> Head:
    """Have a user of whom every kind of row tells."""
    head = await converse(stores, 3)
    once = replace(recorded(IdempotencyKey(USER, "route", "key"), head), quiet_from=9.0)
    head = await stores.history.commit(head, once, token=None)
    told = (said(head, 1, "Paris"), said(head, 3, "tea", predicate="likes"), said(head, 5, "a dog", predicate="has"))
    memory = replace(Memory(head.incarnation, 1), facts_up_to=6)
    await stores.long_term.change(
        head, Change(memory, due=True, added=(Addition(entries(), OLD),), found=Found(1, 6, told))
    )
    known = await stores.facts.of_user(USER)
    paris, tea, _ = sorted(resolved(known.assertions, known.tombstones), key=lambda fact: fact.newest.object)
    await stores.facts.forget(USER, paris, Moment(10**9, 0))
    lyon = replace(tea.newest, id="c1", object="coffee", evidence=(), correction=True, replaces=tea.id)
    await stores.facts.correct(USER, await stores.facts.of_user(USER), tea, lyon)
    await stores.leases.take(Address(USER, "begun"), lease(), create=True)
    return await stores.history.head(HERE)


async def erase_everything(stores: Stores) -> bool:
    hot: Any = NoCopies()
    erasure = Erasure(stores.history, stores.conversations, hot, stores.facts, stores.responses)
    return (await erasure.everything(USER, Deadline.after(60))).complete


def kind(sk: str) -> str:
    return sk.partition("#")[0] or sk


async def test_the_user_has_a_row_of_every_kind_and_none_afterwards(dynamo: Stores, boto: Any, table: str) -> None:
    await live(dynamo)
    await converse(dynamo, user="user-2")
    assert {kind(sk) for _, sk in rows_of(boto, table)} >= KINDS
    assert await erase_everything(dynamo)
    assert {pk.partition("/")[0] for pk, _ in rows_of(boto, table)} == {"user-2"}


@pytest.mark.parametrize("operation", WRITES)
async def test_killed_anywhere_and_repeated(
    dynamo: Stores, boto: Any, client: StrictClient, table: str, operation: str
) -> None:
    call = 0
    while True:
        call += 1
        await live(dynamo)
        client.kill(operation, call, sent=True)
        try:
            await erase_everything(dynamo)
            client.heal()
            break
        except Killed:
            client.heal()
        assert await erase_everything(dynamo)
        assert rows_of(boto, table) == [], (operation, call)
    assert call > 1
    assert rows_of(boto, table) == []


@pytest.mark.parametrize("operation", WRITES)
async def test_a_fold_that_began_before_writes_nothing_afterwards(
    dynamo: Stores, boto: Any, client: StrictClient, table: str, operation: str
) -> None:
    """It comes to its transaction in the middle of the erasure, before each of its writes, and once more behind it."""
    call = 0
    while True:
        call += 1
        head = await live(dynamo)
        known = await dynamo.facts.of_user(USER)
        fold = Change(
            replace(Memory(head.incarnation, head.folds + 1), facts_up_to=8),
            due=True,
            added=(Addition(entries("A cat.", first=4), OLD),),
            found=Found(7, 8, (said(head, 7, "a cat", predicate="has"),), known.forgotten),
        )
        client.kill(operation, call)
        try:
            await erase_everything(dynamo)
            killed = False
        except Killed:
            killed = True
        client.heal()
        try:
            await dynamo.long_term.change(head, fold)
        except CommitConflict:
            pass
        else:
            assert killed, "the conversation is erased"
        assert await erase_everything(dynamo)
        with pytest.raises(CommitConflict):
            await dynamo.long_term.change(head, fold)
        assert rows_of(boto, table) == [], (operation, call)
        if not killed:
            return
