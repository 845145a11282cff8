"""The stand-in model's replies, without the server."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.model.answers import Reply, answer, limited
from local.model.conversation import Function, Message, OutputFormat, Prompt
from local.model.log_probabilities import pieces
from local.model.tool_use import FunctionCall
from local.model.usage import text_tokens

WEATHER = Function(
    "get_weather",
    "Get the current weather for a city.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False},
)
MODEL = "gpt-4.1-mini"
CLOCK = Function("get_time", "Get the local time of a city.", WEATHER.parameters)


def reply_to(*said: str, system: str | None = None) -> str:
    """Return the reply to the last of a user's messages."""
    messages = [Message("system", system)] if system is not None else []
    for text in said[:-1]:
        messages += [Message("user", text), Message("assistant", "…")]
    reply = answer(Prompt((*messages, Message("user", said[-1]))))
    assert reply.text is not None
    return reply.text


def arguments(call: FunctionCall) -> Any:
    return json.loads(call.arguments)


@pytest.mark.parametrize(
    "statement",
    [
        "私の名前は渡辺直美です。",
        "わたしの名前は渡辺直美だよ！",
        "私は渡辺直美です。",
        "名前は渡辺直美です",
        "はじめまして。渡辺直美と申します。",
        "こんにちは、僕は渡辺直美といいます。よろしく！",
        "渡辺直美と呼んでください。",
        "私の名前は「渡辺直美」です",
        "私の名前は渡辺直美で、東京に住んでいます。",
    ],
)
@pytest.mark.parametrize(
    "question",
    [
        "私の名前なんだっけ？",
        "私の名前は何ですか",
        "私の名前を覚えていますか？",
        "わたしの名前を教えて",
        "私は誰ですか",
    ],
)
def test_a_name_said_in_japanese_is_remembered(statement: str, question: str) -> None:
    assert reply_to(statement).startswith("こんにちは、渡辺直美さん！")
    assert reply_to(statement, "元気？", question) == "あなたの名前は渡辺直美さんです！"


@pytest.mark.parametrize(
    "statement",
    [
        "My name is Naomi Watanabe.",
        "Hi there! my name's Naomi Watanabe and I like tea",
        "I'm Naomi Watanabe, from Tokyo",
        "I am Naomi Watanabe.",
        "I’m Naomi Watanabe!",
        "Please call me Naomi Watanabe.",
        "Remember that my name is Naomi Watanabe",
    ],
)
@pytest.mark.parametrize(
    "question",
    ["What is my name?", "what's my name", "Do you remember my name?", "Who am I?", "Do you know what my name is?"],
)
def test_a_name_said_in_english_is_remembered(statement: str, question: str) -> None:
    assert reply_to(statement).startswith("Hello, Naomi Watanabe!")
    assert reply_to(statement, "How are you?", question) == "Your name is Naomi Watanabe!"


@pytest.mark.parametrize(
    "statement",
    [
        "私は学生です。",
        "私は眠いです",
        "私は猫が好きです",
        "私は東京に住んでいます。",
        "犬の名前はポチです",
        "あなたの名前はオモイデです",
        "彼の名前は太郎です",
        "私は東京で働いています。犬を飼っていて、名前はポチといいます。",
        "犬を飼っています。名前はポチです。",
        "娘が生まれました！名前は花です",
        "猫がいます、タマと呼んでいます",
        "私はポチの飼い主です",
        "私は医者です",
        "I have a dog. His name is Rex.",
        "I'm tired",
        "I'm Japanese.",
        "My dog's name is Rex",
        "My name is not important",
        "What is my name?",
    ],
)
def test_what_is_no_name_is_not_taken_for_one(statement: str) -> None:
    assert reply_to(statement, "What is my name?") == "You have not told me your name yet."
    assert reply_to(statement, "私の名前なんだっけ？") == "まだお名前を伺っていません。"


