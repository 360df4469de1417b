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
# # Can I use my own data?
#
# Yes: two tables make an economy. One row a flow, one row an elasticity. Nothing here rests on the project's benchmark but the two
# example files, which are it, added up to five regions and three products.

# %%
from pathlib import Path

import altair as alt
import polars as pl
from told import says, share, show

import backfill

here = next(folder for folder in (Path(), *Path().absolute().parents) if (folder / "docs" / "your-own-data").is_dir())
data = here / "docs" / "your-own-data"
trade, elasticities = (pl.read_csv(data / name) for name in ("trade.csv", "elasticities.csv"))
trade.head()

# %% [markdown]
# `backfill economy check DIR` names everything wrong with such files, row by row. In a program:

# %%
economy = backfill.Economy.from_tables(trade=trade, elasticities=elasticities)
still = economy.solve()
says(
    float((still.welfare["hat"] - 1).abs().max()) < 1e-9,
    "Solved without any change, nothing moves: the model reproduces the tables.",
)

# %% [markdown]
# ## A tariff war in electronics
#
# The United States and China each put a quarter on the other's electronics.

# %%
war = pl.DataFrame(
    {
        "origin": ["China", "United States"],
        "destination": ["United States", "China"],
        "product": ["electronics", "electronics"],
        "rate": [0.25, 0.25],
    }
)
world = economy.solve(tariffs=war)
change = world.welfare.with_columns(percent=100 * (pl.col("hat") - 1))
show(
    alt.Chart(change)
    .mark_bar()
    .encode(x=alt.X("percent:Q", title="change of real expenditure, %"), y=alt.Y("region:N", title=None, sort="x"))
    .properties(width=420, height=140, title="Who gains and who loses")
)

# %%
moved = dict(change.select("region", "percent").iter_rows())
worst = min(moved, key=moved.__getitem__)
says(moved["China"] < 0, f"China loses {abs(moved['China']):.2f}% of real expenditure; the largest loser is {worst}.")
bystanders = [region for region in moved if region not in ("China", "United States")]
says(
    any(moved[region] > 0 for region in bystanders), "Somebody who is in no war gains by it: trade is diverted to them."
)

# %% [markdown]
# ## An export control instead
#
# Three in ten buyers can still buy; for the others the route is closed whatever they would pay.

# %%
controls = pl.DataFrame(
    {"origin": ["United States"], "destination": ["China"], "product": ["electronics"], "availability": [0.3]}
)
shut = dict(economy.solve(export_controls=controls).welfare.select("region", "hat").iter_rows())
says(
    shut["China"] < 1 and shut["United States"] < 1,
    f"The control costs China {share(1 - shut['China'])} and the United States {share(1 - shut['United States'])} of real expenditure.",
)

# %% [markdown]
# ## Deficits are your choice
#
# Trade does not balance in any real table. `closure="fixed"` keeps deficits as shares of the world's value added, `"balanced"` first
# removes them. A result that turns on this choice is not robust.

# %%
balanced = backfill.Economy.from_tables(trade=trade, elasticities=elasticities, closure="balanced").solve(tariffs=war)
other = dict(balanced.welfare.select("region", "hat").iter_rows())
says((other["China"] < 1) == (moved["China"] < 0), "Who loses in China's row does not turn on it here.")

# %% [markdown]
# ## A policy file on your tables
#
# Beside the tables put `regions.csv` with each region's bloc, and name the folder in the file: `[economy]`, `tables = "."`. Then
# everything else works, the panel and sweeps included: `backfill run docs/your-own-data/control.toml`.

# %%
mine = backfill.load_experiment(data / "control.toml")
says(
    mine.own is not None and len(mine.policy.measures) > 0,
    f"*{mine.title or mine.name}* is read and checked against these tables.",
)
