"""One page for a best package: the frontier, the mixes along it, what each lever does, and the packages drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import altair as alt
import polars as pl

from backfill.charts.offline import page_of
from backfill.charts.panels import footer
from backfill.charts.theme import HEIGHT, INK, LOSS, RULE, SOFT, WIDTH, columns, themed, title, wrap

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5b6570", "#1b1f24")
OPTIMAL = "optimal"
CAVEAT = "Computed scenarios, not forecasts: every number rests on assumed elasticities."


class Drawn(Protocol):
    """What is drawn of a design."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def objective(self) -> str: ...

    @property
    def tables(self) -> Mapping[str, pl.DataFrame]: ...

    @property
    def sentences(self) -> tuple[str, ...]: ...


def design(result: Drawn) -> alt.VConcatChart:
    """Frontier and mixes where there is a frontier, else packages drawn; below them levers at their best."""
    first = [frontier(result), mixes(result)] if result.tables["frontier"].height else [drawn(result)]
    rows = [alt.hconcat(*first, spacing=56).resolve_scale(color="independent")]
    rows.append(alt.hconcat(levers(result), marginals(result), spacing=56).resolve_scale(color="independent"))
    if len(first) > 1 and result.tables["samples"].height:
        rows.append(alt.hconcat(drawn(result)))
    head = alt.TitleParams(
        text=wrap(result.title or result.name, 90),
        subtitle=wrap(f"{result.sentences[0]} {CAVEAT}", 150),
        fontSize=20,
        subtitleFontSize=12.5,
        offset=24,
        color=INK,
        subtitleColor=SOFT,
    )
    chart = alt.vconcat(*rows, footer(), spacing=44, title=head)
    return themed(chart.resolve_scale(color="independent"))


def page(result: Drawn) -> str:
    """The charts as one HTML page that opens without a network."""
    return page_of(design(result), result.title or result.name)


def _scaled(unit: str) -> tuple[float, str]:
    """Factor and unit in which people read a quantity."""
    if unit.startswith("million USD"):
        return 1e-3, unit.replace("million USD", "billion USD")
    return (1e-3, "thousand H100e") if unit == "H100e" else (1.0, unit)


def frontier(result: Drawn) -> alt.LayerChart | alt.FacetChart:
    """The objective at every value of the limit that moves; open marks where optimality is not certified."""
    table = result.tables["frontier"]
    objective = table.filter(pl.col("kind") == "objective")
    factor, unit = _scaled(objective["unit"][0])
    limit, per, limit_unit = _moving(result)
    price = table.filter(pl.col("kind") == "price").select("point", pl.col("value").alias("price"))
    data = objective.join(price, on="point", how="left").with_columns(
        value=pl.col("value") * factor,
        bound=pl.col("bound") * per,
        state=pl.when(pl.col("verdict") == OPTIMAL).then(pl.lit("certified")).otherwise(pl.col("verdict")),
    )
    base = alt.Chart(columns(data, ["bound", "value", "price", "state", "verdict"]))
    x = alt.X("bound:Q").title(f"{limit}, {limit_unit}").axis(tickCount=6)
    y = alt.Y("value:Q").title(None).scale(zero=False)
    line = base.mark_line(color=PALETTE[0]).encode(x=x, y=y)
    tip = [
        alt.Tooltip("bound:Q", format=",.4~g", title=limit),
        alt.Tooltip("value:Q", format=",.4~g", title=unit),
        alt.Tooltip("price:Q", format=",.4~g", title="worth of a unit more"),
        "state:N",
    ]
    states = data["state"].unique().to_list()
    paint = alt.Scale(domain=states, range=[PALETTE[0] if state == "certified" else "white" for state in states])
    fill = alt.Fill("state:N").scale(paint).legend(None)
    dots = base.mark_point(size=70, color=PALETTE[0], opacity=1).encode(x=x, y=y, fill=fill, tooltip=tip)
    ends = data.sort("bound")
    sentence = f"From {_short(ends['value'][0])} to {_short(ends['value'][-1])} {unit} as the limit moves."
    told = f"{_sentence(result.objective)}, {unit}; filled: the optimality conditions hold"
    return alt.layer(line, dots).properties(width=WIDTH, height=HEIGHT, title=title(sentence, told))


