"""A textbook optimum: the tariff of a country that trades with another, both making one good of their own."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import backfill
from backfill.effects.kinds import POLICY
from backfill.experiments.design.file import DesignTable
from backfill.experiments.design.levers import Levers
from backfill.experiments.design.solve import solve
from backfill.experiments.design.worlds import Worlds
from backfill.experiments.setting import Setting
from backfill.governments.sequential import Verdict
from backfill.policy.measures.tariff import Tariff
from backfill.policy.policy import Policy
from tests.hats.tables import routes

LARGEST = 1.5


def outcome(flow: np.ndarray, theta: float):
    economy = backfill.Economy.from_tables(
        trade=routes(flow[None], "value", ["r0", "r1"], ["goods"]),
        elasticities=pl.DataFrame({"product": ["goods"], "trade_elasticity": [theta]}),
        closure="balanced",
    )
    setting = Setting(economy, economy.structure.vocabulary, "perfect", lambda *_: True, None)
    duty = Tariff(name="duty", by=("r0",), origins=("r1",), products=("goods",), rate=0.1)
    design = DesignTable.model_validate(
        {
            "objective": {"minimise": "welfare cost", "region": "r0"},
            "levers": [{"measure": "duty", "field": "rate", "low": 0.0, "high": LARGEST}],
            "search": {"starts": 2, "samples": 4},
        }
    )
    return economy, solve(Worlds(setting, Levers(design, Policy.of([duty])), Policy()))


@pytest.mark.parametrize(("theta", "home"), [(4.0, 0.8), (1.5, 0.95)])
def test_the_optimal_tariff_is_the_inverse_of_the_elasticity_of_foreign_supply(theta: float, home: float):
    """``t = 1 / (theta lambda)``, ``lambda`` the share of the other's spending on its own good at the optimum: the elasticity of
    its demand for imports is ``1 + theta lambda`` (Gros 1987, Journal of International Economics 23)."""
    economy, found = outcome(np.array([[home, 1 - home], [1 - home, 0.9]]), theta)
    assert found.best.verdict is Verdict.OPTIMAL
    seen = found.optimum.worlds[POLICY].observed
    spent = (seen.quantity * seen.mill[..., None])[0, 0, :, 1]
    share = spent[1] / spent.sum()
    rate = found.problem.worlds.levers.values(found.optimum.package)[0]
    assert rate == pytest.approx(1 / (theta * share), rel=2e-3)
    assert found.optimum.values[0] < 0
