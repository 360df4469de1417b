"""From gross denial through the channels of leakage to the compute denied: a waterfall that adds up."""

from __future__ import annotations

import altair as alt
import polars as pl

from backfill.charts.theme import GAIN, HEIGHT, INK, LOSS, RULE, TOTAL, WIDTH, columns, title
from backfill.units import format_accelerators, format_number

STEPS = {
    "ally": "US allies",
    "third country": "third countries",
    "diversion": "smuggling",
    "cloud": "rented abroad",
    "other tier": "other US products",
    "domestic": "own makers",
}


def steps(table: pl.DataFrame, policy: str, reference: str) -> pl.DataFrame:
    """Bars of the waterfall in thousand H100e: step, order, start, end, kind (total, leak or gain), amount.

    The first bar is gross denial, each channel lowers (or raises) the level, the last bar is compute denied.
    """
    drawn = columns(table, ["scenario", "reference", "period", "channel", "quantity", "value"]).filter(
        pl.col("scenario") == policy, pl.col("reference") == reference, pl.col("period") == "all"
    )

    def value(quantity: str, channel: str) -> float:
        return drawn.filter(pl.col("quantity") == quantity, pl.col("channel") == channel)["value"].item() / 1000

    gross, denied = value("gross denial", "all"), value("compute denied", "all")
    bars = [("gross denial", 0.0, gross, "total", gross)]
    level = gross
    for channel, name in STEPS.items():
        leak = value("leakage", channel)
        bars.append((name, level, level - leak, "leak" if leak >= 0 else "gain", -leak))
        level -= leak
    bars.append(("compute denied", 0.0, denied, "total", denied))
    schema = ["step", "start", "end", "kind", "amount"]
    frame = pl.DataFrame(bars, schema=schema, orient="row").with_row_index("order")
    return frame.with_columns(label=pl.col("amount").map_elements(format_number, return_dtype=pl.String))


def waterfall(
    table: pl.DataFrame, policy: str, reference: str, denied_range: tuple[float, float] | None = None
) -> alt.LayerChart | alt.FacetChart:
    """The waterfall of all periods together.

    Args:
        denied_range: low and high of compute denied in H100e, if known.
    """
    data = steps(table, policy, reference)
    gross, denied = data["end"][0], data["end"][-1]
    scale = max(data["start"].abs().max(), data["end"].abs().max(), 1e-12)  # type: ignore[type-var]
    sentence = (
        f"Of {format_accelerators(gross)} denied at first, {format_accelerators(denied)} stay denied."
        if gross > 1e-6
        else "The policy denies the adversary no compute."
    )
    bars = data.with_columns(
        top=pl.max_horizontal("start", "end") + 0.02 * scale, low=pl.min_horizontal("start", "end")
    )
    base = alt.Chart(columns(bars, ["step", "order", "start", "end", "kind", "amount", "label", "top"]))
    x = alt.X("step:N").sort(data["step"].to_list()).title(None).axis(labelAngle=-35, labelPadding=4, ticks=False)
    colour = alt.Color("kind:N").scale(domain=["total", "leak", "gain"], range=[TOTAL, LOSS, GAIN]).legend(None)
    bar = base.mark_bar(size=34).encode(
        x=x,
        y=alt.Y("start:Q").title(None).axis(format=",.6~g", tickCount=5),
        y2="end:Q",
        color=colour,
        tooltip=[alt.Tooltip("step:N"), alt.Tooltip("amount:Q", format=",.4~r", title="thousand H100e")],
    )
    text = base.mark_text(baseline="bottom", color=INK, fontSize=11).encode(x=x, y="top:Q", text="label:N")
    zero = alt.Chart(pl.DataFrame({"zero": [0.0]})).mark_rule(color=RULE).encode(y="zero:Q")
    subtitle = "Thousand H100e, all periods; orange: gets in another way, green: closes too"
    if denied_range is not None:
        low, high = (format_accelerators(value / 1000) for value in denied_range)
        subtitle += f". Range of what stays denied: {low} to {high}"
    return alt.layer(zero, bar, text).properties(width=WIDTH, height=HEIGHT, title=title(sentence, subtitle))
