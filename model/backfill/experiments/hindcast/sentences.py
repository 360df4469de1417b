"""What the hindcast says, in words: how far off, where it loses to a naive forecast and why, what the data pinned down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from backfill.experiments.hindcast import observed as seen
from backfill.experiments.hindcast.identify import INFORMED, PINNED_DOWN, Identified
from backfill.experiments.hindcast.table import JUDGES
from backfill.experiments.hindcast.words import three

WHY = {
    seen.LEGAL: "a rule leaves some buyers their frontier chips, though none were sold; the letters of April 2025 and "
    "China's guidance reach a share of buyers, while sales stopped",
    seen.MADE: "TSMC's dies, yields and capacity at SMIC are one line of own design",
    seen.BILLINGS: "buyers stock up for rules that are announced, not for those they fear",
    seen.WORLD_BILLINGS: "capacity grows with use; the slump of memory in 2023 is not in it",
    seen.ASML: "a market that clears within the year has no backlog of orders from which one buyer is served first",
    seen.TOOLMAKERS: "buyers stock up for rules that are announced, not for those they fear",
    seen.OWN_TOOLS: "no mandate or fear of being cut off moves buyers towards them, and what their makers learn lowers costs "
    "by little",
    seen.CAPACITY: "advanced logic follows demand for accelerators of own design; other chips of the same lines are not in it",
    seen.STACKS: "only what is used is bought: 7 million stacks went into stores in the month before the rule took effect",
    seen.SMUGGLED: "the cost of diversion rises by a rule of thumb",
    seen.PREMIUM: "one premium stands for all chips and months",
}
"""Why the model misses a series, as far as is known."""


def sentences(
    found: pl.DataFrame, scores: dict[str, float], learned: Sequence[tuple[str, float]], unsolved: Sequence[str]
) -> tuple[str, ...]:
    """All of it.

    Args:
        found: the hindcast table.
        scores: see `table.scores`.
        learned: parameters with the standard deviation of their score after the fit; before it is 1.
        unsolved: parameters and the end at which no world was found.
    """
    return (*_head(scores), *_losses(found), _pinned(learned), *_held(unsolved))


def _held(unsolved: Sequence[str]) -> Iterator[str]:
    if unsolved:
        yield f"Held at their central values, because the world has no answer at that end: {', '.join(unsolved)}."


def _head(scores: dict[str, float]) -> Iterator[str]:
    count, common = int(scores["figures judged"]), int(scores["figures all three forecast"])
    yield (
        f"On the {common} figures left for judgement that all three forecast the model is off by a factor of "
        f"{scores['typical factor, model']:.2f} (geometric mean), the last value by {scores['typical factor, last value']:.2f}, "
        f"a constant share by {scores['typical factor, constant share']:.2f}."
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
        beaten = [_lost(r, names) for r in rows.iter_rows(named=True) if (names := _closer(r))]
        if beaten:
            yield f"{series[:1].upper()}{series[1:]}: the model loses in {', '.join(beaten)}: {WHY[series]}."


def _lost(row: dict, names: Sequence[str]) -> str:
    told = f"{three(row['model'])} against {three(row['observed'])}"
    return f"{row['year']} ({told}; {' and '.join(names)} {'is' if len(names) == 1 else 'are'} closer)"


def _closer(row: dict) -> list[str]:
    pairs = (("the last value", "error_last"), ("a constant share", "error_constant"))
    return [name for name, column in pairs if row[column] is not None and row[column] < row["error"]]


def _pinned(learned: Sequence[tuple[str, float]]) -> str:
    narrowed = [f"{name} (to {ratio:.0%} of its prior's spread)" for name, ratio in learned if ratio < 0.8]
    rest = len(learned) - len(narrowed)
    if not narrowed:
        return f"The figures that set parameters narrow none of {len(learned)} priors by a fifth or more."
    told = f"The figures that set parameters narrow {len(narrowed)} of {len(learned)} priors by a fifth or more"
    return f"{told}: {', '.join(narrowed)}; {rest} stay much as they were."


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
        f"They know more than the priors along {strong.height} directions, mixtures of them: a figure tells of all that move it.",
    ]
    lines += [
        f"Direction {n}: {made} (spread {spread:.0%} of the prior's)." for n, _, spread, made in strong.iter_rows()
    ]
    return tuple(lines)
