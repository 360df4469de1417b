"""Worlds small enough to work out by hand: four regions, two accelerators, one tool, two years."""

from __future__ import annotations

import polars as pl

from backfill.dimensions import Vocabulary, periods
from backfill.effects.comparison import Comparison, routes

PERIODS = periods(2022, 2023)
VOCABULARY = Vocabulary(
    regions=("USA", "KOR", "MYS", "CHN"),
    bloc={"USA": "us", "KOR": "ally", "MYS": "partner", "CHN": "adversary"},
    hubs=("MYS",),
    products=("frontier", "ascend", "lithography"),
    groups={
        "accelerators": ("frontier", "ascend"),
        "tools": ("lithography",),
        "chips": (),
        "upstream": ("lithography",),
        "inputs": (),
    },
)
CONTROLLED = routes([("frontier", "USA", "CHN", "direct"), ("lithography", "USA", "CHN", "direct")])
FLOW_COLUMNS = [
    "period",
    "product",
    "origin",
    "destination",
    "user",
    "channel",
    "quantity",
    "quantity_unit",
    "shipped",
    "mill_price",
    "fob_value",
    "levy_revenue",
    "tariff_revenue",
    "real_cost",
    "premium",
]


def flows(rows: list[tuple]) -> pl.DataFrame:
    """Flows from (period, product, origin, destination, user, channel, quantity, price)."""
    full = []
    for period, product, origin, destination, user, channel, quantity, price in rows:
        unit = "million USD of 2022" if product == "lithography" else "thousand H100e"
        value = float(quantity * price)
        full.append(
            (
                period,
                product,
                origin,
                destination,
                user,
                channel,
                float(quantity),
                unit,
                float(quantity),
                float(price),
                value,
                0.0,
                0.0,
                0.0,
                0.0,
            )
        )
    return pl.DataFrame(full, schema=FLOW_COLUMNS, orient="row")


def income(rows: dict[tuple[str, str], dict[str, float]]) -> pl.DataFrame:
    """Income items of (period, region); absent items are zero."""
    items = (
        "labour",
        "profits",
        "capacity_rents",
        "limit_rents",
        "tariff_revenue",
        "levy_revenue",
        "fines",
        "hub_rents",
        "absorption",
        "price_index",
        "real_absorption",
    )
    return pl.DataFrame(
        [
            (p.label, region, item, "million USD", float(rows.get((p.label, region), {}).get(item, 0.0)))
            for p in PERIODS
            for region in VOCABULARY.regions
            for item in items
        ],
        schema=["period", "region", "item", "unit", "value"],
        orient="row",
    )


def terminal(**worth: float) -> pl.DataFrame:
    """Terminal values by region, zero where not named."""
    return pl.DataFrame(
        {"region": list(VOCABULARY.regions), "value": [float(worth.get(r, 0.0)) for r in VOCABULARY.regions]}
    )


def prices(value: float) -> pl.DataFrame:
    return pl.DataFrame(
        [(p.label, "USA", "frontier", "mill price", "thousand USD per H100e", value) for p in PERIODS],
        schema=["period", "region", "product", "quantity", "unit", "value"],
        orient="row",
    )


def capacity(value: float) -> pl.DataFrame:
    return pl.DataFrame(
        [
            (
                p.label,
                "logic_advanced",
                "CHN",
                "CHN",
                value,
                value,
                1.0,
                0.1,
                0.1,
                2 * value,
                0.0,
                0.25 * value,
                "million USD of 2022",
            )
            for p in PERIODS
        ],
        schema=[
            "period",
            "product",
            "region",
            "owner",
            "capacity",
            "use",
            "addition",
            "rent",
            "rent_share",
            "replacement_cost_value",
            "learned",
            "subsidy",
            "unit",
        ],
        orient="row",
    )


def limit(use: float | None) -> pl.DataFrame:
    schema = {
        "period": pl.String,
        "limit": pl.String,
        "owner": pl.String,
        "use": pl.Float64,
        "quantity": pl.Float64,
        "rent_share": pl.Float64,
        "unit": pl.String,
    }
    rows = [] if use is None else [("2023", "quota", "USA", use, 5.0, 0.2, "thousand H100e")]
    return pl.DataFrame(rows, schema=schema, orient="row")


