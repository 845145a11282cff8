"""README.ja.md says in the words of its glossary what README.md says, with the same code."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGLISH = (ROOT / "README.md").read_text(encoding="utf-8")
JAPANESE = (ROOT / "README.ja.md").read_text(encoding="utf-8")
BLOCKS = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

IN_PLACE_OF = {
    "メモリー": "メモリ",
    "記憶": "会話メモリ",
    "ログ": "会話履歴",
    "メモリサイズ": "会話メモリ",
    "退避ポリシー": "メモリポリシー",
    "削除": "退避、消去",
    "発話": "ターン、メッセージ",
    "セマンティックキャッシュ": "レスポンスキャッシュ",
    "べき等": "冪等",
    "モック": "代役",
}
"""A word that does not occur → the one that is used."""

USED = (
    "会話履歴",
    "会話メモリ",
    "メモリポリシー",
    "退避",
    "対象外",
    "コンテキストウィンドウ",
    "ターン",
    "メッセージ",
    "アイテム",
    "要約メモリ",
    "エンティティメモリ",
    "ナレッジグラフ",
    "想起",
    "レスポンスキャッシュ",
    "ヒット",
    "ミス",
    "バイパス",
    "同時リクエストの集約",
    "シングルフライト",
    "冪等キー（`Idempotency-Key`）",
    "リース",
    "コミット",
    "永続化",
    "有効期限（TTL）",
    "代役（オフラインの簡易モデル）",
    "上限超過",
    "試算",
    "サーバーレス",
    "コールドスタート",
)


def test_code_is_the_readmes_outside_comments() -> None:
    assert _code(JAPANESE) == _code(ENGLISH)


def test_what_follows_a_comments_sign_is_a_comment_and_nothing_else_is() -> None:
    assert _code("```console\n$ make run   # a\n```\n") == _code("```console\n$ make run      # b\n```\n")
    assert _code('```python\nsay("#1")  # a\n```\n') != _code('```python\nsay("#2")  # a\n```\n')
    assert _code(f"```\n{'local/':35}a\n```\n") == _code(f"```\n{'local/':35}b\n```\n")
    assert _code(f"```\n{'local/':35}a\n```\n") != _code(f"```\n{'events/':35}a\n```\n")


def test_every_section_of_the_readme_has_its_counterpart() -> None:
    sections = [re.sub(r"[^\w-]", "", title.lower().replace(" ", "-")) for title in _titles(ENGLISH)]
    assert len(sections) >= 7
    counterparts = re.findall(r"^<!-- README: (\S+) -->\n## ", JAPANESE, re.MULTILINE)
    assert Counter(counterparts) == Counter(sections)


@pytest.mark.parametrize("word", IN_PLACE_OF)
def test_a_thing_has_one_word(word: str) -> None:
    assert word not in _prose(), f"{IN_PLACE_OF[word]} is the word for {word}"


@pytest.mark.parametrize("word", USED)
def test_the_glossarys_words_are_used(word: str) -> None:
    assert word in _prose()


def test_the_providers_cache_is_told_from_ours_once() -> None:
    told = [line for line in _prose().splitlines() if "プロンプトキャッシュ" in line]
    assert len(told) == 1
    assert "別物" in told[0]


def test_letters_and_digits_are_of_half_width() -> None:
    assert not re.findall(r"[Ａ-Ｚａ-ｚ０-９]", JAPANESE)


def test_the_two_link_to_each_other() -> None:
    assert "](README.md)" in JAPANESE
    assert "](README.ja.md)" in ENGLISH


def _titles(page: str) -> list[str]:
    return re.findall(r"^## (.+)$", page, re.MULTILINE)


def _prose() -> str:
    """Give what is no code, and the tree of folders."""
    return BLOCKS.sub(lambda block: "" if block[1] else block[2], JAPANESE)


def _code(page: str) -> Counter[tuple[str, ...]]:
    """Count a page's blocks of code, each its language and lines without their comments: the pages differ in order."""
    found: Counter[tuple[str, ...]] = Counter()
    for language, text in BLOCKS.findall(page):
        found[(language, *(_without_comment(line, language) for line in text.splitlines()))] += 1
    return found


def _without_comment(line: str, language: str) -> str:
    if language:
        return re.sub(r"\s+# .*$", "", line)
    # The tree of folders: from its second column on it says what they are.
    return re.sub(r"^(.{33})  \S.*$", r"\1", line).rstrip()
