"""Buying ahead: what is stockpiled between the announcement of a measure and its effect (section 7).

Who will need a good in period ``s`` may buy it in an earlier period ``t``, once the measure is known. A unit kept so long
costs, in values of ``s``,

    c_ts = P_t / (beta (1 - omega))^(s-t),

``omega`` the share of a stock lost in a period. What is in store does not always fit what is needed: where it is to meet the
share ``X`` of a need ``D`` it takes the place of ``D f(X)`` units bought then, ``f(X) = X - kappa X^2 / 2``. So orders are
placed until the unit that fits worst only just pays,

    x_ts = w_t a_ts max(0, 1 - kappa X_0 - c_ts / P_s) / kappa,      X = X_0 + sum_t x_ts,

with ``a_ts`` a logit over the periods ``t`` on ``c_ts / P_s``, ``w_t`` the share of period ``t`` in which the measure is known
and the route still open, and ``X_0`` what was bought before the last news. Nothing is stored where prices do not rise by more
than a stock costs; with ``kappa >= 1`` a stock never meets all of a need. Purchases are demand in ``t`` and relief in ``s``, in
the markets and in the incomes of who buys.

Builders keep tools, and pay what the mixture of stored and new ones costs them. Other goods are kept in the region that uses
them and are worth there what a new unit costs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from backfill.economy.economy import Economy
from backfill.policy.wedges import Wedges
from backfill.supply.nodes import Array
from backfill.supply.orders import COMPUTE, Flows, Orders, Purchases, Seen, Stock

HASTE = 20.0
"""Logit of the period in which orders are placed, per unit of relative cost: a tenth dearer, a seventh as many."""
SERVICES = ("eda_ip", "packaging")
"""Products of the stack that cannot be stored."""
NUDGE = 1e-6


class Stockholders:
    """Who may buy ahead in a world, and what they order at given prices.

    Attributes:
        kits: (capacity, tool) of builders, as positions.
        links: kit, period, class, later period and class of need wherever somebody could order, as positions.
        members: share of the last class that is of the first one, by link.
        open: those of the links by which orders can be placed.
        goods: (product or `COMPUTE`, region) of other stocks.
        buying: how many of either, the first ones, still order; the others only use what they hold.
    """

    def __init__(
        self,
        economy: Economy,
        wedges: Wedges,
        access: Array,
        share: Array,
        first: int = 0,
        plans: bool = True,
        before: tuple[Stockholders, Orders, Array] | None = None,
    ) -> None:
        """Find those for whom a measure tightens after a period that is planned, or who hold stocks from earlier ones.

        Args:
            economy: the calibrated economy.
            wedges: the policy.
            access: ``[period, tool, class, origin, destination]`` whether a class of buyers can buy.
            share: ``[period, class, node]`` share of builders in each class.
            first: first period that is planned.
            plans: whether anybody looks ahead.
            before: stockholders of the world whose first periods this one shares, their orders and its additions
                ``[node, class, period]``.
        """
        shape, capacity = economy.structure, economy.capacity
        self.shape, self.first, self.periods = shape, first, len(economy.periods)
        self.classes = share.shape[1]
        self.loss, self.mismatch = float(capacity.stock_loss), float(capacity.stock_mismatch)
        self.need = np.asarray(capacity.tool_need)
        self.products = np.array([shape.position(product) for product, _ in shape.nodes], int)
        self.kits: list[tuple[int, int]] = []
        self.goods: list[tuple[str, int]] = []
        if plans:
            self._find(_tightening(economy, wedges, first))
        self.buying = len(self.kits), len(self.goods)
        if before:
            self.kits += [kit for kit in before[0].kits if kit not in self.kits]
            self.goods += [good for good in before[0].goods if good not in self.goods]
        t = np.arange(self.periods)
        self.later = (t[:, None] < t) & (t[:, None] >= first)
        gap = np.where(self.later, t - t[:, None], 0)
        self.growth, self.left = (float(capacity.discount) * (1 - self.loss)) ** -gap, (1.0 - self.loss) ** gap
        self.foreseen = wedges.foreseen
        stored = [(shape.position(p), j) for p, j in self.goods if p != COMPUTE]
        stored += [(k, shape.region(shape.nodes[g][1])) for g, k in self.kits]
        self.pairs = list(dict.fromkeys(stored))
        self.places = np.array([shape.region(region) for _, region in shape.nodes], int)
        self.sites = np.array([shape.region(shape.nodes[g][1]) for g, _ in self.kits], int)
        members, self.window = self._builders(access, share)
        self.links = np.nonzero(members)
        self.members = members[self.links]
        self.open = np.nonzero(self.window)
        self.held_kits = np.zeros((len(self.kits), self.periods))
        self.held_goods = np.zeros((len(self.goods), self.periods))
        self.past: Purchases | None = None
        self.earlier: dict[tuple[str, int], Array] = {}
        if before:
            self._inherit(*before)

    def __bool__(self) -> bool:
        return bool(self.kits or self.goods)

    def _find(self, tightening: dict[str, np.ndarray]) -> None:
        shape = self.shape
        for g, (_, region) in enumerate(shape.nodes):
            mine = [k for k in shape.tools if self.need[g, k] > 0 and tightening[shape.products[k]][shape.region(region)]]
            self.kits += [(g, k) for k in mine]
        stored = [p for p in shape.products[shape.core :] if p not in SERVICES and shape.position(p) not in shape.tools]
        self.goods = [(p, int(j)) for p in (*stored, COMPUTE) for j in np.flatnonzero(tightening[p])]

    def _builders(self, access: Array, share: Array) -> tuple[Array, Array]:
        """Share of the last class that was of the first one in ``t``, and of the time there in which it could order.

        Classes are nested by exposure, so that the same builders are most exposed in every period. Both are
        ``[kit, t, class, s, class]``.
        """
        members = np.zeros((len(self.kits), self.periods, self.classes, self.periods, self.classes))
        window = np.zeros(members.shape)
        known = self.foreseen[:, None, None, None]
        for n, (g, _) in enumerate(self.kits):
            own = share[:, :, g]
            sources = access[..., self.sites[n]].sum((1, 3))
            order = np.argsort(-sources, axis=1, kind="stable")
            top = np.zeros(own.shape)
            np.put_along_axis(top, order, np.cumsum(np.take_along_axis(own, order, 1), axis=1), 1)
            bottom = top - own
            common = np.minimum(top[:, :, None, None], top) - np.maximum(bottom[:, :, None, None], bottom)
            common = np.maximum(common, 0.0) / np.where(own > 0, own, 1.0) * self.later[:, None, :, None]
            members[n] = np.where(own > 0, common, 0.0)
            open_ = sources[:, :, None, None] > sources
            opened = (members[n] * open_).sum(1, keepdims=True)
            if n >= self.buying[0]:
                continue
            window[n] = np.clip((known + opened - 1) / np.where(opened > 0, opened, 1.0), 0.0, 1.0) * open_
        return members, window

    def none(self) -> Orders:
        """No orders."""
        goods = (len(self.goods), self.periods)
        return Orders(np.zeros(self.window.shape), np.zeros((*goods, self.periods)), np.zeros(goods))

    def _inherit(self, other: Stockholders, orders: Orders, additions: Array) -> None:
        """Take over what another world, whose first periods this one shares, bought in them."""
        past = np.arange(self.periods) < self.first
        kits = np.einsum("ntcsd,nds->ns", orders.kits[:, past], other._needs(additions)) + other.held_kits
        goods = orders.goods[:, past].sum(1) + other.held_goods
        for n, kit in enumerate(other.kits):
            self.held_kits[self.kits.index(kit)] = np.where(past, 0.0, kits[n])
        for n, good in enumerate(other.goods):
            self.held_goods[self.goods.index(good)] = np.where(past, 0.0, goods[n])
        self.past = other.purchases(orders, additions)
        bought = other._bought(orders, additions)
        self.earlier = {key: np.where(past[:, None], table, 0.0) for key, table in bought.items()}

    def _needs(self, additions: Array) -> Array:
        """Tools needed, ``[kit, class, period]``."""
        rows, tools = np.array(self.kits, int).reshape(-1, 2).T
        return self.need[rows, tools][:, None, None] * additions[rows]

    def _fit(self, share: Array) -> Array:
        """``f(X)``, what a stock that meets the share ``X`` takes the place of."""
        return share - self.mismatch / 2 * share**2

    def _held(self, units: Array, need: Array) -> Array:
        """Share of a need met by units held since before the last news; what is more than all can use is lost."""
        share = np.divide(units, need, out=np.zeros(np.broadcast(units, need).shape), where=need > 0)
        return np.minimum(share, 1 / self.mismatch)

    def reach(self, flows: Flows) -> tuple[Array, Array]:
        """``drawn`` and ``priced`` of `Seen`: capacities of the product itself and of its direct inputs."""
        periods = len(flows.mean)
        drawn, priced = (np.zeros((periods, len(self.products), len(self.pairs))) for _ in range(2))
        spent = flows.value.sum(2)
        safe = np.where(spent > 0, spent, 1.0)
        units = flows.quantity * (flows.mean / safe)[:, :, None]
        shares = flows.value / safe[:, :, None] / flows.mill[..., None]
        for n, (k, j) in enumerate(self.pairs):
            inputs = flows.coefficient[:, self.products, k]
            drawn[..., n] = (inputs * units[:, k, None, :, j] * units[:, self.products, self.places]).sum(2)
            dearer = inputs * shares[:, k, None, :, j] * flows.mean[:, self.products]
            priced[..., n] = (dearer * shares[:, self.products, self.places]).sum(2)
            own = self.products == k
            drawn[:, own, n] += units[:, k][:, self.places[own], j]
            priced[:, own, n] += shares[:, k][:, self.places[own], j]
        return drawn, priced

    def at_rents(self, seen: Seen, change: Array) -> Seen:
        """What stockholders would see if rents changed by ``change[node, period]``, to first order, through their own goods."""
        factor = np.ones(seen.mean.shape)
        moved = 1 + np.maximum(np.einsum("thn,ht->tn", seen.priced, change), -0.5)
        for n, (k, j) in enumerate(self.pairs):
            factor[:, k, j] = moved[:, n]
        return replace(seen, mean=seen.mean * factor, by_class=seen.by_class * factor[:, :, None])

    def slopes(self, seen: Seen, orders: Orders, additions: Array) -> Array | None:
        """How orders move the use of capacities as rents change, ``[node, period, node, period]``, see `at_rents`.

        None where nothing is ordered.

        Args:
            seen: what stockholders see.
            orders: their answer to it.
            additions: ``[node, class, period]``.
        """
        moving = orders.kits.sum((0, 2, 4)) + orders.goods.sum(0)
        dates = np.flatnonzero(moving.sum(0) + moving.sum(1))
        if not len(dates):
            return None
        found = np.zeros((len(self.products), self.periods, len(self.products), self.periods))
        before = self._asked(self.purchases(orders, additions))
        for s in dates:
            factor = np.where(np.arange(self.periods) == s, 1 + NUDGE, 1.0)[:, None, None]
            nudged = replace(seen, mean=seen.mean * factor, by_class=seen.by_class * factor[..., None])
            change = (self._asked(self.purchases(self.answer(nudged, additions)[0], additions)) - before) / NUDGE
            found[:, :, :, s] = np.einsum("tgn,hn->gth", seen.drawn * change[:, None], seen.priced[s])
        return found

    def use(self, purchases: Purchases, seen: Seen) -> Array:
        """Use of capacities for what stocks ask of the markets, ``[node, period]``."""
        return np.einsum("tgn,tn->gt", seen.drawn, self._asked(purchases))

    def _asked(self, purchases: Purchases) -> Array:
        """Units asked of the markets by pair, ``[period, pair]``."""
        asked = purchases.goods + purchases.tools.sum(2)
        return np.stack([asked[:, k, j] for k, j in self.pairs], axis=1) if self.pairs else np.zeros((self.periods, 0))

    def answer(self, seen: Seen, additions: Array) -> tuple[Orders, Array]:
        """Orders at the markets' prices, and what they save builders per unit of capacity added, ``[node, class, period]``."""
        kits, saving = self._kits(seen, self._needs(additions))
        goods, relief = self._goods(seen)
        return Orders(kits, goods, relief), saving

    def _shares(self, ratio: Array, held: Array, weight: Array, window: Array, total: Callable[[Array], Array]) -> Array:
        """``x``: by cost relative to the price then; ``total`` adds up the dates and classes of buyers."""
        pays = np.maximum(1 - self.mismatch * held - ratio, 0.0) / self.mismatch
        pull = weight * np.exp(-HASTE * np.minimum(ratio, 2.0))
        every = total(pull)
        return window * pull / np.where(every > 0, every, 1.0) * pays

    def _kits(self, seen: Seen, need: Array) -> tuple[Array, Array]:
        saving, orders = np.zeros((len(self.need), self.classes, self.periods)), np.zeros(self.window.shape)
        if not self.kits:
            return orders, saving
        tools = np.array([k for _, k in self.kits], int)
        price = seen.by_class[:, tools, :, self.sites]
        n, t, c, s, d = self.links
        ratio = price[n, t, c] * self.growth[t, s] / price[n, s, d]
        held = self._held(self.held_kits, need.sum(1))
        window, target = self.window[self.links], self._target(self.links)
        share = self._shares(ratio, held[n, s], self.members, window, lambda x: self._by_target(target, x).ravel()[target])
        orders[self.links] = share
        total, before = self._by_target(target, share), held[..., None]
        saved = self._fit(total + before) - self._fit(before) - self._by_target(target, share * ratio)
        for n, (g, k) in enumerate(self.kits):
            saving[g] += self.need[g, k] * (saved[n] * price[n]).T
        return orders, saving

    def _target(self, links: tuple[np.ndarray, ...]) -> np.ndarray:
        """Place of each link's kit, period and class of need among all, flat ``[kit, s, class]``."""
        kit, _, _, later, group = links
        return (kit * self.periods + later) * self.classes + group

    def _by_target(self, target: np.ndarray, amount: Array) -> Array:
        """Amounts added up by what they are for, ``[kit, s, class]``."""
        size = (len(self.kits), self.periods, self.classes)
        return np.bincount(target, amount, minlength=int(np.prod(size))).reshape(size)

    def _goods(self, seen: Seen) -> tuple[Array, Array]:
        none = self.none()
        if not self.goods:
            return none.goods, none.relief
        price, used = (np.stack(rows) for rows in zip(*(self._of(seen, *good) for good in self.goods), strict=True))
        ratio = price[:, :, None] * self.growth / price[:, None]
        held = self._held(self.held_goods, used)
        weight = np.broadcast_to(self.later.astype(float), ratio.shape)
        window = self.foreseen[:, None] * (np.arange(len(self.goods)) < self.buying[1])[:, None, None]
        share = self._shares(ratio, held[:, None], weight, window, lambda x: x.sum(1, keepdims=True))
        return share * used[:, None], used * self._fit(share.sum(1) + held)

    def _of(self, seen: Seen, product: str, region: int) -> tuple[Array, Array]:
        if product == COMPUTE:
            return seen.compute_price[:, region], seen.compute[:, region]
        position = self.shape.position(product)
        return seen.mean[:, position, region], seen.used[:, position, region]

    def apart(self, orders: Orders, answer: Orders, seen: Seen) -> float:
        """How far orders are from what prices ask for, as a share of the need."""
        kits = np.abs(orders.kits[self.open] - answer.kits[self.open])
        gap = float(self._by_target(self._target(self.open), kits).max(initial=0.0))
        for n, good in enumerate(self.goods):
            size = np.maximum(self._of(seen, *good)[1], 1e-300)
            apart = np.abs(orders.goods[n] - answer.goods[n]).sum(0), np.abs(orders.relief[n] - answer.relief[n])
            gap = max(gap, *(float((part / size)[self.first :].max(initial=0.0)) for part in apart))
        return gap

    def purchases(self, orders: Orders, additions: Array) -> Purchases:
        """What orders add to demand, and relief takes from it."""
        shape, regions = self.shape, len(self.shape.regions)
        tools = np.zeros((self.periods, len(shape.products), self.classes, regions))
        goods = np.zeros((self.periods, len(shape.products), regions))
        compute = np.zeros((self.periods, regions))
        need = self._needs(additions)
        held = self._held(self.held_kits, need.sum(1))[:, None]
        if self.kits:
            share, (n, t, c, s, d) = orders.kits[self.open], self.open
            bought = [k for _, k in self.kits]
            np.add.at(tools, (t, np.array(bought)[n], c, self.sites[n]), share * need[n, d, s] / self.left[t, s])
            met = self._fit(self._by_target(self._target(self.open), share).swapaxes(1, 2) + held) * need
            for kit, k in enumerate(bought):
                tools[:, k, :, self.sites[kit]] -= met[kit].T
        for n, (product, region) in enumerate(self.goods):
            into = compute[:, region] if product == COMPUTE else goods[:, shape.position(product), region]
            into += (orders.goods[n] / self.left).sum(1) - orders.relief[n]
        found = Purchases(tools, goods, compute)
        return found if self.past is None else _after(self.past, found, self.first)

    def _bought(self, orders: Orders, additions: Array) -> dict[tuple[str, int], Array]:
        """Units bought in ``t`` that are left in ``s``, ``[t, s]``, by product and region; tools of all a region's builders."""
        need, found = self._needs(additions), {key: table.copy() for key, table in self.earlier.items()}
        nothing = np.zeros((self.periods, self.periods))
        for n, (_, k) in enumerate(self.kits):
            key = self.shape.products[k], int(self.sites[n])
            found[key] = found.get(key, nothing) + np.einsum("tcsd,ds->ts", orders.kits[n], need[n])
        for n, key in enumerate(self.goods):
            found[key] = found.get(key, nothing) + orders.goods[n]
        return found

    def stocks(self, orders: Orders, additions: Array) -> list[Stock]:
        """Every stock that somebody has reason to hold, by product and region."""
        t = np.arange(self.periods)
        kept = np.triu((1.0 - self.loss) ** np.maximum(t - t[:, None], 0))
        found = []
        for (product, region), units in self._bought(orders, additions).items():
            at_purchase = units / np.where(kept > 0, kept, 1.0)
            held = np.array([(at_purchase * kept[:, now, None])[: now + 1, now + 1 :].sum() for now in t])
            found.append(Stock(product, region, at_purchase.sum(1), units.sum(0), held))
        return found