def test_a_dogs_name_is_not_its_owners() -> None:
    dog = "私は東京で働いています。犬を飼っていて、名前はポチといいます。"
    assert "ポチさん" not in reply_to(dog)
    assert reply_to("私の名前は渡辺直美です。", dog, "私の名前なんだっけ？") == "あなたの名前は渡辺直美さんです！"
    assert reply_to("犬を飼っています。私の名前は直美です。", "私の名前は？") == "あなたの名前は直美さんです！"
    assert reply_to("東京に住んでいます。名前は渡辺直美です。", "私の名前は？") == "あなたの名前は渡辺直美さんです！"


def test_the_latest_name_wins() -> None:
    assert reply_to("My name is Bob.", "Call me Rob", "Hello", "What's my name?") == "Your name is Rob!"
    assert reply_to("My name is Bob. No, my name is Rob. What's my name?") == "Your name is Rob!"


def test_the_model_says_only_what_users_and_system_messages_told_it() -> None:
    heard = Prompt((Message("assistant", "My name is Bob."), Message("user", "What is my name?")))
    assert answer(heard).text == "You have not told me your name yet."
    assert reply_to("What is my name?", system="The user's name is Naomi.") == "Your name is Naomi!"
    assert reply_to("私の名前は？", system="ユーザーの名前は直美です。") == "あなたの名前は直美さんです！"
    assert reply_to("What is my name?", system="I am Bob, a helpful robot.") == "You have not told me your name yet."


def test_other_facts_are_remembered() -> None:
    told = "Please remember that my cat is called Tama."
    assert reply_to(told) == "I will remember: my cat is called Tama"
    assert reply_to(told, "Hi", "What did I ask you to remember?") == "You asked me to remember: my cat is called Tama"
    assert reply_to("What did I ask you to remember?").startswith("You have not asked me")
    told = "牛乳を買うことを覚えておいてください。"
    assert reply_to(told) == "覚えました：牛乳を買う"
    assert reply_to(told, "何を覚えていますか？") == "覚えているのは：牛乳を買う"


def test_anything_else_is_answered_by_what_was_read() -> None:
    assert reply_to("a", "b", "How old is the moon?", system="Be kind.") == (
        "(Offline stand-in) I have read 5 message(s) so far. The last one is: “How old is the moon?”"
    )
    assert reply_to("空はなぜ青いの？").startswith("（オフラインの代役です）ここまで1件のメッセージを読みました。")
    assert "x" * 40 + "…" in reply_to("x" * 5000)


def test_a_system_message_chooses_the_language() -> None:
    assert reply_to("What is my name?", system="Always answer in Japanese.") == "まだお名前を伺っていません。"
    assert reply_to("私の名前は？", system="英語で答えてください") == "You have not told me your name yet."


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "part", ["私の名前は", "a", "remember ", "I'm A", "A. ", "を覚えて", "what is my name ", "answer "]
)
def test_long_messages_are_answered_at_once(part: str) -> None:
    assert reply_to(part * 20_000, "What did I ask you to remember?")
    assert reply_to("Hello", part * 20_000, system=part * 20_000)


@pytest.mark.parametrize(
    ("question", "city"),
    [
        ("What is the weather in Paris?", "Paris"),
        ("How is the weather in New York today?", "New York"),
        ("東京の天気は？", "東京"),
        ("明日のニューヨークの天気を教えて", "ニューヨーク"),
        ('The weather of "Kyoto", please', "Kyoto"),
    ],
)
def test_a_function_that_fits_is_called(question: str, city: str) -> None:
    reply = answer(Prompt((Message("user", question),), (WEATHER,)))
    assert [(call.name, arguments(call)) for call in reply.calls] == [("get_weather", {"city": city})]
    assert reply.text is None


def test_a_function_that_does_not_fit_is_not_called() -> None:
    told = (
        Message("user", "私の名前は渡辺直美です。"),
        Message("assistant", "…"),
        Message("user", "私の名前なんだっけ？"),
    )
    assert answer(Prompt(told, (WEATHER, CLOCK))).text == "あなたの名前は渡辺直美さんです！"
    assert not answer(Prompt((Message("user", "What is my name?"),), (WEATHER, CLOCK))).calls


