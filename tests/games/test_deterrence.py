"""Deterring tariffs against a closed form, where there is none, and where higher ones deter less."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backfill.games.deterrence import Execution, Verdict, deterring, deterring_offer, thumb

RATES = np.linspace(0, 2, 2001)


@given(st.floats(1e-4, 5e-3), st.floats(0.1, 1.0), st.floats(0.01, 0.1))
def test_closed_form_of_a_loss_that_saturates(cost, credibility, exports):
    """Aligning costs ``g``, the tariff ``c psi x t/(1+t)``: ``t* = g / (c psi x - g)``, and none if that is not below the cap."""
    gain = np.array([[-cost + credibility * thumb(exports, rate)] for rate in RATES])
    found = deterring(RATES, gain)
    full = credibility * thumb(exports, 1.0) * 2
    wanted = cost / (full - cost) if full > cost else np.inf
    if wanted < 1.999:
        assert found.rate == pytest.approx(wanted, abs=1e-3)
        assert found.monotone
    elif wanted > 2.001:
        assert found.rate is None or found.margin.max() >= -1e-7


def test_no_tariff_is_needed_where_aligning_is_best_anyway():
    assert deterring(np.array([0.0, 1.0]), np.array([[0.1, 0.2], [0.3, 0.4]])).rate == 0


def test_the_worst_alternative_decides_and_the_rate_is_linear_between():
    gain = np.array([[-1.0, -3.0], [1.0, 1.0]])
    assert deterring(np.array([0.0, 0.4]), gain).rate == pytest.approx(0.3)


def test_a_higher_tariff_may_deter_less_and_it_says_so():
    found = deterring(np.array([0.0, 0.5, 1.0]), np.array([[-1.0], [1.0], [-1.0]]))
    assert found.rate == pytest.approx(0.25)
    assert not found.monotone


def test_none_is_an_answer():
    found = deterring(np.array([0.0, 0.5, 1.0]), np.array([[-1.0], [-0.4], [-0.2]]))
    assert found.rate is None


@pytest.mark.parametrize(("slopes", "flat"), [((1.0, 1.0, 0.9), False), ((1.0, 0.5, 0.2), True), ((-1.0, 0.0, 0.0), False)])
def test_a_curve_saturates_only_where_it_is_flat_at_the_end(slopes, flat):
    """A cap that is too low is another matter."""
    margin = np.cumsum([-9.0, *slopes])
    assert deterring(np.array([0.0, 1.0, 2.0, 3.0]), margin[:, None]).saturates is flat


@pytest.mark.parametrize("gain", [np.array([[np.nan], [1.0]]), np.array([[0.0], [np.nan]])])
def test_what_is_not_known_gives_no_answer(gain):
    with pytest.raises(ValueError, match="not known"):
        deterring(np.array([0.0, 1.0]), gain)


def test_rates_rise():
    with pytest.raises(ValueError, match="rise"):
        deterring(np.array([0.0, 0.0]), np.zeros((2, 1)))


def test_offers_make_up_for_the_best_alternative():
    assert deterring_offer(np.array([-0.2, 0.1, -0.5])) == pytest.approx(0.5)
    assert deterring_offer(np.array([0.2, 0.1])) == 0


@pytest.mark.parametrize(
    ("change", "trade", "verdict"),
    [
        (0.3, 0.1, Verdict.PAYS),
        (0.3, 0.4, Verdict.TERMS_OF_TRADE),
        (-0.1, 0.2, Verdict.COSTS),
        (0.1, -0.2, Verdict.PAYS),
    ],
)
def test_verdicts_on_the_threat(change, trade, verdict):
    """Losses of terms of trade count, gains do not."""
    assert Execution(change, trade).verdict is verdict
