"""Shifts of buyers' tastes towards makers whose capacity follows a given path."""

from __future__ import annotations

import equinox as eqx
import numpy as np

from backfill.economy.economy import Parameters, Structure

RESPONSE = 0.75
"""Response of ``ln use`` to ``ln f`` taken for a step; the true one lies between 0 and about 1, so that steps shrink."""


class Shifts:
    """How much more buyers prefer each planned capacity's product than in the base year, so that a given path is used.

    Where a capacity's path is given and not what demand asks for, buyers everywhere come to prefer its product (import
    substitution, newly qualified suppliers):

        W'_ij = f_i W_ij / (1 + (f_i - 1) s_ij)

    with ``s`` the benchmark share and ``f`` the shift of the period. The other origins lose what it gains and every
    composite still costs 1 at benchmark prices: a shift is no gain in productivity. The first period is the benchmark and is
    not shifted; in the others ``ln f`` is raised by what use lacks until it lacks nothing.

    Args:
        index: given capacity relative to the first period's, ``[period, node]``, not a number where it follows demand.
    """

    def __init__(self, index: np.ndarray) -> None:
        self.given = ~np.isnan(index)
        self.given[0] = False
        self.index = np.where(self.given, index, 1.0)
        self.log = np.zeros(index.shape)

    def update(self, use: np.ndarray, utilisation: np.ndarray) -> None:
        """Bring ``use[period, node]`` at the present shifts closer to ``index * utilisation`` relative to the first period."""
        target = self.index * use[0] * utilisation / utilisation[0]
        self.log = self.log + np.where(self.given, np.log(target / use), 0.0) / RESPONSE

    def apply(self, shape: Structure, parameters: Parameters) -> Parameters:
        """Parameters with the shifted Armington weights."""
        preferences = parameters.preferences
        weight = preferences.weight
        sigma = preferences.sigma[:, :, None]
        for node in np.flatnonzero(self.given.any(0)):
            product, region = shape.nodes[node]
            k, i = shape.position(product), shape.region(region)
            share = weight[:, k, i] * (1 + preferences.tariff[:, k, i]) ** (1 - sigma[:, k])
            factor = np.exp(self.log[:, node])[:, None]
            weight = weight.copy()
            weight[:, k] /= (1 + (factor - 1) * share)[:, None, :]
            weight[:, k, i] *= factor
        return eqx.tree_at(lambda p: p.preferences.weight, parameters, weight)
