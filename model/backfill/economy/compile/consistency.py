"""Whether the compiled tables can be one economy: accounts of every product and region."""

from __future__ import annotations

import numpy as np

LEAST_VALUE_ADDED = 0.05
SLACK = 1e-6


def faults(
    codes: tuple[str, ...],
    flows: dict[str, np.ndarray],
    tariffs: dict[str, np.ndarray],
    inputs: dict[tuple[str, str], np.ndarray],
    margin: dict[str, np.ndarray],
    rent: dict[str, np.ndarray],
    taken: dict[str, np.ndarray],
) -> list[str]:
    """Value added above 5% of output everywhere, purchases at least what is used, own use of broad products positive."""
    found = []
    output = {p: m.sum(1) for p, m in flows.items()}
    for product, made in output.items():
        spent = sum((s for (p, _), s in inputs.items() if p == product), np.zeros(len(codes)))
        added = 1 - spent - margin[product] - rent[product]
        for r, region in enumerate(codes):
            if made[r] > 0 and added[r] <= LEAST_VALUE_ADDED:
                found.append(
                    f"inputs.csv: {product} in {region}: value added {added[r]:.3f} of output: "
                    f"must exceed {LEAST_VALUE_ADDED}: lower its input, margin or rent shares in data/sources"
                )
    for product in flows:
        bought = (flows[product] * (1 + tariffs[product])).sum(0)
        used = sum((s * output[p] for (p, i), s in inputs.items() if i == product), np.zeros(len(codes)))
        used = used + taken.get(product, 0.0)
        for r, region in enumerate(codes):
            if used[r] > bought[r] + SLACK * max(bought[r], 1.0):
                found.append(
                    f"flows.csv: {product} to {region}: bought {bought[r]:.6g} million USD, used {used[r]:.6g}: "
                    "raise its supply or lower the technologies that take it in data/sources"
                )
            if used[r] > 0 and bought[r] <= 0:
                found.append(f"flows.csv: {product} to {region}: used but nobody sells it: add an origin")
    for product in ("electronics", "other_goods", "services"):
        for r, region in enumerate(codes):
            if flows[product][r, r] <= 0:
                found.append(f"flows.csv: {product} of {region} for itself is nil: check icio_flows.csv")
    return found
