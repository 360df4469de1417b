"""Which effects can be asked for as one number (economics, section 11), and which worlds each compares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MUSD, H100E, SHARE = "million USD", "H100e", "share"

DEFAULT_CREDIBILITY = 0.5
"""Belief that threats are carried out (economics, section 10; assumed)."""

POLICY, DOWNSTREAM, PEACEFUL = "policy", "without upstream measures", "without threats"
"""Worlds besides the reference: the policy; the same with the reference's measures on tools, subsystems and inputs; the same
without duties on those who do not align."""


def aside(region: str, threats: str = "") -> str:
    """Name of the world in which a region does not align; with duties for it, or ``threats = PEACEFUL``."""
    return ", ".join(name for name in (f"{region} does not align", threats) if name)


@dataclass(frozen=True)
class Kind:
    """A kind of effect.

    Attributes:
        name: in files.
        unit: of its values.
        sentence: what it is.
        region: what ``region`` is if it is left out.
        uses: keys besides ``region`` and ``period`` that it reads.
        needs: keys that must be given.
        destinations: what ``destinations`` are if they are left out.
        yearly: whether it can be had of one period.
        downstream: whether it compares the policy with one without its upstream measures.
        aside: whether it compares the policy with one in which the region does not align, both with and without threats.
    """

    name: str
    unit: str
    sentence: str
    region: str
    uses: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    destinations: str = "world"
    yearly: bool = True
    downstream: bool = False
    aside: bool = False

    @property
    def reads(self) -> tuple[str, ...]:
        """Keys that it reads."""
        return ("region", *(("period",) if self.yearly else ()), *self.uses)

    def beside(self, region: str) -> tuple[str, ...]:
        """Worlds that it needs besides policy and reference, in the order in which it takes them."""
        if self.aside:
            return PEACEFUL, aside(region), aside(region, PEACEFUL)
        return (DOWNSTREAM,) if self.downstream else ()


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("compute denied", H100E, "compute that a region acquires less of than in the reference", "adversary"),
        Kind("compute acquired", H100E, "compute that a region acquires", "adversary"),
        Kind("gross denial", H100E, "compute denied on controlled routes and own output lost for want of inputs", "adversary",
             downstream=True),
        Kind("leakage", H100E, "gross denial that is made up for on other routes or at home", "adversary", downstream=True),
        Kind("leakage rate", SHARE, "leakage over gross denial", "adversary", downstream=True),
        Kind("backfill rate", SHARE, "sales that sellers but the US gain over those that the US lose, at the reference's prices",
             "all", ("products", "destinations"), needs=("products",), destinations="adversary"),
        Kind("welfare cost", MUSD, "loss of welfare: present value of all periods and of what is left, or one period's", "us"),
        Kind("welfare cost, share", SHARE, "the same over what the region absorbs in the reference", "us"),
        Kind("revenue lost", MUSD, "sales to all buyers, home included, less than in the reference, of all products unless some "
             "are named; tables of a run count controlled products alone", "us", ("products",)),
        Kind("exports lost", MUSD, "exports less than in the reference", "us", ("products", "destinations")),
        Kind("rents lost", MUSD, "profits, capacity and licence rents less than in the reference", "us"),
        Kind("fiscal revenue", MUSD, "tariffs, levies and fines more than in the reference", "us"),
        Kind("public outlay", MUSD, "public spending on carrying measures out more than in the reference", "us"),
        Kind("capacity", MUSD, "planned capacity of products, the mean of the periods", "adversary", ("products",)),
        Kind("participation", MUSD, "what a region gains by aligning as the package says rather than not, present value", "",
             ("security", "credibility"), needs=("region",), yearly=False, aside=True),
    )
}  # fmt: skip
"""Effects of a world beside its reference and others, by name."""

PACKAGE_COST = "package cost"
"""What levers cost: known without solving anything."""
