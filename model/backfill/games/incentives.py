"""The cheapest secondary tariffs and offers that make a wanted profile an equilibrium (Pyomo, solved by HiGHS).

Threats fall on players below the level wanted of them, each with its own tariff, and offers are had by those at that level
or above. At the wanted profile nobody is threatened, so that what others are threatened with matters only on the way there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import numpy as np
import pyomo.environ as pyo

from backfill.games.deterrence import deterring
from backfill.games.payoffs import Array, Profile
from backfill.supply.highs import solve_model

STRICT = 1e-6
"""What the wanted level is better by than any other, as a share of GDP: a tie would leave the choice open."""

ROUNDED = 1e-10
"""To what tariffs at which a player is just held are rounded, upwards: what rounding takes off must not ask for an offer."""

SAME = 1e-9
"""Share of its cost, or million USD, by which one tariff is no cheaper than another."""

UNIT = 1e6
"""Pay-offs are shares of GDP; constraints are in millionths of it, so that the solver's tolerances do not matter."""


@dataclass(frozen=True)
class Task:
    """What is wanted, and what it may take.

    Attributes:
        players: names.
        wanted: place of the level wanted of each.
        payoff: ``[player, *levels]`` without threats and offers, shares of GDP.
        loss: ``[player, rate, *levels]`` what a tariff on the player alone takes from its pay-off there, credibility included,
            as a share of GDP; read only where the player is below the level wanted of it.
        rates: ``[rate]`` tariffs that can be chosen, the first of them 0.
        threat_cost: ``[player, rate]`` cost of threatening, million USD a year.
        gdp: ``[player]`` million USD a year.
        largest_offer: ``[player]`` million USD a year.
        only: whether the wanted profile is to be the only equilibrium, whatever the order of moves.
    """

    players: tuple[str, ...]
    wanted: Profile
    payoff: Array
    loss: Array
    rates: Array
    threat_cost: Array
    gdp: Array
    largest_offer: Array
    only: bool = False

    @property
    def levels(self) -> int:
        """Number of levels."""
        return self.payoff.shape[1]


@dataclass(frozen=True)
class Constraint:
    """One incentive: a player prefers the level wanted of it to another, the others standing at given levels."""

    player: int
    other: int
    at: Profile


@dataclass(frozen=True)
class Package:
    """An answer to a task.

    Attributes:
        feasible: whether there is one.
        sentence: it in words or, if there is none, whose constraint cannot be met within the caps.
        tariff: ``[player]`` tariffs threatened.
        offer: ``[player]`` offers, million USD a year.
        cost: of both, million USD a year.
        prices: shadow prices of incentive constraints that bind: million USD a year that the package would cost less if the
            player wanted this level by a thousandth of its GDP more.
        order: players in the order in which aligning becomes best for them whatever those after them do; empty where that is
            not asked for.
    """

    feasible: bool
    sentence: str
    tariff: Array
    offer: Array
    cost: float
    prices: dict[Constraint, float]
    order: tuple[int, ...] = ()


def constraints(task: Task) -> Iterator[Constraint]:
    """Incentives to be given: at the wanted profile, or, if it is to be the only equilibrium, wherever the others stand."""
    for player, wanted in enumerate(task.wanted):
        others = [range(task.levels) if task.only else (w,) for w in task.wanted]
        others[player] = (wanted,)
        for at in product(*others):
            yield from (Constraint(player, other, at) for other in range(task.levels) if other != wanted)


def needed(task: Task, one: Constraint) -> float:
    """What the wanted level lacks against the other without threats and offers, as a share of GDP; negative if it is better."""
    other = (*one.at[: one.player], one.other, *one.at[one.player + 1 :])
    return float(task.payoff[(one.player, *other)] - task.payoff[(one.player, *one.at)]) + (
        STRICT if task.only else 0.0
    )


def threatened(task: Task, one: Constraint) -> Array:
    """What each tariff takes off the other level, ``[rate]``; nothing where that is above the wanted one."""
    if one.other > task.wanted[one.player]:
        return np.zeros(len(task.rates))
    other = (*one.at[: one.player], one.other, *one.at[one.player + 1 :])
    return task.loss[(one.player, slice(None), *other)]


