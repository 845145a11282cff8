"""Which language a user writes in, and whether a text is written in it: by script, and by common words within Latin.

What is code or an address is no language. A message that mixes scripts is in the language that its grammar is in: kana
among Latin words make it Japanese.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAMES: Mapping[str, str] = {
    "ar": "العربية",
    "de": "Deutsch",
    "el": "Ελληνικά",
    "en": "English",
    "es": "español",
    "fr": "français",
    "he": "עברית",
    "hi": "हिन्दी",
    "id": "Bahasa Indonesia",
    "it": "italiano",
    "ja": "日本語",
    "ko": "한국어",
    "nl": "Nederlands",
    "pl": "polski",
    "pt": "português",
    "ru": "русский",
    "sv": "svenska",
    "th": "ไทย",
    "tr": "Türkçe",
    "uk": "українська",
    "vi": "Tiếng Việt",
    "zh": "中文",
}
"""Each language by its own name."""

_COMMON_WORDS: Mapping[str, str] = {
    "de": "der die das und ist nicht ich ein eine zu den mit auf für von dem sich wir sie es im am habe wie auch",
    "en": "i the and is of to in that it was for with you are this have on my be not they he she will has his her at",
    "es": "el la los las de que y en un una es por con para no se lo mi está como más pero su al del tiene",
    "fr": "le la les de des et est un une que qui dans pour pas je il elle en du au avec sur ce mon sont plus a",
    "id": "yang dan di ke dari ini itu untuk dengan tidak saya akan pada adalah bisa ada juga kami sudah",
    "it": "il lo la i gli di che e un una è per con non sono in del della mi si come ho anche al",
    "nl": "de het een en van is ik dat niet in te op met voor zijn aan er maar hij zij mijn ook heeft naar",
    "pl": "i w na z się nie jest to że do jak ale po co mam dla od przez ma być",
    "pt": "o a os as de que e em um uma é por com para não se meu minha está como mais mas ao do da tem",
    "sv": "och att det är en ett i på som för jag inte av med till har den han hon om vi min ska",
    "tr": "ve bir bu için ile de da ne ben çok gibi daha ama var olarak mi değil benim",
    "vi": "và là của có không tôi một cho được với này trong người đã những để khi",
}
_CYRILLIC_WORDS: Mapping[str, str] = {
    "ru": "и в не на я что с он она это как по но из у за от так все мы был",
    "uk": "і в не на я що з він вона це як по але із у за від так всі ми був та є",
}
_SCRIPTS: Mapping[str, str] = {
    "HIRAGANA": "kana",
    "KATAKANA": "kana",
    "KATAKANA-HIRAGANA": "kana",
    "HANGUL": "ko",
    "CJK": "han",
    "CYRILLIC": "cyrillic",
    "LATIN": "latin",
    "ARABIC": "ar",
    "HEBREW": "he",
    "GREEK": "el",
    "THAI": "th",
    "DEVANAGARI": "hi",
}
_OF_A_LANGUAGE: Mapping[str, frozenset[str]] = {
    "ja": frozenset({"kana", "han"}),
    "zh": frozenset({"han"}),
    **{name: frozenset({name}) for name in ("ko", "ar", "he", "el", "th", "hi")},
    **{name: frozenset({"cyrillic"}) for name in _CYRILLIC_WORDS},
    "cyrillic": frozenset({"cyrillic"}),
}
"""Scripts that a language is written in; those that are not here are written in Latin."""

LATIN = "latin"
"""What stands for the language of a text of Latin letters that has too few common words to tell."""

_JAPANESE_SHARE = 0.1
_OTHER_SHARE = 0.3
_EXPECTED_SHARE = 0.5
_TELLING_WORDS = 3
_NO_LANGUAGE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|\b(?:https?|ftp)://\S+|\bwww\.\S+|\S+@\S+\.\w+", re.DOTALL)
_WORD = re.compile(r"\w+")


def language_of(texts: Sequence[str], before: str = "") -> str:
    """Tell the language that most characters of a user's messages are in; at a tie the newest message's.

    Parameters
    ----------
    texts
        What the user wrote, oldest first.
    before
        What the language was so far: it goes on where the texts do not tell another.

    Returns
    -------
    str
        A code of `NAMES`, ``latin`` or ``cyrillic`` where the script is all that can be told, or ``before``.
    """
    weights: Counter[str] = Counter()
    newest: dict[str, int] = {}
    for place, text in enumerate(texts):
        letters = _letters(plain := _NO_LANGUAGE.sub(" ", text))
        if letters and (found := _language(plain, letters)):
            weights[found] += letters.total()
            newest[found] = place
    for vague, certain in ((LATIN, _COMMON_WORDS), ("cyrillic", _CYRILLIC_WORDS)):
        known = [name for name in weights if name in certain]
        if vague in weights and (known or before in certain):
            best = max(known, key=lambda name: weights[name]) if known else before
            weights[best] += weights.pop(vague)
            newest[best] = max(newest.get(best, -1), newest[vague])
    if not weights:
        return before
    return max(weights, key=lambda name: (weights[name], newest[name]))


def is_written_in(text: str, language: str, *, source: str = "") -> bool:
    """Whether a text is in a language, as far as can be told: half of its letters are of its script.

    Code, addresses and words that occur in the source as they are do not count: names stay as they are.
    """
    plain = _NO_LANGUAGE.sub(" ", text)
    given = set(_WORD.findall(source.casefold()))
    own = " ".join(word for word in _WORD.findall(plain) if word.casefold() not in given)
    letters = _letters(own)
    total = letters.total()
    if not language or not total:
        return True
    scripts = _OF_A_LANGUAGE.get(language, frozenset({LATIN}))
    if sum(letters[script] for script in scripts) < _EXPECTED_SHARE * total:
        return False
    if language == "ja":
        everything = _letters(plain)
        return bool(everything["kana"])
    told = _by_words(plain, _words_of(language))
    return not told or told == language or language in (LATIN, "cyrillic")


def _letters(text: str) -> Counter[str]:
    """Count letters by script."""
    return Counter(script for character in text if (script := _script(character)))


@cache
def _script(character: str) -> str:
    if not character.isalpha():
        return ""
    if character.isascii():
        return LATIN
    first = unicodedata.name(character, "").split(" ", 1)[0]
    return _SCRIPTS.get(first, "other")


def _language(text: str, letters: Counter[str]) -> str:
    total = letters.total()
    if letters["kana"] >= _JAPANESE_SHARE * total:
        return "ja"
    if letters["ko"] >= _OTHER_SHARE * total:
        return "ko"
    if letters["han"] >= _OTHER_SHARE * total:
        return "zh"
    script = letters.most_common(1)[0][0]
    if script in (LATIN, "cyrillic"):
        return _by_words(text, _COMMON_WORDS if script == LATIN else _CYRILLIC_WORDS, least=2) or script
    return script if script in NAMES else ""


def _words_of(language: str) -> Mapping[str, str]:
    if language in _CYRILLIC_WORDS:
        return _CYRILLIC_WORDS
    return _COMMON_WORDS if language in _COMMON_WORDS else {}


def _by_words(text: str, languages: Mapping[str, str], least: int = _TELLING_WORDS) -> str:
    """Tell a language by the common words that occur; empty where too few do, or those of another as often."""
    words = Counter(_WORD.findall(text.casefold()))
    found = {name: sum(words[word] for word in _set(common)) for name, common in languages.items()}
    ranked = sorted(found, key=lambda name: found[name], reverse=True)
    if len(ranked) < 2 or found[ranked[0]] < least or found[ranked[0]] == found[ranked[1]]:
        return ""
    return ranked[0]


@cache
def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())
