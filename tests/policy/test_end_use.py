"""Controls of tools confined to builders of advanced capacity."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from backfill.dimensions import Vocabulary, periods
from backfill.economy.economy import DIRECT, Leaf, Structure
from backfill.policy.compile import compile_policy
from backfill.policy.kinds import kinds
from backfill.policy.policy import Policy, parse_measures
from backfill.policy.wedges import Wedges
from backfill.trade.barriers import access_to, builder_classes, lanes

TOOLS = ("lithography", "deposition_etch")
NAMES = Vocabulary(
    regions=("USA", "JPN", "CHN"),
    bloc={"USA": "us", "JPN": "ally", "CHN": "adversary"},
    hubs=(),
    products=("subsystems", *TOOLS, "logic_advanced", "logic_mature", "other_goods", "accelerators_frontier"),
    groups={"tools": TOOLS, "tools_and_subsystems": (*TOOLS, "subsystems"), "upstream": (*TOOLS, "subsystems")},
)
SHAPE = Structure(
    vocabulary=NAMES,
    products=NAMES.products[:-1],
    core=0,
    levels=((0, len(NAMES.products) - 1),),
    makers=(("accelerators_frontier", "USA"),),
    families=("us",),
    leaves=(Leaf(0, 2, 2, DIRECT),),
    hubs=(),
    nodes=(("logic_advanced", "CHN"), ("logic_mature", "CHN"), ("logic_advanced", "USA")),
    owners=("CHN", "CHN", "USA"),
    tools=(1, 2),
)
YEARS = periods(2024, 2025)


def measure(kind: str, **fields: object):
    return kinds()[kind].model_validate({"kind": kind, "from": dt.date(2024, 1, 1), **fields})


def control(coverage: float, by: str = "USA", **fields: object):
    given = {"by": by, "products": "tools", "destinations": "CHN", "coverage": coverage, **fields}
    return measure("export_control", **given)


def wedges(*measures: object) -> Wedges:
    return compile_policy(Policy.of(measures), NAMES, YEARS, inert_allowed=True)


def shares(policy: Wedges) -> dict[tuple[str, str], dict[str, float]]:
    """Open tool sources of each capacity's builders in 2024, and their share: ``{node: {sources: share}}``."""
    barriers = lanes(SHAPE, [policy])
    found = {}
    for n, node in enumerate(SHAPE.nodes):
        place = SHAPE.region(node[1])
        split: dict[str, float] = {}
        for c, share in enumerate(barriers.builder_share[0, :, n]):
            if share > 0:
                access = access_to(SHAPE, barriers, SHAPE.tools)[0, :, c, :, place].astype(bool)
                label = "; ".join(",".join(np.array(NAMES.regions)[row]) for row in access)
                split[label] = split.get(label, 0.0) + round(float(share), 12)
        found[node] = split
    return found


FULL = "USA,JPN,CHN; USA,JPN,CHN"
WITHOUT_US = "JPN,CHN; JPN,CHN"
ADVANCED, MATURE, ABROAD = SHAPE.nodes


def test_an_advanced_control_reaches_builders_of_advanced_capacity_only():
    found = shares(wedges(control(0.6, end_use="advanced")))
    assert found[ADVANCED] == pytest.approx({FULL: 0.4, WITHOUT_US: 0.6})
    assert found[MATURE] == found[ABROAD] == {FULL: 1.0}


def test_builders_of_advanced_capacity_face_the_larger_of_both():
    found = shares(wedges(control(0.6, end_use="advanced"), control(0.3)))
    assert found[ADVANCED] == pytest.approx({FULL: 0.4, WITHOUT_US: 0.6})
    assert found[MATURE] == pytest.approx({FULL: 0.7, WITHOUT_US: 0.3})
    assert shares(wedges(control(0.6, end_use="advanced"), control(0.8)))[ADVANCED] == shares(wedges(control(0.8)))[MATURE]


