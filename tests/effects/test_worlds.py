"""Which worlds a run solves, and which routes count as controlled."""

from __future__ import annotations

import dataclasses

import numpy as np

from backfill.experiments.run import downstream_name, worlds_needed
from backfill.experiments.worlds import batch, routes_under_control, without_upstream
from backfill.policy.wedges import Limit, Wedges
from tests.effects.hand_made import PERIODS, VOCABULARY

NONE = Wedges.none(VOCABULARY, PERIODS)


def at(product: str, origin: str, destination: str) -> tuple[int, int, int]:
    return (VOCABULARY.products.index(product), VOCABULARY.regions.index(origin), VOCABULARY.regions.index(destination))


def closing(base: Wedges, *flows: tuple[str, str, str], coverage: float = 0.8) -> Wedges:
    closed = base.coverage.copy()
    for flow in flows:
        closed[(1, *at(*flow))] = coverage
    return dataclasses.replace(base, coverage=closed)


def quota(*entries: tuple[str, str, str, float], quantity: float = 5.0, side: str = "exporter") -> Limit:
    return Limit("quota", "USA", side, entries, np.array([np.inf, quantity]), "thousand H100e")


TOOLS = ("lithography", "USA", "CHN")
CHIPS = ("frontier", "USA", "CHN")


def test_both_kinds_take_three_worlds():
    needed = worlds_needed("both", closing(NONE, TOOLS, CHIPS), {"no-controls": NONE}, VOCABULARY)
    assert len(needed.wedges) == 3
    downstream = needed.wedges[needed.position[downstream_name("no-controls")]]
    assert downstream.coverage[(1, *at(*TOOLS))] == 0
    assert downstream.coverage[(1, *at(*CHIPS))] == 0.8


def test_one_kind_takes_two():
    only_tools = worlds_needed("tools", closing(NONE, TOOLS), {"no-controls": NONE}, VOCABULARY)
    assert len(only_tools.wedges) == 2
    assert only_tools.position[downstream_name("no-controls")] == only_tools.position["no-controls"]
    only_chips = worlds_needed("chips", closing(NONE, CHIPS), {"no-controls": NONE}, VOCABULARY)
    assert only_chips.position[downstream_name("no-controls")] == only_chips.position["chips"]


def test_second_reference_keeps_its_own_upstream_measures():
    current = closing(NONE, TOOLS, CHIPS)
    allied = closing(current, ("lithography", "KOR", "CHN"))
    needed = worlds_needed("allied", allied, {"no-controls": NONE, "current-policy": current}, VOCABULARY)
    assert needed.position[downstream_name("current-policy")] == needed.position["current-policy"]
    assert len(needed.wedges) == 4


def test_controls_elsewhere_and_tariffs_stay():
    tariff = NONE.tariff.copy()
    tariff[(1, *at("lithography", "KOR", "USA"))] = 0.25
    policy = dataclasses.replace(closing(NONE, TOOLS, ("lithography", "CHN", "USA")), tariff=tariff)
    downstream = without_upstream(policy, NONE, VOCABULARY)
    assert downstream.coverage[(1, *at("lithography", "CHN", "USA"))] == 0.8
    assert (downstream.tariff == tariff).all()
    assert policy.coverage[(1, *at(*TOOLS))] == 0.8  # the policy itself is untouched


def test_a_control_of_advanced_builders_is_an_upstream_measure_and_a_controlled_route():
    advanced = np.zeros_like(NONE.coverage)
    advanced[(1, *at(*TOOLS))] = 0.6
    policy = dataclasses.replace(NONE, advanced=advanced)
    assert not without_upstream(policy, NONE, VOCABULARY).advanced.any()
    assert routes_under_control(VOCABULARY, policy).height == routes_under_control(VOCABULARY, closing(NONE, TOOLS)).height == 1


def test_limits_are_split_by_what_they_count():
    policy = dataclasses.replace(NONE, limits=(quota((*TOOLS, 1.0), (*CHIPS, 1.0)),))
    downstream = without_upstream(policy, NONE, VOCABULARY)
    assert [limit.entries for limit in downstream.limits] == [((*CHIPS, 1.0),)]


def test_a_limit_never_in_force_does_not_act():
    idle = dataclasses.replace(NONE, limits=(quota((*CHIPS, 1.0), quantity=np.inf),))
    acting = dataclasses.replace(NONE, limits=(quota((*CHIPS, 1.0)),))
    assert len(batch({"none": NONE, "idle": idle}).wedges) == 1
    assert len(batch({"none": NONE, "acting": acting}).wedges) == 2


def test_controlled_routes():
    restraint = quota((*CHIPS, 1.0), side="importer")
    levy = NONE.levy.copy()
    levy[(1, *at("ascend", "USA", "CHN"))] = 0.15
    policy = dataclasses.replace(closing(NONE, TOOLS), levy=levy, limits=(restraint,))
    assert routes_under_control(VOCABULARY, NONE).is_empty()
    assert routes_under_control(VOCABULARY, NONE, policy).rows() == [
        ("ascend", "USA", "CHN", "direct"),
        ("lithography", "USA", "CHN", "direct"),
    ]
    licence = dataclasses.replace(NONE, limits=(quota((*CHIPS, 1.0)),))
    assert routes_under_control(VOCABULARY, licence).rows() == [(*CHIPS, "direct")]


def test_a_policy_announced_later_departs_from_what_was_there():
    current = closing(NONE, TOOLS, CHIPS)
    allied = closing(current, ("lithography", "KOR", "CHN"))
    references = {"no-controls": NONE, "current-policy": current}
    needed = worlds_needed("allied", allied, references, VOCABULARY, past=current)
    at = needed.position
    # without upstream measures there is nothing new in it, so that it departs from nothing
    assert at[downstream_name("no-controls")] == at["before " + downstream_name("no-controls")]
    assert needed.groups() == [(None, [0, 1, 3]), (at["current-policy"], [at["allied"]])]


def test_without_upstream_measures_the_past_has_none_either():
    current = closing(NONE, TOOLS)
    wider = closing(current, TOOLS, CHIPS, coverage=0.9)
    needed = worlds_needed("wider", wider, {"no-controls": NONE}, VOCABULARY, past=current)
    downstream = needed.position[downstream_name("no-controls")]
    assert needed.departs[downstream] == needed.position["no-controls"]
    assert needed.departs[needed.position["wider"]] == needed.position["before wider"]
    solved = {place for _, places in needed.groups() for place in places}
    assert solved == set(range(len(needed.wedges)))


def test_a_reference_is_never_made_to_depart():
    needed = worlds_needed("same", NONE, {"no-controls": NONE}, VOCABULARY, past=closing(NONE, CHIPS))
    assert needed.position["no-controls"] not in needed.departs
