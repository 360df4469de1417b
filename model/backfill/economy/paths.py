"""From benchmark and yearly paths to the parameters of every period, before tastes are inverted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import jax
import numpy as np
import polars as pl

from backfill.dimensions import Period
from backfill.economy.calibrate import Benchmark, array
from backfill.economy.economy import (
    CLOUD,
    Accelerators,
    Diversion,
    Endowment,
    Parameters,
    Preferences,
    Production,
    Structure,
)
from backfill.economy.tables import BaselineTables

T = TypeVar("T")


class Priors(Mapping[str, float]):
    """Central values of the parameters, with a user's overrides; ``priors.by_region(name, regions)`` gives a vector."""

    def __init__(self, table: pl.DataFrame, overrides: Mapping[str, float] | None = None) -> None:
        self._rows: dict[tuple[str, str, str], dict[str, Any]] = {
            (row["parameter"], row["product"] or "", row["region"] or ""): row for row in table.iter_rows(named=True)
        }
        self._overrides = dict(overrides or {})

    def __getitem__(self, name: str) -> float:
        if name in self._overrides:
            return float(self._overrides[name])
        return float(self._rows[name, "", ""]["central"])

    def __iter__(self):
        return iter(sorted({name for name, _, _ in self._rows}))

    def __len__(self) -> int:
        return len({name for name, _, _ in self._rows})

    def by_region(self, name: str, regions: tuple[str, ...]) -> np.ndarray:
        """The parameter in each region: its own row, else the general one."""
        out = []
        for region in regions:
            row = self._rows.get((name, "", region)) or self._rows.get((name, "", ""))
            if row is None:
                raise KeyError(f"parameters.csv has no row for {name} in {region} and none for all regions")
            given = self._overrides.get(f"{name}/{region}", self._overrides.get(name))
            out.append(float(row["central"] if given is None else given))
        return np.array(out)

    def grades(self) -> dict[str, tuple[float, str, str]]:
        """Name (with product and region where given) to (value, grade, source)."""
        table = {}
        for (name, product, region), row in self._rows.items():
            label = "/".join(part for part in (name, product, region) if part)
            if label in self._overrides or name in self._overrides:
                value = self._overrides.get(label, self._overrides.get(name, 0.0))
                table[label] = (float(value), "assumed", "set in the experiment file")
            else:
                table[label] = (float(row["central"]), row["grade"], row["source"])
        return table


@dataclass(frozen=True)
class Paths:
    """Yearly figures laid over the model's periods; the last year holds afterwards.

    Attributes:
        labour: effective labour relative to the base year, ``[period, region]``.
        leaf: reference acquisitions, thousand H100e per period, ``[period, leaf]``.
        bill: composites per unit of each line, ``[period, product, maker]``.
        home_bill: goods per unit that the designer can only have made at home.
        maker_labour, maker_margin: per unit, ``[period, maker]``.
        compute_inputs: composites per unit of compute used, ``[period, product]``.
        utilisation: reference use over capacity, ``[period, node]``.
        rent_share: reference rent as a share of the mill price, ``[period, node]``.
        index: reference capacity relative to the first period's, not a number where it follows demand, ``[period, node]``.
    """

    labour: np.ndarray
    leaf: np.ndarray
    bill: np.ndarray
    home_bill: np.ndarray
    maker_labour: np.ndarray
    maker_margin: np.ndarray
    compute_inputs: np.ndarray
    utilisation: np.ndarray
    rent_share: np.ndarray
    index: np.ndarray


