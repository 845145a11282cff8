"""The order of an erasure, and copies that are taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.conversations import Erasure
from chat_core.history import Deletion
from chat_core.hot.copies import HotCopies
from tests.unit.turns.stage import HERE, staged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.unit.turns.stage import Stage


class WrittenMeanwhile:
    """Conversations in whose erasure a turn still finds the head, and writes copies."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def erase(self, address: Any, **more: Any) -> Mapping[str, int]:
        await self._stage.world.memory.write_memory(address, b"a turn's", timeout=1)
        erased: Mapping[str, int] = await self._stage.world.conversations.erase(address, **more)
        return erased


def test_the_copies_go_after_the_head() -> None:
    async def main(stage: Stage) -> None:
        await stage.turn("one")
        conversations: Any = WrittenMeanwhile(stage)
        hot = HotCopies(stage.world.memory, stage.world.history, keep=6)
        world = stage.world
        await Erasure(world.history, conversations, hot, world.facts, world.responses).conversation(HERE)
        assert await stage.world.memory.read_memory(HERE, timeout=1) is None
        assert stage.world.memory.history(HERE) == ()

    with staged() as stage:
        stage.run(main(stage))


def test_copies_that_hold_what_was_deleted_meanwhile_are_taken_back() -> None:
    async def main(stage: Stage) -> None:
        await stage.turn("secret")
        memory, append = stage.world.memory, stage.world.memory.append_history

        async def append_during_a_deletion(*args: Any, **more: Any) -> int:
            length: int = await append(*args, **more)
            await stage.world.conversations.delete_items(await stage.head(), Deletion([1], messages=1))
            return length

        memory.append_history = append_during_a_deletion
        await stage.turn("two")
        assert not any("secret" in element for element in memory.history(HERE))
        assert await stage.value() is None

    with staged() as stage:
        stage.run(main(stage))
