"""Pages of a hindcast: the model against what was seen, errors beside naive forecasts, and what the figures pin down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import altair as alt
import polars as pl

from backfill.charts.offline import page_of
from backfill.charts.panels import footer
from backfill.charts.theme import HEIGHT, INK, LOSS, RULE, SOFT, WIDTH, columns, themed, title, wrap

MODEL, SEEN = "#0072B2", "#1b1f24"
FORECASTS = {"model": "#0072B2", "last value": "#E69F00", "constant share": "#CC79A7"}
VERDICTS = {"pinned down": "#009E73", "informed": "#56B4E9", "prior only": "#c9ced3"}
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
USES = {"benchmark": "sets the benchmark", "fits": "sets parameters", "judges": "left for judgement", "shown": "shown"}
KEY = (
    "Blue: the model after the fit; dark, 80% of what parameters allow; light, with errors of measurement and of the model. "
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


def page(result: Drawn) -> str:
    """The charts as one HTML page that opens without a network."""
    return page_of(drawn(result), TITLES[result.kind])


def drawn(result: Drawn) -> alt.VConcatChart:
    """The page's charts: of a hindcast series and errors, of an identification spreads, directions and profiles."""
    if result.kind == "identify":
        rows = [alt.hconcat(spreads(result), alt.vconcat(directions(result), profiles(result), spacing=40), spacing=56)]
    else:
        panels = series(result)
        rows = [alt.hconcat(*panels[n : n + 2], spacing=56) for n in range(0, len(panels), 2)]
        rows.append(alt.hconcat(errors(result)))
    told = " ".join(result.sentences[:2]) if result.kind == "identify" else f"{' '.join(result.sentences[:2])} {KEY}"
    head = alt.TitleParams(
        text=TITLES[result.kind],
        subtitle=wrap(told, 150),
        fontSize=20,
        subtitleFontSize=12.5,
        offset=24,
        color=INK,
        subtitleColor=SOFT,
    )
    rows = [row.resolve_scale(color="independent", fill="independent") for row in rows]
    return themed(alt.vconcat(*rows, footer(), spacing=44, title=head).resolve_scale(color="independent"))


def series(result: Drawn) -> list[alt.LayerChart | alt.FacetChart]:
    """One panel a series: the model's range, what was seen with its range, filled where it is left for judgement."""
    table = result.tables["hindcast"]
    return [
        _series(table.filter(pl.col("series") == name), name) for name in table["series"].unique(maintain_order=True)
    ]


def _series(rows: pl.DataFrame, name: str) -> alt.LayerChart | alt.FacetChart:
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
    fill = alt.Fill("use:N").scale(domain=list(USES.values()), range=["white", "#c9ced3", SEEN, "white"]).legend(None)
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
    heading = title(f"{_capital(name)}.", rows["unit"][0])
    return alt.layer(wide, band, tick, spread, dots).properties(width=WIDTH, height=HEIGHT - 60, title=heading)


def errors(result: Drawn) -> alt.LayerChart | alt.FacetChart:
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
    y = alt.Y("figure:N").sort(order).title(None).axis(orient="right", labelLimit=420, ticks=False, domain=False)
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
    return alt.layer(track, dots).properties(
        width=2 * WIDTH - 330, height=26 * judged.height, title=title(sentence, "Farther right is worse; 1 is exact")
    )


def spreads(result: Drawn) -> alt.LayerChart | alt.FacetChart:
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
    return alt.layer(bars, whole).properties(
        width=WIDTH - 120,
        height=17 * table.height,
        title=title(sentence, "Spread with the figures over the prior's; dashed: nothing learned"),
    )


def directions(result: Drawn) -> alt.LayerChart | alt.FacetChart:
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
    sentence = f"Along {count} directions the figures know more than the priors."
    return alt.layer(dots, one).properties(
        width=WIDTH - 20,
        height=HEIGHT - 70,
        title=title(sentence, "Eigenvalues of the information, in units of the prior's (dashed)"),
    )


def profiles(result: Drawn) -> alt.LayerChart | alt.FacetChart:
    """Profile likelihoods of the parameters that are best known."""
    table = result.tables["profiles"]
    names = table["parameter"].unique(maintain_order=True).to_list()
    base = alt.Chart(columns(table, ["parameter", "score", "rise"]))
    paint = (
        alt.Color("parameter:N")
        .scale(domain=names, range=list(PALETTE[: len(names)]))
        .legend(columns=2, symbolType="stroke")
    )
    lines = base.mark_line(point=alt.OverlayMarkDef(size=25), clip=True).encode(
        x=alt.X("score:Q").title("standard deviations of the prior from its central value"),
        y=alt.Y("rise:Q").title(None).scale(domain=[0, 10]).axis(tickCount=5),
        color=paint,
        tooltip=["parameter:N", alt.Tooltip("score:Q", format=".2f"), alt.Tooltip("rise:Q", format=".3g")],
    )
    limit = alt.Chart(pl.DataFrame({"limit": [1.64]})).mark_rule(color=LOSS, strokeDash=[4, 3]).encode(y="limit:Q")
    return alt.layer(lines, limit).properties(
        width=WIDTH - 20,
        height=HEIGHT - 30,
        title=title(
            "A narrow valley is a parameter that is known.",
            "Sum of squares above its least, others fitted; dashed: 80%",
        ),
    )


def _capital(text: str) -> str:
    return text if text.startswith("US") else text[:1].upper() + text[1:]
