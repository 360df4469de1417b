"""One page for a best package: the frontier, the mixes along it, what each lever does, and the packages drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import altair as alt
import polars as pl

from backfill.charts.offline import page_of
from backfill.charts.panel import NothingToDraw, Panel, page_foot, source
from backfill.charts.theme import (
    GAIN,
    HEIGHT,
    INK,
    LOSS,
    NEUTRAL,
    PAPER,
    RULE,
    SERIES,
    SOFT,
    TOTAL,
    WIDTH,
    apart,
    columns,
    page_title,
    room,
    themed,
    wrap,
)
from backfill.charts.words import Measure, capital, measure, people

BEST = SERIES[0]
OPTIMAL, INFEASIBLE = "optimal", "infeasible"
LINE = 12
"""Height of a line of an axis' labels."""
NOTHING = 1e-3
"""Share of the largest effect on the same number below which one is written as nothing."""
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

    @property
    def provenance(self) -> Mapping[str, Any]: ...


def design(result: Drawn) -> alt.VConcatChart:
    """Frontier and mixes where there is a frontier, else packages drawn; below them levers at their best."""
    along = result.tables["frontier"].height > 0
    panels = [frontier(result), mixes(result)] if along else [drawn(result)]
    rows = [panels, [levers(result), marginals(result)]]
    if along and result.tables["samples"].height:
        rows.append([drawn(result)])
    lines = [
        alt.hconcat(*(panel.on_page() for panel in row), spacing=56).resolve_scale(color="independent") for row in rows
    ]
    ranged = result.tables["effects"]["low"].drop_nulls().len() > 0
    caveat = CAVEAT if ranged else f"{CAVEAT} Central values of the parameters."
    head = page_title(result.title or result.name, f"{result.sentences[0]} {caveat}")
    told = " ".join(panel.description() for row in rows for panel in row)
    chart = alt.vconcat(*lines, spacing=44, title=head, description=told)
    return themed(page_foot(chart.resolve_scale(color="independent"), source(result.provenance, compute=True)))


def page(result: Drawn) -> str:
    """The charts as one HTML page that opens without a network."""
    return page_of(design(result), result.title or result.name)


def _objective(result: Drawn) -> pl.DataFrame:
    return result.tables["frontier"].filter(pl.col("kind") == "objective")


def frontier(result: Drawn, width: float = WIDTH) -> Panel:
    """The objective at every value of the limit that moves; open marks where optimality is not certified."""
    table = result.tables["frontier"]
    objective = _objective(result)
    if objective.is_empty():
        raise NothingToDraw(f"no frontier to draw: {result.name} names no limit that moves")
    unit = str(objective["unit"][0])
    how = measure(unit, objective["value"])
    limit, per = _moving(result)
    price = table.filter(pl.col("kind") == "price").select("point", pl.col("value").alias("price"))
    data = (
        objective.join(price, on="point", how="left")
        .with_columns(
            state=pl.when(pl.col("verdict") == OPTIMAL).then(pl.lit("certified")).otherwise(pl.col("verdict")),
            label=pl.col("value").map_elements(lambda v: people(v, unit, 3), return_dtype=pl.String),
        )
        .with_columns(pl.col("value", "low", "high") * how.factor, pl.col("bound") * per.factor)
    )
    base = alt.Chart(columns(data, ["bound", "value", "low", "high", "price", "state", "verdict", "label"]))
    x = alt.X("bound:Q").title(f"{limit}, {per.unit}").axis(tickCount=6, format=",.6~g").scale(zero=False, padding=14)
    y = alt.Y("value:Q").title(None).axis(tickCount=6, format=",.6~g").scale(zero=False, padding=14)
    line = base.mark_line(color=BEST).encode(x=x, y=y)
    tip = [
        alt.Tooltip("bound:Q", format=",.4~g", title=limit),
        alt.Tooltip("label:N", title=result.objective),
        alt.Tooltip("price:Q", format=",.4~g", title="worth of a unit more"),
        "state:N",
    ]
    states = data["state"].unique(maintain_order=True).to_list()
    paint = alt.Scale(domain=states, range=[BEST if state == "certified" else PAPER for state in states])
    fill = alt.Fill("state:N").scale(paint).legend(None)
    dots = base.mark_point(size=70, color=BEST, opacity=1).encode(x=x, y=y, fill=fill, tooltip=tip)
    ends = objective.sort("bound").filter(pl.col("verdict") != INFEASIBLE)
    missed = objective.height - ends.height
    sentence = "No package keeps the limit anywhere along it."
    if ends.height:
        sentence = f"From {people(ends['value'][0], unit)} to {people(ends['value'][-1], unit)} as the limit moves."
    below = f"{capital(result.objective)}, {how.unit}; filled: the optimality conditions hold"
    if missed:
        below += f"; open at {missed} {'values' if missed > 1 else 'value'} where no package keeps the limit"
    told = f"Along the horizontal: {limit}, {per.unit}"
    layers: list[alt.Chart] = [line, dots]
    if data["low"].null_count() < data.height:
        below += "; band: over known ranges of the parameters, the packages kept"
        layers.insert(0, base.mark_area(color=BEST, opacity=0.15).encode(x=x, y="low:Q", y2="high:Q"))
    return Panel(alt.layer(*layers).properties(width=width, height=HEIGHT), "Frontier", sentence, below, told)


