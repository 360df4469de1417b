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
from backfill.experiments.vintages import Vintages, at
from backfill.policy.wedges import Limit, Wedges


@dataclass(frozen=True)
class Batch:
    """Worlds to be solved together; those that act alike, and were known alike, are one.

    Attributes:
        wedges: what to solve.
        position: name of each world to its place in ``wedges``. Places without a name are what suppliers planned for before
            something new became known.
        departs: place of a world that departs from another, to that other's place and the periods they share.
    """

    wedges: tuple[Wedges, ...]
    position: Mapping[str, int]
    departs: Mapping[int, tuple[int, int]]


def batch(named: Mapping[str, Vintages]) -> Batch:
    """Worlds by name, in order: each departs from what was known before its last news, and so on back to the first."""
    wedges: list[Wedges] = []
    places: dict[tuple[tuple[int, str], ...], int] = {}
    position: dict[str, int] = {}
    departs: dict[int, tuple[int, int]] = {}
    for name, known in named.items():
        path: tuple[tuple[int, str], ...] = ()
        acting = ""
        for after in sorted(known):
            mark, before_now = fingerprint(known[after]), acting
            acting = _fingerprints(known[after])[1]
            if path and acting == before_now:
                continue
            before, path = path, (*path, (after, mark))
            if path not in places:
                places[path] = len(wedges)
                wedges.append(known[after])
                if before:
                    departs[places[path]] = (places[before], after)
        position[name] = places[path]
    return Batch(tuple(wedges), position, departs)


Key = tuple[tuple[int, str], ...]
"""What tells a world from others: its wedges and those of the worlds it departs from, by when they became known."""


def keys_of(worlds: Batch) -> list[Key]:
    """The key of every world of a batch, by place."""
    keys: list[Key] = []
    for place, one in enumerate(worlds.wedges):
        other, after = worlds.departs.get(place, (place, 0))
        keys.append((*(keys[other] if place in worlds.departs else ()), (after, fingerprint(one))))
    return keys


def fingerprint(wedges: Wedges) -> str:
    """A hash equal for wedges that act alike: to rounding, and a limit that is never in force does not act.

    Wedges are not changed once they are made, so that each is hashed once.
    """
    return _fingerprints(wedges)[0]


_MARK = "_fingerprints"


def _fingerprints(wedges: Wedges) -> tuple[str, str]:
    """Hashes of wedges, and of them whatever is foreseen."""
    known = vars(wedges)
    if _MARK not in known:
        known[_MARK] = _hashed(wedges)
    return known[_MARK]


def _hashed(wedges: Wedges) -> tuple[str, str]:
    digest = hashlib.sha256()
    for field in dataclasses.fields(wedges):
        if field.name not in ("limits", "foreseen"):
            digest.update(field.name.encode() + repr(_as_bytes(getattr(wedges, field.name))).encode())
    acting = [limit for limit in wedges.limits if np.isfinite(limit.quantity).any()]
    for limit in sorted(acting, key=lambda limit: limit.name):
        about = (limit.name, limit.owner, limit.side, sorted(limit.entries), limit.unit)
        how = (limit.internalised, limit.by_value, limit.ceiling)
        digest.update(repr(how).encode())
        digest.update(repr(about).encode() + _rounded(limit.quantity).tobytes())
    acts = digest.hexdigest()
    digest.update(repr(_as_bytes(wedges.foreseen)).encode())
    return digest.hexdigest(), acts


def _as_bytes(value: object) -> object:
    if isinstance(value, np.ndarray):
        return (value.shape, hashlib.sha256(_rounded(value).tobytes()).hexdigest())
    return value


def _rounded(value: np.ndarray) -> np.ndarray:
    """Twelve digits after the point, and one zero."""
    return np.round(np.asarray(value, float), 12) + 0.0


def upstream_products(vocabulary: Vocabulary) -> tuple[str, ...]:
    """Products whose control works through the adversary's own output: tools, subsystems, inputs, materials."""
    chosen = {*vocabulary.groups.get("upstream", ()), *vocabulary.groups.get("inputs", ())}
    return tuple(product for product in vocabulary.products if product in chosen)


def without_upstream(policy: Wedges, reference: Wedges, vocabulary: Vocabulary) -> Wedges:
    """The policy with its controls on upstream products bound for an adversary replaced by the reference's.

    Controls are closed routes, levies, compliance costs and limits, faster wear of the adversary's plants and what holds back
    its learning; tariffs stay. Measured against a reference without controls this is the policy without its upstream
    measures.
    """
    upstream = upstream_products(vocabulary)
    adversaries = vocabulary.expand_regions("adversary")
    rows = [vocabulary.products.index(p) for p in upstream]
    columns = [vocabulary.regions.index(r) for r in adversaries]
    place = np.ix_(range(policy.coverage.shape[0]), rows, range(len(vocabulary.regions)), columns)

    def mixed(name: str, place: tuple[np.ndarray, ...] = place) -> np.ndarray:
        value = getattr(policy, name).copy()
        value[place] = getattr(reference, name)[place]
        return value

    made = np.ix_(range(policy.coverage.shape[0]), range(len(vocabulary.products)), columns)

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
        wear=mixed("wear", made),
        knowledge=mixed("knowledge", made),
        limits=tuple(limits.values()),
    )


def _only(limit: Limit, entries: list[tuple[str, str, str, float]]) -> Limit | None:
    needs_room = any(coefficient > 0 for *_, coefficient in entries)
    return dataclasses.replace(limit, entries=tuple(entries)) if needs_room else None


def downstream(policy: Vintages, reference: Vintages, vocabulary: Vocabulary) -> Vintages:
    """`without_upstream` whenever something becomes known."""
    return {
        after: without_upstream(at(policy, after), at(reference, after), vocabulary)
        for after in sorted({**policy, **reference})
    }


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
                found |= {(p, i, j, "direct") for p, i, j, coefficient in limit.entries if coefficient > 0}
    return routes(found)
