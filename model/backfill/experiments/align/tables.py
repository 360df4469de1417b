"""From what has been found of a game to its tables, summary and checks."""

from __future__ import annotations

import math
from collections.abc import Iterator

import polars as pl

from backfill.experiments.align.found import Deterrence, Found
from backfill.experiments.align.result import SUMMARY, TABLES, AlignResult, percent, table
from backfill.experiments.align.sentences import sentences, when
from backfill.experiments.align.threats import Band
from backfill.experiments.provenance import provenance
from backfill.experiments.ranges import METHOD
from backfill.games.coalitions import profile_of
from backfill.games.deterrence import Deterring, thumb
from backfill.games.payoffs import PARTS

SHARE = "share of GDP"
YEARLY = "million USD a year"
CENTRAL = "central values"
"""What numbers are at that have no range."""

ROUNDING = 1e-6
"""Share of a total by which Shapley values may miss it."""


def result_of(found: Found) -> AlignResult:
    """The result of a solved game."""
    rows = {
        "payoffs": _payoffs(found),
        "equilibria": _equilibria(found),
        "path": _path(found),
        "stability": _stability(found),
        "coalitions": _coalitions(found),
        "shapley": _shapley(found),
        "deterrence": _deterrence(found),
        "curves": _curves(found),
        "execution": _execution(found),
        "incentives": _incentives(found),
    }
    tables = {name: table(name, list(rows[name])) for name in TABLES}
    resolved = found.experiment.resolved_toml()
    record = provenance(
        experiment=found.experiment.name,
        resolved=resolved,
        reference=found.reference,
        parameters=found.setting.grades,
        seconds=sum(found.seconds.values()),
    )
    game = {
        "mode": found.table.mode,
        "profiles": len(list(found.game.profiles())),
        "counted": when(found),
        "unsolved": found.unsolved,
        "ranges": _varied(found) or CENTRAL,
        "seconds": {what: round(seconds, 2) for what, seconds in found.seconds.items()},
    }
    return AlignResult(
        name=found.experiment.name,
        title=found.experiment.title,
        players=found.game.players,
        profiles=(found.game.name(found.game.today), found.game.name(found.game.asked)),
        tables=tables,
        summary=_summary(found),
        sentences=tuple(sentences(found)),
        checks=_checks(found),
        provenance={**record, "game": game},
        resolved=resolved,
    )


def _payoffs(found: Found) -> Iterator[tuple]:
    game, parts, total = found.game, found.payoff.parts, found.payoff.total
    for profile in game.profiles():
        for i, player in enumerate(game.players):
            for n, part in enumerate(PARTS):
                yield game.name(profile), player, part, _number(parts[(n, i, *profile)]), SHARE
            yield game.name(profile), player, "total", _number(total[(i, *profile)]), SHARE


def _equilibria(found: Found) -> Iterator[tuple]:
    for n, profile in enumerate(found.equilibria, 1):
        for i, player in enumerate(found.game.players):
            level, payoff = found.game.levels[profile[i]], float(found.payoff.total[(i, *profile)])
            yield n, found.game.name(profile), player, level, payoff, SHARE, profile in found.reached


def _path(found: Found) -> Iterator[tuple]:
    for n, move in enumerate(found.path.moves, 1):
        names = found.game.name(move.before), found.game.name(move.after)
        yield n, found.game.players[move.player], *names, move.gain, SHARE


def _members(found: Found, coalition) -> str:
    return ", ".join(found.game.players[i] for i in sorted(coalition)) or "nobody"


def _stability(found: Found) -> Iterator[tuple]:
    for one in found.stability:
        leave, join = (_members(found, who) if who else "" for who in (one.leave, one.join))
        yield _members(found, one.coalition), len(one.coalition), one.internal, one.external, leave, join


def _coalitions(found: Found) -> Iterator[tuple]:
    for one in found.stability:
        for (quantity, unit), value in found.coalition_worth(one).items():
            yield _members(found, one.coalition), len(one.coalition), quantity, value, unit


def _shapley(found: Found) -> Iterator[tuple]:
    for (quantity, unit), values in found.shapley().items():
        for player, value in zip(found.game.players, values, strict=True):
            yield player, quantity, _number(value), unit


