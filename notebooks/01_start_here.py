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
# # Start here: what do today's controls achieve, and how would I ask something else?
#
# Ten minutes. The question of this project: *when compute exports are controlled, who fills the gap, at what price, and to whom is it
# a cost?* A **policy** is a short text file. The model solves two worlds that share everything else, one with the policy and one
# without, and reports the difference. Every figure below is computed when the notebook runs, and every sentence fails if it is no
# longer so.
#
# Compute is counted in *H100e*: accelerators weighted by operations and memory bandwidth relative to one NVIDIA H100.

# %%
from told import channel, draw, figure, result, says, within

import backfill

# %% [markdown]
# ## One run
#
# `current-policy` holds every American and allied rule since October 2022 that is in force, and what China answered. The first run
# takes a minute or two; later ones read what was kept. On the command line this is `backfill run current-policy`.

# %%
today = result("current-policy")
assert today.status.name == "SOLVED", today.message
draw(today, "compute-by-route")

# %%
without = figure(today, "compute acquired", "adversary", "reference")
gross = figure(today, "gross denial", "adversary")
net = figure(today, "compute denied", "adversary")
leakage = figure(today, "leakage rate", "adversary")
says(
    0 < net < gross < without,
    f"Without controls the adversary acquires **{without}** over the years. The rules cut **{gross}** from what it buys and from what it "
    f"could make; after everything that replaces it, **{net}** stay denied {within('compute denied', 'adversary')}.",
)
says(leakage > 0.5, f"More than half of what is cut comes back by another way: **{leakage}**.")

# %% [markdown]
# ## By which way does it come back?
#
# Read the steps from left to right: what is cut, then each channel that gives some of it back, then what stays denied.

# %%
draw(today, "waterfall")

# %%
rented, smuggled, made = (channel(today, one) for one in ("cloud", "diversion", "domestic"))
others = gross - net - rented - smuggled - made
more = figure(today, "compute acquired, own makers", "adversary")
says(
    rented > smuggled > made > more > 0 and abs(others) < 0.001 * gross,
    f"What comes in its place is rented from clouds abroad ({rented} more), smuggled ({smuggled}) and made at home ({made}), in this "
    "order. That is all of it: allies and third countries sell the adversary next to no accelerators. Of what is made at home a part "
    f"makes up for what its makers lose for want of tools and memory: on balance they make {more} more.",
)

# %% [markdown]
# ## Move the policy by hand
#
# Each slider is one number in a policy file. The charts follow at once: one year, suppliers' plans as they are without the change. In
# JupyterLab move *coverage of tools* or *secondary tariff*; *save as experiment* writes the position as a file for the command line.
# `backfill.panel(mode="coupled")` lets suppliers answer too and takes a little longer.

# %%
board = backfill.panel()
board

# %% [markdown]
# The panel can also be moved by a program, which is how this text knows what it shows:

# %%
board.reset()
before = board.shown
board.move(**{"coverage of tools": 0.0})
after = board.shown
board.reset()
fall = before.value("change in sales to the adversary", "us", "tools")
says(
    fall < after.value("change in sales to the adversary", "us", "tools"),
    "With the coverage of tools at nothing, American sales of tools to China are higher than where the panel starts.",
)

# %% [markdown]
# ## A policy of your own
#
# `backfill new my-policy` writes a commented file to start from; `backfill validate` names everything wrong with it at once. Three
# lines of a measure say who closes what to whom:

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

POLICY = """
title = "Memory for accelerators, closed by the United States alone"

[[measures]]
kind = "export_control"
by = "USA"
products = "hbm"
destinations = "CHN"
coverage = 0.9
from = 2026-01-01
"""
with TemporaryDirectory() as folder:
    file = Path(folder) / "hbm-alone.toml"
    file.write_text(POLICY)
    mine = backfill.load_experiment(file)
says(len(mine.policy.measures) == 1, f"Read and checked: *{mine.title}*. `backfill run hbm-alone.toml` solves it.")

# %% [markdown]
# ## Where to go on
#
# - What current policy does, in full: [current policy](02_current_policy.ipynb)
# - Allies: [alignment and backfilling](03_allied_alignment.ipynb), [who gives in to a secondary tariff](04_secondary_tariffs.ipynb)
# - Loopholes: [subsystems](05_subsystems.ipynb), [diversion](06_diversion.ipynb)
# - Selling more: [the full stack](07_full_stack.ipynb)
# - Trust: [what we do not know](08_what_we_do_not_know.ipynb), [how the model works](09_how_it_works.ipynb)
# - Your tables: [bring your own data](10_your_own_data.ipynb)
