"""Worlds that many experiments need: solved first, by themselves, and kept where anything is.

They do not depend on what else an experiment asks, so that numbers are the same whether they were kept or not. Others start
beside one of them that has the same past.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from backfill.economy.economy import Economy
from backfill.experiments.started import Stand, Started
from backfill.experiments.worlds import Batch, Key, keys_of
from backfill.kept import kept, source
from backfill.programs import machine
from backfill.supply.foresight import Foresight

Told = Callable[[float], None]


def coupled(
    economy: Economy,
    needed: Batch,
    foresight: Foresight,
    shared: Batch | None,
    identity: tuple,
    progress: Told | None = None,
) -> Started:
    """A batch of worlds solved, those that it shares with others first; all together where one of these cannot be solved.

    Args:
        economy: the calibrated economy.
        needed: worlds.
        foresight: what builders expect.
        shared: worlds that others need too, all of which are solved.
        identity: tells the economy from others; empty keeps nothing.
        progress: called with the share done.
    """
    keys, first = keys_of(needed), progress and (lambda share: progress(0.5 * share))
    stands = stands_of(economy, shared, foresight, identity, first) if shared else {}
    known = {place: stands[key] for place, key in enumerate(keys) if key in stands}
    near = {place: [(1.0, beside)] for place, key in enumerate(keys) if (beside := _beside(key, stands))}
    begun = 0.5 if known else 0.0
    told = progress and (lambda share: progress(begun + (1 - begun) * share))
    coupling = Started.solving(economy, needed, foresight, known, near, told)
    if near and coupling.failures:
        coupling = Started.solving(economy, needed, foresight, known, {}, told)
    return coupling


def stands_of(
    economy: Economy, shared: Batch, foresight: Foresight, identity: tuple, progress: Told | None = None
) -> Mapping[Key, Stand]:
    """Where worlds stand that others need too; none where one of them cannot be solved. See `coupled`."""

    def made() -> list[Stand]:
        coupling = Started.solving(economy, shared, foresight, {}, {}, progress)
        return [] if coupling.failures else [coupling.stand(place) for place in range(coupling.count)]

    keys = keys_of(shared)
    found = kept(made, "worlds", source(), machine(), identity, foresight, keys) if identity else made()
    return dict(zip(keys, found, strict=True)) if found else {}


def _beside(key: Key, stands: Mapping[Key, Stand]) -> Stand | None:
    """A world that became known when another did, after the same past; none for those that are there themselves."""
    if key in stands:
        return None
    return next((stand for other, stand in stands.items() if (*other[:-1], other[-1][0]) == (*key[:-1], key[-1][0])), None)