def _moving(result: Drawn) -> tuple[str, Measure]:
    """The limit that moves: its name, and how it is read."""
    kinds = result.tables["frontier"].filter(pl.col("kind") == "limit")
    gap = (pl.col("value") - pl.col("bound")).abs().mean().alias("gap")
    gaps = kinds.group_by("quantity", "unit", maintain_order=True).agg(gap)
    name, unit = gaps.sort("gap").select("quantity", "unit").row(0)
    return name, measure(unit, kinds["bound"])


def mixes(result: Drawn, width: float = WIDTH) -> Panel:
    """Where each lever stands in its range along the frontier, the levers named at the ends of their lines."""
    table = result.tables["frontier"].filter(pl.col("kind") == "share")
    if table.is_empty():
        raise NothingToDraw(f"no frontier to draw: {result.name} names no limit that moves")
    limit, per = _moving(result)
    data = table.with_columns(bound=pl.col("bound") * per.factor).rename({"quantity": "lever"})
    names = data["lever"].unique(maintain_order=True).to_list()
    moves = data.group_by("lever").agg((pl.col("value").max() - pl.col("value").min()).alias("span")).sort("span")
    widest = moves["lever"][-1]
    colour = (
        alt.Color("lever:N")
        .scale(domain=names, range=[SERIES[n % len(SERIES)] for n in range(len(names))])
        .legend(None)
    )
    x = alt.X("bound:Q").title(f"{limit}, {per.unit}").axis(tickCount=6, format=",.6~g").scale(zero=False, nice=False)
    y = alt.Y("value:Q").title(None).axis(format="%", tickCount=5).scale(domain=[0, 1])
    line = alt.Chart(columns(data, ["bound", "value", "lever"])).mark_line(point=alt.OverlayMarkDef(size=30)).encode(
        x=x, y=y, color=colour,
        tooltip=["lever:N", alt.Tooltip("value:Q", format=".1%"), alt.Tooltip("bound:Q", format=",.4~g", title=limit)],
    )  # fmt: skip
    last = data.filter(pl.col("bound") == pl.col("bound").max())
    placed = apart(dict(last.select("lever", "value").iter_rows()), 14 / HEIGHT)
    excess = max(0.0, max(placed.values()) - 1)
    end = last.with_columns(
        at=pl.col("lever").replace_strict({k: v - excess for k, v in placed.items()}, return_dtype=pl.Float64)
    )
    text = alt.Chart(columns(end, ["bound", "at", "lever"])).mark_text(align="left", dx=8, fontSize=10.5).encode(
        x=x, y=alt.Y("at:Q").scale(domain=[0, 1]), text="lever:N", color=colour
    )  # fmt: skip
    drawing = alt.layer(line, text).properties(width=width - room(names, 5.6), height=HEIGHT)
    subtitle = "The best mix: each lever's place between its least and its largest value"
    told = "; ".join(f"{lever} moves by {span:.0%} of its range" for lever, span in moves.iter_rows())
    return Panel(drawing, "Lines", f"{capital(widest)} moves most.", subtitle, told)


