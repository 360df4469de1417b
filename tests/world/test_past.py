"""What its past makes of a world: learning by making and by buying, owners who stay, and that both come a period late."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backfill.coupling import Coupling
from backfill.policy.wedges import Wedges
from backfill.reference import economy as calibrate
from backfill.supply.foresight import Perfect
from backfill.supply.past import Past, Record
from backfill.world import Status, solve_world
from tests.support import small

LEARNING, ABROAD, YEARS, LIFE = 0.15, 0.4, 5.0, 3.0
RATE = -np.log2(1 - LEARNING)
START = 1


@pytest.fixture(scope="module")
def economy():
    overrides = {"learning": LEARNING, "learning_abroad": ABROAD, "experience": YEARS, "fleet_life": LIFE}
    return calibrate(small.tables(), small.vocabulary(), last_year=2027, overrides=overrides)


def nothing(economy) -> Wedges:
    return Wedges.none(economy.structure.vocabulary, economy.periods)


def written(
    economy, name: str, place: tuple[str, ...], value: float, start: int = START, end: int | None = None
) -> Wedges:
    """Wedges with a value in one place from a period on."""
    names, wedges = economy.structure.vocabulary, nothing(economy)
    array = getattr(wedges, name).copy()
    at = (names.products.index(place[0]), *(names.regions.index(region) for region in place[1:]))
    array[(slice(start, end), *at)] = value
    return dataclasses.replace(wedges, **{name: array})


def controlled(economy) -> Wedges:
    """Everybody abroad closes tools, chips and accelerators to most of CHN."""
    names, wedges = economy.structure.vocabulary, nothing(economy)
    coverage, adversary = wedges.coverage.copy(), names.regions.index("CHN")
    for product in (*small.TOOLS, "logic_advanced", "accelerators_frontier"):
        coverage[START:, names.products.index(product), :, adversary] = 0.9
        coverage[START:, names.products.index(product), adversary] = 0.0
    return dataclasses.replace(wedges, coverage=coverage)


@pytest.fixture(scope="module")
def worlds(economy):
    locked = written(economy, "lock_in", ("accelerators_frontier", "USA", "TWN"), 0.1)
    ended = written(economy, "lock_in", ("accelerators_frontier", "USA", "TWN"), 0.1, end=START + 1)
    return solve_world(economy, [nothing(economy), controlled(economy), locked, ended])


def bought(world, product: str, region: str) -> tuple[np.ndarray, np.ndarray]:
    """Units made in a region, and bought there from abroad, by period."""
    flows = world.tables.flows.filter(pl.col("product") == product)
    made = flows.filter(pl.col("origin") == region).group_by("period").agg(pl.col("quantity").sum()).sort("period")
    abroad = flows.filter((pl.col("destination") == region) & (pl.col("origin") != region))
    imported = abroad.group_by("period").agg(pl.col("quantity").sum()).sort("period")
    return made["quantity"].to_numpy(), imported["quantity"].to_numpy()


def mill(world, product: str, region: str) -> np.ndarray:
    rows = world.tables.flows.filter(
        (pl.col("product") == product) & (pl.col("origin") == region) & (pl.col("destination") == region)
    )
    return rows.sort("period")["mill_price"].to_numpy()


def test_every_world_is_solved(worlds):
    for world in worlds:
        assert world.status is Status.SOLVED, world.message


def test_on_the_reference_path_nobody_learns_more_or_less(economy):
    coupling = Coupling(economy, [nothing(economy)], Perfect())
    coupling.solve()
    assert np.abs(coupling.points[0].past.skill).max() < 1e-7


@pytest.mark.parametrize("product", ["logic_advanced", "lithography"])
def test_skill_is_what_the_flows_of_the_world_teach(economy, worlds, product):
    """From the published tables alone: experience of five years, units made, and four tenths of those bought abroad."""
    coupling = Coupling(economy, [controlled(economy)], Perfect())
    coupling.solve()
    names, reported = economy.structure, economy.reported
    found = coupling.points[0].past.skill[:reported, names.position(product), names.region("CHN")]

    def experience(world):
        made, imported = bought(world, product, "CHN")
        gained = made + ABROAD * imported
        return gained, np.concatenate([[0.0], np.cumsum(gained)[:-1]])

    gained, base = experience(worlds[0])
    _, own = experience(worlds[1])
    expected = RATE * np.log((YEARS * gained[0] + own) / (YEARS * gained[0] + base))
    assert np.abs(expected).max() > (1e-3 if product == "logic_advanced" else 1e-5)
    np.testing.assert_allclose(found, expected, atol=2e-7)
    assert found[0] == 0


def test_what_is_not_learned_makes_dearer(economy, worlds):
    """Beside the same world where nobody learns: by less than the cost, as rents take most, and hardly before."""
    dull = dataclasses.replace(economy, learning=economy.learning._replace(rate=0.0))
    (same,) = solve_world(dull, [controlled(economy)])
    coupling = Coupling(economy, [controlled(economy)], Perfect())
    coupling.solve()
    place = economy.structure.position("logic_advanced"), economy.structure.region("CHN")
    skill = coupling.points[0].past.skill[(slice(economy.reported), *place)]
    dearer = mill(worlds[1], "logic_advanced", "CHN") / mill(same, "logic_advanced", "CHN") - 1
    assert skill[START + 1] < -1e-3
    assert abs(dearer[0]) < 0.1 * dearer[START + 1]
    assert 0 < dearer[START + 1] < -skill[START + 1]


def test_a_ban_teaches_by_making_and_cuts_what_is_learned_by_buying(economy):
    past = Past(economy, nothing(economy))
    k, j = economy.structure.position("lithography"), economy.structure.region("CHN")
    made, imported, delivered = past.start
    more, less = made.copy(), imported.copy()
    more[:, k, j] *= 2
    less[:, k, j] = 0

    def last(made, imported):
        return past.carried(Record(made, imported, delivered)).skill[-1, k, j]

    assert last(more, imported) > 0 > last(made, less)
    assert last(made, less) < last(more, less) < last(more, imported)
    gained = made[:, k, j] + ABROAD * imported[:, k, j]
    before = YEARS * gained[0] + gained[:-1].sum()
    assert last(more, imported) == pytest.approx(RATE * np.log(1 + made[:-1, k, j].sum() / before), rel=1e-12)


@given(st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=30)
def test_less_knowledge_means_less_skill(economy, one, other):
    low, high = sorted((one, other))
    k, j = economy.structure.position("lithography"), economy.structure.region("CHN")

    def skill(cut):
        past = Past(economy, written(economy, "knowledge", ("lithography", "CHN"), 1 - cut))
        return past.carried(past.start).skill[:, k, j]

    assert (skill(high) <= skill(low)).all()
    assert (skill(0.0) == 0).all()
    assert (skill(high)[: START + 1] == 0).all()


def test_a_fleet_bought_with_packages_saves_what_it_is_of_all(economy):
    """Purchases that do not change, all from the sender: the share of the fleet is one less what is left of the old."""
    past = Past(economy, written(economy, "lock_in", ("accelerators_frontier", "USA", "TWN"), 0.1, start=0))
    delivered = np.zeros(past.start.delivered.shape)
    line = economy.structure.makers.index(("accelerators_frontier", "USA"))
    delivered[:, line, economy.structure.region("TWN")] = 7.0
    saved = past.carried(past.start._replace(delivered=delivered)).saved[:, line, economy.structure.region("TWN")]
    kept = np.exp(-1 / LIFE) ** np.arange(len(saved))
    mine = 7 * np.array([kept[1 : n + 1].sum() for n in range(len(saved))])
    np.testing.assert_allclose(saved, 0.1 * mine / (mine + 7 * LIFE * kept), rtol=1e-12)


def test_a_share_bought_today_raises_tomorrows(worlds):
    def share(world):
        used = world.tables.flows.filter(
            (pl.col("user") == "TWN")
            & pl.col("product").str.starts_with("accelerators")
            & (pl.col("channel") == "direct")
        )
        sender = used.filter(pl.col("origin") == "USA").group_by("period").agg(pl.col("quantity").sum()).sort("period")
        every = used.group_by("period").agg(pl.col("quantity").sum()).sort("period")
        return sender["quantity"].to_numpy(), every["quantity"].to_numpy()

    base, _ = share(worlds[0])
    locked, _ = share(worlds[2])
    ended, _ = share(worlds[3])
    np.testing.assert_allclose(locked[: START + 1], base[: START + 1], rtol=2e-3)
    gain = locked / base - 1
    assert (np.diff(gain[START + 1 :]) > 0).all()
    assert gain[START + 1] > 1e-3
    after = ended / base - 1
    assert after[START + 1] > 1e-3
    assert (np.diff(after[START + 1 :]) < 0).all()
