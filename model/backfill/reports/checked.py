"""Checks in words: what was checked, how far off it is, and whether that is near enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """A check in words.

    Attributes:
        what: what should hold.
        found: how far off it is.
        passed: whether that is near enough; None where it is a count.
    """

    what: str
    found: str
    passed: bool | None

    @property
    def verdict(self) -> str:
        """In a word."""
        return {True: "passed", False: "not passed", None: "for information"}[self.passed]


RESIDUALS = {
    "walras": ("The market that is left over clears too, and incomes and spending of the world agree", 1e-8),
    "complementarity": ("A limit that is not reached earns no rent, and none is passed", 1e-6),
    "shares": ("What buyers spend on each good adds up over its sellers", 1e-8),
    "volume": ("No unit of compute is lost or made on its way", 1e-8),
    "leakage_sum": ("Compute denied and what comes back add up to what is closed off", 1e-8),
    "coupling_step": ("Another round of markets and suppliers changes nothing", 1e-6),
    "coupling_optimality": (
        "No builder of capacity would rather have built more or less at the prices that follow",
        1e-6,
    ),
    "shapley_sum": ("What players contribute adds up to what all contribute together", 1e-6),
    "optimality": ("No small change of the package is better", 1e-3),
    "limits_passed": ("No limit of the package is passed", 1e-3),
    "derivative_residual": ("The derivatives solve their equations", 1e-6),
}
"""By name: what should hold, and up to which residual it does."""

COUNTS = {
    "worlds": "Worlds solved",
    "unsolved": "Worlds that could not be solved",
    "derivatives": "Derivatives taken",
    "limits_undecided": "Limits of which it is undecided whether they bind",
}

CONVERGED = {
    "game": "Every world of the game is solved",
    "design": "The search ended where the optimality conditions hold and every limit is kept",
}


def checked(checks: Mapping[str, float], kind: str = "result") -> tuple[Check, ...]:
    """Checks of a result in words; one that is not known by name is told by its name.

    Args:
        checks: number by name, as ``checks.json`` has them.
        kind: ``result``, ``game`` or ``design``.
    """
    return tuple(_told(name, value, kind) for name, value in checks.items())


def _told(name: str, value: float, kind: str) -> Check:
    if name == "converged":
        what = CONVERGED.get(kind, "Every world is solved")
        return Check(what, "yes" if value == 1 else "no", value == 1)
    if name in RESIDUALS:
        what, most = RESIDUALS[name]
        return Check(what, f"off by {value:.0e} (at most {most:.0e})", value <= most)
    if name == "frontier_optimal":
        return Check(
            "The optimality conditions hold all along the frontier", f"at {value:.0%} of its points", value == 1
        )
    if name in COUNTS:
        return Check(COUNTS[name], f"{value:,.0f}", None if name != "unsolved" else value == 0)
    return Check(name.replace("_", " "), f"{value:.4g}", None)
