# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # How does the model work?
#
# Equations beside code: what a few lines can compute by hand from a solved world is compared with the model's own number. The world is small
# (five regions, three products, the benchmark of 2022 added up), its trade equations are of the same kind as the large one's; what the
# benchmark adds is said where it matters.

# %%
from pathlib import Path

import numpy as np
import polars as pl
from told import figure, result, says

import backfill

here = next(folder for folder in (Path(), *Path().absolute().parents) if (folder / "docs" / "your-own-data").is_dir())
data = here / "docs" / "your-own-data"
trade, elasticities = (pl.read_csv(data / name) for name in ("trade.csv", "elasticities.csv"))
economy = backfill.Economy.from_tables(trade=trade, elasticities=elasticities)

# %% [markdown]
# ## Who buys from whom
#
# Buyers of a product spread their purchases over origins. With a trade elasticity $\theta$, the share $\pi_{ij}$ of origin $i$ in what
# $j$ buys moves with the relative price. Hats are ratios to the base:
#
# $$\hat\pi_{ij} = \left(\frac{\hat p_{ij}}{\hat P_j}\right)^{-\theta}, \qquad \hat P_j = \Big(\sum_i \pi_{ij}\, \hat p_{ij}^{-\theta}\Big)^{-1/\theta}$$

# %%
tariffs = pl.DataFrame(
    {"origin": ["China"], "destination": ["United States"], "product": ["electronics"], "rate": [0.25]}
)
world = economy.solve(tariffs=tariffs)
product, buyer = "electronics", "United States"
theta = elasticities.filter(pl.col("product") == product)["trade_elasticity"][0]
base = trade.filter(pl.col("product") == product, pl.col("destination") == buyer).sort("origin")
share = (base["value"] / base["value"].sum()).to_numpy()
now = world.trade.filter(pl.col("product") == product, pl.col("destination") == buyer).sort("origin")
paid = now["value"].to_numpy() * np.where(now["origin"] == "China", 1.25, 1.0)
cost = dict(world.prices.filter(pl.col("product") == product).select("region", "cost").iter_rows())
price = np.array([cost[origin] * (1.25 if origin == "China" else 1.0) for origin in base["origin"]])
by_hand = share * price**-theta / (share * price**-theta).sum()
china = base["origin"].to_list().index("China")
says(
    bool(np.allclose(by_hand, paid / paid.sum(), rtol=1e-7)) and by_hand[china] < share[china],
    f"By hand and by the model alike: China's share of American purchases of {product} falls from {share[china]:.1%} to "
    f"{by_hand[china]:.1%}.",
)

# %% [markdown]
# ## What it is worth
#
# Welfare is real expenditure: income, revenue and transfers over the price of what is bought.

# %%
worth = dict(world.welfare.select("region", "hat").iter_rows())
says(worth["China"] < 1, "China loses by a duty on its electronics.")
largest = max(abs(hat - 1) for hat in worth.values())
says(largest < 0.01, "A duty on one product moves no region's real expenditure by as much as one per cent.")
residual = world.checks.filter(~pl.col("check").is_in(["converged", "steps"]))["value"].abs().max()
says(residual < 1e-8, "Everything that should be zero is: markets clear and the books balance.")

# %% [markdown]
# ## Controls: classes of buyers
#
# A control closes a route to a share of buyers, the *coverage*. Here each class of buyers keeps its customers; on the benchmark
# those who can still buy also win customers of those who cannot. A closed route therefore acts like no tariff: it raises nobody's revenue and leaves the price of the rest.

# %%
controls = pl.DataFrame(
    {"origin": ["United States"], "destination": ["China"], "product": ["electronics"], "availability": [0.3]}
)
closed = economy.solve(export_controls=controls)
hit = dict(closed.welfare.select("region", "hat").iter_rows())
says(hit["China"] < 1 and hit["United States"] < 1, "A control costs the target, and the country that imposes it.")
wider = controls.with_columns(availability=pl.lit(0.1))
more = dict(economy.solve(export_controls=wider).welfare.select("region", "hat").iter_rows())
says(more["China"] < hit["China"], "The wider the control, the more it costs the target.")

# %% [markdown]
# ## From gross denial to what stays denied
#
# The large model counts units of compute over routes. What controls cut, $G$, returns through channels $c$; the sum is exact:
#
# $$G = D + \sum_c L_c, \qquad \text{leakage rate} = 1 - D / G$$

# %%
today = result("current-policy")
leakage = today.tables.leakage.filter(
    pl.col("scenario") == today.name,
    pl.col("reference") == today.reference,
    pl.col("period") == "all",
    pl.col("unit") == "H100e",
)
gross, denied = (figure(today, name, "adversary") for name in ("gross denial", "compute denied"))
channels = leakage.filter(pl.col("quantity") == "leakage", pl.col("channel") != "all")["value"].sum()
says(
    bool(np.isclose(gross, denied + channels, rtol=1e-9)),
    f"Cut: {gross}. Returned through channels and denied, added up: the same to nine digits.",
)
rate = figure(today, "leakage rate", "adversary")
says(bool(np.isclose(rate, 1 - denied / gross, rtol=1e-9)), f"The leakage rate of {rate} is what that leaves.")

# %% [markdown]
# ## Suppliers plan, markets answer
#
# Capacity takes years. A builder adds until the rents it expects pay for the site, the tools and the haste; a capacity earns a rent only
# when it is full. Markets and plans are solved until neither would move: the checks say how far either still would.

# %%
checks = today.checks
says(
    checks["converged"] == 1 and checks["walras"] < 1e-8 and checks["coupling_optimality"] < 1e-6,
    "The run is solved: markets clear to a hundred-millionth and no builder would change its plan by a millionth.",
)

# %% [markdown]
# The equations in full, with shapes and units, stand in the documentation (`make docs`, page *Equations*) and beside the code.
