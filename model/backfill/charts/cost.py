"""To whom it is a cost: welfare by bloc, with its range."""

from __future__ import annotations

import altair as alt
import polars as pl

from backfill.charts.panel import NothingToDraw, Panel, bar_labels
from backfill.charts.theme import BLOC_COLOURS, INK, WIDTH, columns, rule_at_zero
from backfill.charts.words import capital, listed, measure, people

WELFARE = "welfare, present value"
WHO = {"US": "us", "US allies": "ally", "third countries": "partner", "adversary": "adversary"}
ROW = 34


def welfare(summary: pl.DataFrame, policy: str, reference: str, width: float = WIDTH) -> Panel:
    """Present value of equivalent variation by bloc.

    Args:
        summary: the result's.
        policy, reference: worlds.
        width: in pixels.

    Raises:
        NothingToDraw: the summary has no welfare of blocs.
    """
    data = columns(summary, ["quantity", "where", "period", "unit", "change", "low", "high"]).filter(
        pl.col("quantity") == WELFARE, pl.col("where").is_in(list(WHO)), pl.col("change").is_not_null()
    )
    if data.is_empty():
        raise NothingToDraw("no welfare of blocs to draw in the summary")
    unit = "million USD"
    how = measure(unit, [*data["change"], *data["low"], *data["high"]])
    ranged = data["low"].is_not_null().any()
    data = data.with_columns(
        colour=pl.col("where").replace_strict(
            {who: BLOC_COLOURS[bloc] for who, bloc in WHO.items()}, return_dtype=pl.String
        ),
        name=pl.col("where").map_elements(capital, return_dtype=pl.String),
        scaled=pl.col("change") * how.factor,
        least=pl.col("low") * how.factor,
        most=pl.col("high") * how.factor,
        ahead=pl.col("change") >= 0,
        label=pl.col("change").map_elements(lambda v: how.label(v, 2, signed=True), return_dtype=pl.String),
    ).with_columns(
        end=pl.when("ahead").then(pl.max_horizontal("scaled", "most")).otherwise(pl.min_horizontal("scaled", "least"))
    )
    base = alt.Chart(columns(data, ["name", "colour", "scaled", "least", "most", "end", "ahead", "label"]))
    y = alt.Y("name:N").sort(data["name"].to_list()).title(None).axis(ticks=False, domain=False, labelPadding=8)
    bar = base.mark_bar(height={"band": 0.66}).encode(
        x=alt.X("scaled:Q").title(None).axis(tickCount=6, format=",.6~g").scale(padding=44, nice=True),
        y=y,
        color=alt.Color("colour:N").scale(None),
        tooltip=["name:N", alt.Tooltip("label:N", title=how.unit)],
    )
    layers = [bar]
    if ranged:
        layers.append(base.mark_rule(color=INK, strokeWidth=1.6).encode(x="least:Q", x2="most:Q", y=y))
    layers += [*bar_labels(base, "end:Q", y), rule_at_zero()]
    worst = data.sort("change").row(0, named=True)
    gains = data.filter(pl.col("change") > 0)["where"].to_list()
    sentence = f"The largest cost is to {_who(worst['where'])}: {people(-worst['change'], unit)}."
    if worst["change"] >= 0:
        sentence = "It is a cost to nobody."
    elif gains:
        verb = "gains" if gains in (["US"], ["adversary"]) else "gain"
        sentence += f" {capital(listed(map(_who, gains)))} {verb}."
    drawing = alt.layer(*layers).properties(width=width, height=ROW * data.height)
    told = "; ".join(f"{row['name']} {row['label']}" for row in data.iter_rows(named=True))
    spread = "; line: range over parameters" if ranged else "; no ranges were computed"
    below = f"Welfare (equivalent variation), present value {data['period'][0]}, {how.unit}: {policy} against {reference}{spread}"
    return Panel(drawing, "Diverging bars", sentence, below, f"In {how.unit}: {told}")


def _who(where: str) -> str:
    return {"US": "the US", "adversary": "the adversary"}.get(where, where)