def test_a_function_is_called_when_it_must() -> None:
    reply = answer(Prompt((Message("user", "Hello"),), (WEATHER, CLOCK), must_call=True))
    assert [call.name for call in reply.calls] == ["get_weather"]


def test_two_functions_that_fit_are_called_at_once_unless_calls_are_one_by_one() -> None:
    asked = (Message("user", "What are the time and the weather in Oslo?"),)
    both = answer(Prompt(asked, (WEATHER, CLOCK)))
    assert [(call.name, arguments(call)["city"]) for call in both.calls] == [
        ("get_weather", "Oslo"),
        ("get_time", "Oslo"),
    ]
    assert len(answer(Prompt(asked, (WEATHER, CLOCK), parallel=False)).calls) == 1


def test_only_a_description_may_fit() -> None:
    ledger = Function("fn_17", "Books an invoice in the ledger.", {"type": "object", "properties": {}})
    assert [call.name for call in answer(Prompt((Message("user", "Book this invoice"),), (WEATHER, ledger))).calls] == [
        "fn_17"
    ]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What is the weather in Oslo?", "The tool get_weather says: 4C\nThe tool get_time says: 12:00"),
        ("オスロの天気は？", "ツール get_weather の結果：4C\nツール get_time の結果：12:00"),
    ],
)
def test_tool_results_are_told(question: str, expected: str) -> None:
    called = Message("assistant", calls=(("c1", "get_weather"), ("c2", "get_time")))
    results = (Message("tool", "4C", answers="c1"), Message("tool", "12:00", answers="c2"))
    assert answer(Prompt((Message("user", question), called, *results), (WEATHER, CLOCK))).text == expected


def test_a_structured_output_holds_the_reply() -> None:
    asked = (Message("user", "My name is Naomi."), Message("user", "What is my name?"))
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    as_schema = answer(Prompt(asked, output_format=OutputFormat("json_schema", schema))).text
    as_object = answer(Prompt(asked, output_format=OutputFormat("json_object"))).text
    assert json.loads(as_schema or "") == {"name": "Your name is Naomi!"}
    assert json.loads(as_object or "") == {"answer": "Your name is Naomi!"}


@given(st.text())
def test_pieces_joined_are_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text


@given(st.text(min_size=1), st.integers(1, 40))
def test_a_limit_cuts_a_text(text: str, limit: int) -> None:
    reply = limited(Reply(text=text), limit, MODEL)
    assert text.startswith(reply.text or "")
    assert reply.tokens(MODEL) <= limit
    assert (reply.incomplete == "max_output_tokens") == (reply.text != text) == (text_tokens(text, MODEL) > limit)


@given(st.lists(st.text(min_size=1), min_size=1, max_size=3), st.integers(1, 40))
def test_a_limit_cuts_calls(texts: list[str], limit: int) -> None:
    whole = Reply(calls=tuple(FunctionCall("f", text) for text in texts))
    reply = limited(whole, limit, MODEL)
    assert reply.tokens(MODEL) <= limit
    assert (reply.incomplete is None) == (reply == whole) == (whole.tokens(MODEL) <= limit)


@pytest.mark.parametrize("text", ["x" * 2_000_000, "思い出" * 300_000])
def test_a_very_long_text_is_estimated(text: str) -> None:
    assert text_tokens(text, MODEL) == len(text.encode()) // 4


def test_numbers_and_places_are_taken_from_the_question() -> None:
    properties = {
        "origin": {"type": "string"},
        "destination": {"type": "string"},
        "seats": {"type": "integer", "minimum": 1},
        "class": {"enum": ["economy", "first"]},
        "remark": {"type": "string"},
    }
    flight = Function(
        "book_flight", "", {"properties": properties, "required": ["origin", "destination", "seats", "class"]}
    )
    reply = answer(Prompt((Message("user", "Book 3 seats on a flight from Paris to Tokyo"),), (flight,)))
    assert arguments(reply.calls[0]) == {"origin": "Paris", "destination": "Tokyo", "seats": 3, "class": "economy"}
