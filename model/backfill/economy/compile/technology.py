"""Input shares of every producer, scaled so that no product is used more than it is bought."""

from __future__ import annotations

import numpy as np

from backfill.economy.compile.accelerators import bought_by_designers, used_in
from backfill.economy.compile.demand import STACK, TOOLS, technology
from backfill.economy.compile.sectors import BROAD
from backfill.economy.compile.sources import Sources

LEAST_FINAL = 0.10
LEAST_VALUE_ADDED = 0.12


def purchases(flows: dict[str, np.ndarray], tariffs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Purchases at purchaser prices by region."""
    return {p: (m * (1 + tariffs[p])).sum(0) for p, m in flows.items()}


def input_shares(
    sources: Sources, flows: dict[str, np.ndarray], tariffs: dict[str, np.ndarray], taken: dict[str, np.ndarray]
) -> dict[tuple[str, str], np.ndarray]:
    """Input share of gross output by (product, input), ``[region]``.

    Stack technologies are scaled down where a region bought less than they need; what they leave of a stack product goes
    to the broad product that uses it (electronics take chips, services take servers). Broad products buy each other by
    WIOD coefficients less the stack inputs, scaled so that a tenth of each is left for final use and value added stays.

    Args:
        taken: purchases by accelerator designers and data centres, by product.
    """
    codes = sources.codes
    output = {p: m.sum(1) for p, m in flows.items()}
    bought = purchases(flows, tariffs)
    need = technology(sources)
    shares: dict[tuple[str, str], np.ndarray] = {}
    for item in STACK:
        if item in TOOLS:
            continue
        users = [p for p in STACK if (p, item) in need]
        used = sum((need[p, item] * output[p] for p in users), np.zeros(len(codes)))
        room = np.maximum(bought[item] * 0.999 - taken.get(item, 0.0), 0.0)
        fit = np.minimum(1.0, np.divide(room, used, out=np.ones_like(used), where=used > 0))
        for p in users:
            shares[p, item] = np.where(output[p] > 0, need[p, item] * fit, 0.0)
        host, part = next(sources.rows("remainder_used_by", product=item).select("partner", "value").iter_rows())
        left = np.maximum(room - used * fit, 0.0) * part
        shares[host, item] = np.divide(left, output[host], out=np.zeros_like(left), where=output[host] > 0)
    for item in BROAD:
        for p in STACK:
            if (p, item) in need:
                shares[p, item] = np.where(output[p] > 0, need[p, item], 0.0)
    shares |= _broad(sources, output, bought, shares, taken)
    return shares


def _broad(
    sources: Sources,
    output: dict[str, np.ndarray],
    bought: dict[str, np.ndarray],
    stack: dict[tuple[str, str], np.ndarray],
    taken: dict[str, np.ndarray],
) -> dict[tuple[str, str], np.ndarray]:
    codes = sources.codes
    shares = {
        (p, item): sources.vector("input_coefficient", codes, product=p, partner=item) for p in BROAD for item in BROAD
    }
    embodied = sum((s for (p, i), s in stack.items() if p == "electronics" and i in STACK), np.zeros(len(codes)))
    shares["electronics", "electronics"] = np.maximum(shares["electronics", "electronics"] - embodied, 0.03)
    for p in BROAD:
        from_stack = sum((s for (q, i), s in stack.items() if q == p and i in STACK), np.zeros(len(codes)))
        total = sum(shares[p, item] for item in BROAD)
        fit = np.minimum(1.0, (1 - LEAST_VALUE_ADDED - from_stack) / total)
        for item in BROAD:
            shares[p, item] = shares[p, item] * fit
    for item in BROAD:
        fixed = sum((stack[p, item] * output[p] for p in STACK if (p, item) in stack), np.zeros(len(codes)))
        fixed = fixed + taken.get(item, 0.0)
        used = sum(shares[p, item] * output[p] for p in BROAD)
        room = np.maximum((1 - LEAST_FINAL) * bought[item] - fixed, 0.0)
        fit = np.minimum(1.0, room / used)
        for p in BROAD:
            shares[p, item] = shares[p, item] * fit
    return shares


def taken_by_compute(sources: Sources, cloud_margin: np.ndarray) -> dict[str, np.ndarray]:
    """Purchases by accelerator designers and by users of compute in 2022, by product and region, million USD."""
    out = {item: value for item, value in bought_by_designers(sources).items() if item in (*STACK, *BROAD)}
    used = used_in(sources, 2022)
    for item, value in sources.by("partner", "site_and_operation", period="2022").items():
        out[item] = out.get(item, np.zeros(len(used))) + value * used
    out["services"] = out["services"] + cloud_margin
    return out
