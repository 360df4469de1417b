"""Uncertain shares in measures: who is really reached by a rule, still buys, or is found.

A parameter is a factor on the odds of the share that the file gives, ``s' = f s / (1 - s + f s)``: nobody stays nobody and all
stay all, and the file's share is the central one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from backfill.dimensions import Vocabulary
from backfill.policy.measure import Measure
from backfill.policy.measures.export_control import ExportControl
from backfill.policy.policy import Placed, Policy

SHARES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "control_coverage": (
        ("export_control", "coverage"),
        ("foreign_direct_product_rule", "compliance"),
        ("cloud_control", "coverage"),
    ),
    "import_acceptance": (("import_restraint", "accepted"),),
    "detection": (
        ("end_use_monitoring", "probability"),
        ("transit_permit", "detection"),
        ("know_your_customer", "detection"),
        ("location_verification", "effect"),
        ("security_deal", "detection"),
    ),
}
"""Kind and field of the shares on whose odds each parameter is a factor."""


def with_odds(policy: Policy, parameters: Mapping[str, float], vocabulary: Vocabulary) -> Policy:
    """The policy with the shares of its measures moved by the parameters that act on them; others are passed over.

    Args:
        policy: as written.
        parameters: values by name.
        vocabulary: names of products, for coverages that the file leaves to their default.
    """
    factors = {
        where: float(parameters[name])
        for name, places in SHARES.items()
        if name in parameters and parameters[name] != 1
        for where in places
    }
    if not factors:
        return policy
    return Policy(tuple(one for placed in policy.placed for one in _moved(placed, factors, vocabulary)))


def _moved(placed: Placed, factors: Mapping[tuple[str, str], float], vocabulary: Vocabulary) -> list[Placed]:
    return [dataclasses.replace(placed, measure=one) for one in _measures(placed.measure, factors, vocabulary)]


def _measures(measure: Measure, factors: Mapping[tuple[str, str], float], vocabulary: Vocabulary) -> list[Measure]:
    inner = getattr(measure, "measure", None)
    if isinstance(inner, Measure):
        return [measure.model_copy(update={"measure": one}) for one in _measures(inner, factors, vocabulary)]
    out = []
    for one in _with_coverage(measure, vocabulary) if ("export_control", "coverage") in factors else [measure]:
        changes: dict[str, Any] = {}
        for (kind, field), factor in factors.items():
            share = getattr(one, field) if one.kind == kind else None
            if share is not None:
                changes[field] = moved(share, factor)
        out.append(one.model_copy(update=changes) if changes else one)
    return out


def moved(share: float, factor: float) -> float:
    """A share whose odds are multiplied, ``f s / (1 - s + f s)``."""
    return factor * share / (1 - share + factor * share)


def _with_coverage(measure: Measure, vocabulary: Vocabulary) -> list[Measure]:
    """A control that leaves its coverage to the default, with it written out: one control for each default."""
    if not isinstance(measure, ExportControl) or measure.coverage is not None or measure.licence.cap is not None:
        return [measure]
    named = dict.fromkeys(p for name in measure.products for p in vocabulary.expand_products(name))
    by_share: dict[float, list[str]] = {}
    for product in named:
        by_share.setdefault(measure.coverage_of(vocabulary, vocabulary.products.index(product)), []).append(product)
    return [
        measure.model_copy(update={"coverage": share, "products": tuple(products)})
        for share, products in by_share.items()
    ]
