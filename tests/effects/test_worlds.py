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
    needed = worlds_needed("both", {0: closing(NONE, TOOLS, CHIPS)}, {"no-controls": {0: NONE}}, VOCABULARY)
    assert len(needed.wedges) == 3
    downstream = needed.wedges[needed.position[downstream_name("no-controls")]]
    assert downstream.coverage[(1, *at(*TOOLS))] == 0
    assert downstream.coverage[(1, *at(*CHIPS))] == 0.8


def test_one_kind_takes_two():
    only_tools = worlds_needed("tools", {0: closing(NONE, TOOLS)}, {"no-controls": {0: NONE}}, VOCABULARY)
    assert len(only_tools.wedges) == 2
    assert only_tools.position[downstream_name("no-controls")] == only_tools.position["no-controls"]
    only_chips = worlds_needed("chips", {0: closing(NONE, CHIPS)}, {"no-controls": {0: NONE}}, VOCABULARY)
    assert only_chips.position[downstream_name("no-controls")] == only_chips.position["chips"]


def test_second_reference_keeps_its_own_upstream_measures():
    current = closing(NONE, TOOLS, CHIPS)
    allied = closing(current, ("lithography", "KOR", "CHN"))
    needed = worlds_needed("allied", {0: allied}, {"no-controls": {0: NONE}, "current-policy": {0: current}}, VOCABULARY)
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
    assert len(batch({"none": {0: NONE}, "idle": {0: idle}}).wedges) == 1
    assert len(batch({"none": {0: NONE}, "acting": {0: acting}}).wedges) == 2


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
    references = {"no-controls": {0: NONE}, "current-policy": {0: current}}
    needed = worlds_needed("allied", {0: current, 1: allied}, references, VOCABULARY)
    place = needed.position
    # without upstream measures there is nothing new in it, so that it departs from nothing
    assert needed.departs == {place["allied"]: (place["current-policy"], 1)}
    assert len(needed.wedges) == 4


def test_without_upstream_measures_the_past_has_none_either():
    current = closing(NONE, TOOLS)
    wider = closing(current, TOOLS, CHIPS, coverage=0.9)
    needed = worlds_needed("wider", {0: current, 1: wider}, {"no-controls": {0: NONE}}, VOCABULARY)
    place = needed.position
    assert needed.departs[place[downstream_name("no-controls")]] == (place["no-controls"], 1)
    (before,) = set(range(len(needed.wedges))) - set(place.values())
    assert needed.departs[place["wider"]] == (before, 1)
    assert needed.wedges[before].coverage[(1, *at(*TOOLS))] == 0.8


def test_a_reference_that_learns_is_shared_as_far_as_it_is_the_same():
    first, second, third = NONE, closing(NONE, CHIPS), closing(NONE, CHIPS, TOOLS)
    needed = batch({"reference": {0: first, 1: second}, "policy": {0: first, 1: second, 2: third}, "seen": {0: second}})
    assert needed.position == {"reference": 1, "policy": 2, "seen": 3}
    assert needed.departs == {1: (0, 1), 2: (1, 2)}


def test_news_that_change_nothing_are_no_news():
    closed = closing(NONE, CHIPS)
    close = dataclasses.replace(closed, coverage=closed.coverage + 1e-15)
    assert batch({"policy": {0: closed, 1: close, 2: closed}}).departs == {}
