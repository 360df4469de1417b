"""A base without deficits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backfill.errors import UnsolvedError
from backfill.hats.accounts import Accounts
from backfill.hats.base import base_of, flows, no_shock, size_of
from backfill.hats.market import Setting
from backfill.hats.search import find


def without_deficits(accounts: Accounts) -> Accounts:
    """The base re-solved with balanced trade; final demand keeps its shares and may have disagreed with the other tables.

    Raises:
        UnsolvedError: if there is no such world.
    """
    setting, shock = Setting(), no_shock(accounts)
    base = base_of(accounts, setting, None, None)._replace(deficit=np.zeros(len(accounts.regions)))
    try:
        found = find(accounts, setting, base, shock, np.zeros(size_of(setting, base)))
    except UnsolvedError as error:
        raise UnsolvedError(f"The base cannot be balanced. {error.sentence}", error.checks) from error
    flow = flows(base, shock, found)
    world = float((accounts.labour * flow.sum(2)).sum())
    return replace(accounts, flow=flow / world, unit=accounts.unit * world)
