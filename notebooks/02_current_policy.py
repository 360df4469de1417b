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
# # What does current policy do?
#
# All rules in force together, against a world without any: who gets less compute, who sells less, who fills the gap, and who pays.

# %%
from told import UNSETTLED, draw, ends, figure, result, says, within

today = result("current-policy")
assert today.status.name == "SOLVED", today.message

# %% [markdown]
# ## Compute
#
# The controls work on the routes they name. They work far less on the sum of all routes.

# %%
draw(today, "compute-by-route")

# %%
direct = figure(today, "compute acquired, from the US", "adversary")
net = figure(today, "compute denied", "adversary")
says(
    direct < 0 and abs(direct) > 2 * net,
    f"Direct deliveries from the United States fall by **{abs(direct)}**, all acquisitions by **{net}**: less than half of it.",
)
lead = figure(today, "US to adversary compute, accessible stock", "world", "policy", "2030")
before = figure(today, "US to adversary compute, accessible stock", "world", "reference", "2030")
says(
    lead > before > 1,
    f"In 2030 the United States can reach {lead:.1f} times the compute that the adversary can reach, rather than {before:.1f} times.",
)

# %%
draw(today, "stocks")

# %% [markdown]
# ## Tools
#
# Tools are where allies can fill the gap. A backfill rate is a seller's gain over what American firms lose in that market.

# %%
draw(today, "who-backfills", group="tools")

# %%
allies = figure(today, "backfill rate of tools by US allies", "adversary")
home = figure(today, "backfill rate of tools by adversary", "adversary")
says(
    allies > home > 0,
    f"Of the American tool sales lost, allies replace **{allies}** and China's own makers **{home}**: friends fill more of the "
    "gap than the target does.",
)
logic = figure(today, "capacity, logic_advanced", "adversary", period="2030")
says(
    logic > 0,
    "China's capacity for advanced logic in 2030 is *larger* than without controls: denial raises the price at home.",
)

# %% [markdown]
# ## Who pays
#
# Equivalent variation: how much income would make people as well off as the policy leaves them. Negative is a loss.

# %%
draw(today, "welfare")

# %%
def word(change: float) -> str:
    """What somebody does whose welfare changes so."""
    return "gain" if change > 0 else "lose"


us = figure(today, "welfare, present value", "US")
ally = figure(today, "welfare, present value", "US allies")
them = figure(today, "welfare, present value", "adversary")
says(
    them < ally < 0 and abs(us) < abs(ally),
    f"The adversary loses most ({abs(them)}), then America's allies ({abs(ally)}). What the United States themselves {word(us)} is smaller "
    f"({abs(us)}), and whether they gain or lose is not settled: it contains what the emergency tariffs of 2025 do to the prices at which "
    f"they trade, and rests on assumptions about packaging. {UNSETTLED}",
)
gross = figure(today, "revenue lost, gross", "US")
resold = figure(today, "revenue lost, net of resale", "US")
says(
    0 < resold < gross / 2,
    f"American firms lose sales of {gross} to the adversary, but sell more than half of it to others: net of resale it is {resold}.",
)
cost = figure(today, "cost per unit denied", "US and allies")
low, high = ends("cost per unit denied", "US and allies")
says(
    low < 0 < cost < high,
    f"For the United States and allies together a unit of compute denied costs about {cost:,.0f} USD at central values "
    f"{within('cost per unit denied', 'US and allies')}; that it costs them nothing is not excluded.",
)

# %% [markdown]
# ## How sure is this?
#
# These are central values. `backfill run current-policy --ranges` solves it again at both ends of the parameters that matter most;
# [what we do not know](08_what_we_do_not_know.ipynb) shows what moves. The README says what is not settled.