def levers(result: Drawn, width: float = WIDTH - 130) -> Panel:
    """Every lever in its range, as written and at best."""
    table = result.tables["design"].with_columns(
        place=(pl.col("value") - pl.col("low")) / (pl.col("high") - pl.col("low")),
        label=pl.when(pl.col("there"))
        .then(pl.col("value").map_elements(lambda x: f"{x:.3g}", return_dtype=pl.String))
        .otherwise(pl.lit("left out")),
    )
    names = table["lever"].unique(maintain_order=True).to_list()
    base = alt.Chart(columns(table, ["lever", "package", "place", "label", "low", "high"]))
    y = alt.Y("lever:N").sort(names).title(None).axis(ticks=False, domain=False, labelLimit=240, labelPadding=12)
    x = alt.X("place:Q").title(None).scale(domain=[0, 1]).axis(format="%", values=[0, 0.5, 1])
    track = base.mark_rule(color=RULE, strokeWidth=5).encode(y=y, x=alt.datum(0), x2=alt.datum(1))
    packages = ["as written", "best"]
    paint = alt.Color("package:N").scale(domain=packages, range=[TOTAL, BEST])
    shape = alt.Shape("package:N").scale(domain=packages, range=["square", "circle"]).legend(None)
    dots = base.mark_point(filled=True, size=110, opacity=1).encode(
        x=x, y=y, color=paint, shape=shape, tooltip=["lever:N", "package:N", "label:N", "low:Q", "high:Q"]
    )
    best = base.transform_filter("datum.package == 'best'").mark_text(dy=-12, fontSize=10.5, color=INK).encode(
        x=x, y=y, text="label:N"
    )  # fmt: skip
    ends = table.filter(pl.col("package") == "best")
    bound = ends.filter(pl.col("at") != "").height
    sentence = (
        f"{bound} of {ends.height} levers stand at an end of their range." if bound else "No lever stands at an end."
    )
    drawing = alt.layer(track, dots, best).properties(width=width, height=44 * len(names))
    told = "; ".join(f"{row['lever']} {row['label']}" for row in ends.iter_rows(named=True))
    return Panel(
        drawing, "Dots in ranges", sentence, "Share of the way from the least to the largest value", f"Best: {told}"
    )


def marginals(result: Drawn, width: float = WIDTH - 110) -> Panel:
    """What a hundredth of each lever's range does at the best package, as a share of the largest effect on the same number."""
    table = result.tables["marginals"]
    if table.is_empty():
        raise NothingToDraw(f"no effects of levers to draw in {result.name}")
    hows = {name: measure(str(part["unit"][0]), part["value"]) for (name,), part in table.group_by("quantity")}
    table = table.with_columns(
        share=pl.col("value") / pl.col("value").abs().max().over("quantity"),
        heading=pl.col("quantity").map_elements(lambda name: f"{name}, {hows[name].unit}", return_dtype=pl.String),
    ).with_columns(dark=pl.col("share").abs() > 0.6)
    told = [hows[r["quantity"]].label(r["value"], 2, signed=True) for r in table.iter_rows(named=True)]
    small = pl.col("share").abs() < NOTHING
    table = table.with_columns(label=pl.when(small).then(pl.lit("0")).otherwise(pl.Series(told, dtype=pl.String)))
    names = table["lever"].unique(maintain_order=True).to_list()
    headings = table["heading"].unique(maintain_order=True).to_list()
    base = alt.Chart(columns(table, ["lever", "quantity", "heading", "share", "label", "dark"]))
    wide = max(int(width / len(headings) / 5.6), 8)
    lines = max(len(wrap(one, wide)) for one in headings)
    broken = (
        "[" + ", ".join(f"{wrap(one, wide)!r}" for one in headings) + "][indexof(" + repr(headings) + ", datum.label)]"
    )
    x = (
        alt.X("heading:N")
        .sort(headings)
        .title(None)
        .axis(orient="top", labelAngle=0, ticks=False, domain=False, labelExpr=broken, labelPadding=LINE * lines - 8)
    )
    y = alt.Y("lever:N").sort(names).title(None).axis(ticks=False, domain=False, labelLimit=240)
    paint = alt.Scale(domain=[-1, 0, 1], range=[LOSS, NEUTRAL, GAIN], interpolate="rgb")
    cells = base.mark_rect(stroke=PAPER).encode(
        x=x, y=y, color=alt.Color("share:Q").scale(paint).legend(None), tooltip=["lever:N", "heading:N", "label:N"]
    )
    ink = alt.condition("datum.dark", alt.value(PAPER), alt.value(INK))
    text = base.mark_text(fontSize=10.5).encode(x=x, y=y, text="label:N", color=ink)
    drawing = alt.layer(cells, text).properties(width=width, height=44 * len(names))
    sentence = "What a hundredth more of a lever's range does."
    told = "; ".join(f"{row['lever']} on {row['heading']}: {row['label']}" for row in table.iter_rows(named=True))
    return Panel(drawing, "Heat map", sentence, "At the best package; teal: more, red: less", told)


