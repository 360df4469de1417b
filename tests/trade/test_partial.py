"""Pieces of a market against closed forms and against the oracle's plain loops."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from backfill.economy.economy import CLOUD, DIRECT, DIVERSION, Accelerators, Diversion, Leaf, Structure
from backfill.trade.acquisition import acquire, branch, tree
from backfill.trade.barriers import nested_classes
from backfill.trade.buyers import Buyers, Columns
from backfill.trade.delivery import deliver, handle
from backfill.trade.factors import route_multiple
from backfill.trade.prices import composites
from tests.support import small
from tests.trade.market_oracle import classes
from tests.trade.oracle_cases import FRONTIER, RIVAL, US, three_regions


@pytest.fixture(autouse=True)
def double():
    """Double precision, as the solver uses."""
    with jax.enable_x64(True):
        yield


def arrays(*values) -> list:
    return [jax.numpy.asarray(value) for value in values]


def buyers_of(share: np.ndarray, further: np.ndarray) -> Buyers:
    """Buyers of one product by class and region, with columns for the given classes and regions beside every region's own."""
    regions = share.shape[2]
    column = np.tile(np.arange(regions), (1, share.shape[1], 1))
    for n, (kind, region) in enumerate(further[0].astype(int)):
        column[0, kind, region] = regions + n
    place = further.astype(int)
    who = Columns(*arrays(column, np.ones(further.shape[:2], bool), place[..., 0], place[..., 1]))
    by_column = who.by_column(jax.numpy.asarray(share))
    return Buyers(who, by_column, jax.numpy.zeros_like(by_column))


def banned_buyers(rivalry: float, share: float = 0.7, sigma: float = 3.0, banned: float = 0.66):
    """One product, one region, two origins at price 1; ``share`` of buyers lose the first origin."""
    weight = np.array([[banned, banned], [1 - banned, 1 - banned]])[None]
    weight[0, 0, 1] = 0.0
    found = composites(
        *arrays(np.ones((1, 2)), np.concatenate([weight[..., :1], weight[..., :1], weight[..., 1:]], 2)),
        buyers_of(np.array([[[1 - share, 1.0], [share, 0.0]]]), np.array([[[1.0, 0.0]]])),
        *arrays(np.array([sigma]), np.full((1, 2), rivalry), np.ones(2)),
    )
    return jax.tree.map(np.asarray, found)


@pytest.mark.parametrize("rivalry", [0.0, 0.5, 4.0])
@pytest.mark.parametrize("sigma", [3.0, 5.0])
def test_composites_after_a_ban_are_the_closed_form(rivalry: float, sigma: float):
    """``P'/P = (1-s)^(-1/(sigma-1))`` for share ``s`` banned; covered and uncovered buyers form a logit that adds to one."""
    found = banned_buyers(rivalry, sigma=sigma)
    dear = (1 - 0.66) ** (-1 / (sigma - 1))
    np.testing.assert_allclose(found.by_column[0], [1, 1, dear], rtol=1e-14)
    weighted = np.array([0.3, 0.7 * np.exp(-rivalry * (dear - 1))])
    mean = 1 - np.log(weighted.sum()) / rivalry if rivalry else 0.3 + 0.7 * dear
    np.testing.assert_allclose(found.mean[0], [mean, 1], rtol=1e-14)
    np.testing.assert_allclose(found.chosen[0, [0, 2]], weighted / weighted.sum(), rtol=1e-14)
    assert found.chosen[0, [0, 2]].sum() == pytest.approx(1, abs=1e-14)
    paid = (found.chosen[0, [0, 2]] * [1, dear]).sum()
    assert found.adapting[0, 0] == pytest.approx(mean - paid, abs=1e-14)
    assert found.adapting[0, 0] >= -1e-15


def test_when_everybody_is_covered_the_price_is_the_covered_one():
    found = banned_buyers(4.0, share=1.0, sigma=1.5, banned=0.99)
    assert found.mean[0, 0] == pytest.approx(found.by_column[0, 2], rel=1e-13)
    assert found.chosen[0, 2] == pytest.approx(1, rel=1e-13)


