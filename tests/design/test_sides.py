"""Effects that compare a package with other worlds: which those are, what they answer, and their derivatives."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from backfill.effects.kinds import DOWNSTREAM, PEACEFUL, POLICY, aside
from backfill.experiments.design.file import DesignTable
from backfill.experiments.design.levers import Levers
from backfill.experiments.design.sides import aligning, unaligned, unthreatened
from backfill.experiments.design.solve import solve
from backfill.experiments.design.worlds import Worlds
from backfill.experiments.setting import Setting
from backfill.governments.sequential import NEARLY
from backfill.policy.measures.alignment import Alignment
from backfill.policy.measures.enforcement import Enforcement
from backfill.policy.measures.export_control import ExportControl
from backfill.policy.measures.secondary_tariff import SecondaryTariff, Trigger
from backfill.policy.policy import Policy
from backfill.reference import economy as calibrate
from tests.support import small
from tests.support.precise import solve_precisely

BEGIN = dt.date(2024, 1, 1)
CHIPS = ExportControl(
    name="chips", by=("USA",), products=("accelerators_frontier",), destinations=("CHN",), coverage=0.5, begin=BEGIN
)
TOOLS = ExportControl(name="tools", by=("USA",), products=("tools",), destinations=("CHN",), coverage=0.5, begin=BEGIN)
ALIGN = Alignment(name="align", region=("ally", "SGP"), products=("tools",), level=0.4, begin=BEGIN)
CHECKS = Enforcement(name="checks", budget=1.5, begin=BEGIN)
DUTY = SecondaryTariff(
    name="duty", by=("USA",), targets=("TWN",), products=("electronics",), rate=0.2, begin=BEGIN,
    trigger=Trigger(alignment_below=0.05, products=("tools",)),
)  # fmt: skip
LEVERS = [
    {"measure": "chips", "field": "coverage", "low": 0.0, "high": 0.9},
    {"measure": "tools", "field": "coverage", "low": 0.1, "high": 0.9},
    {"measure": "align", "field": "level", "low": 0.1, "high": 0.9},
    {"measure": "checks", "field": "budget", "low": 1.0, "high": 4.0},
]
PARTICIPATION = {"effect": "participation", "region": "TWN", "name": "TWN goes along", "security": 0.05}


def of(*measures) -> Policy:
    return Policy.of(measures)


def test_an_ally_leaves_its_alignments_and_others_stay():
    policy, names = of(TOOLS, ALIGN), small.vocabulary()
    assert aligning(policy, "TWN", names) == [ALIGN]
    alone = unaligned(policy, "TWN", names).measures
    assert [one.region for one in alone if isinstance(one, Alignment)] == [("SGP",)]
    assert unaligned(of(TOOLS, ALIGN.model_copy(update={"region": ("TWN",)})), "TWN", names).measures == (TOOLS,)
    assert unthreatened(of(TOOLS, ALIGN, DUTY)).measures == (TOOLS, ALIGN)


@pytest.fixture(scope="module")
def setting():
    economy = calibrate(small.tables(), small.vocabulary(), last_year=2027)
    return Setting(economy, small.vocabulary(), "perfect", lambda *_: True, None)


def worlds(setting, *measures, **design) -> Worlds:
    levers = [one for one in LEVERS if one["measure"] in [measure.name for measure in measures]]
    table = {
        "objective": {"maximise": "compute denied"},
        "levers": levers,
        "search": {"starts": 1, "samples": 0},
        **design,
    }
    return Worlds(setting, Levers(DesignTable.model_validate(table), of(*measures)), Policy())


@pytest.mark.slow
def test_each_side_is_the_world_solved_alone(setting):
    limits = [{**PARTICIPATION, "at_least": 0.0}, {"effect": "leakage rate", "name": "leaks", "at_most": 1.0}]
    found = worlds(setting, CHIPS, TOOLS, ALIGN, DUTY, limits=limits)
    assert found.sides.names == (POLICY, PEACEFUL, aside("TWN"), aside("TWN", PEACEFUL), DOWNSTREAM)
    package = found.inside(found.levers.start())
    mine = found.found([package])[0]
    assert mine is not None
    policy = found.levers.policy_at(package)
    names = small.vocabulary()
    for side, other in {
        PEACEFUL: unthreatened(policy),
        aside("TWN"): unaligned(policy, "TWN", names),
        aside("TWN", PEACEFUL): unthreatened(unaligned(policy, "TWN", names)),
    }.items():
        levers = Levers(
            DesignTable.model_validate({"objective": {"maximise": "compute denied"}, "levers": LEVERS[:1]}), other
        )
        alone = Worlds(setting, levers, Policy())
        again = alone.found([levers.start()])[0]
        assert again is not None
        for a, b in zip(mine.worlds[side].observed, again.worlds[POLICY].observed, strict=True):
            assert np.allclose(a, b, rtol=1e-5, atol=1e-5 * np.abs(b).max())


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worlds solved to 1e-10: what one ally gains by a measure is small beside all that it absorbs."""
    solve_precisely(monkeypatch)