def _deterrence(found: Found) -> Iterator[tuple]:
    game, belief, cap = found.game, found.table.threat.credibility, found.table.threat.cap
    for one in found.deterrence:
        player, others = game.players[one.curve.case.player], f"as {one.curve.case.others}"
        for credibility, tariff in one.by_credibility.items():
            shown = one.tariff_band if credibility == belief else None
            value, low, high, note = rate_row(tariff, shown, cap)
            yield player, others, "deterring tariff", credibility, value, low, high, "share of the price", note
        again = found.confirmed.get((one.curve.case.player, one.curve.case.others))
        if again is not None:
            name = "aligning is better by, coupled, at the deterring tariff"
            yield player, others, name, belief, _number(again), None, None, SHARE, ""
        for value, shown, beside in zip(one.offers, one.offer_bands, ("no threat", "the threat made"), strict=True):
            low, high = (None, None) if shown is None else (_number(shown.low), _number(shown.high))
            note = "; ".join(offer_notes(found, one, value, shown))
            yield player, others, f"deterring offer, {beside}", belief, _number(value), low, high, YEARLY, note


def rate_row(
    made: Deterring | None, shown: Band | None, cap: float
) -> tuple[float | None, float | None, float | None, str]:
    """Value, low, high and note of a deterring tariff; empty where there is none up to the cap."""
    if made is None:
        return None, None, None, "a pay-off it rests on is not known"
    low, high = (None, None) if shown is None else (_number(shown.low), _number(shown.high))
    if made.rate is None:
        notes = [f"none up to {percent(cap)}: {'the loss saturates' if made.saturates else 'that is not enough'}"]
    else:
        notes = [] if made.monotone else ["higher tariffs deter less: some on the grid are not enough"]
        if shown is not None and high is None:
            notes.append(f"at the high end none up to {percent(cap)}")
    if shown is None:
        notes.append(CENTRAL)
    return made.rate, low, high, "; ".join(notes)


def offer_notes(found: Found, one: Deterrence, value: float, shown: Band | None) -> Iterator[str]:
    """Beside which offer of the file a deterring offer comes, what both are, and whether it has no range."""
    made = found.table.players[one.curve.case.player].offer
    if made > 0 and value > 0:
        yield f"beside the offer of {made:,.0f} in the file, {made + value:,.0f} in all"
    if shown is None:
        yield CENTRAL


def _curves(found: Found) -> Iterator[tuple]:
    belief = found.table.threat.credibility
    for one in found.curves:
        player = found.game.players[one.case.player]
        others = f"as {one.case.others}"
        for rate, margin in zip(found.losses.rates, one.gain(belief).min(axis=1), strict=True):
            yield player, others, float(rate), _number(margin), SHARE


def _execution(found: Found) -> Iterator[tuple]:
    for profile, one in found.executions.items():
        yield found.game.name(profile), one.change, one.terms_of_trade, one.net, SHARE, one.verdict.value


def _incentives(found: Found) -> Iterator[tuple]:
    built = found.package
    if built is None or not built.package.feasible:
        return
    game, answer = found.game, built.package
    for i, player in enumerate(game.players):
        yield player, "secondary tariff threatened", "", float(answer.tariff[i]), "share of the price"
        yield player, "offer", "", float(answer.offer[i]), YEARLY
    yield "all", "cost", "", answer.cost, YEARLY
    for one, price in answer.prices.items():
        others = [
            f"{name} {game.levels[at]:g}"
            for i, (name, at) in enumerate(zip(game.players, one.at, strict=True))
            if i != one.player
        ]
        against = f"level {game.levels[one.other]:g}" + (f" with {', '.join(others)}" if others else "")
        yield game.players[one.player], "shadow price", against, price, f"{YEARLY} per thousandth of GDP"