def read_paths(tables: BaselineTables, shape: Structure, periods: tuple[Period, ...]) -> Paths:
    """Lay the yearly tables over ``periods``: years as they are, half-years between mid-years, scaled to their length."""
    length = np.array([period.years for period in periods])
    middle = np.array([period.start.year + (period.start.month - 1) / 12 for period in periods]) + length / 2
    products = {name: n for n, name in enumerate(shape.products)}

    def yearly(table: pl.DataFrame, columns: dict[str, tuple[str, ...]], value: str, fill: float = 0.0) -> np.ndarray:
        if table.is_empty():
            return np.full((len(periods), *map(len, columns.values())), fill)
        known = tuple(sorted(table["year"].unique().to_list()))
        data = array(table, {"year": known, **columns}, value, fill=fill)
        place = np.clip(np.interp(middle, np.array(known) + 0.5, np.arange(len(known))), 0, len(known) - 1)
        before = np.floor(place).astype(int)
        weight = (place - before).reshape(-1, *[1] * (data.ndim - 1))
        return (1 - weight) * data[before] + weight * data[np.minimum(before + 1, len(known) - 1)]

    leaf = np.zeros((len(periods), len(shape.leaves)))
    use = tables.compute_use.with_columns(
        pl.concat_str("user", "product", "channel", "site", separator="|").alias("leaf")
    )
    names = tuple(
        "|".join([shape.regions[x.user], shape.makers[x.maker][0], x.channel, shape.regions[x.site]])
        for x in shape.leaves
    )
    leaf = yearly(use, {"leaf": names}, "kh100e") * length[:, None]
    bill, home_bill = np.zeros((2, len(periods), len(products), len(shape.makers)))
    maker_labour, maker_margin = np.zeros((2, len(periods), len(shape.makers)))
    items = tables.accelerator_bill
    for n, (product, origin) in enumerate(shape.makers):
        own = items.filter((pl.col("product") == product) & (pl.col("origin") == origin))
        home = pl.col("sourcing") == "home"
        table = yearly(own.filter(~home), {"item": (*shape.products, "labour", "margin")}, "kusd_per_h100e")
        bill[:, :, n], maker_labour[:, n], maker_margin[:, n] = table[:, :-2], table[:, -2], table[:, -1]
        if own.filter(home).height:
            home_bill[:, :, n] = yearly(own.filter(home), {"item": shape.products}, "kusd_per_h100e")
    pair = [f"{product}|{region}" for product, region in shape.nodes]
    node = pl.concat_str("product", "region", separator="|").alias("node")
    capacity = tables.capacity.with_columns(node)
    index = yearly(tables.capacity_paths.with_columns(node), {"node": tuple(pair)}, "index", fill=np.nan)
    return Paths(
        labour=yearly(tables.labour, {"region": shape.regions}, "index", fill=1.0),
        leaf=leaf,
        bill=bill,
        home_bill=home_bill,
        maker_labour=maker_labour,
        maker_margin=maker_margin,
        compute_inputs=yearly(tables.compute_other, {"item": shape.products}, "kusd_per_h100e"),
        utilisation=yearly(capacity, {"node": tuple(pair)}, "utilisation", fill=1.0),
        rent_share=yearly(capacity, {"node": tuple(pair)}, "rent_share"),
        index=index / index[0],
    )


def _stack(count: int, tree: T) -> T:
    return jax.tree.map(lambda leaf: np.broadcast_to(np.asarray(leaf, float), (count, *np.shape(leaf))).copy(), tree)


