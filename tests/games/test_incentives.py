"""The incentive program against enumeration on a grid, on random games."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pyomo.environ as pyo
import pytest

from backfill.games.equilibria import best_response_path, pure_equilibria, reachable
from backfill.games.incentives import STRICT, Package, Task, cheapest, cheapest_order, formulate, just_held
from backfill.supply.highs import solve_model

RATES = np.array([0.0, 0.1, 0.25])
GDP = np.array([1e6, 4e6])


def task(
    seed: int,
    *,
    only: bool = False,
    largest: float = 8e3,
    levels: int = 3,
    gdp: np.ndarray = GDP,
    wanted: tuple[int, ...] = (),
) -> Task:
    """Players with pay-offs and losses of some thousandths of GDP; threatening costs more the more is threatened."""
    random, count = np.random.default_rng(seed), len(gdp)
    every = (count, *[levels] * count)
    loss = np.zeros((count, 3, *every[1:]))
    for rate, size in ((1, 0.6e-3), (2, 1.2e-3)):
        loss[:, rate] = size * random.uniform(0.5, 1.5, every)
    return Task(
        players=tuple("ABCDE"[:count]),
        wanted=wanted or (levels - 1,) * count,
        payoff=random.normal(0, 1e-3, every),
        loss=loss,
        rates=RATES,
        threat_cost=np.cumsum(random.uniform(0, 800, (count, 3)), axis=1) * (RATES > 0),
        gdp=gdp,
        largest_offer=np.full(count, largest),
        only=only,
    )


def paid(one: Task, rates: tuple[int, ...], offers: tuple[float, ...]) -> np.ndarray:
    """Pay-offs under tariffs, by place, and offers, player by player and level by level."""
    payoff = one.payoff.copy()
    for player in range(2):
        for profile in product(range(one.payoff.shape[1]), repeat=2):
            if profile[player] < one.wanted[player]:
                payoff[(player, *profile)] -= one.loss[(player, rates[player], *profile)]
            else:
                payoff[(player, *profile)] += offers[player] / one.gdp[player]
    return payoff


def enumerated(one: Task) -> float:
    """Least cost over tariffs on the grid, each player's least offer being what it lacks at most; infinite if there is none."""
    orders = list(permutations(range(2))) if one.only else [None]
    best = np.inf
    for order, rates in product(orders, product(range(3), repeat=2)):
        payoff, cost = paid(one, rates, (0.0, 0.0)), 0.0
        for player, wanted in enumerate(one.wanted):
            other = 1 - player
            free = range(one.payoff.shape[1]) if order and order[0] == player else (one.wanted[other],)
            for_less, for_more = 0.0, -np.inf
            for there, level in product(free, range(one.payoff.shape[1])):
                here = (wanted, there) if player == 0 else (there, wanted)
                away = (level, there) if player == 0 else (there, level)
                lack = payoff[(player, *away)] - payoff[(player, *here)] + (STRICT if one.only else 0.0)
                if level < wanted:
                    for_less = max(for_less, lack)
                elif level > wanted:
                    for_more = max(for_more, lack)
            offer = for_less * one.gdp[player]
            cost += offer + one.threat_cost[player, rates[player]]
            if offer > one.largest_offer[player] + 1e-9 or for_more > 0:
                cost = np.inf
        best = min(best, cost)
    return best


