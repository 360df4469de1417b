"""The accounts of a trading world in its base: flows, tariffs, technology, final demand, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # the command line reads tables without it
    from jaxtyping import Float


@dataclass(frozen=True)
class Accounts:
    """Base-year accounts, values as shares of world value added.

    Attributes:
        regions, products: names, in the order of the axes.
        flow: value before tariff, own use included.
        tariff: ad-valorem rate on that value.
        inputs: share of gross output value spent on each input; the rest is value added.
        theta: trade elasticity by product; ``sigma = theta + 1``.
        final: share of each product in final expenditure.
        unit: value added of the world in the unit of the person's tables.
    """

    regions: tuple[str, ...]
    products: tuple[str, ...]
    flow: Float[np.ndarray, "product origin destination"]
    tariff: Float[np.ndarray, "product origin destination"]
    inputs: Float[np.ndarray, "input product region"]
    theta: Float[np.ndarray, " product"]
    final: Float[np.ndarray, "product region"]
    unit: float = 1.0

    @cached_property
    def spending(self) -> Float[np.ndarray, "product region"]:
        """Expenditure on each product, tariffs included: ``X_nk = sum_i (1 + t_ink) M_ink``."""
        return (self.flow * (1 + self.tariff)).sum(1)

    @cached_property
    def share(self) -> Float[np.ndarray, "product origin destination"]:
        """Share of each origin in expenditure, ``(1 + t) M / X``; zero where nothing is bought."""
        spending = np.where(self.spending > 0, self.spending, 1.0)
        return self.flow * (1 + self.tariff) / spending[:, None]

    @cached_property
    def output(self) -> Float[np.ndarray, "product region"]:
        """Gross output, ``Y_ik = sum_n M_ink``."""
        return self.flow.sum(2)

    @cached_property
    def labour(self) -> Float[np.ndarray, "product region"]:
        """Share of value added in gross output."""
        return 1 - self.inputs.sum(0)

    @cached_property
    def value_added(self) -> Float[np.ndarray, " region"]:
        return (self.labour * self.output).sum(0)

    @cached_property
    def revenue(self) -> Float[np.ndarray, " region"]:
        """Tariff revenue."""
        return (self.flow * self.tariff).sum((0, 1))

    @cached_property
    def deficit(self) -> Float[np.ndarray, " region"]:
        """Imports less exports, before tariff; the sum over regions is zero."""
        return self.flow.sum((0, 1)) - self.output.sum(0)

    @cached_property
    def income(self) -> Float[np.ndarray, " region"]:
        """Final expenditure: value added, tariff revenue and the deficit."""
        return self.value_added + self.revenue + self.deficit

    @cached_property
    def intermediate(self) -> Float[np.ndarray, "product region"]:
        """What producers spend on each product."""
        return np.einsum("skn,kn->sn", self.inputs, self.output)
