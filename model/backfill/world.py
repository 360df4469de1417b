"""The coupled world: markets and suppliers solved together (section 7); one public function, `solve_world`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum

import jax
import numpy as np

from backfill.accounts import (
    Tables,
    capacity_table,
    flow_table,
    income_table,
    limit_table,
    price_table,
    stock_table,
    terminal_table,
)
from backfill.checks import balances_out_of_reach, market_checks
from backfill.coupling import Coupling, settled
from backfill.dimensions import Period
from backfill.economy.economy import Economy
from backfill.policy.wedges import Wedges
from backfill.supply.foresight import foresight_named
from backfill.supply.inherited import subsidies
from backfill.supply.nodes import capacity_path
from backfill.threads import single_threaded_algebra
from backfill.trade.barriers import Barriers
from backfill.trade.equilibrium import outcomes
from backfill.trade.market import Outcome

OVERSPENT = 0.3
"""Share of a region's income spent by builders from which on a failed world's verdict says so."""


class Status(Enum):
    """Verdict on a world, each a sentence that says what to try."""

    SOLVED = "Markets and plan agree."
    MARKETS_FAILED = "Some markets have no answer at any plan that was tried; try milder wedges or limits there."
    COUPLING_FAILED = "Markets and plan did not agree."


@dataclass(frozen=True)
class World:
    """One solved world.

    Attributes:
        tables: long tables with units (see `Tables`), reported periods only.
        status: the verdict.
        message: the verdict with the names of what failed.
        checks: residuals, each the maximum over periods (sections 5 and 12).
        periods: reported periods.
        discount: discount factor per period.
        rounds: rounds of the coupling used.
    """

    tables: Tables
    status: Status
    message: str
    checks: dict[str, float]
    periods: tuple[Period, ...]
    discount: float
    rounds: int


def solve_world(
    economy: Economy,
    worlds: Sequence[Wedges],
    *,
    foresight: str = "perfect",
    departs: Mapping[int, tuple[int, int]] | None = None,
    wanted: Sequence[int] | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> tuple[World, ...]:
    """Solve several worlds of one economy, markets in batches, each with its own capacity plan.

    A world is accepted on the natural residual at true prices and on what another round would move (`coupling.settled`).

    Args:
        economy: the calibrated economy.
        worlds: one policy each, as wedges over ``economy.periods``.
        foresight: ``"perfect"``, ``"myopic"`` or ``"fixed"`` (additions stay at the reference).
        departs: surprises, as place of a world to (place of another, number of periods): until then suppliers plan as in
            the other, because what is new in this world has not been announced. Its wedges must be the other's so long.
            Without effect on suppliers who do not look ahead.
        wanted: places of the worlds to return, in that order; all by default.
        progress: called with a message and the share done.

    Raises:
        ValueError: for wedges over other periods than the economy's, and for worlds that cannot depart as stated.
    """
    for wedges in worlds:
        if wedges.coverage.shape[0] != len(economy.periods):
            raise ValueError(
                f"wedges cover {wedges.coverage.shape[0]} periods, the economy has {len(economy.periods)}; "
                "compile the policy over economy.periods"
            )
    for world, (other, periods) in (departs or {}).items():
        _check_departure(worlds, departs or {}, world, other, periods)
    with single_threaded_algebra():
        coupling = Coupling(economy, worlds, foresight_named(foresight, economy.periods[0].years), departs)
        coupling.solve(progress and (lambda share: progress("worlds", share)))
        return worlds_of(coupling, range(len(worlds)) if wanted is None else wanted)


def worlds_of(coupling: Coupling, wanted: Iterable[int]) -> tuple[World, ...]:
    """Worlds of a coupling that has been solved, by their places."""
    return tuple(_world(coupling, coupling.worlds, world) for world in wanted)


def _check_departure(
    worlds: Sequence[Wedges], departs: Mapping[int, tuple[int, int]], world: int, other: int, periods: int
) -> None:
    places = range(len(worlds))
    if world not in places or other not in places or not 0 < periods < len(worlds[world].coverage):
        raise ValueError(f"world {world} cannot depart from world {other} after {periods} periods: there is none such")
    if departs.get(other, (None, 0))[1] >= periods:
        raise ValueError(f"world {world} departs from world {other} after {periods} periods, which itself departs no earlier")
    for field in fields(Wedges):
        mine, its = getattr(worlds[world], field.name), getattr(worlds[other], field.name)
        if field.name == "limits":
            same = _limits_until(worlds[world], periods) == _limits_until(worlds[other], periods)
        else:
            same = field.name == "foreseen" or np.array_equal(mine[:periods], its[:periods])
        if not same:
            raise ValueError(
                f"world {world} departs from world {other} after {periods} periods but differs from it before in {field.name}"
            )


def _limits_until(wedges: Wedges, periods: int) -> dict[str, tuple]:
    """Limits that are in force in the first periods, comparable."""
    return {
        limit.name: (limit.owner, limit.side, sorted(limit.entries), limit.ceiling, tuple(limit.quantity[:periods]))
        for limit in wedges.limits
        if np.isfinite(limit.quantity[:periods]).any()
    }


def _world(coupling: Coupling, worlds: Sequence[Wedges], world: int) -> World:
    """Tables, verdict and checks of one world."""
    economy, shape, point = coupling.economy, coupling.economy.structure, coupling.points[world]
    lane, vector = coupling.lane({world: point}, {world: np.arange(coupling.periods)})
    outcome = outcomes(shape, lane, vector)
    keep = slice(0, economy.reported)
    shown = jax.tree.map(lambda x: x[keep], outcome)
    barriers: Barriers = jax.tree.map(lambda x: x[keep], lane.barriers)
    labels = [period.label for period in economy.periods[keep]]
    capacity = capacity_path(coupling.nodes[world], point.additions)
    limits = {limit.name: limit for wedges in worlds for limit in wedges.limits}
    names = sorted(limits)
    site = np.asarray(economy.capacity.site_cost).T + point.tool_cost[:, 0]
    added = point.additions.sum(1)
    paid = subsidies(economy, worlds[world]) * added
    tables = Tables(
        flows=flow_table(shape, labels, barriers, shown, np.asarray(lane.parameters.preferences.tariff)[keep]),
        prices=price_table(shape, labels, shown),
        income=income_table(shape, labels, shown),
        capacity=capacity_table(
            economy, labels, capacity.T[keep], point.use.T[keep], added.T[keep], point.rent.T[keep],
            point.mill.T[keep], site.T[keep], point.past.skill[:, coupling.rows, coupling.columns][keep], paid.T[keep],
        ),
        limits=limit_table(
            labels, names, [limits[n].owner for n in names], [limits[n].unit for n in names], barriers, shown
        ),
        stocks=stock_table(shape, labels, coupling.holders[world].stocks(point.orders, point.additions)),
        terminal=terminal_table(economy, coupling.nodes[world], point.additions),
    )  # fmt: skip
    residual, step = max(coupling.gaps(world).largest, point.apart), float(coupling.steps[world])
    status = _status(coupling, world, residual, step)
    checks = {
        "converged": float(status is Status.SOLVED),
        **market_checks(shape, lane, outcome),
        "coupling_step": step,
        "coupling_optimality": residual,
    }
    message = Status.SOLVED.value if status is Status.SOLVED else _why(coupling, coupling.first_to_fail(world), status)
    return World(
        tables, status, message, checks, economy.periods[keep], float(economy.capacity.discount), int(coupling.rounds[world])
    )


def _status(coupling: Coupling, world: int, residual: float, step: float) -> Status:
    if world not in coupling.failures and coupling.points[world].converged.all() and settled(residual, step):
        return Status.SOLVED
    world = coupling.first_to_fail(world)
    span = coupling.failures.get(world, slice(0, coupling.periods))
    return Status.COUPLING_FAILED if coupling.points[world].converged[span].all() else Status.MARKETS_FAILED


def _why(coupling: Coupling, world: int, status: Status) -> str:
    """What failed, where and by how much: markets by period, or capacities and the limit that explains them."""
    from backfill.supply.explain import explain

    point, labels = coupling.points[world], _labels(coupling.economy)
    span = coupling.failures.get(world, slice(0, coupling.periods))
    outcome = outcomes(coupling.economy.structure, *coupling.lane({world: point}, {world: np.arange(coupling.periods)}))
    if status is Status.MARKETS_FAILED:
        late = [t for t in range(coupling.periods)[span] if not point.converged[t]]
        when = ", ".join(dict.fromkeys(labels[t] for t in late))
        return f"{status.value} Periods: {when}.{_unbalanced(coupling, late, labels, outcome)}"
    gaps = coupling.gaps(world).within(span)
    worst = "; ".join(
        f"{' in '.join(node)} by {size:.2g} in {labels[span.start + period]}" for node, period, size in gaps.worst()
    )
    if world in coupling.blocked:
        worst += ". Steps towards agreement lead to plans at which a market has no answer"
    spent = np.asarray(outcome.income.investment / (outcome.income.investment + outcome.state.absorption))[span]
    period, region = np.unravel_index(np.nan_to_num(spent).argmax(), spent.shape)
    if spent[period, region] > OVERSPENT:
        name, when = coupling.economy.structure.regions[region], labels[span.start + int(period)]
        worst += f". Builders in {name} would spend {spent[period, region]:.0%} of its income on tools in {when}"
    reason = explain(coupling.nodes[world], coupling.response(world), coupling.foresight, labels=labels, span=span)
    return f"{status.value} Apart, as shares of price or capacity: {worst}. {reason}"


def _unbalanced(coupling: Coupling, late: Sequence[int], labels: Sequence[str], outcome: Outcome) -> str:
    """Which regions cannot earn or spend their fixed balance of trade, in the first period in which that is so; or nothing."""
    found = balances_out_of_reach(coupling.economy.structure, outcome)
    for period in late:
        worst = sorted(found[period].items(), key=lambda one: abs(one[1][1]) - abs(one[1][0]))[:3]
        if worst:
            told = "; ".join(
                f"{region} would have to {'sell' if balance > 0 else 'buy'} abroad {abs(balance):.1%} of what it absorbs and "
                f"{'sells' if balance > 0 else 'buys'} {abs(trade):.1%}"
                for region, (balance, trade) in worst
            )
            return f" Balances of trade stay as in the base year: in {labels[period]} {told}; leave these regions ways to trade."
    return ""


def _labels(economy: Economy) -> list[str]:
    """Names of all solved periods; those that are not reported are what follows the last one that is."""
    shown = [period.label for period in economy.periods[: economy.reported]]
    return shown + [f"the years after {shown[-1]}"] * (len(economy.periods) - economy.reported)
