"""What sets a policy apart from its reference, and the policies between the two."""

from __future__ import annotations

import dataclasses

import pytest

from backfill.experiments.groups import difference
from backfill.policy.measures.alignment import Alignment
from backfill.policy.measures.export_control import ExportControl
from backfill.policy.measures.tariff import Tariff
from backfill.policy.policy import Placed, Policy
from backfill.policy.principles import ALIGN, IN_FORCE
from tests.effects.hand_made import VOCABULARY


def control(products: str, name: str, coverage: float = 0.5, **more: object) -> ExportControl:
    return ExportControl.model_validate(
        {"by": "USA", "products": products, "destinations": "CHN", "coverage": coverage, "name": name, **more}
    )


CHIPS, TOOLS = control("frontier", "chips"), control("lithography", "tools")
DUTY = Tariff.model_validate(
    {"by": "USA", "origins": "CHN", "products": "ascend", "rate": 0.5, "name": "duty"}
)  # fmt: skip
ALIGNED = Alignment.model_validate(
    {"region": "KOR", "with": "USA", "products": "lithography", "level": 1.0, "name": "korea"}
)


def labels(policy: Policy) -> set[str]:
    return {placed.label for placed in policy.placed}


@pytest.mark.parametrize("by", ["principle", "kind", "measure"])
def test_from_nothing_to_everything(by):
    reference, policy = Policy.of([CHIPS, DUTY]), Policy.of([CHIPS, TOOLS, ALIGNED])
    apart = difference(policy, reference, "base", by, VOCABULARY)
    assert labels(apart.policy([])) == labels(reference)
    assert labels(apart.policy(range(len(apart.groups)))) == labels(policy)
    assert [placed.label for placed in apart.shared] == ["chips"]


def test_single_groups_come_and_go_alone():
    apart = difference(Policy.of([CHIPS, TOOLS]), Policy.of([CHIPS, DUTY]), "base", "measure", VOCABULARY)
    assert [group.name for group in apart.groups] == ["tools", "without duty"]
    assert labels(apart.policy([0])) == {"chips", "tools", "duty"}
    assert labels(apart.policy([1])) == {"chips"}
    assert apart.groups[1].labels == ("without duty",)


def test_a_group_replaces_what_the_reference_has_of_it():
    weaker = control("frontier", "chips", 0.2)
    apart = difference(Policy.of([CHIPS]), Policy.of([weaker]), "base", "kind", VOCABULARY)
    (group,) = apart.groups
    assert (group.added[0].measure, group.lifted[0].measure) == (CHIPS, weaker)
    assert [placed.measure for placed in apart.policy([]).placed] == [weaker]
    assert [placed.measure for placed in apart.policy([0]).placed] == [CHIPS]


def test_what_a_measure_is_called_and_where_it_came_from_sets_nothing_apart():
    renamed = CHIPS.model_copy(update={"name": "other", "source": "elsewhere", "included_from": "base"})
    assert difference(Policy.of([renamed]), Policy.of([CHIPS]), "base", "principle", VOCABULARY).groups == ()
    twice = Policy((Placed(CHIPS, key="a"), Placed(renamed, key="b")))
    (group,) = difference(twice, Policy.of([CHIPS]), "base", "measure", VOCABULARY).groups
    assert group.added[0].measure == renamed


def test_what_current_policy_holds_is_in_force_whatever_its_kind():
    included = Placed(ALIGNED.model_copy(update={"included_from": "current-policy > korea"}))
    typed = Placed(ALIGNED.model_copy(update={"level": 0.5, "name": "half"}))
    (force,) = difference(Policy((included,)), Policy(), "no-controls", "principle", VOCABULARY).groups
    assert force.name == IN_FORCE
    (align,) = difference(Policy((typed,)), Policy(), "no-controls", "principle", VOCABULARY).groups
    assert align.name == ALIGN
    lifted = difference(Policy(), Policy((dataclasses.replace(included),)), "current-policy", "principle", VOCABULARY)
    assert lifted.groups[0].name == IN_FORCE
