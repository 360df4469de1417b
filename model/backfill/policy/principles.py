"""Which principle of the AI Action Plan of July 2025 a measure serves, by its kind and, of export controls, its products."""

from __future__ import annotations

from backfill.dimensions import Vocabulary
from backfill.policy.measure import Measure

EXPORT, ENFORCE, PLUG, ALIGN = (
    "export the full stack",
    "enforce compute controls",
    "plug loopholes in chipmaking controls",
    "align protection",
)
IN_FORCE = "controls in force"
PRINCIPLES = (EXPORT, ENFORCE, PLUG, ALIGN, IN_FORCE)
"""The four principles, and what belongs to none."""

_OF_KIND = {
    "export_promotion": EXPORT,
    "security_deal": EXPORT,
    "transit_permit": EXPORT,
    "location_verification": ENFORCE,
    "enforcement": ENFORCE,
    "end_use_monitoring": ENFORCE,
    "know_your_customer": ENFORCE,
    "servicing_control": PLUG,
    "alignment": ALIGN,
    "foreign_direct_product_rule": ALIGN,
    "secondary_tariff": ALIGN,
    "research_protection": ALIGN,
    "procurement_ban": ALIGN,
}
_CONTROLLED = {"tools_and_subsystems": PLUG}
"""Principle of an export control all of whose products are of a group."""


def principle(measure: Measure, vocabulary: Vocabulary) -> str:
    """One of `PRINCIPLES`."""
    if measure.kind != "export_control":
        return _OF_KIND.get(measure.kind, IN_FORCE)
    products = {code for name in getattr(measure, "products", ()) for code in vocabulary.expand_products(name)}
    for group, served in _CONTROLLED.items():
        if products and products <= set(vocabulary.groups.get(group, ())):
            return served
    return IN_FORCE
