from __future__ import annotations

import pytest

from chat_core.long_term.language import is_written_in, language_of

JA = "来月から福岡の支社に移ります。犬も連れて行きます。"
EN = "I am moving to the branch in Fukuoka next month, and the dog will come with me."
DE = "Ich ziehe im nächsten Monat nach Fukuoka, und der Hund kommt mit."
ZH = "我下个月要搬到上海，公司在浦东。"


@pytest.mark.parametrize(
    ("texts", "before", "expected"),
    [
        ([JA], "", "ja"),
        ([EN], "", "en"),
        (["I moved to Rome."], "en", "en"),  # "i" and "to" are common in Polish, too
        ([DE], "", "de"),
        ([ZH], "", "zh"),
        (["다음 달에 부산으로 이사합니다."], "", "ko"),
        (["Я переезжаю в Казань, и собака тоже, но не на машине."], "", "ru"),
        (["Kubernetes の Deployment が Pending のままです"], "", "ja"),
        ([f"```python\nfor the_user in have_you_this_with_that:\n    pass\n```\n{JA}"], "", "ja"),
        ([JA, "https://example.com/this/is/the/page/that/you/have/for/me"], "", "ja"),
        ([EN, JA + JA + JA], "", "ja"),
        ([EN, EN, EN, JA], "", "en"),
        (["hello"], "", "latin"),
        (["hello"], "de", "de"),
        (["hello", DE], "", "de"),
        (["👍", "12 + 3"], "ja", "ja"),
        ([], "", ""),
    ],
)
def test_the_language_of_a_user(texts: list[str], before: str, expected: str) -> None:
    assert language_of(texts, before) == expected


def test_at_a_tie_the_newest_message_tells() -> None:
    assert language_of(["あいうえ", "가나다라"]) == "ko"
    assert language_of(["가나다라", "あいうえ"]) == "ja"


@pytest.mark.parametrize(
    ("text", "language", "source", "expected"),
    [
        (JA, "ja", "", True),
        (EN, "ja", JA, False),
        (JA, "en", EN, False),
        (DE, "en", "", False),
        (EN, "en", "", True),
        (ZH, "ja", "", False),
        (JA, "zh", "", False),
        ("利用者は Kubernetes と PostgreSQL を使う。", "ja", "Kubernetes PostgreSQL", True),
        ("利用者: `kubectl get pods --all-namespaces` を使う。", "ja", "", True),
        ("Alice", "ja", "Alice です", True),
        (EN, "latin", "", True),
        (JA, "latin", "", False),
        ("word word word", "en", "", True),
        (EN, "", "", True),
    ],
)
def test_whether_a_summary_is_in_it(text: str, language: str, source: str, expected: bool) -> None:
    assert is_written_in(text, language, source=source) is expected