def test_buyers_without_a_source_are_choked_not_nan():
    nobody = buyers_of(np.ones((1, 1, 2)), np.zeros((1, 0, 2)))
    found = composites(*arrays(np.ones((1, 2)), np.zeros((1, 2, 2))), nobody, *arrays(np.array([4.0]), np.zeros((1, 2))))
    assert np.isfinite(found.by_column).all()
    assert found.by_column.min() >= 100
    assert (found.unit == 0).all()


def test_multiple_of_a_route_by_hand():
    """A unit at mill price 100: licence rent 10, levy 15% and cost 5% of 110, duty 25% of 132, quota rent 7: 172."""
    assert float(route_multiple(*map(jax.numpy.asarray, (0.25, 0.15, 0.05, 0.10, 0.07)))) == pytest.approx(1.72)


@pytest.mark.parametrize("seed", range(6))
def test_classes_are_the_oracles(seed: int):
    """The same buyers see the same sources, whatever the order and number of classes."""
    draw = np.random.default_rng(seed)
    coverage = np.round(draw.uniform(0, 1, (4, 3)), 1) * (draw.uniform(size=(4, 3)) < 0.6)
    coverage[0, 0] = 1.0
    open_, share = nested_classes(coverage, 6)
    for buyer in range(3):
        expected = {tuple(o): w for w, o in classes(coverage[:, buyer]) if w > 0}
        found: dict[tuple, float] = {}
        for c in np.flatnonzero(share[:, buyer]):
            key = tuple((open_[c, :, buyer] > 0).tolist())
            found[key] = found.get(key, 0.0) + share[c, buyer]
        assert found == pytest.approx({tuple(map(bool, k)): w for k, w in expected.items()})
    np.testing.assert_allclose(share.sum(0), 1, rtol=1e-15)
    np.testing.assert_allclose(np.einsum("cb,csb->sb", share, open_), 1 - coverage, atol=1e-15)


def test_too_few_classes_are_refused():
    with pytest.raises(ValueError, match="4 classes of buyers needed, 3 given"):
        nested_classes(np.array([[0.1], [0.2], [0.3]]), 3)


def test_branch_is_the_oracles_nest():
    """Two routes with a duty, prices and services changed; a closed class pays the other route and the adaptation."""
    economy = three_regions()
    nest = economy.nests[0]
    prices = np.full_like(economy.flow0, 21.0)
    services, slope = 1.3, nest.sigma / float(np.dot(nest.quantity, [25 * 1.05, 14.0]) / 0.3)
    share = np.array(nest.quantity) / 0.3
    base = np.array([25 * 1.05, 14.0])
    weight = np.log(share) + slope * (base - share @ base)
    for closed in (0.0, 1.0):
        coverage = np.zeros_like(economy.flow0)
        coverage[FRONTIER, US, RIVAL] = closed
        expected, shares, _ = economy._nest(nest, prices, coverage, services)
        value, chosen = branch(
            *map(jax.numpy.asarray, (np.full((1, 2), 21.0 / services), weight, np.array([slope]))),
            np.ones((2, 1)), jax.numpy.asarray([[1.0 - closed, 1.0]]),
        )  # fmt: skip
        assert float(value[0, 0]) * services == pytest.approx(expected, rel=1e-12)
        np.testing.assert_allclose(chosen[0], shares, atol=1e-13)