def _after(past: Purchases, later: Purchases, first: int) -> Purchases:
    """One's purchases before a period, the other's from it on."""
    pairs = ((past.tools, later.tools), (past.goods, later.goods), (past.compute, later.compute))
    return Purchases(*(np.concatenate([mine[:first], its[first:]]) for mine, its in pairs))


def _tightening(economy: Economy, wedges: Wedges, first: int) -> dict[str, np.ndarray]:
    """By product, and for `COMPUTE`, the regions for which a measure tightens in a period after another from ``first`` on."""
    shape = economy.structure
    vocabulary, regions = shape.vocabulary, shape.regions

    def rises(values: np.ndarray) -> np.ndarray:
        return np.asarray((np.diff(values[first:], axis=0) > 0).any(0))

    closing = np.maximum(wedges.coverage, wedges.advanced)
    found = np.zeros((len(vocabulary.products), len(regions), len(regions)), bool)
    for wedge in (closing, wedges.tariff, wedges.levy, wedges.real_cost):
        found |= rises(wedge)
    for limit in wedges.limits:
        if rises(np.isfinite(limit.quantity).astype(float)):
            for product, origin, destination, _ in limit.entries:
                found[vocabulary.products.index(product), regions.index(origin), regions.index(destination)] = True
    found &= ~np.eye(len(regions), dtype=bool)
    into = np.asarray(found.any(1))
    by_product = {product: into[vocabulary.products.index(product)] for product in shape.products}
    lines = sorted({vocabulary.products.index(product) for product, _ in shape.makers})
    users = np.isin(np.arange(len(regions)), [leaf.user for leaf in shape.leaves])
    by_product[COMPUTE] = users & (into[lines].any(0) | rises(wedges.remote).any(0))
    return by_product
