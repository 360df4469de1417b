"""Installed machines hold their owners: what is saved by staying with the sender's (assumed; follows time, not purchases)."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import numpy as np
from pydantic import Field

from backfill.policy.board import Board

LockIn = Annotated[
    float,
    Field(
        ge=0,
        le=0.3,
        description="adapting saved by who has the machines",
        json_schema_extra={"unit": "share of the price"},
    ),
]
FleetLife = Annotated[float, Field(gt=0, le=20, description="life of a machine", json_schema_extra={"unit": "years"})]


def saved(board: Board, when: np.ndarray, begin: dt.date | None, lock_in: float, fleet_life: float) -> np.ndarray:
    """``lock_in (1 - exp(-years / fleet_life))`` of the price in every stretch in force, ``[stretch, 1, 1, 1]``.

    The second factor is the share of the fleet bought since the first day.
    """
    renewed = 1 - np.exp(-board.years_since(begin)[when] / fleet_life)
    return lock_in * renewed[:, None, None, None]
