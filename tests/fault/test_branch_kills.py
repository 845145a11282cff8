"""An environment that ends after any call of a branch, a fork, an adoption or a stored response: whole, or nothing.

Through the functions, on the real clients; what a branch's stages look like by themselves has the store's contract.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chat_core.api import event_loop
from chat_core.history.dynamodb import batches, branches
from chat_core.keys import Address
from tests.fault.dying import dying

if TYPE_CHECKING:
    from tests.fault.conftest import World

# Who is killed publishes nothing.
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics")

Request = tuple[str, dict[str, Any]]


def on_a_branch(world: World) -> Request:
    """Ask to go on from a response of a named conversation, behind which another came."""
    if not world.texts("origin"):
        world.turn("origin", "one")
        world.turn("origin", "two")
    first = world.call("GET", "/v1/conversations/origin/items", query={"order": "asc"}).body["first_id"]
    return "/v1/responses", {"model": "m", "input": "aside", "previous_response_id": f"resp_{first[-28:]}"}


def behind_a_call(world: World) -> Request:
    """Ask to go on from a response without a conversation: it gets one."""
    first = world.call("POST", "/v1/responses", {"model": "m", "input": "one"}).body["id"]
    return "/v1/responses", {"model": "m", "input": "aside", "previous_response_id": first}


def as_a_fork(world: World) -> Request:
    """Ask for a fork."""
    if not world.texts("origin"):
        world.turn("origin", "one")
    return "/v1/conversations", {"omoide": {"fork": {"conversation": "origin"}}}


CASES = {
    # What is asked, and what is said in the conversation that it makes.
    "branch": (on_a_branch, ["one", "aside"]),
    "adoption": (behind_a_call, ["one", "aside"]),
    "fork": (as_a_fork, ["one"]),
}


def conversations(world: World) -> set[str]:
    """Name the conversations that readers find, those without a name too."""
    heads = [row for row in world.rows() if row["sk"]["S"] == "head" and "provisional" not in row]
    return {row["conversation"]["S"] for row in heads}


def said_in(world: World, conversation: str) -> list[str]:
    """What the user said in a conversation, which has all of its items."""
    history = world.stores.history
    head = event_loop.run(history.head(Address("local", conversation)))
    stored = event_loop.run(history.items(head, 1, head.seq))
    assert [one.seq for one in stored] == list(range(1, head.items + 1))
    return [str(one.item["content"][0]["text"]) for one in stored if one.item["role"] == "user"]


def expire_leases(world: World) -> None:
    """Half a minute passes, for who waits on an environment that ended."""
    for row in world.rows():
        if "lease_token" in row:
            change = {
                "UpdateExpression": "SET lease_expires_at = :past",
                "ExpressionAttributeValues": {":past": {"N": "1"}},
            }
            world.boto.update_item(TableName=world.table, Key={"pk": row["pk"], "sk": row["sk"]}, **change)


def nothing_is_left_of_everything(world: World) -> bool:
    """Erase all, and look through both stores."""
    receipt = world.call("DELETE", "/v1/conversations", query={"all": "true"}).body
    copies = [
        key for key in world.momento.caches.get("omoide")._items if key.startswith((b"message_store:", b"memory:"))
    ]
    return receipt["deleted"] is True and world.rows() == [] and copies == []


@pytest.mark.parametrize("case", CASES)
def test_a_kill_after_any_write_leaves_it_whole_or_nothing_and_no_row_behind(
    world: World, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    begin, said = CASES[case]
    for module in (branches, batches):  # in stages, as if there were thousands of rows
        monkeypatch.setattr(module, "BATCH_ROWS", 4)
    step = writes = 0
    while step == writes:
        step += 1
        path, body = begin(world)
        before, key = conversations(world), {"idempotency-key": f"key-{step}"}
        with dying(world, step) as life:
            world.call("POST", path, body, headers=key)
        writes = life.writes
        for name in conversations(world) - before:
            assert said_in(world, name) in (said, said[:1]), step
        expire_leases(world)
        again = world.call("POST", path, body, headers=key)
        assert again.status == 200, (step, again.body)
        (made,) = conversations(world) - before
        assert said_in(world, made) == said, step
    assert writes > 3
    assert nothing_is_left_of_everything(world)


def test_a_response_that_is_stored_when_the_environment_ends_is_whole_or_not_there(world: World) -> None:
    step = writes = 0
    while step == writes:
        step += 1
        with dying(world, step) as life:
            world.call("POST", "/v1/responses", {"model": "m", "input": "one"})
        writes = life.writes
        rows = world.rows()
        assert len(rows) <= 1
        for row in rows:
            name = f"resp_{row['incarnation']['S']}{1:012x}"
            stored = world.call("GET", f"/v1/responses/{name}").body
            assert (stored["status"], stored["id"]) == ("completed", name)
            assert all("expires_at" in row for row in rows)
        assert world.call("POST", "/v1/responses", {"model": "m", "input": "one"}).body["store"] is True
        assert nothing_is_left_of_everything(world), step
    assert writes == 1
