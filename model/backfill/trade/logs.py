"""Logarithms of many numbers at once: the compiler's own, in double precision, take number after number."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Float

from backfill.arrays import Array

_HALF_ROOT = 0x3FE6A09E667F3BCD
"""The square root of a half, as the bits of a double."""
_BITS = 52
_TERMS = 10
"""Of the series, the rest of which is below rounding where ``m`` is between the roots of a half and of two."""


@jax.custom_jvp
def log(x: Float[Array, "*any"]) -> Float[Array, "*any"]:
    """``ln x = e ln 2 + 2 (s + s^3/3 + s^5/5 + ...)`` with ``x = 2^e m`` and ``s = (m - 1)/(m + 1)``.

    Within two units in the last place of the logarithm. Numbers below the least normal double count as zero.
    """
    if x.dtype != jnp.float64:
        return jnp.log(x)
    bits = jax.lax.bitcast_convert_type(x, jnp.int64)
    exponent = (bits - _HALF_ROOT) >> _BITS
    mantissa = jax.lax.bitcast_convert_type(bits - (exponent << _BITS), jnp.float64)
    s = (mantissa - 1) / (mantissa + 1)
    square = s * s
    series = jnp.full_like(x, 1 / (2 * _TERMS + 1))
    for n in range(_TERMS - 1, 0, -1):
        series = series * square + 1 / (2 * n + 1)
    found = exponent.astype(x.dtype) * jnp.log(2.0) + (2 * s + 2 * s * square * series)
    least = jnp.finfo(jnp.float64).smallest_normal
    usual = (x >= least) & (x < jnp.inf)
    return jnp.where(usual, found, jnp.where(x >= least, jnp.inf, jnp.where(jnp.abs(x) < least, -jnp.inf, jnp.nan)))


@log.defjvp
def _slope(at: tuple[Array], along: tuple[Array]) -> tuple[Array, Array]:
    (x,), (dx,) = at, along
    return log(x), dx / x
