"""Many coupled worlds that are much alike, each started from one next to it that is solved already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from backfill.accounts import terminal_table
from backfill.coupling import settled
from backfill.experiments.align.accounts import Account, accounts
from backfill.experiments.setting import Progress, Setting
from backfill.experiments.shared import stands_of
from backfill.experiments.started import Part, Stand, Started
from backfill.experiments.vintages import Vintages
from backfill.experiments.worlds import Batch, Key, batch, keys_of
from backfill.supply.foresight import foresight_named
from backfill.supply.nodes import capacity_path
from backfill.threads import single_threaded_algebra
from backfill.trade.equilibrium import outcomes

TOGETHER = 12
"""Worlds solved in one batch: enough for the markets to work on whole chunks, few enough for memory."""
Share = tuple[float, Vintages]
"""A share of the world of a policy."""


class Queue:
    """Worlds of one experiment, solved as they are asked for and kept as starts for those next to them.

    Args:
        setting: economy and names.
        sender: place of the region whose trade is wanted.
        progress: called with a message and the share of ``expected`` worlds done.
        expected: how many worlds there will be.
    """

    def __init__(self, setting: Setting, sender: int, progress: Progress | None = None, expected: int = 1) -> None:
        self.setting, self.sender = setting, sender
        self.progress, self.expected = progress, max(expected, 1)
        self.foresight = foresight_named(setting.foresight, setting.economy.periods[0].years)
        self._solved: dict[Key, Stand] = {}
        self._accounts: dict[Key, Account] = {}

    def share(self, worlds: Mapping[str, Vintages]) -> None:
        """Solve worlds that other experiments need too, or take them from where they are kept."""
        with single_threaded_algebra():
            self._solved |= stands_of(self.setting.economy, batch(worlds), self.foresight, self.setting.identity)

    def accounts(
        self, worlds: Mapping[str, Vintages], near: Mapping[str, Sequence[Share]] | None = None, *, keep: bool = True
    ) -> dict[str, Account]:
        """Accounts of worlds by name, solving those that are not known yet.

        Args:
            worlds: their policies, as they became known.
            near: for some of them, by name, where to start: a sum of shares of worlds of policies solved before.
            keep: whether others may start from these.
        """
        names = list(worlds)
        for first in range(0, len(names), TOGETHER):
            chunk = names[first : first + TOGETHER]
            self._solve(
                batch({n: worlds[n] for n in chunk}),
                {n: [(share, key_of(known)) for share, known in near[n]] for n in chunk if near and n in near},
                keep,
            )
        return {name: self._accounts[key_of(known)] for name, known in worlds.items()}

    def _solve(self, needed: Batch, near: Mapping[str, Sequence[tuple[float, Key]]], keep: bool) -> None:
        keys = keys_of(needed)
        known = {place: self._solved[key] for place, key in enumerate(keys) if key in self._solved}
        wanted = {place: name for name, place in needed.position.items() if keys[place] not in self._accounts}
        if not wanted:
            return
        start = {
            place: found for place, name in wanted.items() if (found := self._start(keys[place], near.get(name, ())))
        }
        with single_threaded_algebra():
            coupling = self._coupled(needed, known, start)
            lost = [place for place in wanted if coupling.first_to_fail(place) in coupling.failures]
            if lost and start:
                coupling = self._again(needed, known, start, lost)
            self._keep(coupling, keys, wanted, keep)
        if self.progress:
            self.progress("worlds", min(len(self._accounts) / self.expected, 1.0))

    def _start(self, key: Key, near: Sequence[tuple[float, Key]]) -> list[Part]:
        """Where a world starts; at the first world alone if the others are not all there."""
        found = [(share, self._stage(key, other)) for share, other in near]
        if all(stand for _, stand in found):
            return [(share, stand) for share, stand in found if stand]
        first = found[0][1]
        return [(1.0, first)] if first else []

    def _stage(self, key: Key, other: Key) -> Stand | None:
        """The stage of another world that begins when the last stage of this one does."""
        same = [key_ for n in range(len(other)) if (key_ := other[: n + 1])[-1][0] == key[-1][0]]
        return self._solved.get(same[0]) if same else None

    def _coupled(self, needed: Batch, known: Mapping[int, Stand], near: Mapping[int, Sequence[Part]]) -> Started:
        return Started.solving(self.setting.economy, needed, self.foresight, known, near)

    def _again(
        self, needed: Batch, known: Mapping[int, Stand], near: Mapping[int, Sequence[Part]], lost: Sequence[int]
    ) -> Started:
        """Once more, what was lost starting like any other world."""
        return self._coupled(needed, known, {place: start for place, start in near.items() if place not in lost})

    def _keep(self, coupling: Started, keys: Sequence[Key], wanted: Mapping[int, str], keep: bool) -> None:
        economy, reported = self.setting.economy, self.setting.economy.reported
        self._solved |= coupling.passed(keys, () if keep else wanted)
        places = list(wanted)
        shown = np.arange(reported)
        lane, vector = coupling.lane({p: coupling.points[p] for p in places}, dict.fromkeys(places, shown))
        outcome = outcomes(economy.structure, lane, vector)
        path = {place: capacity_path(coupling.nodes[place], coupling.points[place].additions) for place in places}
        failures = [self._failure(coupling, place) for place in places]
        terminal = [self._terminal(coupling, place) for place in places]
        adversary = economy.structure.vocabulary.expand_regions("adversary")
        advanced = [n for n, (p, r) in enumerate(economy.structure.nodes) if p == "logic_advanced" and r in adversary]
        last = [float(path[place][advanced, reported - 1].sum()) for place in places]
        found = accounts(economy.structure, outcome, len(places), self.sender, terminal, last, failures)
        self._accounts |= {keys[place]: account for place, account in zip(places, found, strict=True)}

    def _terminal(self, coupling: Started, place: int) -> np.ndarray:
        economy = self.setting.economy
        table = terminal_table(economy, coupling.nodes[place], coupling.points[place].additions)
        worth = dict(table.select("region", "value").iter_rows())
        return np.array([worth[region] for region in economy.structure.regions])

    def _failure(self, coupling: Started, place: int) -> str:
        point = coupling.points[place]
        gap = max(coupling.gaps(place).largest, point.apart)
        if place not in coupling.failures and point.converged.all() and settled(gap, float(coupling.steps[place])):
            return ""
        if not point.converged.all():
            labels = [period.label for period in self.setting.economy.periods]
            late = ", ".join(label for label, fine in zip(labels, point.converged, strict=True) if not fine)
            return f"some markets have no answer in {late}"
        return f"markets and plan did not agree: they are {gap:.2g} apart as a share of price or capacity"


def key_of(known: Vintages) -> Key:
    """What tells a policy from others that were known otherwise."""
    needed = batch({"it": known})
    return keys_of(needed)[needed.position["it"]]
