"""One page for an alignment game: pay-offs by profile, deterring tariffs with their ranges, what coalitions are worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import altair as alt
import polars as pl

from backfill.charts.offline import page_of
from backfill.charts.panels import footer
from backfill.charts.theme import GAIN, HEIGHT, INK, LOSS, RULE, SOFT, TOTAL, WIDTH, columns, themed, title, wrap

MOST_ROWS = 81
"""Profiles drawn; of more, only those in which everybody is as today or as asked."""

SMALL = 1e4
"""Pay-offs are drawn in ten-thousandths of GDP."""

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5b6570", "#1b1f24")
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


def game(result: Drawn) -> alt.VConcatChart:
    """Heat map of pay-offs beside deterring tariffs and margins, over what coalitions are worth."""
    right = alt.vconcat(deterring_tariffs(result), margins(result), spacing=36).resolve_scale(color="independent")
    top = alt.hconcat(heat_map(result), right, spacing=48).resolve_scale(color="independent")
    panels = coalition_values(result)
    rows = [alt.hconcat(*panels[n : n + 2], spacing=56) for n in range(0, len(panels), 2)]
    head = alt.TitleParams(
        text=wrap(result.title or result.name, 90),
        subtitle=wrap("Computed scenarios, not forecasts: every number rests on assumed elasticities.", 150),
        fontSize=20,
        subtitleFontSize=12.5,
        offset=24,
        color=INK,
        subtitleColor=SOFT,
    )
    chart = alt.vconcat(top, *rows, footer(), spacing=44, title=head)
    return themed(chart.resolve_scale(color="independent"))


def page(result: Drawn) -> str:
    """The charts as one HTML page that opens without a network."""
    return page_of(game(result), result.title or result.name)


def heat_map(result: Drawn) -> alt.LayerChart | alt.FacetChart:
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
    paint = alt.Scale(domain=[-1, 0, 1], range=[LOSS, "#f4f5f6", GAIN], interpolate="rgb")
    cells = base.mark_rect(stroke="white").encode(
        x=x, y=y, color=alt.Color("better:Q").scale(paint).legend(None),
        tooltip=["profile:N", "player:N", alt.Tooltip("value:Q", format=",.3f", title="ten-thousandths of GDP")],
    )  # fmt: skip
    ink = alt.condition("datum.dark", alt.value("white"), alt.value(INK))
    text = base.mark_text(fontSize=10.5).encode(x=x, y=y, text="label:N", color=ink)
    sentence = result.sentences[0]
    return alt.layer(cells, text).properties(
        width=WIDTH - 110,
        height=max(21 * len(names), 120),
        title=title(
            sentence,
            "Pay-off by profile, ten-thousandths of GDP; green: better than today, orange: worse, each on its own scale",
        ),
    )


def _marked(name: str, stable: set[str], result: Drawn) -> str:
    marks = [mark for mark, true in (("equilibrium", name in stable), ("today", name == result.profiles[0])) if true]
    return f"{' and '.join(marks)}: {name}" if marks else name


def deterring_tariffs(result: Drawn) -> alt.LayerChart | alt.FacetChart:
    """The least tariff that deters each player, with its range; at the right edge where there is none."""
    table = result.tables["deterrence"].filter(pl.col("quantity") == DETERRING)
    cap = float(result.tables["curves"]["rate"].max() or 1.0)  # type: ignore[arg-type]
    belief = _belief(result)
    chosen = table.filter((pl.col("credibility") - belief).abs() < 1e-9)
    data = chosen.with_columns(
        pl.col("others").replace(OTHERS),
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
    y = alt.Y("player:N").sort(list(result.players)).title(None).axis(ticks=False, domain=False, labelFontSize=12)
    apart = alt.YOffset("others:N").sort(list(OTHERS.values()))
    paint = alt.Color("others:N").scale(domain=list(OTHERS.values()), range=[PALETTE[0], PALETTE[1]])
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
    return alt.layer(spread, dot, cross, text).properties(
        width=WIDTH,
        height=max(52 * len(result.players), 110),
        title=title(
            _deterred(chosen, result.players),
            f"Least duty at which a player aligns, believed with {belief:.0%}; {told}; cross: none up to {cap:.0%}",
        ),
    )


def _deterred(table: pl.DataFrame, players: tuple[str, ...]) -> str:
    """Who follows easily once the others have, and who hardly goes first."""
    found = {
        others: dict(table.filter(pl.col("others") == others).select("player", "value").iter_rows())
        for others in OTHERS
    }
    never = [p for p in players if found["as today"].get(p) is None]
    if never:
        return f"No duty makes {', '.join(never)} go first."
    dear = max(players, key=lambda p: found["as today"][p])
    after = [v for v in found["as asked"].values() if v is not None]
    if after and len(after) == len(players):
        return f"To go first {dear} needs {found['as today'][dear]:.0%}; to follow, nobody more than {max(after):.0%}."
    return f"To go first {dear} needs a duty of {found['as today'][dear]:.0%}."


def _belief(result: Drawn) -> float:
    """The credibility at which ranges and offers are given."""
    offers = result.tables["deterrence"].filter(pl.col("quantity") != DETERRING)
    return float(offers["credibility"][0])


def margins(result: Drawn) -> alt.LayerChart | alt.FacetChart:
    """What aligning is better by than the best alternative, by tariff."""
    table = result.tables["curves"].drop_nulls("value")
    data = table.with_columns(pl.col("others").replace(OTHERS), value=pl.col("value") * SMALL)
    base = alt.Chart(columns(data, ["player", "others", "rate", "value"]))
    paint = alt.Color("player:N").scale(domain=list(result.players), range=list(PALETTE[: len(result.players)]))
    dash = alt.StrokeDash("others:N").scale(domain=list(OTHERS.values()), range=[[1, 0], [5, 4]]).legend(None)
    line = base.mark_line(point=alt.OverlayMarkDef(size=18)).encode(
        x=alt.X("rate:Q").title(None).axis(format="%", tickCount=6),
        y=alt.Y("value:Q").title(None).axis(tickCount=5),
        color=paint,
        strokeDash=dash,
        tooltip=["player:N", "others:N", alt.Tooltip("rate:Q", format="%"), alt.Tooltip("value:Q", format=",.3f")],
    )
    zero = alt.Chart(pl.DataFrame({"zero": [0.0]})).mark_rule(color=SOFT).encode(y="zero:Q")
    return alt.layer(zero, line).properties(
        width=WIDTH,
        height=HEIGHT - 60,
        title=title(
            "Above the line a player aligns.",
            "What aligning is better by, ten-thousandths of GDP, by duty threatened; dashed: others as today",
        ),
    )


def coalition_values(result: Drawn) -> list[alt.LayerChart | alt.FacetChart]:
    """A panel for each thing that coalitions bring about, by coalition."""
    table = columns(result.tables["coalitions"], ["coalition", "members", "quantity", "value", "unit"])
    return [
        _bars(part, str(quantity), str(unit))
        for (quantity, unit), part in table.group_by(["quantity", "unit"], maintain_order=True)
    ]


def _bars(table: pl.DataFrame, quantity: str, unit: str) -> alt.LayerChart | alt.FacetChart:
    scale, shown = (1e-3, f"thousand {unit}") if unit == "H100e" else (1.0, unit)
    order = table.sort("members", maintain_order=True)["coalition"].to_list()
    data = table.with_columns(
        value=pl.col("value") * scale,
        kind=(pl.col("value") != 0).cast(pl.Int64) * pl.col("value").sign().fill_null(0.0).cast(pl.Int64),
        ahead=pl.col("value") >= 0,
    ).with_columns(label=pl.col("value").map_elements(_short, return_dtype=pl.String))
    base = alt.Chart(columns(data, ["coalition", "value", "kind", "ahead", "label"]))
    y = alt.Y("coalition:N").sort(order).title(None).axis(ticks=False, domain=False, labelLimit=220)
    paint = alt.Color("kind:O").scale(domain=[-1, 0, 1], range=[LOSS, TOTAL, GAIN]).legend(None)
    bars = base.mark_bar(height={"band": 0.7}).encode(
        x=alt.X("value:Q").title(None).axis(format=",.6~g", tickCount=5).scale(padding=56, nice=True), y=y, color=paint
    )
    texts = [
        base.transform_filter(f"{'' if right else '!'}datum.ahead")
        .mark_text(align="left" if right else "right", dx=4 if right else -4, fontSize=10.5, color=INK)
        .encode(x="value:Q", y=y, text="label:N")
        for right in (True, False)
    ]
    zero = alt.Chart(pl.DataFrame({"zero": [0.0]})).mark_rule(color=RULE).encode(x="zero:Q")
    heading = quantity[:1].upper() + quantity[1:]
    subtitle = f"By coalition of those who align as asked, the others as today: change from today, {shown}"
    return alt.layer(bars, *texts, zero).properties(
        width=WIDTH - 60, height=24 * len(order), title=title(heading, subtitle)
    )


def _short(value: float) -> str:
    size = abs(value)
    text = f"{value:,.0f}" if size >= 100 else f"{value:,.1f}" if size >= 1 else f"{value:.2g}"
    return text.replace("-", "−")
