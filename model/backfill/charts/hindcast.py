"""Pages of a hindcast: the model against what was seen, errors beside naive forecasts, and what the figures pin down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import altair as alt
import polars as pl

from backfill.charts.offline import page_of
from backfill.charts.panel import Panel, page_foot, source
from backfill.charts.theme import HEIGHT, INK, LOSS, PAPER, RULE, SERIES, WIDTH, columns, page_title, themed
from backfill.charts.words import capital

MODEL, SEEN, GREY = SERIES[0], INK, "#c9ced3"
FORECASTS = dict(zip(("model", "last value", "constant share"), SERIES, strict=False))
VERDICTS = {"pinned down": SERIES[2], "informed": SERIES[0], "prior only": GREY}
USES = {"benchmark": "sets the benchmark", "fits": "sets parameters", "judges": "left for judgement", "shown": "shown"}
KEY = (
    "Violet: the model after the fit; dark, 80% of what parameters allow; light, with errors of measurement and of the model. "
    "Dots: what was seen, with its own range; black if it is left for judgement, grey if it sets parameters."
)
TITLES = {"hindcast": "Would it have called 2022 to 2025?", "identify": "What the figures of 2022 to 2025 pin down"}


class Drawn(Protocol):
    """What is drawn of a hindcast."""

    @property
    def kind(self) -> str: ...

    @property
    def tables(self) -> Mapping[str, pl.DataFrame]: ...

    @property
    def sentences(self) -> tuple[str, ...]: ...

    @property
    def provenance(self) -> Mapping[str, Any]: ...


def page(result: Drawn) -> str:
    """The charts as one HTML page that opens without a network."""
    return page_of(drawn(result), TITLES[result.kind])


def drawn(result: Drawn) -> alt.VConcatChart:
    """The page's charts: of a hindcast series and errors, of an identification spreads, directions and profiles."""
    if result.kind == "identify":
        panels = [spreads(result), directions(result), profiles(result)]
        left, *right = [panel.on_page() for panel in panels]
        rows = [alt.hconcat(left, alt.vconcat(*right, spacing=40), spacing=56)]
    else:
        panels = series(result)
        shown = [panel.on_page() for panel in panels]
        rows = [alt.hconcat(*shown[n : n + 2], spacing=56) for n in range(0, len(shown), 2)]
        panels.append(errors(result))
        rows.append(alt.hconcat(panels[-1].on_page()))
    told = " ".join(result.sentences[:2]) if result.kind == "identify" else f"{' '.join(result.sentences[:2])} {KEY}"
    rows = [row.resolve_scale(color="independent", fill="independent") for row in rows]
    described = " ".join(panel.description() for panel in panels)
    head = page_title(TITLES[result.kind], told)
    chart = alt.vconcat(*rows, spacing=44, title=head, description=described).resolve_scale(color="independent")
    return themed(page_foot(chart, source(result.provenance, compute=True)))


def series(result: Drawn) -> list[Panel]:
    """One panel a series: the model's range, what was seen with its range, filled where it is left for judgement."""
    table = result.tables["hindcast"]
    return [
        _series(table.filter(pl.col("series") == name), name) for name in table["series"].unique(maintain_order=True)
    ]


def _series(rows: pl.DataFrame, name: str) -> Panel:
    drawn_high = ["observed", "observed_high", "model", "seen_high"]
    names = ["year", "use", "before_fit", "observed_low", "low", "high", "seen_low", *drawn_high]
    top = 1.05 * max(value for column in drawn_high for value in rows[column].drop_nulls())
    data = columns(rows, names).with_columns(pl.col("use").replace_strict(USES))
    base = alt.Chart(data)
    years = alt.X("year:O").title(None).axis(labelAngle=0)

    def up(column: str) -> alt.Y:
        return alt.Y(f"{column}:Q").title(None).axis(tickCount=5).scale(domain=[0, top], nice=False)

    own = base.transform_filter("isValid(datum.model)")
    wide = own.mark_bar(size=26, opacity=0.18, color=MODEL).encode(x=years, y=up("seen_low"), y2="seen_high:Q")
    band = own.mark_bar(size=26, opacity=0.3, color=MODEL).encode(x=years, y=up("low"), y2="high:Q")
    tick = own.mark_tick(thickness=3, size=26, color=MODEL).encode(x=years, y=up("model"))
    bar = base.transform_filter("isValid(datum.observed_low)").mark_rule(color=SEEN, strokeWidth=1.5)
    spread = bar.encode(x=years, y=up("observed_low"), y2="observed_high:Q")
    fill = alt.Fill("use:N").scale(domain=list(USES.values()), range=[PAPER, GREY, SEEN, PAPER]).legend(None)
    dots = base.mark_point(size=75, color=SEEN, opacity=1, strokeWidth=1.5).encode(
        x=years,
        y=up("observed"),
        fill=fill,
        tooltip=[
            "year:O",
            alt.Tooltip("observed:Q", format=",.4~g"),
            alt.Tooltip("model:Q", format=",.4~g"),
            alt.Tooltip("seen_low:Q", format=",.4~g", title="80% range, low"),
            alt.Tooltip("seen_high:Q", format=",.4~g", title="80% range, high"),
            alt.Tooltip("before_fit:Q", format=",.4~g", title="model at central values"),
            "use:N",
        ],
    )
    drawing = alt.layer(wide, band, tick, spread, dots).properties(width=WIDTH, height=HEIGHT - 60)
    return Panel(drawing, "Ranges and dots", f"{capital(name)}.", rows["unit"][0])


