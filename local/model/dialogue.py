"""What people say about themselves: names and things to remember, found by small patterns in Japanese and English."""

from __future__ import annotations

import re

_SELF = "(?:私|わたし|わたくし|あたし|僕|ぼく|俺|おれ)"
_IS = "(?:です|だ|である|と申します|といいます|と言います)"
_START = r"(?:^|[、,\s])"
_ENGLISH_WORD = r"[^\W\d_][\w'.-]*"
_ENGLISH_NAME = (
    rf"(?P<name>(?!(?:not|what|a|an|the|on|in)\b){_ENGLISH_WORD}"
    rf"(?: (?!(?:and|but|so|or|from|please|nice|what)\b){_ENGLISH_WORD}){{0,3}})"
)

_NAME_STATEMENTS = tuple(
    re.compile(pattern)
    for pattern in (
        # 私の名前は渡辺直美です。 名前は渡辺直美で、… (but not 犬の名前は…)
        rf"{_START}(?:{_SELF}の|(?P<bare>))名前は「?(?P<name>[^、,「」]{{1,40}}?)」?(?:で[、,].*|{_IS}?(?:よ|ね)?)$",
        # 私は渡辺直美です。
        rf"{_START}{_SELF}は、?「?(?P<name>[^、,「」をはがで]{{1,20}}?)」?{_IS}(?:よ|ね)?$",
        # 渡辺直美と申します。 渡辺直美と呼んでください。
        rf"{_START}(?:{_SELF}のこと[はを])?「?(?P<name>[^、,「」をはがで]{{1,20}}?)」?(?:と申します|(?:と|って)呼んで(?!い|る|ま))",
        rf"(?i:\bmy name(?: is|'s) {_ENGLISH_NAME})",
        rf"(?i:\bcall me {_ENGLISH_NAME})",
        # I'm Naomi Watanabe. The capital tells it from "I'm tired".
        r"\b[Ii](?:'m| am) (?P<name>[A-Z][\w'-]*(?: [A-Z][\w'.-]*){0,3})(?=$|[.,!;]| and\b| from\b)",
    )
)
# 犬を飼っていて、名前はポチです: whose name it is stands before it.
_SOMEONE_ELSE = re.compile(
    r"[犬猫鳥魚亀馬]|イヌ|ネコ|うさぎ|ウサギ|ハムスター|インコ|ペット|飼[いうっわ]|[子娘妻夫母父姉妹兄弟]|旦那|息子|赤ちゃん"
    r"|友達|友人|親友|彼|先生|上司|同僚|先輩|後輩|会社|お店|学校|大学|チーム|バンド|映画|小説|曲|町|村|島"
)
# 私は学生です, 私は眠いです, I'm Japanese: not names.
_NO_NAME = re.compile(
    r"学生|社員|日本人|アメリカ人|中国人|韓国人|[歳才]|好き|嫌い|元気|大丈夫|[一-龯]+い$|した$|飼い主"
    r"|出身|医者|医師|教師|看護師|エンジニア|主婦|主夫|ファン$"
    r"|^(?:OK|Japanese|American|English|British|Chinese|French|German|Korean)$"
)
# What a summary of the conversation, or an app's own instruction, says of the user.
_NAME_OF_USER = re.compile(
    rf"ユーザーの名前は「?(?P<ja>[^、,「」]{{1,40}}?)」?(?:です|だ)?$|(?i:\buser's name is {_ENGLISH_NAME})"
)
_NAME_QUESTION = re.compile(
    rf"(?:{_SELF}の|^)名前(?=.*(?:(?:何|なん|なに|だれ|誰)(?:[だでとかって]|[?？]|$)|[?？]|知って|教えて|言って|思い出"
    r"|覚えて(?!お|くだ|下さ|ね|よ)))"
    rf"|{_SELF}は(?:誰|だれ)"
    r"|(?i:\bwhat(?:'s| is| was) my (?:first |last |full )?name\b"
    r"|\b(?:remember|know|recall|tell me|forget|forgotten) my (?:first |last |full )?name\b(?! is|'s)"
    r"|\bwhat my name is\b|\bwho am i\b)"
)
_FACTS = (
    re.compile(r"(?i:\bremember(?: that|:) (?P<fact>.+))"),
    re.compile(r"(?P<fact>.+?)(?:ということ|ってこと|こと|と)?を?覚えて(?:おいて)?(?:い?てね|ください|下さい|ね)?$"),
)
_FACT_QUESTION = re.compile(
    r"何を覚えて|覚えて(?:いる|る)こと"
    r"|(?i:\bwhat (?:did|have) i (?:ask(?:ed)?|t[eo]ld|tell) you to remember\b|\bwhat do you remember\b)"
)
# A sentence with the mark that ends it; a full stop after a capital is an initial's.
_SENTENCE = re.compile(r"(?:[^。！？!?\n.]|\.(?!\s|$)|(?<=\b[A-Z])\.(?=\s))+[。！？!?.]?")
# The patterns' time grows faster than the sentence.
_LONGEST = 200
_ANSWER_IN = re.compile(
    r"(?i:\b(?:answer|respond|reply|speak|write)\b[^.\n]{0,40}\b(?:in )?(?P<language>japanese|english)\b)"
    r"|(?P<ja>日本語)で|(?P<en>英語)で"
)


