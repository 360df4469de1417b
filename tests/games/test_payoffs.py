"""Pay-offs: parts add up to the equation; levels and profiles have names."""

from __future__ import annotations

import numpy as np
import pytest

from backfill.games.payoffs import PARTS, Game, payoffs

GAME = Game(("NLD", "JPN"), (0.0, 0.5, 1.0), (0, 0), (2, 2))


def test_parts_add_up_to_the_equation():
    random = np.random.default_rng(0)
    unanswered, peaceful, threatened = random.normal(size=(3, 2, 3, 3))
    denied, security, offer, c = random.normal(size=(3, 3)), np.array([0.1, 0.2]), np.array([0.3, 0.0]), 0.4
    made = payoffs(
        GAME,
        unanswered=unanswered,
        peaceful=peaceful,
        threatened=threatened,
        denied=denied,
        credibility=c,
        security=security,
        offer=offer,
    )
    assert made.parts.shape == (len(PARTS), 2, 3, 3)
    for profile in GAME.profiles():
        for i in (0, 1):
            at = (i, *profile)
            wanted = (1 - c) * peaceful[at] + c * threatened[at] + security[i] * denied[profile]
            wanted += offer[i] * (profile[i] == 2)
            assert made.total[at] == pytest.approx(wanted)
    assert made.unsolved == ()


def test_a_world_without_a_solution_makes_its_profile_unknown():
    peaceful = np.zeros((2, 3, 3))
    threatened = peaceful.copy()
    threatened[1, 0, 2] = np.nan
    nothing = np.zeros(2)
    made = payoffs(
        GAME, unanswered=peaceful, peaceful=peaceful, threatened=threatened, denied=np.zeros((3, 3)), credibility=0.5,
        security=nothing, offer=nothing,
    )  # fmt: skip
    assert made.unsolved == ((0, 2),)


def test_names_and_who_is_unaligned():
    assert GAME.name((2, 1)) == "NLD 1, JPN 0.5"
    assert GAME.unaligned((2, 1)) == (1,)
    assert len(list(GAME.profiles())) == 9


@pytest.mark.parametrize(
    ("players", "levels", "asked"),
    [(("A",), (0.0, 1.0), (2,)), (("A",), (1.0, 0.0), (1,)), (("A", "B"), (0.0, 1.0), (1,))],
)
def test_what_makes_no_game(players, levels, asked):
    with pytest.raises(ValueError, match=r"level|need"):
        Game(players, levels, (0,) * len(asked), asked)
