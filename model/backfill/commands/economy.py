"""``backfill economy check``: whether a folder of tables makes an economy."""

from __future__ import annotations

from pathlib import Path

from backfill.dimensions import BLOCS


def check_tables(folder: Path, closure: str) -> str:
    """What the tables of a folder are, in a few lines.

    Raises:
        Faults: everything wrong with them.
        UnsolvedError: they cannot be balanced, where the closure asks for that.
    """
    from backfill.hats.base import setting_of
    from backfill.hats.own import read_checked

    setting_of(closure, None, None)
    accounts, bloc = read_checked(folder, closure, for_experiments=False)
    if closure == "balanced":
        from backfill.hats.balance import without_deficits

        accounts = without_deficits(accounts)
    flows = int((accounts.flow > 0).sum())
    order = accounts.deficit.argsort()
    lowest, highest = order[0], order[-1]
    share = float(accounts.intermediate.sum() / accounts.spending.sum())
    blocs = [f"{name} {', '.join(r for r in accounts.regions if bloc[r] == name)}" for name in BLOCS if name in bloc.values()]
    return "\n".join(
        [
            f"{folder}: ok",
            f"{len(accounts.regions)} regions, {len(accounts.products)} products, {flows} flows of {accounts.flow.size} possible",
            f"world value added {accounts.unit:.6g}, in the unit of the trade table; {share:.1%} of spending is by producers",
            f"tariff revenue {accounts.revenue.sum():.2%} of value added, rates up to {accounts.tariff.max():.4g} "
            f"(a rate of 0.25 is 25%)",
            f"balances from {accounts.regions[lowest]} {accounts.deficit[lowest]:+.2%} to "
            f"{accounts.regions[highest]} {accounts.deficit[highest]:+.2%} of world value added (minus is a surplus)",
            f"blocs: {'; '.join(blocs)}" if bloc else "no regions.csv: experiments need one, with the bloc of each region",
        ]
    )
