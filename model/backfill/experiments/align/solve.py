"""From an experiment with a game to accounts of every profile: static ones in one batch, coupled ones from their neighbours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from backfill.experiments.align.accounts import Account, Array
from backfill.experiments.align.coupled import Queue, Share
from backfill.experiments.align.policies import Moves
from backfill.experiments.align.starts import layers, start
from backfill.experiments.align.static import static_accounts
from backfill.experiments.setting import Progress, Setting
from backfill.experiments.vintages import Vintages, continuing, news, vintage
from backfill.games.payoffs import Profile
from backfill.policy.compile import compile_policies
from backfill.policy.policy import Policy
from backfill.policy.wedges import Wedges

TOGETHER = 12
"""Policies compiled at a time; their wedges take some 4 MB each."""


@dataclass(frozen=True)
class Window:
    """Over which periods pay-offs are counted, and how.

    Attributes:
        weight: ``[period]`` discount factors, 0 before the game is known.
        in_force: ``[period]`` share of each period in which the game is on.
        years: ``[period]`` length of each period.
    """

    weight: Array
    in_force: Array
    years: Array

    def gdp(self, reference: Account) -> Array:
        """Present value of GDP, ``[region]``."""
        return self.weight @ reference.product

    def yearly_gdp(self, reference: Account) -> Array:
        """GDP in a year, on average, ``[region]``."""
        return self.gdp(reference) / (self.weight @ self.years)

    def welfare(self, world: Account, reference: Account) -> Array:
        """``[sum_t beta^t P0_t (U_t - U0_t) + change in terminal value] / sum_t beta^t GDP_t``, ``[region]``."""
        variation = self.weight @ (reference.index * (world.real - reference.real))
        return (variation + world.terminal - reference.terminal) / self.gdp(reference)

    def denied(self, world: Account, reference: Account) -> float:
        """``sum_t beta^t (A0_t - A_t) / sum_t beta^t A0_t``."""
        acquired = float(self.weight @ reference.acquired)
        return float(self.weight @ (reference.acquired - world.acquired)) / acquired if acquired > 0 else 0.0

    def terms_of_trade(self, without: Account, world: Account, sender: int, reference: Account) -> float:
        """What better border prices are worth to the sender, as a share of its GDP."""
        gain = self.weight @ without.trade.terms_of_trade(world.trade)
        return float(gain / self.gdp(reference)[sender])

    def offer(self, yearly: Array, reference: Account, regions: Sequence[int]) -> Array:
        """Offers in million USD a year as shares of the receivers' GDP."""
        paid = float(self.weight @ (self.in_force * self.years))
        return np.asarray(yearly) * paid / self.gdp(reference)[list(regions)]


@dataclass(frozen=True)
class Worlds:
    """Accounts of a game.

    Attributes:
        reference: what everything is compared with.
        peaceful, threatened, unanswered: of each profile: as it is, with the tariff carried out on all unaligned, and without
            retaliation.
        window: how they are counted.
    """

    reference: Account
    peaceful: Mapping[Profile, Account]
    threatened: Mapping[Profile, Account]
    unanswered: Mapping[Profile, Account]
    window: Window

    @property
    def all(self) -> list[tuple[str, Profile, Account]]:
        """Every world: what it is, its profile, its account."""
        kinds = {"": self.peaceful, "tariff carried out": self.threatened, "without retaliation": self.unanswered}
        return [(kind, profile, account) for kind, worlds in kinds.items() for profile, account in worlds.items()]


