"""Reading items: by place, in pages of both orders, with holes, bounded by count and by bytes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from chat_core.errors import NotFound
from chat_core.history import Deletion
from tests.contract.history_store.builders import (
    HERE,
    MAX_BYTES,
    Stores,
    bare,
    commit,
    converse,
    lease,
    message,
    seqs,
    texts,
)

if TYPE_CHECKING:
    from chat_core.history.records import Head, Order

pytestmark = pytest.mark.anyio


async def pages(store: Stores, head: Head, *, limit: int, order: Order, max_bytes: int = MAX_BYTES) -> list[list[int]]:
    """Read all pages as a client does: ``after`` the last item while there is more."""
    found = []
    after: int | None = None
    while True:
        page = await store.conversations.page(head, limit=limit, after=after, order=order, max_bytes=max_bytes)
        found.append(seqs(page.data))
        if not page.has_more:
            return found
        after = page.data[-1].seq


@pytest.fixture
async def ten(store: Stores) -> Head:
    """A conversation of ten items, in turns of two, five and three."""
    head = await converse(store)
    head = await store.history.commit(head, commit(*(message(f"item {seq}") for seq in range(3, 8))), token=None)
    return await store.history.commit(head, commit(*(message(f"item {seq}") for seq in range(8, 11))), token=None)


async def test_the_tail_is_the_newest_items_in_order(store: Stores, ten: Head) -> None:
    assert seqs(await store.history.tail(ten, before=11, limit=3)) == [8, 9, 10]
    assert seqs(await store.history.tail(ten, before=8, limit=3)) == [5, 6, 7]
    assert seqs(await store.history.tail(ten, before=3, limit=5)) == [1, 2]
    assert seqs(await store.history.tail(ten, before=1_000, limit=1)) == [10]
    assert await store.history.tail(ten, before=1, limit=5) == ()
    assert await store.history.tail(ten, before=11, limit=0) == ()


async def test_a_range_is_read_in_order(store: Stores, ten: Head) -> None:
    assert seqs(await store.history.items(ten, 3, 5)) == [3, 4, 5]
    assert texts(await store.history.items(ten, 9, 1_000)) == ["item 9", "item 10"]
    assert await store.history.items(ten, 11, 20) == ()


async def test_items_are_read_by_their_places(store: Stores, ten: Head) -> None:
    assert texts(await store.history.items_at(ten, [9, 4, 4, 5, 0, 99])) == ["item 4", "item 5", "item 9"]
    assert await store.history.items_at(ten, []) == ()
    await store.conversations.delete_items(ten, Deletion([5], messages=1))
    assert seqs(await store.history.items_at(ten, [2, 5])) == [2]
    assert await store.history.items_at(replace(ten, incarnation="0" * 16), [2]) == ()
    assert seqs(await store.history.items_at(replace(ten, seq=4), [4, 5, 6])) == [4]
    assert await store.history.items_at(ten, [9, 2]) == await store.history.items_at(ten, [2, 9])


async def test_readers_stop_at_the_head_they_read(store: Stores) -> None:
    head = await converse(store)
    await store.history.commit(head, commit(), token=None)
    assert seqs(await store.history.items(head, 1, 100)) == [1, 2]
    assert seqs(await store.history.tail(head, before=100, limit=100)) == [1, 2]
    assert await pages(store, head, limit=100, order="desc") == [[2, 1]]
    assert await store.history.items(head, 3, 3) == ()


async def test_pages_in_both_orders(store: Stores, ten: Head) -> None:
    assert await pages(store, ten, limit=4, order="asc") == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]
    assert await pages(store, ten, limit=4, order="desc") == [[10, 9, 8, 7], [6, 5, 4, 3], [2, 1]]
    assert await pages(store, ten, limit=5, order="asc") == [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]]
    assert await pages(store, ten, limit=1, order="desc") == [[seq] for seq in range(10, 0, -1)]


async def test_pages_over_holes(store: Stores, ten: Head) -> None:
    head = await store.conversations.delete_items(ten, Deletion([1, 4, 5, 6, 10], messages=5))
    assert await pages(store, head, limit=2, order="asc") == [[2, 3], [7, 8], [9]]
    assert await pages(store, head, limit=2, order="desc") == [[9, 8], [7, 3], [2]]
    assert await pages(store, head, limit=5, order="desc") == [[9, 8, 7, 3, 2]]
    page = await store.conversations.page(head, limit=2, after=5, order="asc", max_bytes=MAX_BYTES)
    assert (seqs(page.data), page.has_more) == ([7, 8], True)


async def test_pages_are_bounded_by_bytes_of_utf_8(store: Stores, ten: Head) -> None:
    stored = await store.history.items(ten, 1, 10)
    head = await store.history.commit(ten, commit(message("あ" * 5_000), message("tiny")), token=None)
    size = sum(len(json.dumps(bare(item), separators=(",", ":")).encode()) for item in stored[:3])
    assert await pages(store, ten, limit=3, order="asc", max_bytes=size) == [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10]]
    first = await store.conversations.page(ten, limit=10, after=None, order="asc", max_bytes=size - 1)
    assert (seqs(first.data), first.has_more) == ([1, 2], True)
    large = await pages(store, head, limit=10, order="desc", max_bytes=15_050)
    assert large == [[12], [11], [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]]


async def test_an_empty_list(store: Stores, ten: Head) -> None:
    page = await store.conversations.page(ten, limit=5, after=10, order="asc", max_bytes=MAX_BYTES)
    assert (page.data, page.has_more) == ((), False)
    head = await store.conversations.delete_items(ten, Deletion(range(1, 11), messages=10))
    for order in ("asc", "desc"):
        assert await pages(store, head, limit=5, order=order) == [[]]


async def test_cursors_survive_concurrent_turns(store: Stores, ten: Head) -> None:
    first = await store.conversations.page(ten, limit=4, after=None, order="desc", max_bytes=MAX_BYTES)
    await store.history.commit(ten, commit(), token=None)
    head = await store.conversations.delete_items(ten, Deletion([7], messages=1))
    after = first.data[-1].seq
    second = await store.conversations.page(head, limit=4, after=after, order="desc", max_bytes=MAX_BYTES)
    assert (seqs(first.data), seqs(second.data)) == ([10, 9, 8, 7], [6, 5, 4, 3])


async def test_one_item(store: Stores, ten: Head) -> None:
    assert bare((await store.history.items(ten, 4, 4))[0]) == message("item 4")
    for seq in (0, -1, 11, 10**9):
        assert await store.history.items(ten, seq, seq) == ()


async def test_deleting_leaves_a_hole_and_counts_it_off(store: Stores, ten: Head) -> None:
    head = await store.conversations.delete_items(ten, Deletion([4, 5, 5, 99], messages=1))
    assert (head.seq, head.items, head.messages, head.turns, head.edits) == (10, 8, 9, 3, 1)
    assert head == await store.history.head(HERE)
    assert seqs(await store.history.items(head, 1, 10)) == [1, 2, 3, 6, 7, 8, 9, 10]
    assert await store.history.items(head, 4, 4) == ()


async def test_deleting_what_is_not_there_changes_nothing(store: Stores, ten: Head) -> None:
    head = await store.conversations.delete_items(ten, Deletion([4], messages=1))
    assert await store.conversations.delete_items(head, Deletion([4, 11], messages=1)) == head


async def test_deleting_the_pinned_system_message(store: Stores) -> None:
    system = message("Be kind.", "system")
    head = await converse(store)
    head = await store.history.commit(head, commit(system, message("hello"), system=system), token=None)
    assert (await store.conversations.delete_items(head, Deletion([4], messages=1))).system == system
    assert (await store.conversations.delete_items(head, Deletion([3], messages=1, unpin=True))).system is None


async def test_deleting_from_an_erased_conversation(store: Stores) -> None:
    old = await converse(store)
    await store.conversations.erase(HERE)
    with pytest.raises(NotFound):
        await store.conversations.delete_items(old, Deletion([1], messages=1))
    new = await converse(store)
    with pytest.raises(NotFound):
        await store.conversations.delete_items(old, Deletion([1], messages=1))
    assert seqs(await store.history.items(new, 1, 2)) == [1, 2]


async def test_the_items_of_an_erased_conversation_are_not_the_new_ones(store: Stores) -> None:
    old = await converse(store, turns=2)
    await store.conversations.erase(HERE)
    await converse(store, turns=3)
    assert await store.history.items(old, 1, 4) == ()
    assert await store.history.items(old, 1, 1) == ()


async def test_a_turn_under_a_lease_is_invisible_before_its_commit(store: Stores) -> None:
    head = await converse(store)
    await store.leases.take(HERE, lease(), create=False)
    assert seqs(await store.history.items(head, 1, 100)) == [1, 2]
