"""Accelerators in quality units: volumes, users, bills of materials (economics.md sections 2 and 5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backfill.economy.compile.sources import Sources

YEARS = range(2022, 2031)
OBSERVED = range(2022, 2026)
FRONTIER, EXPORT, ADVERSARY = "accelerators_frontier", "accelerators_export_grade", "accelerators_adversary"
ORIGIN = {FRONTIER: "USA", EXPORT: "USA", ADVERSARY: "CHN"}
HOME_SOURCED = {(ADVERSARY, "logic_advanced")}
"""Items a designer can only have made at home: foreign foundries stopped serving China's designers with the foreign direct
product rule of 2020, before the policies studied here."""
ITEMS = ("eda_ip", "hbm", "labour", "logic_advanced", "margin", "packaging", "services")


def quality(sources: Sources) -> dict[str, float]:
    """Quality of each chip, ``q = (ops/ops_H100)^theta (bandwidth/bandwidth_H100)^(1-theta)``."""
    ops, band = sources.by("product", "dense_ops"), sources.by("product", "memory_bandwidth")
    theta = sources.value("quality_theta")
    return {c: (ops[c] / ops["H100"]) ** theta * (band[c] / band["H100"]) ** (1 - theta) for c in ops}


def volumes(sources: Sources) -> tuple[np.ndarray, np.ndarray]:
    """World volume of US design by year, thousand H100e in quality units, and what of it is for sale.

    Chips sold, then projected growth. What designers keep for machines of their own (`captive_share`) is for sale to nobody;
    after the last year with figures its share stays.
    """
    q, kept = quality(sources), sources.by("product", "captive_share")
    made, sale = [], []
    for year in OBSERVED:
        sold = sources.rows("chip_units", period=str(year)).select("product", "value").rows()
        unlisted = sources.value("unlisted_share", period=str(year))
        made.append(sum(units * q[chip] for chip, units in sold) * (1 + unlisted))
        sale.append(sum(units * q[chip] * (1 - kept.get(chip, 0.0)) for chip, units in sold) * (1 + unlisted))
    for year in list(YEARS)[len(OBSERVED) :]:
        growth = sources.value("volume_growth", period=str(year))
        made.append(made[-1] * growth)
        sale.append(sale[-1] * growth)
    return np.array(made), np.array(sale)


@dataclass(frozen=True)
class Use:
    """One row of reference acquisitions."""

    year: int
    user: str
    product: str
    channel: str
    site: str
    kh100e: float
    grade: str


def compute_use(sources: Sources) -> list[Use]:
    """Acquisitions by user, product and channel when no control is in force.

    China takes its share, before the rules, of the US-designed volume that is for sale, others divide the rest; a share of
    each user's US volume is export grade; the adversary's own designs are a share of each user's direct acquisitions; remote
    use is a share of China's total.
    """
    codes = sources.codes
    world, sale = volumes(sources)
    china = sources.path(YEARS, "user_share", region="CHN") * sale / world
    other = np.array([_path_or_zero(sources, "user_share_outside_china", region) for region in codes])
    other /= other.sum(0)
    lower = sources.value("export_grade_share")
    remote = sources.path(YEARS, "cloud_share", region="CHN")
    sites = sources.by("partner", "cloud_site", region="CHN")
    rows: list[Use] = []
    for n, year in enumerate(YEARS):
        grade = "derived" if year in OBSERVED else "assumed"
        for r, user in enumerate(codes):
            bought = world[n] * (china[n] if user == "CHN" else (1 - china[n]) * other[r, n])
            own = _path_or_zero(sources, "adversary_design_share", user)[n]
            direct = bought / (1 - own)
            rows.append(Use(year, user, FRONTIER, "direct", user, bought * (1 - lower), grade))
            rows.append(Use(year, user, EXPORT, "direct", user, bought * lower, "assumed"))
            if own > 0:
                rows.append(Use(year, user, ADVERSARY, "direct", user, direct * own, "assumed"))
            if user == "CHN":
                total = direct / (1 - remote[n])
                for site in sorted(sites):
                    amount = total * remote[n] * sites[site] / sum(sites.values())
                    rows.append(Use(year, user, FRONTIER, "cloud", site, amount, "assumed"))
    return [row for row in rows if row.kh100e > 0]


def _path_or_zero(sources: Sources, quantity: str, region: str) -> np.ndarray:
    table = sources.rows(quantity)
    if region not in table["region"].to_list():
        return np.zeros(len(YEARS))
    return sources.path(YEARS, quantity, region=region)


def bills(sources: Sources) -> dict[str, np.ndarray]:
    """Cost items by product, ``[year, item]`` in the order of `ITEMS`, thousand USD per H100e at 2022 prices."""
    return {
        product: np.array([sources.path(YEARS, "bill", product=product, partner=item) for item in ITEMS]).T
        for product in ORIGIN
    }


def bought_by_designers(sources: Sources) -> dict[str, np.ndarray]:
    """Purchases of inputs for the accelerators of 2022, by item and region, million USD."""
    codes = sources.codes
    made = dict.fromkeys(ORIGIN, 0.0)
    for use in compute_use(sources):
        if use.year == YEARS[0]:
            made[use.product] += use.kh100e
    out = {item: np.zeros(len(codes)) for item in ITEMS}
    for product, table in bills(sources).items():
        for item, value in zip(ITEMS, table[0], strict=True):
            out[item][codes.index(ORIGIN[product])] += value * made[product]
    return out


def used_in(sources: Sources, year: int) -> np.ndarray:
    """Compute acquired by user region in a year, thousand H100e."""
    out = np.zeros(len(sources.codes))
    for use in compute_use(sources):
        if use.year == year:
            out[sources.codes.index(use.user)] += use.kh100e
    return out
