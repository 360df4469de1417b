"""Two forecasts that know no economics: the last value seen, and a share of the world that stays what it was.

Both know more than the model does: figures of every earlier year, those that judge it included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backfill.experiments.hindcast.observed import STACKS, Figure

FIRST = 2022
SUMMED = (STACKS,)
"""Series that add up over years: what is forecast is the flow."""


def last_value(figures: Sequence[Figure], benchmark: Mapping[str, float]) -> list[float | None]:
    """The last figure of the series before each year; where none was seen, what the benchmark has in the base year.

    Args:
        figures: all of them.
        benchmark: the base year by series.
    """
    return [_last(figure, figures, benchmark) for figure in figures]


def constant_share(
    figures: Sequence[Figure], benchmark: Mapping[str, float], world: Mapping[str, Mapping[int, float]]
) -> list[float | None]:
    """The base year's figure, growing with the world's total of the series; as it is for shares.

    Args:
        figures: all of them.
        benchmark: the base year by series, where nothing was seen in it.
        world: totals by series and year; a series without one is a share.
    """
    out = []
    for figure in figures:
        first = _seen(figure.series, FIRST, figures)
        base = benchmark.get(figure.series) if first is None else first
        total = world.get(figure.series)
        if base is None or figure.year <= FIRST:
            out.append(None)
        elif total is None:
            out.append(base)
        elif figure.series in SUMMED:
            out.append(base * sum(total[y] for y in range(FIRST, figure.year + 1)) / total[FIRST])
        else:
            out.append(base * total[figure.year] / total[FIRST])
    return out


def _last(figure: Figure, figures: Sequence[Figure], benchmark: Mapping[str, float]) -> float | None:
    earlier = [other for other in figures if other.series == figure.series and other.year < figure.year]
    if earlier:
        return max(earlier, key=lambda other: other.year).value
    base = benchmark.get(figure.series)
    if base is None or figure.year <= FIRST:
        return None
    return base * (figure.year - FIRST + 1) if figure.series in SUMMED else base


def _seen(series: str, year: int, figures: Sequence[Figure]) -> float | None:
    return next((f.value for f in figures if f.series == series and f.year == year), None)
