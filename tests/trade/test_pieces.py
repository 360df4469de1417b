"""Pieces of many lanes: the same answers whatever their size, and few idle lanes where devices take many at a time."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from backfill.trade import pieces
from backfill.trade.pieces import at_once, in_pieces


def doubled(lanes: jax.Array, shift: jax.Array) -> jax.Array:
    return 2 * lanes + shift


def spied(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lanes of each piece that is compiled."""
    sizes: list[int] = []
    whole = pieces.program

    def program(function, settings, *arguments, spread=0):
        sizes.append(len(arguments[0]))
        return whole(function, settings, *arguments, spread=spread)

    monkeypatch.setattr(pieces, "program", program)
    return sizes


@pytest.mark.parametrize("count", [1, 16, 37, 100, 1500])
@pytest.mark.parametrize("backend", ["cpu", "gpu"])
def test_pieces_of_any_size_give_the_same(monkeypatch: pytest.MonkeyPatch, count: int, backend: str):
    sizes = spied(monkeypatch)
    monkeypatch.setattr(jax, "default_backend", lambda: backend)
    lanes = np.random.default_rng(0).uniform(size=(count, 3))
    np.testing.assert_array_equal(in_pieces(doubled, (), 16, (lanes,), (np.float64(1.0),)), 2 * lanes + 1.0)
    wanted = {"cpu": 16, "gpu": {1: 16, 16: 16, 37: 64, 100: 128, 1500: 1024}[count]}[backend]
    assert sizes == [wanted * len(jax.devices())]


def test_a_device_is_given_what_fills_it(monkeypatch: pytest.MonkeyPatch):
    assert at_once(64) == 64
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert at_once(64) == pieces.ON_ACCELERATORS * len(jax.devices())
