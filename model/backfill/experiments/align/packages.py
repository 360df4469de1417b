"""The package of secondary tariffs and offers for a wanted profile, and whether it does what the program says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from backfill.experiments.align.accounts import Array
from backfill.experiments.align.solve import Static, Worlds
from backfill.experiments.align.threats import Curve, Losses, grid
from backfill.games.deterrence import Execution
from backfill.games.equilibria import is_equilibrium, pure_equilibria, reachable, replaced
from backfill.games.incentives import Package, Task, cheapest, just_held
from backfill.games.payoffs import Payoffs, Profile

REFINED = 3
"""Times worlds are solved at the tariffs at which players are just held, each time nearer to them."""

ROUNDS = 6
"""Times the program is solved again with pay-offs corrected where its tariffs, all at once, do other than it expected."""


@dataclass(frozen=True)
class Checked:
    """A package and what it does when every profile is solved with its tariffs.

    Attributes:
        wanted: the profile asked for.
        package: the program's answer.
        task: the program.
        equilibrium: whether the wanted profile is one.
        reached: whether best responses from today lead to it, in some order of moves.
        others: other equilibria that best responses from today lead to.
    """

    wanted: Profile
    package: Package
    task: Task
    equilibrium: bool
    reached: bool
    others: tuple[Profile, ...]


def package(static: Static, payoff: Payoffs, worlds: Worlds, made: list[Curve], found: Losses) -> Checked | None:
    """The cheapest package of a game's ``[game.incentives]``; None if it has none, or some pay-off is not known."""
    table, game = static.moves.table, static.moves.game
    ask = table.incentives
    if ask is None or payoff.unsolved:
        return None
    wanted = tuple(
        game.asked[i] if name not in ask.wanted else game.levels.index(ask.wanted[name])
        for i, name in enumerate(game.players)
    )
    regions = [static.setting.vocabulary.regions.index(name) for name in game.players]
    window, reference = worlds.window, worlds.reference
    paid = float(window.weight @ (window.in_force * window.years))
    gdp = window.gdp(reference) / paid
    scale = _scale(static, made, found)
    calm = payoff.total - payoff.parts[2] - payoff.parts[4]

    def threats(rates: Sequence[Array]) -> dict[str, Array]:
        """What a task says of tariffs, from worlds at these ``[rate]`` of each player."""
        every = np.unique(np.concatenate(rates))
        loss, cost = _alone(static, wanted, rates, every, regions)
        wide = scale.reshape(-1, *(1 for _ in range(loss.ndim - 1)))
        paid = ask.execution * cost * gdp[static.sender]
        return {"rates": every, "loss": table.threat.credibility * wide * loss, "threat_cost": paid}

    rates = [grid(static) for _ in regions]
    task = Task(
        players=game.players,
        wanted=wanted,
        payoff=calm,
        **threats(rates),
        gdp=gdp[regions],
        largest_offer=np.full(len(regions), ask.largest_offer),
        only=ask.only,
    )
    for _ in range(ROUNDS):
        for _ in range(REFINED):
            held = just_held(task)
            if not any(rate not in rates[i] for i, rate in held.items()):
                break
            rates = [np.union1d(known, held.get(i, 0.0)) for i, known in enumerate(rates)]
            task = replace(task, **threats(rates))
        answer = cheapest(task)
        if not answer.feasible:
            return Checked(wanted, answer, task, False, False, ())
        true = _with(static, task, answer, calm, scale, regions)
        after = reachable(true, game.today)
        others = set(pure_equilibria(true)) & after - {wanted}
        held = is_equilibrium(true, wanted)
        if held and not (ask.only and others):
            break
        task = replace(task, payoff=task.payoff + true - _expected(task, answer))
    return Checked(wanted, answer, task, held, wanted in after, tuple(sorted(others)))


def _expected(task: Task, answer: Package) -> Array:
    """Pay-offs ``[player, *levels]`` with a package as the program has them."""
    expected = task.payoff.copy()
    for player, wanted in enumerate(task.wanted):
        chosen = int(np.flatnonzero(task.rates == answer.tariff[player])[0])
        level = np.arange(task.levels).reshape([-1 if n == player else 1 for n in range(len(task.players))])
        expected[player] -= np.where(level < wanted, task.loss[player, chosen], 0.0)
        expected[player] += np.where(level >= wanted, answer.offer[player] / task.gdp[player], 0.0)
    return expected


