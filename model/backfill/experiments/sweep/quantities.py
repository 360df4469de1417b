"""Effects by bloc of many worlds at once: the same figures as the tables of one run, as one array (economics, section 11)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backfill.dimensions import BLOCS
from backfill.economy.economy import CLOUD, DIVERSION, Economy
from backfill.effects.backfilling import GROUPS, OTHERS
from backfill.effects.comparison import H100E, MUSD, WHOLE, WORLD
from backfill.effects.compute import DIVERTED, OWN, REMOTE
from backfill.effects.leakage import CHANNELS, CONTROLLED, DOMESTIC
from backfill.effects.rates import SMALLEST
from backfill.effects.welfare import RENTS, REVENUE
from backfill.experiments.sweep.seen import Seen
from backfill.trade.income import Income

Array = NDArray[np.float64]
H100E_PER_UNIT = 1000.0
SHARE = "share"

_CHANNEL = {DIVERTED: "diversion", REMOTE: "cloud", OWN: DOMESTIC, "from ally": "ally", "from partner": "third country"}


class Key(NamedTuple):
    """What a number is."""

    quantity: str
    where: str
    product: str
    unit: str


@dataclass(frozen=True)
class Worlds:
    """Solved worlds of one economy and what they are compared with.

    Attributes:
        seen: ``[world, period, ...]``.
        controlled: ``[world, product, origin, destination]`` direct routes closed, levied or limited in any period in a world or
            its reference; products and regions as in the vocabulary.
        capacity: ``[world, period, node]``; None where it is the reference's.
        terminal: ``[world, region]`` worth of capacity after the last period; None where no path is solved.
    """

    seen: Seen
    controlled: NDArray[np.bool_]
    capacity: Array | None = None
    terminal: Array | None = None


@dataclass(frozen=True)
class Measured:
    """Numbers of many worlds.

    Attributes:
        keys: what they are.
        values: ``[key, world, period]``, the last period being all of them together where there are several; NaN where
            there is no such number.
    """

    keys: tuple[Key, ...]
    values: Array


@dataclass(frozen=True)
class Measures:
    """Measures effects in one economy.

    Attributes:
        economy: whose worlds they are.
        periods: how many periods worlds have.
        first: place of the first of them in the economy.
    """

    economy: Economy
    periods: int
    first: int = 0

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the periods, and of all of them where there are several."""
        own = [one.label for one in self.economy.periods[self.first : self.first + self.periods]]
        return tuple(own if len(own) == 1 else [*own, WHOLE])

    def measured(self, worlds: Worlds, reference: Worlds) -> Measured:
        """Effects of worlds beside one reference.

        Args:
            worlds: any number.
            reference: one world.
        """
        trade = self._trade(worlds.seen), self._trade(reference.seen)
        rows = [*self._exports(*trade), *self._sales(worlds, reference), *self._compute(worlds, reference)]
        rows += [*self._welfare(worlds, reference), *self._money(worlds, reference, *trade)]
        rows += self._capacity(worlds, reference)
        return Measured(tuple(key for key, _ in rows), np.stack([values for _, values in rows]))

    @cached_property
    def _members(self) -> dict[str, np.ndarray]:
        """Positions of each bloc's regions."""
        names = self.economy.structure.vocabulary
        found = {bloc: np.array([names.regions.index(r) for r in names.expand_regions(bloc)], int) for bloc in BLOCS}
        return {bloc: regions for bloc, regions in found.items() if len(regions)}

    @cached_property
    def _groups(self) -> dict[str, frozenset[str]]:
        """Products of each group that is traded, and of all together."""
        names = self.economy.structure.vocabulary
        traded = {*self.economy.structure.products, *(product for product, _ in self.economy.structure.makers)}
        named = {
            group: frozenset(members) & traded for group, members in names.groups.items() if group != "us_accelerators"
        }
        return {**{group: members for group, members in named.items() if members}, WHOLE: frozenset(traded)}

    @cached_property
    def _routes(self) -> list[str]:
        """How a unit on each leaf reaches its user (see `backfill.effects.compute.acquisitions`)."""
        structure = self.economy.structure
        bloc = [structure.vocabulary.bloc[region] for region in structure.regions]
        found = []
        for leaf in structure.leaves:
            origin = structure.vocabulary.bloc[structure.makers[leaf.maker][1]]
            user = bloc[leaf.user]
            if leaf.channel == DIVERSION:
                found.append(DIVERTED)
            elif leaf.channel == CLOUD and bloc[leaf.site] != user:
                found.append(REMOTE)
            else:
                found.append(OWN if origin == user else f"from {origin}")
        return found

    def _summed(self, yearly: Array) -> Array:
        """``[..., period]`` and, where there are several, their sum behind them."""
        return yearly if self.periods == 1 else np.concatenate([yearly, yearly.sum(-1, keepdims=True)], axis=-1)

    def _yearly(self, yearly: Array) -> Array:
        """``[..., period]``, which do not add up over periods."""
        if self.periods == 1:
            return yearly
        return np.concatenate([yearly, np.full((*yearly.shape[:-1], 1), np.nan)], axis=-1)

    def _trade(self, seen: Seen) -> dict[str, Array]:
        """FOB value net of levies by group, ``[world, period, origin, destination]``; accelerators where they are delivered."""
        structure = self.economy.structure
        goods = np.asarray(seen.quantity) * np.asarray(seen.mill)[..., None]
        regions = len(structure.regions)
        lines = np.zeros((*goods.shape[:2], len(structure.makers), regions, regions))
        for n, leaf in enumerate(structure.leaves):
            home = structure.region(structure.makers[leaf.maker][1])
            lines[:, :, leaf.maker, home, leaf.site] += seen.shipped[:, :, n] * seen.maker_mill[:, :, leaf.maker]
        found = {}
        for group, members in self._groups.items():
            rows = [n for n, product in enumerate(structure.products) if product in members]
            makers = [n for n, (product, _) in enumerate(structure.makers) if product in members]
            found[group] = goods[:, :, rows].sum(2) + lines[:, :, makers].sum(2)
        return found

    def _exports(self, after: dict[str, Array], before: dict[str, Array]) -> Iterator[tuple[Key, Array]]:
        """Exports and their change, by bloc and group of products."""
        abroad = 1.0 - np.eye(len(self.economy.structure.regions))
        for group in self._groups:
            now, then = ((trade[group] * abroad).sum(-1) for trade in (after, before))
            for bloc, own in {**self._members, WORLD: np.arange(now.shape[-1])}.items():
                level, base = (self._summed(x[..., own].sum(-1)) for x in (now, then))
                yield Key("exports", bloc, group, MUSD), level
                yield Key("change in exports", bloc, group, MUSD), level - base

    def _deliveries(self, seen: Seen) -> tuple[dict[str, Array], list[str]]:
        """Sales to adversary regions by product, ``[world, period, origin]``, units that stop at a hub left out."""
        structure, buyers = self.economy.structure, self._members.get("adversary", np.zeros(0, int))
        goods = (np.asarray(seen.quantity)[..., buyers] * np.asarray(seen.mill)[..., None]).sum(-1)
        found = {product: goods[:, :, n] for n, product in enumerate(structure.products)}
        for product in dict.fromkeys(product for product, _ in structure.makers):
            found[product] = np.zeros(goods[:, :, 0].shape)
        for n, leaf in enumerate(structure.leaves):
            if leaf.channel != DIVERSION and leaf.site in buyers:
                product, region = structure.makers[leaf.maker]
                found[product][..., structure.region(region)] += (
                    seen.shipped[:, :, n] * seen.maker_mill[:, :, leaf.maker]
                )
        return found, list(found)

    def _sales(self, worlds: Worlds, reference: Worlds) -> Iterator[tuple[Key, Array]]:
        """Sales to the adversary and the backfill rate at current value (see `backfill.effects.backfilling`)."""
        if not {"us", "adversary"} <= self._members.keys():
            return
        names = self.economy.structure.vocabulary
        after, products = self._deliveries(worlds.seen)
        before, _ = self._deliveries(reference.seen)
        us, every = self._members["us"], np.arange(len(names.regions))
        sellers = {bloc: own for bloc, own in self._members.items() if bloc != "us"}
        sellers[OTHERS] = np.setdiff1d(every, us)
        adversary = self._members["adversary"]
        for group in GROUPS:
            members = [p for p in names.groups.get(group, ()) if p in products]
            if not members:
                continue
            rows = [names.products.index(p) for p in members]
            asked = np.asarray(worlds.controlled[:, rows][..., adversary].any((1, 2, 3)))
            now, then = (self._summed(np.moveaxis(sum(x[p] for p in members), -1, 0)) for x in (after, before))  # type: ignore
            change = now - then
            fall, base = -change[us].sum(0), then[us].sum(0)
            large = (fall > 0) & (fall > SMALLEST * base) & asked[:, None]
            for bloc, own in {"us": us, **sellers}.items():
                yield Key("change in sales to the adversary", bloc, group, MUSD), change[own].sum(0)
            for bloc, own in sellers.items():
                share = np.divide(change[own].sum(0), fall, out=np.full(fall.shape, np.nan), where=large)
                yield Key("backfill rate", bloc, group, "share of the fall in US sales"), share

    def _compute(self, worlds: Worlds, reference: Worlds) -> Iterator[tuple[Key, Array]]:
        """Compute acquired by bloc and route; denial and leakage of the adversary by channel."""
        structure = self.economy.structure
        if not structure.leaves:
            return
        users = np.array([leaf.user for leaf in structure.leaves], int)
        after, before = (H100E_PER_UNIT * np.asarray(one.seen.leaf) for one in (worlds, reference))
        product = "accelerators"
        for bloc, own in self._members.items():
            mine = np.isin(users, own)
            yield Key("compute acquired", bloc, product, H100E), self._summed(after[..., mine].sum(-1))
            for route in dict.fromkeys(r for r, there in zip(self._routes, mine, strict=True) if there):
                at = [n for n, r in enumerate(self._routes) if mine[n] and r == route]
                yield Key(f"compute acquired, {route}", bloc, product, H100E), self._summed(after[..., at].sum(-1))
        if "adversary" not in self._members:
            return
        mine = np.isin(users, self._members["adversary"])
        gone = self._summed((before - after)[..., mine].sum(-1))
        whole = np.broadcast_to(self._summed(before[..., mine].sum(-1)), gone.shape)
        yield Key("compute denied", "adversary", product, H100E), gone
        share = np.divide(gone, whole, out=np.full(gone.shape, np.nan), where=whole > 0)
        yield Key("compute denied, share", "adversary", product, SHARE), share
        moved = after - before
        listed = self._listed(worlds.controlled)
        outside = np.array([route != OWN for route in self._routes])
        parts = {channel: np.zeros(moved.shape[:2]) for channel in (CONTROLLED, *CHANNELS)}
        for n in np.flatnonzero(mine):
            shut = listed[:, n, None] & outside[n]
            parts[CONTROLLED] += np.where(shut, moved[..., n], 0.0)
            parts[_CHANNEL.get(self._routes[n], "other tier")] += np.where(shut, 0.0, moved[..., n])
        yield Key("gross denial, controlled routes", "adversary", product, H100E), self._summed(-parts[CONTROLLED])
        for channel in CHANNELS:
            name = "change in own output" if channel == DOMESTIC else f"leakage, {channel}"
            yield Key(name, "adversary", product, H100E), self._summed(parts[channel])

    def _listed(self, controlled: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Whether each leaf is a controlled route, ``[world, leaf]``."""
        structure = self.economy.structure
        positions = structure.vocabulary.products
        found = np.zeros((len(controlled), len(structure.leaves)), bool)
        for n, leaf in enumerate(structure.leaves):
            product, region = structure.makers[leaf.maker]
            if leaf.channel not in (DIVERSION, CLOUD):
                found[:, n] = controlled[:, positions.index(product), structure.region(region), leaf.site]
        return found

    def _welfare(self, worlds: Worlds, reference: Worlds) -> Iterator[tuple[Key, Array]]:
        """Equivalent variation by region, bloc and for the world; present values where a path is solved."""
        real = [np.asarray(one.seen.absorption) / np.asarray(one.seen.index) for one in (worlds, reference)]
        yearly = np.asarray(reference.seen.index) * (real[0] - real[1])
        places = self._places
        for where, own in places.items():
            change = yearly[..., own].sum(-1)
            yield Key("equivalent variation", where, WHOLE, MUSD), self._yearly(change)
        if worlds.terminal is None or reference.terminal is None:
            return
        weight = float(self.economy.capacity.discount) ** np.arange(self.periods)
        present = np.einsum("wpr,p->wr", yearly, weight) + worlds.terminal - reference.terminal
        base = np.einsum("wpr,p->wr", np.asarray(reference.seen.absorption), weight)
        for where, own in places.items():
            value = present[:, own].sum(-1)
            yield Key("welfare, present value", where, WHOLE, MUSD), self._all(value)
            yield Key("welfare, share of absorption", where, WHOLE, SHARE), self._all(value / base[:, own].sum(-1))

    @cached_property
    def _places(self) -> dict[str, np.ndarray]:
        """Positions of every region, bloc and the world."""
        regions = self.economy.structure.regions
        own = {region: np.array([n]) for n, region in enumerate(regions)}
        return {**own, **self._members, WORLD: np.arange(len(regions))}

    def _all(self, value: Array) -> Array:
        """A number for all periods together."""
        if self.periods == 1:
            return value[:, None]
        return np.concatenate([np.full((len(value), self.periods), np.nan), value[:, None]], axis=1)

    def _money(
        self, worlds: Worlds, reference: Worlds, now: dict[str, Array], then: dict[str, Array]
    ) -> Iterator[tuple[Key, Array]]:
        """Rents, public revenue and outlays by bloc, and sales to all buyers lost."""
        after, before = now[WHOLE].sum(-1), then[WHOLE].sum(-1)
        kinds = {
            "rents lost": (RENTS, -1.0),
            "change in fiscal revenue": (REVENUE, 1.0),
            "change in public outlay": (("outlay",), 1.0),
        }
        for bloc, own in self._members.items():
            yield Key("revenue lost", bloc, WHOLE, MUSD), self._summed((before - after)[..., own].sum(-1))
            for name, (items, sign) in kinds.items():
                rows = [Income._fields.index(item) for item in items]
                levels = [
                    np.asarray(one.seen.income)[:, :, rows][..., own].sum((-1, -2)) for one in (worlds, reference)
                ]
                yield Key(name, bloc, WHOLE, MUSD), self._summed(sign * (levels[0] - levels[1]))

    def _capacity(self, worlds: Worlds, reference: Worlds) -> Iterator[tuple[Key, Array]]:
        """Planned capacity and its change, by bloc and product, where suppliers answer."""
        if worlds.capacity is None or reference.capacity is None:
            return
        structure = self.economy.structure
        for bloc, own in self._members.items():
            for product in dict.fromkeys(product for product, _ in structure.nodes):
                at = [n for n, (p, r) in enumerate(structure.nodes) if p == product and structure.region(r) in own]
                if at:
                    level, base = (one.capacity[..., at].sum(-1) for one in (worlds, reference))  # type: ignore[index]
                    yield Key("capacity", bloc, product, MUSD), self._yearly(level)
                    yield Key("change in capacity", bloc, product, MUSD), self._yearly(level - base)
