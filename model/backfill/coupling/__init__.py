"""Markets and suppliers solved together (section 7)."""

from backfill.coupling.points import Point, Stage, settled
from backfill.coupling.rounds import Coupling
from backfill.coupling.worlds import sites_of

__all__ = ["Coupling", "Point", "Stage", "settled", "sites_of"]