def _alone(
    static: Static, wanted: Profile, rates: Sequence[Array], every: Array, regions: list[int]
) -> tuple[Array, Array]:
    """Losses ``[player, rate, *levels]`` from a tariff on one player alone, and what it costs the sender ``[player, rate]``.

    Solved at each player's own ``rates`` and linear in between, for ``every`` rate; with all others where they are today and
    where they are wanted. In between they are taken as linear in the share of the others who are where they are wanted or
    above, which a package's own worlds correct. The cost is as a share of the sender's GDP, without gains from better terms of
    trade, the others being as wanted.
    """
    game, window = static.moves.game, static.window
    worlds = {}
    for i, others in product(range(len(regions)), (game.today, wanted)):
        for level in range(wanted[i]):
            p = replaced(others, i, level)
            worlds[i, p] = [("world", p, *(((i, float(rate)),) if rate else ())) for rate in rates[i]]
    known = static.at_profiles([("reference", ()), *(one for hit in worlds.values() for one in hit)])
    reference = known["reference", ()]
    cost = [np.zeros(len(own)) for own in rates]
    lost: dict[tuple[int, Profile], Array] = {}
    for (i, p), hit in worlds.items():
        before = known[hit[0]]
        change = [window.welfare(known[one], reference) - window.welfare(before, reference) for one in hit]
        lost[i, p] = np.interp(every, rates[i], [-one[regions[i]] for one in change])
        if p == replaced(wanted, i, p[i]):
            trade = [window.terms_of_trade(before, known[one], static.sender, reference) for one in hit]
            paid = [-Execution(float(c[static.sender]), t).net for c, t in zip(change, trade, strict=True)]
            cost[i] = np.maximum(cost[i], paid)
    loss = np.zeros((len(regions), len(every), *game.shape))
    for i, p in product(range(len(regions)), game.profiles()):
        if p[i] < wanted[i]:
            moved = np.mean([at >= w for j, (at, w) in enumerate(zip(p, wanted, strict=True)) if j != i] or [1.0])
            today, then = lost[i, replaced(game.today, i, p[i])], lost[i, replaced(wanted, i, p[i])]
            loss[(i, slice(None), *p)] = (1 - moved) * today + moved * then
    return loss, np.stack([np.interp(every, own, one) for own, one in zip(rates, cost, strict=True)])


def _scale(static: Static, made: list[Curve], found: Losses) -> Array:
    """``[player]`` losses of the game's own worlds over static ones, the others being as asked."""
    scale = np.ones(len(static.moves.game.players))
    for curve in made:
        case = curve.case
        if case.others == "asked":
            mine = found.change[case.player, case.others, case.aligned]
            still = mine - found.change[case.player, case.others, case.alternatives[0]]
            scale[case.player] = curve.loss[-1, 0] / still[-1] if abs(still[-1]) > 0 else 1.0
    return scale


def _with(static: Static, task: Task, answer: Package, calm: Array, scale: Array, regions: list[int]) -> Array:
    """Pay-offs ``[player, *levels]`` when every profile is solved with the package's tariffs on those below what is wanted."""
    game, window = static.moves.game, static.window
    worlds = {}
    for p in game.profiles():
        hit = {i: float(answer.tariff[i]) for i, at in enumerate(p) if at < task.wanted[i] and answer.tariff[i] > 0}
        worlds[p] = ("world", p, *hit.items())
    calm_worlds = {p: ("world", p) for p in worlds}
    known = static.at_profiles([("reference", ()), *worlds.values(), *calm_worlds.values()])
    reference = known["reference", ()]
    credibility = static.moves.table.threat.credibility
    true = calm.copy()
    for p in worlds:
        change = window.welfare(known[worlds[p]], reference) - window.welfare(known[calm_worlds[p]], reference)
        for i, region in enumerate(regions):
            given = answer.offer[i] / task.gdp[i] if p[i] >= task.wanted[i] else 0.0
            true[(i, *p)] += credibility * scale[i] * change[region] + given
    return true
