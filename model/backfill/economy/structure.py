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
    """
    makers = tuple(
        tables.accelerator_bill.select("product", "origin").unique().sort("product", "origin").iter_rows()
    )
    families = tuple(OWN_FAMILY if vocabulary.bloc[region] == "adversary" else US_FAMILY for _, region in makers)
    lines = {product: n for n, (product, _) in enumerate(makers)}
    regions = vocabulary.regions
    hubs = tuple(regions.index(code) for code in vocabulary.hubs)
    used = (
        tables.compute_use.filter(pl.col("kh100e") > 0)
        .select("user", "product", "channel", "site")
        .unique()
        .sort("user", "channel", "product", "site")
    )
    leaves: list[Leaf] = []
    for user in regions:
        for _, product, channel, site in used.filter(pl.col("user") == user).iter_rows():
            maker = lines[product]
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
        tools=tuple(base.products.index(p) for p in vocabulary.groups["tools"]),
    )
