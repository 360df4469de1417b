"""An alignment game from an experiment to its result."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import Literal

import numpy as np

from backfill.economy.priors import load_priors
from backfill.errors import Faults, MissingKeyError, UnsolvedError
from backfill.experiments.align.file import GameTable, too_many
from backfill.experiments.align.found import Found, Swing
from backfill.experiments.align.packages import package
from backfill.experiments.align.policies import Moves
from backfill.experiments.align.result import AlignResult
from backfill.experiments.align.solve import Coupled, Static, Worlds
from backfill.experiments.align.tables import result_of
from backfill.experiments.align.threats import Curve, Losses, Others, curves, losses, moved, rate_of
from backfill.experiments.config import Experiment, load_experiment
from backfill.experiments.ranges import Variant, variants
from backfill.experiments.setting import Progress, Setting
from backfill.games.payoffs import Game, Payoffs, Profile, payoffs
from backfill.policy.policy import Policy

SECURITY = "security"
"""Name under which the worth of denial varies in ranges, besides the benchmark's parameters."""


def align(
    experiment: Experiment | str | PathLike[str],
    *,
    mode: Literal["static", "coupled"] | None = None,
    ranges: bool = True,
    confirm: bool = False,
    progress: Progress | None = None,
) -> AlignResult:
    """Solve the game of an experiment: pay-offs, equilibria, stability, deterrence, incentives.

    Args:
        experiment: an experiment with a ``[game]``, or the file or name of one.
        mode: static or coupled worlds; as the experiment says if None.
        ranges: give deterring tariffs and offers their ranges, which calibrates the benchmark sixteen times more.
        confirm: solve coupled worlds again at the deterring tariffs, which come from a grid of static ones.
        progress: called with a message and the share done.

    Raises:
        Faults: faults in files, all at once; an experiment without a game, or with more profiles than the mode can hold.
        UnsolvedError: the reference or today's profile has no solution, so that there is nothing to compare with.
    """
    chosen = load_experiment(experiment) if isinstance(experiment, str | PathLike) else experiment
    table = chosen.game
    if table is None:
        raise Faults(
            [MissingKeyError(chosen.name, "game", None, "is missing; add a [game] table: who may align, and so on")]
        )
    if mode is not None:
        table = table.model_copy(update={"mode": mode})
        if wrong := list(too_many(table.levels, len(table.players), mode, chosen.file.name if chosen.file else chosen.name)):
            raise Faults(wrong)
        chosen = replace(chosen, game=table)
    beside = chosen.file.parent if chosen.file else None
    base = load_experiment(chosen.reference, beside=beside, compared_with=chosen, inert_allowed=True)
    if chosen.as_of is not None:
        base = base.known_on(chosen.as_of)
    clock = [time.perf_counter()]
    game = _Game(chosen, table, base.policy, progress)
    worlds = game.worlds()
    clock.append(time.perf_counter())
    _check_start(table.game, worlds)
    payoff = game.payoffs(worlds)
    central = losses(game.static, game.security)
    made = curves(game.static, payoff, worlds, central, table.threat.rate)
    built = package(game.static, payoff, worlds, made, central)
    clock.append(time.perf_counter())
    swings = game.swings(worlds, made, central) if ranges else []
    clock.append(time.perf_counter())
    found = Found(
        experiment=chosen,
        table=table,
        reference=base.name,
        setting=game.setting,
        worlds=worlds,
        payoff=payoff,
        losses=central,
        curves=made,
        swings=swings,
        package=built,
        confirmed=game.confirmed(worlds, payoff, made, central.rates) if confirm else {},
        seconds=dict(zip(("worlds", "deterrence and package", "ranges"), np.diff(clock).tolist(), strict=True)),
    )
    return result_of(found)