def formulate(task: Task, order: Sequence[int] | None = None) -> pyo.ConcreteModel:
    """The program for one order in which aligning is to become best; one at a time, or all at the wanted profile if None.

        min sum_i (cost_i(t_i) + o_i)   s.t.   loss_i(t_i, a') + [a' < a*] o_i / GDP_i >= U_i(a', .) - U_i(a*, .)   for all a'

    With an order, a player's constraints hold wherever those after it stand, those before it being at the wanted level:
    iterated strict dominance, so that the wanted profile is the only equilibrium and every best-response path ends there
    (Segal 2003, "Coordination and discrimination in contracting with externalities", Journal of Economic Theory 113).
    """
    model: Any = pyo.ConcreteModel("incentives")
    count = len(task.players)
    asked = [one for one in constraints(task) if order is None or _met(task, one, order)]
    model.player = pyo.RangeSet(0, count - 1, doc="Players")
    model.rate = pyo.RangeSet(0, len(task.rates) - 1, doc="Places of tariffs")
    model.asked = pyo.RangeSet(0, len(asked) - 1, doc="Incentives to be given")
    model.chosen = pyo.Var(model.player, model.rate, within=pyo.Binary, doc="Whether this tariff is threatened")
    model.offer = pyo.Var(
        model.player,
        bounds=lambda _, i: (0.0, float(task.largest_offer[i])),
        doc="Offer to those at the wanted level or above, million USD a year",
    )
    model.one = pyo.Constraint(
        model.player, rule=lambda m, i: sum(m.chosen[i, r] for r in m.rate) == 1, doc="One tariff for each"
    )

    def enough(m: Any, n: int):
        one = asked[n]
        taken = threatened(task, one)
        given = sum(UNIT * float(taken[r]) * m.chosen[one.player, r] for r in m.rate)
        if one.other < task.wanted[one.player]:
            given += UNIT / float(task.gdp[one.player]) * m.offer[one.player]
        return given >= UNIT * needed(task, one)

    model.enough = pyo.Constraint(
        model.asked, rule=enough, doc="The wanted level is at least as good, millionths of GDP"
    )
    model.cost = pyo.Objective(
        rule=lambda m: (
            sum(m.offer[i] for i in m.player)
            + sum(float(task.threat_cost[i, r]) * m.chosen[i, r] for i in m.player for r in m.rate)
        ),
        doc="Offers and the cost of threatening, million USD a year",
    )
    model.asked_constraints = asked
    return model


def cheapest(task: Task) -> Package:
    """The cheapest package that makes the wanted profile an equilibrium or, if so wanted, the only one by iterated dominance.

    Raises:
        ValueError: a pay-off is not known, or the first tariff is not 0.
    """
    if task.rates[0] != 0:
        raise ValueError("the first tariff is 0, that of no threat")
    if np.isnan(task.payoff).any() or np.isnan(task.loss).any():
        raise ValueError("a pay-off is not known")
    order = cheapest_order(task) if task.only else None
    found = _solved(task, order) if order or not task.only else None
    return found if found is not None and found.feasible else _impossible(task)


def just_held(task: Task) -> dict[int, float]:
    """By player, the least tariff at which it is held without an offer, losses being linear between the tariffs that are given.

    As they are asked for in the order that is cheapest with these tariffs. Players held without a threat, or by no tariff,
    have none.
    """
    order = cheapest_order(task, between=True) if task.only else None
    if task.only and order is None:
        return {}
    found = {i: _held(task, i, _before(task, i, order), _gaps(task, i)) for i in range(len(task.players))}
    return {i: rate for i, rate in found.items() if rate}


def _before(task: Task, player: int, order: Sequence[int] | None) -> Set[int]:
    """Players taken to be at the level wanted of them when a player chooses."""
    if order is None:
        return frozenset(range(len(task.players))) - {player}
    return frozenset(order[: list(order).index(player)])


def _held(task: Task, player: int, before: Set[int], gaps: Array) -> float | None:
    """The least tariff at which a player is held without an offer after those ``before`` it; None if there is none."""
    below = gaps[: task.wanted[player]][(slice(None), slice(None), *_there(task, before))]
    if not below.size:
        return None
    rate = deterring(task.rates, -np.moveaxis(below, 1, 0).reshape(len(task.rates), -1), 0.0).rate
    return None if rate is None else min(math.ceil(rate / ROUNDED) * ROUNDED, float(task.rates[-1]))


