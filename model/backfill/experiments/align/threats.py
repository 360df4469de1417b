"""Deterring tariffs and offers of a game: losses on a grid of tariffs from static worlds, on top of the game's own pay-offs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from backfill.experiments.align.accounts import Array
from backfill.experiments.align.solve import Static, Worlds
from backfill.experiments.ranges import Variant
from backfill.games.deterrence import Deterring, Execution, deterring, deterring_offer
from backfill.games.equilibria import replaced
from backfill.games.payoffs import Payoffs, Profile

CREDIBILITIES = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Beliefs at which deterring tariffs are shown besides the file's own."""

NEGLIGIBLE = 1e-7
"""Loss, as a share of GDP, below which static and coupled worlds are not compared."""

FACTOR = 1 / 3, 3.0
"""Where the loss in coupled worlds lies between these multiples of the static one, the static grid is scaled to it."""

Others = Literal["today", "asked"]


@dataclass(frozen=True)
class Case:
    """One player's choice, the others standing still.

    Attributes:
        player: its place.
        others: where the others stand.
        aligned: the profile in which it is aligned as asked.
        alternatives: those in which it is at a lower level.
    """

    player: int
    others: Others
    aligned: Profile
    alternatives: tuple[Profile, ...]

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """All of them."""
        return (self.aligned, *self.alternatives)


def cases(static: Static) -> list[Case]:
    """Every player, with the others where they are today and where they are asked to be."""
    game = static.moves.game
    found = []
    for player, asked in enumerate(game.asked):
        standing: tuple[tuple[Others, Profile], ...] = (("today", game.today), ("asked", game.asked))
        for others, levels in standing:
            at = [replaced(levels, player, level) for level in range(asked + 1)]
            found.append(Case(player, others, at[-1], tuple(at[:-1])))
    return found


def grid(static: Static) -> Array:
    """Tariffs tried, rising from 0 to the cap, the one threatened among them."""
    threat = static.moves.table.threat
    even = np.linspace(0.0, threat.cap, threat.steps + 1)
    return np.unique(np.round([*even, threat.rate], 12))


@dataclass(frozen=True)
class Losses:
    """What tariffs on all unaligned do to players, from static worlds.

    Attributes:
        rates: ``[rate]``.
        change: by case and profile, ``[rate]`` change of the player's welfare as a share of GDP.
        level: by case and profile, the player's welfare and security without a tariff.
    """

    rates: Array
    change: Mapping[tuple[int, Others, Profile], Array]
    level: Mapping[tuple[int, Others, Profile], float]


def losses(static: Static, security: Array) -> Losses:
    """Losses in all cases, every world in one batch.

    Args:
        security: ``[player]`` worth of denying everything, as a share of GDP.
    """
    rates, every = grid(static), cases(static)
    wanted = [static.joint(p, float(rate)) for case in every for p in case.profiles for rate in rates]
    found = static.at_profiles([("reference", ()), *wanted])
    reference, window = found["reference", ()], static.window
    regions = [static.setting.vocabulary.regions.index(name) for name in static.moves.game.players]
    change: dict[tuple[int, Others, Profile], Array] = {}
    level: dict[tuple[int, Others, Profile], float] = {}
    for case in every:
        for p in case.profiles:
            worlds = [found[static.joint(p, float(rate))] for rate in rates]
            mine = np.array(
                [math.nan if one.failure else window.welfare(one, reference)[regions[case.player]] for one in worlds]
            )
            change[case.player, case.others, p] = mine - mine[0]
            denied = window.denied(worlds[0], reference)
            level[case.player, case.others, p] = float(mine[0] + security[case.player] * denied)
    return Losses(rates, change, level)


@dataclass(frozen=True)
class Curve:
    """What aligning is better by than every alternative, by tariff.

    Attributes:
        case: whose choice.
        gap: ``[alternative]`` without a tariff.
        loss: ``[rate, alternative]`` what a tariff that is carried out for certain adds.
    """

    case: Case
    gap: Array
    loss: Array

    def gain(self, credibility: float) -> Array:
        """``gap + c loss``, ``[rate, alternative]``."""
        return self.gap + credibility * self.loss


def curves(static: Static, payoff: Payoffs, worlds: Worlds, found: Losses, rate: float) -> list[Curve]:
    """What aligning is better by, from the game's own pay-offs and static losses scaled to meet them at the tariff threatened.

    Args:
        payoff: the game's pay-offs.
        worlds: the worlds they come from.
        found: static losses.
        rate: the tariff threatened.
    """
    peaceful = payoff.total - payoff.parts[2]
    at = int(np.flatnonzero(np.isclose(found.rates, rate))[0])
    made = []
    for case in cases(static):
        factor = {p: _factor(static, worlds, case, p, found, at) for p in case.profiles}

        def changed(p: Profile, case: Case = case, factor: Mapping[Profile, float] = factor) -> Array:
            return factor[p] * found.change[case.player, case.others, p]

        gap = [peaceful[(case.player, *case.aligned)] - peaceful[(case.player, *p)] for p in case.alternatives]
        loss = [changed(case.aligned) - changed(p) for p in case.alternatives]
        made.append(Curve(case, np.array(gap), np.stack(loss, axis=1)))
    return made