def stocks(bought: float | None) -> pl.DataFrame:
    """A stock of tools bought in the first year and used in the second."""
    rows = [] if bought is None else [
        ("2022", "lithography", "CHN", bought, 0.0, bought, "million USD of 2022"),
        ("2023", "lithography", "CHN", 0.0, bought, 0.0, "million USD of 2022"),
    ]  # fmt: skip
    schema = {"period": pl.String, "product": pl.String, "region": pl.String, "bought": pl.Float64, "used": pl.Float64,
              "held": pl.Float64, "unit": pl.String}  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def world(
    flow_rows: list[tuple],
    *,
    incomes: dict | None = None,
    worth: dict | None = None,
    size: float = 10.0,
    price: float = 20.0,
    quota: float | None = None,
    stored: float | None = None,
) -> dict[str, pl.DataFrame]:
    """Tables of one world."""
    return {
        "flows": flows(flow_rows),
        "income": income(incomes or {}),
        "terminal": terminal(**(worth or {})),
        "prices": prices(price),
        "capacity": capacity(size),
        "limits": limit(quota),
        "stocks": stocks(stored),
    }


def everyone(years: dict[str, dict[str, float]]) -> list[tuple]:
    """Flow rows from amounts by name: what each year's chips and tools are, at round prices."""
    kinds = {
        "us to china": ("frontier", "USA", "CHN", "CHN", "direct", 20.0),
        "own": ("ascend", "CHN", "CHN", "CHN", "direct", 15.0),
        "diverted": ("frontier", "USA", "MYS", "CHN", "diversion", 20.0),
        "remote": ("frontier", "USA", "MYS", "CHN", "cloud", 20.0),
        "us at home": ("frontier", "USA", "USA", "USA", "direct", 20.0),
        "korea": ("ascend", "KOR", "CHN", "CHN", "direct", 18.0),
        "malaysia": ("ascend", "MYS", "CHN", "CHN", "direct", 18.0),
        "us ungoverned": ("ascend", "USA", "CHN", "CHN", "direct", 18.0),
        "us tools": ("lithography", "USA", "CHN", "CHN", "direct", 1.0),
        "korean tools": ("lithography", "KOR", "CHN", "CHN", "direct", 1.0),
        "own tools": ("lithography", "CHN", "CHN", "CHN", "direct", 1.0),
    }
    rows = []
    for year, amounts in years.items():
        for name, amount in amounts.items():
            *route, price = kinds[name]
            rows.append((year, *route, amount, price))
    return rows


REFERENCE = everyone(
    {
        "2022": {"us to china": 10, "own": 4, "us at home": 100, "us tools": 50, "korean tools": 30, "own tools": 5},
        "2023": {"us to china": 20, "own": 6, "us at home": 200, "us tools": 60, "korean tools": 40, "own tools": 5},
    }
)
POLICY = everyone(
    {
        "2022": {"us to china": 10, "own": 4, "us at home": 100, "us tools": 50, "korean tools": 30, "own tools": 5},
        "2023": {
            "us to china": 2,
            "own": 7,
            "diverted": 3,
            "remote": 1,
            "korea": 2,
            "malaysia": 0.5,
            "us ungoverned": 0.5,
            "us at home": 214,
            "us tools": 20,
            "korean tools": 60,
            "own tools": 9,
        },
    }
)
DOWNSTREAM = everyone({"2022": {"own": 4}, "2023": {"own": 9}})


def comparison(reference: dict, policy: dict, downstream: dict, discount: float = 0.5) -> Comparison:
    return Comparison(
        scenario="control",
        reference_name="no-controls",
        reference=reference,
        policy=policy,
        downstream=downstream,
        controlled=CONTROLLED,
        vocabulary=VOCABULARY,
        periods=PERIODS,
        discount=discount,
    )
