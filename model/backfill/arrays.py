"""What the solvers accept as an array: JAX's own inside compiled code, NumPy's at the edges."""

from __future__ import annotations

import jax
import numpy as np

Array = jax.Array | np.ndarray