@dataclass
class _Game:
    """What is set up once for a game."""

    experiment: Experiment
    table: GameTable
    reference: Policy
    progress: Progress | None

    def __post_init__(self) -> None:
        self.setting = Setting.of(self.experiment, self.progress)
        self.moves = Moves(self.table, self.experiment.policy)
        self.compiled: dict = {}
        self.static = Static(self.setting, self.moves, self.reference, self.compiled)
        self.coupled: Coupled | None = None
        self.security = np.array([player.security for player in self.table.players])
        self.regions = [self.setting.vocabulary.regions.index(name) for name in self.table.names]

    def worlds(self) -> Worlds:
        """Every profile, in the mode asked for."""
        rate = self.table.threat.rate
        if self.table.mode == "static":
            return self.static.worlds(rate)
        self.coupled = Coupled(self.setting, self.moves, self.progress)
        return self.coupled.worlds(self.reference, rate)

    def payoffs(self, worlds: Worlds) -> Payoffs:
        """Pay-offs of the players."""
        game, window, reference = self.table.game, worlds.window, worlds.reference

        def tensor(accounts) -> np.ndarray:
            values = np.full((len(game.players), *game.shape), math.nan)
            for profile, account in accounts.items():
                if not account.failure:
                    values[(slice(None), *profile)] = window.welfare(account, reference)[self.regions]
            return values

        denied = np.full(game.shape, math.nan)
        for profile, account in worlds.peaceful.items():
            if not account.failure:
                denied[profile] = window.denied(account, reference)
        offers = np.array([player.offer for player in self.table.players])
        return payoffs(
            game,
            unanswered=tensor(worlds.unanswered),
            peaceful=tensor(worlds.peaceful),
            threatened=tensor(worlds.threatened),
            denied=denied,
            credibility=self.table.threat.credibility,
            security=self.security,
            offer=window.offer(offers, reference, self.regions),
        )

    def confirmed(
        self, worlds: Worlds, payoff: Payoffs, made: Sequence[Curve], rates: np.ndarray
    ) -> dict[tuple[int, Others], float]:
        """By player and standing of the others, what aligning is better by in coupled worlds at the deterring tariff."""
        belief, calm = self.table.threat.credibility, payoff.total - payoff.parts[2]
        found: dict[tuple[int, Others], float] = {}
        for curve in made:
            case, tariff = curve.case, rate_of(curve, rates, belief)
            if self.coupled is None or tariff is None or not tariff.rate:
                continue
            region, window, reference = self.regions[case.player], worlds.window, worlds.reference
            hit = self.coupled.hit(case.profiles, tariff.rate)

            def value(p: Profile, hit=hit, region=region, case=case, window=window, reference=reference) -> float:
                change = window.welfare(hit[p], reference) - window.welfare(worlds.peaceful[p], reference)
                known = math.nan if hit[p].failure else float(change[region])
                return float(calm[(case.player, *p)]) + belief * known

            found[case.player, case.others] = min(value(case.aligned) - value(p) for p in case.alternatives)
        return found

    def swings(self, worlds: Worlds, made: Sequence[Curve], central: Losses) -> list[Swing]:
        """The curves at both ends of every parameter's range, and of the worth of denial."""
        found = []
        if self.experiment.own is None:
            every = variants(load_priors(), self.experiment.parameters)
            for n, variant in enumerate(every):
                if self.progress:
                    self.progress(f"{variant.parameter} {variant.end}", n / len(every))
                other = self._losses(variant)
                found.append(Swing(variant, None if other is None else [moved(one, central, other) for one in made]))
        ends = [player.security_range for player in self.table.players]
        if any(ends):
            for place, end in enumerate(("low", "high")):
                worth = np.array([w if r is None else r[place] for w, r in zip(self.security, ends, strict=True)])
                shifted = [self._revalued(one, worth, worlds) for one in made]
                found.append(Swing(Variant(SECURITY, end, math.nan), shifted))
        return found

    def _revalued(self, curve: Curve, worth: np.ndarray, worlds: Worlds) -> Curve:
        """A curve with another worth of denial, from the game's own worlds."""
        player, case = curve.case.player, curve.case
        more = worth[player] - self.security[player]
        denied = {p: worlds.window.denied(worlds.peaceful[p], worlds.reference) for p in case.profiles}
        gap = curve.gap + more * np.array([denied[case.aligned] - denied[p] for p in case.alternatives])
        return Curve(case, gap, curve.loss)

    def _losses(self, variant: Variant) -> Losses | None:
        """Static losses with one parameter at one end; None where the benchmark cannot be calibrated with it."""
        parameters = {**self.experiment.parameters, variant.parameter: variant.value}
        try:
            setting = Setting.of(replace(self.experiment, parameters=parameters))
        except UnsolvedError:
            return None
        # What is compiled can be shared unless the parameter acts on measures.
        compiled = {} if load_priors()[variant.parameter].acts_on == "measures" else self.compiled
        return losses(Static(setting, self.moves, self.reference, compiled), self.security)


def _check_start(game: Game, worlds: Worlds) -> None:
    failed = {"the reference": worlds.reference.failure, "today's profile": worlds.peaceful[game.today].failure}
    told = [f"{what}: {why}" for what, why in failed.items() if why]
    if told:
        raise UnsolvedError(f"The game cannot be solved: {'; '.join(told)}.", {"converged": 0.0})
