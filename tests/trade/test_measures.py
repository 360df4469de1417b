"""Which way measures move the markets of the benchmark, level by level, capacity and additions as in the reference."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from backfill.dimensions import Vocabulary
from backfill.economy.economy import CLOUD, DIRECT, DIVERSION, Economy
from backfill.economy.tables import BaselineTables
from backfill.policy.benchmark import benchmark_flows
from backfill.policy.compile import compile_policy
from backfill.policy.policy import Policy, parse_measures
from backfill.policy.technology import benchmark_facts
from backfill.trade.equilibrium import outcomes, solve
from tests.trade.worlds import lanes_of

YEAR = 3
FRONTIER = {"by": "USA", "products": "accelerators_frontier", "destinations": "CHN"}
LADDERS: dict[str, tuple[dict, str, list[float]]] = {
    "control": ({"kind": "export_control", **FRONTIER}, "coverage", [0.0, 0.3, 0.6, 0.9]),
    "restraint": (
        {"kind": "import_restraint", "by": "CHN", "origins": "USA", "products": "accelerators_frontier"},
        "accepted",
        [1.0, 0.7, 0.4, 0.1],
    ),
    "remote": ({"kind": "cloud_control", "destinations": "CHN"}, "coverage", [0.0, 0.3, 0.6, 0.9]),
    "customers": ({"kind": "know_your_customer", "cost": 0.0}, "detection", [0.0, 0.2, 0.4, 0.6]),
    "mandate": ({"kind": "domestic_mandate", "region": "CHN", "products": "tools"}, "share", [0.0, 0.4, 0.5, 0.6]),
    "ratio": ({"kind": "share_cap", **FRONTIER}, "share", [10.0, 0.2, 0.1, 0.05]),
    "quota": (
        {"kind": "country_cap", "destinations": "GLF", "products": "accelerators_frontier", "unit": "H100e"},
        "quantity",
        [1e9, 40e3, 20e3, 10e3],
    ),
    "packages": ({"kind": "export_promotion", "destinations": "GLF"}, "subsidy_equivalent", [0.0, 0.05, 0.1, 0.2]),
    "duty": ({"kind": "tariff", "by": "USA", "origins": "CHN", "products": "memory"}, "rate", [0.0, 0.1, 0.3, 0.6]),
    "free quota": (
        {"kind": "tariff", "by": "USA", "origins": "CHN", "products": "memory", "rate": 0.3, "unit": "USD"},
        "quota",
        [1e12, 1e9, 0.5e9, 1e3],
    ),
    "levy": ({"kind": "export_levy", **FRONTIER}, "rate", [0.0, 0.1, 0.2, 0.4]),
}


class Solved:
    """All rungs of all ladders, solved together."""

    def __init__(self, tables: BaselineTables, names: Vocabulary) -> None:
        from backfill.reference import economy

        self.economy: Economy = economy(tables, names, first_year=2022, last_year=2030)
        self.names, shape = names, self.economy.structure
        one = self.economy.periods[YEAR : YEAR + 1]
        worlds = []
        self.rungs: dict[str, slice] = {}
        for name, (table, key, levels) in LADDERS.items():
            self.rungs[name] = slice(len(worlds), len(worlds) + len(levels))
            for level in levels:
                written = {**table, key: level, "from": dt.date(2022, 1, 1)}
                placed, wrong = parse_measures([written], "ladder", names)
                assert not wrong
                worlds.append(
                    compile_policy(
                        Policy(tuple(placed)),
                        names,
                        one,
                        flow_exists=benchmark_flows(tables),
                        facts=benchmark_facts(tables),
                        inert_allowed=True,
                    )  # fmt: skip
                )
        lane, start = lanes_of(self.economy, worlds, YEAR)
        found = solve(shape, lane, start)
        assert found.converged.all()
        self.lane, self.outcome = lane, outcomes(shape, lane, found.vector)

    def acquired(self, name: str, user: str, *channels: str, product: str = "") -> np.ndarray:
        """Compute acquired by a user on each rung, thousand H100e."""
        shape = self.economy.structure
        chosen = [
            n
            for n, leaf in enumerate(shape.leaves)
            if shape.regions[leaf.user] == user
            and (not channels or leaf.channel in channels)
            and shape.makers[leaf.maker][0].startswith(product or "")
        ]
        return np.asarray(self.outcome.leaf)[self.rungs[name]][:, chosen].sum(1)

    def flow(self, name: str, product: str, origin: str, destination: str) -> np.ndarray:
        """Units of a good on each rung."""
        shape = self.economy.structure
        place = shape.position(product), shape.region(origin), shape.region(destination)
        return np.asarray(self.outcome.flows.quantity)[(self.rungs[name], *place)]


@pytest.fixture(scope="module")
def solved(tables: BaselineTables, vocabulary: Vocabulary) -> Solved:
    return Solved(tables, vocabulary)


def falls(values: np.ndarray) -> bool:
    return bool((np.diff(values) < 0).all())


@pytest.mark.parametrize("name", ["control", "restraint", "levy"])
def test_what_stands_in_the_way_lowers_what_is_bought(solved: Solved, name: str):
    direct = solved.acquired(name, "CHN", DIRECT, product="accelerators_frontier")
    assert falls(direct)
    assert falls(solved.acquired(name, "CHN"))


def test_a_control_and_a_restraint_of_the_same_width_are_the_same_to_markets(solved: Solved):
    control = solved.acquired("control", "CHN")
    restraint = solved.acquired("restraint", "CHN")
    np.testing.assert_allclose(control, restraint, rtol=1e-9)


def test_a_ban_turns_buyers_to_hubs_and_remote_machines(solved: Solved):
    assert falls(-solved.acquired("control", "CHN", DIVERSION))
    assert falls(-solved.acquired("control", "CHN", CLOUD))


def test_closing_remote_machines_lowers_their_use(solved: Solved):
    remote = solved.acquired("remote", "CHN", CLOUD)
    assert falls(remote)
    assert falls(-solved.acquired("remote", "CHN", DIRECT))


def test_detection_lowers_diversion(solved: Solved):
    assert falls(solved.acquired("customers", "CHN", DIVERSION, product="accelerators_frontier"))


def test_a_mandate_is_met_and_costs_nobody_a_rent(solved: Solved):
    shape, rung = solved.economy.structure, solved.rungs["mandate"]
    home = shape.region("CHN")
    tools = list(shape.tools)
    units = np.asarray(solved.outcome.flows.quantity)[rung][:, tools][..., home]
    bought = (units * np.asarray(solved.outcome.buying.mill)[rung][:, tools]).sum(1)
    share = bought[:, home] / bought.sum(1)
    for found, asked in zip(share[1:], (0.4, 0.5, 0.6), strict=True):
        assert found >= asked - 1e-9
    assert share[3] == pytest.approx(0.6, abs=1e-9)
    rents = np.asarray(solved.outcome.income.limit_rents)[rung]
    size = np.asarray(solved.outcome.income.labour)[rung].sum(1)
    assert (np.abs(rents).sum(1) / size < 1e-9).all()


def test_a_ratio_holds_and_internalised_leaves_no_rent(solved: Solved):
    shape, rung = solved.economy.structure, solved.rungs["ratio"]
    made = np.asarray(solved.outcome.handling.deliveries)[rung][:, shape.makers.index(("accelerators_frontier", "USA"))]
    ratio = made[:, shape.region("CHN")] / made[:, shape.region("USA")]
    np.testing.assert_allclose(ratio[1:], [0.2, 0.1, 0.05], rtol=1e-8)
    rents = np.asarray(solved.outcome.income.limit_rents)[rung]
    paid = np.asarray(solved.outcome.state.limit_rent)[rung].max(1)
    assert (paid[1:] > 0.01).all()
    assert (np.abs(rents).sum(1) / np.asarray(solved.outcome.income.labour)[rung].sum(1) < 1e-8).all()


def test_a_country_cap_holds_and_pays_the_sender(solved: Solved):
    shape, rung = solved.economy.structure, solved.rungs["quota"]
    made = np.asarray(solved.outcome.handling.deliveries)[rung][:, shape.makers.index(("accelerators_frontier", "USA"))]
    np.testing.assert_allclose(made[1:, shape.region("GLF")], [40.0, 20.0, 10.0], rtol=1e-8)
    rents = np.asarray(solved.outcome.income.limit_rents)[rung]
    assert (rents[1:, shape.region("USA")] > 0).all()
    assert (np.delete(rents, shape.region("USA"), 1) == 0).all()


def test_packages_raise_sales_and_cost_the_treasury(solved: Solved):
    assert falls(-solved.acquired("packages", "GLF", DIRECT, product="accelerators_frontier"))
    levy = np.asarray(solved.outcome.income.levy_revenue)[
        solved.rungs["packages"], solved.economy.structure.region("USA")
    ]
    assert falls(levy)


def test_a_duty_lowers_imports(solved: Solved):
    assert falls(solved.flow("duty", "memory", "CHN", "USA"))


def test_a_quota_of_a_duty_lies_between_no_duty_and_the_whole_of_it(solved: Solved):
    duty, quota = (solved.flow(name, "memory", "CHN", "USA") for name in ("duty", "free quota"))
    assert quota[0] == pytest.approx(duty[0], rel=1e-9)
    assert (np.diff(quota) <= 1e-9 * quota[0]).all()
    assert quota[-1] == pytest.approx(duty[2], rel=1e-6)
    rent = np.asarray(solved.outcome.state.limit_rent)[solved.rungs["free quota"]].max(1)
    assert rent[0] == 0
    assert rent[-1] == pytest.approx(0.3)
    assert (rent <= 0.3 + 1e-12).all()
