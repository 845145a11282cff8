from __future__ import annotations

import copy
import datetime as dt
import json
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from chat_core import keys
from chat_core.keys import Uncacheable, response_key
from chat_core.keys.cached import normalised_base_url
from chat_core.keys.canonical import canonical_request, canonical_value

if TYPE_CHECKING:
    import random

URL = "https://api.openai.com/v1"
BODY: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "q"}], "temperature": 0}


def key(body: dict[str, Any], **context: Any) -> str:
    endpoint = context.pop("endpoint", "chat/completions")
    return response_key(endpoint, body, **{"scope": "u", "base_url": URL, **context})


def key_with(**members: Any) -> str:
    return key({**BODY, **members})


def key_of_schema(schema: dict[str, Any]) -> str:
    return key_with(tools=[{"type": "function", "function": {"name": "f", "parameters": schema}}])


# Any JSON value, with few different leaves, so that two draws are often equal in parts. No member is called as a
# JSON Schema keyword is: an object's order never counts here.
names = st.sampled_from(["a", "b", "1", "i1;", "s1:a", "", "\ud83d", "é"]) | st.text(max_size=3)
leaves = (
    st.none()
    | st.booleans()
    | st.sampled_from([0, 1, -1, 1.0, -0.0, 0.5, 1e300, 2**53, 2**53 + 1, -(2**70)])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "1", "i1;", "n", "]", "}", "s1:a", "1:a", "\ud83d\ude00", "😀", "é", "e\u0301"])
    | st.text(max_size=4)
)
json_values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)
bodies = st.dictionaries(st.sampled_from(["model", "seed", "tools", "x", "y", "logit_bias"]), json_values, max_size=4)


def meaning(value: Any) -> Any:
    """What a JSON value is, independently of the canonical form."""
    if value is None or isinstance(value, bool):
        return (type(value).__name__, value)
    if isinstance(value, (int, float)):
        return ("number", Fraction(value))
    if isinstance(value, str):
        return ("text", value)
    if isinstance(value, (list, tuple)):
        return ("array", tuple(meaning(item) for item in value))
    return ("object", frozenset((name, meaning(item)) for name, item in value.items()))


def shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, list):
        return [shuffled(item, chance) for item in value]
    if isinstance(value, dict):
        members = [(name, shuffled(item, chance)) for name, item in value.items()]
        chance.shuffle(members)
        return dict(members)
    return value


def leaf_paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict) and value:
        return [found for name in value for found in leaf_paths(value[name], (*path, name))]
    if isinstance(value, list) and value:
        return [found for place in range(len(value)) for found in leaf_paths(value[place], (*path, place))]
    return [path]


def replaced(value: Any, path: tuple[Any, ...], leaf: Any) -> Any:
    if not path:
        return leaf
    changed = copy.copy(value)
    changed[path[0]] = replaced(value[path[0]], path[1:], leaf)
    return changed


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


@given(json_values, json_values)
@example([["a"], "b"], [["a", "b"]])
@example({"a": {"b": 1}}, {"a": {}, "b": 1})
@example("1:a", ["a"])
@example(1, True)
@example(2**53, 2**53 + 1)
def test_two_values_share_bytes_only_if_they_mean_the_same(a: Any, b: Any) -> None:
    assert (canonical_value(a) == canonical_value(b)) is (meaning(a) == meaning(b))


@given(json_values, json_values)
def test_no_form_begins_with_another(a: Any, b: Any) -> None:
    assume(meaning(a) != meaning(b))
    assert not canonical_value(a).startswith(canonical_value(b))


@given(bodies, bodies)
def test_two_bodies_share_bytes_only_if_they_mean_the_same(a: dict[str, Any], b: dict[str, Any]) -> None:
    present = [{name: value for name, value in body.items() if value is not None} for body in (a, b)]
    same = canonical_request("responses", a) == canonical_request("responses", b)
    assert same is (meaning(present[0]) == meaning(present[1]))


@given(json_values, st.randoms(use_true_random=False))
def test_the_order_of_object_keys_never_counts(value: Any, chance: random.Random) -> None:
    body = {**BODY, "x": value, "messages": [{"role": "user", "content": "q", "x": value}]}
    assert key(body) == key(shuffled(body, chance))


