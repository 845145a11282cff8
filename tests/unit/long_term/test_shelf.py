"""What an environment keeps decoded of indexes."""

from dataclasses import replace

from chat_core.keys import Address
from chat_core.long_term.index import Indexed
from chat_core.long_term.recall import Block, Entry, build
from chat_core.long_term.shelf import Shelf

HERE = Indexed(Address("user", "chat"), "a" * 16, edits=1, folds=2)


def block(words: int = 10) -> Block:
    return build([Entry(2, 2, 0, 10, 0, frozenset(range(words)))], None)


def test_an_index_is_known_in_one_state_only() -> None:
    shelf = Shelf()
    shelf.keep(HERE, [block()])
    assert shelf.find(HERE) == (block(),)
    for other in (
        replace(HERE, folds=3),
        replace(HERE, edits=0),
        replace(HERE, incarnation="b" * 16),
        replace(HERE, address=Address("user", "another")),
        replace(HERE, address=Address("other", "chat")),
    ):
        assert shelf.find(other) is None
    shelf.keep(replace(HERE, folds=3), [])
    assert shelf.find(HERE) is None
    assert shelf.find(replace(HERE, folds=3)) == ()


def test_the_indexes_used_last_stay() -> None:
    shelf = Shelf(most_bytes=3_000)
    states = [replace(HERE, address=Address("user", f"chat{n}")) for n in range(3)]
    shelf.keep(states[0], [block(100)])
    shelf.keep(states[1], [block(100)])
    assert shelf.find(states[0])
    shelf.keep(states[2], [block(100)])
    assert [shelf.find(state) is not None for state in states] == [True, False, True]
    # One that is larger than all stays alone: who has it would read it at every turn.
    shelf.keep(states[1], [block(1_000)])
    assert [shelf.find(state) is not None for state in states] == [False, True, False]
    shelf.drop(states[1].address)
    shelf.drop(states[1].address)
    assert shelf.find(states[1]) is None
