"""The stores on Momento and their fakes: one suite for both, then what only a network can do."""

from __future__ import annotations

import asyncio

from chat_core.keys import Address
from tests.contract.momento_stores.support import HERE, SECONDS, TALK, TTL, USER, Clock, Run, Stores, append, reason

# Memory values


def test_a_memory_value_is_read_as_written(stores: Stores, run: Run) -> None:
    memory = stores.memory
    assert run(memory.read_memory(HERE, timeout=SECONDS)) is None
    for value in (b"\x00\xff", b"", "思い出".encode()):
        run(memory.write_memory(HERE, value, timeout=SECONDS))
        assert run(memory.read_memory(HERE, timeout=SECONDS)) == value
    assert run(memory.read_memory(Address(USER, "talk-2"), timeout=SECONDS)) is None
    assert run(memory.read_memory(Address("kenji", TALK), timeout=SECONDS)) is None


def test_a_memory_value_lives_for_the_ttl_after_its_last_write(stores: Stores, run: Run, clock: Clock) -> None:
    run(stores.memory.write_memory(HERE, b"1", timeout=SECONDS))
    clock.now += TTL - 1
    run(stores.memory.write_memory(HERE, b"2", timeout=SECONDS))
    clock.now += TTL - 1
    assert run(stores.memory.read_memory(HERE, timeout=SECONDS)) == b"2"
    clock.now += 1
    assert run(stores.memory.read_memory(HERE, timeout=SECONDS)) is None


def test_a_memory_value_over_5_mb_is_refused(stores: Stores, run: Run) -> None:
    call = stores.memory.write_memory(HERE, b"0" * (5 * 1024 * 1024 + 1), timeout=SECONDS)
    assert reason(run, call) == "limit_exceeded"


def test_an_append_keeps_order_and_tells_the_length(stores: Stores, run: Run) -> None:
    assert run(append(stores, "一", "2")) == 2
    assert run(append(stores, "3")) == 3
    assert stores.history() == ["一", "2", "3"]


def test_an_append_cuts_the_list_to_its_newest(stores: Stores, run: Run) -> None:
    assert run(append(stores, "1", "2", keep=3)) == 2
    assert run(append(stores, "3", "4", keep=3)) == 3
    assert stores.history() == ["2", "3", "4"]
    assert run(append(stores, "5", "6", "7", "8", keep=3)) == 3
    assert stores.history() == ["6", "7", "8"]


def test_the_list_tells_its_length(stores: Stores, run: Run) -> None:
    assert run(stores.memory.history_length(HERE, timeout=SECONDS)) == 0
    run(append(stores, "1", "2"))
    assert run(stores.memory.history_length(HERE, timeout=SECONDS)) == 2
    assert stores.memory.ttl == TTL


def test_the_list_lives_for_the_ttl_after_its_last_write(stores: Stores, run: Run, clock: Clock) -> None:
    run(append(stores, "1"))
    clock.now += TTL - 1
    run(append(stores, "2"))
    clock.now += TTL - 1
    assert stores.history() == ["1", "2"]
    clock.now += 1
    assert stores.history() == []
    assert run(append(stores, "3")) == 1


def test_the_list_is_replaced(stores: Stores, run: Run) -> None:
    run(append(stores, "1", "2", "3"))
    run(stores.memory.replace_history(HERE, ["a", "b"], timeout=SECONDS))
    assert stores.history() == ["a", "b"]
    assert run(append(stores, "c")) == 3
    run(stores.memory.replace_history(HERE, [], timeout=SECONDS))
    assert stores.history() == []


def test_an_element_over_128_kb_is_refused_with_its_whole_append(stores: Stores, run: Run) -> None:
    assert run(append(stores, "x" * 131_072)) == 1
    assert reason(run, append(stores, "1", "x" * 131_073)) == "limit_exceeded"
    assert len(stores.history()) == 1


def test_a_list_over_5_mb_is_refused(stores: Stores, run: Run) -> None:
    assert run(append(stores, *["x" * 131_072] * 39)) == 39
    assert reason(run, append(stores, *["x" * 131_072] * 2)) == "limit_exceeded"


def test_a_conversation_is_forgotten(stores: Stores, run: Run) -> None:
    run(append(stores, "1"))
    run(stores.memory.write_memory(HERE, b"1", timeout=SECONDS))
    run(stores.memory.write_memory(Address(USER, "talk-2"), b"2", timeout=SECONDS))
    for _ in range(2):
        run(stores.memory.forget(HERE, timeout=SECONDS))
        assert stores.history() == []
        assert run(stores.memory.read_memory(HERE, timeout=SECONDS)) is None
    assert run(stores.memory.read_memory(Address(USER, "talk-2"), timeout=SECONDS)) == b"2"


# The response cache


def test_a_reply_is_kept_for_its_ttl(stores: Stores, run: Run, clock: Clock) -> None:
    replies = stores.replies
    assert run(replies.get("llm:1", timeout=SECONDS)) is None
    run(replies.set("llm:1", b"\x00\xff", ttl=10.5, timeout=SECONDS))
    assert run(replies.get("llm:1", timeout=SECONDS)) == b"\x00\xff"
    run(replies.set("llm:1", b"2", ttl=20, timeout=SECONDS))
    clock.now += 19
    assert run(replies.get("llm:1", timeout=SECONDS)) == b"2"
    clock.now += 1
    assert run(replies.get("llm:1", timeout=SECONDS)) is None


def test_one_of_many_sets_what_is_absent(stores: Stores, run: Run, clock: Clock) -> None:
    async def race() -> list[bool]:
        calls = (stores.replies.set_if_absent("lease:1", b"%d" % n, ttl=10, timeout=SECONDS) for n in range(8))
        return list(await asyncio.gather(*calls))

    assert sorted(run(race())) == [False] * 7 + [True]
    assert run(stores.replies.set_if_absent("lease:2", b"1", ttl=10, timeout=SECONDS)) is True
    assert run(stores.replies.set_if_absent("lease:2", b"2", ttl=10, timeout=SECONDS)) is False
    assert run(stores.replies.get("lease:2", timeout=SECONDS)) == b"1"
    clock.now += 10
    assert run(stores.replies.set_if_absent("lease:2", b"3", ttl=10, timeout=SECONDS)) is True
    run(stores.replies.delete("lease:2", timeout=SECONDS))
    assert run(stores.replies.get("lease:2", timeout=SECONDS)) is None
    run(stores.replies.delete("lease:2", timeout=SECONDS))
