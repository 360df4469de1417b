"""The axes every array and table of the model shares: regions, blocs, products and periods."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

BLOCS = ("us", "ally", "partner", "adversary")
COUNTRY_GROUPS = {"D:5": "adversary"}
"""Country groups of the Export Administration Regulations that files may name, and the bloc that holds their members: of the
benchmark's regions China and Russia are in D:5, countries under an arms embargo; smaller members have no region of their own."""

OTHER_REGIONS = {
    "america": "USA", "united_states_of_america": "USA",
    "prc": "CHN", "mainland_china": "CHN", "hong_kong": "CHN", "macao": "CHN", "macau": "CHN",
    "eu": "EUR", "europe": "EUR", "european_union": "EUR", "germany": "EUR", "france": "EUR", "italy": "EUR", "ireland": "EUR",
    "uk": "GBR", "britain": "GBR", "great_britain": "GBR", "england": "GBR", "holland": "NLD", "south_korea": "KOR", "roc": "TWN",
    "uae": "GLF", "emirates": "GLF", "gulf": "GLF", "ksa": "GLF", "asean": "ASE", "belarus": "RUS", "kazakhstan": "TKC",
}  # fmt: skip
"""Other words for regions, which no file may use but which tell what is meant; names of countries are found by themselves."""

OTHER_PRODUCTS = {
    "gpu": "accelerators", "gpus": "accelerators", "ai_chip": "accelerators", "ai_chips": "accelerators",
    "semiconductor": "chips", "semiconductors": "chips", "integrated_circuits": "chips", "dram": "memory", "nand": "memory",
    "high_bandwidth_memory": "hbm", "foundry": "logic_advanced", "cowos": "packaging",
    "euv": "lithography", "duv": "lithography", "scanners": "lithography", "sme": "tools", "equipment": "tools",
    "rare_earths": "minerals", "gallium": "minerals", "germanium": "minerals", "graphite": "minerals",
    "wafers": "wafers_materials", "cloud": "cloud_compute", "eda": "eda_ip", "software": "eda_ip",
}  # fmt: skip
"""Other words for products and their groups."""


@dataclass(frozen=True)
class Period:
    """One period of the model: a year or a half-year.

    ``start`` is the first day and ``end`` the first day after the period.
    """

    label: str
    start: dt.date
    end: dt.date

    @property
    def years(self) -> float:
        """Length in years (1 or one half)."""
        return round((self.end - self.start).days / 365.25 * 2) / 2

    def fraction_in_force(self, begin: dt.date, until: dt.date | None) -> float:
        """Share of the period's days in ``[begin, until)``."""
        first = max(self.start, begin)
        last = self.end if until is None else min(self.end, until)
        return max(0.0, (last - first).days / (self.end - self.start).days)


def periods(first_year: int, last_year: int, per_year: int = 1) -> tuple[Period, ...]:
    """Yearly (``per_year=1``) or half-yearly (``per_year=2``) periods, first and last year included."""
    if per_year not in (1, 2):
        raise ValueError(f"per_year is {per_year}; periods are years (1) or half-years (2)")
    grid = []
    for year in range(first_year, last_year + 1):
        january, july, following = dt.date(year, 1, 1), dt.date(year, 7, 1), dt.date(year + 1, 1, 1)
        if per_year == 1:
            grid.append(Period(str(year), january, following))
        else:
            grid += [Period(f"{year}H1", january, july), Period(f"{year}H2", july, following)]
    return tuple(grid)


@dataclass(frozen=True)
class Vocabulary:
    """The names a policy or a table may use.

    Attributes:
        regions: region codes, in array order; empty where they are not known, so that no name of a region is refused.
        bloc: region code to bloc.
        hubs: regions through which controlled goods can be diverted, in array order.
        products: traded products, in array order.
        groups: product group to its products (``"tools"``, ``"accelerators"``, ...).
        region_names: region code to the name people write.
        product_names: product code to the name people write.
    """

    regions: tuple[str, ...]
    bloc: Mapping[str, str]
    hubs: tuple[str, ...]
    products: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]]
    region_names: Mapping[str, str] = field(default_factory=dict)
    product_names: Mapping[str, str] = field(default_factory=dict)

    def expand_regions(self, name: str) -> tuple[str, ...]:
        """Regions meant by a region code, a bloc, ``"hubs"``, ``"all"`` or a key of `COUNTRY_GROUPS`; empty if unknown."""
        if name in self.regions:
            return (name,)
        if name == "all":
            return self.regions
        if name == "hubs":
            return self.hubs
        return tuple(r for r in self.regions if self.bloc[r] == COUNTRY_GROUPS.get(name, name))

    def expand_products(self, name: str) -> tuple[str, ...]:
        """Products meant by a product, a product group or ``"all"``; empty if unknown."""
        if name in self.products:
            return (name,)
        if name == "all":
            return self.products
        return tuple(self.groups.get(name, ()))
