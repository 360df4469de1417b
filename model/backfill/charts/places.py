"""Short names of regions, products and groups, and their order on an axis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

import polars as pl

from backfill.resources import data_dir

REGION_NAMES = {
    "USA": "United States",
    "TWN": "Taiwan",
    "KOR": "Korea",
    "JPN": "Japan",
    "NLD": "Netherlands",
    "EUR": "rest of Europe",
    "GBR": "United Kingdom",
    "OAL": "Canada, Australia +",
    "MEX": "Mexico",
    "IND": "India",
    "SGP": "Singapore",
    "MYS": "Malaysia",
    "ASE": "Vietnam, Thailand +",
    "GLF": "Gulf states",
    "TKC": "Turkey, Kazakhstan +",
    "CHN": "China",
    "RUS": "Russia",
    "ROW": "rest of the world",
}
"""The model's regions in a word or two; regions of a person's own keep their names."""

PRODUCT_NAMES = {
    "tools": "chip-making tools",
    "tools_and_subsystems": "tools and subsystems",
    "chips": "chips",
    "accelerators": "accelerators",
    "subsystems": "tool subsystems",
    "wafers_materials": "wafers and materials",
    "eda_ip": "design software",
    "minerals": "minerals",
    "hbm": "HBM",
    "logic_advanced": "advanced logic",
    "logic_mature": "mature logic",
    "memory": "other memory",
    "packaging": "advanced packaging",
    "lithography": "lithography tools",
    "deposition_etch": "deposition and etch tools",
    "process_control_test": "process control and test tools",
    "accelerators_frontier": "frontier accelerators",
    "accelerators_export_grade": "export-grade accelerators",
    "accelerators_adversary": "Chinese accelerators",
    "other_goods": "other goods",
}

GROUP_ORDER = (
    "tools",
    "subsystems",
    "wafers_materials",
    "eda_ip",
    "minerals",
    "chips",
    "hbm",
    "logic_advanced",
    "accelerators",
)
"""The order in which groups of products are drawn: up the stack."""

BLOC_ORDER = ("us", "ally", "partner", "adversary")


def region_name(code: str) -> str:
    """A region in a word or two."""
    return REGION_NAMES.get(code, code)


def product_name(name: str) -> str:
    """A product or group in a word or two."""
    return PRODUCT_NAMES.get(name, name.replace("_", " "))


@cache
def groups() -> dict[str, tuple[str, ...]]:
    """Products of the shipped benchmark by group."""
    table = pl.read_csv(data_dir() / "baseline" / "products.csv").select("product", pl.col("groups").fill_null(""))
    found: dict[str, tuple[str, ...]] = {}
    for product, named in table.iter_rows():
        for group in filter(None, named.split(";")):
            found[group] = (*found.get(group, ()), product)
    return found


def members(name: str, present: Iterable[str]) -> Sequence[str]:
    """The products of a table that a name means: a product of it, or a group of the benchmark's.

    Raises:
        ValueError: there is no such product in the table; says which there are.
    """
    here = sorted(set(present))
    wanted = [name] if name in here else [one for one in groups().get(name, ()) if one in here]
    if not wanted:
        known = [group for group, of in groups().items() if set(of) & set(here)]
        raise ValueError(f"no product or group {name!r} to draw; there are {', '.join([*known, *here])}")
    return wanted