@pytest.mark.slow
def test_their_derivatives_equal_central_differences(setting, exact):
    """In steps of a hundredth: what an ally gains is a difference of sums a hundred thousand times as large, known to 1e-12."""
    effects = ["gross denial", "leakage", "leakage rate"]
    limits = [{"effect": one, "name": one, "at_most": 1e9} for one in effects]
    limits += [{"effect": "backfill rate", "products": "accelerators", "name": "backfill", "at_most": 1e9}]
    found = worlds(setting, CHIPS, TOOLS, ALIGN, CHECKS, DUTY, limits=[*limits, {**PARTICIPATION, "at_least": 0.0}])
    package = found.inside(found.levers.start())
    assert found.found([package])[0] is not None
    slopes = found.slopes(package)
    assert slopes.left <= 1e-10
    step = 1e-2
    for n in range(len(LEVERS)):
        share = np.asarray(package.share)
        values = [
            found.found([package.moved(share + k * step * np.eye(len(LEVERS))[n])])[0].values for k in (1, -1, 2, -2)
        ]
        a, b, c, d = values
        expected = (8 * (a - b) - (c - d)) / (12 * step)
        scale = np.abs(slopes.by_lever).max(axis=1)
        assert (np.abs(slopes.by_lever[:, n] - expected) <= 1e-5 * scale).all(), (n, slopes.by_lever[:, n], expected)


@pytest.mark.slow
def test_an_ally_that_must_want_to_go_along_holds_the_package_back(setting, exact):
    """Alignment denies; but near its upper end it costs the ally dear, so that asking for its consent holds it back."""
    levers = [LEVERS[2]]
    free = solve(
        worlds(setting, TOOLS, ALIGN, limits=[{**PARTICIPATION, "security": 0.0, "at_least": -1e9}], levers=levers)
    )
    least, most = (
        free.problem.worlds.found([free.problem.worlds.inside(free.start.package.moved([x]))])[0].values[1]
        for x in (0.0, 1.0)
    )
    bound = 0.5 * (least + most)
    held = solve(
        worlds(setting, TOOLS, ALIGN, limits=[{**PARTICIPATION, "security": 0.0, "at_least": bound}], levers=levers)
    )
    assert held.best.feasible
    assert held.problem.scaled(held.optimum.values)[1] <= NEARLY
    assert held.optimum.values[1] >= bound - 1e-2 * abs(most - least)
    assert held.optimum.values[0] <= free.optimum.values[0] + 1e-6 * abs(free.optimum.values[0])


FAULTY = {
    "several": ('region = "ally"', 'region: "ally": is no single region; each chooses for itself'),
    "nobody": ('region = "KOR"', 'region: "KOR": aligns by no measure'),
    "missing": ("", "region: is missing; participation needs it"),
    "a period": ('region = "NLD"\nperiod = 2030', "period: 2030: is not read by participation"),
}


@pytest.mark.parametrize("case", FAULTY)
def test_whose_consent_it_is_must_be_said(case: str, tmp_path):
    from backfill.errors import Faults
    from backfill.experiments.config import load_experiment

    given, told = FAULTY[case]
    text = """
[[measures]]
kind = "export_control"
name = "Tools"
by = "USA"
products = "tools"
destinations = "CHN"
coverage = 0.5
from = 2024-01-01
[[measures]]
kind = "alignment"
name = "Align"
region = "NLD"
products = "tools"
level = 0.5
from = 2024-01-01
[design.objective]
maximise = "compute denied"
[[design.levers]]
measure = "Align"
field = "level"
low = 0.1
high = 0.9
[[design.limits]]
effect = "participation"
at_least = 0.0
"""
    (tmp_path / "mine.toml").write_text(text + given + "\n", encoding="utf-8")
    with pytest.raises(Faults) as caught:
        load_experiment(tmp_path / "mine.toml")
    assert any(told in line for line in caught.value.lines), caught.value.lines