class Static:
    """Worlds of one period at the rents of the reference plan.

    Args:
        setting: economy and names.
        moves: the game.
        reference: policy of the reference.
        compiled: wedges compiled before, by what they are for, shared among parameters; none if absent.
    """

    def __init__(
        self, setting: Setting, moves: Moves, reference: Policy, compiled: dict[object, Wedges] | None = None
    ) -> None:
        self.setting, self.moves, self.base = setting, moves, reference
        reported = setting.economy.periods[: setting.economy.reported]
        self.at = moves.table.static_year(reported)
        self.period = setting.economy.periods[self.at]
        self.sender = setting.vocabulary.regions.index(moves.table.sender[0])
        self._compiled = {} if compiled is None else compiled
        self._known: dict[object, Account] = {}

    @property
    def window(self) -> Window:
        """That one period."""
        share = 1 - self.period.fraction_in_force(self.period.start, self.moves.table.begin)
        begun = self.moves.table.begin <= self.period.start
        return Window(np.ones(1), np.array([1.0 if begun else share]), np.array([self.period.years]))

    @property
    def reference(self) -> Account:
        """The reference's account."""
        return self.at_profiles([("reference", ())])["reference", ()]

    def at_profiles(self, wanted: Sequence[tuple]) -> dict[tuple, Account]:
        """Accounts of worlds, each ``(what, profile, *tariffs as (player, rate))``; one batch for those not known yet."""
        new = [one for one in dict.fromkeys(wanted) if one not in self._known]
        if new:
            found = static_accounts(self.setting.economy, self._wedges(new), self.at, self.sender)
            self._known |= dict(zip(new, found, strict=True))
        return {one: self._known[one] for one in wanted}

    def _wedges(self, wanted: Sequence[tuple]) -> list[Wedges]:
        """Wedges of worlds; those not compiled yet together."""
        new = [one for one in wanted if one not in self._compiled]
        compiled = compile_policies(
            [self.setting.understood(self._policy(one)) for one in new],
            self.setting.vocabulary,
            (self.period,),
            flow_exists=self.setting.flow_exists,
            facts=self.setting.facts,
        )
        self._compiled |= dict(zip(new, compiled, strict=True))
        return [self._compiled[one] for one in wanted]

    def _policy(self, one: tuple) -> Policy:
        what, profile, *tariffs = one
        if what == "reference":
            return self.base
        return self.moves.policy(profile, dict(tariffs), retaliation=what != "unanswered")

    def joint(self, profile: Profile, rate: float) -> tuple:
        """The world of a profile with the duty carried out on all unaligned."""
        return ("world", profile, *self.moves.joint(profile, rate).items())

    def worlds(self, rate: float) -> Worlds:
        """Every profile in one batch."""
        profiles = list(self.moves.game.profiles())
        peaceful = {p: ("world", p) for p in profiles}
        threatened = {p: self.joint(p, rate) for p in profiles}
        unanswered = {p: ("unanswered", p) for p in profiles} if _retaliates(self.moves) else peaceful
        everything = [("reference", ()), *peaceful.values(), *threatened.values(), *unanswered.values()]
        found = self.at_profiles(everything)
        return Worlds(
            found["reference", ()],
            {p: found[one] for p, one in peaceful.items()},
            {p: found[one] for p, one in threatened.items()},
            {p: found[one] for p, one in unanswered.items()},
            self.window,
        )


