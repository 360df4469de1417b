"""One page for an alignment game: pay-offs by profile, deterring tariffs with their ranges, what coalitions are worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import altair as alt
import polars as pl

from backfill.charts.offline import page_of
from backfill.charts.panel import NothingToDraw, Panel, bar_labels, page_foot, source
from backfill.charts.places import region_name
from backfill.charts.theme import (
    GAIN,
    HEIGHT,
    INK,
    LABEL,
    LOSS,
    NEUTRAL,
    PAPER,
    SERIES,
    TOTAL,
    WIDTH,
    apart,
    columns,
    page_title,
    room,
    rule_at_zero,
    themed,
)
from backfill.charts.words import capital, listed, measure

MOST_ROWS = 81
"""Profiles drawn; of more, only those in which everybody is as today or as asked."""

SMALL = 1e4
"""Pay-offs are drawn in ten-thousandths of GDP."""

STANCE_COLOURS = (SERIES[0], "#c9a227")
OTHERS = {"as asked": "others aligned as asked", "as today": "others as today"}
DETERRING = "deterring tariff"


class Drawn(Protocol):
    """What is drawn of a game."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def players(self) -> tuple[str, ...]: ...

    @property
    def profiles(self) -> tuple[str, str]: ...

    @property
    def tables(self) -> Mapping[str, pl.DataFrame]: ...

    @property
    def sentences(self) -> tuple[str, ...]: ...

    @property
    def provenance(self) -> Mapping[str, Any]: ...


def game(result: Drawn) -> alt.VConcatChart:
    """Heat map of pay-offs beside deterring tariffs and margins, over what coalitions are worth."""
    first = [heat_map(result), deterring_tariffs(result), margins(result)]
    right = alt.vconcat(*(panel.on_page() for panel in first[1:]), spacing=36).resolve_scale(color="independent")
    top = alt.hconcat(first[0].on_page(), right, spacing=48).resolve_scale(color="independent")
    last = [coalition_values(result, quantity) for quantity in quantities(result)]
    drawn = [panel.on_page() for panel in last]
    rows = [alt.hconcat(*drawn[n : n + 2], spacing=56) for n in range(0, len(drawn), 2)]
    head = page_title(
        result.title or result.name, "Computed scenarios, not forecasts: every number rests on assumed elasticities."
    )
    told = " ".join(panel.description() for panel in [*first, *last])
    chart = alt.vconcat(top, *rows, spacing=44, title=head, description=told)
    return themed(page_foot(chart.resolve_scale(color="independent"), source(result.provenance, compute=True)))


def page(result: Drawn) -> str:
    """The charts as one HTML page that opens without a network."""
    return page_of(game(result), result.title or result.name)