def nest_of_one_user() -> tuple[Structure, Accelerators]:
    """One user with four leaves: two routes of one line, a second line, and remote use of the first."""
    lines, regions = (("frontier", "AAA"), ("own", "BBB")), ("AAA", "BBB", "HUB")
    leaves = (Leaf(0, 1, 1, DIRECT), Leaf(0, 2, 1, DIVERSION), Leaf(1, 1, 1, DIRECT), Leaf(0, 2, 1, CLOUD))
    base = small.vocabulary()
    vocabulary = type(base)(regions, dict.fromkeys(regions, "partner"), ("HUB",), ("services", "frontier", "own"), {})
    shape = Structure(vocabulary, ("services",), 1, (), lines, ("us", "own"), leaves, (2,), (), (), ())
    accelerators = Accelerators(
        bill=np.array([[4.0, 5.0]]), labour=np.array([2.0, 1.0]), margin=np.array([10.0, 3.0]), tariff=np.zeros((2, 3)),
        route_weight=np.log([0.8, 0.2, 1.0, 1.0]), tier_weight=np.zeros(3), family_weight=np.log([0.7, 0.3, 1.0]),
        ownership_weight=np.log([0.9, 0.1]), route_slope=np.array([2.0, 1.0, 1.0]), tier_slope=np.ones(3) * 0.5,
        family_slope=np.array([0.2, 0.2]), ownership_slope=np.array([1.0, 0.4, 1.0]), rivalry_slope=np.zeros(3),
        home_bill=np.zeros((1, 2)),
    )  # fmt: skip
    return shape, accelerators


def test_shares_are_the_derivatives_of_the_nest_and_add_up():
    """``s_r = dPi/dv_r`` through all four levels, for users with every route and without the direct one."""
    shape, accelerators = nest_of_one_user()
    accelerators = jax.tree.map(jax.numpy.asarray, accelerators)
    value = jax.numpy.asarray([16.0, 17.0, 9.0, 18.0])
    access = jax.numpy.asarray([[1.0, 1.0, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0]])
    found = acquire(shape, accelerators, value, access)
    np.testing.assert_allclose(np.asarray(found.share).sum(1), 1, rtol=1e-14)
    slope = jax.jacrev(lambda v: acquire(shape, accelerators, v, access).value[:, 1])(value)
    np.testing.assert_allclose(found.share, slope, atol=1e-13)
    assert found.share[1, 0] == 0
    assert float(found.value[1, 1]) > float(found.value[0, 1])
    assert [names[1] for names in tree(shape).ownership_names] == ["owned", "remote"]


def test_diverted_units_by_hand():
    """Hub price 16, ``mu0 = .2, mu1 = .5, y = .25, pi = .1, F = 1``: premium (.325 + .2/.9) 16; each dollar has a taker."""
    shape, accelerators = nest_of_one_user()
    diversion = Diversion(
        *map(np.float64, (0.2, 0.5, 1.0)), np.array([5.0]), np.array([0.05]), np.float64(0.5), np.float64(1.0), np.float64(0.3)
    )
    accelerators, diversion = jax.tree.map(jax.numpy.asarray, (accelerators, diversion))
    prices = deliver(
        shape, accelerators, diversion,
        *arrays(np.ones((1, 3)), np.ones((1, 3)), np.ones(3), np.ones((2, 3)), np.array([0.25]), np.array([4.0]),
            np.zeros((2, 1))),
    )  # fmt: skip
    assert float(prices.seizure[1]) == pytest.approx(0.1)
    assert float(prices.leaf[1]) == pytest.approx(16 * (1 + 0.325 + 0.2 / 0.9))
    assert float(prices.leaf[3]) == pytest.approx(16 * 1.3)
    units = jax.numpy.asarray([3.0, 2.0, 1.0, 1.0])
    paid = handle(shape, diversion, prices, units)
    assert float(paid.congestion[0]) == pytest.approx(2.0 / (1.0 + 5.0))
    assert float(paid.shipped[1]) == pytest.approx(2.0 / 0.9)
    assert float(paid.hub_rents[2]) == pytest.approx(2 * 16 * 0.5 * 0.25 / 2)
    assert float(paid.fines[0]) == pytest.approx(2 * 16 * 0.1 / 0.9)
    assert float(paid.services[2]) == pytest.approx(2 * 16 * (0.2 + 0.5 * 0.25 / 2) + 16 * 0.3)
    spent = float(units @ prices.leaf)
    earned = float((paid.shipped * prices.at_site).sum() + paid.hub_rents.sum() + paid.fines.sum() + paid.services.sum())
    assert spent == pytest.approx(earned, rel=1e-13)
