"""Effects as single numbers: smooth functions of a world's levels beside the reference's, with exact derivatives.

Each is what the tables of effects hold (economics, section 11), written with arrays. All are built of sums, products and
quotients, so that their derivative along a change ``dx`` of levels is the imaginary part of a complex step, ``Im f(x + i h dx)
/ h`` with ``h`` tiny: exact to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from backfill.dimensions import Vocabulary
from backfill.economy.economy import Economy, Structure
from backfill.effects.comparison import WHOLE, WORLD
from backfill.effects.kinds import KINDS, Kind
from backfill.effects.welfare import RENTS, REVENUE
from backfill.response import Levels
from backfill.trade.income import Income

H100E_PER_UNIT = 1000.0
"""Levels count accelerators in thousands."""
TINY = 1e-30


@dataclass(frozen=True)
class Place:
    """Where an effect is read.

    Attributes:
        structure, economy: of the worlds.
        regions: positions of the regions.
        partners: positions of the destinations of exports.
        products: positions of Armington products.
        makers: positions of accelerator lines among them.
        nodes: positions of planned capacities of these products there.
        periods: reported periods that count.
    """

    economy: Economy
    regions: np.ndarray
    partners: np.ndarray
    products: np.ndarray
    makers: np.ndarray
    nodes: np.ndarray
    periods: np.ndarray

    @property
    def structure(self) -> Structure:
        return self.economy.structure

    @property
    def discount(self) -> np.ndarray:
        """``beta**t`` of the periods that count."""
        return float(self.economy.capacity.discount) ** self.periods


def _users(place: Place) -> np.ndarray:
    return np.isin([leaf.user for leaf in place.structure.leaves], place.regions)


def _acquired(world: Levels, _: Levels, place: Place) -> Any:
    return H100E_PER_UNIT * world.observed.leaf[place.periods][:, _users(place)].sum()


def _denied(world: Levels, reference: Levels, place: Place) -> Any:
    return _acquired(reference, reference, place) - _acquired(world, reference, place)


def _real(world: Levels) -> Any:
    return world.observed.absorption / world.observed.index


def _variation(world: Levels, reference: Levels, place: Place) -> Any:
    """Equivalent variation, ``[period, region]``."""
    yearly = reference.observed.index * (_real(world) - _real(reference))
    return yearly[np.ix_(place.periods, place.regions)]


def _terminal(world: Levels, place: Place) -> Any:
    owners = np.array([place.structure.region(code) for code in place.structure.owners], int)
    return world.terminal[np.isin(owners, place.regions)].sum()


def _cost(world: Levels, reference: Levels, place: Place) -> Any:
    whole = len(place.periods) == place.economy.reported
    weight = place.discount if whole else np.ones(len(place.periods))
    flow = (_variation(world, reference, place) * weight[:, None]).sum()
    return -(flow + _terminal(world, place) - _terminal(reference, place)) if whole else -flow


def _cost_share(world: Levels, reference: Levels, place: Place) -> Any:
    weight = place.discount if len(place.periods) == place.economy.reported else np.ones(len(place.periods))
    base = (reference.observed.absorption[np.ix_(place.periods, place.regions)] * weight[:, None]).sum()
    return _cost(world, reference, place) / base


def _sold(world: Levels, place: Place, partners: np.ndarray, abroad: bool) -> Any:
    """FOB value net of levies that regions sell, million USD."""
    seen, structure = world.observed, place.structure
    goods = (seen.quantity * seen.mill[..., None])[place.periods][:, place.products][:, :, place.regions]
    apart = place.regions[:, None] != np.arange(len(structure.regions))
    counted = np.isin(np.arange(len(structure.regions)), partners) & (apart if abroad else True)
    total = (goods * counted).sum()
    for n, leaf in enumerate(structure.leaves):
        home = structure.region(structure.makers[leaf.maker][1])
        if leaf.maker in place.makers and home in place.regions and leaf.site in partners and (home != leaf.site or not abroad):
            total = total + (seen.shipped[place.periods, n] * seen.maker_mill[place.periods, leaf.maker]).sum()
    return total


def _revenue_lost(world: Levels, reference: Levels, place: Place) -> Any:
    everywhere = np.arange(len(place.structure.regions))
    return _sold(reference, place, everywhere, False) - _sold(world, place, everywhere, False)


def _exports_lost(world: Levels, reference: Levels, place: Place) -> Any:
    return _sold(reference, place, place.partners, True) - _sold(world, place, place.partners, True)


def _items(names: Sequence[str]) -> Callable[[Levels, Place], Any]:
    rows = np.array([Income._fields.index(name) for name in names])

    def summed(world: Levels, place: Place) -> Any:
        return world.observed.income[np.ix_(place.periods, rows, place.regions)].sum()

    return summed


def _rents_lost(world: Levels, reference: Levels, place: Place) -> Any:
    of = _items(RENTS)
    return of(reference, place) - of(world, place)


def _fiscal(world: Levels, reference: Levels, place: Place) -> Any:
    of = _items(REVENUE)
    return of(world, place) - of(reference, place)


def _outlay(world: Levels, reference: Levels, place: Place) -> Any:
    of = _items(("outlay",))
    return of(world, place) - of(reference, place)


def _capacity(world: Levels, _: Levels, place: Place) -> Any:
    return world.capacity[np.ix_(place.periods, place.nodes)].sum() / len(place.periods)


COMPUTED: Mapping[str, Callable[[Levels, Levels, Place], Any]] = {
    "compute denied": _denied,
    "compute acquired": _acquired,
    "welfare cost": _cost,
    "welfare cost, share": _cost_share,
    "revenue lost": _revenue_lost,
    "exports lost": _exports_lost,
    "rents lost": _rents_lost,
    "fiscal revenue": _fiscal,
    "public outlay": _outlay,
    "capacity": _capacity,
}
"""How each kind of `backfill.effects.kinds.KINDS` is found."""


@dataclass(frozen=True)
class Effect:
    """An effect at a place."""

    kind: Kind
    place: Place

    def value(self, world: Levels, reference: Levels) -> float:
        """The effect of a world beside its reference."""
        return float(COMPUTED[self.kind.name](world, reference, self.place))

    def slope(self, world: Levels, reference: Levels, change: Levels) -> float:
        """Its derivative along a change of the world's levels, the reference's staying."""
        stepped = jax.tree.map(lambda x, dx: x + 1j * TINY * dx, world, change)
        return float(np.imag(COMPUTED[self.kind.name](stepped, reference, self.place)) / TINY)


def effect(
    kind: str,
    economy: Economy,
    *,
    region: str | None = None,
    destinations: Sequence[str] = (),
    products: Sequence[str] = (),
    period: str = WHOLE,
) -> Effect:
    """An effect by the names of files.

    Args:
        kind: a key of `backfill.effects.kinds.KINDS`.
        economy: of the worlds.
        region: region, bloc, or ``"world"``; the kind's own if None.
        destinations, products: names of regions and products; all if empty.
        period: label of a reported period, or ``"all"``.
    """
    names, structure = economy.structure.vocabulary, economy.structure
    found = KINDS[kind]
    codes = {code for name in products or ("all",) for code in names.expand_products(name)}
    regions = _positions(names, structure, (region or found.region,))
    labels = [one.label for one in economy.periods[: economy.reported]]
    return Effect(
        found,
        Place(
            economy=economy,
            regions=regions,
            partners=_positions(names, structure, destinations or (WORLD,)),
            products=np.array([n for n, product in enumerate(structure.products) if product in codes], int),
            makers=np.array([n for n, (product, _) in enumerate(structure.makers) if product in codes], int),
            nodes=np.array(
                [n for n, (p, r) in enumerate(structure.nodes) if p in codes and structure.region(r) in regions], int
            ),
            periods=np.arange(len(labels)) if period == WHOLE else np.array([labels.index(period)]),
        ),
    )


def _positions(names: Vocabulary, structure: Structure, chosen: Sequence[str]) -> np.ndarray:
    codes = {code for name in chosen for code in (structure.regions if name == WORLD else names.expand_regions(name))}
    return np.array(sorted(structure.region(code) for code in codes), int)
