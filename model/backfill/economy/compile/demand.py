"""Who makes and who buys each product of the stack in 2022: the totals its flows must add up to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backfill.economy.compile.accelerators import bought_by_designers, used_in
from backfill.economy.compile.sources import Sources

TOOLS = ("lithography", "deposition_etch", "process_control_test")
CHIPS = ("logic_advanced", "logic_mature", "memory")
MADE_TO_ORDER = ("hbm", "packaging")
IN_TRANSIT = 0.002
STACK = (
    "minerals",
    "wafers_materials",
    "eda_ip",
    "subsystems",
    *TOOLS,
    "logic_advanced",
    "logic_mature",
    "hbm",
    "memory",
    "packaging",
    "servers",
)


@dataclass(frozen=True)
class Totals:
    """Output and purchases of each stack product by region, million USD.

    Attributes:
        output: row sums.
        bought: column sums before tariffs.
    """

    output: dict[str, np.ndarray]
    bought: dict[str, np.ndarray]


def technology(sources: Sources) -> dict[tuple[str, str], float]:
    """Input share of gross output by (product, input) of the stack's technologies."""
    rows = sources.rows("input_share").select("product", "partner", "value").iter_rows()
    return {(product, item): value for product, item, value in rows}


def world_outputs(sources: Sources) -> dict[str, np.ndarray]:
    """Output by region: world sales times production shares; HBM and packaging by what accelerators take."""
    codes = sources.codes
    designers = bought_by_designers(sources)
    out = {}
    for product in STACK:
        share = sources.vector("output_share", codes, product=product)
        if product in MADE_TO_ORDER:
            total = (1 + IN_TRANSIT) * designers[product].sum()
        else:
            total = sources.value("world_output", product=product)
        out[product] = total * share / share.sum()
    return out


def tool_billings(sources: Sources) -> np.ndarray:
    """Equipment bought by region in 2022, million USD.

    China, Korea, Taiwan and the world are known for 2022; the rest is split as in 2021, then within SEMI's groups.
    """
    codes = sources.codes
    billed = sources.by("region", "equipment_billings", period="2022")
    groups = sources.by("region", "equipment_billings", period="2021")
    left = billed["all"] - sum(billed[r] for r in ("CHN", "KOR", "TWN"))
    out = np.array([0.0 if r not in ("CHN", "KOR", "TWN") else billed[r] for r in codes])
    for region, group, share in sources.rows("billing_split").select("region", "partner", "value").iter_rows():
        out[codes.index(region)] += share * groups[group] / sum(groups.values()) * left
    return out * billed["all"] / out.sum()


def totals(sources: Sources, electronics: np.ndarray, services: np.ndarray, pull: dict[str, np.ndarray]) -> Totals:
    """Output and purchases of every stack product.

    Args:
        electronics: gross output of electronics by region, stack included.
        services: gross output of services by region.
        pull: chips a region's electronics take per unit of output, relative to the world, by chip product (`chips_pull`).
    """
    codes = sources.codes
    need = technology(sources)
    output = world_outputs(sources)
    designers = bought_by_designers(sources)
    makers = electronics - sum(output[p] for p in (*CHIPS, "hbm", "packaging", "servers"))
    makers = np.maximum(makers, 0.05 * electronics)
    bought: dict[str, np.ndarray] = {}

    def by_technology(item: str) -> np.ndarray:
        used = sum((need.get((p, item), 0.0) * output[p] for p in STACK), np.zeros(len(codes)))
        return used + designers.get(item, np.zeros(len(codes)))

    def remainder(item: str, weight: np.ndarray) -> np.ndarray:
        used = by_technology(item)
        left = max(output[item].sum() - used.sum(), 0.02 * output[item].sum())
        return used + left * weight / weight.sum()

    for item in CHIPS:
        bought[item] = remainder(item, makers * pull[item])
    for item in MADE_TO_ORDER:
        bought[item] = (1 + IN_TRANSIT) * designers[item]
    bought["eda_ip"] = remainder("eda_ip", sources.vector("design_share", codes))
    bought["wafers_materials"] = remainder("wafers_materials", makers)
    bought["subsystems"] = remainder("subsystems", output["servers"] + 0.01 * makers)
    bought["minerals"] = remainder("minerals", makers)
    bought["servers"] = _servers(sources, output["servers"].sum(), services)
    bought |= _tools(sources, output)
    return Totals(output, bought)


def chips_pull(
    sources: Sources, output: dict[str, np.ndarray], patterns: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Chips a region's electronics take per unit of output, relative to the world: square root of what trade shows.

    What trade shows is chips made plus net imports (customs over crossings) per unit of electronics; between a half and
    twice the world's mean, and the mean where customs see nothing. Logic and memory are told apart.
    """
    crossings = sources.value("crossings")
    electronics = sources.matrix("icio_flow", sources.codes, sources.codes, product="electronics").sum(1)
    out = {}
    for pattern, products in (("chips_logic", ("logic_advanced", "logic_mature")), ("chips_memory", ("memory",))):
        made = sum((output[p] for p in products), np.zeros(len(electronics)))
        trade = patterns[pattern] - np.diag(np.diag(patterns[pattern]))
        shown = np.maximum(made + (trade.sum(0) - trade.sum(1)) / crossings, 0.0) / electronics
        mean = shown @ electronics / electronics.sum()
        seen = trade.sum(0) > 0.002 * trade.sum()
        out |= {p: np.where(seen, np.clip(np.sqrt(shown / mean), 0.5, 2.0), 1.0) for p in products}
    return out


def _servers(sources: Sources, world: float, services: np.ndarray) -> np.ndarray:
    codes = sources.codes
    known = sources.by("region", "server_buyer_share")
    rest = np.array([0.0 if r in known else s for r, s in zip(codes, services, strict=True)])
    share = np.array([known.get(r, 0.0) for r in codes]) + (1 - sum(known.values())) * rest / rest.sum()
    data_centres = used_in(sources, 2022) * sources.value("site_and_operation", partner="servers", period="2022")
    return np.maximum(world * share, 1.05 * data_centres)


def _tools(sources: Sources, output: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    codes = sources.codes
    billed = tool_billings(sources)
    printers = sources.vector("lithography_sales", codes)
    pattern = 0.7 * printers / printers.sum() + 0.3 * billed / billed.sum()
    lithography = np.minimum(output["lithography"].sum() * pattern, 0.35 * billed)
    lithography *= output["lithography"].sum() / lithography.sum()
    rest = billed - lithography
    deposition = output["deposition_etch"].sum() / rest.sum()
    return {
        "lithography": lithography,
        "deposition_etch": rest * deposition,
        "process_control_test": rest * (1 - deposition),
    }