class Coupled:
    """Worlds with suppliers' answer over the years, each from the nearest that is solved.

    Args:
        setting: economy and names.
        moves: the game.
        progress: called with a message and the share done.
    """

    def __init__(self, setting: Setting, moves: Moves, progress: Progress | None) -> None:
        self.setting, self.moves = setting, moves
        count = len(list(moves.game.profiles()))
        sender = setting.vocabulary.regions.index(moves.table.sender[0])
        self.queue = Queue(setting, sender, progress, expected=(3 if _retaliates(moves) else 2) * count + 1)
        periods = setting.economy.periods
        self.first = sum(period.end <= moves.table.known() for period in periods)
        self.shared = setting.vintages(moves.policy(moves.game.today))

    @property
    def window(self) -> Window:
        """Reported periods from the one in which the game becomes known."""
        economy = self.setting.economy
        periods = economy.periods[: economy.reported]
        weight = float(economy.capacity.discount) ** np.arange(len(periods), dtype=float)
        weight[: self.first] = 0.0
        begin = self.moves.table.begin
        in_force = np.array([period.fraction_in_force(begin, None) for period in periods])
        return Window(weight, in_force, np.array([period.years for period in periods]))

    def worlds(self, reference: Policy, rate: float) -> Worlds:
        """Every profile, with the duty ``rate`` carried out and not, and without retaliation."""
        moves, game = self.moves, self.moves.game
        against = {"reference": self.setting.vintages(reference)}
        self.queue.share(against)
        base = self.queue.accounts(against, keep=False)["reference"]
        peaceful, self.starts = self._spread(list(game.profiles()), moves.policy)
        hit = [p for p in game.profiles() if game.unaligned(p)]
        threatened, _ = self._spread(hit, lambda p: moves.policy(p, moves.joint(p, rate)), self.starts)
        unanswered = {}
        if _retaliates(moves):
            unanswered = self._beside(list(game.profiles()), lambda p: moves.policy(p, retaliation=False))
        return Worlds(base, peaceful, {**peaceful, **threatened}, {**peaceful, **unanswered}, self.window)

    def hit(self, profiles: Sequence[Profile], rate: float) -> dict[Profile, Account]:
        """Chosen profiles with another duty carried out on all unaligned."""
        return self._beside(list(profiles), lambda p: self.moves.policy(p, self.moves.joint(p, rate)))

    def _spread(
        self,
        profiles: Sequence[Profile],
        policy: Callable[[Profile], Policy],
        base: Mapping[Profile, Vintages] | None = None,
    ) -> tuple[dict[Profile, Account], dict[Profile, Vintages]]:
        """Worlds of profiles, from today's outwards, and the policies of those solved; see `starts.start`."""
        found: dict[Profile, Account] = {}
        solved: dict[Profile, Vintages] = {}
        today = self.moves.game.today
        for layer in layers(profiles, today):
            for first in range(0, len(layer), TOGETHER):
                chunk = {p: self._vintages(policy(p)) for p in layer[first : first + TOGETHER]}
                found |= self._solved(chunk, {p: start(p, today, solved, base or {}) for p in chunk})
                solved |= {p: known for p, known in chunk.items() if not found[p].failure}
        return found, solved

    def _beside(self, profiles: list[Profile], policy: Callable[[Profile], Policy]) -> dict[Profile, Account]:
        """Other worlds of the same profiles, each from that profile's own."""
        found = {}
        for first in range(0, len(profiles), TOGETHER):
            chunk = {p: self._vintages(policy(p)) for p in profiles[first : first + TOGETHER]}
            near = {p: [(1.0, self.starts[p])] for p in chunk if p in self.starts}
            found |= self._solved(chunk, near, keep=False)
        return found

    def _solved(
        self, worlds: Mapping[Profile, Vintages], near: Mapping[Profile, Sequence[Share]], *, keep: bool = True
    ) -> dict[Profile, Account]:
        named = {str(p): v for p, v in worlds.items()}
        found = self.queue.accounts(named, {str(p): v for p, v in near.items()}, keep=keep)
        return {p: found[str(p)] for p in worlds}

    def _vintages(self, policy: Policy) -> Vintages:
        """The policy as it became known; what came before the game is shared with today's profile where it is the same."""
        before = self.moves.base.placed == policy.placed[: len(self.moves.base.placed)]
        if not before or len(self.shared) == 1:
            return self.setting.vintages(policy)
        found = {n: wedges for n, wedges in self.shared.items() if n < self.first}
        periods = self.setting.economy.periods
        for n in news(policy, periods):
            if n >= self.first:
                wedges = vintage(policy, n, periods, self.setting.compiled)
                found[n] = continuing(found[max(found)], wedges, n) if found else wedges
        return found


def _retaliates(moves: Moves) -> bool:
    """Whether anybody retaliates against those who align."""
    top = tuple(len(moves.game.levels) - 1 for _ in moves.game.players)
    return len(moves.policy(top).placed) > len(moves.policy(top, retaliation=False).placed)
