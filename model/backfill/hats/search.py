"""Finding one world: straight from the base, else with wages' step renewed on the way, else along a path of milder shocks."""

from __future__ import annotations

import numpy as np

from backfill.errors import UnsolvedError
from backfill.hats.accounts import Accounts
from backfill.hats.market import Base, Found, Setting, Shock, Walls, slopes_at, solve

CLEAR = 1e-8
"""Largest excess demand for labour, as a logarithm, of a world that counts as found."""
RENEWALS = 6
SHORTEST = 1 / 64


def find(accounts: Accounts, setting: Setting, base: Base, shock: Shock, start: np.ndarray) -> Found:
    """The world after a shock, one lane.

    Args:
        start: unknowns to start from, those of the base being zeros.

    Raises:
        UnsolvedError: if none was found, or one in which a region would spend less than nothing.
    """
    found = _renewed(setting, base, shock, start)
    if not _sound(found):
        found = _along(setting, base, shock, start, found)
    if not _sound(found):
        raise UnsolvedError(_why(accounts, setting, base, shock, found), {"residual": float(found.residual[0])})
    return found


def _sound(found: Found) -> bool:
    """Whether markets clear by their own account, not by what a step would move, and every region spends something."""
    clear = np.abs(found.outcome.labour_gap[0]) <= CLEAR
    return bool(found.converged[0] & clear.all() & (found.outcome.income[0] > 0).all())


def _renewed(setting: Setting, base: Base, shock: Shock, start: np.ndarray) -> Found:
    """Solve; where the base's slopes of labour demand serve badly, go on with those of the point reached."""
    lane = Shock(*(np.asarray(part)[None] for part in shock))
    found = solve(setting, base, lane, start[None])
    for _ in range(RENEWALS):
        if _sound(found) or not np.isfinite(found.vector).all():
            break
        walls = Walls(found.walls.wall[0], found.walls.net[0])
        outcome = found.outcome
        known = slopes_at(setting, base, walls, shock.home, outcome.power[0], outcome.weight[0], outcome.income[0])
        if not all(np.isfinite(part).all() for part in known):
            break
        renewed = base._replace(pace=known.pace, levels=known.levels)
        before, found = found, solve(setting, renewed, lane, np.asarray(found.vector))
        if not found.residual[0] < before.residual[0]:
            break
    return found


def _along(setting: Setting, base: Base, shock: Shock, start: np.ndarray, direct: Found) -> Found:
    """Follow the path from the base to the shock in steps that shorten where no world is found; the last try if none is."""
    done, length, point, found = 0.0, 0.5, start, direct
    while done < 1 and length >= SHORTEST:
        part = min(done + length, 1.0)
        found = _renewed(setting, base, partly(base, shock, part), point)
        if _sound(found):
            done, point, length = part, np.asarray(found.vector[0]), 2 * length
        else:
            length /= 2
    return found


def partly(base: Base, shock: Shock, part: float) -> Shock:
    """A share of a shock: wedges in logarithms, buyers to whom an origin is closed in numbers."""
    regions = len(base.value_added)
    tariff = np.exp(part * np.log1p(shock.tariff) + (1 - part) * np.log1p(base.tariff)) - 1
    own = 1 - part * (1 - shock.part[:, :regions])
    return shock._replace(
        tariff=tariff,
        cost=shock.cost**part,
        productivity=shock.productivity**part,
        part=np.concatenate([own, part * shock.part[:, regions:]], axis=1),
    )


def _why(accounts: Accounts, setting: Setting, base: Base, shock: Shock, found: Found) -> str:
    """What is known of a world that was not found."""
    outcome, fixed = found.outcome, setting.closure == "fixed"
    names = accounts.regions
    wanted = np.asarray(base.deficit if fixed else outcome.income[0] - outcome.own_income[0])
    exports, imports = _left(accounts, base, shock)
    for n in np.flatnonzero((exports > 0) != (imports > 0)):
        way, other = ("buy", "sell") if exports[n] > 0 else ("sell", "buy")
        if wanted[n] * (1 if way == "buy" else -1) > -1e-12:
            return (
                f"No world was found: {names[n]} would have to {way} abroad at least what it {other}s there, and the tables, or "
                "what is closed, leave it no route; leave it ways to trade."
            )
    stuck = np.flatnonzero(np.abs(wanted) > np.maximum(np.maximum(exports, imports), 1e-12))
    if len(stuck):
        worst = stuck[np.abs(wanted[stuck]).argmax()]
        kind = "buy" if wanted[worst] > 0 else "sell"
        return (
            f"No world was found: {names[worst]} would have to {kind} abroad {abs(wanted[worst] / base.income[worst]):.2g} of "
            'its expenditure net, and hardly a route is left to it; use closure = "balanced", or leave it ways to trade.'
        )
    poor = np.flatnonzero(~(outcome.income[0] > 0))
    if len(poor) and fixed:
        who = ", ".join(names[n] for n in poor)
        return (
            f"No world was found: what {who} would have to pay abroad, fixed as a share of world value added, is more than the "
            'whole income there; use closure = "balanced" or "proportional".'
        )
    where = int(np.nan_to_num(np.abs(outcome.labour_gap[0]), nan=np.inf).argmax())
    gap = np.abs(outcome.labour_gap[0, where])
    way = "Try milder shocks, or come nearer in steps."
    if setting.scale and (base.strength >= 1).any():
        way = "At a strength of 1 whole industries may leave a region; lower the strength of scale economies."
    return (
        f"No world was found: labour demanded in {names[where]} differs from supply by {gap:.2g}, the furthest. {way}"
    )


def _left(accounts: Accounts, base: Base, shock: Shock) -> tuple[np.ndarray, np.ndarray]:
    """What each region would still sell and buy abroad if only the wedges changed."""
    regions = len(accounts.regions)
    hat = np.log(shock.cost * (1 + shock.tariff) / (1 + base.tariff))
    flow = accounts.flow * (1 - np.eye(regions)) * np.exp(-accounts.theta[:, None, None] * hat)
    reached = shock.part[:, None, :regions] + np.einsum(
        "ksi,ksn,ks->kin", shock.open, shock.home, shock.part[:, regions:]
    )
    flow = flow * reached
    return flow.sum((0, 2)), flow.sum((0, 1))
