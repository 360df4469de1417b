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
import polars as pl

from backfill.dimensions import Vocabulary
from backfill.economy.economy import CLOUD, DIVERSION, Economy, Leaf, Structure
from backfill.effects.comparison import ROUTE, WHOLE, WORLD
from backfill.effects.kinds import DEFAULT_CREDIBILITY, KINDS, POLICY, Kind
from backfill.effects.welfare import EARNED, RENTS, REVENUE
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
        controlled: ``[leaf]`` direct routes of accelerators that are under control.
        security: worth of denying adversaries all compute, share of GDP.
        credibility: belief that threats are carried out.
    """

    economy: Economy
    regions: np.ndarray
    partners: np.ndarray
    products: np.ndarray
    makers: np.ndarray
    nodes: np.ndarray
    periods: np.ndarray
    controlled: np.ndarray
    security: float = 0.0
    credibility: float = DEFAULT_CREDIBILITY

    @property
    def structure(self) -> Structure:
        return self.economy.structure

    @property
    def discount(self) -> np.ndarray:
        """``beta**t`` of the periods that count."""
        return float(self.economy.capacity.discount) ** self.periods


def _users(place: Place) -> np.ndarray:
    return np.isin([leaf.user for leaf in place.structure.leaves], place.regions)


def _on(world: Levels, place: Place, leaves: np.ndarray) -> Any:
    return H100E_PER_UNIT * world.observed.leaf[place.periods][:, leaves & _users(place)].sum()


def _acquired(world: Levels, _: Levels, place: Place) -> Any:
    return _on(world, place, _users(place))


def _denied(world: Levels, reference: Levels, place: Place) -> Any:
    return _acquired(reference, reference, place) - _acquired(world, reference, place)


def _home_made(place: Place) -> np.ndarray:
    """``[leaf]`` own output of the user's bloc: neither diverted nor rented elsewhere."""
    names, structure = place.structure.vocabulary, place.structure

    def at_home(leaf: Leaf) -> bool:
        user, site = (names.bloc[structure.regions[at]] for at in (leaf.user, leaf.site))
        away = leaf.channel == DIVERSION or (leaf.channel == CLOUD and site != user)
        return not away and names.bloc[structure.makers[leaf.maker][1]] == user

    return np.array([at_home(leaf) for leaf in structure.leaves], bool)


def _gross(world: Levels, reference: Levels, place: Place, downstream: Levels) -> Any:
    """``sum_controlled (A0 - AP) + A_home(P_d) - A_home(P)``."""
    home = _home_made(place)
    walls = place.controlled & ~home
    direct = _on(reference, place, walls) - _on(world, place, walls)
    return direct + _on(downstream, place, home) - _on(world, place, home)


def _leakage(world: Levels, reference: Levels, place: Place, downstream: Levels) -> Any:
    return _gross(world, reference, place, downstream) - _denied(world, reference, place)


def _leakage_rate(world: Levels, reference: Levels, place: Place, downstream: Levels) -> Any:
    return 1.0 - _denied(world, reference, place) / _gross(world, reference, place, downstream)


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
        if (
            leaf.maker in place.makers
            and home in place.regions
            and leaf.site in partners
            and (home != leaf.site or not abroad)
        ):
            total = total + (seen.shipped[place.periods, n] * seen.maker_mill[place.periods, leaf.maker]).sum()
    return total


def _revenue_lost(world: Levels, reference: Levels, place: Place) -> Any:
    everywhere = np.arange(len(place.structure.regions))
    return _sold(reference, place, everywhere, False) - _sold(world, place, everywhere, False)


def _exports_lost(world: Levels, reference: Levels, place: Place) -> Any:
    return _sold(reference, place, place.partners, True) - _sold(world, place, place.partners, True)


def _sales(world: Levels, reference: Levels, place: Place, sellers: np.ndarray) -> Any:
    """Sales to the destinations at the reference's mill prices, diverted ones left out."""
    volume, structure = world.observed.quantity[place.periods], place.structure
    goods = volume[:, place.products][:, :, sellers][..., place.partners]
    total = (goods * reference.observed.mill[place.periods][:, place.products][:, :, sellers, None]).sum()
    for n, leaf in enumerate(structure.leaves):
        home = structure.region(structure.makers[leaf.maker][1])
        if leaf.maker in place.makers and home in sellers and leaf.site in place.partners and leaf.channel != DIVERSION:
            price = reference.observed.maker_mill[place.periods, leaf.maker]
            total = total + (world.observed.shipped[place.periods, n] * price).sum()
    return total


def _backfill_rate(world: Levels, reference: Levels, place: Place) -> Any:
    us = _positions(place.structure.vocabulary, place.structure, ("us",))
    others = np.setdiff1d(place.regions, us)
    gained, lost = (
        sign * (_sales(world, reference, place, sellers) - _sales(reference, reference, place, sellers))
        for sign, sellers in ((1.0, others), (-1.0, us))
    )
    return gained / lost