def drawn(result: Drawn, width: float = WIDTH) -> Panel:
    """Packages drawn and the best one: objective against the first limit; the levers where no package was drawn."""
    samples = result.tables["samples"]
    limits = samples.filter(pl.col("kind") == "limit")["quantity"].unique(maintain_order=True).to_list()
    objective = samples.filter(pl.col("kind") == "objective")
    if not objective.height or not limits:
        return levers(result, width - 130)
    row = result.tables["limits"].filter(pl.col("limit") == limits[0])
    best = result.tables["certificates"].drop_nulls("residual").sort("passed", "objective")
    reached = _best_objective(result, objective["quantity"][0], best)
    against = samples.filter((pl.col("kind") == "limit") & (pl.col("quantity") == limits[0]))
    unit = str(objective["unit"][0])
    how = measure(unit, [reached, *objective["value"]])
    per = measure(str(against["unit"][0]), [float(row["bound"][0]), *against["value"]])
    points = objective.join(against, on="sample", suffix="_limit").select(
        pl.col("value") * how.factor, limit=pl.col("value_limit") * per.factor, what=pl.lit("drawn at random")
    )
    mark = pl.DataFrame(
        {"value": [reached * how.factor], "limit": [float(row["value"][0]) * per.factor], "what": ["best"]}
    )
    data = pl.concat([points, mark])
    kinds = ["drawn at random", "best"]
    dots = alt.Chart(columns(data, ["value", "limit", "what"])).mark_point(filled=True, size=60, opacity=0.9).encode(
        x=alt.X("limit:Q").title(f"{limits[0]}, {per.unit}").axis(format=",.6~g").scale(zero=False, padding=14),
        y=alt.Y("value:Q").title(None).axis(format=",.6~g").scale(zero=False, padding=14),
        color=alt.Color("what:N").scale(domain=kinds, range=[TOTAL, BEST]),
        shape=alt.Shape("what:N").scale(domain=kinds, range=["circle", "diamond"]).legend(None),
        tooltip=["what:N", alt.Tooltip("value:Q", format=",.4~g", title=how.unit), alt.Tooltip("limit:Q", format=",.4~g")],
    )  # fmt: skip
    line = alt.Chart(pl.DataFrame({"bound": [float(row["bound"][0]) * per.factor]})).mark_rule(
        color=SOFT, strokeDash=[4, 3]
    )
    drawing = alt.layer(line.encode(x="bound:Q"), dots).properties(width=width, height=HEIGHT)
    sentence = "Packages drawn at random and the best one."
    subtitle = f"{capital(result.objective)}, {how.unit}; dashed: the limit"
    return Panel(drawing, "Scatter", sentence, subtitle, f"The best reaches {people(reached, unit)}")


def _best_objective(result: Drawn, name: str, searches: pl.DataFrame) -> float:
    effects = result.tables["effects"].filter((pl.col("package") == "best") & (pl.col("quantity") == name))
    return float(effects["value"][0] if effects.height else searches["objective"][0])
