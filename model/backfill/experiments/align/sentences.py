"""What came out of a game, in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator

from backfill.experiments.align.found import Deterrence, Found
from backfill.experiments.align.result import percent
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
    if not found.swings:
        yield "Deterring tariffs and offers are at central values of all parameters, without ranges."
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
        low, high = (percent(x) if math.isfinite(x) else f"none up to {percent(cap)}" for x in (shown.low, shown.high))
        span = f" (range {low} to {high})" if low != high else f" (range: {low} throughout)"
    if one.tariff.rate is None:
        told = f"no tariff up to {percent(cap)} deters{span}" + (", the loss saturates" if one.tariff.saturates else "")
    elif one.tariff.rate == 0:
        told = f"aligns without a threat{span}"
    else:
        told = f"deterring tariff {percent(one.tariff.rate)}{span}"
    if one.offers[0] > 0:
        band = one.offer_bands[0]
        span = "" if band is None else f" ({band.low:,.0f} to {band.high:,.0f})"
        told += f"; without a threat an offer of {one.offers[0]:,.0f} million USD a year{span}"
        made = found.table.players[case.player].offer
        told += f", beside the {made:,.0f} of the file: {made + one.offers[0]:,.0f} in all" if made > 0 else ""
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
            f"Carried out, a duty of {percent(rate)} changes the pay-off of {found.table.sender[0]} by {'; '.join(where)} "
            f"ten-thousandths of its GDP, after the targets' answer and without gains from better terms of trade: "
            f"{verdict.value[0].lower()}{verdict.value[1:]}"
        )


def _package(found: Found) -> Iterator[str]:
    """Where play goes under the package, what it is, what it is chosen from, what it leans on."""
    built, game, ask = found.package, found.game, found.table.incentives
    assert built is not None
    assert ask is not None
    answer, wanted = built.package, f"({game.name(built.wanted)})"
    if answer.feasible:
        yield _leads(found)
    yield f"To make {wanted} {'the only equilibrium' if ask.only else 'an equilibrium'}: {answer.sentence}"
    if built.wanted in found.equilibria:
        alone = " and the only one" if len(found.equilibria) == 1 else ""
        yield f"With the file's own threat and offers {wanted} is an equilibrium already{alone}."
    if not answer.feasible:
        return
    yield (
        "The package replaces the file's own threat and offers. Its tariffs are chosen from none, "
        f"{found.table.threat.steps} steps up to {percent(found.table.threat.cap)}, the file's own rate and those at which a "
        "player is just held. Tariffs and cost are at central values and have no range."
    )
    if not ask.only and (answer.tariff.any() or answer.offer.any()):
        yield "Whoever gets an offer, or a tariff that just holds it, is indifferent: anything less, and it goes back."
    if any(one.verdict is not Verdict.PAYS for one in found.executions.values()) and (answer.tariff > 0).any():
        yield "It leans on threats that do not pay when carried out: it holds as far as they are believed, and no further."
    if answer.order:
        yield f"It rests on aligning in this order: {', '.join(game.players[i] for i in answer.order)}."
    holds = "is an equilibrium" if built.equilibrium else "is no equilibrium"
    yield f"With every profile solved under these tariffs it {holds}."


def _leads(found: Found) -> str:
    """Where play goes from today under the package."""
    built, game = found.package, found.game
    assert built is not None
    wanted, ends = f"({game.name(built.wanted)})", " or ".join(f"({game.name(p)})" for p in built.others)
    if game.today in built.others:
        return f"The package does not move anybody: from today play stays at {ends}; it only holds {wanted} once it is reached."
    if not built.reached:
        return f"The package does not lead to {wanted}: from today play {f'comes to {ends}' if ends else 'never settles there'}."
    if ends:
        return f"Under the package play comes from today to {wanted} or to {ends}, depending on who moves first."
    return f"Under the package play comes from today to {wanted}."
