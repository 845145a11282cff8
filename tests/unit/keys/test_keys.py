"""The canonical form: two values share bytes only if they mean the same, and keys stay what they are."""

from __future__ import annotations

import copy
import json
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from chat_core import keys
from chat_core.keys.canonical import canonical_request, canonical_value

if TYPE_CHECKING:
    import random
from tests.unit.keys.bodies import BODY, URL, key

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
