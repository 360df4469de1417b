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
# Rates here are those of a threat that is believed for certain, without retaliation by China and without any worth of denial to the
# ally: a threat half believed takes about twice as much. The panel's model answers in one year at given supply plans, so that dozens of worlds take seconds. A full game, with retaliation,
# beliefs and offers, is `backfill align align-tools`.

# %%
import altair as alt
import polars as pl
from told import money, says, show

import backfill

board = backfill.panel()
ALLIES = {"NLD": "Netherlands align", "JPN": "Japan aligns", "KOR": "Korea aligns"}
RATES = [0.0, 0.005, 0.01, 0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5]


def gain(region: str, others: float, rate: float) -> float:
    """What an ally gains by going along, million USD a year, the others standing at a level."""
    levels = dict.fromkeys(ALLIES.values(), others) | {"secondary tariff": rate}
    worth = []
    for level in (0.0, 1.0):
        board.move(**levels | {ALLIES[region]: level})
        worth.append(board.shown.value("equivalent variation", region))
    return worth[1] - worth[0]


rows = [
    {"ally": region, "others": word, "rate": rate, "gain": gain(region, others, rate)}
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
    held = gains.filter(pl.col("ally") == region, pl.col("others") == others, pl.col("gain") > 0)["rate"]
    return float("inf") if held.is_empty() else held.min()


def free(region: str, others: str) -> float:
    """What going along costs without a threat, million USD a year."""
    return -gains.filter(pl.col("ally") == region, pl.col("others") == others, pl.col("rate") == 0)["gain"][0]


for region in ALLIES:
    cost = free(region, "stay out")
    rate = enough(region, "stay out")
    says(
        cost > 0 and 0 < rate < float("inf"),
        f"**{region}** alone: going along costs {money(cost)} a year; of the rates tried, {rate:.1%} is the least that makes it pay.",
    )

# %% [markdown]
# ## It is easier together
#
# An ally that goes along alone gives its sales to its peers. When they go along too there is less to lose, so that a much smaller threat
# is enough: the *first* to move is the expensive one.

# %%
for region in ALLIES:
    first, last = enough(region, "stay out"), enough(region, "go along")
    says(last <= first, f"**{region}**: {first:.1%} when the others stay out, {last:.1%} when they go along.")
lowest = min(enough(region, "stay out") for region in ALLIES)
easiest = [region for region in ALLIES if enough(region, "stay out") == lowest]
says(len(easiest) == 1, f"The easiest to move alone is **{easiest[0]}**: it gives in at the lowest rate.")

# %% [markdown]
# ## Would the threat be carried out?
#
# A tariff on an ally is a cost to American buyers too, and its worth to the sender lies in not being used. `backfill align align-tools`
# reports what carrying it out is worth to the United States, how credible it must be, and what an offer would cost instead.
