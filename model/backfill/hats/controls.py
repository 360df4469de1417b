"""Export controls on tables: buyers split by which origins are closed to them, and buyers to whom all are."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from backfill.errors import UnsolvedError
from backfill.hats.accounts import Accounts
from backfill.hats.market import Shock
from backfill.trade.barriers import nested_classes


def columns(accounts: Accounts, availability: Float[np.ndarray, "product origin destination"]) -> dict[str, np.ndarray]:
    """Columns of buyers, as in `Shock`: classes nested by exposure, the first of a region being its own column.

    Buyer ``u`` in (0, 1) loses every origin of which at most the share ``u`` of buyers is left ``availability``.
    """
    products, _, regions = availability.shape
    closed_to = np.where(accounts.flow > 0, 1 - availability, 0.0)
    part = np.ones((products, regions))
    further: list[list[tuple[int, np.ndarray, float]]] = []
    for k in range(products):
        own: list[tuple[int, np.ndarray, float]] = []
        if closed_to[k].any():
            distinct = max(len(np.unique(column[column > 0])) for column in closed_to[k].T) + 1
            access, share = nested_classes(closed_to[k], distinct)
            for n in np.flatnonzero(closed_to[k].any(0)):
                part[k, n] = share[0, n]
                own += [(int(n), access[c, :, n], float(share[c, n])) for c in range(1, distinct) if share[c, n] > 0]
        further.append(own)
    most = max(len(own) for own in further)
    home, open_ = np.zeros((products, most, regions)), np.zeros((products, most, regions))
    parts = np.zeros((products, most))
    for k, own in enumerate(further):
        for s, (n, access, share) in enumerate(own):
            home[k, s, n], open_[k, s], parts[k, s] = 1.0, access, share
    return {"home": home, "open": open_, "part": np.concatenate([part, parts], axis=1)}


def closed(accounts: Accounts, shock: Shock) -> None:
    """Refuse a world in which some buyers of a product have nobody left to buy from.

    Raises:
        UnsolvedError: naming them.
    """
    if not shock.home.shape[1]:
        return
    left = np.einsum("kin,ksn,ksi->ks", (accounts.flow > 0).astype(float), shock.home, shock.open)
    stranded = np.argwhere((shock.home.sum(2) > 0) & (left == 0))
    if len(stranded):
        names = dict.fromkeys(
            f"{accounts.products[k]} in {accounts.regions[int(shock.home[k, s].argmax())]}" for k, s in stranded
        )
        some = ", ".join(list(names)[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
        raise UnsolvedError(
            f"No origin is left to some buyers of {some}; raise an availability, or leave one origin open "
            "(own use counts, where the trade table has it)."
        )