def _moving(result: Drawn) -> tuple[str, float, str]:
    """The limit that moves: its name, the factor and the unit in which it is read."""
    table = result.tables["frontier"]
    kinds = table.filter(pl.col("kind") == "limit")
    gap = (pl.col("value") - pl.col("bound")).abs().mean().alias("gap")
    gaps = kinds.group_by("quantity", "unit", maintain_order=True).agg(gap)
    name, unit = gaps.sort("gap").select("quantity", "unit").row(0)
    factor, shown = _scaled(unit)
    return name, factor, shown


def mixes(result: Drawn) -> alt.Chart:
    """Where each lever stands in its range along the frontier."""
    table = result.tables["frontier"].filter(pl.col("kind") == "share")
    limit, per, unit = _moving(result)
    data = table.with_columns(bound=pl.col("bound") * per).rename({"quantity": "lever"})
    names = data["lever"].unique(maintain_order=True).to_list()
    moves = data.group_by("lever").agg((pl.col("value").max() - pl.col("value").min()).alias("span")).sort("span")
    widest = moves["lever"][-1]
    paint = alt.Color("lever:N").scale(domain=names, range=list(PALETTE[: len(names)])).legend(columns=2, symbolType="stroke")
    return (
        alt.Chart(columns(data, ["bound", "value", "lever"]))
        .mark_line(point=alt.OverlayMarkDef(size=30))
        .encode(
            x=alt.X("bound:Q").title(f"{limit}, {unit}").axis(tickCount=6),
            y=alt.Y("value:Q").title(None).axis(format="%", tickCount=5).scale(domain=[0, 1]),
            color=paint,
            tooltip=["lever:N", alt.Tooltip("value:Q", format=".1%"), alt.Tooltip("bound:Q", format=",.4~g")],
        )
        .properties(
            width=WIDTH,
            height=HEIGHT,
            title=title(f"{_sentence(widest)} moves most.", "The best mix: each lever's place between least and largest"),
        )
    )


def levers(result: Drawn) -> alt.LayerChart | alt.FacetChart:
    """Every lever in its range, as written and at best."""
    table = result.tables["design"].with_columns(
        place=(pl.col("value") - pl.col("low")) / (pl.col("high") - pl.col("low")),
        label=pl.when(pl.col("there")).then(pl.col("value").map_elements(lambda x: f"{x:.3g}", return_dtype=pl.String)).otherwise(
            pl.lit("left out")
        ),
    )
    names = table["lever"].unique(maintain_order=True).to_list()
    base = alt.Chart(columns(table, ["lever", "package", "place", "label", "low", "high"]))
    y = alt.Y("lever:N").sort(names).title(None).axis(ticks=False, domain=False, labelLimit=240)
    x = alt.X("place:Q").title(None).scale(domain=[0, 1]).axis(format="%", values=[0, 0.5, 1])
    track = base.mark_rule(color=RULE, strokeWidth=5).encode(y=y, x=alt.datum(0), x2=alt.datum(1))
    paint = alt.Color("package:N").scale(domain=["as written", "best"], range=[SOFT, PALETTE[1]])
    dots = base.mark_point(filled=True, size=110, opacity=1).encode(
        x=x, y=y, color=paint, tooltip=["lever:N", "package:N", "label:N", "low:Q", "high:Q"]
    )
    best = base.transform_filter("datum.package == 'best'").mark_text(dy=-12, fontSize=10.5, color=INK).encode(
        x=x, y=y, text="label:N"
    )  # fmt: skip
    ends = table.filter(pl.col("package") == "best")
    bound = ends.filter(pl.col("at") != "").height
    sentence = f"{bound} of {ends.height} levers stand at an end of their range." if bound else "No lever stands at an end."
    return alt.layer(track, dots, best).properties(
        width=WIDTH - 130, height=44 * len(names), title=title(sentence, "Share of the way from the least to the largest value")
    )


