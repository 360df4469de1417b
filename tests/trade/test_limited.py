"""Rents of limits renew only the wedges of the products they are on."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from backfill.policy.wedges import Limit
from backfill.trade.buyers import columns_of
from backfill.trade.factors import EVERYTHING, factors, limited, used_in
from tests.trade.worlds import cap, lane_at, lanes_of, no_policy, policy, small_economy

LOGIC, HBM = ("logic_advanced", "TWN", "USA"), ("hbm", "TWN", "CHN")


def quotas(*flows: tuple[str, str, str]) -> list[Limit]:
    return [cap(small_economy(), *flow, 1.0, side) for flow, side in zip(flows, ("exporter", "importer"), strict=False)]


@pytest.mark.parametrize("flows", [(), (LOGIC,), (LOGIC, HBM)])
def test_as_if_all_were_computed_anew(flows: tuple):
    economy = small_economy()
    world = policy(economy, limits=quotas(*flows), levy={HBM: 0.2}, coverage={LOGIC: 0.4})
    lane, _ = lanes_of(economy, [no_policy(economy), world])
    shape = economy.structure
    used = used_in(shape, lane.barriers)
    places = {shape.position(product) for product, _, _ in flows}
    moved = tuple(n for n, rows in enumerate(shape.ranges) if places & set(range(rows.start, rows.stop)))
    assert used.limited == moved
    one = lane_at(lane, 1)
    rent = np.linspace(0.1, 0.5, len(flows))
    with jax.enable_x64(True):
        given = (shape, one.parameters, one.barriers)
        whole, idle, start = factors(*given, EVERYTHING, rent), factors(*given), factors(*given, used)
        assert start.limited == moved
        mine = limited(*given, start, columns_of(shape, one.barriers), rent)
    for place, (its, wanted, before) in enumerate(zip(mine.goods, whole.goods, idle.goods, strict=True)):
        for name in ("value", "quantity", "tariff", "levy"):
            np.testing.assert_allclose(getattr(its, name), getattr(wanted, name), rtol=1e-14)
        assert np.allclose(its.value, before.value) == (place not in moved)
