"""A small economy in the shape of the baseline tables: three regions, every kind of product, balanced accounts."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import polars as pl

from backfill.dimensions import Vocabulary

REGIONS = ("USA", "TWN", "SGP", "CHN")
BLOC = {"USA": "us", "TWN": "ally", "SGP": "partner", "CHN": "adversary"}
CORE = ("electronics", "other_goods", "services")
STACK = (
    "subsystems", "lithography", "deposition_etch", "process_control_test", "logic_advanced", "logic_mature", "hbm",
    "memory", "packaging", "servers",
)
TOOLS = ("lithography", "deposition_etch", "process_control_test")
ACCELERATORS = ("accelerators_frontier", "accelerators_export_grade", "accelerators_adversary")
CHAIN = {
    "electronics": ("logic_advanced", "logic_mature", "memory"),
    "subsystems": (),
    "lithography": ("subsystems",),
    "deposition_etch": ("subsystems",),
    "process_control_test": ("subsystems",),
    "logic_advanced": (),
    "logic_mature": (),
    "hbm": (),
    "memory": (),
    "packaging": (),
    "servers": ("logic_advanced", "logic_mature", "memory"),
    "other_goods": (),
    "services": (),
}
NODES = (
    ("logic_advanced", "TWN"), ("logic_advanced", "CHN"), ("hbm", "TWN"), ("packaging", "TWN"), ("lithography", "TWN"),
    ("lithography", "CHN"), ("subsystems", "USA"),
)


def vocabulary() -> Vocabulary:
    """Names of the small economy."""
    return Vocabulary(
        regions=REGIONS,
        bloc=BLOC,
        hubs=("SGP",),
        products=(*CORE, *STACK, *ACCELERATORS),
        groups={
            "tools": TOOLS,
            "tools_and_subsystems": (*TOOLS, "subsystems"),
            "accelerators": ACCELERATORS,
            "us_accelerators": ACCELERATORS[:2],
            "upstream": (*TOOLS, "subsystems"),
        },
    )


def tables(seed: int = 1, years: tuple[int, ...] = (2022, 2023, 2024)) -> SimpleNamespace:
    """Balanced random tables; the same frames and columns as the shipped baseline."""
    rng = np.random.default_rng(seed)
    products = (*CORE, *STACK)
    size = {"services": 6e6, "other_goods": 3e6, "electronics": 4e5}
    flow = {}
    for product in products:
        scale = size.get(product, 3e4)
        matrix = scale * rng.uniform(0.2, 1.0, (4, 4)) * (0.05 + np.eye(4) * (1.0 if product in CORE else 0.3))
        flow[product] = matrix
    rows = [
        (p, i, j, flow[p][a, b]) for p in products for a, i in enumerate(REGIONS) for b, j in enumerate(REGIONS)
    ]
    tariffs = [
        (p, i, j, 0.03) for p in ("electronics", "other_goods") for i in REGIONS for j in REGIONS if i != j
    ]
    inputs = []
    for product in products:
        output = flow[product].sum(1)
        for a, region in enumerate(REGIONS):
            for core, share in {"electronics": 0.01, "other_goods": 0.12, "services": 0.15}.items():
                inputs.append((region, product, core, share))
            for item in CHAIN[product]:
                bought = flow[item][:, a].sum()
                inputs.append((region, product, item, float(min(0.1, 0.15 * bought / output[a]))))
    bill = [
        (
            year, product, origin, item, value * 0.9 ** (year - 2022),
            "home" if (item, origin) == ("logic_advanced", "CHN") else "market",
        )
        for year in years
        for product, origin in zip(ACCELERATORS, ("USA", "USA", "CHN"), strict=True)
        for item, value in {
            "logic_advanced": 1.0, "hbm": 3.0, "packaging": 2.0, "services": 2.0, "labour": 2.0, "margin": 15.0,
        }.items()
    ]
    use = []
    for n, year in enumerate(years):
        grow = 1.6**n
        for user, amount in {"USA": 200.0, "TWN": 40.0, "SGP": 30.0, "CHN": 80.0}.items():
            use.append((year, user, "accelerators_frontier", "direct", user, amount * grow))
            use.append((year, user, "accelerators_export_grade", "direct", user, 0.1 * amount * grow))
        use.append((year, "CHN", "accelerators_adversary", "direct", "CHN", 10.0 * grow))
        use.append((year, "CHN", "accelerators_frontier", "cloud", "SGP", 5.0 * grow))
    other = [(year, item, value) for year in years for item, value in {"servers": 5.0, "services": 4.0}.items()]
    node_rows = [
        (p, r, "USA" if p == "packaging" else r, 0.1, 1, 0.3) for p, r in NODES
    ]
    capacity = [(year, p, r, 1.0, 0.4 if p == "packaging" else 0.25) for year in years for p, r in NODES]
    needs = [
        (p, r, tool, 0.15)
        for p, r in NODES
        if p in ("logic_advanced", "hbm", "packaging")
        for tool in TOOLS
    ]
    shares = [(p, r, 0.05, 0.0) for p in products for r in REGIONS if p in TOOLS]
    parameters = {
        "discount_factor": 0.94, "stock_loss": 0.12, "stock_mismatch": 2.0,
        "demand_elasticity_compute": 1.5, "sigma_route": 30.0, "sigma_tier": 6.0,
        "sigma_family": 3.0, "sigma_remote": 6.0, "sigma_coverage": 4.0, "diversion_fixed_cost": 0.2, "diversion_slope": 0.5,
        "diversion_convexity": 1.0, "seizure_probability": 0.05, "seizure_fine": 1.0, "diversion_scale": 5.0,
        "diversion_weight": 1.0, "hub_weight": 1.0, "cloud_margin": 0.3, "seizure_budget_elasticity": 0.5,
        "final_elasticity": 0.9, "learning": 0.0, "learning_abroad": 0.33, "experience": 6.0, "fleet_life": 4.0,
    }
    text = {"orient": "row"}
    return SimpleNamespace(
        regions=pl.DataFrame({"region": REGIONS, "bloc": [BLOC[r] for r in REGIONS]}),
        products=pl.DataFrame(
            {
                "product": [*products, *ACCELERATORS],
                "nest": ["core"] * 3 + ["stack"] * len(STACK) + ["physical"] * 3,
                "groups": ["tools" if p in TOOLS else "" for p in (*products, *ACCELERATORS)],
                "armington_elasticity": [2.0 if p in TOOLS else 4.0 for p in (*products, *ACCELERATORS)],
                "input_elasticity": [0.5] * 3 + [0.0] * (len(STACK) + 3),
            }
        ),
        flows=pl.DataFrame(rows, ["product", "origin", "destination", "value_musd"], **text),
        tariffs=pl.DataFrame(tariffs, ["product", "origin", "destination", "rate"], **text),
        inputs=pl.DataFrame(inputs, ["region", "product", "input", "share"], **text),
        shares=pl.DataFrame(shares, ["product", "region", "margin_share", "rent_share"], **text),
        accelerator_bill=pl.DataFrame(bill, ["year", "product", "origin", "item", "kusd_per_h100e", "sourcing"], **text),
        compute_use=pl.DataFrame(use, ["year", "user", "product", "channel", "site", "kh100e"], **text),
        compute_other=pl.DataFrame(other, ["year", "item", "kusd_per_h100e"], **text),
        nodes=pl.DataFrame(node_rows, ["product", "region", "owner", "depreciation", "lag_years", "adjustment"], **text),
        capacity=pl.DataFrame(capacity, ["year", "product", "region", "utilisation", "rent_share"], **text),
        capacity_paths=pl.DataFrame(
            [], {"year": pl.Int64, "product": pl.String, "region": pl.String, "index": pl.Float64}, **text
        ),
        tool_needs=pl.DataFrame(needs, ["product", "region", "tool", "musd_per_musd"], **text),
        labour=pl.DataFrame(
            [(y, r, 1.03 ** (y - 2022)) for y in years for r in REGIONS], ["year", "region", "index"], **text
        ),
        parameters=pl.DataFrame(
            [(k, "", "", v, 0.8 * v, 1.2 * v, "", "assumed", "test") for k, v in parameters.items()],
            ["parameter", "product", "region", "central", "low", "high", "unit", "grade", "source"],
            **text,
        ),
    )