@given(json_values, leaves, st.data())
def test_a_changed_leaf_changes_the_key(value: Any, leaf: Any, data: st.DataObject) -> None:
    body = {**BODY, "x": [value], "messages": [{"role": "user", "content": "q", "x": [value]}]}
    path = data.draw(st.sampled_from(leaf_paths(body)))
    assume(meaning(at(body, path)) != meaning(leaf))
    assert key(body) != key(replaced(body, path, leaf))


@given(json_values)
@settings(max_examples=50)
def test_a_key_survives_the_wire(value: Any) -> None:
    body = json.loads(json.dumps({**BODY, "x": value}))
    assert key(body) == key(json.loads(json.dumps(body, indent=1)))


# A change of these is a change of the form: raise SCHEMA and pin the new keys.
GOLDEN = {
    "minimal": "llm:1:0bfe935e70c3:34a240af8f5628bc4a19fb231bd3d6ea8b5c7acac1d6cea6cebcc165887308bf",
    "everything": "llm:1:0bfe935e70c3:28ce9ae4d8569e8b99e520781e05b52b6eda8c973a4bc56a53e2462d4b1153d7",
    "responses": "llm:1:0bfe935e70c3:0fe429123e9b8db6908b63365ecef6c19d0954d5d5d3660666a02306548f8646",
    "embedding": "emb:1:0bfe935e70c3:021632d069f690c4dfa540c80e41f2232e388910194330886e1151636bbea4a9",
}


def golden_keys() -> dict[str, str]:
    everything = {
        **BODY,
        "messages": [
            {"role": "system", "content": "思い出"},
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "\ud83d"}]},
            {"role": "user", "content": "x" * 20_000},
        ],
        "seed": 2**64,
        "top_p": 0.1,
        "logprobs": True,
        "tools": [{"function": {"parameters": {"properties": {"b": {"default": None}, "a": {}}}}}],
    }
    return {
        "minimal": key(BODY),
        "everything": key(everything, api_version="2026-01", epoch=7),
        "responses": key({"model": "m", "input": "q"}, endpoint="responses"),
        "embedding": keys.embedding_key("text", model="m", dimensions=256, scope="u", base_url=URL),
    }