def cheapest_order(task: Task, *, between: bool = False) -> tuple[int, ...] | None:
    """The order in which aligning is to become best that costs least, the first of several; None if there is none.

    Args:
        between: whether tariffs at which a player is just held can be chosen beside those given, costs being linear in between.

    What an order asks of a player depends only on who is before it, and no constraint binds two players together, so that

        C(S) = min_{i not in S} c_i(S) + C(S + {i}),   C(everybody) = 0

    with ``c_i(S)`` the cost of player ``i`` after those in ``S``: sets of players instead of orders of them.
    """
    everybody = frozenset(range(len(task.players)))
    gaps = [_gaps(task, player) for player in range(len(task.players))]
    first: dict[frozenset[int], int] = {}
    cost = {everybody: 0.0}
    for size in range(len(everybody) - 1, -1, -1):
        for members in combinations(sorted(everybody), size):
            before = frozenset(members)
            after = sorted(everybody - before)
            each = [_least(task, i, before, gaps[i], between) + cost[before | {i}] for i in after]
            cost[before] = min(each)
            first[before] = after[int(np.argmin(each))]
    if cost[frozenset()] == np.inf:
        return None
    order: tuple[int, ...] = ()
    while len(order) < len(everybody):
        order = (*order, first[frozenset(order)])
    return order


def _gaps(task: Task, player: int) -> Array:
    """What a player's wanted level lacks against each other level by tariff, ``[other, rate, *levels]``, shares of GDP.

    The player's own axis has one entry.
    """
    wanted = task.wanted[player]
    own = np.take(task.payoff[player], [wanted], axis=player)
    gaps = []
    for other in range(task.levels):
        if other == wanted:
            continue
        gap = np.take(task.payoff[player], [other], axis=player) - own + (STRICT if task.only else 0.0)
        taken = np.take(task.loss[player], [other], axis=player + 1)
        gaps.append(gap - (taken if other < wanted else np.zeros_like(taken)))
    return np.stack(gaps)


def _lacking(task: Task, player: int, before: Set[int], gaps: Array) -> tuple[Array, Array]:
    """What the wanted level lacks at most against lower and against higher ones, ``[rate]`` each, shares of GDP.

    Those ``before`` the player are at the levels wanted, the others anywhere.
    """
    most = gaps[(slice(None), slice(None), *_there(task, before))].reshape(*gaps.shape[:2], -1).max(axis=2)
    below = task.wanted[player]
    return most[:below].max(axis=0, initial=0.0), most[below:].max(axis=0, initial=-np.inf)


def _there(task: Task, before: Set[int]) -> tuple[int | slice, ...]:
    """Where the others stand: those ``before`` at the levels wanted, the others anywhere."""
    return tuple(task.wanted[i] if i in before else slice(None) for i in range(len(task.players)))


def _costs(task: Task, player: int, before: Set[int], gaps: Array) -> Array:
    """What a player costs after those ``before`` it, ``[rate]``; infinite if too much."""
    below, above = _lacking(task, player, before, gaps)
    offer = below * task.gdp[player]
    fits = (above <= 0) & (offer <= task.largest_offer[player])
    return np.where(fits, offer + task.threat_cost[player], np.inf)


def _least(task: Task, player: int, before: Set[int], gaps: Array, between: bool) -> float:
    """The least a player costs after those ``before`` it; infinite if too much."""
    least = float(_costs(task, player, before, gaps).min())
    if between and (rate := _held(task, player, before, gaps)) and not (_lacking(task, player, before, gaps)[1] > 0).any():
        least = min(least, float(np.interp(rate, task.rates, task.threat_cost[player])))
    return least


def _smallest(task: Task, player: int, before: Set[int], chosen: int) -> int:
    """The smallest tariff that costs no more than the one chosen: ties go to no tariff."""
    costs = _costs(task, player, before, _gaps(task, player))
    if not np.isfinite(costs[chosen]):
        return chosen
    return int(np.flatnonzero(costs <= costs.min() * (1 + SAME) + SAME)[0])


def _met(task: Task, one: Constraint, order: Sequence[int]) -> bool:
    """Whether an incentive is asked for in this order: those before the player stand at the wanted level."""
    before = order[: list(order).index(one.player)]
    return all(one.at[other] == task.wanted[other] for other in before)


