"""What the hindcast says, in words: how far off, where it loses to a naive forecast and why, what the data pinned down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from backfill.experiments.hindcast import observed as seen
from backfill.experiments.hindcast.identify import INFORMED, PINNED_DOWN, Identified
from backfill.experiments.hindcast.table import JUDGES

WHY = {
    seen.LEGAL: "the share of frontier chips that goes on after the rule is the share of buyers that coverage leaves, though none was "
    "sold; and the line of export-grade chips ends with the letters of April 2025 only as far as coverage says",
    seen.MADE: "capacity at SMIC, TSMC's dies and yields are not told apart in one line of own design",
    seen.BILLINGS: "buyers stock up for rules that have been announced, not for those they fear, and no Chinese plan for more "
    "mature fabs than the path of capacity has is in it",
    seen.WORLD_BILLINGS: "the slump of memory in 2023 is not in the path of capacity, which grows with use",
    seen.ASML: "Dutch backlogs were filled for China first while others waited, which a market that clears in a year does not have",
    seen.TOOLMAKERS: "buyers stock up for rules that have been announced, not for those they fear",
    seen.OWN_TOOLS: "makers of tools do not learn, and neither the mandate of half own tools nor fear of being cut off moves buyers",
    seen.CAPACITY: "advanced logic follows demand for accelerators of own design; phones, for which most of it was built, are not in it",
    seen.STACKS: "memory went into stores ahead of a rule that came within a month of its announcement; only use is in the model",
    seen.SMUGGLED: "costs of diversion rise with what is diverted by a rule of thumb",
    seen.PREMIUM: "one premium stands for all chips and months",
}
"""Why the model misses a series, as far as is known."""


def sentences(found: pl.DataFrame, scores: dict[str, float], learned: Sequence[tuple[str, float]]) -> tuple[str, ...]:
    """All of it.

    Args:
        found: the hindcast table.
        scores: see `table.scores`.
        learned: parameters with the standard deviation of their score after the fit; before it is 1.
    """
    return (*_head(scores), *_losses(found), _pinned(learned))


def _head(scores: dict[str, float]) -> Iterator[str]:
    count, common = int(scores["figures judged"]), int(scores["figures all three forecast"])
    yield (
        f"On the {common} figures left for judgement that all three forecast the model is off by a factor of "
        f"{scores['typical factor, model']:.2f} (geometric mean), the last value by {scores['typical factor, last value']:.2f}, a "
        f"constant share by {scores['typical factor, constant share']:.2f}."
    )
    within = round(scores["share within 80% range"] * count)
    verdict = "as many as should" if abs(within / count - 0.8) <= 0.1 else "fewer than the four fifths that should"
    if within / count > 0.9:
        verdict = "more than the four fifths that should"
    yield f"{within} of {count} judged figures ({within / count:.0%}) lie within their 80% range: {verdict}."


def _losses(found: pl.DataFrame) -> Iterator[str]:
    judged = found.filter(pl.col("use") == JUDGES)
    for series in judged["series"].unique(maintain_order=True):
        rows = judged.filter(pl.col("series") == series)
        beaten = [
            f"{r['year']} ({r['model']:.3g} against {r['observed']:.3g}; {' and '.join(names)} {'is' if len(names) == 1 else 'are'} closer)"
            for r in rows.iter_rows(named=True)
            if (names := _closer(r))
        ]
        if beaten:
            yield f"{series[:1].upper()}{series[1:]}: the model loses in {', '.join(beaten)}: {WHY[series]}."


def _closer(row: dict) -> list[str]:
    pairs = (("the last value", "error_last"), ("a constant share", "error_constant"))
    return [name for name, column in pairs if row[column] is not None and row[column] < row["error"]]


def _pinned(learned: Sequence[tuple[str, float]]) -> str:
    narrowed = [f"{name} (to {ratio:.0%} of its prior's spread)" for name, ratio in learned if ratio < 0.8]
    rest = len(learned) - len(narrowed)
    if not narrowed:
        return f"The figures that set parameters narrow none of {len(learned)} priors by a fifth or more."
    return f"The figures that set parameters narrow {len(narrowed)} of {len(learned)} priors by a fifth or more: {', '.join(narrowed)}; {rest} stay as they were."


def told_of(found: Identified) -> tuple[str, ...]:
    """What the figures pin down, in words."""
    verdicts = dict(found.parameters.group_by("verdict").agg(pl.col("parameter")).iter_rows())
    pinned, informed = verdicts.get(PINNED_DOWN, []), verdicts.get(INFORMED, [])
    strong = found.directions.filter(pl.col("information") > 1)
    total = found.parameters.height
    known = f"pin down {len(pinned)} ({', '.join(pinned)})" if pinned else "pin down none alone"
    lines = [
        f"Of {total} parameters the figures that set parameters {known}, inform {len(informed)}"
        + (f" ({', '.join(informed)})" if informed else "")
        + f", and leave {total - len(pinned) - len(informed)} to their priors.",
        f"They know more than the priors along {strong.height} directions, mixtures of parameters: one figure tells of all that move it.",
    ]
    lines += [f"Direction {n}: {made} (spread {spread:.0%} of the prior's)." for n, _, spread, made in strong.iter_rows()]
    return tuple(lines)
