"""Keys of embeddings, of conversations and their rows, and ids."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chat_core import keys
from tests.unit.keys.bodies import BODY, embedding, key


def test_an_embedding_is_keyed_by_all_that_makes_the_vector() -> None:
    others = [
        embedding("Text"),
        embedding([1, 2]),
        embedding("[1, 2]"),
        embedding(model="n"),
        embedding(dimensions=256),
        embedding(scope="v"),
        embedding(base_url="https://other.example/v1"),
        embedding(api_version="2026-01"),
        embedding(epoch=1),
        embedding(schema=2),
        embedding(parameters={"input_type": "query"}),
    ]
    assert len({embedding(), *others}) == 1 + len(others)
    assert embedding([1, 2]) == embedding((1, 2))


def test_an_embedding_serves_every_encoding_and_every_batch() -> None:
    for encoding_format in ("float", "base64"):
        body = {"model": "m", "input": ["text", "other"], "encoding_format": encoding_format, "user": "x"}
        assert embedding(parameters=body) == embedding()


def test_a_lease_has_the_name_of_what_it_is_for() -> None:
    family, _, rest = key(BODY).partition(":")
    assert (family, keys.lease_key(key(BODY))) == ("llm", f"lease:{rest}")


def test_keys_show_a_tag_and_no_name() -> None:
    made = key(BODY, scope="alice@example.com")
    assert "alice" not in made
    assert made.split(":")[2] == keys.scope_tag("alice@example.com")
    assert len(keys.scope_tag("")) == 12


users = st.text(st.sampled_from("ab/#:._-"), min_size=1, max_size=8)
conversations = st.text(st.sampled_from("ab:._-"), min_size=1, max_size=4).filter(keys.is_conversation_id)


@given(users, conversations, users, conversations)
@example("a/b", "c", "a", "b")
def test_two_conversations_never_share_a_key(user: str, name: str, other_user: str, other_name: str) -> None:
    same = (user, name) == (other_user, other_name)
    one, other = keys.Address(user, name), keys.Address(other_user, other_name)
    assert (one == other) is (one.session_id == other.session_id) is same
    for compose in (keys.partition_key, keys.history_list_key, keys.memory_key):
        assert (compose(one) == compose(other)) is same
    assert keys.idempotency_partition_key(user, "r", name) != keys.partition_key(other)


@given(users, users, users, users)
def test_two_idempotency_keys_never_share_a_partition(user: str, route: str, other_route: str, name: str) -> None:
    made = keys.idempotency_partition_key(user, route, name)
    assert (made == keys.idempotency_partition_key(user, other_route, name)) is (route == other_route)
    assert made != keys.idempotency_partition_key(user, route + name[0], name[1:])
    assert made != keys.idempotency_partition_key(user + "/x", route, name)


def test_the_families_of_keys() -> None:
    address = keys.Address("u", "c")
    assert address.session_id == "u/c"
    assert keys.partition_key(address) == "u/c"
    assert keys.history_list_key(address) == "message_store:u/c"
    assert keys.memory_key(address) == "memory:u/c"
    assert keys.HEAD == "head"
    assert keys.item_sort_key(7) == "item#000000000007"
    assert keys.part_sort_key(7, 1) == "item#000000000007#0001"


@pytest.mark.parametrize(("user", "name"), [("", "c"), ("u", ""), ("u", "a/b"), ("u", ".."), ("u", "idempotency#x")])
def test_an_address_of_no_conversation_is_refused(user: str, name: str) -> None:
    with pytest.raises(ValueError, match=r"needed|conversation id"):
        keys.Address(user, name)


def test_an_idempotency_key_needs_a_user() -> None:
    with pytest.raises(ValueError, match="needed"):
        keys.idempotency_partition_key("", "r", "k")


seqs = st.integers(min_value=0, max_value=10**12 - 1)


@given(seqs, seqs, st.integers(min_value=0, max_value=9999))
def test_rows_sort_by_place_with_an_items_parts_behind_it(a: int, b: int, part: int) -> None:
    assert (keys.item_sort_key(a) < keys.item_sort_key(b)) is (a < b)
    if a < b:
        assert keys.item_sort_key(a) < keys.part_sort_key(a, part) < keys.item_sort_key(b)


@pytest.mark.parametrize("seq", [-1, 10**12])
def test_a_seq_out_of_range_is_refused(seq: int) -> None:
    with pytest.raises(ValueError, match="seq"):
        keys.item_sort_key(seq)
    with pytest.raises(ValueError, match="seq"):
        keys.item_id("msg", "0" * 16, seq)


@pytest.mark.parametrize("part", [-1, 10_000])
def test_a_part_out_of_range_is_refused(part: int) -> None:
    with pytest.raises(ValueError, match="part"):
        keys.part_sort_key(1, part)


@pytest.mark.parametrize("text", ["a", "chat-1", "A.b_c:d-9", "...", ".a", "x" * 128, "conv_" + "0" * 32])
def test_conversation_ids(text: str) -> None:
    assert keys.is_conversation_id(text)


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "a/b", "a\n", "\na", "a b", "é", "１２", "x" * 129, "a#b", "a%2Fb", "a\x00", None, 7, b"a", ["a"]],
)
def test_no_conversation_ids(text: object) -> None:
    assert not keys.is_conversation_id(text)


def test_drawn_ids() -> None:
    drawn = {keys.new_conversation_id() for _ in range(50)}
    assert len(drawn) == 50
    assert all(keys.is_conversation_id(name) and keys.is_generated_id(name) and len(name) == 37 for name in drawn)
    assert not keys.is_generated_id("chat-1")
    assert len({keys.new_incarnation() for _ in range(50)}) == 50


@given(st.sampled_from(["message", "function_call", "web_search_call", "x", "９"]) | st.text(), seqs)
def test_an_item_id_tells_its_place(item_type: str, seq: int) -> None:
    incarnation = keys.new_incarnation()
    made = keys.item_id(keys.item_prefix(item_type), incarnation, seq)
    assert keys.parse_item_id(made) == (incarnation, seq)


def test_item_ids_look_like_openais() -> None:
    assert keys.item_id("msg", "0123456789abcdef", 255) == "msg_0123456789abcdef0000000000ff"
    prefixes = ["message", "function_call", "function_call_output", "reasoning", "Odd Type 2000 of a kind", "", "0"]
    assert [keys.item_prefix(item_type) for item_type in prefixes] == [
        *("msg", "fc", "fco", "rs"),
        *("oddtype2000ofaki", "item", "item"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "msg_",
        "msg_0123456789abcdef0000000000f",
        "msg_0123456789abcdef0000000000fff",
        "msg_0123456789ABCDEF0000000000ff",
        "msg_0123456789abcdef0000000000ff\n",
        "_0123456789abcdef0000000000ff",
        "MSG_0123456789abcdef0000000000ff",
        "msg_0123456789abcdef００00000000ff",
        "msg_0123456789abcdefffffffffffff",
        None,
        7,
    ],
)
def test_no_item_ids(text: object) -> None:
    assert keys.parse_item_id(text) is None


@given(st.text())
def test_reading_an_item_id_never_raises(text: str) -> None:
    assert keys.parse_item_id(text) is None


@pytest.mark.parametrize(
    ("prefix", "incarnation"), [("", "0" * 16), ("m_g", "0" * 16), ("msg", "0" * 15), ("msg", "G" * 16)]
)
def test_an_item_id_of_other_parts_is_refused(prefix: str, incarnation: str) -> None:
    with pytest.raises(ValueError, match="incarnation"):
        keys.item_id(prefix, incarnation, 1)
