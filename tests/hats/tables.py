"""Random tables of a trading world, and tables by hand."""

from __future__ import annotations

import numpy as np
import polars as pl


def random_tables(
    regions: int, products: int, seed: int = 0, *, zeros: float = 0.2, inputs: bool = True, balanced: bool = False
) -> dict[str, pl.DataFrame]:
    """Trade, tariffs, inputs and elasticities with dispersed sizes; own use covers what producers buy."""
    rng = np.random.default_rng(seed)
    size = np.exp(rng.normal(0, 1, regions))
    flow = 0.1 * np.exp(rng.normal(0, 1, (products, regions, regions))) * size[:, None] * size
    own = np.arange(regions)
    flow[:, own, own] = np.exp(rng.normal(0, 0.5, (products, regions))) * size**2
    absent = (rng.random(flow.shape) < zeros) & ~np.eye(regions, dtype=bool)
    flow[absent] = 0.0
    if balanced:
        flow = 0.5 * (flow + flow.transpose(0, 2, 1))
    rate = rng.choice([0.0, 0.03, 0.1, 0.25], size=flow.shape)
    rate[:, own, own] = 0.0
    share = np.zeros((products, products, regions))
    if inputs:
        share = rng.dirichlet(np.ones(products), size=(regions, products)).transpose(2, 1, 0)
        share = share * rng.uniform(0.2, 0.6, (1, products, regions))
        for _ in range(60):
            spending = (flow * (1 + rate)).sum(1)
            short = 1.05 * np.einsum("skn,kn->sn", share, flow.sum(2)) - spending
            if (short <= 0).all():
                break
            flow[:, own, own] += np.maximum(short, 0.0)
    names = [f"r{i}" for i in range(regions)], [f"p{k}" for k in range(products)]
    return {
        "trade": routes(flow, "value", *names),
        "tariffs": routes(rate, "rate", *names),
        "inputs": pl.DataFrame(
            [(names[0][n], names[1][k], names[1][s], share[s, k, n]) for s, k, n in np.argwhere(share > 0)],
            schema={"region": pl.String, "product": pl.String, "input": pl.String, "share": pl.Float64},
            orient="row",
        ),
        "elasticities": pl.DataFrame({"product": names[1], "trade_elasticity": rng.uniform(1.5, 9, products)}),
    }


def routes(
    array: np.ndarray, column: str, regions: list[str], products: list[str], absent: float = 0.0
) -> pl.DataFrame:
    """``[product, origin, destination]`` as a long table without its ``absent`` entries."""
    rows = [(regions[i], regions[n], products[k], array[k, i, n]) for k, i, n in np.argwhere(array != absent)]
    schema = {"origin": pl.String, "destination": pl.String, "product": pl.String, column: pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")
