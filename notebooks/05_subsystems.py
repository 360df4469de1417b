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
# # Does plugging subsystems work?
#
# Tools are made of parts, and they need servicing. Controls on finished tools leave both open. Three experiments close them: the United
# States alone on parts, the United States alone on servicing, and parts and servicing together with Japan, the Netherlands and Korea.

# %%
import altair as alt
import polars as pl
from told import UNSETTLED, figure, result, says, share, show

today, parts, servicing, aligned = (
    result(name) for name in ("current-policy", "subsystems-alone", "servicing-alone", "subsystems-servicing-aligned")
)
assert all(one.status.name == "SOLVED" for one in (today, parts, servicing, aligned))

# %% [markdown]
# ## Parts alone almost nothing, servicing alone half of it

# %%
base = figure(today, "compute denied", "adversary")
small, half, large = (
    figure(one, "compute denied", "adversary", "against_current_policy") for one in (parts, servicing, aligned)
)
says(
    0 < small < 0.001 * base,
    f"Closing parts alone denies {small} more than current policy, over all years: less than a thousandth of the {base} it denies.",
)
says(
    large / 3 < half < 2 * large / 3,
    f"Servicing alone denies {half} more: machines that stand wear out faster. Parts, servicing and allies together deny "
    f"{large} more; servicing by the United States alone gives {half / large:.0%} of that.",
)
says(
    large < 0.02 * base,
    f"So: **plugging these loopholes works, but it adds little compute denied by 2030**, {share(large / base)} to what current policy "
    "denies. What it takes is capacity, and that goes slowly.",
)

# %% [markdown]
# ## Why it takes years
#
# Parts and servicing act on the stock of machines: fewer come, and those that stand wear out faster. The gap opens from year to year. Where
# lines lie on each other the dashes show both.

# %%
NAMES = {
    "current-policy": "current policy",
    "subsystems-alone": "parts, United States alone",
    "servicing-alone": "servicing, United States alone",
    "subsystems-servicing-aligned": "parts and servicing, aligned",
}


def capacity(of) -> pl.DataFrame:
    """China's capacity for advanced logic by year under a policy."""
    table = of.tables.capacity.filter(
        pl.col("scenario") == of.name,
        pl.col("bloc") == "adversary",
        pl.col("product") == "logic_advanced",
        pl.col("quantity") == "capacity",
    )
    return (
        table.group_by("period").agg(pl.col("value").sum()).sort("period").with_columns(policy=pl.lit(NAMES[of.name]))
    )


paths = pl.concat([capacity(one) for one in (today, parts, servicing, aligned)])
show(
    alt.Chart(paths)
    .mark_line(strokeWidth=2.5)
    .encode(
        x=alt.X("period:O", title=None),
        y=alt.Y("value:Q", title="million USD of 2022 a year"),
        color=alt.Color("policy:N", title=None, legend=alt.Legend(orient="bottom", labelLimit=260)),
        strokeDash=alt.StrokeDash("policy:N", title=None),
    )
    .properties(width=520, height=240, title="China's capacity for advanced logic")
)

# %%
wide = paths.pivot("policy", index="period", values="value").sort("period")
gap = (1 - wide[NAMES[aligned.name]] / wide[NAMES[today.name]]).to_list()
late = [gap[wide["period"].to_list().index(year)] for year in ("2026", "2028", "2030")]
says(
    late[0] < late[1] < late[2],
    f"The aligned package takes {late[0]:.1%} off that capacity in 2026, {late[1]:.1%} in 2028 and {late[2]:.1%} in 2030.",
)
made = figure(aligned, "compute acquired, own makers", "adversary", "against_current_policy")
rented = figure(aligned, "compute acquired, rented abroad", "adversary", "against_current_policy")
says(
    made < 0 < rented and rented < abs(made),
    f"{abs(made)} less is made at home over the years, of which {rented} are replaced by renting abroad.",
)

# %% [markdown]
# ## Who fills, who pays

# %%
filled = [figure(one, "backfill rate of tools by US allies", "adversary") for one in (today, parts, aligned)]
says(
    filled[0] > filled[1] > filled[2] > 0,
    f"Allies fill {filled[0]} of the fall in American tool sales today, {filled[2]} in the package.",
)
costs, alone, together = (
    figure(one, "welfare, present value", "US", "against_current_policy") for one in (parts, servicing, aligned)
)
says(
    costs < 0 < alone < together,
    f"Closing parts alone costs the United States {abs(costs)} in present value; closing servicing alone gains them {alone}, and all "
    f"of it with allies {together}, against current policy. {UNSETTLED}",
)

# %% [markdown]
# How fast unserviced machines wear out is assumed, with a wide range: the result for servicing is no better than that number.
