"""Quality units, volumes and shares of accelerators."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backfill.economy.compile import accelerators
from backfill.economy.compile.sources import Sources, read_sources


@pytest.fixture(scope="module")
def sources(repository: Path) -> Sources:
    return read_sources(repository / "data" / "sources")


def test_quality_is_the_weighted_product_of_operations_and_bandwidth(sources: Sources):
    q = accelerators.quality(sources)
    assert q["H100"] == 1.0
    assert q["H20"] == pytest.approx((296 / 1979) ** 0.6 * (4.0 / 3.35) ** 0.4)
    assert q["H20"] == pytest.approx(0.34, abs=0.005)
    assert q["B200"] == pytest.approx(2.47, abs=0.005)


def test_volumes_are_units_times_quality(sources: Sources):
    world, _ = accelerators.volumes(sources)
    sold = sources.rows("chip_units", period="2022")
    q = accelerators.quality(sources)
    listed = sum(units * q[chip] for chip, units in sold.select("product", "value").iter_rows())
    assert world[0] == pytest.approx(listed * 1.05)
    assert world[3] / world[0] > 25
    assert world[4] / world[3] == pytest.approx(1.75)
    assert (np.diff(world) > 0).all()


def test_users_add_up_to_what_is_made(sources: Sources):
    use = accelerators.compute_use(sources)
    for year, world in zip(accelerators.YEARS, accelerators.volumes(sources)[0], strict=True):
        direct = sum(
            u.kh100e for u in use if u.year == year and u.channel == "direct" and u.product != accelerators.ADVERSARY
        )
        assert direct == pytest.approx(world, rel=1e-9)


def test_the_share_before_the_rules_is_of_what_is_for_sale(sources: Sources):
    """What Google and Amazon keep for themselves grows from 5% to 27% of US design; no share of it is China's."""
    world, sale = accelerators.volumes(sources)
    kept = 1 - sale / world
    assert kept[0] == pytest.approx(0.0518, abs=5e-4)
    assert kept[3] == pytest.approx(0.2715, abs=5e-4)
    np.testing.assert_allclose(kept[4:], kept[3])
    use = accelerators.compute_use(sources)
    for year, share, n in ((2022, 0.225, 0), (2025, 0.21, 3), (2030, 0.17, 8)):
        bought = sum(
            u.kh100e
            for u in use
            if u.year == year and u.user == "CHN" and u.channel == "direct" and u.product != accelerators.ADVERSARY
        )
        assert bought == pytest.approx(share * sale[n], rel=1e-9)


def test_own_designs_grow_in_china_and_stay_small_elsewhere(sources: Sources):
    use = accelerators.compute_use(sources)

    def share(user: str, year: int) -> float:
        mine = [u for u in use if u.user == user and u.year == year and u.channel == "direct"]
        return sum(u.kh100e for u in mine if u.product == accelerators.ADVERSARY) / sum(u.kh100e for u in mine)

    assert share("CHN", 2022) == pytest.approx(0.08)
    assert share("CHN", 2030) == pytest.approx(0.20)
    assert all(share(user, 2030) <= 0.01 for user in ("RUS", "GLF", "MYS", "ASE", "ROW"))
    assert share("USA", 2030) == 0