def _summary(found: Found) -> pl.DataFrame:
    game, rows = found.game, []
    rows.append(
        (
            "equilibria",
            "",
            float(len(found.equilibria)),
            None,
            None,
            "count",
            "; ".join(map(game.name, found.equilibria)),
        )
    )
    end = game.name(found.path.end)
    rows.append(
        ("moves from today", "", float(len(found.path.moves)), None, None, "count", f"{end}: {found.path.ending.value}")
    )
    for i, player in enumerate(game.players):
        for name, profile in (("today", game.today), ("as asked", game.asked)):
            rows.append(
                (
                    f"pay-off, everybody {name}",
                    player,
                    _number(found.payoff.total[(i, *profile)]),
                    None,
                    None,
                    SHARE,
                    "",
                )
            )
    for one in found.deterrence:
        rows += list(_headline(found, one))
    for (quantity, unit), values in found.shapley().items():
        for player, value in zip(game.players, values, strict=True):
            rows.append((f"contribution to {quantity}", player, _number(value), None, None, unit, "Shapley value"))
    for profile, done in found.executions.items():
        where = found.table.sender[0]
        rows.append(
            (f"threat carried out at {game.name(profile)}", where, done.change, None, None, SHARE, done.verdict.value)
        )
        rows.append(
            (f"the same without terms of trade, at {game.name(profile)}", where, done.net, None, None, SHARE, "")
        )
    if found.package is not None:
        answer = found.package.package
        cost = answer.cost if answer.feasible else None
        note = f"{answer.sentence} At {CENTRAL}, without a range." if answer.feasible else answer.sentence
        rows.append(("cost of the package", "all", cost, None, None, YEARLY, note))
    return pl.DataFrame(rows, schema=SUMMARY, orient="row")


def _headline(found: Found, one: Deterrence) -> Iterator[tuple]:
    player, case = found.game.players[one.curve.case.player], one.curve.case
    others = f"others as {case.others}"
    value, low, high, note = rate_row(one.tariff, one.tariff_band, found.table.threat.cap)
    yield f"deterring tariff, {others}", player, value, low, high, "share of the price", note
    shown = one.offer_bands[0]
    ends = (None, None) if shown is None else (_number(shown.low), _number(shown.high))
    note = "; ".join(["without a threat", *offer_notes(found, one, one.offers[0], shown)])
    yield f"deterring offer, {others}", player, _number(one.offers[0]), *ends, YEARLY, note


def _checks(found: Found) -> dict[str, float]:
    """Counts of worlds, whether Shapley values add up, static worlds and the rule of thumb beside the game's own losses."""
    worlds, window, game = found.worlds, found.worlds.window, found.game
    every = worlds.all
    checks = {
        "converged": float(not found.unsolved),
        "worlds": float(len(every)),
        "unsolved": float(len(found.unsolved)),
    }
    top = worlds.peaceful[profile_of(game, frozenset(range(len(game.players))))]
    worths = found.worth()
    gaps = [
        abs(values.sum() - worths[name](top)) / max(abs(worths[name](top)), 1e-12)
        for name, values in found.shapley().items()
    ]
    checks["shapley_sum"] = (
        float(max(gap for gap in gaps if not math.isnan(gap))) if not all(map(math.isnan, gaps)) else math.nan
    )
    at = found.losses.rates.searchsorted(found.table.threat.rate - 1e-9)
    rate = float(found.losses.rates[at])
    for curve in found.curves:
        case = curve.case
        if case.others != "asked":
            continue
        player, low = case.player, case.alternatives[0]
        region = found.regions[player]
        own = window.welfare(worlds.threatened[low], worlds.reference) - window.welfare(
            worlds.peaceful[low], worlds.reference
        )
        still = float(found.losses.change[player, case.others, low][at])
        sold = float((window.weight @ worlds.reference.trade.exports_to)[region] / window.gdp(worlds.reference)[region])
        name = game.players[player]
        checks[f"loss_{name}"] = -float(own[region])
        checks[f"loss_static_{name}"] = -still
        checks[f"loss_by_thumb_{name}"] = thumb(sold, rate)
    return checks


def _varied(found: Found) -> dict[str, object] | None:
    if not found.swings:
        return None
    return {
        "method": METHOD,
        "worlds": "static; gaps and losses of the game's own worlds move as static ones do",
        "parameters": list(dict.fromkeys(swing.variant.parameter for swing in found.swings)),
        "unsolved": [f"{s.variant.parameter} {s.variant.end}" for s in found.swings if s.curves is None],
    }


def _number(value: float | None) -> float | None:
    """A number, or nothing where there is none."""
    return None if value is None or not math.isfinite(value) else float(value)
