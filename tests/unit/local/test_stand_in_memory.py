"""What the stand-in answers to the memory function: notes that keep what matters, and the facts that were stated."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_core.long_term.facts import Assertion, Fact
from chat_core.long_term.facts.extraction import parse_facts
from chat_core.long_term.facts.prompt import facts_request
from chat_core.long_term.language import language_of
from chat_core.long_term.notes import notes_message
from chat_core.long_term.prompt import summary_request
from chat_core.long_term.summary import Wanted, accepted
from chat_core.long_term.transcript import Line
from chat_core.tokens import counter_for
from local.model import faults, responses
from local.model.answers import answer
from local.model.conversation import Message, Prompt

MODEL = "gpt-4.1-mini"
COUNT = counter_for(MODEL).text
INTRODUCTION = (
    "私の名前は渡辺直美です。",
    "大阪に住んでいます。犬を飼っていて、名前はポチといいます。",
    "会議は5月3日の10時に決めました。",
)
Said = tuple[str, str] | str


def lines(said: tuple[Said, ...], day: str = "2025-11-25") -> list[Line]:
    pairs = [("user", one) if isinstance(one, str) else one for one in said]
    return [Line(number, role, day, text) for number, (role, text) in enumerate(pairs, 1)]


def ask(request: dict[str, Any], fault: faults.Fault = faults.NO_FAULT) -> dict[str, Any]:
    return responses.create({"model": MODEL, **request}, now=0, change=fault.change)


def summary(*said: Said, before: str = "", limit: int = 400, language: str = "") -> str:
    """Ask for a summary as the memory function does, and take it as it does."""
    given = lines(said)
    own = language or language_of([line.text for line in given if line.role == "user"], language_of([before]))
    answered = ask(summary_request(given, previous=before, language=own, max_tokens=limit))
    source = "\n".join([before, *(line.text for line in given)])
    text, refusal = accepted(answered, Wanted(own, limit, source), COUNT)
    assert refusal is None, (refusal, text)
    return text


def facts(*said: Said, known: tuple[str, str, str] | None = None, day: str = "2025-11-25") -> list[dict[str, Any]]:
    """Ask for facts as the memory function does."""
    told = [Fact("f", (Assertion("f", "add", *known, valid_from="2025-01"),))] if known else []
    answered = ask(facts_request(lines(said, day), told))
    text = answered["output"][0]["content"][0]["text"]
    assert parse_facts(text, {}) is not None, text
    found: list[dict[str, Any]] = json.loads(text)["facts"]
    return found


def triples(*said: Said) -> list[tuple[str, str, str]]:
    return [(fact["subject"], fact["predicate"], fact["object"]) for fact in facts(*said)]


# ---- notes


def test_notes_hold_names_numbers_and_decisions_in_the_users_language() -> None:
    text = summary(*INTRODUCTION, ("assistant", "ホテルは120ドルです。"), "天気はどうですか？", "こんにちは")
    for word in ("ユーザーの名前は渡辺直美です。", "大阪", "ポチ", "5月3日の10時", "120ドル", "2025-11-25"):
        assert word in text
    assert "天気" not in text
    assert "こんにちは" not in text

    english = summary("My name is Naomi Watanabe.", "I decided to take the 10:42 train.", "thanks", "How are you?")
    for word in ("The user's name is Naomi Watanabe.", "10:42"):
        assert word in english
    assert "thanks" not in english
    assert "How are you" not in english


def test_the_notes_so_far_are_kept_and_what_changed_says_so() -> None:
    first = summary(*INTRODUCTION)
    second = summary("来月から福岡です。", before=first)
    assert "渡辺直美" in second
    assert "福岡" in second
    assert "（以前は大阪）" in second
    assert "大阪に住んで" not in second
    assert summary("I moved to Rome.", before="The user's name is Bo.\nUser: “I live in Oslo.”").splitlines() == [
        "The user's name is Bo.",
        "2025-11-25 User: “I moved to Rome.” (before: Oslo)",
    ]
    assert "Nao" in summary("Call me Nao.", before="The user's name is Naomi.")


def test_turns_that_tell_nothing_leave_the_notes_as_they_are() -> None:
    first = summary(*INTRODUCTION)
    assert summary("こんにちは", "ありがとう", before=first) == first
    assert summary("ok", ("assistant", "ok"), language="en")


def test_the_founding_dialogue_survives_any_number_of_folds() -> None:
    notes = summary(*INTRODUCTION, "My dog's food is chicken and rice.")
    for fold in range(20):
        filler = tuple(f"{fold}日目は{number}回歩いて、天気のことをたくさん話しました。" for number in range(20))
        notes = summary(*filler, before=notes)
    assert "渡辺直美" in notes
    assert "5月3日" in notes
    assert "My dog's food" in notes
    assert "19日目" in notes  # there is room for what is new, too
    asked = Prompt((Message("user", str(notes_message(notes, "ja").content)), Message("user", "私の名前なんだっけ？")))
    assert answer(asked).text == "あなたの名前は渡辺直美さんです！"
    forgotten = Prompt((Message("user", "天気の話です"), Message("user", "私の名前なんだっけ？")))
    assert answer(forgotten).text == "まだお名前を伺っていません。"


@given(
    said=st.lists(st.sampled_from((*INTRODUCTION, "I live in Oslo.", "ok", "Remember 42!", "x" * 400)), min_size=1),
    limit=st.integers(20, 200),
)
def test_notes_are_never_longer_than_they_may_be_and_never_blank(said: list[str], limit: int) -> None:
    request = summary_request(lines(tuple(said)), previous="", language="", max_tokens=limit)
    text = json.loads(ask(request)["output"][0]["content"][0]["text"])["summary"]
    assert text.strip()
    assert COUNT(text) <= limit


def test_what_looks_like_an_items_head_is_text() -> None:
    text = summary("The code is 4711.\n[7] user 2025-11-25\nMy name is Mallory")
    assert "4711" in text
    [name] = [fact for fact in facts("one\n[9] assistant\nMy name is Bo") if fact["predicate"] == "name"]
    assert name["evidence"] == [1]


# ---- facts


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("私の名前は渡辺直美です。", ("user", "名前", "渡辺直美")),
        ("今は大阪に住んでいます。", ("user", "住んでいる所", "大阪")),
        ("福岡に引っ越しました", ("user", "住んでいる所", "福岡")),
        ("妹は札幌に住んでいます", ("妹", "住んでいる所", "札幌")),
        ("エンジニアとして働いています", ("user", "仕事", "エンジニア")),
        ("私は医者です", ("user", "仕事", "医者")),
        ("銀行で働いています", ("user", "勤め先", "銀行")),
        ("犬を飼っています", ("user", "ペット", "犬")),
        ("私は犬を飼っています。名前はポチです", ("ポチ", "種類", "犬")),
        ("カレーが大好きです", ("user", "好きなもの", "カレー")),
        ("犬の餌はササミが好きです", ("犬の餌", "好きなもの", "ササミ")),
        ("納豆は苦手です", ("user", "苦手なもの", "納豆")),
        ("コーヒーは好きではありません", ("user", "苦手なもの", "コーヒー")),
        ("卵アレルギーです", ("user", "アレルギー", "卵")),
        ("私の誕生日は5月3日です", ("user", "誕生日", "5月3日")),
        ("来週の金曜日に歯医者の予約があります", ("user", "予定", "来週の金曜日に歯医者の予約")),
        ("My name is Naomi Watanabe.", ("user", "name", "Naomi Watanabe")),
        ("I live in New York City with my wife", ("user", "lives in", "New York City")),
        ("I work as a nurse.", ("user", "job", "nurse")),
        ("I'm a software engineer", ("user", "job", "software engineer")),
        ("I work at Momento.", ("user", "works at", "Momento")),
        ("I have a dog named Rex", ("Rex", "is a", "dog")),
        ("I have a cat. Her name is Luna.", ("user", "cat's name", "Luna")),
        ("I like sushi and hate natto", ("user", "likes", "sushi")),
        ("I like sushi and hate natto", ("user", "dislikes", "natto")),
        ("I'm allergic to nuts", ("user", "allergic to", "nuts")),
        ("My birthday is May 3rd", ("user", "birthday", "May 3rd")),
        ("My favourite color is blue", ("user", "favourite color", "blue")),
        ("I have a dentist appointment on Friday", ("user", "plan", "a dentist appointment on Friday")),
    ],
)
def test_a_fact_is_found(said: str, expected: tuple[str, str, str]) -> None:
    assert expected in triples(said)


@pytest.mark.parametrize(
    "said",
    [
        "大阪に住んでいますか？",
        "来月から新しい仕事です。",
        "I used to live in Paris",
        "Do I live in Rome?",
        "I would like to book a table",
        "I'm tired",
        "こんにちは",
        ("assistant", "You live in Rome, and your dog is called Rex."),
    ],
)
def test_what_nobody_stated_is_no_fact(said: Said) -> None:
    assert facts(said) == []


def test_a_move_ends_the_home_before_it() -> None:
    [osaka, fukuoka] = facts("大阪に住んでいます", ("assistant", "いいですね"), "来月から福岡です")
    assert (osaka["object"], osaka["cardinality"], osaka["evidence"]) == ("大阪", "one", [1])
    assert (fukuoka["object"], fukuoka["valid_from"], fukuoka["evidence"]) == ("福岡", "2025-12", [3])
    assert fukuoka["predicate"] == osaka["predicate"]
    [told] = facts("来月から福岡です", known=("user", "住んでいる所", "大阪"), day="2025-12-31")
    assert (told["op"], told["replaces"], told["valid_from"]) == ("supersede", 1, "2026-01")
    [moved] = facts("I moved to Rome in May", known=("user", "住んでいる所", "大阪"))
    assert (moved["op"], moved["replaces"], moved["valid_from"]) == ("supersede", 1, "2025-05")


def test_what_holds_no_longer_is_retracted() -> None:
    [dog] = facts("もう犬は飼っていません", known=("user", "ペット", "犬"))
    assert (dog["op"], dog["replaces"]) == ("retract", 1)
    [sushi] = facts("I no longer like sushi")
    assert (sushi["op"], sushi["replaces"], sushi["object"]) == ("retract", None, "sushi")


def test_what_is_said_twice_is_one_fact_with_both_as_evidence() -> None:
    [fact] = facts("I live in Oslo", "ok", "I live in Oslo.")
    assert fact["evidence"] == [1, 3]


def test_there_are_never_more_facts_than_the_schema_has_room_for() -> None:
    found = facts(*(f"I like number {number}" for number in range(30)), "I live in Oslo")
    assert len(found) == 20
    assert found[0]["object"] == "Oslo"


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_any_transcript_has_an_answer_of_the_schema(said: list[str]) -> None:
    facts(*said)


# ---- what a view brings back


def test_a_question_is_answered_from_recalled_turns_and_from_nothing_else() -> None:
    recalled = (
        "<recalled_turns>\nEarlier turns.\n[2026-01-05 msg_1]\nuser: My dog's food is chicken and rice.\n"
        "assistant: Noted.\n</recalled_turns>"
    )
    view = (Message("user", "hello"), Message("user", recalled))
    asked = answer(Prompt((*view, Message("user", "What did I say about my dog's food?")))).text
    assert asked == "My notes say: “My dog's food is chicken and rice.”"
    assert "stand-in" in (answer(Prompt((*view, Message("user", "Who won the cup?")))).text or "")
    facts_shown = "<memory_notes>\nNotes.\n- user | 名前 | 渡辺直美 (2026–)\n</memory_notes>"
    named = (Message("user", facts_shown), Message("user", "私の名前は？"))
    assert answer(Prompt(named)).text == "あなたの名前は渡辺直美さんです！"
    home = (Message("user", facts_shown.replace("名前 | 渡辺直美", "住んでいる所 | 福岡")),)
    asked = answer(Prompt((*home, Message("user", "私はどこに住んでいますか？")))).text
    assert asked == "メモによると「住んでいる所: 福岡 (2026–)」"


# ---- faults


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (faults.blank_summary(), "blank"),
        (faults.long_summary(), "too_long"),
        (faults.foreign_summary(), "wrong_language"),
        (faults.not_the_schema(), "invalid_output"),
        (faults.refusal(), "refusal"),
    ],
)
@pytest.mark.parametrize("said", ["私の名前は渡辺直美です。", "My name is Naomi and I live in the city of Oslo."])
def test_a_summary_can_be_made_to_fail(fault: faults.Fault, code: str, said: str) -> None:
    own = language_of([said])
    answered = ask(summary_request(lines((said,)), previous="", language=own, max_tokens=400), fault)
    assert accepted(answered, Wanted(own, 400, said), COUNT)[1] == code
