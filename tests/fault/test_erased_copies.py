"""Copies in Momento that an erasure cannot take, since Momento is away: told, and found again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fault.test_erasure import REMAINS

if TYPE_CHECKING:
    from tests.fault.conftest import World


def test_with_momento_away_the_receipt_says_so_and_a_repetition_takes_the_rest(world: World) -> None:
    world.turn("talk", "one")
    world.momento.faults.fail("Delete")
    receipt = world.call("DELETE", "/v1/conversations/talk").body["omoide"]
    assert receipt["erased"]["momento"] == {"history_lists": 0, "memory_values": 0}
    assert [one["what"] for one in receipt["may_remain"] if one not in REMAINS] == ["history_lists", "memory_values"]
    world.momento.faults.clear()
    assert world.hot_list("talk")
    assert world.call("DELETE", "/v1/conversations/talk").status == 404
    assert (world.hot_list("talk"), world.memory_value("talk")) == ([], None)


def test_what_was_erased_with_momento_away_is_found_by_an_erasure_of_everything(world: World) -> None:
    for name in ("talk", "more"):
        world.turn(name, "one")
    world.momento.faults.fail("Delete")
    everything: dict[str, Any] = {"query": {"all": "true"}}
    world.call("DELETE", "/v1/conversations/talk")
    for erased in (1, 0):
        receipt = world.call("DELETE", "/v1/conversations", **everything).body["omoide"]
        assert receipt["erased"]["dynamodb"]["conversations"] == erased
        assert receipt["erased"]["momento"] == {"history_lists": 0, "memory_values": 0}
        remaining = [one["what"] for one in receipt["may_remain"] if one not in REMAINS]
        assert remaining == ["history_lists", "memory_values"]
    assert {row["sk"]["S"] for row in world.rows()} == {"head"}
    assert world.call("GET", "/v1/conversations").body["data"] == []
    world.momento.faults.clear()
    receipt = world.call("DELETE", "/v1/conversations", **everything).body["omoide"]
    assert receipt["may_remain"] == REMAINS
    assert (world.hot_list("talk"), world.hot_list("more"), world.rows()) == ([], [], [])
