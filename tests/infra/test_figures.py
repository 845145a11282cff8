"""Plots, pictures and costs are what their commands make of the data at hand."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.infra.stack import ROOT
from tools import cost, pictures, plots
from tools.drawing import Chart, Line, apart, lines

if TYPE_CHECKING:
    from pathlib import Path

RESULTS = json.loads(plots.RESULTS.read_text(encoding="utf-8"))
DRAWN = plots.drawn(RESULTS)
PAGES = plots.documents()
PLACE = re.compile(r"<!-- plot: (\w+) -->\n(.*?)<!-- /plot -->", re.DOTALL)


@pytest.mark.parametrize("name", DRAWN)
def test_a_plot_is_what_the_results_say(name: str) -> None:
    file = plots.FOLDER / f"{name}.svg"
    assert file.read_text(encoding="utf-8") == DRAWN[name].svg, "the results are newer: `make plots`"
    assert file.stat().st_size < 200_000
    root = ET.fromstring(DRAWN[name].svg)  # noqa: S314 - our own file
    assert root.findtext("{*}title")
    assert root.findtext("{*}desc") == DRAWN[name].english
    assert "prefers-color-scheme:dark" in DRAWN[name].svg


def test_there_is_no_plot_that_nothing_draws() -> None:
    assert {file.stem for file in plots.FOLDER.glob("*.svg")} == set(DRAWN)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_documents_tell_the_figures_of_their_plots(page: Path) -> None:
    assert plots.told(page, DRAWN) == page.read_text(encoding="utf-8"), "the results are newer: `make plots`"
    assert {name for name, _ in PLACE.findall(page.read_text(encoding="utf-8"))} <= set(plots.PLOTS)


def test_every_plot_is_shown_somewhere() -> None:
    shown = {name for page in PAGES for name, _ in PLACE.findall(page.read_text(encoding="utf-8"))}
    assert shown == set(plots.PLOTS)


def test_figures_stand_in_the_plot_and_in_its_words() -> None:
    for policy in ("message_window", "summary"):
        assert f"{policy} {RESULTS['tokens']['policies'][policy]['mean']:,}" in DRAWN["tokens"].english
        assert f"{policy} {RESULTS['tokens']['policies'][policy]['sent'][-1]:,}" in DRAWN["tokens"].svg
    assert str(RESULTS["identical"]["omoide"]["model_calls"]) in DRAWN["identical"].japanese


@pytest.mark.parametrize("places", [[100.0] * 7, [64.0, 65.0, 330.0, 336.0, 336.0], [200.0, 100.0, 150.0]])
def test_labels_at_the_ends_of_lines_never_collide(places: list[float]) -> None:
    found = sorted(apart(places, low=64, high=336))
    assert all(other - one >= 17 for one, other in pairwise(found))
    assert found[-1] <= 336
    by_place = dict(zip(apart(places, low=64, high=336), places, strict=True))
    assert [by_place[one] for one in found] == sorted(places)


def test_the_same_figures_give_the_same_file() -> None:
    chart = Chart("t", "d <&>", "u")
    series = [Line("a & b", "a", [(1, 10), (2, 20)])]
    assert lines(chart, series) == lines(chart, series)
    ET.fromstring(lines(chart, series))  # noqa: S314 - our own file


def test_pictures_are_as_new_as_the_page() -> None:
    assert pictures.STAMP.read_text(encoding="utf-8").strip() == pictures.digest(), "the page is newer: `make pictures`"
    names = {picture.name for picture in pictures.PICTURES}
    assert {file.stem for file in pictures.FOLDER.glob("*.png")} == names
    for name in names:
        assert (pictures.FOLDER / f"{name}.png").stat().st_size < pictures.LARGEST


def test_every_picture_is_shown_and_told() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for picture in pictures.PICTURES:
        assert f"pictures/{picture.name}.png" in text, picture.name
    assert not re.findall(r"!\[\]|<img(?![^>]*alt=\"[^\"]+\")", text)


def test_prices_have_their_date_and_source() -> None:
    data = json.loads(cost.PRICES.read_text(encoding="utf-8"))
    assert date.fromisoformat(data["checked"])
    for one in data["prices"].values():
        assert one["usd"] > 0
        assert one["per"]
        assert one["source"]


def test_a_cost_is_the_sum_of_what_is_used() -> None:
    prices = json.loads(cost.PRICES.read_text(encoding="utf-8"))["prices"]
    work = cost.Work(1_000, 100, 3, 1, 11, 1, 6)
    paid = cost.cost(work, prices, 1_000_000)
    assert paid["Model, input"] == pytest.approx(1_000 * prices["model_input"]["usd"])
    assert paid["DynamoDB"] == pytest.approx(11 * prices["dynamodb_write"]["usd"] + prices["dynamodb_read"]["usd"])
    assert paid["Momento"] == pytest.approx(6 * 1.024 * prices["momento_gigabyte"]["usd"])
    free = cost.cost(cost.Work(1_000, 100, 3, 1, 11, 1, 6, model_share=0), prices, 1)
    assert free["Model, input"] == free["Model, output"] == 0


def test_the_page_shows_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    cost.main([])
    printed = capsys.readouterr().out
    page = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
    [shown] = re.findall(r"<!-- cost -->\n(.*?)<!-- /cost -->", page, re.DOTALL)
    assert shown.strip() in printed, "the results are newer: `make plots`"
