"""Statements in Japanese."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Set

Parts = tuple[Any, ...]

_SELF = "私|わたし|わたくし|あたし|僕|ぼく|俺|おれ|自分"
_TIMES = "今|いま|現在|最近|今日|来月|来年|今度|普段|昔"
_NO = r"[^、。\sはがをに「」]"
_PET = "犬|猫|ネコ|イヌ|うさぎ|ウサギ|ハムスター|インコ|小鳥|鳥|金魚|亀|カメ"
_SUBJECT = re.compile(rf"^(?!(?:{_SELF}|{_TIMES})[はがも、])([^、。\sはがを]{{1,10}}?)[はが](?=.)")
_TOPIC = re.compile(rf"(?!(?:{_SELF}|{_TIMES})は)([^、。\sはがを]{{1,10}})は")
_PLACE = r"(?P<o>[^、。\sはがをにともで「」]{1,15})"
_CITIES = (
    "札幌|北海道|青森|盛岡|岩手|仙台|宮城|秋田|山形|福島|茨城|栃木|群馬|埼玉|千葉|東京|横浜|神奈川|川崎|新潟|富山|金沢|石川|福井|山梨"
    "|長野|岐阜|静岡|浜松|名古屋|愛知|三重|滋賀|京都|大阪|神戸|兵庫|奈良|和歌山|鳥取|島根|岡山|広島|山口|徳島|香川|高松|愛媛|松山"
    "|高知|福岡|北九州|佐賀|長崎|熊本|大分|宮崎|鹿児島|沖縄|那覇"
)

_HOME = re.compile(rf"{_PLACE}に(?:は、?)?(?:住んで(?:い(?:ます|る)|ます|る|おり)|引っ越し|引越し|引っ越す|移り住)")
_NEW_HOME = re.compile(
    rf"(?:^|[、は])[^、]{{1,8}}?から(?:は、?)?(?P<o>{_NO}{{1,10}}?)(?:です|だ|になります|に変わります)"
)
_NOT_A_HOME = re.compile(r"仕事|会社|学校|夏休み|休み|大学|勤務|出張|[時分日]$")
_JOBS = "エンジニア|医者|医師|教師|先生|看護師|会社員|公務員|学生|大学生|主婦|主夫|デザイナー|弁護士|調理師|漁師|農家"
_JOB = re.compile(
    rf"(?:仕事|職業)は(?P<a>[^、。]{{1,20}}?)(?:です|だ|をして|で、|$)"
    rf"|(?P<b>{_NO}{{1,20}})として働いて|(?:{_SELF})は(?P<c>[^、はがを]{{0,10}}(?:{_JOBS}))(?:です|だ|をして)"
)
_EMPLOYER = re.compile(rf"(?P<o>{_NO}{{1,20}})(?:で働いて(?:い|る|ま)|に勤めて(?:い|る|ま))")
_KEPT = re.compile(
    rf"(?P<o>{_PET})[をがは].{{0,6}}?飼って(?P<no>いません|いない|ません|ない)?|(?P<o2>{_PET})を飼い始め"
)
_PET_NAME = re.compile(
    rf"(?:(?P<k>{_PET})の)?名前は「?(?P<o>[^、。「」はが]{{1,12}}?)」?(?:です|だ|といいます|と言います|という|で、|$)"
)
_PET_CALLED = re.compile(
    rf"(?P<k>{_PET})(?:の|は)「?(?P<o>[ァ-ヶー一-龯ぁ-ん]{{1,8}}?)」?(?:といいます|と言います|という名前)"
)
_LIKES = re.compile(r"(?P<o>[^、。\sは「」]{1,20}?)[がは](?:もう|あまり|とても|一番|大)*好き(?P<no>では|じゃ)?")
_DISLIKES = re.compile(r"(?P<o>[^、。\sは「」]{1,20}?)(?:が|は)(?:とても|大)*(?:嫌い|きらい|苦手)")
_ALLERGY = re.compile(rf"(?P<o>{_NO}{{1,12}}?)(?:の)?アレルギー")
_BIRTHDAY = re.compile(r"誕生日は(?P<o>[^、。]{1,15}?)(?:です|だ|$)")
_PLAN = re.compile(
    r"(?P<o>(?:\d{1,2}月\d{1,2}日|明日|明後日|来週(?:の[月火水木金土日]曜日?)?|来月|今週(?:の[月火水木金土日]曜日?)?)"
    r"(?:の?\d{1,2}時)?(?:に|は|、)[^。]{2,30}?)(?:があります|がある|の予定|予定です|する予定|を予約し|に行きます)"
)


def found(sentence: str, *, before: str, about: Set[str]) -> Iterator[Parts]:
    """Yield the parts of statements: see `local.model.memory.statements`."""
    someone = _SUBJECT.search(sentence)
    who = someone[1] if someone and not re.search("名前|誕生日|仕事|職業|趣味|好き|アレルギー", someone[1]) else "user"
    who = re.sub(rf"^(?:{_SELF})の", "", who)
    if match := _HOME.search(sentence):
        yield ("home", who, "住んでいる所", re.sub(rf"^(?:{_TIMES})", "", match["o"]), "profile", True)
    elif (match := _NEW_HOME.search(sentence)) and _is_home(match["o"], about):
        yield ("home", who, "住んでいる所", match["o"], "profile", True)
    if match := _JOB.search(sentence):
        yield ("job", who, "仕事", match["a"] or match["b"] or match["c"], "profile", True)
    elif match := _EMPLOYER.search(sentence):
        yield ("employer", who, "勤め先", match["o"], "profile", True)
    yield from _pets(sentence, before)
    match = _LIKES.search(sentence)
    if match and (not match["no"] or "もう" in sentence):
        yield (
            "like",
            _whose(sentence, match.start("o")),
            "好きなもの",
            _tail(match["o"]),
            "preference",
            False,
            bool(match["no"]),
        )
    elif match := match or _DISLIKES.search(sentence):
        yield ("dislike", _whose(sentence, match.start("o")), "苦手なもの", _tail(match["o"]), "preference")
    if match := _ALLERGY.search(sentence):
        yield ("allergy", "user", "アレルギー", match["o"], "profile")
    if match := _BIRTHDAY.search(sentence):
        owner = sentence[: match.start()].removesuffix("の")
        whose = "user" if not owner or re.search(rf"(?:{_SELF})$", owner) else owner[-10:]
        yield ("birthday", whose, "誕生日", match["o"], "profile", True)
    if match := _PLAN.search(sentence):
        yield ("plan", "user", "予定", match["o"], "plan")


def _is_home(place: str, about: Set[str]) -> bool:
    """Whether 来月から… tells of a move: to a place that is known, or where homes were spoken of."""
    return bool(re.match(_CITIES, place)) or ("home" in about and not _NOT_A_HOME.search(place))


def _pets(sentence: str, before: str) -> Iterator[Parts]:
    kept = _KEPT.search(sentence)
    if kept:
        yield ("pet", "user", "ペット", kept["o"] or kept["o2"], "relation", False, bool(kept["no"]))
    named = _PET_CALLED.search(sentence) or _PET_NAME.search(sentence)
    if named:
        context = re.search(_PET, sentence[: named.start()] + before)
        kind = named["k"] or (context[0] if context else "")
        if kind:
            yield ("pet_name", "user", f"{kind}の名前", named["o"], "relation")
            yield ("kind", named["o"], "種類", kind, "profile")


def _whose(sentence: str, start: int) -> str:
    """Tell whom a sentence is about: what は marks before this place, else the user."""
    topic = _TOPIC.match(sentence)
    return topic[1] if topic and topic.end() <= start else "user"


def _tail(text: str) -> str:
    """Leave out what stands before a thing without being part of it."""
    return re.sub(rf"^(?:(?:{_SELF})(?:も|、)|でも|そして|それに|あと|また|もう)", "", text)
