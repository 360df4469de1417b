"""Colours that everybody can tell apart, and text that can be read."""

from __future__ import annotations

from itertools import combinations

import pytest

from backfill.charts import theme
from tests.charts.colour import EYES, contrast, distance, lightness

APART = 20.0
"""Least CIE distance between colours that stand for different things; about 2.3 is just noticeable."""

PALETTES = {
    "blocs": theme.BLOC_COLOURS,
    "routes": theme.ROUTE_COLOURS,
    "change": {"gain": theme.GAIN, "loss": theme.LOSS, "level": theme.TOTAL},
    "worlds": theme.WORLD_COLOURS,
}


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("name", PALETTES)
def test_colours_can_be_told_apart(name, eye):
    for (one, a), (other, b) in combinations(PALETTES[name].items(), 2):
        if name == "worlds" or "level" in (one, other):
            continue  # worlds differ in dash and carry their names; a level is the only bar that starts at zero
        assert distance(a, b, eye) > APART, (one, other)


def test_blocs_differ_in_greyscale():
    for (one, a), (other, b) in combinations(theme.BLOC_COLOURS.items(), 2):
        assert abs(lightness(a) - lightness(b)) > 12, (one, other)


def test_neighbours_in_a_stack_of_routes_differ_in_greyscale():
    drawn = ["from the US", "smuggled through hubs", "rented abroad", "own makers"]
    for one, other in zip(drawn, drawn[1:], strict=False):
        assert abs(lightness(theme.ROUTE_COLOURS[one]) - lightness(theme.ROUTE_COLOURS[other])) > 12, (one, other)


def test_routes_from_a_bloc_have_its_colour():
    assert theme.ROUTE_COLOURS["from the US"] == theme.BLOC_COLOURS["us"]
    assert theme.ROUTE_COLOURS["from US allies"] == theme.BLOC_COLOURS["ally"]
    assert theme.ROUTE_COLOURS["from third countries"] == theme.BLOC_COLOURS["partner"]
    assert theme.ROUTE_COLOURS["own makers"] == theme.BLOC_COLOURS["adversary"]


@pytest.mark.parametrize("colour", [theme.INK, theme.SOFT])
def test_text_can_be_read(colour):
    assert contrast(colour, theme.PAPER) >= 4.5
    assert contrast(theme.INK, theme.NEUTRAL) >= 4.5


@pytest.mark.parametrize("end", [theme.GAIN, theme.LOSS])
def test_numbers_in_dark_cells_can_be_read(end):
    assert contrast(theme.PAPER, end) >= 3


def test_the_known_distance_of_two_colours():
    assert distance("#000000", "#ffffff") == pytest.approx(100, abs=0.1)
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert lightness("#777777") == pytest.approx(50, abs=0.5)
