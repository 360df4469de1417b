"""Names of places and goods as sentences have them."""

from __future__ import annotations

from collections.abc import Iterable

from backfill.reports.words import listed

PLACES = {
    "us": "the United States",
    "ally": "US allies",
    "partner": "third countries",
    "adversary": "the adversary",
    "hubs": "the hubs",
    "world": "the world",
    "all": "everybody",
    "USA": "the United States",
    "TWN": "Taiwan",
    "KOR": "Korea",
    "JPN": "Japan",
    "NLD": "the Netherlands",
    "EUR": "the European Union",
    "GBR": "the United Kingdom",
    "OAL": "Canada, Australia, New Zealand and Israel",
    "MEX": "Mexico",
    "IND": "India",
    "SGP": "Singapore",
    "MYS": "Malaysia",
    "ASE": "the rest of South-East Asia",
    "GLF": "the Gulf states",
    "TKC": "Turkey and Central Asia",
    "CHN": "China",
    "RUS": "Russia",
    "ROW": "the rest of the world",
}
"""Blocs and the regions of the benchmark; regions of other economies keep their names."""

GOODS = {
    "tools": "chipmaking tools",
    "tools_and_subsystems": "chipmaking tools and subsystems",
    "wafers_materials": "wafers and fab materials",
    "eda_ip": "design software and cores",
    "minerals": "critical minerals",
    "hbm": "high-bandwidth memory",
    "logic_advanced": "advanced logic",
    "logic_mature": "mature logic",
    "packaging": "advanced packaging",
    "us_accelerators": "accelerators of US design",
    "accelerators_frontier": "frontier accelerators",
    "accelerators_export_grade": "export-grade accelerators",
    "accelerators_adversary": "accelerators of Chinese design",
    "deposition_etch": "deposition and etch tools",
    "process_control_test": "process control and test tools",
    "all": "all goods",
}
"""Products and groups whose codes are no words."""


def place(code: str) -> str:
    """A region or bloc."""
    return PLACES.get(code, code)


def places(codes: Iterable[str]) -> str:
    """Several, enumerated."""
    return listed([place(code) for code in codes])


def goods(codes: Iterable[str]) -> str:
    """Products and groups, enumerated."""
    return listed([GOODS.get(code, code.replace("_", " ")) for code in codes])
