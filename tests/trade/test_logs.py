"""The logarithm of the markets."""

from __future__ import annotations

import jax
import numpy as np

from backfill.trade.logs import log


def test_it_is_the_logarithm():
    draw = np.random.default_rng(1)
    x = np.concatenate(
        [np.exp(draw.uniform(-700, 700, 20_000)), 1 + draw.uniform(-1e-3, 1e-3, 20_000), [1.0, 2.0, 0.5]]
    )
    with jax.enable_x64(True):
        found = np.asarray(jax.jit(log)(x))
    exact = np.log(x.astype(np.longdouble))
    np.testing.assert_array_less(np.abs(found - exact), 2 * np.spacing(np.abs(found)) + 1e-300)


def test_what_has_no_logarithm():
    with jax.enable_x64(True):
        found = np.asarray(log(np.array([0.0, -0.0, np.inf, -1.0, np.nan])))
    np.testing.assert_array_equal(found, [-np.inf, -np.inf, np.inf, np.nan, np.nan])


def test_its_slope():
    with jax.enable_x64(True):
        x = np.array([0.2, 1.0, 7.0])
        np.testing.assert_array_equal(np.diag(jax.jacfwd(log)(x)), 1 / x)
        np.testing.assert_array_equal(np.diag(jax.jacrev(log)(x)), 1 / x)