def _solved(task: Task, order: Sequence[int] | None) -> Package:
    model: Any = formulate(task, order)
    nothing = np.zeros(len(task.players))
    try:
        solve_model(model, duals=False)
    except RuntimeError:
        return Package(False, "", nothing, nothing, np.inf, {})
    chosen = [int(np.argmax([_number(model.chosen[i, r]) for r in model.rate])) for i in model.player]
    chosen = [_smallest(task, i, _before(task, i, order), rate) for i, rate in enumerate(chosen)]
    for i in model.player:
        for r in model.rate:
            model.chosen[i, r].domain = pyo.Reals  # a program with integers has no multipliers, though all are fixed
            model.chosen[i, r].fix(float(r == chosen[i]))
    model.one.deactivate()
    prices = _prices(task, model, chosen)
    offer = np.array([max(0.0, _number(model.offer[i])) for i in model.player])
    tariff = task.rates[chosen]
    cost = _number(model.cost)
    return Package(True, _told(task, tariff, offer, cost), tariff, offer, cost, prices, tuple(order or ()))


def _number(component: Any) -> float:
    return float(pyo.value(component))  # type: ignore[arg-type]


def _prices(task: Task, model: Any, chosen: Sequence[int]) -> dict[Constraint, float]:
    """Shadow prices with the tariffs as chosen, offers free: million USD a year per thousandth of the player's GDP."""
    for n in model.asked:
        one = model.asked_constraints[n]
        free = one.other > task.wanted[one.player]
        if free or not needed(task, one) > threatened(task, one)[chosen[one.player]]:
            model.enough[n].deactivate()
    if not any(model.enough[n].active for n in model.asked):
        for i in model.player:
            model.offer[i].set_value(0.0)
        return {}
    duals = solve_model(model)["duals"]
    found = {model.asked_constraints[n]: duals.get(model.enough[n], 0.0) for n in model.asked if model.enough[n].active}
    return {one: float(price) * UNIT * 1e-3 for one, price in found.items() if abs(price) > 1e-12}


def _told(task: Task, tariff: Array, offer: Array, cost: float) -> str:
    parts = []
    for name, rate, given in zip(task.players, tariff, offer, strict=True):
        what = [f"a threat of {100 * rate:.3g}%"] if rate else []
        what += [f"an offer of {given:,.0f} million USD a year"] if given > 0.5 else []
        if what:
            parts.append(f"{name} {' and '.join(what)}")
    if not parts:
        return "Nothing is needed: it is an equilibrium as it is."
    given = float(offer.sum())
    rest = f", {given:,.0f} of it offers and the rest what threats may cost" if 0.5 < given < cost - 0.5 else ""
    return f"{'; '.join(parts)}. Expected cost {cost:,.0f} million USD a year{rest}."


def _impossible(task: Task) -> Package:
    """Whose incentive is beyond the caps: furthest at the wanted profile or, all being within there, nearest where orders end."""
    everybody = frozenset(range(len(task.players)))
    gaps = [_gaps(task, player) for player in sorted(everybody)]

    def short(player: int, before: Set[int]) -> tuple[float, bool]:
        """What lacks with the best tariff and the largest offer, million USD a year; whether to a higher level."""
        below, above = _lacking(task, player, before, gaps[player])
        below, above = below * task.gdp[player] - task.largest_offer[player], above * task.gdp[player]
        rate = int(np.argmin(np.maximum(below, above)))
        return float(max(below[rate], above[rate])), bool(above[rate] > below[rate])

    ordered, before = "", frozenset[int]()
    left = {player: short(player, everybody - {player}) for player in everybody}
    name = max(left, key=lambda player: left[player])
    if left[name][0] <= 0:
        while ready := [player for player in everybody - before if short(player, before)[0] <= 0]:
            before = before | set(ready)
        left = {player: short(player, before) for player in everybody - before} or left
        name = min(left, key=lambda player: left[player])
        others = " and ".join(task.players[player] for player in sorted(left) if player != name)
        theirs = f"{others}'s" if len(left) == 2 else "theirs"
        ordered = f" while {others} may stay out, nor {theirs} while it may"
    amount, higher = left[name]
    if higher:
        why = f"a higher level than the one wanted is worth {amount:,.0f} million USD a year more to it, which nothing answers"
    else:
        why = (
            f"with any tariff considered and an offer of {task.largest_offer[name]:,.0f} million USD a year it is still "
            f"better off at another level by {amount:,.0f} million USD a year"
        )
    nothing = np.zeros(len(task.players))
    told = f"Not within the caps: {task.players[name]}'s incentive cannot be met{ordered}: {why}."
    return Package(False, told, nothing, nothing, np.inf, {})
