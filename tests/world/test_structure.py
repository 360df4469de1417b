"""Shapes of economies: two designers of one product, and economies that lack a part of the stack."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest

from backfill.dimensions import periods
from backfill.economy.calibrate import benchmark
from backfill.economy.economy import DIVERSION, Structure
from backfill.economy.structure import structure
from backfill.policy.wedges import Wedges
from backfill.trade.barriers import access_to, lanes
from tests.support import small

PERIODS = 3


def two_designers():
    """The small economy where TWN designs export-grade accelerators too."""
    tables = small.tables()
    bill = tables.accelerator_bill
    second = bill.filter(pl.col("product") == "accelerators_export_grade").with_columns(origin=pl.lit("TWN"))
    tables.accelerator_bill = pl.concat([bill, second])
    return tables


def shape_of(tables) -> Structure:
    return structure(tables, small.vocabulary(), benchmark(tables))


@pytest.fixture(scope="module")
def shape() -> Structure:
    return shape_of(small.tables())


def test_two_designers_of_one_product_are_told_apart():
    tables = two_designers()
    use = tables.compute_use
    designers = pl.col("product").replace_strict(
        {"accelerators_frontier": "USA", "accelerators_export_grade": "USA", "accelerators_adversary": "CHN"}
    )
    own = use.with_columns(designer=designers)
    other = own.filter(product="accelerators_export_grade", user="CHN").with_columns(designer=pl.lit("TWN"))
    tables.compute_use = pl.concat([own, other])
    found = shape_of(tables)
    assert ("accelerators_export_grade", "TWN") in found.makers
    china = [leaf for leaf in found.leaves if leaf.user == found.region("CHN")]
    lines = {(found.makers[leaf.maker], leaf.channel) for leaf in china}
    for designer in ("USA", "TWN"):
        assert {(("accelerators_export_grade", designer), channel) for channel in ("direct", DIVERSION)} <= lines
    assert not [leaf for leaf in found.leaves if found.makers[leaf.maker][1] == "TWN" and leaf not in china]


def test_use_that_names_no_designer_of_two_is_refused():
    with pytest.raises(ValueError, match=r"accelerators_export_grade is designed by TWN, USA\. .*'designer' of compute_use"):
        shape_of(two_designers())


def test_use_of_what_nobody_designs_is_refused():
    tables = small.tables()
    tables.accelerator_bill = tables.accelerator_bill.filter(pl.col("product") != "accelerators_adversary")
    with pytest.raises(ValueError, match="accelerators_adversary is designed by nobody"):
        shape_of(tables)
    tables = small.tables()
    tables.compute_use = tables.compute_use.with_columns(designer=pl.lit("CHN"))
    with pytest.raises(ValueError, match="accelerators_frontier is not designed by CHN"):
        shape_of(tables)


NOTHING = {
    "capacities": {"nodes": (), "owners": ()},
    "routes": {"leaves": ()},
    "makers": {"makers": (), "families": (), "leaves": ()},
    "hubs": {"hubs": ()},
    "tools": {"tools": ()},
}


@pytest.mark.parametrize("missing", [*NOTHING, "stack"])
def test_barriers_of_an_economy_that_lacks_a_part(shape: Structure, missing: str):
    everything = {key: value for part in NOTHING.values() for key, value in part.items()}
    changes = NOTHING.get(missing) or {**everything, "levels": (), "products": shape.products[: shape.core]}
    bare = dataclasses.replace(shape, **changes)
    wedges = Wedges.none(shape.vocabulary, periods(2022, 2024, 1))
    closed = wedges.coverage.copy()
    closed[1:, shape.vocabulary.products.index("electronics"), shape.region("USA"), shape.region("CHN")] = 0.5
    barriers = lanes(bare, [dataclasses.replace(wedges, coverage=closed)])
    regions = len(shape.regions)
    assert barriers.leaf_open.shape == (PERIODS, 1, len(bare.leaves))
    assert barriers.maker_tariff.shape == (PERIODS, len(bare.makers), regions)
    assert barriers.builder_share.shape == (PERIODS, 2, len(bare.nodes))
    assert barriers.enforcement.shape == (PERIODS, len(bare.hubs))
    row, seller, buyer = bare.position("electronics"), shape.region("USA"), shape.region("CHN")
    np.testing.assert_array_equal(barriers.share[:, row, :, buyer], [[1, 0], [0.5, 0.5], [0.5, 0.5]])
    np.testing.assert_array_equal(access_to(bare, barriers, [row])[1:, 0, :, seller, buyer], [[1, 0], [1, 0]])
