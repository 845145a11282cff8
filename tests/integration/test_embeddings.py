"""Embeddings through `lambda_handler`: cached input by input."""

from __future__ import annotations

import base64
import struct
from typing import TYPE_CHECKING, Any

import pytest

from local.model import faults
from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.integration.app import Answer, App

MODEL = "text-embedding-3-small"


def embed(
    app: App, given: object, *, headers: Mapping[str, str] | None = None, user: str = "local", **more: Any
) -> Answer:
    body = {"model": MODEL, "input": given, "dimensions": 8, **more}
    answer = app.call("POST", "/v1/embeddings", body, headers=headers, user=user)
    if answer.status == 200:
        if more.get("encoding_format") != "base64":  # OpenAI's schema knows the floats alone
            assert_valid(answer.body, "CreateEmbeddingResponse")
        assert [one["index"] for one in answer.body["data"]] == list(range(len(answer.body["data"])))
        assert answer.body["omoide"]["cache"]["status"] == answer.headers["x-cache"].lower()
    return answer


def vectors(answer: Answer) -> list[Any]:
    return [one["embedding"] for one in answer.body["data"]]


def calls(app: App) -> int:
    return sum(app.model.calls.values()) - app.calls_before_all


def texts(*numbers: int) -> list[str]:
    return [f"text {number}" for number in numbers]


def test_a_batch_of_which_most_is_known_sends_on_the_rest_in_order(app: App) -> None:
    order = list(range(100))
    known = [number for number in order if number % 10 != 3]
    first = embed(app, texts(*known))
    assert first.headers["cache-status"] == "omoide; fwd=uri-miss; stored"
    whole = embed(app, texts(*order))
    assert whole.headers["x-cache"] == "MISS"
    assert whole.headers["cache-status"] == "omoide; fwd=partial; stored"
    assert app.model.requests[-1]["input"] == texts(*range(3, 100, 10))
    assert calls(app) == 2
    saved = whole.body["omoide"]["cache"]["saved_tokens"]
    assert saved == first.body["usage"]["prompt_tokens"] < whole.body["usage"]["prompt_tokens"]
    assert [vector for number, vector in zip(order, vectors(whole), strict=True) if number in known] == vectors(first)
    again = embed(app, texts(*order))
    assert again.headers["x-cache"] == "HIT"
    assert vectors(again) == vectors(whole)
    assert again.body["usage"] == whole.body["usage"] == embed(app, texts(*order), user="kenji").body["usage"]
    assert again.body["omoide"]["cache"]["saved_tokens"] == whole.body["usage"]["prompt_tokens"]
    assert again.body["model"] == whole.body["model"]
    assert calls(app) == 3


def test_duplicates_of_a_batch_are_sent_once(app: App) -> None:
    answer = embed(app, texts(1, 2, 1, 1, 3, 2))
    assert app.model.requests[-1]["input"] == texts(1, 2, 3)
    found = vectors(answer)
    assert found[0] == found[2] == found[3]
    assert found[1] == found[5]
    assert len({tuple(vector) for vector in found}) == 3
    again = embed(app, texts(1, 2, 1, 1, 3, 2))
    assert again.headers["x-cache"] == "HIT"
    assert again.body["usage"] == answer.body["usage"]


@pytest.mark.parametrize(
    "given",
    ["思い出", ["思い出"], [1, 2, 3], [[1, 2], [3]], ["a", "b"]],
    ids=["text", "texts", "tokens", "lists", "two"],
)
def test_what_is_wholly_unknown_goes_upstream_as_it_came(app: App, given: object) -> None:
    embed(app, given, user_id=7)
    assert app.model.requests[-1] == {"model": MODEL, "input": given, "dimensions": 8, "user_id": 7}
    assert embed(app, given, user_id=7).headers["x-cache"] == "HIT"


def test_one_text_serves_every_batch_that_holds_it(app: App) -> None:
    alone = embed(app, "text 1")
    assert embed(app, ["text 1"]).headers["x-cache"] == "HIT"
    assert vectors(embed(app, texts(0, 1)))[1] == vectors(alone)[0]
    assert app.model.requests[-1]["input"] == ["text 0"]


@pytest.mark.parametrize(("first", "second"), [("float", "base64"), ("base64", "float")])
def test_both_encodings_share_an_entry_and_agree(app: App, first: str, second: str) -> None:
    upstream = {name: vectors(embed(app, "思い出", encoding_format=name, user=name))[0] for name in (first, second)}
    assert embed(app, "思い出", encoding_format=first).headers["x-cache"] == "MISS"
    assert app.model.requests[-1]["encoding_format"] == first
    again = embed(app, "思い出", encoding_format=second)
    assert again.headers["x-cache"] == "HIT"
    assert vectors(again)[0] == upstream[second]
    packed = base64.b64decode(upstream["base64"])
    assert list(struct.unpack(f"<{len(packed) // 4}f", packed)) == upstream["float"]


