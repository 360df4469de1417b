"""Re-exports go back to where goods came from."""

from __future__ import annotations

import numpy as np
import pytest

from backfill.economy.compile.customs import on_regions, without_reexports

PLACES = ("TWN", "CHN", "SGP", "MYS", "HKG")
NONE_KEPT = {"HKG": 0.0, "SGP": 0.0, "MYS": 0.0}


def _trade(**flows: float) -> np.ndarray:
    out = np.zeros((5, 5))
    for pair, value in flows.items():
        origin, destination = pair.split("_")
        out[PLACES.index(origin), PLACES.index(destination)] = value
    return out


def test_goods_through_hong_kong_are_their_makers():
    clean = without_reexports(_trade(TWN_HKG=100.0, HKG_CHN=100.0), PLACES, {}, NONE_KEPT)
    assert clean[0, 1] == pytest.approx(100.0)
    assert clean[:, 4].sum() == pytest.approx(0.0)
    assert clean[4].sum() == pytest.approx(0.0)


def test_goods_through_two_places_are_their_makers():
    trade = _trade(TWN_SGP=90.0, SGP_HKG=90.0, HKG_CHN=90.0)
    assert without_reexports(trade, PLACES, {}, NONE_KEPT)[0, 1] == pytest.approx(90.0)


def test_own_make_and_own_use_stay():
    trade = _trade(TWN_SGP=100.0, SGP_CHN=120.0)
    clean = without_reexports(trade, PLACES, {"SGP": 50.0}, {**NONE_KEPT, "SGP": 0.4})
    assert clean[2, 1] == pytest.approx(60.0)
    assert clean[0, 1] == pytest.approx(60.0)
    assert clean[0, 2] == pytest.approx(40.0)
    limited = without_reexports(trade, PLACES, {"SGP": 80.0}, {**NONE_KEPT, "SGP": 0.4})
    assert limited[2, 1] == pytest.approx(80.0)


def test_what_china_sends_itself_through_hong_kong_is_own_use():
    clean = without_reexports(_trade(CHN_HKG=30.0, HKG_CHN=30.0), PLACES, {}, NONE_KEPT)
    assert on_regions(clean, PLACES)[1, 1] == pytest.approx(30.0)


def test_no_trade_is_lost_where_nothing_passes_through():
    trade = _trade(TWN_CHN=7.0, SGP_CHN=3.0)
    assert without_reexports(trade, PLACES, {"SGP": 3.0}, NONE_KEPT) == pytest.approx(trade)
