"""From which worlds a world of a game starts: what players do is taken to add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backfill.experiments.align.coupled import Share
from backfill.experiments.vintages import Vintages
from backfill.games.payoffs import Profile


def layers(profiles: Sequence[Profile], today: Profile) -> list[list[Profile]]:
    """Profiles by how many players have left today's level, fewest first."""
    counts = [len(_moved(profile, today)) for profile in profiles]
    return [[p for p, n in zip(profiles, counts, strict=True) if n == count] for count in sorted(set(counts))]


def parallelogram(profile: Profile, today: Profile) -> list[tuple[float, Profile]]:
    """Shares of profiles with fewer players who have left today's level, exact where the last two of them do not interact.

    ``x(a, b) = x(a, 0) + x(0, b) - x(0, 0)``; today's where only one has left; nothing today.
    """
    moved = _moved(profile, today)
    if len(moved) < 2:
        return [(1.0, today)] if moved else []
    one, other = moved[-2:]

    def without(*players: int) -> Profile:
        return tuple(today[n] if n in players else at for n, at in enumerate(profile))

    return [(1.0, without(one)), (1.0, without(other)), (-1.0, without(one, other))]


def start(
    profile: Profile, today: Profile, solved: Mapping[Profile, Vintages], base: Mapping[Profile, Vintages]
) -> list[Share]:
    """Where the world of a profile starts, by shares of worlds that are solved; nowhere if none serves.

    Args:
        profile, today: profiles.
        solved: policies of worlds like this one, at other profiles.
        base: policies of other worlds, at the same profiles: only what these worlds do beside them is taken to add up.
    """
    parts = parallelogram(profile, today)
    added = [(share, solved, other) for share, other in parts]
    if base:
        added += [(1.0, base, profile), *((-share, base, other) for share, other in parts)]
    for choice in (added, [(1.0, base, profile)], [(1.0, solved, today)]):
        if all(other in known for _, known, other in choice):
            return [(share, known[other]) for share, known, other in choice]
    return []


def _moved(profile: Profile, today: Profile) -> list[int]:
    return [n for n, (at, before) in enumerate(zip(profile, today, strict=True)) if at != before]