def heat_map(result: Drawn, width: float = WIDTH - 110) -> Panel:
    """Pay-off of every player at every profile, equilibria marked."""
    table = columns(result.tables["payoffs"], ["profile", "player", "part", "value"]).filter(pl.col("part") == "total")
    names = list(dict.fromkeys(table["profile"].to_list()))
    if len(names) > MOST_ROWS:
        ends = [dict(part.rsplit(" ", 1) for part in name.split(", ")) for name in result.profiles]
        names = [
            n for n in names if all(lv in (e[p] for e in ends) for p, lv in (x.rsplit(" ", 1) for x in n.split(", ")))
        ]
    stable = set(result.tables["equilibria"]["profile"].to_list())
    marks = {name: _marked(name, stable, result) for name in names}
    data = table.filter(pl.col("profile").is_in(names)).with_columns(
        pl.col("profile").replace_strict(marks, return_dtype=pl.String),
        value=pl.col("value") * SMALL,
        label=pl.when(pl.col("value").is_null())
        .then(pl.lit("not solved"))
        .otherwise(
            (pl.col("value") * SMALL).map_elements(lambda x: f"{x:,.1f}".replace("-", "−"), return_dtype=pl.String)
        ),
    )
    today = data.filter(pl.col("profile") == marks[result.profiles[0]]).select("player", pl.col("value").alias("today"))
    change = pl.col("value") - pl.col("today")
    reach = pl.when(change.abs().max().over("player") > 0).then(change.abs().max().over("player")).otherwise(1.0)
    data = data.join(today, on="player", how="left", maintain_order="left").with_columns(
        better=(change / reach).fill_null(0.0)
    )
    data = data.with_columns(dark=pl.col("better").abs() > 0.6)
    base = alt.Chart(columns(data, ["profile", "player", "value", "label", "better", "dark"]))
    x = (
        alt.X("player:N")
        .sort(list(result.players))
        .title(None)
        .axis(orient="top", labelAngle=0, ticks=False, domain=False)
    )
    y = alt.Y("profile:N").sort(list(marks.values())).title(None).axis(ticks=False, domain=False, labelLimit=320)
    paint = alt.Scale(domain=[-1, 0, 1], range=[LOSS, NEUTRAL, GAIN], interpolate="rgb")
    cells = base.mark_rect(stroke=PAPER).encode(
        x=x, y=y, color=alt.Color("better:Q").scale(paint).legend(None),
        tooltip=["profile:N", "player:N", alt.Tooltip("value:Q", format=",.3f", title="ten-thousandths of GDP")],
    )  # fmt: skip
    ink = alt.condition("datum.dark", alt.value(PAPER), alt.value(INK))
    text = base.mark_text(fontSize=10.5).encode(x=x, y=y, text="label:N", color=ink)
    drawing = alt.layer(cells, text).properties(width=width, height=max(21 * len(names), 120))
    subtitle = (
        "Pay-off by profile, ten-thousandths of GDP; teal: better than today, red: worse, each on a scale of its own"
    )
    told = f"Equilibria: {'; '.join(sorted(stable)) or 'none'}"
    return Panel(drawing, "Heat map", result.sentences[0], subtitle, told)


def _marked(name: str, stable: set[str], result: Drawn) -> str:
    marks = [mark for mark, true in (("equilibrium", name in stable), ("today", name == result.profiles[0])) if true]
    return f"{' and '.join(marks)}: {name}" if marks else name


def deterring_tariffs(result: Drawn, width: float = WIDTH) -> Panel:
    """The least tariff that deters each player, with its range; at the right edge where there is none."""
    table = result.tables["deterrence"].filter(pl.col("quantity") == DETERRING)
    cap = float(result.tables["curves"]["rate"].max() or 1.0)  # type: ignore[arg-type]
    belief = _belief(result)
    chosen = table.filter((pl.col("credibility") - belief).abs() < 1e-9)
    data = chosen.with_columns(
        pl.col("others").replace(OTHERS),
        pl.col("player").map_elements(region_name, return_dtype=pl.String),
        none=pl.col("value").is_null(),
        at=pl.col("value").fill_null(cap),
        end=pl.when(pl.col("low").is_null() & pl.col("high").is_null())
        .then(None)
        .otherwise(pl.col("high").fill_null(cap)),
        label=pl.when(pl.col("value").is_null())
        .then(pl.lit("none"))
        .otherwise(
            (pl.col("value") * 100).map_elements(
                lambda x: f"{x:.0f}%" if x >= 1 or x == 0 else f"{x:.1f}%", return_dtype=pl.String
            )
        ),
    )
    drawn = columns(data, ["player", "others", "none", "at", "low", "end", "label"])
    base = alt.Chart(drawn)
    x = (
        alt.X("at:Q")
        .title(None)
        .axis(format="%", values=[n * cap / 4 for n in range(5)])
        .scale(domain=[0, cap * 1.12], nice=False)
    )
    names = [region_name(player) for player in result.players]
    y = alt.Y("player:N").sort(names).title(None).axis(ticks=False, domain=False, labelFontSize=12)
    apart = alt.YOffset("others:N").sort(list(OTHERS.values()))
    paint = (
        alt.Color("others:N").scale(domain=list(OTHERS.values()), range=list(STANCE_COLOURS)).legend(symbolOpacity=1)
    )
    spread = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=5, opacity=0.35).encode(
        x="low:Q", x2="end:Q", y=y, yOffset=apart, color=paint
    )  # fmt: skip
    tip = ["player:N", "others:N", alt.Tooltip("label:N", title="deterring tariff")]
    dot = base.transform_filter("!datum.none").mark_point(filled=True, size=80, opacity=1).encode(
        x=x, y=y, yOffset=apart, color=paint, tooltip=tip
    )  # fmt: skip
    cross = base.transform_filter("datum.none").mark_point(shape="cross", filled=True, size=70).encode(
        x=x, y=y, yOffset=apart, color=paint, tooltip=tip
    )  # fmt: skip
    text = base.mark_text(align="left", dx=8, dy=-7, fontSize=10.5, color=INK).encode(
        x=x, y=y, yOffset=apart, text="label:N"
    )
    ranged = chosen["low"].is_not_null().any() or chosen["high"].is_not_null().any()
    told = "bars: range over parameters" if ranged else "no ranges computed"
    drawing = alt.layer(spread, dot, cross, text).properties(width=width, height=max(52 * len(result.players), 110))
    subtitle = f"Least duty at which a player aligns, believed with {belief:.0%}; {told}; cross: none up to {cap:.0%}"
    words = "; ".join(f"{r['player']}, {r['others']}: {r['label']}" for r in drawn.iter_rows(named=True))
    return Panel(drawing, "Dots with ranges", _deterred(chosen, result.players), subtitle, words)


