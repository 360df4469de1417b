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
# # Do controls on tools hold without allies, and what changes when allies join?
#
# `allied-alignment` adds to current policy a country-wide control on chipmaking tools that Japan, the Netherlands and Korea adopt too.
# The comparison that matters is with current policy, not with a world without rules.

# %%
from told import UNSETTLED, draw, figure, result, says, within

today, joined = result("current-policy"), result("allied-alignment")
assert today.status.name == joined.status.name == "SOLVED"
draw(joined, "who-backfills", group="tools")

# %% [markdown]
# ## Backfilling turns round
#
# Under current policy allies sell part of what American firms no longer may. Once they align, they sell less than without any policy:
# the rate turns negative.

# %%
alone = figure(today, "backfill rate of tools by US allies", "adversary")
together = figure(joined, "backfill rate of tools by US allies", "adversary")
says(
    alone > 0 > together,
    f"Allies fill {alone} of the gap in tools under current policy; aligned, their sales fall with those of American firms.",
)

# %% [markdown]
# ## What it buys
#
# Tools make capacity, capacity makes chips, and each step takes years.

# %%
draw(joined, "capacity", group="logic_advanced")

# %%
now = figure(joined, "capacity, logic_advanced", "adversary", "current_policy", "2030")
then = figure(joined, "capacity, logic_advanced", "adversary", "policy", "2030")
says(
    then < now,
    f"China's capacity for advanced logic in 2030 is {100 * (1 - then / now):.1f}% below that under current policy.",
)
extra = figure(joined, "compute denied", "adversary", "against_current_policy")
base = figure(today, "compute denied", "adversary")
says(
    abs(extra) < 0.01 * base,
    f"Compute denied hardly moves in these years (by {extra}, against {base} that current policy denies): what is not made at home is "
    "rented or smuggled, and fabs that were built stay.",
)

# %% [markdown]
# ## What it costs

# %%
for who in ("US", "US allies"):
    before, after = (figure(one, "welfare, present value", who) for one in (today, joined))
    says(after < before, f"{who}: {abs(before - after)} worse off in present value than under current policy. {UNSETTLED}")
paid, pays = (figure(one, "cost per unit denied", "US and allies") for one in (today, joined))
says(
    pays > paid,
    f"A unit of compute denied costs the United States and allies {pays / paid - 1:.0%} more than under current policy, at central "
    f"values; under current policy alone it costs {paid:,.0f} USD {within('cost per unit denied', 'US and allies')}.",
)
their = figure(joined, "welfare, present value", "adversary", "against_current_policy")
says(
    abs(their) < 0.01 * abs(figure(today, "welfare, present value", "adversary")),
    "The adversary's own welfare hardly moves: fabs that are not built are not paid for either, and what is left of them sells dearer.",
)

# %% [markdown]
# Whether allies would want this is another question: [who gives in, and when](04_secondary_tariffs.ipynb).
