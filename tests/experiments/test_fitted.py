"""Worlds in the shapes of others."""

from __future__ import annotations

import numpy as np

from backfill.coupling import Point
from backfill.experiments.fitted import Classes, Stored, mixed, mixed_slopes, slopes_with, widened, with_limits
from backfill.supply.orders import Orders
from backfill.supply.past import Carried, Record
from backfill.trade.sensitivity import PlanSlopes

STATES, PERIODS, NODES = 3, 2, 2


def slopes(limits: int) -> PlanSlopes:
    rng = np.random.default_rng(1)
    unknowns = STATES + limits
    shapes = ((NODES, NODES), (NODES, NODES, 2), (NODES, 2, NODES), (unknowns, unknowns))
    return PlanSlopes(*(rng.normal(size=(PERIODS, *shape)) for shape in shapes))


def test_rents_go_with_the_names_of_their_limits():
    vector = np.arange(10.0).reshape(2, 5)
    found = with_limits(vector, ("a", "b"), ("b", "c", "a"))
    assert found.tolist() == [[0, 1, 2, 4, 0, 3], [5, 6, 7, 9, 0, 8]]


def test_slopes_of_unknowns_go_with_their_limits_and_new_ones_move_alone():
    before = slopes(2)
    after = widened(before, 3, ("a", "b"), ("b", "c"))
    kept, old = [0, 1, 2, 3], [0, 1, 2, 4]
    assert after.inverse.shape == (PERIODS, 5, 5)
    assert (after.inverse[np.ix_([0, 1], kept, kept)] == before.inverse[np.ix_([0, 1], old, old)]).all()
    assert (after.inverse[:, 4] == np.eye(5)[4]).all()
    assert (after.inverse[:, :, 4] == np.eye(5)[4]).all()
    assert (after.use_by_addition[..., :2] == before.use_by_addition).all()
    assert not after.use_by_addition[..., 2].any()
    assert widened(before, 2, ("a", "b"), ("a", "b")).inverse is before.inverse


def classes(share: list[float], access: list[list[int]]) -> Classes:
    """Those of one node in two periods that are alike."""
    return Classes(
        np.repeat(np.array(share)[None, :, None], PERIODS, 2),
        np.repeat(np.array(access, bool)[None, :, None], PERIODS, 2),
    )


OPEN, SHUT, HALF = [1, 1, 1, 1], [0, 0, 0, 0], [1, 1, 0, 0]


def test_builders_add_what_those_of_like_access_add_elsewhere_whatever_the_place_of_their_class():
    there = classes([0.25, 0.75, 0.0], [OPEN, SHUT, HALF])
    here = classes([0.5, 0.0, 0.5], [SHUT, HALF, OPEN])
    added = np.array([10.0, 3.0, 0.0])[None, :, None] * np.ones(PERIODS)
    assert here.like(there)[0, :, 0].tolist() == [1, 0, 0], "nobody is in the class of half access there"
    assert here.additions(there, added, here.like(there))[0, :, 0].tolist() == [0.5 * 3 / 0.75, 0.0, 0.5 * 10 / 0.25]
    np.testing.assert_array_equal(there.additions(there, added, there.like(there)), added)


def test_slopes_go_with_the_class_most_like():
    before = slopes(1)
    like = np.array([[[1, 1], [0, 1]], [[0, 0], [1, 0]]])
    after = slopes_with(before, like, ("a",), ("a",))
    for node in range(NODES):
        for place in range(2):
            for period in range(PERIODS):
                mine = (period, node, like[node, place, period])
                assert (after.cost_by_rent[period, node, place] == before.cost_by_rent[mine]).all()
                there = before.use_by_addition[period, :, node, like[node, place, period]]
                assert (after.use_by_addition[period, :, node, place] == there).all()
    assert after.inverse is before.inverse


def test_orders_go_by_the_name_of_what_is_stored_and_the_class_of_who_stores_it():
    there, here = Stored(((0, 7), (1, 7)), (("hbm", 2),)), Stored(((1, 7), (1, 8)), (("chips", 2), ("hbm", 2)))
    like = np.array([[[0, 0], [0, 0]], [[1, 1], [0, 0]]])
    kits = np.random.default_rng(2).uniform(size=(2, PERIODS, 2, PERIODS, 2))
    goods, relief = np.arange(4.0).reshape(1, PERIODS, PERIODS) + 1, np.array([[5.0, 6.0]])
    none = Orders(np.zeros((2, PERIODS, 2, PERIODS, 2)), np.zeros((2, PERIODS, PERIODS)), np.zeros((2, PERIODS)))
    found = here.orders(there, Orders(kits, goods, relief), like, none)
    np.testing.assert_array_equal(found.kits[0], kits[1][:, ::-1][..., ::-1])
    assert not found.kits[1].any()
    assert not found.goods[0].any()
    np.testing.assert_array_equal(found.goods[1], goods[0])
    np.testing.assert_array_equal(found.relief[1], relief[0])
    assert not none.kits.any()


def everywhere(value: float) -> Point:
    """A point all of whose numbers are the same."""
    one = np.full((NODES, PERIODS), value)
    orders, past, record = Orders(one, one, one), Carried(one, one), Record(one, one, one)
    return Point(one, one, one, one > 0, one, one, one, orders, orders, past, record, past)


def test_shares_of_points_add_up_and_nothing_falls_below_its_floor():
    floor = np.array([-np.inf, 0.0])
    found = mixed((1.0, 1.0, -1.0), [everywhere(x) for x in (2.0, 3.0, 1.0)], floor)
    moved = (found.rent, found.additions, found.vector, found.orders.kits, found.orders.goods, found.orders.relief)
    assert all((part == 4.0).all() for part in (*moved, *found.record))
    below = mixed((1.0, 1.0, -1.0), [everywhere(x) for x in (2.0, 3.0, 9.0)], floor)
    held = (below.rent, below.additions, below.orders.kits, below.orders.goods, *below.record)
    assert not any(part.any() for part in held)
    assert (below.vector == [-4.0, 0.0]).all()
    assert (below.orders.relief == -4.0).all()


def test_shares_of_slopes_add_up_in_their_own_precision():
    one = slopes(1)._replace(inverse=slopes(1).inverse.astype(np.float32))
    other = PlanSlopes(*(3 * part for part in one))
    found = mixed_slopes((2.0, -1.0), (one, other))
    for mine, its in zip(found, one, strict=True):
        np.testing.assert_allclose(mine, -its, rtol=1e-6)
        assert mine.dtype == its.dtype