def base_parameters(
    base: Benchmark,
    shape: Structure,
    paths: Paths,
    priors: Priors,
    periods: tuple[Period, ...],
    *,
    inputs: np.ndarray,
    rent: np.ndarray,
    planned: np.ndarray,
    sited: np.ndarray,
    paid: np.ndarray,
    sigma: np.ndarray,
    elasticity: np.ndarray,
) -> Parameters:
    """Parameters of every period with Armington weights, technologies, final demand and deficits of the base year.

    Args:
        inputs: input shares of gross output, `calibrate.mature_tools`.
        rent: rent share of the mill price in the base year, ``[product, region]``.
        planned: tool composites bought by planned capacities in the base year, ``[product, region]``.
        sited: services bought for them, ``[region]``.
        paid: tools, services and public transfers by the region that pays them, ``[region]``.
        sigma: Armington elasticity by product.
        elasticity: input substitution of core products.

    Raises:
        ValueError: if value added or final use of the base year comes out negative.
    """
    output = base.output
    first = paths.leaf[0] / periods[0].years
    makers, users = _incidence(shape)
    made, used = first @ makers, first @ users
    origin = np.array([shape.region(region) for _, region in shape.makers])
    flow = _without_home_sourcing(base, paths.home_bill[0] * made, origin)
    purchases = (flow * (1 + base.tariff)).sum(1)
    cost = 1 - base.margin - rent
    labour = cost - inputs.sum(0)
    _must_be_positive(labour, base, "value added")
    power = (1 + base.tariff) ** (sigma - 1)[:, None, None]
    value = flow * (1 + base.tariff)
    share = np.divide(value, purchases[:, None, :], out=np.zeros_like(value), where=purchases[:, None, :] > 0)

    count, length = len(periods), np.array([p.years for p in periods])
    remote = np.array([leaf.channel == CLOUD for leaf in shape.leaves])
    mill = (paths.bill[0] + paths.home_bill[0]).sum(0) + paths.maker_labour[0] + paths.maker_margin[0]
    markup = first * remote * (makers @ mill) * priors["cloud_margin"]
    sites = np.array([leaf.site for leaf in shape.leaves])

    final = purchases - (inputs * output[None]).sum(1) - planned - paths.compute_inputs[0][:, None] * used
    np.subtract.at(final.T, origin, (paths.bill[0] * made).T)
    np.subtract.at(final[shape.position("services")], sites, markup)
    final[shape.position("services")] -= sited
    final = _final_use(final, purchases, base)

    compute = np.zeros(len(shape.regions))
    user = np.array([leaf.user for leaf in shape.leaves])
    np.add.at(compute, user, first * (makers @ mill) + markup)
    compute += paths.compute_inputs[0].sum() * used
    income = (output * (labour + base.margin)).sum(0) + (base.flow * base.tariff).sum((0, 1))
    for (product, region), owner in zip(shape.nodes, shape.owners, strict=True):
        k, i = shape.position(product), shape.region(region)
        income[shape.region(owner)] += rent[k, i] * output[k, i]
    np.add.at(income, origin, made * (paths.maker_labour[0] + paths.maker_margin[0]))
    wages = (output * labour).sum(0)
    np.add.at(wages, origin, made * paths.maker_labour[0])
    deficit = (final.sum(0) + compute + paid - income) / wages.sum()

    hubs = tuple(shape.regions[h] for h in shape.hubs)
    hub_weight = priors.by_region("hub_weight", hubs)
    latent = priors["diversion_weight"] * hub_weight / hub_weight.sum()
    tiers = _tier_sums(shape, paths.leaf)
    with np.errstate(divide="ignore"):
        weight = np.where(paths.leaf > 0, np.log(paths.leaf / np.maximum(tiers, 1e-300)), -np.inf)
    for n, leaf in enumerate(shape.leaves):
        if leaf.channel == "diversion":
            weight[:, n] = np.log(latent[shape.hubs.index(leaf.site)])
    zeros = np.zeros
    static = Production(
        labour=np.divide(labour, cost),
        inputs=inputs / cost,
        cost=cost,
        margin=base.margin,
        productivity=np.ones_like(cost),
        elasticity=elasticity,
    ), Preferences(
        weight=share * power,
        sigma=sigma,
        rivalry=zeros(sigma.shape + (len(shape.regions),)),
        tariff=base.tariff,
        final=final / final.sum(0),
        final_elasticity=np.asarray(priors["final_elasticity"]),
        compute_elasticity=np.asarray(priors["demand_elasticity_compute"]),
        compute_taste=zeros(len(shape.regions)),
        compute_inputs=zeros(len(shape.products)),
    )
    production, preferences = _stack(count, static)
    preferences = Preferences(**{**vars(preferences), "compute_inputs": paths.compute_inputs})
    diversion = _stack(
        count,
        Diversion(
            fixed_cost=np.asarray(priors["diversion_fixed_cost"]),
            slope=np.asarray(priors["diversion_slope"]),
            convexity=np.asarray(priors["diversion_convexity"]),
            scale=priors.by_region("diversion_scale", hubs),
            seizure=priors.by_region("seizure_probability", hubs),
            budget_elasticity=np.asarray(priors["seizure_budget_elasticity"]),
            fine=np.asarray(priors["seizure_fine"]),
            cloud_margin=np.asarray(priors["cloud_margin"]),
        ),
    )
    diversion = Diversion(**{**vars(diversion), "scale": diversion.scale * length[:, None]})
    return Parameters(
        production=production,
        preferences=preferences,
        accelerators=Accelerators(
            bill=paths.bill,
            home_bill=paths.home_bill,
            labour=paths.maker_labour,
            margin=paths.maker_margin,
            tariff=zeros((count, len(shape.makers), len(shape.regions))),
            route_weight=weight,
            tier_weight=zeros((count, 0)),
            family_weight=zeros((count, 0)),
            ownership_weight=zeros((count, 0)),
            route_slope=zeros((count, 0)),
            tier_slope=zeros((count, 0)),
            family_slope=zeros((count, 0)),
            ownership_slope=zeros((count, 0)),
            rivalry_slope=zeros((count, 0)),
        ),
        diversion=diversion,
        endowment=Endowment(
            labour=wages * paths.labour * length[:, None],
            deficit=np.broadcast_to(deficit, (count, len(deficit))).copy(),
            ratio=zeros((count, 0)),
        ),
    )


