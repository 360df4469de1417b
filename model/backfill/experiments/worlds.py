"""Which worlds a comparison needs: reference, policy, and the policy without its upstream measures."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from backfill.dimensions import Vocabulary
from backfill.effects.comparison import routes
from backfill.policy.wedges import Limit, Wedges


@dataclass(frozen=True)
class Batch:
    """Worlds to be solved together; policies that act alike are solved once.

    Attributes:
        wedges: what to solve.
        position: name of each world to its place in ``wedges``; histories are named ``"before NAME"``.
        departs: place of each world that departs from another to that other's place; a world without one is foreseen
            from the first period on.
        histories: names of the worlds that are only there to depart from.
    """

    wedges: tuple[Wedges, ...]
    position: Mapping[str, int]
    departs: Mapping[int, int]
    histories: tuple[str, ...] = ()

    def groups(self) -> list[tuple[int | None, list[int]]]:
        """What to solve in turn: (place of the world departed from, places), first those that depart from none."""
        by_history: dict[int | None, list[int]] = {None: []}
        for place in range(len(self.wedges)):
            by_history.setdefault(self.departs.get(place), []).append(place)
        return list(by_history.items())


def batch(named: Mapping[str, Wedges], histories: Mapping[str, Wedges] | None = None) -> Batch:
    """Worlds by name, in order, with those that act alike merged.

    Args:
        named: the worlds.
        histories: for some of them, the world that was foreseen before their policy was announced.
    """
    pasts = {f"before {name}": one for name, one in (histories or {}).items()}
    distinct: dict[str, int] = {}
    wedges: list[Wedges] = []
    position = {}
    for name, one in {**named, **pasts}.items():
        key = fingerprint(one)
        if key not in distinct:
            distinct[key] = len(wedges)
            wedges.append(one)
        position[name] = distinct[key]
    foreseen = {position[name] for name in named if name not in (histories or {})} | {position[name] for name in pasts}
    departs = {position[name]: position[f"before {name}"] for name in histories or {} if position[name] not in foreseen}
    return Batch(tuple(wedges), position, departs, tuple(pasts))


def fingerprint(wedges: Wedges) -> str:
    """A hash equal for wedges that act alike (a limit that is never in force does not act)."""
    digest = hashlib.sha256()
    for field in dataclasses.fields(wedges):
        value = getattr(wedges, field.name)
        if field.name != "limits":
            digest.update(field.name.encode() + repr(_as_bytes(value)).encode())
    acting = [limit for limit in wedges.limits if np.isfinite(limit.quantity).any()]
    for limit in sorted(acting, key=lambda limit: limit.name):
        about = (limit.name, limit.owner, limit.side, sorted(limit.entries), limit.unit)
        digest.update(repr(about).encode() + np.asarray(limit.quantity, float).tobytes())
    return digest.hexdigest()


def _as_bytes(value: object) -> object:
    if isinstance(value, np.ndarray):
        return (value.shape, hashlib.sha256((np.asarray(value, float) + 0.0).tobytes()).hexdigest())
    return value


def upstream_products(vocabulary: Vocabulary) -> tuple[str, ...]:
    """Products whose control works through the adversary's own output: tools, subsystems, inputs, materials."""
    chosen = {*vocabulary.groups.get("upstream", ()), *vocabulary.groups.get("inputs", ())}
    return tuple(product for product in vocabulary.products if product in chosen)


def without_upstream(policy: Wedges, reference: Wedges, vocabulary: Vocabulary) -> Wedges:
    """The policy with its controls on upstream products bound for an adversary replaced by the reference's.

    Controls are closed routes, levies, compliance costs and limits; tariffs stay. Measured against a reference without
    controls this is the policy without its upstream measures.
    """
    upstream = upstream_products(vocabulary)
    adversaries = vocabulary.expand_regions("adversary")
    rows = [vocabulary.products.index(p) for p in upstream]
    columns = [vocabulary.regions.index(r) for r in adversaries]
    place = np.ix_(range(policy.coverage.shape[0]), rows, range(len(vocabulary.regions)), columns)

    def mixed(name: str) -> np.ndarray:
        value = getattr(policy, name).copy()
        value[place] = getattr(reference, name)[place]
        return value

    def bound(entry: tuple[str, str, str, float]) -> bool:
        return entry[0] in upstream and entry[2] in adversaries

    kept = [_only(limit, [e for e in limit.entries if not bound(e)]) for limit in policy.limits]
    taken = [_only(limit, [e for e in limit.entries if bound(e)]) for limit in reference.limits]
    limits: dict[str, Limit] = {}
    for limit in (*kept, *taken):
        if limit is None:
            continue
        same = limits.get(limit.name)
        limits[limit.name] = limit if same is None else dataclasses.replace(same, entries=same.entries + limit.entries)
    return dataclasses.replace(
        policy,
        coverage=mixed("coverage"),
        advanced=mixed("advanced"),
        levy=mixed("levy"),
        real_cost=mixed("real_cost"),
        limits=tuple(limits.values()),
    )


def _only(limit: Limit, entries: list[tuple[str, str, str, float]]) -> Limit | None:
    return dataclasses.replace(limit, entries=tuple(entries)) if entries else None


def routes_under_control(vocabulary: Vocabulary, *worlds: Wedges) -> pl.DataFrame:
    """Direct routes that any of the worlds closes, levies or limits in any period; see `comparison.routes`.

    Import restraints and tariffs are not controls: they are the buyer's doing.
    """
    found: set[tuple[str, str, str, str]] = set()
    for wedges in worlds:
        closed = ((wedges.coverage > 0) | (wedges.advanced > 0) | (wedges.levy > 0)).any(axis=0)
        found |= {
            (vocabulary.products[p], vocabulary.regions[i], vocabulary.regions[j], "direct")
            for p, i, j in np.argwhere(closed)
        }
        for limit in wedges.limits:
            if limit.side == "exporter" and np.isfinite(limit.quantity).any():
                found |= {(p, i, j, "direct") for p, i, j, _ in limit.entries}
    return routes(found)