def sentences(text: str, *, longest: int = _LONGEST) -> list[str]:
    """Cut a text into its sentences, marks included; longer ones than people say their names in are left out."""
    found = (sentence.strip() for sentence in _SENTENCE.findall(text.replace("’", "'")))
    return [sentence for sentence in found if 0 < len(sentence) <= longest]


def is_japanese(text: str) -> bool:
    """Tell whether a text has Japanese characters in it."""
    return re.search(r"[ぁ-ヿ一-龯]", text) is not None


def instructed_language(text: str) -> str | None:
    """Return ``"ja"`` or ``"en"`` where an instruction asks for answers in that language."""
    found = _ANSWER_IN.search(text)
    if found is None:
        return None
    return "ja" if found["ja"] or (found["language"] or "").lower() == "japanese" else "en"


def stated_name(text: str) -> str | None:
    """Return the name that a user's message last gives its author, if it gives one."""
    said = sentences(text)
    names = [name for before, sentence in zip(["", *said], said, strict=False) if (name := _name_in(sentence, before))]
    return names[-1] if names else None


def _name_in(sentence: str, before: str) -> str | None:
    if _NAME_QUESTION.search(sentence):
        return None
    bare = sentence.rstrip("。！？!?. ")
    for pattern in _NAME_STATEMENTS:
        found = pattern.search(bare)
        if found is None or _NO_NAME.search(found["name"]):
            continue
        if found.groupdict().get("bare") == "" and _SOMEONE_ELSE.search(before + bare[: found.start("name")]):
            continue
        return found["name"].strip(" 　'.-")
    return None


def name_of_user(text: str) -> str | None:
    """Return the user's name where a system message tells it."""
    for sentence in sentences(text):
        found = _NAME_OF_USER.search(sentence.rstrip("。！？!?. "))
        if found:
            return (found["ja"] or found["name"]).strip(" 　'.-")
    return None


def asks_name(text: str) -> bool:
    """Tell whether a message asks for its author's own name."""
    return any(_NAME_QUESTION.search(sentence) for sentence in sentences(text))


def facts_to_remember(text: str) -> list[str]:
    """Return what a message asks to be remembered."""
    found = []
    for sentence in sentences(text):
        if _FACT_QUESTION.search(sentence) or sentence.endswith(("?", "？")):
            continue
        bare = sentence.rstrip("。！!. ")
        match = next((match for pattern in _FACTS if (match := pattern.search(bare))), None)
        if match:
            found.append(match["fact"].strip(" 　、,"))
    return found


def asks_facts(text: str) -> bool:
    """Tell whether a message asks what was to be remembered."""
    return any(_FACT_QUESTION.search(sentence) for sentence in sentences(text))
