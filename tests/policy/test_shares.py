"""Parts of products, against an array of every part over all products."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from backfill.policy.board import box
from backfill.policy.shares import PartShares

SHAPE = (3, 4, 2, 2)
Closing = tuple[str, list[bool], list[int], float]


@st.composite
def closings(draw) -> list[Closing]:
    one = st.tuples(
        st.sampled_from(["rare earths", "gallium", "software"]),
        st.lists(st.booleans(), min_size=3, max_size=3),
        st.lists(st.integers(0, 3), min_size=1, max_size=4, unique=True),
        st.sampled_from([0.0, 0.2, 0.5, 0.9]),
    )
    return draw(st.lists(one, max_size=6))


def written(closed: list[Closing]) -> tuple[PartShares, dict[str, np.ndarray]]:
    found, dense = PartShares(SHAPE), {}
    for part, when, products, share in closed:
        place = box(np.array(when), products, [0], [0, 1])
        shares = share * np.linspace(0.5, 1.0, len(products))[None, :, None, None]
        found.close(part, place, shares)
        mine = dense.setdefault(part, np.zeros(SHAPE))
        mine[place] = np.maximum(mine[place], shares)
    return found, dense


@given(closings(), st.lists(st.integers(0, 3), min_size=1, max_size=4, unique=True))
@settings(max_examples=150, deadline=None)
def test_parts_are_what_arrays_over_all_products_hold(closed: list[Closing], products: list[int]):
    found, dense = written(closed)
    total = sum(dense.values(), np.zeros(SHAPE))
    np.testing.assert_allclose(found.total(), total, atol=1e-15)
    whole = np.random.default_rng(1).uniform(size=SHAPE)
    every = box(np.ones(3, bool), products, [0, 1])
    for place in (..., every, box(np.ones(3, bool), products, [1], [0, 1]), np.s_[:, products, 0]):
        expected = 1 - (1 - whole[place]) * (1 - np.minimum(total[place], 1.0))
        np.testing.assert_allclose(found.beside(whole[place], place), expected, atol=1e-15)
    by_part = found.by_part(every)
    for part, shares in dense.items():
        np.testing.assert_array_equal(by_part.get(part, 0.0), shares[every] if part in by_part else 0.0)
        assert part in by_part or not shares[every].any()


@given(closings())
@settings(max_examples=30, deadline=None)
def test_copies_and_repeated_stretches_are_their_own(closed: list[Closing]):
    found, _ = written(closed)
    again = found.at(np.array([0, 1, 2, 0, 1, 2]))
    np.testing.assert_array_equal(again.total(), np.concatenate([found.total()] * 2))
    before, copied = found.total(), found.copy()
    copied.close("gallium", box(np.ones(3, bool), [2], [1], [1]), 0.7)
    np.testing.assert_array_equal(found.total(), before)
    assert copied.total()[:, 2, 1, 1].min() >= 0.7


def test_nothing_is_kept_of_what_closes_nothing():
    found = PartShares(SHAPE)
    found.close("gallium", box(np.ones(3, bool), [0, 1], [0], [0, 1]), np.array([0.0, 0.3]).reshape(1, 2, 1, 1))
    assert list(found.by_part(box(np.ones(3, bool), [0], [0], [1]))) == []
    whole = np.zeros((3, 1, 1, 1))
    place = box(np.ones(3, bool), [0], [0], [1])
    assert found.beside(whole, place) is whole
