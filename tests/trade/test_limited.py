"""Rents of limits renew only the wedges of the products they are on."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from backfill.policy.wedges import Limit
from backfill.trade.factors import factors, fixed, limited, used_in
from tests.trade.worlds import cap, lane_at, lanes_of, no_policy, policy, small_economy

LOGIC, HBM = ("logic_advanced", "TWN", "USA"), ("hbm", "TWN", "CHN")


def quotas(*flows: tuple[str, str, str]) -> list[Limit]:
    return [cap(small_economy(), *flow, 1.0, side) for flow, side in zip(flows, ("exporter", "importer"), strict=False)]


@pytest.mark.parametrize(("flows", "rows"), [((), 0), ((LOGIC,), 1), ((LOGIC, HBM), 2)])
def test_as_if_all_were_computed_anew(flows: tuple, rows: int):
    economy = small_economy()
    world = policy(economy, limits=quotas(*flows), levy={HBM: 0.2}, coverage={LOGIC: 0.4})
    lane, _ = lanes_of(economy, [no_policy(economy), world])
    used = used_in(lane.barriers)
    assert used.limited_goods == rows
    one = lane_at(lane, 1)
    rent = np.linspace(0.1, 0.5, len(flows))
    with jax.enable_x64(True):
        whole = factors(one.parameters, one.barriers, rent)
        mine = limited(one.parameters, one.barriers, fixed(one.parameters, one.barriers, used), rent)
    np.testing.assert_allclose(mine.goods.value, whole.goods.value, rtol=1e-14)
    np.testing.assert_allclose(mine.goods.quantity, whole.goods.quantity, rtol=1e-14)
    np.testing.assert_allclose(mine.goods.tariff, whole.goods.tariff, rtol=1e-14)
    assert mine.goods.levy is not None
    np.testing.assert_allclose(mine.goods.levy, whole.goods.levy, rtol=1e-14)
    if flows:
        idle = factors(one.parameters, one.barriers, None)
        assert not np.allclose(mine.goods.value, idle.goods.value)
