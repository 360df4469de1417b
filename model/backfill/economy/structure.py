"""The shape of an economy: which accelerator lines, acquisition routes and planned capacities it has."""

from __future__ import annotations

import polars as pl

from backfill.dimensions import Vocabulary
from backfill.economy.calibrate import Benchmark
from backfill.economy.economy import CLOUD, DIRECT, DIVERSION, Leaf, Structure
from backfill.economy.tables import BaselineTables

OWN_FAMILY = "adversary_family"
US_FAMILY = "us_family"


def structure(tables: BaselineTables, vocabulary: Vocabulary, base: Benchmark) -> Structure:
    """Lines from the bills of materials, direct and remote routes from the use table, diversion to adversaries.

    Every line that an adversary user buys directly and whose designer is not in the adversary bloc can also reach it
    through each hub.

    Raises:
        ValueError: if the use table does not say whose accelerators are used.
    """
    makers = tuple(
        tables.accelerator_bill.select("product", "origin").unique().sort("product", "origin").iter_rows()
    )
    families = tuple(OWN_FAMILY if vocabulary.bloc[region] == "adversary" else US_FAMILY for _, region in makers)
    regions = vocabulary.regions
    hubs = tuple(regions.index(code) for code in vocabulary.hubs)
    used = (
        _with_designers(tables.compute_use, makers)
        .filter(pl.col("kh100e") > 0)
        .select("user", "product", "channel", "site", "designer")
        .unique()
        .sort("user", "channel", "product", "site", "designer")
    )
    leaves: list[Leaf] = []
    for user in regions:
        for _, product, channel, site, designer in used.filter(pl.col("user") == user).iter_rows():
            maker = makers.index((product, designer))
            leaves.append(Leaf(maker, regions.index(site), regions.index(user), CLOUD if channel == CLOUD else DIRECT))
        if vocabulary.bloc[user] == "adversary":
            bought = [n for n in leaves if n.user == regions.index(user) and n.channel == DIRECT]
            for leaf in bought:
                if families[leaf.maker] == US_FAMILY:
                    leaves += [Leaf(leaf.maker, hub, leaf.user, DIVERSION) for hub in hubs]
    nodes = tuple(tables.nodes.select("product", "region").iter_rows())
    return Structure(
        vocabulary=vocabulary,
        products=base.products,
        core=base.core,
        levels=base.levels,
        makers=makers,
        families=families,
        leaves=tuple(leaves),
        hubs=hubs,
        nodes=nodes,
        owners=tuple(tables.nodes["owner"].to_list()),
        tools=tuple(base.products.index(p) for p in vocabulary.groups.get("tools", ())),
    )


def _with_designers(use: pl.DataFrame, makers: tuple[tuple[str, str], ...]) -> pl.DataFrame:
    """The use table with the designer of each product, the only one there is where the table names none."""
    designers = {product: [region for made, region in makers if made == product] for product in use["product"].unique()}
    named = "designer" in use.columns
    wrong = [
        f"{product} is designed by {', '.join(found) or 'nobody'}"
        for product, found in sorted(designers.items())
        if not found or (not named and len(found) > 1)
    ]
    if named:
        pairs = use.select("product", "designer").unique().sort("product", "designer").iter_rows()
        wrong += [f"{p} is not designed by {d}" for p, d in pairs if designers[p] and (p, d) not in makers]
    if wrong:
        raise ValueError(
            "the use of compute does not fit the bills of accelerators: " + "; ".join(wrong)
            + ". Name one of the designers in a column 'designer' of compute_use, or give the product a bill."
        )
    if named:
        return use
    only = {product: found[0] for product, found in designers.items()}
    return use.with_columns(pl.col("product").replace_strict(only, return_dtype=pl.String).alias("designer"))
