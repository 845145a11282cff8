"""Recall: which earlier turns a question brings up. Pure rules over blocks that hold no text.

How it goes together: `Entry` of a turn (`terms`, `signs`, `digest`) → `cut` and `build` into blocks → `pack`; a query
(`weighted`, `QueryVector`) → `search` over blocks → `rank` → the turns to show.
"""

from chat_core.long_term.recall.blocks import Block, Entry, Vectors, build, cut, pack, unpack, without
from chat_core.long_term.recall.models import DIMENSIONS, WORDS, Scale, scale_of
from chat_core.long_term.recall.query import stands_alone, weighted
from chat_core.long_term.recall.quotes import entry_of, quoted, recalled, speeches, spoken
from chat_core.long_term.recall.ranking import Candidate, Judged, Limits, Ranking, rank
from chat_core.long_term.recall.search import Found, Query, QueryVector, search
from chat_core.long_term.recall.signs import combined, signs
from chat_core.long_term.recall.terms import digest, terms

__all__ = [
    "DIMENSIONS",
    "WORDS",
    "Block",
    "Candidate",
    "Entry",
    "Found",
    "Judged",
    "Limits",
    "Query",
    "QueryVector",
    "Ranking",
    "Scale",
    "Vectors",
    "build",
    "combined",
    "cut",
    "digest",
    "entry_of",
    "pack",
    "quoted",
    "rank",
    "recalled",
    "scale_of",
    "search",
    "signs",
    "speeches",
    "spoken",
    "stands_alone",
    "terms",
    "unpack",
    "weighted",
    "without",
]