def _deterred(table: pl.DataFrame, players: tuple[str, ...]) -> str:
    """Who follows easily once the others have, and who hardly goes first."""
    found = {
        others: dict(table.filter(pl.col("others") == others).select("player", "value").iter_rows())
        for others in OTHERS
    }
    never = [p for p in players if found["as today"].get(p) is None]
    if never:
        return f"No duty makes {listed(map(region_name, never))} go first."
    dear = max(players, key=lambda p: found["as today"][p])
    after = [v for v in found["as asked"].values() if v is not None]
    if after and len(after) == len(players):
        first = f"To go first {region_name(dear)} needs {found['as today'][dear]:.0%}"
        return f"{first}; to follow, nobody needs more than {max(after):.0%}."
    return f"To go first {region_name(dear)} needs a duty of {found['as today'][dear]:.0%}."


def _belief(result: Drawn) -> float:
    """The credibility at which ranges and offers are given."""
    offers = result.tables["deterrence"].filter(pl.col("quantity") != DETERRING)
    return float(offers["credibility"][0])


def margins(result: Drawn, width: float = WIDTH, height: float = HEIGHT - 60) -> Panel:
    """What aligning is better by than the best alternative, by tariff; players named at the ends of their lines."""
    table = result.tables["curves"].drop_nulls("value")
    if table.is_empty():
        raise NothingToDraw(f"no response to tariffs to draw in {result.name}: its curves are empty")
    data = table.with_columns(
        pl.col("others").replace(OTHERS),
        pl.col("player").map_elements(region_name, return_dtype=pl.String),
        value=pl.col("value") * SMALL,
    )
    known = [region_name(player) for player in result.players]
    base = alt.Chart(columns(data, ["player", "others", "rate", "value"]))
    shades = [SERIES[n % len(SERIES)] for n in range(len(result.players))]
    paint = alt.Color("player:N").scale(domain=known, range=shades).legend(None)
    dash = alt.StrokeDash("others:N").scale(domain=list(OTHERS.values()), range=[[1, 0], [5, 4]])
    x = alt.X("rate:Q").title("duty threatened").axis(format="%", tickCount=6)
    line = base.mark_line(point=alt.OverlayMarkDef(size=18)).encode(
        x=x,
        y=alt.Y("value:Q").title(None).axis(tickCount=5),
        color=paint,
        strokeDash=dash.legend(None),
        tooltip=["player:N", "others:N", alt.Tooltip("rate:Q", format="%"), alt.Tooltip("value:Q", format=",.3f")],
    )
    last = data.filter(pl.col("rate") == pl.col("rate").max(), pl.col("others") == OTHERS["as asked"])
    span = float(data["value"].max() - min(data["value"].min(), 0.0))  # type: ignore[operator,type-var]
    placed = apart(dict(last.select("player", "value").iter_rows()), LABEL * span / height)
    ends = last.with_columns(at=pl.col("player").replace_strict(placed, return_dtype=pl.Float64))
    names = alt.Chart(columns(ends, ["player", "rate", "at"])).mark_text(
        align="left", dx=7, fontSize=11, fontWeight=600
    )
    named = names.encode(x="rate:Q", y="at:Q", text="player:N", color=paint)
    drawing = alt.layer(rule_at_zero("y"), line, named).properties(width=width - room(known), height=height)
    subtitle = (
        "What aligning is better by than not, ten-thousandths of GDP, by duty threatened; dashed: others as today"
    )
    told = "; ".join(f"{p} {v:,.1f}" for p, v in last.select("player", "value").iter_rows())
    return Panel(drawing, "Lines", "Above the line a player aligns.", subtitle, f"At the highest duty: {told}")


