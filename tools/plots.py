"""Draw what `make bench` found: ``docs/plots/*.svg``, and what README and docs tell of them. ``python -m tools.plots``.

A document has a place for a plot between ``<!-- plot: NAME -->`` and ``<!-- /plot -->``; what stands there is the
picture with its figures as the text in its place, in the document's language. A plot whose part was not measured yet
is not drawn, and its places are empty.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools import cost
from tools.drawing import Bar, Chart, Line, bars, lines
from tools.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

RESULTS = ROOT / "benchmarks" / "results.json"
FOLDER = ROOT / "docs" / "plots"
_PLACE = re.compile(r"(<!-- plot: (\w+) -->\n).*?(<!-- /plot -->)", re.DOTALL)
_COST = re.compile(r"(<!-- cost -->\n).*?(<!-- /cost -->)", re.DOTALL)


@dataclass(frozen=True)
class Plot:
    """A drawing, and its figures in words."""

    svg: str
    english: str
    japanese: str


def tokens(results: Mapping[str, Any]) -> Plot:
    """Tokens sent a turn, by policy, over the turns of one conversation."""
    found = results["tokens"]["policies"]
    named = {
        "langchain_buffer": ("LangChain's buffer", "x", True),
        "summary_window": ("summary_window", "a", False),
        "langchain_summary_buffer": ("LangChain's summary_buffer", "x", True),
        "token_window": ("token_window", "b", False),
        "message_window": ("message_window", "c", False),
        "summary": ("summary", "d", False),
    }
    series = [
        Line(name, kind, [*enumerate(found[policy]["sent"], 1)], dashed)
        for policy, (name, kind, dashed) in named.items()
        if policy in found
    ]
    means = ", ".join(f"{name} {found[policy]['mean']:,}" for policy, (name, *_) in named.items() if policy in found)
    turns = results["tokens"]["turns"]
    english = f"Tokens sent a turn over {turns} turns, mean by policy: {means}."
    japanese = f"{turns} ターンの間に 1 ターンで送るトークン数、ポリシー別の平均：{means.replace(', ', '、')}。"
    chart = Chart(
        f"Tokens sent a turn, over {turns} turns", english, "tokens, logarithmic; the last turn's at the end", "turn"
    )
    return Plot(lines(chart, series), english, japanese)


def operations(results: Mapping[str, Any]) -> Plot:
    """Momento operations of a turn against the length of the history."""
    found = results["turn"]
    sides = {"langchain": ("LangChain + Momento", "x", True), "omoide": ("Omoide", "a", False)}
    series = [
        Line(name, kind, [(one["messages"], one["operations"]) for one in found[side]], dashed)
        for side, (name, kind, dashed) in sides.items()
    ]
    figures = ["; ".join(f"{x:,.0f}: {y:,.0f}" for x, y in line.points) for line in reversed(series)]
    english = (
        f"Momento operations a turn, by messages in the history. Omoide {figures[0]}. LangChain + Momento {figures[1]}."
    )
    japanese = (
        f"1 ターンの Momento の操作数（履歴のメッセージ数別）。Omoide {figures[0]}。LangChain + Momento {figures[1]}。"
    )
    chart = Chart(
        "Momento operations a turn",
        english,
        "operations as Momento meters them, both axes logarithmic",
        "messages in the history",
    )
    return Plot(lines(chart, series), english, japanese)


def repeated(results: Mapping[str, Any]) -> Plot:
    """Show a question that is asked twice."""
    model = 300
    sides = {"responses": ("Omoide, /v1/responses", "a"), "langchain": ("LangChain's MomentoCache", "b")}
    rows, figures = [], []
    for side, (name, kind) in sides.items():
        first, again = (results["repeated"][side][one]["median"] for one in ("miss_ms", "hit_ms"))
        rows.append(Bar(f"{name}: first", kind, (model, max(first - model, 0)), f"{first:g} ms"))
        rows.append(Bar("again", kind, (again,), f"{again:g} ms, 0 tokens"))
        figures.append((name, first, again))
    english = "A repeated question, model of 300 ms. " + " ".join(
        f"{name}: {first:g} ms, then {again:g} ms." for name, first, again in figures
    )
    japanese = "同じ質問の 2 回目（モデルは 300 ミリ秒）。" + "".join(
        f"{name}：{first:g} ミリ秒、2 回目 {again:g} ミリ秒。" for name, first, again in figures
    )
    note = "grey: the model. Omoide end to end over HTTP with an API of its own; LangChain in its process"
    return Plot(bars(Chart("A repeated question", english, "milliseconds, median", note), rows), english, japanese)


def identical(results: Mapping[str, Any]) -> Plot:
    """Identical requests at once."""
    found = results["identical"]
    count = found["requests"]
    calls = {
        name: found[side]["model_calls"] for side, name in (("omoide", "Omoide"), ("langchain", "LangChain + Momento"))
    }
    rows = [Bar(name, kind, (made,), f"{made:,}") for (name, made), kind in zip(calls.items(), "ax", strict=True)]
    figures = [f"{name} {made:,}" for name, made in calls.items()]
    english = f"{count} identical requests at once, calls of the model: {', '.join(figures)}."
    japanese = f"同じリクエストを同時に {count} 件送ったときのモデル呼び出し：{'、'.join(figures)}。"
    chart = Chart(
        f"{count} identical requests at once",
        english,
        "calls of the model, which are paid for",
        "over all environments",
    )
    return Plot(bars(chart, rows), english, japanese)


def cold_start(results: Mapping[str, Any]) -> Plot:
    """Fresh processes."""
    found = results["cold_start"]
    names = {"chat": "Omoide, chat", "history": "Omoide, history", "langchain": "LangChain + Momento"}
    rows = []
    for side, kind in zip(names, "abx", strict=True):
        imported, answered = found[side]["import_ms"]["median"], found[side]["start_to_answer_ms"]["median"]
        rows.append(Bar(f"{names[side]}: imports", kind, (imported,), f"{imported:,.0f} ms"))
        rows.append(Bar("to the first answer", kind, (answered,), f"{answered:,.0f} ms"))
    figures = [
        f"{names[one]} {found[one]['import_ms']['median']:,.0f} / {found[one]['start_to_answer_ms']['median']:,.0f} ms"
        for one in names
    ]
    english = f"Cold start, imports / to the first answer: {', '.join(figures)}."
    japanese = f"コールドスタート（読み込み／最初の応答まで）：{'、'.join(figures)}。"
    return Plot(
        bars(
            Chart(
                "Cold start",
                english,
                "milliseconds in a fresh process, median",
                "no network, no Lambda: read them as ratios",
            ),
            rows,
        ),
        english,
        japanese,
    )


def recall(results: Mapping[str, Any]) -> Plot:
    """How much of what answers a question is among four turns found."""
    languages = {"en": "English", "ja": "Japanese", "zh": "Chinese"}
    rows = [
        Bar(
            f"{languages.get(language, language)}, {one['method']}",
            {"omoide": "a", "omoide words": "b"}.get(one["method"], "x"),
            (one["recall_at_4"],),
            f"{one['recall_at_4']:.3f}",
        )
        for language, methods in results["recall"].items()
        for one in methods
    ]
    figures = [f"{row.name} {row.told}" for row in rows]
    english = f"Recall@4, one embedder for all: {'; '.join(figures)}."
    japanese = f"想起の recall@4（埋め込みは同じ）：{'；'.join(figures)}。"
    chart = Chart(
        "Finding the turn that answers",
        english,
        "recall@4: share of the evidence among four turns found",
        "one embedder for all",
    )
    return Plot(bars(chart, rows), english, japanese)


PLOTS: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], Plot]]] = {
    "tokens": ("tokens", tokens),
    "operations": ("turn", operations),
    "repeated": ("repeated", repeated),
    "identical": ("identical", identical),
    "cold_start": ("cold_start", cold_start),
    "recall": ("recall", recall),
}
"""Of each plot: the member of the results that it shows, and what draws it."""


def drawn(results: Mapping[str, Any]) -> dict[str, Plot]:
    """Draw what was measured."""
    return {name: draw(results) for name, (part, draw) in PLOTS.items() if results.get(part)}


def documents() -> list[Path]:
    """List what may show plots."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