@pytest.mark.parametrize("only", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_it_costs_what_the_cheapest_combination_on_the_grid_costs(seed, only):
    one = task(seed, only=only)
    found, wanted = cheapest(one), enumerated(one)
    assert found.feasible == np.isfinite(wanted)
    if found.feasible:
        assert found.cost == pytest.approx(wanted, rel=1e-6, abs=1e-3)


FOUR = np.array([1e6, 4e6, 2e6, 3e6])


@pytest.mark.parametrize("wanted", [(2, 2, 2, 2), (1, 2, 1, 2)])
@pytest.mark.parametrize("seed", range(4))
def test_the_order_is_the_cheapest_of_all_orders(seed, wanted):
    """Sets of players instead of orders of them lose nothing: each of the 24 orders solved as a program of its own."""
    one = task(seed, only=True, largest=3e4, levels=3, gdp=FOUR, wanted=wanted)
    each = {}
    for order in permutations(range(4)):
        model = formulate(one, order)
        try:
            solve_model(model, duals=False)
            each[order] = float(pyo.value(model.cost))
        except RuntimeError:
            each[order] = np.inf
    found, least = cheapest_order(one), min(each.values())
    assert (found is None) == np.isinf(least)
    if found is not None:
        assert each[found] == pytest.approx(least, rel=1e-6, abs=1e-3)
        assert cheapest(one).cost == pytest.approx(least, rel=1e-6, abs=1e-3)


@pytest.mark.parametrize("seed", range(8))
def test_the_wanted_profile_is_an_equilibrium_or_the_only_one(seed):
    one = task(seed, largest=5e4)
    found = cheapest(one)
    rates = tuple(int(np.flatnonzero(found.tariff[i] == RATES)[0]) for i in (0, 1))
    assert one.wanted in pure_equilibria(paid(one, rates, tuple(found.offer + 1e-3)))
    alone = replace(one, only=True)
    found = cheapest(alone)
    rates = tuple(int(np.flatnonzero(found.tariff[i] == RATES)[0]) for i in (0, 1))
    payoff = paid(alone, rates, tuple(found.offer))
    assert pure_equilibria(payoff) == (one.wanted,)
    for start in product(range(3), repeat=2):
        assert best_response_path(payoff, start).end == one.wanted
        assert one.wanted in reachable(payoff, start)


def test_to_be_the_only_equilibrium_costs_no_less():
    for seed in range(8):
        one = task(seed, largest=5e4)
        assert cheapest(replace(one, only=True)).cost >= cheapest(one).cost - 1e-6


@pytest.mark.parametrize("seed", [3, 5, 9])
def test_shadow_prices_are_what_a_little_more_would_cost(seed):
    one = task(seed, largest=5e4)
    found = cheapest(one)
    assert found.prices
    for constraint, price in found.prices.items():
        more = one.payoff.copy()
        away = (*constraint.at[: constraint.player], constraint.other, *constraint.at[constraint.player + 1 :])
        more[(constraint.player, *away)] += 1e-6
        assert (cheapest(replace(one, payoff=more)).cost - found.cost) / 1e-3 == pytest.approx(price, rel=1e-3)


def test_nothing_is_needed_where_it_is_an_equilibrium_already():
    one = task(0)
    payoff = one.payoff.copy()
    payoff[0, 2], payoff[1, :, 2] = 1.0, 1.0
    found = cheapest(replace(one, payoff=payoff))
    assert found.cost == 0
    assert found.sentence == "Nothing is needed: it is an equilibrium as it is."


def test_whose_incentive_is_beyond_the_caps_is_named():
    one = task(0, largest=1.0)
    payoff = one.payoff.copy()
    payoff[1, 2, 0] += 0.1
    found = cheapest(replace(one, payoff=payoff))
    assert not found.feasible
    assert "B's incentive cannot be met" in found.sentence
    assert "offer of 1 million USD a year" in found.sentence


def test_who_wants_more_than_is_wanted_is_named():
    one = task(1)
    payoff = one.payoff.copy()
    payoff[0, 2, :] += 0.1
    found = cheapest(replace(one, wanted=(1, 1), payoff=payoff))
    assert not found.feasible
    assert "A's incentive cannot be met: a higher level" in found.sentence


def test_who_could_follow_others_is_not_named_where_no_order_goes_on():
    """C goes along once the others do; A only after B and B only after A."""
    count = 3
    payoff = np.zeros((count, 2, 2, 2))
    payoff[0, 1, 1], payoff[1, 1, 1] = 1e-3, 1e-3
    payoff[0, 1, 0], payoff[1, 0, 1] = -1e-3, -2e-3
    payoff[2, 1, 1, 1] = payoff[2, 0, 0, 1] = 1e-3
    payoff[2, 0, 0, 0] = 1.0
    one = task(0, only=True, largest=100.0, levels=2, gdp=np.full(count, 1e6))
    found = cheapest(replace(one, payoff=payoff, loss=np.zeros_like(one.loss)))
    assert not found.feasible
    assert "A's incentive cannot be met while B and C may stay out, nor theirs while it may: with any tariff" in found.sentence
    assert "an offer of 100 million USD a year it is still better off at another level by 901 million" in found.sentence


def test_one_who_may_stay_out_is_one():
    """Each goes along only after the other."""
    payoff = np.zeros((2, 2, 2))
    payoff[0, 1, 0] = payoff[1, 0, 1] = -1e-3
    payoff[0, 1, 1] = payoff[1, 1, 1] = 1e-3
    one = task(0, only=True, largest=0.0, levels=2)
    told = cheapest(replace(one, payoff=payoff, loss=np.zeros_like(one.loss))).sentence
    assert "while B may stay out, nor B's while it may" in told


def test_no_single_tariff_does_where_each_does_against_one_level():
    """A small tariff bites at one level, a large one at the other: both are considered, neither is enough."""
    one = task(0, largest=0.0)
    payoff, loss = np.zeros_like(one.payoff), np.zeros_like(one.loss)
    payoff[0, :2] = 1e-3
    loss[0, 1, 0], loss[0, 2, 1] = 2e-3, 2e-3
    found = cheapest(replace(one, payoff=payoff, loss=loss))
    assert not found.feasible
    assert "A's incentive cannot be met: with any tariff considered" in found.sentence
    assert "by 1,000 million USD a year" in found.sentence


def linear(rates: list[float], *, only: bool = False) -> Task:
    """Two players who lack 0.2% and 0.1% of GDP against level 0; a tariff takes 1% of GDP for each 100% and costs 1,000."""
    every, rate = (2, 2, 2), np.array(rates)
    payoff = np.zeros(every)
    payoff[0, 0], payoff[1, :, 0] = 2e-3, 1e-3
    loss = np.zeros((2, len(rate), 2, 2))
    loss[0, :, 0], loss[1, :, :, 0] = 0.01 * rate[:, None], 0.01 * rate[:, None]
    cost = np.outer([1.0, 1.0], 1000 * rate)
    return Task(("A", "B"), (1, 1), payoff, loss, rate, cost, np.full(2, 1e6), np.full(2, 1e4), only)


@pytest.mark.parametrize("only", [False, True])
@pytest.mark.parametrize("rates", [[0.0, 1.0], [0.0, 0.15, 0.3, 1.0], [0.0, 0.05, 0.95, 1.0]])
def test_tariffs_at_which_players_are_just_held_do_not_depend_on_those_given(rates, only):
    found = just_held(linear(rates, only=only))
    strict = STRICT if only else 0.0
    assert found == pytest.approx({0: 0.2 + 100 * strict, 1: 0.1 + 100 * strict}, abs=1e-9)
    there = linear([*rates, *found.values()], only=only)
    there = linear(sorted(there.rates), only=only)
    assert cheapest(there).cost == pytest.approx(300 + 2e5 * strict, abs=1e-3)
    assert cheapest(linear(rates, only=only)).cost > 300 + 2e5 * strict + 1


def test_whoever_no_tariff_holds_or_needs_none_has_no_tariff_of_its_own():
    one = linear([0.0, 0.15])
    payoff = one.payoff.copy()
    payoff[1, :, 1] = 1.0
    assert just_held(replace(one, payoff=payoff)) == {}


@pytest.mark.parametrize("only", [False, True])
def test_ties_go_to_no_tariff_and_no_offer(only):
    """A is wanted where it is, so that a threat against it costs and does nothing; B would rather align anyway."""
    one = linear([0.0, 0.15, 0.3, 1.0], only=only)
    payoff = one.payoff.copy()
    payoff[1, :, 1] = 1.0
    found = cheapest(replace(one, wanted=(0, 1), payoff=payoff, threat_cost=np.zeros((2, 4))))
    assert found.feasible
    assert not found.tariff.any()
    assert not found.offer.any()
    assert found.sentence == "Nothing is needed: it is an equilibrium as it is."


@pytest.mark.parametrize("wrong", [{"rates": np.array([0.1, 0.2, 0.3])}, {"payoff": np.full((2, 3, 3), np.nan)}])
def test_what_makes_no_task(wrong):
    with pytest.raises(ValueError, match=r"first tariff|not known"):
        cheapest(replace(task(0), **wrong))


def test_the_package_of_nothing_feasible_holds_no_numbers():
    found = cheapest(task(0, largest=0.0))
    assert isinstance(found, Package)
    assert found.feasible or not found.tariff.any()