def quantities(result: Drawn) -> list[str]:
    """What coalitions bring about."""
    return result.tables["coalitions"]["quantity"].unique(maintain_order=True).to_list()


def coalition_values(result: Drawn, quantity: str | None = None, width: float = WIDTH - 120) -> Panel:
    """Bars of what each coalition brings about.

    Args:
        result: a game.
        quantity: one of `quantities`; the first if None.
        width: in pixels.

    Raises:
        NothingToDraw: there is no such quantity; says which there are.
    """
    known = quantities(result)
    if not known or quantity not in (None, *known):
        raise NothingToDraw(f"no {quantity!r} of coalitions to draw; there are {', '.join(known) or 'none'}")
    quantity = known[0] if quantity is None else quantity
    drawn = columns(result.tables["coalitions"], ["coalition", "members", "quantity", "value", "unit"])
    table = drawn.filter(pl.col("quantity") == quantity)
    how = measure(str(table["unit"][0]), table["value"])
    order = table.sort("members", maintain_order=True)["coalition"].to_list()
    data = table.with_columns(
        value=pl.col("value") * how.factor,
        kind=pl.col("value").sign().fill_null(0.0).cast(pl.Int64),
        ahead=pl.col("value") >= 0,
        label=pl.col("value").map_elements(lambda v: how.label(v, 2), return_dtype=pl.String),
    )
    base = alt.Chart(columns(data, ["coalition", "value", "kind", "ahead", "label"]))
    y = alt.Y("coalition:N").sort(order).title(None).axis(ticks=False, domain=False, labelLimit=220)
    paint = alt.Color("kind:O").scale(domain=[-1, 0, 1], range=[LOSS, TOTAL, GAIN]).legend(None)
    bars = base.mark_bar(height={"band": 0.7}).encode(
        x=alt.X("value:Q").title(None).axis(tickCount=5, format=",.6~g").scale(padding=44, nice=True),
        y=y,
        color=paint,
        tooltip=["coalition:N", alt.Tooltip("label:N", title=how.unit)],
    )
    layers = [bars, *bar_labels(base, "value:Q", y), rule_at_zero()]
    drawing = alt.layer(*layers).properties(width=width, height=24 * len(order))
    best = table.sort("value", nulls_last=False)["coalition"][-1]
    told = "; ".join(f"{row['coalition']} {row['label']}" for row in data.iter_rows(named=True))
    sentence = f"{capital(quantity)} by who aligns: largest with {best}."
    return Panel(
        drawing,
        "Diverging bars",
        sentence,
        f"By coalition of those who align as asked, the others as today: change from today, {how.unit}",
        told,
    )
