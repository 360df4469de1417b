"""Worlds solved further than results need, for derivatives compared with differences."""

from __future__ import annotations

import pytest

from backfill.coupling import points, rounds
from backfill.trade import equilibrium


def solve_precisely(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worlds solved to 1e-10 and markets further, until the test ends."""
    exact = equilibrium.solve
    monkeypatch.setattr(points, "TOLERANCE", 1e-10)
    monkeypatch.setattr(points, "STEP_TOLERANCE", 1e-10)
    monkeypatch.setattr(rounds, "TOLERANCE", 1e-10)
    monkeypatch.setattr(rounds, "solve", lambda *given, **also: exact(*given, **also, tolerance=1e-13))