def test_a_control_on_one_type_of_tool_splits_builders_who_need_all():
    found = shares(wedges(control(0.5, products="lithography", end_use="advanced"), control(0.2, by="JPN")))
    assert found[ADVANCED] == pytest.approx({FULL: 0.5, "JPN,CHN; USA,JPN,CHN": 0.3, "CHN; USA,CHN": 0.2})
    assert found[MATURE] == pytest.approx({FULL: 0.8, "USA,CHN; USA,CHN": 0.2})


def test_classes_grow_only_where_the_two_coverages_differ():
    """Three classes for two distinct coverages, as without an end use; a fourth where mature builders lack another set."""
    same = lanes(SHAPE, [wedges(control(0.8), control(0.4, by="JPN"))])
    assert same.share.shape[2] == same.builder_share.shape[1] == 3
    scoped = lanes(SHAPE, [wedges(control(0.8, end_use="advanced"), control(0.4, by="JPN", end_use="advanced"))])
    assert scoped.builder_share.shape[1] == 3
    other = lanes(SHAPE, [wedges(control(0.8), control(0.3), control(0.9, by="JPN", end_use="advanced"))])
    assert other.builder_share.shape[1] == 4


def test_builders_shares_sum_to_one_and_class_zero_has_every_source():
    rng = np.random.default_rng(3)
    for _ in range(20):
        general, advanced = rng.choice([0.0, 0.2, 0.5, 1.0], (2, 6, 3))
        open_, share = builder_classes(SHAPE, general, np.maximum(general, advanced))
        np.testing.assert_allclose(share.sum(0), 1.0, atol=1e-12)
        assert (open_[0] == 1).all()
        for n, coverage in ((0, np.maximum(general, advanced)), (1, general)):
            denied = (share[:, n, None] * (1 - open_[:, :, 2])).sum(0)
            np.testing.assert_allclose(denied, coverage[:, 2], atol=1e-12)


def test_an_ally_adopts_the_end_use_too():
    align = measure("alignment", region="JPN", products="tools", level=0.5)
    found = shares(wedges(control(0.8, end_use="advanced"), align))
    assert found[ADVANCED] == pytest.approx({FULL: 0.2, WITHOUT_US: 0.4, "CHN; CHN": 0.4})
    assert found[MATURE] == {FULL: 1.0}


def test_an_advanced_control_does_not_count_as_aligned_with_a_country_wide_one():
    def due(*measures: object) -> bool:
        threat = measure(
            "secondary_tariff", by="USA", targets="JPN", rate=0.25, trigger={"alignment_below": 1.0, "products": ("tools",)}
        )
        return bool(wedges(*measures, threat).tariff.any())

    assert due(control(0.8), control(0.8, by="JPN", end_use="advanced"))
    assert not due(control(0.8), control(0.8, by="JPN"))
    assert not due(control(0.8, end_use="advanced"), control(0.8, by="JPN", end_use="advanced"))


@pytest.mark.parametrize(
    ("fields", "remedy"),
    [
        ({"products": "other_goods"}, "is for tools only (lithography, deposition_etch)"),
        ({"products": "tools_and_subsystems"}, "give subsystems a measure"),
        ({"licence": {"cap": 1.0, "unit": "USD"}}, "a cap counts every sale; leave end_use out"),
    ],
)
@pytest.mark.parametrize("end_use", ["all", "advanced"])
def test_an_end_use_is_for_denials_of_tools(fields: dict, remedy: str, end_use: str):
    table = {"kind": "export_control", "by": "USA", "products": "tools", "destinations": "CHN", "end_use": end_use, **fields}
    _, (fault,) = parse_measures([table], "mine.toml", NAMES)
    assert fault.key == "measures[1].end_use"
    assert remedy in str(fault)


def test_a_misspelt_end_use_is_told_the_two():
    table = {"kind": "export_control", "by": "USA", "products": "tools", "destinations": "CHN", "end_use": "advancd"}
    _, (fault,) = parse_measures([table], "mine.toml", NAMES)
    assert fault.key == "measures[1].end_use"
    assert "advanced" in str(fault)
