"""What holds of facts and index in every state of a conversation, whatever befell the folds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis.stateful import RuleBasedStateMachine, invariant

from chat_core.keys import Address

if TYPE_CHECKING:
    from chat_core.history import Head, StoredItem
    from tests.fault.parts import World

HERE = Address("user", "chat")


class Remembering(RuleBasedStateMachine):
    """A state machine of one conversation with facts and an index."""

    world: World

    def _head(self) -> Head | None:
        raise NotImplementedError

    def _items(self) -> list[StoredItem]:
        raise NotImplementedError

    @invariant()
    def each_fact_is_told_once_and_by_what_is_there(self) -> None:
        head = self._head() if hasattr(self, "world") else None
        if head is None or HERE.user not in self.world.table.users:
            return
        there = {str(stored.item["id"]) for stored in self._items()}
        said = [one for one in self.world.table.users[HERE.user].said if one.incarnation == head.incarnation]
        assert {each.item_id for one in said for each in one.assertion.evidence} <= there
        objects = [one.assertion.object for one in said]
        assert len(objects) == len(set(objects))

    @invariant()
    def the_index_holds_whole_turns_that_are_there_each_once(self) -> None:
        head = self._head() if hasattr(self, "world") else None
        if head is None:
            return
        there = {stored.seq for stored in self._items()}
        turns = [
            (entry.first_seq, entry.seq)
            for (address, incarnation, _), (block, _) in self.world.table.blocks.items()
            if (address, incarnation) == (HERE, head.incarnation)
            for entry in block.entries()
        ]
        assert {seq for ends in turns for seq in ends} <= there
        held = [seq for first, last in turns for seq in range(first, last + 1)]
        assert len(held) == len(set(held))


def apart(notes: str) -> tuple[str, str]:
    """Tell the facts of the notes from the rest."""
    lines = notes.splitlines()
    facts = [line for line in lines if line.startswith("- user |")]
    return "\n".join(facts), "\n".join(line for line in lines if line not in facts)