def errors(result: Drawn) -> Panel:
    """Errors on the figures left for judgement: the model's beside those of two naive forecasts."""
    names = {"error": "model", "error_last": "last value", "error_constant": "constant share"}
    judged = result.tables["hindcast"].filter(pl.col("error").is_not_null())
    data = (
        judged.with_columns(figure=pl.format("{}, {}", "series", "year"))
        .unpivot(list(names), index=["figure"], variable_name="forecast", value_name="size")
        .drop_nulls("size")
        .with_columns(pl.col("forecast").replace_strict(names), factor=pl.col("size").exp())
    )
    order = judged.select(pl.format("{}, {}", "series", "year"))[:, 0].to_list()
    y = (
        alt.Y("figure:N")
        .sort(order)
        .title(None)
        .axis(orient="right", labelLimit=420, labelPadding=10, ticks=False, domain=False)
    )
    base = alt.Chart(columns(data, ["figure", "forecast", "factor"]))
    x = (
        alt.X("factor:Q")
        .title("off by a factor of")
        .scale(type="log", domainMin=1, nice=False)
        .axis(format="~g", tickCount=6)
    )
    track = base.mark_rule(color=RULE, strokeWidth=3).encode(y=y, x="min(factor):Q", x2="max(factor):Q")
    paint = alt.Color("forecast:N").scale(domain=list(FORECASTS), range=list(FORECASTS.values()))
    dots = base.mark_point(filled=True, size=95, opacity=1).encode(
        x=x, y=y, color=paint, tooltip=["figure:N", "forecast:N", alt.Tooltip("factor:Q", format=".3g")]
    )
    lost = judged.filter((pl.col("error") > pl.col("error_last")) | (pl.col("error") > pl.col("error_constant"))).height
    sentence = f"On {lost} of {judged.height} figures left for judgement a naive forecast is closer than the model."
    drawing = alt.layer(track, dots).properties(width=2 * WIDTH - 330, height=26 * judged.height)
    return Panel(drawing, "Dots", sentence, "Farther right is worse; 1 is exact")


def spreads(result: Drawn) -> Panel:
    """How much of each prior's spread is left once the figures are known."""
    table = result.tables["identified"]
    base = alt.Chart(columns(table, ["parameter", "spread", "verdict"]))
    y = (
        alt.Y("parameter:N")
        .sort(table["parameter"].to_list())
        .title(None)
        .axis(labelLimit=220, ticks=False, domain=False)
    )
    paint = alt.Color("verdict:N").scale(domain=list(VERDICTS), range=list(VERDICTS.values()))
    x = alt.X("spread:Q").title(None).scale(domain=[0, 1.02]).axis(format="%", tickCount=5)
    bars = base.mark_bar(height=11).encode(
        x=x, y=y, color=paint, tooltip=["parameter:N", alt.Tooltip("spread:Q", format=".0%")]
    )
    whole = alt.Chart(pl.DataFrame({"one": [1.0]})).mark_rule(color=LOSS, strokeDash=[4, 3]).encode(x="one:Q")
    count = table.filter(pl.col("verdict") == "pinned down").height
    sentence = f"{count} of {table.height} parameters are known twice as well as before."
    drawing = alt.layer(bars, whole).properties(width=WIDTH - 120, height=17 * table.height)
    return Panel(drawing, "Bars", sentence, "Spread with the figures over the prior's; dashed: nothing learned")


def directions(result: Drawn) -> Panel:
    """Information along each direction of the parameters, against the prior's."""
    table = result.tables["directions"].with_columns(pl.col("information").clip(1e-3))
    base = alt.Chart(columns(table, ["direction", "information", "made_of"]))
    x = alt.X("direction:O").title(None).axis(labelAngle=0)
    y = alt.Y("information:Q").title(None).scale(type="log").axis(format="~g", tickCount=5)
    dots = base.mark_point(filled=True, size=90, color=MODEL, opacity=1).encode(
        x=x, y=y, tooltip=["made_of:N", "information:Q"]
    )
    one = alt.Chart(pl.DataFrame({"one": [1.0]})).mark_rule(color=LOSS, strokeDash=[4, 3]).encode(y="one:Q")
    count = table.filter(pl.col("information") > 1).height
    sentence = f"Along {count} direction{'s' * (count != 1)} the figures know more than the priors."
    drawing = alt.layer(dots, one).properties(width=WIDTH - 20, height=HEIGHT - 70)
    return Panel(drawing, "Dots", sentence, "Eigenvalues of the information, in units of the prior's (dashed)")


def profiles(result: Drawn) -> Panel:
    """Profile likelihoods of the parameters that are best known."""
    table = result.tables["profiles"]
    names = table["parameter"].unique(maintain_order=True).to_list()
    base = alt.Chart(columns(table, ["parameter", "score", "rise"]))
    paint = (
        alt.Color("parameter:N")
        .scale(domain=names, range=list(SERIES[: len(names)]))
        .legend(columns=2, symbolType="stroke")
    )
    lines = base.mark_line(point=alt.OverlayMarkDef(size=25), clip=True).encode(
        x=alt.X("score:Q").title("standard deviations of the prior from its central value"),
        y=alt.Y("rise:Q").title(None).scale(domain=[0, 10]).axis(tickCount=5),
        color=paint,
        tooltip=["parameter:N", alt.Tooltip("score:Q", format=".2f"), alt.Tooltip("rise:Q", format=".3g")],
    )
    limit = alt.Chart(pl.DataFrame({"limit": [1.64]})).mark_rule(color=LOSS, strokeDash=[4, 3]).encode(y="limit:Q")
    drawing = alt.layer(lines, limit).properties(width=WIDTH - 20, height=HEIGHT - 30)
    sentence = "A narrow valley is a parameter that is known."
    return Panel(drawing, "Lines", sentence, "Sum of squares above its least, others fitted; dashed: 80%")
