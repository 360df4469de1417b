"""Which principle of the Action Plan a measure serves."""

from __future__ import annotations

import pytest

from backfill.experiments.config import load_experiment
from backfill.experiments.groups import difference
from backfill.policy.kinds import kinds
from backfill.policy.policy import Policy
from backfill.policy.principles import ALIGN, ENFORCE, EXPORT, IN_FORCE, PLUG, PRINCIPLES, principle

SERVED = {
    EXPORT: {"export_promotion", "security_deal", "transit_permit"},
    ENFORCE: {"location_verification", "enforcement", "end_use_monitoring", "know_your_customer"},
    PLUG: {"servicing_control"},
    ALIGN: {
        "alignment", "foreign_direct_product_rule", "secondary_tariff", "research_protection", "procurement_ban",
    },
}  # fmt: skip


def test_every_kind_serves_the_principle_it_is_listed_under(vocabulary):
    for name, cls in kinds().items():
        if name == "export_control":
            continue
        wanted = next((one for one, listed in SERVED.items() if name in listed), IN_FORCE)
        assert principle(cls.model_construct(kind=name), vocabulary) == wanted, name


@pytest.mark.parametrize(
    ("products", "wanted"),
    [
        (["subsystems"], PLUG),
        (["tools_and_subsystems"], PLUG),
        (["lithography", "subsystems"], PLUG),
        (["us_accelerators"], IN_FORCE),
        (["hbm"], IN_FORCE),
        (["subsystems", "hbm"], IN_FORCE),
        (["all"], IN_FORCE),
        (["minerals"], IN_FORCE),
    ],
)
def test_an_export_control_serves_by_what_it_controls(products: list[str], wanted: str, vocabulary):
    measure = kinds()["export_control"].model_validate(
        {"kind": "export_control", "by": "USA", "products": products, "destinations": "CHN"},
        context={"vocabulary": vocabulary},
    )
    assert principle(measure, vocabulary) == wanted


def test_the_action_plan_falls_into_its_four_parts_over_the_controls_in_force(vocabulary):
    plan = load_experiment("action-plan")
    found = difference(plan.policy, Policy(), "no-controls", "principle", vocabulary)
    assert tuple(group.name for group in found.groups) == PRINCIPLES
    labels = {group.name: set(group.labels) for group in found.groups}
    assert labels[EXPORT] == {"Full-stack packages"}
    assert labels[ENFORCE] == {"Location verification", "End-use monitoring", "Checks"}
    assert labels[PLUG] == {"Subsystems and tools, country-wide", "Servicing"}
    assert len(labels[ALIGN]) == 3
    current = load_experiment("current-policy")
    assert labels[IN_FORCE] == {placed.label for placed in current.policy.placed}
