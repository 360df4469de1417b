"""Moves of a game that would change nothing, told before anything is solved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from backfill.dimensions import Period, Vocabulary
from backfill.errors import ContradictionError, Faults, InertMeasureError, UserError
from backfill.experiments.align.file import GameTable, read_game
from backfill.experiments.align.policies import Moves
from backfill.policy.board import FlowExists
from backfill.policy.compile import compile_policy
from backfill.policy.facts import Facts
from backfill.policy.faults import path
from backfill.policy.library import PolicyFile
from backfill.policy.policy import Placed, Policy


def game_of(
    file: PolicyFile,
    policy: Policy,
    vocabulary: Vocabulary | None,
    periods: Sequence[Period],
    flow_exists: FlowExists,
    facts: Facts | None,
    names_in: str,
    *,
    sound: bool,
) -> tuple[GameTable | None, list[UserError]]:
    """The game of a file, and everything wrong with it; whether its moves change anything only where the rest is sound.

    Args:
        file: the file as read.
        policy: the measures of the experiment.
        vocabulary, periods, flow_exists, facts: what measures are compiled over.
        names_in: where all names are listed, for remedies.
        sound: whether nothing else is wrong with the experiment.
    """
    game, wrong = read_game(file.raw.get("game"), file.label, vocabulary, periods, names_in)
    if game is not None and vocabulary is not None and sound:
        wrong += idle_moves(game, policy, file.label, vocabulary, periods, flow_exists, facts)
    return game, wrong


def idle_moves(
    table: GameTable,
    policy: Policy,
    file: str,
    vocabulary: Vocabulary,
    periods: Sequence[Period],
    flow_exists: FlowExists,
    facts: Facts | None,
) -> list[UserError]:
    """Players whose alignment as asked would close nothing, and threats or retaliation that would fall on no trade.

    Args:
        table: the game.
        policy: the measures of the experiment.
        file: file to name.
        vocabulary, periods, flow_exists, facts: what measures are compiled over.
    """
    moves = Moves(table, policy)
    told = "answers measured backfilling, which no profile of a game can be solved with; give alignment_below, or remove it"
    answering = [one for one in policy.placed if one.measure.answers_behaviour]
    if answering:
        return [ContradictionError(file, "game", None, f"{one.label} {told}") for one in answering]
    placed = [Placed(one, file, path("game", "players", n)) for n, one in _alignments(moves)]
    for n in range(len(table.players)):
        duties = moves.duties(n, table.threat.rate, answered=False)
        placed += [Placed(one, file, path("game", "threat")) for one in duties]
    placed += [Placed(one, file, path("game", "retaliation")) for one in moves.retaliation(moves.game.asked)]
    # Of included measures nobody asks whether they change anything.
    others = [replace(p, measure=p.measure.model_copy(update={"included_from": "base"})) for p in policy.placed]
    whole = Policy((*others, *placed))
    try:
        compile_policy(whole, vocabulary, tuple(periods), flow_exists=flow_exists, facts=facts)
    except Faults as error:
        return [_told(fault) for fault in error.faults if fault.key.startswith("game")]
    return []


def _alignments(moves: Moves):
    """Each player's alignment as asked, with the player's place."""
    nobody = tuple(0 for _ in moves.table.players)
    for n, asked in enumerate(moves.game.asked):
        alone = (*nobody[:n], asked, *nobody[n + 1 :])
        for one in moves.alignments(alone):
            if one.name.startswith(moves.game.players[n]):
                yield n, one


def _told(fault: UserError) -> UserError:
    """A fault of a measure the game makes, in terms of the game's own keys."""
    table, _, last = fault.key.rpartition(".")
    key = fault.key.replace(".origins", ".products") if fault.key.startswith("game.threat") else fault.key
    if table.startswith("game.players"):
        key = {"with": "game.with", "products": "game.products", "level": f"{table}.asked", "from": "game.from"}.get(last, key)
    return InertMeasureError(fault.file, key, fault.value, fault.remedy)
