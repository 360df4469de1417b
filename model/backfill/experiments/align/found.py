"""What has been found of a game, before it is put in tables and words."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backfill.experiments.align.accounts import Account, Array
from backfill.experiments.align.file import GameTable
from backfill.experiments.align.packages import Checked
from backfill.experiments.align.solve import Worlds
from backfill.experiments.align.threats import (
    CREDIBILITIES,
    Band,
    Curve,
    Losses,
    Others,
    band,
    ends,
    execution,
    offer_of,
    rate_of,
)
from backfill.experiments.config import Experiment
from backfill.experiments.ranges import Variant
from backfill.experiments.setting import Setting
from backfill.games.coalitions import Stability, contributions, profile_of, stability
from backfill.games.deterrence import Deterring, Execution
from backfill.games.equilibria import Path, best_response_path, pure_equilibria, reachable
from backfill.games.payoffs import Game, Payoffs, Profile


@dataclass(frozen=True)
class Swing:
    """Curves with one parameter at one end of its range; None where there is no answer."""

    variant: Variant
    curves: list[Curve] | None


@dataclass(frozen=True)
class Deterrence:
    """A player's deterring tariff and offers, the others standing still.

    Attributes:
        curve: what aligning is better by, by tariff.
        tariff: the deterring tariff; None where a pay-off is not known.
        by_credibility: the same at other beliefs.
        offers: deterring offers without a threat and beside the one made, million USD a year; nan where not known.
        tariff_band, offer_bands: ranges; None without.
    """

    curve: Curve
    tariff: Deterring | None
    by_credibility: dict[float, Deterring | None]
    offers: tuple[float, float]
    tariff_band: Band | None
    offer_bands: tuple[Band | None, Band | None]


@dataclass(frozen=True)
class Found:
    """A game that has been solved.

    Attributes:
        experiment, table, reference, setting: what was asked, of what, compared with what.
        worlds, payoff: accounts and pay-offs of every profile.
        losses, curves: static losses, and what aligning is better by.
        swings: the same at the ends of ranges; empty without.
        package: the incentives; None if not asked for.
        confirmed: by player and standing of the others, what aligning is better by in coupled worlds at the deterring tariff;
            empty if not asked for.
        seconds: time taken, by what for.
    """

    experiment: Experiment
    table: GameTable
    reference: str
    setting: Setting
    worlds: Worlds
    payoff: Payoffs
    losses: Losses
    curves: list[Curve]
    swings: list[Swing]
    package: Checked | None
    confirmed: Mapping[tuple[int, Others], float]
    seconds: Mapping[str, float]

    @property
    def game(self) -> Game:
        """Players and levels."""
        return self.payoff.game

    @property
    def sender(self) -> int:
        """Place of the region that threatens."""
        return self.setting.vocabulary.regions.index(self.table.sender[0])

    @property
    def regions(self) -> list[int]:
        """Places of the players' regions."""
        return [self.setting.vocabulary.regions.index(name) for name in self.table.names]

    @cached_property
    def equilibria(self) -> tuple[Profile, ...]:
        """All in pure strategies."""
        return pure_equilibria(self.payoff.total)

    @cached_property
    def path(self) -> Path:
        """Best responses from today on."""
        return best_response_path(self.payoff.total, self.game.today)

    @cached_property
    def reached(self) -> frozenset[Profile]:
        """Everything best responses lead to from today, in any order."""
        return reachable(self.payoff.total, self.game.today)

    @cached_property
    def stability(self) -> tuple[Stability, ...]:
        """Of every coalition."""
        return stability(self.game, self.payoff.total)

    def worth(self) -> dict[tuple[str, str], Callable[[Account], float]]:
        """What coalitions bring about against today's profile, by name and unit."""
        worlds, window = self.worlds, self.worlds.window
        today = worlds.peaceful[self.game.today]
        gdp, shown = window.gdp(worlds.reference), np.asarray(window.weight > 0, float)

        def money(account: Account, places: list[int]) -> float:
            change = window.welfare(account, worlds.reference) - window.welfare(today, worlds.reference)
            return float((change * gdp)[places].sum())

        found: dict[tuple[str, str], Callable[[Account], float]] = {
            ("compute denied", "H100e"): lambda one: float(shown @ (today.acquired - one.acquired)),
            (f"welfare of {self.table.sender[0]}", "million USD"): lambda one: money(one, [self.sender]),
            ("welfare of the players", "million USD"): lambda one: money(one, self.regions),
        }
        if math.isfinite(today.advanced):
            found["advanced capacity denied", "million USD of output"] = lambda one: today.advanced - one.advanced
        return found

    def shapley(self) -> dict[tuple[str, str], Array]:
        """What each player adds to the worth of the coalition of all, ``[player]``."""
        worths = self.worth()
        values = np.full((len(worths), *self.game.shape), math.nan)
        for profile, account in self.worlds.peaceful.items():
            if not account.failure:
                values[(slice(None), *profile)] = [worth(account) for worth in worths.values()]
        return dict(zip(worths, contributions(self.game, values).T, strict=True))

    def coalition_worth(self, one: Stability) -> dict[tuple[str, str], float]:
        """What a coalition brings about."""
        account = self.worlds.peaceful[profile_of(self.game, one.coalition)]
        return {name: worth(account) for name, worth in self.worth().items()}

    @cached_property
    def deterrence(self) -> list[Deterrence]:
        """Every player's, the others at their levels of today and as asked."""
        return [self._deterrence(n) for n in range(len(self.curves))]

    def _deterrence(self, n: int) -> Deterrence:
        curve, rates, threat = self.curves[n], self.losses.rates, self.table.threat
        belief = threat.credibility

        def tariff(one: Curve, credibility: float = belief) -> float:
            made = rate_of(one, rates, credibility)
            return math.nan if made is None else math.inf if made.rate is None else made.rate

        def offer(one: Curve, rate: float) -> float:
            return offer_of(one, belief, rates, rate) * self._yearly(one.case.player)

        shown = [(swing.variant, swing.curves[n]) for swing in self.swings if swing.curves is not None]
        bands: list[Band | None] = [None, None, None]
        central = [tariff(curve), offer(curve, 0.0), offer(curve, threat.rate)]
        if shown and not math.isnan(central[0]):
            swung = [
                ends((v, tariff(one)) for v, one in shown),
                ends((v, offer(one, 0.0)) for v, one in shown),
                ends((v, offer(one, threat.rate)) for v, one in shown),
            ]
            bands = [band(value, found) for value, found in zip(central, swung, strict=True)]
            if (made := bands[0]) and made.high > threat.cap:
                bands[0] = Band(made.low, math.inf)
        beliefs = sorted({*CREDIBILITIES, belief})
        return Deterrence(
            curve,
            rate_of(curve, rates, belief),
            {c: rate_of(curve, rates, c) for c in beliefs},
            (central[1], central[2]),
            bands[0],
            (bands[1], bands[2]),
        )

    def _yearly(self, player: int) -> float:
        """Million USD a year of an offer that is worth all GDP of a player."""
        window, reference = self.worlds.window, self.worlds.reference
        paid = float(window.weight @ (window.in_force * window.years))
        return float(window.gdp(reference)[self.regions[player]]) / paid

    @cached_property
    def executions(self) -> dict[Profile, Execution]:
        """What carrying the threat out does to the sender, where one player alone holds out and where all do."""
        game = self.game
        profiles = [game.today, *(curve.case.alternatives[0] for curve in self.curves if curve.case.others == "asked")]
        found = {p: execution(self.worlds, p, self.sender) for p in dict.fromkeys(profiles)}
        return {p: one for p, one in found.items() if one is not None}

    @property
    def unsolved(self) -> dict[str, str]:
        """Worlds without a solution, by name, with the reason."""
        return {
            self.game.name(profile) + (f" ({kind})" if kind else ""): account.failure
            for kind, profile, account in self.worlds.all
            if account.failure
        }