def marginals(result: Drawn) -> alt.LayerChart | alt.FacetChart:
    """What a hundredth of each lever's range does at the best package, as a share of the largest effect on the same number."""
    table = result.tables["marginals"].with_columns(
        share=pl.col("value") / pl.col("value").abs().max().over("quantity"),
        label=pl.col("value").map_elements(lambda x: f"{x:,.3g}".replace("-", "−"), return_dtype=pl.String),
    )
    names = table["lever"].unique(maintain_order=True).to_list()
    quantities = table["quantity"].unique(maintain_order=True).to_list()
    base = alt.Chart(columns(table, ["lever", "quantity", "share", "label", "unit"]))
    x = alt.X("quantity:N").sort(quantities).title(None).axis(orient="top", labelAngle=0, ticks=False, domain=False)
    y = alt.Y("lever:N").sort(names).title(None).axis(ticks=False, domain=False, labelLimit=240)
    paint = alt.Scale(domain=[-1, 0, 1], range=["#f0a868", "#f4f5f6", "#7db8dc"], interpolate="rgb")
    cells = base.mark_rect(stroke="white").encode(
        x=x, y=y, color=alt.Color("share:Q").scale(paint).legend(None), tooltip=["lever:N", "quantity:N", "label:N", "unit:N"]
    )
    text = base.mark_text(fontSize=10.5, color=INK).encode(x=x, y=y, text="label:N")
    return alt.layer(cells, text).properties(
        width=WIDTH - 110,
        height=44 * len(names),
        title=title("What a hundredth more of a lever's range does.", "At the best package; blue: more, orange: less"),
    )


def drawn(result: Drawn) -> alt.LayerChart | alt.FacetChart:
    """Packages drawn and the best one: objective against the first limit."""
    samples = result.tables["samples"]
    limits = samples.filter(pl.col("kind") == "limit")["quantity"].unique(maintain_order=True).to_list()
    objective = samples.filter(pl.col("kind") == "objective")
    if not objective.height or not limits:
        return levers(result)
    factor, unit = _scaled(objective["unit"][0])
    against = samples.filter((pl.col("kind") == "limit") & (pl.col("quantity") == limits[0]))
    per, limit_unit = _scaled(against["unit"][0])
    points = objective.join(against, on="sample", suffix="_limit").select(
        pl.col("value") * factor, limit=pl.col("value_limit") * per, what=pl.lit("drawn")
    )
    row = result.tables["limits"].filter(pl.col("limit") == limits[0])
    best = result.tables["certificates"].drop_nulls("residual").sort("passed", "objective")
    reached = _best_objective(result, objective["quantity"][0], best)
    mark = pl.DataFrame({"value": [reached * factor], "limit": [float(row["value"][0]) * per], "what": ["best"]})
    data = pl.concat([points, mark])
    paint = alt.Color("what:N").scale(domain=["drawn", "best"], range=[SOFT, PALETTE[1]])
    dots = alt.Chart(columns(data, ["value", "limit", "what"])).mark_point(filled=True, size=60, opacity=0.9).encode(
        x=alt.X("limit:Q").title(f"{limits[0]}, {limit_unit}").scale(zero=False),
        y=alt.Y("value:Q").title(None).scale(zero=False),
        color=paint,
        tooltip=["what:N", alt.Tooltip("value:Q", format=",.4~g"), alt.Tooltip("limit:Q", format=",.4~g")],
    )  # fmt: skip
    line = alt.Chart(pl.DataFrame({"bound": [float(row["bound"][0]) * per]})).mark_rule(color=LOSS, strokeDash=[4, 3])
    return alt.layer(line.encode(x="bound:Q"), dots).properties(
        width=WIDTH,
        height=HEIGHT,
        title=title("Packages drawn at random and the best one.", f"{_sentence(result.objective)}, {unit}; dashed: the limit"),
    )


def _best_objective(result: Drawn, name: str, searches: pl.DataFrame) -> float:
    effects = result.tables["effects"].filter((pl.col("package") == "best") & (pl.col("quantity") == name))
    return float(effects["value"][0] if effects.height else searches["objective"][0])


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
