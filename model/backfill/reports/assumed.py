"""Assumptions and how well each is known."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from typing import Any

from backfill.reports.parts import Table
from backfill.reports.words import listed, plain
from backfill.resources import data_dir

GRADES = ("observed", "derived", "assumed")
MEANING = {
    "observed": "observed in published records",
    "derived": "derived from published figures by arithmetic",
    "assumed": "assumed",
}
PARAMETERS = {
    "cloud_margin": "Margin of those who rent compute out",
    "demand_elasticity_compute": "How demand for compute answers its price",
    "discount_factor": "Weight of a year against the year before",
    "diversion_convexity": "How fast smuggling gets dearer as there is more of it",
    "diversion_fixed_cost": "Cost of smuggling that is always there",
    "diversion_scale": "Trade beside which smuggling hides where there is none other",
    "diversion_slope": "How much dearer smuggling gets as there is more of it",
    "diversion_weight": "Ease of buying smuggled compute rather than direct",
    "final_elasticity": "How readily buyers of final goods change between goods",
    "hub_weight": "Share of a hub in smuggling",
    "quality_theta": "Weight of arithmetic against memory in an accelerator's quality",
    "seizure_budget_elasticity": "How seizures answer the budget of enforcement",
    "seizure_fine": "Fine on what is seized",
    "seizure_probability": "Share of smuggled shipments that is seized",
    "sigma_coverage": "How readily customers go to who can still buy",
    "sigma_family": "How readily users change between US and Chinese accelerators",
    "sigma_remote": "How readily users change between owned and rented compute",
    "sigma_route": "How readily buyers change between routes for the same chip",
    "sigma_tier": "How readily users change between tiers of accelerators",
    "stock_loss": "Share of a stockpile lost a year",
    "stock_mismatch": "Cost of a stockpile that does not fit",
}


def assumptions(parameters: Mapping[str, Any]) -> Table:
    """Parameters with value, range where the benchmark gives one, grade and source.

    Args:
        parameters: name to value, grade and source, as provenance has them.
    """
    known = _ranges()
    sources = _titles()
    rows = []
    for name, one in parameters.items():
        base, _, place = name.partition("/")
        low, high, unit, central = known.get(name, (None, None, "", None))
        range_ = "" if low is None or high is None else f"{plain(low)} to {plain(high)}"
        changed = central is not None and one.get("value") != central
        source = str(one.get("source", ""))
        told = PARAMETERS.get(base, base.replace("_", " ")) + (f", {place}" if place else "")
        value = plain(float(one["value"])) + (" (set by the experiment)" if changed else "")
        rows.append((told, value, range_, unit, str(one.get("grade", "")), sources.get(source, source), name))
    head = ("assumption", "value", "range", "unit", "grade", "source", "name in files")
    return Table("Parameters of the model, with the range within which each is thought to lie", head, tuple(rows), (1,))


def graded(parameters: Mapping[str, Any]) -> str:
    """How many parameters are of which grade."""
    count = Counter(str(one.get("grade", "")) for one in parameters.values())
    told = [f"{number} {'is' if number == 1 else 'are'} {MEANING.get(grade, grade)}" for grade, number in
            sorted(count.items(), key=lambda one: GRADES.index(one[0]) if one[0] in GRADES else 9)]  # fmt: skip
    return f"Of {sum(count.values())} parameters {listed(told)}." if told else "No parameters are on record."


def _ranges() -> dict[str, tuple[float | None, float | None, str, float | None]]:
    """Low, high, unit and central value of the shipped parameters."""
    out = {}
    for row in _read("baseline/parameters.csv"):
        name = "/".join(part for part in (row["parameter"], row["product"], row["region"]) if part)
        numbers = [float(row[key]) if row[key] else None for key in ("low", "high", "central")]
        out[name] = (numbers[0], numbers[1], row["unit"], numbers[2])
    return out


def _titles() -> dict[str, str]:
    named = {row["source"]: row["title"] for row in _read("sources/bibliography.csv")}
    return {**named, "backfill_assumption": "assumed by the authors of the benchmark"}


def _read(name: str) -> list[dict[str, str]]:
    try:
        with (data_dir() / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except OSError:
        return []