def _without_home_sourcing(base: Benchmark, wanted: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Flows less what designers have made at home, which is outside the Armington choice, ``[product, maker]`` wanted."""
    flow = base.flow.copy()
    for maker, region in enumerate(origin):
        flow[:, region, region] -= wanted[:, maker]
    bad = np.argwhere(flow < 0)
    if len(bad):
        names = ", ".join(f"{base.products[k]} in {base.regions[i]}" for k, i, _ in bad[:8])
        raise ValueError(f"data/baseline: accelerators need more home-made {names} than flows.csv has; raise own use there")
    return flow


def _must_be_positive(labour: np.ndarray, base: Benchmark, what: str) -> None:
    bad = np.argwhere((labour <= 0) & (base.output > 0))
    if len(bad):
        names = ", ".join(f"{base.products[k]} in {base.regions[i]} ({labour[k, i]:.3f})" for k, i in bad[:8])
        raise ValueError(f"data/baseline: {what} is not positive for {names}; lower its inputs, margin or rent share")


def _final_use(final: np.ndarray, purchases: np.ndarray, base: Benchmark) -> np.ndarray:
    """Final use may be nil, up to rounding of the tables; anything clearly negative is a fault of the data."""
    bad = np.argwhere(final < -1e-6 * np.maximum(purchases, 1.0))
    if len(bad):
        names = ", ".join(
            f"{base.products[k]} in {base.regions[j]} ({final[k, j]:.4g} of {purchases[k, j]:.4g} million USD)"
            for k, j in bad[:8]
        )
        raise ValueError(f"data/baseline: intermediate use exceeds purchases for {names}; lower inputs.csv shares there")
    return np.maximum(final, 0.0)


def _incidence(shape: Structure) -> tuple[np.ndarray, np.ndarray]:
    makers = np.zeros((len(shape.leaves), len(shape.makers)))
    users = np.zeros((len(shape.leaves), len(shape.regions)))
    for n, leaf in enumerate(shape.leaves):
        makers[n, leaf.maker] = users[n, leaf.user] = 1.0
    return makers, users


def _tier_sums(shape: Structure, leaf: np.ndarray) -> np.ndarray:
    """Total of each leaf's tier, by leaf."""
    names = [(x.user, x.channel == CLOUD, x.maker) for x in shape.leaves]
    index = {name: n for n, name in enumerate(dict.fromkeys(names))}
    at = np.array([index[name] for name in names])
    total = np.zeros((leaf.shape[0], len(index)))
    np.add.at(total.T, at, leaf.T)
    return total[:, at]
