"""From gross denial through the channels of leakage to the compute denied: a waterfall that adds up."""

from __future__ import annotations

import altair as alt
import polars as pl

from backfill.charts.panel import Panel
from backfill.charts.theme import HEIGHT, INK, ROUTE_COLOURS, TOTAL, WIDTH, columns, rule_at_zero
from backfill.charts.words import capital, measure, people

STEPS = {
    "ally": "US allies",
    "third country": "third countries",
    "diversion": "smuggling",
    "cloud": "rented abroad",
    "other tier": "other US products",
    "domestic": "own makers",
}
STEP_COLOURS = {
    "gross denial": TOTAL,
    "US allies": ROUTE_COLOURS["from US allies"],
    "third countries": ROUTE_COLOURS["from third countries"],
    "smuggling": ROUTE_COLOURS["smuggled through hubs"],
    "rented abroad": ROUTE_COLOURS["rented abroad"],
    "other US products": ROUTE_COLOURS["from the US"],
    "own makers": ROUTE_COLOURS["own makers"],
    "compute denied": TOTAL,
}


def steps(table: pl.DataFrame, policy: str, reference: str) -> pl.DataFrame:
    """Bars of the waterfall in H100e: step, order, start, end, kind (total, leak or gain), amount.

    The first bar is gross denial, each channel lowers (or raises) the level, the last bar is compute denied.
    """
    drawn = columns(table, ["scenario", "reference", "period", "channel", "quantity", "value"]).filter(
        pl.col("scenario") == policy, pl.col("reference") == reference, pl.col("period") == "all"
    )

    def value(quantity: str, channel: str) -> float:
        return drawn.filter(pl.col("quantity") == quantity, pl.col("channel") == channel)["value"].item()

    gross, denied = value("gross denial", "all"), value("compute denied", "all")
    bars = [("gross denial", 0.0, gross, "total", gross)]
    level = gross
    for channel, name in STEPS.items():
        leak = value("leakage", channel)
        bars.append((name, level, level - leak, "leak" if leak >= 0 else "gain", -leak))
        level -= leak
    bars.append(("compute denied", 0.0, denied, "total", denied))
    schema = ["step", "start", "end", "kind", "amount"]
    return pl.DataFrame(bars, schema=schema, orient="row").with_row_index("order")


def waterfall(
    table: pl.DataFrame,
    policy: str,
    reference: str,
    denied_range: tuple[float, float] | None = None,
    width: float = WIDTH,
) -> Panel:
    """The waterfall of all periods together.

    Args:
        table: the result's ``leakage``.
        denied_range: low and high of compute denied in H100e, if known.
        width: in pixels.
    """
    data = steps(table, policy, reference)
    gross, denied = data["amount"][0], data["amount"][-1]
    how = measure("H100e", [*data["start"], *data["end"]])
    sentence = (
        f"Of {people(gross, 'H100e')} denied at first, {people(denied, 'H100e')} stay denied."
        if gross > 1e-3
        else "The policy denies the adversary no compute."
    )
    scaled = data.with_columns(pl.col("start", "end", "amount") * how.factor)
    scale = max(scaled["start"].abs().max(), scaled["end"].abs().max(), 1e-12)  # type: ignore[type-var]
    bars = scaled.with_columns(
        top=pl.max_horizontal("start", "end", 0.0) + 0.02 * scale,
        label=pl.Series(
            [how.label(row["amount"], 2, signed=row["kind"] != "total") for row in data.iter_rows(named=True)]
        ),
    )
    names = data["step"].to_list()
    base = alt.Chart(columns(bars, ["step", "order", "start", "end", "kind", "amount", "label", "top"]))
    x = alt.X("step:N").sort(names).title(None).axis(labelAngle=-35, labelPadding=4, ticks=False)
    colour = alt.Color("step:N").scale(domain=names, range=[STEP_COLOURS[name] for name in names]).legend(None)
    bar = base.mark_bar(width={"band": 0.72}).encode(
        x=x,
        y=alt.Y("start:Q").title(None).axis(format=",.6~g", tickCount=5),
        y2="end:Q",
        color=colour,
        tooltip=[alt.Tooltip("step:N"), alt.Tooltip("label:N", title=how.unit)],
    )
    text = base.mark_text(baseline="bottom", color=INK, fontSize=11).encode(x=x, y="top:Q", text="label:N")
    subtitle = (
        f"{capital(how.unit)} over all periods, {policy} against {reference}; between the ends: ways round the control"
    )
    if denied_range is not None:
        low, high = (people(value, "H100e") for value in denied_range)
        subtitle += f". Range of what stays denied: {low} to {high}"
    told = "; ".join(f"{row['step']} {row['label']}" for row in bars.iter_rows(named=True))
    drawing = alt.layer(rule_at_zero("y"), bar, text).properties(width=width, height=HEIGHT)
    return Panel(drawing, "Waterfall", sentence, subtitle, f"In {how.unit}: {told}")
