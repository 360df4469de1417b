"""The economy as the solvers see it: frozen arrays, one leading axis for the period.

Axes: ``product`` are the goods traded by Armington demand (core goods first, then the stack in topological order),
``maker`` the accelerator lines (a product designed in one region), ``leaf`` the ways a user acquires an accelerator,
``node`` the planned capacities. Values are million USD of the base year, accelerators thousand H100e.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import equinox as eqx
from jaxtyping import Float

from backfill.arrays import Array
from backfill.dimensions import Period, Vocabulary

if TYPE_CHECKING:
    from backfill.hats.economy import TableEconomy

DIRECT, DIVERSION, CLOUD = "direct", "diversion", "cloud"
MATURE = ("logic_mature", "memory")
"""Chips of mature processes. Whoever builds other planned capacity builds advanced capacity."""


@dataclass(frozen=True)
class Leaf:
    """One way for ``user`` to acquire units of accelerator line ``maker``, delivered at ``site``."""

    maker: int
    site: int
    user: int
    channel: str


@dataclass(frozen=True)
class Structure:
    """Everything about an economy that is not a number: names and the shape of its networks.

    Attributes:
        vocabulary: the names.
        products: Armington products in array order; the first ``core`` of them form the input-output loop.
        core: number of core products.
        levels: contiguous ranges ``(first, last)`` of stack products, suppliers before users.
        makers: (product, region) of every accelerator line.
        families: family name of every maker.
        leaves: acquisition routes, grouped by user.
        hubs: region index of every diversion hub.
        nodes: (product, region) of every planned capacity.
        owners: region code that receives each node's rent.
        tools: array positions of the tool products.
        cobb_douglas: whether core goods are made, and final goods chosen, with unit elasticity of substitution.
    """

    vocabulary: Vocabulary
    products: tuple[str, ...]
    core: int
    levels: tuple[tuple[int, int], ...]
    makers: tuple[tuple[str, str], ...]
    families: tuple[str, ...]
    leaves: tuple[Leaf, ...]
    hubs: tuple[int, ...]
    nodes: tuple[tuple[str, str], ...]
    owners: tuple[str, ...]
    tools: tuple[int, ...]
    cobb_douglas: bool = False

    @property
    def regions(self) -> tuple[str, ...]:
        return self.vocabulary.regions

    @property
    def ranges(self) -> tuple[slice, ...]:
        """Core products, and each level of the stack."""
        return tuple(slice(*ends) for ends in ((0, self.core), *self.levels))

    def position(self, product: str) -> int:
        """Array position of an Armington product."""
        return self.products.index(product)

    def region(self, code: str) -> int:
        """Array position of a region."""
        return self.vocabulary.regions.index(code)

    def __hash__(self) -> int:
        return hash((self.products, self.makers, self.leaves, self.nodes, self.vocabulary.regions))


class Production(eqx.Module):
    """Technology: ``p = kappa c / A + m w + rent`` with ``c`` a CES of labour and inputs (sections 2 and 3).

    Attributes:
        labour: cost share of labour at the benchmark.
        inputs: cost share of each input, ``[input, product, region]``.
        cost: share of unit cost in the benchmark mill price (the rest is margin and rent).
        margin: margin per unit, in units of the region's wage.
        productivity: Hicks-neutral productivity relative to the benchmark.
        elasticity: substitution among inputs of each core product (stack products are Leontief).
    """

    labour: Float[Array, "*period product region"]
    inputs: Float[Array, "*period input product region"]
    cost: Float[Array, "*period product region"]
    margin: Float[Array, "*period product region"]
    productivity: Float[Array, "*period product region"]
    elasticity: Float[Array, "*period core"]


class Preferences(eqx.Module):
    """Armington weights and the two nests of final absorption (section 4).

    Attributes:
        weight: Armington weight of ``origin`` in ``destination``'s composite; buyer prices are 1 at the benchmark.
        sigma: elasticity among origins.
        rivalry: slope ``eta`` of the logit of covered and uncovered buyers, over the reference price in units of services.
        tariff: applied tariff of the base year.
        final: share of each composite in final absorption other than compute.
        final_elasticity: substitution among those composites.
        compute_elasticity: demand elasticity of compute services.
        compute_taste: weight of compute services in absorption, by region.
        compute_inputs: composites bought per unit of compute used (million USD per thousand H100e).
    """

    weight: Float[Array, "*period product origin destination"]
    sigma: Float[Array, "*period product"]
    rivalry: Float[Array, "*period product region"]
    tariff: Float[Array, "*period product origin destination"]
    final: Float[Array, "*period product region"]
    final_elasticity: Float[Array, "*period"]
    compute_elasticity: Float[Array, "*period"]
    compute_taste: Float[Array, "*period region"]
    compute_inputs: Float[Array, "*period product"]


class Accelerators(eqx.Module):
    """Bills of materials and the logit nest over ways to acquire compute (sections 2 and 4).

    The nest has four levels: route within tier, tier within family, family within owned, owned or remote. Each branch
    carries a log weight and each nest a slope ``eta = sigma / mean real price``.

    Attributes:
        bill: composites per unit, million USD per thousand H100e at base prices.
        home_bill: goods per unit that the designer can only have made at home, at its own region's mill price.
        labour: labour per unit.
        margin: margin per unit, in units of the designer's wage.
        tariff: applied tariff of the base year on each line.
        route_weight: log weight of each leaf in its route nest.
        tier_weight, family_weight, ownership_weight: log weights of the branches above.
        route_slope, tier_slope, family_slope, ownership_slope: slopes of the nests.
        rivalry_slope: slope of the nest of covered and uncovered users, above the others.
    """

    bill: Float[Array, "*period product maker"]
    home_bill: Float[Array, "*period product maker"]
    labour: Float[Array, "*period maker"]
    margin: Float[Array, "*period maker"]
    tariff: Float[Array, "*period maker destination"]
    route_weight: Float[Array, "*period leaf"]
    tier_weight: Float[Array, "*period tier"]
    family_weight: Float[Array, "*period family"]
    ownership_weight: Float[Array, "*period ownership"]
    route_slope: Float[Array, "*period tier"]
    tier_slope: Float[Array, "*period family"]
    family_slope: Float[Array, "*period ownership"]
    ownership_slope: Float[Array, "*period region"]
    rivalry_slope: Float[Array, "*period region"]


class Diversion(eqx.Module):
    """Smuggling through hubs (section 8): premium ``mu0 + mu1 y^nu`` of the hub price, seizure, fine, cloud mark-up.

    Attributes:
        fixed_cost: ``mu0``, share of the hub price.
        slope: ``mu1``, share of the hub price at ``y = 1``.
        convexity: ``nu``.
        scale: ``y0`` in thousand H100e, by hub.
        seizure: detection probability at the base budget, by hub.
        budget_elasticity: elasticity of detection to the budget.
        fine: fine per seized unit as a share of the hub price.
        cloud_margin: mark-up of remote compute, bought as services where it stands.
    """

    fixed_cost: Float[Array, "*period"]
    slope: Float[Array, "*period"]
    convexity: Float[Array, "*period"]
    scale: Float[Array, "*period hub"]
    seizure: Float[Array, "*period hub"]
    budget_elasticity: Float[Array, "*period"]
    fine: Float[Array, "*period"]
    cloud_margin: Float[Array, "*period"]


class Endowment(eqx.Module):
    """Labour, and what is spent beyond incomes.

    Attributes:
        labour: in units of base-year income.
        deficit: share of world labour income (they sum to zero).
        ratio: expenditure over own income on the reference path where deficits follow income; ``[*period, 0]`` where they
            stay as they are (see `backfill.trade.income.closed`).
    """

    labour: Float[Array, "*period region"]
    deficit: Float[Array, "*period region"]
    ratio: Float[Array, "*period follower"]


class Parameters(eqx.Module):
    """All numbers of the economy that the markets use, by period."""

    production: Production
    preferences: Preferences
    accelerators: Accelerators
    diversion: Diversion
    endowment: Endowment


class Capacity(eqx.Module):
    """Planned capacities: the reference path and what adding to it costs (section 7).

    Attributes:
        reference: capacity on the reference path, million USD of yearly output at base prices.
        rent: reference rent per unit of output.
        additions: reference additions.
        site_cost: cost of a unit of capacity other than tools.
        slope: rise of the marginal cost per unit added.
        tool_need: tool composites per unit of capacity added.
        depreciation: per period.
        discount: discount factor per period.
        stock_loss: share of a stock lost in a period.
        stock_mismatch: how fast stored units fit worse what is needed, as more of the need is met from stock.
    """

    reference: Float[Array, "period node"]
    rent: Float[Array, "period node"]
    additions: Float[Array, "period node"]
    site_cost: Float[Array, "period node"]
    slope: Float[Array, "period node"]
    tool_need: Float[Array, "node product"]
    depreciation: Float[Array, " node"]
    discount: Float[Array, ""]
    stock_loss: Float[Array, ""]
    stock_mismatch: Float[Array, ""]


class Learning(NamedTuple):
    """What makers have made and bought on the reference path, and what it teaches them (section 7).

    Attributes:
        made, imported: units made, and bought abroad, where capacity is planned; zero elsewhere.
        before: experience at the beginning of the first period.
        rate: elasticity of productivity to experience.
        abroad: experience from a unit bought abroad, over that from a unit made.
        fleet_life: years in which an accelerator serves.
    """

    made: Float[Array, "period product region"]
    imported: Float[Array, "period product region"]
    before: Float[Array, "product region"]
    rate: float
    abroad: float
    fleet_life: float


@dataclass(frozen=True)
class Economy:
    """A calibrated economy.

    Attributes:
        structure: names and networks.
        periods: the solved periods; the first ``reported`` of them are reported.
        reported: number of reported periods.
        lags: periods between an addition and its first use, by node.
        parameters: what the markets use, stacked over periods.
        capacity: planned capacities.
        reference_state: the markets' solution on the reference path, ``[period, unknown]``, a starting point.
        grades: parameter name to (value, grade, source), for provenance.
        learning: experience on the reference path; None where nobody learns.
    """

    structure: Structure
    periods: tuple[Period, ...]
    reported: int
    lags: tuple[int, ...]
    parameters: Parameters
    capacity: Capacity
    reference_state: Array
    grades: dict[str, tuple[float, str, str]]
    learning: Learning | None = None

    @staticmethod
    def from_tables(
        *,
        trade: Any,
        elasticities: Any,
        tariffs: Any = None,
        inputs: Any = None,
        final_demand: Any = None,
        closure: str = "fixed",
        scale: Any = None,
        labour: Any = None,
    ) -> TableEconomy:
        """An economy calibrated to long tables: anything that ``polars.DataFrame`` takes.

        Args:
            trade: ``origin, destination, product, value``: before tariff, own use included; absent rows are zero and stay zero.
            elasticities: ``product, trade_elasticity``: ``theta``; the Armington elasticity is ``theta + 1``.
            tariffs: ``origin, destination, product, rate``; absent rows are 0.
            inputs: ``region, product, input, share`` of gross output value; the rest is value added.
            final_demand: ``region, product, share`` of final expenditure; the residual of the other tables if absent.
            closure: ``"fixed"``: deficits constant as shares of world value added; ``"proportional"``: expenditure is own income
                times its ratio in the base times one world factor; ``"balanced"``: the base is first re-solved without deficits.
            scale: `backfill.ScaleEconomies`, if the number of firms is free.
            labour: `backfill.ElasticLabour`, if labour supply is.

        Raises:
            Faults: everything wrong with the tables, with rows counted from 1.
            UnsolvedError: a base that cannot be balanced.
        """
        from backfill.hats.economy import from_tables

        return from_tables(
            trade=trade,
            elasticities=elasticities,
            tariffs=tariffs,
            inputs=inputs,
            final_demand=final_demand,
            closure=closure,
            scale=scale,
            labour=labour,
        )