def _factor(static: Static, worlds: Worlds, case: Case, profile: Profile, found: Losses, at: int) -> float:
    """Loss in the game's own worlds over that in static ones, at the tariff threatened."""
    region = static.setting.vocabulary.regions.index(static.moves.game.players[case.player])
    window, reference = worlds.window, worlds.reference
    carried, peaceful = worlds.threatened[profile], worlds.peaceful[profile]
    own = window.welfare(carried, reference)[region] - window.welfare(peaceful, reference)[region]
    still = float(found.change[case.player, case.others, profile][at])
    usual = float(window.weight @ (window.in_force * reference.product[:, region]) / window.gdp(reference)[region])
    if not abs(still) > NEGLIGIBLE or not np.isfinite(own):
        return usual
    ratio = own / still
    return float(ratio) if FACTOR[0] <= ratio <= FACTOR[1] else usual


def moved(curve: Curve, central: Losses, other: Losses) -> Curve:
    """A curve with other parameters: gaps move as they do in static worlds, losses are theirs in the same proportion.

    Args:
        curve: at central values.
        central, other: static losses at central values and with the other parameters.
    """
    case = curve.case

    def gap(found: Losses) -> Array:
        mine = found.level[case.player, case.others, case.aligned]
        return np.array([mine - found.level[case.player, case.others, p] for p in case.alternatives])

    def loss(found: Losses) -> Array:
        mine = found.change[case.player, case.others, case.aligned]
        return np.stack([mine - found.change[case.player, case.others, p] for p in case.alternatives], axis=1)

    before, after = loss(central), loss(other)
    ratio = np.divide(after, before, out=np.ones_like(after), where=np.abs(before) > NEGLIGIBLE)
    return Curve(case, curve.gap + gap(other) - gap(central), curve.loss * ratio)


def rate_of(curve: Curve, rates: Array, credibility: float) -> Deterring | None:
    """The deterring tariff of a curve; None where a pay-off is not known."""
    gain = curve.gain(credibility)
    return None if np.isnan(gain).any() else deterring(rates, gain)


def offer_of(curve: Curve, credibility: float, rates: Array, rate: float) -> float:
    """The deterring offer beside a tariff of ``rate`` as a share of GDP; nan where a pay-off is not known."""
    gain = curve.gain(credibility)[int(np.flatnonzero(np.isclose(rates, rate))[0])]
    return math.nan if np.isnan(gain).any() else deterring_offer(gain)


@dataclass(frozen=True)
class Band:
    """Low and high of a number; infinite where it is a tariff that does not exist."""

    low: float
    high: float


def band(central: float, found: Mapping[str, Sequence[float]], floor: float = 0.0) -> Band:
    """Root sum of squares of the swings as one parameter at a time takes the ends of its range.

    ``low = c - sqrt(sum_k max(0, c - min_k)**2)``, likewise upwards, never below ``floor``. Where the number does not exist
    (infinite) at central values, ``low`` is the least that is found anywhere.

    Args:
        central: the number.
        found: by parameter, the number at the ends of its range.
    """
    if not math.isfinite(central):
        return Band(min((x for ends in found.values() for x in ends), default=central), central)
    down = math.hypot(*(max(0.0, central - min(ends)) for ends in found.values()))
    up = math.hypot(*(max(0.0, max(ends) - central) for ends in found.values()))
    return Band(max(central - down, floor), central + up)


def ends(found: Iterable[tuple[Variant, float]]) -> dict[str, list[float]]:
    """Numbers by parameter; those that are not known are left out."""
    by_parameter: dict[str, list[float]] = {}
    for variant, value in found:
        if not math.isnan(value):
            by_parameter.setdefault(variant.parameter, []).append(value)
    return by_parameter


def execution(worlds: Worlds, profile: Profile, sender: int) -> Execution | None:
    """What carrying the threat out at a profile does to the sender; None where that is not known."""
    before, after = worlds.peaceful[profile], worlds.threatened[profile]
    if before.failure or after.failure:
        return None
    window, reference = worlds.window, worlds.reference
    change = window.welfare(after, reference)[sender] - window.welfare(before, reference)[sender]
    return Execution(float(change), window.terms_of_trade(before, after, sender, reference))
