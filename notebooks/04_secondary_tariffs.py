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
# # Which ally gives in to a secondary tariff, and at what rate?
#
# The United States close tools and subsystems to the whole of China and put a duty on the goods of each ally that does not follow. An
# ally goes along when that leaves it better off than paying. The answer depends on what the *others* do: whoever stays out while the
# others join sells more in China.
#
# Rates here are those of a threat that is believed for certain and falls on whoever stays out, in one year at given supply plans, so that
# dozens of worlds take seconds. Below they stand beside those of the full game (`backfill align align-tools`), in which builders answer,
# threats are half believed and answered with duties, China retaliates, and denial is worth something to allies.

# %%
import altair as alt
import polars as pl
from told import UNSETTLED, money, names, says, show

import backfill
from backfill.resources import experiments_dir

board = backfill.panel()
ALLIES = {"NLD": "Netherlands align", "JPN": "Japan aligns", "KOR": "Korea aligns"}
RATES = [0.0, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5]


def gain(region: str, others: float, rate: float) -> float:
    """What an ally gains by going along, million USD a year, the others standing at a level."""
    levels = dict.fromkeys(ALLIES.values(), others) | {"secondary tariff": rate}
    worth = []
    for level in (0.0, 1.0):
        board.move(**levels | {ALLIES[region]: level})
        worth.append(board.shown.value("equivalent variation", region))
    return worth[1] - worth[0]


rows = [
    {"ally": names()[region], "region": region, "others": word, "rate": rate, "gain": gain(region, others, rate)}
    for region in ALLIES
    for word, others in (("stay out", 0.0), ("go along", 1.0))
    for rate in RATES
]
gains = pl.DataFrame(rows)
board.reset()

# %% [markdown]
# ## What going along is worth
#
# Above the line an ally is better off aligned. The dashed curve is for an ally whose peers align already.

# %%
curves = (
    alt.Chart(gains)
    .mark_line(point=True)
    .encode(
        x=alt.X("rate:Q", title="secondary tariff", axis=alt.Axis(format="%")),
        y=alt.Y("gain:Q", title="gain from going along, million USD a year"),
        strokeDash=alt.StrokeDash("others:N", title="the others"),
        color=alt.Color("ally:N", legend=None),
    )
    .properties(width=190, height=190)
    .facet(column=alt.Column("ally:N", title=None))
    .resolve_scale(y="independent")
)
show(curves)


# %% [markdown]
# ## The rate at which each gives in


# %%
def enough(region: str, others: str) -> float:
    """The least rate tried at which going along pays; infinite if none does."""
    held = gains.filter(pl.col("region") == region, pl.col("others") == others, pl.col("gain") > 0)["rate"]
    return float("inf") if held.is_empty() else held.min()


def free(region: str, others: str) -> float:
    """What going along costs without a threat, million USD a year."""
    return -gains.filter(pl.col("region") == region, pl.col("others") == others, pl.col("rate") == 0)["gain"][0]


for region in ALLIES:
    cost = free(region, "stay out")
    rate = enough(region, "stay out")
    says(
        cost > 0 and 0 < rate < float("inf"),
        f"**{names()[region]}** alone: going along costs {money(cost)} a year; of the rates tried, {rate:.1%} is the least that makes it pay.",
    )

# %% [markdown]
# ## It is easier together
#
# An ally that goes along alone gives its sales to its peers. When they go along too there is less to lose.

# %%
for region in ALLIES:
    first, last = enough(region, "stay out"), enough(region, "go along")
    says(
        last < first / 2,
        f"**{names()[region]}**: {first:.1%} when the others stay out, {last:.1%} when they go along. The first to move is the expensive one.",
    )
lowest = min(enough(region, "stay out") for region in ALLIES)
easiest = [region for region in ALLIES if enough(region, "stay out") == lowest]
says(len(easiest) == 1, f"The easiest to move alone is **{names()[easiest[0]]}**: it gives in at the lowest rate.")

# %% [markdown]
# ## In the full game it takes more
#
# What `backfill align align-tools` found, kept with the package: over all years, with builders' answer. There a threat counts at half its rate,
# since it is half believed; a duty on American goods answers it; and China stops minerals for those who align.

# %%
game = pl.read_csv(experiments_dir() / "align-tools.expected-game.csv", infer_schema_length=None)


def stored(quantity: str, region: str) -> float:
    """A figure of the shipped game."""
    return game.filter(quantity=quantity, where=region)["value"].item()


for region in ALLIES:
    here, there = enough(region, "stay out"), stored("deterring tariff, others as today", region)
    offer, together = stored("deterring offer, others as today", region), stored("deterring tariff, others as asked", region)
    says(
        there > 2 * here and together < there / 2,
        f"**{names()[region]}**: {there:.1%} instead of {here:.1%} when the others stay as they are, {together:.1%} when they go along; or an "
        f"offer of {money(offer)} a year without any threat.",
    )

# %% [markdown]
# ## Would the threat be carried out?
#
# A tariff on allies is paid by American buyers too, but a small one also turns the terms of trade towards a large buyer, as long as nobody
# answers it. With nobody aligned:

# %%
PRECEDENT = 0.25


def carried_out(rate: float) -> float:
    """What a duty on all three allies gains the United States, million USD a year."""
    worth = []
    for one in (0.0, rate):
        board.move(**dict.fromkeys(ALLIES.values(), 0.0) | {"secondary tariff": one})
        worth.append(board.shown.value("equivalent variation", "USA"))
    return worth[1] - worth[0]


dearest = max(enough(region, "stay out") for region in ALLIES)
small, large = carried_out(dearest), carried_out(PRECEDENT)
board.reset()
says(
    small > 0 > large,
    f"At {dearest:.1%}, which makes all three give in, carrying it out would gain the United States {money(small)} a year if nobody "
    f"answered; at {PRECEDENT:.0%}, the precedent of 2025, it would cost them {money(-large)}. {UNSETTLED}",
)
answered = game.filter(pl.col("quantity").str.starts_with("threat carried out at"))["value"]
says(
    bool((answered < 0).all()),
    f"In the full game, where allies answer a duty of {PRECEDENT:.0%} with half of it, carrying it out costs the United States at every profile "
    "in which somebody stays out: a threat that has to be believed without being in the interest of who makes it.",
)
