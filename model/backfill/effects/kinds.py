"""Which effects can be asked for as one number (economics, section 11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MUSD, H100E, SHARE = "million USD", "H100e", "share"


@dataclass(frozen=True)
class Kind:
    """A kind of effect.

    Attributes:
        name: in files.
        unit: of its values.
        sentence: what it is.
        region: what ``region`` is if it is left out.
        uses: keys besides ``region`` and ``period`` that it reads.
    """

    name: str
    unit: str
    sentence: str
    region: str
    uses: tuple[str, ...] = ()


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("compute denied", H100E, "compute that a region acquires less of than in the reference", "adversary"),
        Kind("compute acquired", H100E, "compute that a region acquires", "adversary"),
        Kind("welfare cost", MUSD, "loss of welfare: present value of all periods and of what is left, or one period's", "us"),
        Kind("welfare cost, share", SHARE, "the same over what the region absorbs in the reference", "us"),
        Kind("revenue lost", MUSD, "sales to all buyers, home included, less than in the reference", "us", ("products",)),
        Kind("exports lost", MUSD, "exports less than in the reference", "us", ("products", "destinations")),
        Kind("rents lost", MUSD, "profits, capacity and licence rents less than in the reference", "us"),
        Kind("fiscal revenue", MUSD, "tariffs, levies and fines more than in the reference", "us"),
        Kind("public outlay", MUSD, "public spending on carrying measures out more than in the reference", "us"),
        Kind("capacity", MUSD, "planned capacity of products, the mean of the periods", "adversary", ("products",)),
    )
}
"""Effects of a world beside its reference, by name."""

PACKAGE_COST = "package cost"
"""What levers cost: known without solving anything."""
