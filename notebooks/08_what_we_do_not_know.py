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
# # What do we not know, and how much does it matter?
#
# Most parameters of the model are assumed, within ranges that the sources allow. This notebook draws many of them at once, calibrates the
# benchmark anew for each draw, and asks current policy's effects every time. One year (2027), suppliers' plans as in the reference, so
# that it takes a minute; `mode = "coupled"` in the same file takes an evening.

# %%
from math import exp
from pathlib import Path
from tempfile import TemporaryDirectory

import altair as alt
import polars as pl
from told import compute, drivers, ends, says, share, show

import backfill
from backfill.commands.sweep import sweep_experiment
from backfill.economy.priors import priors_of
from backfill.economy.tables import load_tables
from backfill.resources import experiments_dir

# %% [markdown]
# ## The draws
#
# How much users give up compute when it is dear; how easily they move between buyers that are covered and not, families of chips, and
# owned and rented machines; how fast diversion becomes costly, and how much of it is found; how much compute the adversary wants. Each is
# drawn from its prior, of which four fifths lie between low and high.

# %%
wanted = [
    "demand_elasticity_compute",
    "sigma_coverage",
    "sigma_family",
    "sigma_remote",
    "diversion_slope",
    "seizure_probability",
    "adversary_demand",
]
known = priors_of(load_tables())
ranges = {name: (known[name].low, known[name].high) for name in wanted}
SWEEP = 'title = "Current policy, uncertain"\ninclude = ["current-policy"]\n\n[sweep]\nmode = "static"\nyear = 2027\n'
SWEEP += '\n[sweep.uncertainty]\nby = "latin_hypercube"\nsamples = 16\n'
SWEEP += "".join(f'\n[[sweep.parameters]]\nparameter = "{name}"\n' for name in wanted)
pl.DataFrame(
    [
        {"parameter": name, "central": known[name].central, "low": low, "high": high}
        for name, (low, high) in ranges.items()
    ]
)

# %%
with TemporaryDirectory() as folder:
    file = Path(folder) / "uncertain.toml"
    file.write_text(SWEEP)
    solved = sweep_experiment(str(file), Path(folder) / "draws", workers=1, quiet=True)
    sweep = backfill.load_sweep(Path(folder) / "draws")
    scenarios, effects = sweep.scenarios.collect(), sweep.effects.collect()
fine = scenarios.filter(pl.col("status") == "solved")
says(
    solved == (fine.height == scenarios.height) and fine.height > 0.9 * scenarios.height,
    f"{fine.height} of {scenarios.height} draws have a world; where parameters at their extremes leave none, the sweep says so in a row.",
)
scenarios = fine


# %% [markdown]
# ## The answer as a range


# %%
def drawn(quantity: str, where: str) -> pl.Series:
    """A quantity in every draw, in the order of the scenarios."""
    found = effects.filter(pl.col("quantity") == quantity, pl.col("where") == where).unique("scenario")
    return scenarios.join(found.select("scenario", "value"), on="scenario", how="left")["value"]


denied, part = drawn("compute denied", "adversary"), drawn("compute denied, share", "adversary")
says(
    bool((denied > 0).all()),
    f"In every draw current policy denies compute: between {compute(denied.min())} and {compute(denied.max())} in 2027, or "
    f"{share(part.min())} to {share(part.max())} of what the adversary would acquire.",
)
says(
    denied.max() > 1.2 * denied.min(),
    "In these draws the sign does not change and the size does: the largest is well above the smallest. For a range to quote use "
    "`backfill run current-policy --ranges`, which moves the twelve that matter most, in all years and with suppliers' answer (below).",
)

# %% [markdown]
# ## Which parameter matters most?
#
# The correlation of each parameter's rank with the rank of the answer. With so few draws only large ones mean anything;
# `backfill sensitivity` on a sweep of some thousand scenarios gives Sobol indices with standard errors.

# %%
rank = denied.rank()
weight = pl.DataFrame(
    {
        "parameter": wanted,
        "correlation": [float(pl.DataFrame({"a": scenarios[n].rank(), "b": rank}).corr()["a"][1]) for n in wanted],
    }
)
show(
    alt.Chart(weight)
    .mark_bar()
    .encode(
        x=alt.X("correlation:Q", title="rank correlation with compute denied", scale=alt.Scale(domain=[-1, 1])),
        y=alt.Y("parameter:N", title=None, sort=alt.EncodingSortField("correlation")),
    )
    .properties(width=420, height=26 * len(wanted), title="What moves the answer")
)

