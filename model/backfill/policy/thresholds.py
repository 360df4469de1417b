"""Lines drawn by technical parameters: which accelerators and memory a rule catches."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from backfill.policy.facts import Chip


class Line(BaseModel):
    """One line: a chip is above it if every parameter given is at least its figure."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    tpp: float | None = Field(None, ge=0, description="total processing performance, TOPS times bits")
    performance_density: float | None = Field(None, ge=0, description="TPP per square millimetre of logic die")
    interconnect: float | None = Field(None, ge=0, description="rate to other chips, GB/s")
    memory_bandwidth: float | None = Field(None, ge=0, description="rate of its memory, TB/s")
    hbm_density: float | None = Field(None, ge=0, description="of HBM: GB/s per square millimetre of package")

    @model_validator(mode="after")
    def _some(self) -> Line:
        if not self.given:
            remedy = f"give at least one of {', '.join(type(self).model_fields)}"
            raise PydanticCustomError("missing_here", "line", {"key": "tpp", "remedy": remedy})
        return self

    @property
    def given(self) -> dict[str, float]:
        """The parameters that count."""
        return {name: value for name in type(self).model_fields if (value := getattr(self, name)) is not None}

    def catches(self, chip: Chip) -> bool:
        """Whether a chip is above the line; what is not known of it counts as above."""
        return all((value := getattr(chip, name)) is None or value >= figure for name, figure in self.given.items())


def caught(lines: Sequence[Line], chip: Chip) -> bool:
    """Whether a rule of several lines catches a chip: any of them does."""
    return any(line.catches(chip) for line in lines)


@lru_cache(maxsize=4096)
def caught_share(lines: tuple[Line, ...], chips: tuple[Chip, ...], product: str, year: int) -> float:
    """Share of what is sold of a product in a year that a rule catches; of the nearest year with figures if that has none.

    Where no volume is known at all, every model of the product counts alike.
    """
    own = [chip for chip in chips if chip.product == product and not chip.captive]
    years = sorted({y for chip in own for y in chip.volume}, key=lambda y: (abs(y - year), y))
    if not years:
        return sum(caught(lines, chip) for chip in own) / len(own) if own else 0.0
    sold = {chip: chip.volume.get(years[0], 0.0) for chip in own if chip.volume.get(years[0], 0.0) > 0}
    return sum(volume for chip, volume in sold.items() if caught(lines, chip)) / sum(sold.values())