def told(page: Path, plots: Mapping[str, Plot]) -> str:
    """Give a document with its plots' places filled in."""
    japanese = page.name.endswith(".ja.md")
    way = "../" * (len(page.relative_to(ROOT).parts) - 1)

    def filled(place: re.Match[str]) -> str:
        plot = plots.get(place[2])
        if plot is None:
            return f"{place[1]}{place[3]}"
        return f"{place[1]}![{plot.japanese if japanese else plot.english}]({way}docs/plots/{place[2]}.svg)\n{place[3]}"

    text = _PLACE.sub(filled, page.read_text(encoding="utf-8"))
    if not _COST.search(text):
        return text
    table = cost.report(cost.parser().parse_args([]), json.loads(cost.PRICES.read_text(encoding="utf-8")))
    return _COST.sub(lambda place: f"{place[1]}{table}{place[2]}", text)


def main() -> int:
    """Write the plots and what is told of them; tell what is missing."""
    plots = drawn(json.loads(RESULTS.read_text(encoding="utf-8")))
    FOLDER.mkdir(exist_ok=True)
    for name, plot in plots.items():
        (FOLDER / f"{name}.svg").write_text(plot.svg, encoding="utf-8")
        print(f"docs/plots/{name}.svg  {plot.english}")
    for old in FOLDER.glob("*.svg"):
        if old.stem not in plots:
            old.unlink()
    for page in documents():
        page.write_text(told(page, plots), encoding="utf-8")
    for name in PLOTS.keys() - plots.keys():
        print(f"{name}: not measured yet; `make bench` does it", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
