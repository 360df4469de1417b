"""Worlds that many experiments need: solved first, by themselves, and kept where anything is.

They do not depend on what else an experiment asks, so that numbers are the same whether they were kept or not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from backfill.economy.economy import Economy
from backfill.experiments.started import Stand, Started
from backfill.experiments.worlds import Batch, keys_of
from backfill.kept import kept, source
from backfill.programs import machine
from backfill.supply.foresight import Foresight

Told = Callable[[float], None]


def coupled(
    economy: Economy,
    needed: Batch,
    foresight: Foresight,
    shared: Collection[int],
    identity: tuple,
    progress: Told | None = None,
) -> Started:
    """A batch of worlds solved, some of them first; all together where one of those cannot be solved.

    Args:
        economy: the calibrated economy.
        needed: worlds.
        foresight: what builders expect.
        shared: places of worlds to be solved first, those that they depart from among them.
        identity: tells the economy from others; empty keeps nothing.
        progress: called with the share done.
    """
    known: Mapping[int, Stand] = {}
    if shared:
        part = needed.only(shared)

        def made() -> list[Stand]:
            coupling = _solved(economy, part, foresight, {}, progress and (lambda share: progress(0.5 * share)))
            return [] if coupling.failures else [coupling.stand(place) for place in range(coupling.count)]

        about = ("worlds", source(), machine(), identity, foresight, keys_of(part))
        stands = kept(made, *about) if identity else made()
        known = dict(zip(sorted(shared), stands, strict=True)) if stands else {}
    begun = 0.5 if known else 0.0
    return _solved(economy, needed, foresight, known, progress and (lambda share: progress(begun + (1 - begun) * share)))


def _solved(
    economy: Economy, needed: Batch, foresight: Foresight, known: Mapping[int, Stand], progress: Told | None
) -> Started:
    coupling = Started(economy, needed.wedges, foresight, needed.departs, known, {})
    coupling.take()
    coupling.solve(progress)
    return coupling