# %%
largest = weight.sort(pl.col("correlation").abs(), descending=True)["parameter"][0]
assert set(weight["parameter"]) == set(ranges)
says(
    weight["correlation"].abs().max() > 0.4,
    f"In these draws the answer goes with `{largest}` most closely (range {ranges[largest][0]:g} to {ranges[largest][1]:g}).",
)

# %% [markdown]
# ## The ranges to quote
#
# All years, suppliers answering, one parameter after the other between the low and the high end of its prior: four fifths lie between, if
# parameters are independent and their effects add up. They are kept with the package and renewed with it.

# %%
TOLD = (("compute denied", "adversary"), ("welfare, present value", "US"), ("welfare, present value", "adversary"))
for quantity, where in TOLD:
    low, high = ends(quantity, where)
    first = drivers(quantity, where).row(0, named=True)
    says(
        low < first["central"] < high and first["share"] > 0.2,
        f"{quantity.capitalize()}, {where}: **{low} to {high}**. It moves most with `{first['parameter']}` "
        f"({first['at_low']:g} to {first['at_high']:g}), which makes {first['share']:.0%} of the range.",
    )
low, high = ends("welfare, present value", "US")
says(
    low < 0 < high,
    "So whether the United States gain or lose by current policy is **not settled**: the range holds both.",
)
low, high = ends("compute denied", "adversary")
says(low > 0, "That current policy denies compute is: the whole range is above zero.")

# %% [markdown]
# ## Would it have been right?
#
# Given the rules and the world's demand, what would the model have said of China's compute and tools in 2024 and 2025? `backfill hindcast`
# answers it in some minutes; what it found is kept with the package: the model after fitting what earlier years inform, beside what was seen
# and a forecast that knows no economics, the last value seen before. A dot on the line is right; one to its right says too much.

# %%
past = pl.read_csv(experiments_dir() / "current-policy.hindcast.csv").filter(use="judges").drop_nulls("last_value")
judged = pl.concat(
    past.select(
        figure=pl.format("{}, {}", "series", "year"),
        by=pl.lit(name.replace("_", " ")),
        ratio=pl.col(name) / pl.col("observed"),
    )
    for name in ("model", "last_value")
)
show(
    alt.layer(
        alt.Chart(pl.DataFrame({"ratio": [1.0]})).mark_rule().encode(x="ratio:Q"),
        alt.Chart(judged)
        .mark_point(filled=True, size=70)
        .encode(
            x=alt.X(
                "ratio:Q",
                title="said over seen (logarithmic)",
                scale=alt.Scale(type="log"),
                axis=alt.Axis(values=[0.01, 0.1, 1, 10]),
            ),
            y=alt.Y("figure:N", title=None, sort=None, axis=alt.Axis(labelLimit=360)),
            color=alt.Color("by:N", title=None, legend=alt.Legend(orient="bottom")),
        ),
    ).properties(width=300, height=280)
)

# %%
off = {name: exp(judged.filter(by=name)["ratio"].log().abs().mean()) for name in ("model", "last value")}
count = judged.filter(by="model").height
says(
    1.5 < off["model"] < off["last value"],
    f"On {count} figures the model is off by a factor of {off['model']:.2f} (geometric mean), the last value by {off['last value']:.2f}: "
    "better than no economics, and still far from exact.",
)
wide = judged.pivot("by", index="figure", values="ratio").with_columns(pl.col("model", "last value").log().abs())
lost = wide.filter(pl.col("model") > pl.col("last value"))["figure"].to_list()
says(0 < len(lost) < count / 2, f"It loses to the last value on: {'; '.join(lost)}.")

# %% [markdown]
# Fewer of these figures lie within the model's ranges than should. The table with ranges, and the reasons where it loses, stand on the page
# *Would it have called 2022 to 2025?* of the documentation.

# %% [markdown]
# ## What no draw shows
#
# Ranges cover numbers, not the shape of the model: `backfill structure current-policy` sets the answer under other shapes side by side. Not in
# it at all: military use, research quality, fear of rules not announced. The page *Limitations* of the documentation says what may be quoted.
