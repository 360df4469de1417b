"""Steps of the rounds between markets and plan that are shortened."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from backfill.coupling import Coupling
from backfill.coupling.points import Point, Search
from backfill.supply.orders import Orders


def orders(kits: float, goods: float, relief: float) -> Orders:
    return Orders(np.full((1, 2, 1, 2, 1), kits), np.full((1, 2, 2), goods), np.full((1, 2), relief))


@pytest.mark.parametrize("length", [1.0, 0.25, 2.0**-8])
def test_orders_of_a_shortened_step_set_out_from_those_wanted(length: float):
    """Rents and additions move a share of the way; orders from what prices ask for, not from what is placed."""
    nothing = np.zeros((1, 2))
    point = Point(
        nothing + 0.1, np.ones((1, 1, 2)), nothing, nothing, nothing, nothing, nothing,
        orders(0, 0, 0), orders(0.2, 3.0, 0.5), None, None, None,
    )  # fmt: skip
    target = SimpleNamespace(rent=nothing + 0.3, additions=np.full((1, 1, 2), 5.0))
    aim = orders(1.0, 7.0, 2.5)
    tried = Coupling._trial(None, Search(point, target=target, orders=aim, length=length), slice(0, 2))
    np.testing.assert_allclose(tried.rent, 0.1 + 0.2 * length)
    np.testing.assert_allclose(tried.additions, 1 + 4 * length)
    for name, wanted, end in (("kits", 0.2, 1.0), ("goods", 3.0, 7.0), ("relief", 0.5, 2.5)):
        np.testing.assert_allclose(getattr(tried.orders, name), wanted + (end - wanted) * length)
