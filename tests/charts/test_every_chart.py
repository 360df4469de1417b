"""Every chart of every kind of thing: drawn from the numbers, in the theme's colours, with words for who cannot see it."""

from __future__ import annotations

import json
import re

import pytest

import backfill.charts as charts
from backfill.charts import theme
from backfill.charts.catalogue import OF_COMPARISON, OF_DESIGN, OF_GAME, OF_RESULT, OF_SWEEP, charts_of
from backfill.charts.export import svg
from backfill.charts.of_sweep import SHADES
from backfill.charts.swings import HIGH

EVERY = [
    *(("ranged", name) for name in OF_RESULT),
    *(("comparison", name) for name in OF_COMPARISON),
    *(("game", name) for name in OF_GAME),
    *(("design", name) for name in OF_DESIGN),
    *(("sweep", name) for name in OF_SWEEP),
]
COLOURS = {
    *theme.BLOC_COLOURS.values(),
    *theme.ROUTE_COLOURS.values(),
    *theme.SERIES,
    *theme.WORLD_COLOURS.values(),
    *SHADES,
    *(theme.INK, theme.SOFT, theme.RULE, theme.PAPER, theme.GAIN, theme.LOSS, theme.TOTAL, theme.NEUTRAL),
    *(HIGH, "#b4bcc4"),
}


@pytest.fixture(params=EVERY, ids=lambda one: "-".join(one), scope="module")
def drawn(request) -> tuple[str, str, dict]:
    kind, name = request.param
    chart = charts.draw(request.getfixturevalue(kind), name)
    return kind, name, chart.to_dict()


def titles(spec: object) -> list[dict]:
    """All titles of a chart, outside in."""
    found = []
    if isinstance(spec, dict):
        if isinstance(spec.get("title"), dict) and "text" in spec["title"]:
            found.append(spec["title"])
        for value in spec.values():
            found += titles(value)
    elif isinstance(spec, list):
        for value in spec:
            found += titles(value)
    return found


def joined(text: object) -> str:
    return " ".join(text) if isinstance(text, list) else str(text)


def test_it_has_title_unit_source_date_and_alt_text(drawn):
    kind, name, spec = drawn
    foot, head, *_ = titles(spec)
    sentence, below = joined(head["text"]), joined(head["subtitle"])
    assert sentence.endswith((".", "?")) or name == "changes"
    assert len(below) > 15
    assert joined(foot["text"]).startswith("Source: backfill")
    assert "not a forecast" in joined(foot["text"])
    if kind in ("ranged", "game"):
        assert "solved on 5 March 2026" in joined(foot["text"])
    if kind == "ranged":
        assert "no-controls" in below
    assert spec["description"].count(".") >= 2
    assert sentence.rstrip(".") in spec["description"]


def test_its_colours_are_the_themes(drawn):
    _, _, spec = drawn
    named = set(re.findall(r'"(#[0-9a-fA-F]{3,8})"', json.dumps(spec)))
    assert {colour.lower() for colour in named} <= {colour.lower() for colour in COLOURS}
    assert not re.search(r'"(red|green|blue|white|black|orange|steelblue)"', json.dumps(spec))


def test_it_draws_in_a_column_and_needs_no_network(drawn):
    _, _, spec = drawn
    drawing = svg(spec)
    width, height = map(float, re.findall(r'width="([\d.]+)" height="([\d.]+)"', drawing)[0])
    assert 300 < width <= theme.COLUMN + 10
    assert 120 < height < 1000
    outside = set(re.findall(r"https?://[^\"' <)]+", drawing)) - {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert not outside
    assert 'role="img"' in drawing
    assert "NaN" not in drawing
    assert "undefined" not in drawing.split('aria-label="', 1)[1].split('"', 1)[1]
    assert drawing.count("<path") + drawing.count("<rect") > 3, "nothing is drawn"


def test_numbers_carry_a_true_minus(drawn):
    _, _, spec = drawn
    for one in titles(spec)[:2]:
        assert not re.search(r"(?<![\w)])-\d", joined(one["text"]) + joined(one.get("subtitle", "")))


def test_names_are_those_that_can_be_drawn(result, game):
    assert charts.names(game) == tuple(OF_GAME) == tuple(charts_of(game))
    with pytest.raises(charts.NothingToDraw, match="run the experiment with --ranges"):
        charts.draw(result, "tornado")


def test_what_has_no_charts_is_named():
    with pytest.raises(TypeError, match="a int has no charts"):
        charts.names(1)


def test_a_chart_misspelt_is_put_right(result):
    with pytest.raises(charts.NothingToDraw, match='did you mean "waterfall"'):
        charts.draw(result, "watrfall")


def test_the_door_names_everything_and_no_module():
    for name in charts.__all__:
        assert callable(getattr(charts, name)), name
    with pytest.raises(AttributeError, match="it has"):
        charts.nothing  # noqa: B018
    for home in charts._HOMES:
        assert home not in charts.__all__
