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
# # What does exporting the full stack do?
#
# The other half of the Action Plan: packages of American chips, models and credit for partners, five per cent cheaper. `full-stack-exports`
# adds them to current policy from 2026, for the Gulf, South-East Asia and India; in the Gulf and South-East Asia customers for frontier
# accelerators are checked as well. Whom do the packages displace, who pays, and how much leaks?

# %%
import polars as pl
from told import UNSETTLED, compute, draw, figure, result, says, share

today, packages = result("current-policy"), result("full-stack-exports")
assert today.status.name == packages.status.name == "SOLVED"
draw(packages, "compute-by-route")

# %% [markdown]
# ## Partners get more American compute

# %%
PARTNERS = ("GLF", "MYS", "ASE", "IND")


def delivered(of, scenario: str) -> float:
    """American accelerators shipped to the partners over all years, H100e."""
    table = of.tables.exports.filter(
        pl.col("scenario") == scenario,
        pl.col("origin") == "USA",
        pl.col("destination").is_in(PARTNERS),
        pl.col("unit") == "thousand H100e",
        pl.col("period") != "all",
    )
    return 1000 * table["value"].sum()


before, after = delivered(packages, "current-policy"), delivered(packages, packages.name)
says(
    after > before > 0,
    f"Partners receive {compute(after)} of American accelerators rather than {compute(before)}: {share(after / before - 1)} more.",
)
def sold(of, scenario: str, origin: str, *, partners: bool) -> float:
    """Accelerators that a region sells abroad, to the partners or to all others but the adversary, H100e."""
    there = pl.col("destination").is_in(PARTNERS)
    table = of.tables.exports.filter(
        pl.col("scenario") == scenario,
        pl.col("origin") == origin,
        pl.col("destination") != origin,
        there if partners else ~there & (pl.col("destination_bloc") != "adversary"),
        pl.col("unit") == "thousand H100e",
        pl.col("period") != "all",
    )
    return 1000 * table["value"].sum()


chinese, fewer = (sold(packages, one, "CHN", partners=True) for one in ("current-policy", packages.name))
elsewhere, left = (sold(packages, one, "USA", partners=False) for one in ("current-policy", packages.name))
says(
    0 < fewer < chinese < 0.01 * before and elsewhere - left > 10 * (chinese - fewer),
    f"They displace few rivals: China's makers sell {compute(chinese - fewer)} less there, of {compute(chinese)}. Most of what partners get "
    f"more comes from what American makers would have sold elsewhere: {compute(elsewhere - left)} less goes to other countries abroad.",
)
gain = figure(packages, "welfare, present value", "third countries") - figure(
    today, "welfare, present value", "third countries"
)
says(gain > 0, f"Third countries are {gain} better off in present value than under current policy.")

# %% [markdown]
# ## The United States pay for it

# %%
cost = figure(packages, "welfare, present value", "US") - figure(today, "welfare, present value", "US")
public = figure(packages, "change in fiscal revenue", "US", "against_current_policy")
says(
    cost < 0 and public < 0,
    f"The United States are {abs(cost)} worse off in present value, and their treasury has {abs(public)} less over the years. {UNSETTLED}",
)

# %% [markdown]
# ## What leaks
#
# Where customers are checked less is smuggled. But machines in partners' data centres can be rented out.

# %%
smuggled = figure(packages, "compute acquired, smuggled through hubs", "adversary", "against_current_policy")
rented = figure(packages, "compute acquired, rented abroad", "adversary", "against_current_policy")
denied = figure(packages, "compute denied", "adversary", "against_current_policy")
says(
    smuggled < 0 < rented and rented > abs(smuggled),
    f"{abs(smuggled)} less is smuggled to the adversary, {rented} more is rented by it.",
)
says(
    denied < 0,
    f"In sum it acquires {abs(denied)} *more* than under current policy: selling more to partners denies less.",
)

# %% [markdown]
# What American influence in partners' systems is worth beyond trade is not in the model; the subsidy and the lock-in are assumed. Does
# a rule on clouds beside the packages change the answer? Include `cloud-rule` in a file of your own and run it.
