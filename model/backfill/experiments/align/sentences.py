"""What came out of a game, in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator

from backfill.experiments.align.found import Deterrence, Found
from backfill.games.deterrence import Verdict
from backfill.games.equilibria import Ending

_FEW = 4


def sentences(found: Found) -> Iterator[str]:
    """Equilibria, the path from today, stability, deterrence, the threat's own credibility, the package, what is unsolved."""
    yield _equilibria(found)
    yield _path(found)
    yield _stable(found)
    yield from _purpose(found)
    for one in found.deterrence:
        yield _deterrence(found, one)
    if found.confirmed:
        gaps = [gap * 1e4 for gap in found.confirmed.values() if not math.isnan(gap)]
        yield (
            "Coupled worlds solved again at these tariffs: aligning is better by "
            f"{min(gaps):.2f} to {max(gaps):.2f} ten-thousandths of GDP, where 0 would be exact."
            if gaps
            else "Coupled worlds at these tariffs could not be solved."
        )
    yield from _threat(found)
    if found.package is not None:
        yield from _package(found)
    unsolved = found.unsolved
    if unsolved:
        shown = [f"{name} ({why})" for name, why in list(unsolved.items())[:_FEW]]
        more = f" and {len(unsolved) - _FEW} more" if len(unsolved) > _FEW else ""
        yield f"Not solved, and no part of the game: {'; '.join(shown)}{more}."


def when(found: Found) -> str:
    """Over which years pay-offs are counted."""
    economy, window = found.setting.economy, found.worlds.window
    if found.table.mode == "static":
        periods = economy.periods[: economy.reported]
        return f"{periods[found.table.static_year(periods)].label}, suppliers' rents as in the reference plan"
    labels = [p.label for p, weight in zip(economy.periods, window.weight, strict=False) if weight > 0]
    return f"present value {labels[0]}-{labels[-1]}"


def _equilibria(found: Found) -> str:
    names = [f"({found.game.name(one)})" for one in found.equilibria]
    if not names:
        return "No profile is an equilibrium in pure strategies."
    if len(names) == 1:
        return f"One equilibrium: {names[0]}."
    return f"{len(names)} equilibria: {', '.join(names)}."


def _path(found: Found) -> str:
    game, path = found.game, found.path
    if not path.moves and path.ending is Ending.EQUILIBRIUM:
        return "Today's profile is an equilibrium: nobody moves."
    steps = (
        ", ".join(f"{game.players[m.player]} to {game.levels[m.after[m.player]]:g}" for m in path.moves)
        or "nobody moves"
    )
    return f"From today: {steps}. {path.ending.value}"


def _stable(found: Found) -> str:
    stable = [one for one in found.stability if one.internal and one.external]
    if not stable:
        return "No coalition of those who align as asked is stable."
    named = [", ".join(found.game.players[i] for i in sorted(one.coalition)) or "nobody" for one in stable]
    return f"Stable coalitions of those who align as asked: {'; '.join(named)}."


def _purpose(found: Found) -> Iterator[str]:
    """What everybody's aligning as asked does to the adversary, beside everybody as today."""
    game, window = found.game, found.worlds.window
    asked, today = (found.worlds.peaceful[profile] for profile in (game.asked, game.today))
    if game.asked == game.today or asked.failure or today.failure:
        return
    reference = found.worlds.reference
    more = window.denied(asked, reference) - window.denied(today, reference)
    told = (
        f"the adversary acquires {abs(more):.2%} {'less' if more >= 0 else 'more'} compute than with everybody as today"
    )
    if found.table.mode == "coupled" and today.advanced > 0:
        lost = 1 - asked.advanced / today.advanced
        last = found.setting.economy.periods[found.setting.economy.reported - 1].label
        told += f", and in {last} has {abs(lost):.1%} {'less' if lost >= 0 else 'more'} capacity for advanced logic"
    yield f"What it is for: with everybody aligned as asked {told} ({when(found)})."


def _deterrence(found: Found, one: Deterrence) -> str:
    case, cap = one.curve.case, found.table.threat.cap
    who = found.game.players[case.player]
    others = "the others aligned as asked" if case.others == "asked" else "the others as today"
    if one.tariff is None:
        return f"{who}, {others}: not known, as a world it rests on is not solved."
    shown = one.tariff_band
    span = ""
    if shown is not None:
        high = f"none up to {cap:.0%}" if not math.isfinite(shown.high) else f"{shown.high:.0%}"
        low = f"none up to {cap:.0%}" if not math.isfinite(shown.low) else f"{shown.low:.0%}"
        span = f" (range {low} to {high})" if low != high else f" (range: {low} throughout)"
    if one.tariff.rate is None:
        told = f"no tariff up to {cap:.0%} deters{span}"
    elif one.tariff.rate == 0:
        told = f"aligns without a threat{span}"
    else:
        told = f"deterring tariff {one.tariff.rate:.0%}{span}"
    if one.offers[0] > 0:
        band = one.offer_bands[0]
        span = "" if band is None else f" ({band.low:,.0f} to {band.high:,.0f})"
        told += f"; without a threat an offer of {one.offers[0]:,.0f} million USD a year{span}"
    return f"{who}, {others}: {told}."


def _threat(found: Found) -> Iterator[str]:
    """One sentence for each verdict, naming where it holds."""
    game, rate = found.game, found.table.threat.rate
    by_verdict: dict[Verdict, list[str]] = {}
    for profile, one in found.executions.items():
        out = game.unaligned(profile)
        who = "all together" if len(out) == len(game.players) else f"{', '.join(game.players[i] for i in out)} alone"
        by_verdict.setdefault(one.verdict, []).append(f"{one.net * 1e4:+.2f} (on {who})")
    for verdict, where in by_verdict.items():
        yield (
            f"Carried out, a duty of {rate:.0%} changes the pay-off of {found.table.sender[0]} by {'; '.join(where)} "
            f"ten-thousandths of its GDP, after the targets' answer and without gains from better terms of trade: "
            f"{verdict.value[0].lower()}{verdict.value[1:]}"
        )


def _package(found: Found) -> Iterator[str]:
    built, game = found.package, found.game
    assert built is not None
    ask = found.table.incentives
    what = "the only equilibrium" if ask is not None and ask.only else "an equilibrium"
    yield f"To make ({game.name(built.wanted)}) {what}: {built.package.sentence}"
    if not built.package.feasible:
        return
    if any(one.verdict is not Verdict.PAYS for one in found.executions.values()) and (built.package.tariff > 0).any():
        yield "It leans on threats that do not pay when carried out: it holds as far as they are believed, and no further."
    if built.package.order:
        yield f"It rests on aligning in this order: {', '.join(game.players[i] for i in built.package.order)}."
    holds = "is an equilibrium" if built.equilibrium else "is no equilibrium"
    others = (
        f", beside {', '.join(f'({game.name(p)})' for p in built.others)} reached from today" if built.others else ""
    )
    yield f"With every profile solved under these tariffs it {holds}{others}."
