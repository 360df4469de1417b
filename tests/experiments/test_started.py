"""A world that starts where a like one stands ends where it would have ended by itself."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from backfill.experiments.fitted import Classes
from backfill.experiments.setting import Setting
from backfill.experiments.started import Stand, Started
from backfill.experiments.worlds import batch
from backfill.policy.measures.alignment import Alignment
from backfill.policy.measures.export_control import ExportControl
from backfill.policy.policy import Policy
from backfill.reference import economy as calibrate
from backfill.supply.foresight import foresight_named
from backfill.supply.past import Record
from tests.support import small

TOOLS = ExportControl(
    name="tools", by=("USA",), products=("tools",), destinations=("CHN",), coverage=0.5, begin=dt.date(2023, 1, 1)
)
ALIGN = Alignment(name="align", region=("ally",), products=("tools",), level=0.4, begin=dt.date(2025, 1, 1))


@pytest.fixture(scope="module")
def setting() -> Setting:
    vocabulary = small.vocabulary()
    economy = calibrate(small.tables(), vocabulary, last_year=2027, overrides={"learning": 0.15, "experience": 5.0})
    return Setting(economy, vocabulary, "perfect", lambda *_: True, None)


def ended(setting: Setting, policy: Policy, near: Stand | None = None) -> tuple[Stand, int, int]:
    """Where a world ends, from which period on it departs from another, and after how many rounds."""
    needed = batch({"it": setting.vintages(policy)})
    place = needed.position["it"]
    foresight = foresight_named(setting.foresight, setting.economy.periods[0].years)
    starts = {} if near is None else {place: [(1.0, near)]}
    coupling = Started(setting.economy, needed.wedges, foresight, needed.departs, {}, starts)
    coupling.take()
    coupling.solve()
    assert not coupling.failures
    return coupling.stand(place), needed.departs[place][1], int(coupling.rounds[place])


def test_periods_that_are_over_are_its_own(setting: Setting):
    """The other world did more in periods that are over here; what it learned there is not known here."""
    alone, since, _ = ended(setting, Policy.of((TOOLS, ALIGN)))
    over = np.arange(len(setting.economy.periods)) < since
    assert over.any()
    more = [np.where(over.reshape(-1, *[1] * (x.ndim - 1)), 1.5 * x + 1, x) for x in alone.point.record]
    other = replace(alone, point=replace(alone.point, record=Record(*more), rent=alone.point.rent + 0.1 * over))
    found, _, _ = ended(setting, Policy.of((TOOLS, ALIGN)), other)
    for mine, its in zip(found.point.record, alone.point.record, strict=True):
        np.testing.assert_allclose(mine, its, rtol=1e-6, atol=1e-6 * np.abs(its).max(initial=1.0))
    np.testing.assert_allclose(found.point.rent, alone.point.rent, atol=1e-6)
    np.testing.assert_allclose(found.point.past.skill, alone.point.past.skill, atol=1e-7)
    assert np.abs(alone.point.past.skill).max() > 1e-4


def turned(stand: Stand) -> Stand:
    """The same with classes of builders in the opposite order."""
    point, slopes = stand.point, stand.slopes
    assert slopes is not None

    def orders(given):
        return replace(given, kits=np.flip(given.kits, (2, 4)))

    return replace(
        stand,
        classes=Classes(np.flip(stand.classes.share, 1), np.flip(stand.classes.access, 1)),
        slopes=slopes._replace(
            use_by_addition=np.flip(slopes.use_by_addition, 3), cost_by_rent=np.flip(slopes.cost_by_rent, 2)
        ),
        point=replace(
            point,
            additions=np.flip(point.additions, 1),
            tool_cost=np.flip(point.tool_cost, 1),
            orders=orders(point.orders),
            wanted=orders(point.wanted),
        ),
    )


def test_a_world_that_starts_where_it_ended_is_there_whatever_the_order_of_classes(setting: Setting):
    policy = Policy.of((TOOLS, ALIGN))
    alone, _, rounds = ended(setting, policy)
    assert alone.classes.share.shape[1] > 1
    for near in (alone, turned(alone)):
        found, _, again = ended(setting, policy, near)
        assert again <= 2 < rounds
        np.testing.assert_allclose(found.point.additions, alone.point.additions, rtol=1e-5, atol=1e-5)
