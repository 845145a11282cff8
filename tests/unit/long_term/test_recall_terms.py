"""What an index keeps of a text: words, not the text."""

import pytest

from chat_core.long_term.recall import digest, stands_alone, terms, weighted
from chat_core.long_term.recall.terms import MOST_TERMS, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("dogs", "Dog"),
        ("She was running", "she was run"),
        ("cities", "city"),
        ("Mel’s book", "mel book"),
        ("ＯＭＯＩＤＥ", "omoide"),
        ("walked and talked", "walk and talk"),
    ],
)
def test_forms_of_a_word_are_one_term(one: str, other: str) -> None:
    assert terms(one) == terms(other)


def test_scripts_without_spaces_are_cut_into_pairs_and_single_ideographs() -> None:
    assert list(words("犬の散歩")) == ["犬", "散", "歩", "犬の", "の散", "散歩"]
    assert list(words("ポチ")) == ["ポチ"]
    # Grammar alone says nothing.
    assert not terms("それでは、そのときは？")
    assert terms("강아지") & terms("강아지가")


def test_words_with_signs_and_digits_stay_whole() -> None:
    assert list(words("हिन्दी में 8841-C")) == ["हिन्दी", "में", "8841", "c"]


def test_a_sentence_finds_a_word_in_the_middle_of_another() -> None:
    assert terms("ポチの散歩に行った") >= terms("散歩")


def test_a_book_is_known_by_its_beginning() -> None:
    text = " ".join(f"w{n}" for n in range(2 * MOST_TERMS))
    assert len(terms(text)) == MOST_TERMS
    assert terms("w0") < terms(text)


def test_what_differs_in_case_and_punctuation_alone_is_the_same_content() -> None:
    assert digest("What is my name? / Bob") == digest("what is my name? / bob!")
    assert digest("dog bites man") != digest("man bites dog")


def test_the_message_before_counts_a_little_and_fully_where_the_last_says_nearly_nothing() -> None:
    query = weighted("Where does my sister live now, ill?", "My dog is ill")
    assert {query[term] for term in terms("sister live")} == {1.0}
    assert {query[term] for term in terms("dog")} == {0.25}
    # A word of both is the last one's.
    assert {query[term] for term in terms("ill")} == {1.0}
    short = weighted("And why?", "My dog is ill")
    assert {short[term] for term in terms("dog ill")} == {1.0}
    assert not stands_alone("And why?")
    assert not stands_alone("")
    assert stands_alone("The dog?")
    assert stands_alone("ポチは？")


def test_the_words_that_questions_are_made_of_count_little() -> None:
    query = weighted("What did I tell you about the volcano?")
    assert {query[term] for term in terms("volcano")} == {1.0}
    assert {query[term] for term in terms("what did I tell you about the")} == {0.25}
    assert set(weighted("Was habe ich dir über den Vulkan gesagt?").values()) == {0.25, 1.0}