@pytest.mark.parametrize("name", GOLDEN)
def test_keys_are_those_of_the_schema(name: str) -> None:
    assert keys.SCHEMA == 1
    assert golden_keys()[name] == GOLDEN[name]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ({"seed": 1}, {"seed": 1.0}),
        ({"seed": 0}, {"seed": -0.0}),
        ({"seed": 10**22}, {"seed": 1e22}),
        ({"x": [1, "a"]}, {"x": (1, "a")}),
        ({"logit_bias": {7: 1, 50256: -100}}, {"logit_bias": {"50256": -100, "7": 1}}),
        ({"tool_choice": "auto"}, {}),
        ({"prompt_cache_options": {"mode": "explicit"}}, {}),
        ({"memory": {"policy": "buffer"}, "omoide": {}, "conversation": "c"}, {}),
        ({"timeout": 3, "extra_headers": {"a": "b"}, "extra_query": {}}, {}),
        ({"extra_body": {"top_k": 5, "user": "x"}}, {"top_k": 5}),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "q"}]}]}, {}),
        ({"messages": [{"role": "user", "content": "q", "name": None}]}, {}),
        ({"messages": ({"role": "user", "content": ({"type": "text", "text": "q"},)},)}, {}),
    ],
)
def test_the_same_request(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert key_with(**a) == key_with(**b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ({"seed": 100}, {"seed": "100"}),
        ({"seed": 2**53}, {"seed": 2**53 + 1}),
        ({"n": True}, {}),
        ({"n": "1"}, {}),
        ({"x": [None]}, {"x": []}),
        ({"x": {"a": None}}, {"x": {}}),
        ({"x": []}, {}),
        ({"x": {}}, {"x": []}),
        ({"stop": "END", "seed": 0}, {"stop": "ENDseed: 0"}),
        ({"guided_choice": ["yes"]}, {"guided_choice": ["no"]}),
        ({"extra_body": {"guided_choice": ["yes"]}}, {"extra_body": {"guided_choice": ["no"]}}),
        ({"extra_body": "text"}, {}),
        ({"prediction": {"type": "content", "content": "a"}}, {}),
        ({"response_format": {"type": "json_object"}}, {}),
        ({"messages": [{"role": "user", "content": ""}]}, {"messages": [{"role": "user", "content": None}]}),
        ({"messages": []}, {"messages": None}),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}] * 2}]},
            {"messages": [{"role": "user", "content": "aa"}]},
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "q", "x": 1}]}]},
            {"messages": [{"role": "user", "content": "q"}]},
        ),
        # a cache marker is one on a content part only
        ({"cache_control": {"type": "ephemeral"}}, {}),
        ({"messages": [{"role": "user", "content": "q", "cache_control": {"type": "ephemeral"}}]}, {}),
        (
            {"messages": [{"role": "user", "content": "\ud83d\ude00"}]},
            {"messages": [{"role": "user", "content": "😀"}]},
        ),
        ({"messages": [{"role": "user", "content": "\ud83d"}]}, {"messages": [{"role": "user", "content": "?"}]}),
        ({"messages": [{"x": [{"type": "text", "text": "q"}]}]}, {"messages": [{"x": "q"}]}),
        ({"messages": [{"role": "user", "content": "2²"}]}, {"messages": [{"role": "user", "content": "22"}]}),
    ],
)
def test_another_request(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert key_with(**a) != key_with(**b)


@pytest.mark.parametrize("content", ["q", "", "\ud83d", "x" * 16_383, "x" * 16_384])
@pytest.mark.parametrize("item", [{}, {"type": "message"}])
def test_the_short_way_of_writing_a_message_is_the_long_one(content: str, item: dict[str, Any]) -> None:
    message = {**item, "role": "user", "content": content}
    assert key_with(messages=[message]) == key_with(messages=[{**message, "name": None}])


def test_large_texts_are_told_apart() -> None:
    texts = ["x" * size for size in (16_383, 16_384, 16_385)] + ["x" * 16_383 + "y", "x" * 16_383 + "\ud83d"]
    assert len({key_with(messages=[{"role": "user", "content": text}]) for text in texts}) == len(texts)
    assert len({key_with(x={"url": text}) for text in texts}) == len(texts)
    assert len({canonical_value(text) for text in texts}) == len(texts)


FIRST, SECOND = {"type": "string"}, {"enum": ["x", None], "default": None}


def test_the_order_of_properties_counts_at_every_depth() -> None:
    ordered = {"type": "object", "properties": {"a": FIRST, "b": SECOND}}
    turned = {"type": "object", "properties": {"b": SECOND, "a": FIRST}}
    for wrap in (
        lambda schema: schema,
        lambda schema: {"properties": {"x": schema}},
        lambda schema: {"$defs": {"x": schema}},
        lambda schema: {"definitions": {"properties": schema}},
        lambda schema: {"patternProperties": {"^x": schema}},
        lambda schema: {"items": {"anyOf": [schema, {"type": "null"}]}},
    ):
        assert key_of_schema(wrap(ordered)) != key_of_schema(wrap(turned))
    for place in (
        lambda schema: {"tools": [{"type": "function", "name": "f", "parameters": schema}]},
        lambda schema: {"functions": [{"name": "f", "parameters": schema}]},
        lambda schema: {"response_format": {"type": "json_schema", "json_schema": {"schema": schema}}},
        lambda schema: {"text": {"format": {"type": "json_schema", "schema": schema}}},
        lambda schema: {"guided_json": schema},  # a field that nobody here knows
    ):
        assert key_with(**place(ordered)) != key_with(**place(turned))


def test_the_order_of_keywords_does_not_count() -> None:
    assert key_of_schema({"type": "object", "required": ["a"]}) == key_of_schema({"required": ["a"], "type": "object"})
    for named in ("properties", "$defs", "definitions", "patternProperties", "dependentSchemas"):
        # a property, definition or pattern that is itself called "properties" is a schema like any other
        assert key_of_schema({named: {"properties": {"not": {}, "if": {}}}}) == key_of_schema(
            {named: {"properties": {"if": {}, "not": {}}}}
        )
    assert key_of_schema({"$defs": {"a": FIRST, "b": SECOND}}) == key_of_schema({"$defs": {"b": SECOND, "a": FIRST}})


def test_a_member_called_properties_that_holds_no_schemas_is_an_object_like_any_other() -> None:
    assert key_with(x={"properties": {"a": 1, "b": "c"}}) == key_with(x={"properties": {"b": "c", "a": 1}})


def test_nulls_in_a_schema_are_data() -> None:
    assert key_of_schema({"properties": {"a": {"default": None}}}) != key_of_schema({"properties": {"a": {}}})
    assert key_of_schema({"enum": [None]}) != key_of_schema({"enum": []})


def test_responses_items() -> None:
    def items(*input_items: Any, **members: Any) -> str:
        return key({"model": "m", "input": list(input_items), **members}, endpoint="responses")

    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    part = {"type": "input_text", "text": "4C"}
    result = {"type": "function_call_output", "call_id": "c", "output": [part]}
    marked = {**result, "output": [{**part, "prompt_cache_breakpoint": {"mode": "explicit"}}]}
    assert items({**call, "id": None, "status": None}, result) == items(call, marked)
    assert items(call, result) != items(result, call)
    assert items(call, text={"format": {"type": "text"}}) == items(call)
    assert items(call, n=1) != items(call)


def test_the_context_is_in_the_key() -> None:
    contexts: list[dict[str, Any]] = [
        {},
        {"scope": "v"},
        {"endpoint": "responses"},
        {"endpoint": "embeddings"},
        {"base_url": "https://api.openai.com/v2"},
        {"base_url": "http://api.openai.com/v1"},
        {"base_url": "https://api.openai.com:8443/v1"},
        {"base_url": "https://api.openai.com/v1?a=b"},
        {"api_version": "2026-01"},
        {"epoch": 1},
        {"schema": 2},
    ]
    made = [key(BODY, **context) for context in contexts]
    assert len({made_key.rsplit(":", 1)[1] for made_key in made}) == len(contexts)
    assert made[-1].startswith("llm:2:")


@pytest.mark.parametrize(
    "url",
    [
        "https://API.OpenAI.com/v1/",
        "HTTPS://api.openai.com:443/v1",
        "https://api.openai.com/v1//",
        "https://name:not-a-real-secret@api.openai.com/v1",
    ],
)
def test_one_base_url_in_many_spellings(url: str) -> None:
    assert key(BODY, base_url=url) == key(BODY)


def test_paths_keep_their_case_and_addresses_their_brackets() -> None:
    assert normalised_base_url("http://[::1]:8080/V1/") == "http://[::1]:8080/V1"


def deep(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "not_finite"),
        (float("inf"), "not_finite"),
        (json.loads("-1e400"), "not_finite"),
        (b"bytes", "not_json"),
        ({1, 2}, "not_json"),
        (dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "not_json"),
        (1j, "not_json"),
        (object(), "not_json"),
        ({1: "a", "1": "b"}, "key_not_text"),
        ({True: "a"}, "key_not_text"),
        ({None: "a"}, "key_not_text"),
        ({1.5: "a"}, "key_not_text"),
        ({b"a": "a"}, "key_not_text"),
        ({"properties": {1: {}, "1": {}}}, "key_not_text"),
        ({"properties": {"1": {}, 1: {}}}, "key_not_text"),
        (deep(100_000), "too_deep"),
    ],
)
def test_what_is_no_json_has_no_key(value: Any, reason: str) -> None:
    for body in ({**BODY, "x": value}, {**BODY, "messages": [{"role": "user", "content": "q", "x": value}]}):
        with pytest.raises(Uncacheable) as caught:
            key(body)
        assert caught.value.reason == reason
    with pytest.raises(Uncacheable):
        canonical_value(value)


def test_a_message_of_an_uncacheable_request_is_not_told() -> None:
    with pytest.raises(Uncacheable) as caught:
        key_with(x={"secret words": b"secret words"})
    assert "secret" not in str(caught.value)


def test_a_base_url_that_is_none_is_uncacheable() -> None:
    with pytest.raises(Uncacheable, match="base URL"):
        key(BODY, base_url="https://api.openai.com:port/v1")


def embedding(text: Any = "text", **members: Any) -> str:
    parts = {"model": "m", "dimensions": None, "scope": "u", "base_url": URL, **members}
    return keys.embedding_key(text, **parts)


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