def _participation(
    world: Levels, reference: Levels, place: Place, peaceful: Levels, aside: Levels, aside_peaceful: Levels
) -> Any:
    """``(1-c) [EV(a, 0) - EV(a', 0)] + c [EV(a, t) - EV(a', t)] + w [CD(a) - CD(a')]/A0 GDP`` with ``a'`` not aligned."""
    weight = place.discount
    names, structure = place.structure.vocabulary, place.structure
    adversary = np.isin([leaf.user for leaf in structure.leaves], _positions(names, structure, ("adversary",)))

    def gain(one: Levels, other: Levels) -> Any:
        flow = (_variation(one, reference, place) - _variation(other, reference, place)).sum(1) @ weight
        return flow + _terminal(one, place) - _terminal(other, place)

    def bought(one: Levels) -> Any:
        return one.observed.leaf[place.periods][:, adversary].sum(1) @ weight

    rows = np.array([Income._fields.index(name) for name in EARNED])
    product = weight @ reference.observed.income[np.ix_(place.periods, rows, place.regions)].sum((1, 2))
    worth = place.security * product * (bought(aside_peaceful) - bought(peaceful)) / bought(reference)
    return (1 - place.credibility) * gain(peaceful, aside_peaceful) + place.credibility * gain(world, aside) + worth


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


COMPUTED: Mapping[str, Callable[..., Any]] = {
    "compute denied": _denied,
    "compute acquired": _acquired,
    "gross denial": _gross,
    "leakage": _leakage,
    "leakage rate": _leakage_rate,
    "backfill rate": _backfill_rate,
    "welfare cost": _cost,
    "welfare cost, share": _cost_share,
    "revenue lost": _revenue_lost,
    "exports lost": _exports_lost,
    "rents lost": _rents_lost,
    "fiscal revenue": _fiscal,
    "public outlay": _outlay,
    "capacity": _capacity,
    "participation": _participation,
}
"""How each kind of `backfill.effects.kinds.KINDS` is found from policy, reference, place and further worlds."""


@dataclass(frozen=True)
class Effect:
    """An effect at a place.

    Attributes:
        kind, place: which, and where.
        beside: names of the worlds it needs besides policy and reference.
    """

    kind: Kind
    place: Place
    beside: tuple[str, ...] = ()

    def value(self, worlds: Mapping[str, Levels], reference: Levels) -> float:
        """The effect of a policy beside its reference.

        Args:
            worlds: levels by name: the policy's (`POLICY`) and those of `beside`.
            reference: levels of the reference.
        """
        return float(self._of(worlds, reference))

    def slope(self, worlds: Mapping[str, Levels], reference: Levels, change: Mapping[str, Levels]) -> float:
        """Its derivative along a change of the worlds' levels, the reference's staying."""
        names = (POLICY, *self.beside)
        stepped = {name: jax.tree.map(lambda x, dx: x + 1j * TINY * dx, worlds[name], change[name]) for name in names}
        return float(np.imag(self._of(stepped, reference)) / TINY)

    def _of(self, worlds: Mapping[str, Levels], reference: Levels) -> Any:
        others = [worlds[name] for name in self.beside]
        return COMPUTED[self.kind.name](worlds[POLICY], reference, self.place, *others)


def effect(
    kind: str,
    economy: Economy,
    *,
    region: str | None = None,
    destinations: Sequence[str] = (),
    products: Sequence[str] = (),
    period: str = WHOLE,
    security: float = 0.0,
    credibility: float = DEFAULT_CREDIBILITY,
    controlled: pl.DataFrame | None = None,
    since: int = 0,
) -> Effect:
    """An effect by the names of files.

    Args:
        kind: a key of `backfill.effects.kinds.KINDS`.
        economy: of the worlds.
        region: region, bloc, or ``"world"``; the kind's own if None.
        destinations, products: names of regions and products; the kind's own and all if empty.
        period: label of a reported period, or ``"all"``.
        security: worth of denying adversaries all compute, share of GDP.
        credibility: belief that threats are carried out.
        controlled: routes under control (`backfill.effects.comparison.routes`); none if left out.
        since: first reported period that counts where it is not named.
    """
    names, structure = economy.structure.vocabulary, economy.structure
    found = KINDS[kind]
    codes = {code for name in products or ("all",) for code in names.expand_products(name)}
    regions = _positions(names, structure, (region or found.region,))
    labels = [one.label for one in economy.periods[: economy.reported]]
    place = Place(
        economy=economy,
        regions=regions,
        partners=_positions(names, structure, destinations or (found.destinations,)),
        products=np.array([n for n, product in enumerate(structure.products) if product in codes], int),
        makers=np.array([n for n, (product, _) in enumerate(structure.makers) if product in codes], int),
        nodes=np.array(
            [n for n, (p, r) in enumerate(structure.nodes) if p in codes and structure.region(r) in regions], int
        ),
        periods=np.arange(since, len(labels)) if period == WHOLE else np.array([labels.index(period)]),
        controlled=_controlled(structure, controlled),
        security=security,
        credibility=credibility,
    )
    return Effect(found, place, found.beside(region or found.region))


def _controlled(structure: Structure, controlled: pl.DataFrame | None) -> np.ndarray:
    """``[leaf]``: is it one of these routes?"""
    listed = set() if controlled is None else set(controlled.select(ROUTE).iter_rows())
    ways = [(*structure.makers[leaf.maker], structure.regions[leaf.site], leaf.channel) for leaf in structure.leaves]
    return np.array([way in listed for way in ways], bool)


def _positions(names: Vocabulary, structure: Structure, chosen: Sequence[str]) -> np.ndarray:
    codes = {code for name in chosen for code in (structure.regions if name == WORLD else names.expand_regions(name))}
    return np.array(sorted(structure.region(code) for code in codes), int)