@pytest.mark.parametrize(
    "other", [{"dimensions": 9}, {"model": "text-embedding-3-large"}, {"task": "retrieval"}, {"user_id": 1}]
)
def test_what_changes_the_vector_is_in_the_key(app: App, other: dict[str, Any]) -> None:
    embed(app, "x")
    assert embed(app, "x", **other).headers["x-cache"] == "MISS"
    assert embed(app, "x", user="local").headers["x-cache"] == "HIT"


def test_a_text_is_not_the_list_of_its_tokens_and_users_share_nothing(app: App) -> None:
    answers = [embed(app, "1"), embed(app, [1]), embed(app, [[1]], user="kenji")]
    assert [answer.headers["x-cache"] for answer in answers] == ["MISS"] * 3


@pytest.mark.parametrize(
    ("directives", "expected"),
    [
        (("no-cache", None), ["MISS", "HIT"]),
        ((None, "no-cache"), ["MISS", "MISS"]),
        (("no-store", None, "no-store"), ["MISS", "MISS", "HIT"]),
        ((None, "max-age=0", "max-age=60"), ["MISS", "MISS", "HIT"]),
        ((None, "only-if-cached"), ["MISS", "HIT"]),
    ],
)
def test_directives(app: App, directives: Sequence[str | None], expected: list[str]) -> None:
    headers = [{"Cache-Control": each} if each else None for each in directives]
    assert [embed(app, texts(1, 2), headers=each).headers["x-cache"] for each in headers] == expected


def test_only_if_cached_is_refused_where_one_input_is_not(app: App) -> None:
    embed(app, texts(1))
    before = calls(app)
    answer = embed(app, texts(1, 2), headers={"Cache-Control": "only-if-cached"})
    assert (answer.status, answer.error["code"]) == (504, "cache_miss")
    assert answer.headers["x-should-retry"] == "false"
    assert calls(app) == before


def test_a_hit_tells_its_age_and_time_to_live(app: App) -> None:
    embed(app, texts(1, 2))
    again = embed(app, texts(2, 1))
    assert again.headers["cache-status"].startswith("omoide; hit; ttl=")
    assert int(again.headers["age"]) < 60


def test_a_damaged_vector_is_asked_for_again(app: App, momento_values: Any) -> None:
    embed(app, texts(1, 2))
    [key, _] = [key for key in momento_values.names if key.startswith("emb:")]
    momento_values.set(key, b"\x01damaged")
    assert embed(app, texts(1, 2)).headers["cache-status"] == "omoide; fwd=partial; stored"
    assert len(app.model.requests[-1]["input"]) == 1


def test_the_most_inputs_that_a_batch_may_have(app: App) -> None:
    answer = embed(app, texts(*range(2048)))
    assert answer.status == 200
    assert len(vectors(answer)) == 2048


@pytest.mark.parametrize("status", [400, 429])
def test_what_the_provider_refuses_comes_through(app: App, status: int) -> None:
    app.model.script.append(faults.http_error(status, code="of_the_provider", headers={"retry-after": "7"}))
    answer = embed(app, "x")
    assert (answer.status, answer.error["code"], answer.headers["retry-after"]) == (status, "of_the_provider", "7")
    assert_valid(answer.body, "ErrorResponse")
    assert embed(app, "x").headers["x-cache"] == "MISS"


# Bad input


@pytest.mark.parametrize(
    ("given", "param"),
    [
        (None, "input"),
        ("", "input"),
        ([], "input"),
        (3, "input"),
        ({}, "input"),
        ([""], "input[0]"),
        (["a", ""], "input[1]"),
        (["a", 1], "input[1]"),
        (["a", [1]], "input[1]"),
        (["a", None], "input[1]"),
        ([1, "a"], "input[1]"),
        ([1, True], "input[1]"),
        ([1, 1.5], "input[1]"),
        ([[1], 2], "input[1]"),
        ([[1], []], "input[1]"),
        ([[1], "a"], "input[1]"),
        ([[1, "a"]], "input[0][1]"),
        ([True], "input[0]"),
        ([None], "input[0]"),
        ([{}], "input[0]"),
        (["x"] * 2049, "input"),
        ([1] * 2049, "input"),
        ([[1] * 2049], "input[0]"),
    ],
)
def test_an_input_that_is_none_is_named(app: App, given: object, param: str) -> None:
    answer = embed(app, given)
    assert (answer.status, answer.error["param"]) == (400, param)
    assert_valid(answer.body, "ErrorResponse")
    assert calls(app) == 0


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"dimensions": 0}, "dimensions"),
        ({"dimensions": "8"}, "dimensions"),
        ({"encoding_format": "int8"}, "encoding_format"),
        ({"user": 1}, "user"),
    ],
)
def test_a_wrong_member_is_named(app: App, change: dict[str, Any], param: str) -> None:
    body = {"model": MODEL, "input": "x", **change}
    answer = app.call("POST", "/v1/embeddings", body)
    assert (answer.status, answer.error["param"]) == (400, param)
    assert calls(app) == 0


def test_a_missing_model_is_named(app: App) -> None:
    answer = app.call("POST", "/v1/embeddings", {"input": "x"})
    assert (answer.status, answer.error["param"]) == (400, "model")
    assert answer.error["code"] == "missing_required_parameter"
