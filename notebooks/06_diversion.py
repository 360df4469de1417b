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
# # If smuggling is stopped, how much compute stays denied?
#
# Accelerators reach the adversary through hubs. Two ways to stop it: chips that report where they are (`location-verification`), and more
# checks in hubs (`enforcement-budget`). Both are added to current policy.

# %%
import altair as alt
import polars as pl
from told import UNSETTLED, compute, figure, result, says, show

from backfill.charts.theme import ROUTE_COLOURS

today = result("current-policy")
chips, checks = result("location-verification"), result("enforcement-budget")
assert all(one.status.name == "SOLVED" for one in (today, chips, checks))
ROUTES = ("from the US", "smuggled through hubs", "rented abroad", "own makers")
WORLDS = {"current policy": today, "more checks in hubs": checks, "chips that report": chips}

# %%
rows = [
    {"policy": name, "route": route, "value": 1e-6 * figure(one, f"compute acquired, {route}", "adversary", "policy")}
    for name, one in WORLDS.items()
    for route in ROUTES
]
show(
    alt.Chart(pl.DataFrame(rows))
    .mark_bar()
    .encode(
        x=alt.X("value:Q", title="million H100e, all years"),
        y=alt.Y("policy:N", title=None, sort=list(WORLDS)),
        color=alt.Color(
            "route:N", title=None, scale=alt.Scale(domain=list(ROUTES), range=[ROUTE_COLOURS[one] for one in ROUTES])
        ),
        order="route:N",
    )
    .properties(width=460, height=120, title="Compute the adversary acquires, by route")
)

# %% [markdown]
# ## Smuggling falls, renting rises
#
# Both measures do what they are for. But a user who can no longer smuggle can still rent, as long as clouds abroad may serve it.

# %%
smuggled, rented, kept = {}, {}, {}
for name, one in (("more checks", checks), ("location verification", chips)):
    smuggled[name] = abs(figure(one, "compute acquired, smuggled through hubs", "adversary", "against_current_policy"))
    rented[name] = figure(one, "compute acquired, rented abroad", "adversary", "against_current_policy")
    kept[name] = figure(one, "compute denied", "adversary", "against_current_policy")
    says(
        0 < kept[name] < smuggled[name] / 3 and rented[name] > smuggled[name] / 2,
        f"With {name}, {smuggled[name]} less is smuggled and {rented[name]} more is rented; {kept[name]} more stays denied: less than "
        "a third of what is stopped.",
    )
says(
    smuggled["location verification"] > smuggled["more checks"],
    "Location verification stops more smuggling than the larger budget for checks, with monitoring beside it, does.",
)

# %% [markdown]
# ## What it costs

# %%
worth = {
    name: figure(one, "welfare, present value", "US") - figure(today, "welfare, present value", "US")
    for name, one in WORLDS.items()
}
paid = {name: abs(worth[name]) for name in ("more checks in hubs", "chips that report")}
says(
    all(worth[name] < 0 for name in paid) and paid["chips that report"] > paid["more checks in hubs"],
    f"The United States lose {paid['more checks in hubs']} by the checks and {paid['chips that report']} by chips that report, in "
    f"present value. {UNSETTLED}",
)

# %% [markdown]
# ## What stays open
#
# Renting abroad is another rule's business (`cloud-rule`; a switch on the panel of [start here](01_start_here.ipynb)), and what is made at home
# no export control reaches.

# %%
open_routes = sum(
    figure(chips, f"compute acquired, {route}", "adversary", "policy") for route in ("rented abroad", "own makers")
)
whole = figure(chips, "compute acquired", "adversary", "policy")
says(
    open_routes > whole / 2,
    f"With location verification, {compute(open_routes)} of the {whole} that the adversary still acquires are rented or made at home.",
)
