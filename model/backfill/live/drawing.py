"""Three small charts of worlds side by side: drawn once, then only their data change."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import altair as alt

from backfill.charts.routes import ROUTES
from backfill.charts.theme import BLOC_COLOURS, BLOC_NAMES, INK, ROUTE_COLOURS, rule_at_zero, themed
from backfill.charts.words import people
from backfill.live.models import World

GROUPS = ("tools", "chips", "accelerators")
ADVERSARY = "adversary"
PANEL, BAR = 190, 26
UNSETTLED = "What uncertain parameters do to such figures, their signs included, is not shown here."
MILLION, BILLION = 1e-6, 1e-3
"""From H100e to million H100e, from million to billion USD."""


def spec(shown: World, reference: World, kept: World | None, group: str, *, coupled: bool) -> dict[str, Any]:
    """The charts of a world as a Vega-Lite specification.

    Args:
        shown: what the sliders say.
        reference: what changes are measured against.
        kept: another world beside it, drawn hollow.
        group: products whose sales are drawn, one of `GROUPS`.
        coupled: whether numbers are of all years together.
    """
    changes = [*([kept] if kept else []), shown]
    data = {
        "compute": _compute([reference, *changes]),
        "sales": _sales(changes, group),
        "welfare": _welfare(changes, coupled),
    }
    names = tuple(one.name for one in changes)
    return {**_drawn(reference.name, names, group, shown.period), "datasets": data}


def headline(shown: World, reference: str, *, coupled: bool) -> str:
    """One sentence of what a world changes against its reference."""
    when = "over all years" if coupled else f"in {shown.period}"
    parts = []
    denied = shown.value("compute denied", ADVERSARY)
    if math.isfinite(denied):
        word = "less" if denied >= 0 else "more"
        parts.append(f"the adversary acquires {people(abs(denied), 'H100e')} {word}")
    for bloc in ("us", "ally"):
        worth = _worth(shown, bloc, coupled)
        if math.isfinite(worth):
            word = "gain" if worth >= 0 else "lose"
            who = "the United States" if bloc == "us" else "US allies"
            parts.append(f"{who} {word} {people(abs(worth), 'million USD')}")
    if not parts:
        return f"Against {reference}: nothing is measured."
    return f"Against {reference}, {when}, at central values: {'; '.join(parts)}. {UNSETTLED}"


def _worth(world: World, bloc: str, coupled: bool) -> float:
    return world.value("welfare, present value" if coupled else "equivalent variation", bloc)


def _compute(worlds: Sequence[World]) -> list[dict[str, Any]]:
    return [
        {"world": world.name, "route": ROUTES[route], "value": value * MILLION}
        for world in worlds
        for route in ROUTES
        if math.isfinite(value := world.value(f"compute acquired, {route}", ADVERSARY))
    ]


def _sales(worlds: Sequence[World], group: str) -> list[dict[str, Any]]:
    quantity = "change in sales to the adversary"
    return [
        {"world": world.name, "bloc": name, "value": value * BILLION}
        for world in worlds
        for bloc, name in BLOC_NAMES.items()
        if math.isfinite(value := world.value(quantity, bloc, group))
    ]


def _welfare(worlds: Sequence[World], coupled: bool) -> list[dict[str, Any]]:
    return [
        {"world": world.name, "bloc": name, "value": value * BILLION}
        for world in worlds
        for bloc, name in BLOC_NAMES.items()
        if math.isfinite(value := _worth(world, bloc, coupled))
    ]


@cache
def _drawn(reference: str, names: tuple[str, ...], group: str, period: str) -> dict[str, Any]:
    """The charts without their data."""
    when = "all years" if period == "all" else period
    made = alt.hconcat(
        _routes((reference, *names), when),
        _bars(names, "sales", f"Change in sales of {group} to it", f"billion USD, {when}"),
        _bars(names, "welfare", "Equivalent variation", f"billion USD, {'present value' if period == 'all' else when}"),
        spacing=34,
    ).resolve_scale(color="independent")
    return themed(made, padding=6, keys=2).to_dict()


def _named(name: str) -> alt.NamedData:
    return alt.NamedData(name=name)


def _title(text: str, below: str) -> alt.TitleParams:
    return alt.TitleParams(text=text, subtitle=below, offset=8, fontSize=13)


def _routes(names: tuple[str, ...], when: str) -> alt.Chart:
    here = list(ROUTE_COLOURS)
    return (
        alt.Chart(_named("compute"))
        .mark_bar(size=BAR)
        .encode(
            x=alt.X("value:Q").title(None).axis(tickCount=4),
            y=alt.Y("world:N", sort=list(names)).title(None).scale(domain=list(names)).axis(labelLimit=120),
            color=alt.Color("route:N").scale(domain=here, range=[ROUTE_COLOURS[one] for one in here]).legend(columns=2),
            order=alt.Order("place:Q"),
            tooltip=["world:N", "route:N", alt.Tooltip("value:Q", format=",.3~g", title="million H100e")],
        )
        .transform_calculate(place=f"indexof({here}, datum.route)")
        .properties(
            width=PANEL, height=60 + BAR * 3, title=_title("Compute the adversary acquires", f"million H100e, {when}")
        )
    )


def _bars(names: tuple[str, ...], data: str, title: str, below: str) -> alt.LayerChart | alt.FacetChart:
    """Bars by bloc; those of other worlds are hollow and lie beside."""
    blocs = list(BLOC_NAMES.values())
    fills = [BLOC_COLOURS[one] for one in BLOC_NAMES]
    y = alt.Y("bloc:N", sort=blocs).title(None).scale(domain=blocs)
    shown = alt.datum.world == names[-1]
    tip = ["world:N", "bloc:N", alt.Tooltip("value:Q", format=",.3~g", title="billion USD")]
    bars = (
        alt.Chart(_named(data))
        .mark_bar(stroke=INK)
        .encode(
            x=alt.X("value:Q").title(None).axis(tickCount=4),
            y=y,
            yOffset=alt.YOffset("world:N", sort=list(names)).scale(domain=list(names)),
            color=alt.Color("bloc:N").scale(domain=blocs, range=fills).legend(None),
            fillOpacity=alt.when(shown).then(alt.value(1.0)).otherwise(alt.value(0.15)),
            strokeDash=alt.when(shown).then(alt.value([1, 0])).otherwise(alt.value([3, 2])),
            strokeWidth=alt.when(shown).then(alt.value(0)).otherwise(alt.value(1)),
            tooltip=tip,
        )
    )
    return alt.layer(bars, rule_at_zero()).properties(width=PANEL, height=60 + BAR * 3, title=_title(title, below))
