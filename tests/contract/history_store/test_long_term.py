"""What is remembered stands with the history or falls with it: the store in memory and DynamoDB alike."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from chat_core.errors import CommitConflict, NotFound
from chat_core.history import Deletion, Head, IdempotencyKey, Unfolded
from chat_core.keys import Address
from chat_core.long_term import Change, Memory, Waiting
from chat_core.long_term.records import Summary
from tests.contract.history_store.builders import HERE, TOKEN, USER, Clock, Stores, commit, converse, lease, recorded


def run(coroutine: object) -> None:
    asyncio.run(coroutine)  # type: ignore[arg-type]


def summary(seq: int, text: str = "") -> Summary:
    return Summary(text or f"up to {seq}", seq, "en", "a-model", 1, 5, 1_700_000_000, (seq,))


def folded(head: Head, *covers: int) -> Memory:
    memory = Memory(head.incarnation, head.folds)
    for seq in covers:
        memory = replace(memory.folded(summary(seq)), folds=head.folds)
    return replace(memory, folds=head.folds + 1)


async def turn(store: Stores, *, due: bool = False, unfolded: Unfolded | None = None) -> Head:
    head = await store.leases.take(HERE, lease(), create=True)
    return await store.history.commit(head, commit(due=due, unfolded=unfolded or Unfolded(10, 2)), token=TOKEN)


def test_what_is_written_is_read_and_counted_on_the_head(store: Stores) -> None:
    async def scenario() -> None:
        head = await turn(store)
        assert await store.long_term.read(head) is None
        memory = replace(folded(head, 1, 2), skipped=((1, 1),), forgotten_up_to=0, last_error="blank", erased=True)
        await store.long_term.change(head, Change(memory, Unfolded(-7, -1), fold_after=9.5))
        now = await store.history.head(HERE)
        assert await store.long_term.read(now) == memory
        assert (now.folds, now.edits, now.fold_after, now.unfolded) == (1, 0, 9.5, Unfolded(3, 1))

    run(scenario())


def test_commits_add_to_what_is_not_folded_and_go_on_while_it_is_folded(store: Stores) -> None:
    async def scenario() -> None:
        head = await turn(store)
        await turn(store)
        await store.long_term.change(head, Change(folded(head, 2), Unfolded(-10, -2)))
        now = await store.history.head(HERE)
        assert now.seq == 4
        assert now.unfolded == Unfolded(10, 2)

    run(scenario())


def test_only_one_of_two_folds_has_an_effect(store: Stores) -> None:
    async def scenario() -> None:
        head = await turn(store)
        first, second = folded(head, 1), folded(head, 2)
        await store.long_term.change(head, Change(first))
        with pytest.raises(CommitConflict):
            await store.long_term.change(head, Change(second))
        now = await store.history.head(HERE)
        assert await store.long_term.read(now) == first
        assert now.folds == 1

    run(scenario())


def test_a_fold_of_an_erased_conversation_is_refused(store: Stores) -> None:
    async def scenario() -> None:
        head = await turn(store)
        await store.conversations.erase(HERE)
        with pytest.raises(CommitConflict):
            await store.long_term.change(head, Change(folded(head, 2)))
        again = await converse(store)
        with pytest.raises(CommitConflict):
            await store.long_term.change(head, Change(folded(head, 2)))
        assert await store.long_term.read(again) is None

    run(scenario())


def test_what_is_remembered_goes_with_the_conversation(store: Stores) -> None:
    async def scenario() -> None:
        head = await turn(store, due=True)
        await store.long_term.change(head, Change(folded(head, 2), due=True))
        assert await store.long_term.due(HERE)
        await store.conversations.erase(HERE)
        assert await store.long_term.due(HERE) is None
        assert await store.long_term.read(head) is None
        with pytest.raises(NotFound):
            await store.conversations.erase(HERE)

    run(scenario())


def test_erasing_a_covered_item_falls_back_at_once(store: Stores) -> None:
    async def scenario() -> None:
        head = await converse(store, 3)
        await store.long_term.change(head, Change(folded(head, 2, 4)))
        read = await store.history.head(HERE)
        stale = folded(read, 2, 4, 5)
        now = await store.conversations.delete_items(read, Deletion([3], 1))
        memory = await store.long_term.read(now)
        assert memory is not None
        assert memory.covers_up_to == 2
        assert [one.text for one in memory.summaries] == ["up to 2"]
        assert memory.erased
        assert await store.long_term.due(HERE)
        with pytest.raises(CommitConflict):
            await store.long_term.change(read, Change(stale))
        assert await store.long_term.read(now) == memory

    run(scenario())


def test_erasing_what_is_not_covered_changes_no_summary_but_refuses_a_fold_under_way(store: Stores) -> None:
    async def scenario() -> None:
        head = await converse(store, 3)
        await store.long_term.change(head, Change(folded(head, 2)))
        read = await store.history.head(HERE)
        memory = await store.long_term.read(read)
        now = await store.conversations.delete_items(read, Deletion([5], 1))
        assert await store.long_term.read(now) == memory
        assert await store.long_term.due(HERE) is None
        with pytest.raises(CommitConflict):
            await store.long_term.change(read, Change(folded(read, 2, 5)))

    run(scenario())


def test_what_is_forgotten_counts_as_an_edit(store: Stores) -> None:
    async def scenario() -> None:
        head = await converse(store)
        await store.long_term.change(head, Change(Memory(head.incarnation, forgotten_up_to=2), edited=True))
        now = await store.history.head(HERE)
        assert (now.edits, now.folds) == (1, 0)
        assert await store.long_term.read(now) == Memory(head.incarnation, forgotten_up_to=2)

    run(scenario())


def test_work_is_written_with_the_turn_and_done_once(store: Stores, clock: Clock) -> None:
    async def scenario() -> None:
        await turn(store)
        assert await store.long_term.due(HERE) is None
        await turn(store, due=True)
        due = await store.long_term.due(HERE)
        assert due is not None
        assert due.since == clock()
        await turn(store, due=True)
        await store.long_term.settle(HERE, due)
        again = await store.long_term.due(HERE)
        assert again is not None
        assert again.token != due.token
        await store.long_term.settle(HERE, again)
        await store.long_term.settle(HERE, again)
        assert await store.long_term.due(HERE) is None

    run(scenario())


@pytest.mark.parametrize("keyed", [False, True])
def test_a_rest_is_waited_for_from_settings_or_from_a_branch_on(store: Stores, *, keyed: bool) -> None:
    async def scenario() -> None:
        head = await turn(store)
        record = recorded(IdempotencyKey(USER, "route", "key"), head).record if keyed else None
        await store.conversations.update(head, metadata=None, memory={}, record=record, quiet_from=5.0)
        due = await store.long_term.due(HERE, "quiet")
        assert due is not None
        assert due.since == 5.0
        branch = Head(Address(USER, "branch"), "feedfeedfeedfeed", seq=2, items=2, messages=2)
        items = await store.history.items(head, 1, 2)
        await store.branches.branch(head, branch, items, commit(quiet_from=7.0))
        due = await store.long_term.due(branch.address, "quiet")
        assert due is not None
        assert due.since == 7.0

    run(scenario())


def test_what_waits_is_listed_by_age_and_in_no_users_list(store: Stores, clock: Clock) -> None:
    async def scenario() -> None:
        start = clock.now
        for place in range(3):
            clock.now = start + place
            address = Address(f"user/{place}", f"chat-{place}")
            head = await store.leases.take(address, lease(until=clock.now + 30), create=True)
            await store.history.commit(head, commit(due=True), token=TOKEN)
        assert await store.long_term.waiting(before=start + 1.5, limit=9) == (
            Waiting(Address("user/0", "chat-0"), "due"),
            Waiting(Address("user/1", "chat-1"), "due"),
        )
        assert len(await store.long_term.waiting(before=start + 9, limit=2)) == 2
        listed = await store.conversations.recent("user/0", limit=9, after=None, order="asc")
        assert [head.conversation for head in listed.data] == ["chat-0"]

    run(scenario())


def test_a_rest_is_waited_for_beside_what_is_due(store: Stores, clock: Clock) -> None:
    async def scenario() -> None:
        head = await store.leases.take(HERE, lease(), create=True)
        later = clock.now + 1_500
        head = await store.history.commit(head, commit(due=True, quiet_from=later), token=TOKEN)
        due, quiet = await store.long_term.due(HERE), await store.long_term.due(HERE, "quiet")
        assert due is not None
        assert quiet is not None
        assert (due.kind, quiet.kind, quiet.since) == ("due", "quiet", later)
        both = await store.long_term.waiting(before=later + 1, limit=9)
        assert [one.kind for one in both] == ["due", "quiet"]
        await store.long_term.settle(HERE, due)
        assert await store.long_term.due(HERE) is None
        await store.long_term.put_off(head, quiet, until=later + 60)
        assert await store.long_term.waiting(before=later + 1, limit=9) == ()
        assert await store.long_term.waiting(before=later + 61, limit=9) == (Waiting(HERE, "quiet"),)
        await store.long_term.put_off(head, due, until=later)  # it is gone, and stays so
        assert await store.long_term.due(HERE) is None
        await store.long_term.settle(HERE, quiet)
        assert await store.long_term.waiting(before=later + 61, limit=9) == ()

    run(scenario())


def test_a_rest_that_is_waited_for_goes_with_the_conversation(store: Stores) -> None:
    async def scenario() -> None:
        head = await store.leases.take(HERE, lease(), create=True)
        await store.history.commit(head, commit(quiet_from=1.0), token=TOKEN)
        assert (await store.conversations.erase(HERE))["items"] == 2
        assert await store.long_term.due(HERE, "quiet") is None
        assert await store.long_term.waiting(before=9e9, limit=9) == ()

    run(scenario())
