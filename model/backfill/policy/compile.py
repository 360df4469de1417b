"""From a policy to the wedges and limits the markets see."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import takewhile

from backfill.dimensions import Period, Vocabulary
from backfill.errors import Faults, UserError
from backfill.policy.averages import gathered
from backfill.policy.board import Board, FlowExists
from backfill.policy.contradictions import Contradiction, contradictions
from backfill.policy.facts import Facts
from backfill.policy.inert import inert_measures
from backfill.policy.parts import more_than_whole
from backfill.policy.policy import Placed, Policy
from backfill.policy.prices import without_price
from backfill.policy.superseding import acting, in_force
from backfill.policy.wedges import Wedges
from backfill.policy.writing import board_of, empty_board, existing_flows, stretches, written


def compile_policy(
    policy: Policy,
    vocabulary: Vocabulary,
    periods: tuple[Period, ...],
    *,
    flow_exists: FlowExists | None = None,
    facts: Facts | None = None,
    inert_allowed: bool = False,
) -> Wedges:
    """Wedges and limits of a policy by period.

    Time is cut at every date the policy names; each stretch has the measures in force in it, and a period is the average of
    its stretches by days: a control with coverage ``phi`` in force for the fraction ``f`` closes ``phi f``, a tariff is
    ``rate f``. Controls in force together count as the widest, tariffs and levies add, detection budgets multiply. A cap is
    whole in periods of which at least half the days are in force and absent in others.

    Args:
        policy: the measures.
        vocabulary: regions and products, in array order.
        periods: periods of the model.
        flow_exists: whether the benchmark has a flow (product, origin, destination); None takes all as possible.
        facts: what measures ask of the benchmark, e.g. whose technology a product contains; None where there is none.
        inert_allowed: let measures change nothing, as where a sweep or a game sets their level (see `inert_measures`).

    Raises:
        Faults: measures typed in the policy's own file that change nothing, and measures that contradict one another.
    """
    if not inert_allowed:
        check_policy(policy, vocabulary, periods, flow_exists=flow_exists, facts=facts)
    return gathered(written(empty_board(policy, vocabulary, periods, flow_exists, facts), acting(policy.placed)))


def compile_policies(
    policies: Sequence[Policy],
    vocabulary: Vocabulary,
    periods: tuple[Period, ...],
    *,
    flow_exists: FlowExists | None = None,
    facts: Facts | None = None,
) -> list[Wedges]:
    """What `compile_policy` makes of each with ``inert_allowed``; measures that all act first on are written once.

    Policies cut by the same dates share the longest beginning that they have in common, in the order in which measures act.
    """
    exists = None if flow_exists is None else existing_flows(vocabulary, flow_exists)
    cut: dict[tuple[dt.date, ...], list[int]] = {}
    times = [stretches(policy, periods) for policy in policies]
    for n, time in enumerate(times):
        cut.setdefault(time.begins, []).append(n)
    found: dict[int, Wedges] = {}
    for places in cut.values():
        writing = {n: acting(policies[n].placed) for n in places}
        shared = _beginning(list(writing.values()))
        board = written(Board(vocabulary, times[places[0]], exists, facts), shared)
        for n, placed in writing.items():
            found[n] = gathered(written(board.copy(), placed[len(shared) :]))
    return [found[n] for n in range(len(policies))]


def check_policy(
    policy: Policy,
    vocabulary: Vocabulary,
    periods: tuple[Period, ...],
    *,
    flow_exists: FlowExists | None = None,
    facts: Facts | None = None,
) -> None:
    """What `compile_policy` refuses, without its wedges.

    Raises:
        Faults: measures typed in the policy's own file that change nothing, and measures that contradict one another.
    """
    found = clashes(policy, vocabulary, periods, flow_exists=flow_exists, facts=facts)
    told = {key for clash in found for key in clash.keys}
    idle = [one for one in policy.placed if not one.measure.included_from and (one.file, one.key) not in told]
    inert = inert_measures(policy, vocabulary, periods, flow_exists=flow_exists, facts=facts, among=idle)
    faults: list[UserError] = [one.error() for one in (*inert, *found)]
    if faults:
        raise Faults(faults)


def clashes(
    policy: Policy,
    vocabulary: Vocabulary,
    periods: tuple[Period, ...],
    *,
    flow_exists: FlowExists | None = None,
    facts: Facts | None = None,
) -> list[Contradiction]:
    """Measures that cannot all be meant: `compile_policy` takes none of them unless told so."""
    board = empty_board(policy, vocabulary, periods, flow_exists, facts)

    def write(placed: Sequence[Placed]) -> Board:
        return board_of(placed, vocabulary, board.timeline, board.exists, facts)

    left = Policy(tuple(in_force(policy.placed)))
    found = contradictions(left, board)
    return found + without_price(left.placed, write, board.exists) + more_than_whole(left.placed, write, board.exists)


def _beginning(lists: Sequence[Sequence[Placed]]) -> Sequence[Placed]:
    """The longest beginning that all lists have in common."""
    together = zip(*lists, strict=False)
    return [every[0] for every in takewhile(lambda every: all(one is every[0] or one == every[0] for one in every), together)]
