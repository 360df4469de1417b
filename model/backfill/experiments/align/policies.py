"""What a profile of an alignment game adds to a policy: alignments, retaliation, threats carried out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backfill.experiments.align.file import GameTable
from backfill.games.payoffs import Game, Profile
from backfill.policy.measure import Measure
from backfill.policy.measures.alignment import Alignment
from backfill.policy.measures.export_control import ExportControl
from backfill.policy.measures.retaliation import Retaliation
from backfill.policy.measures.tariff import Tariff
from backfill.policy.policy import Placed, Policy


@dataclass(frozen=True)
class Moves:
    """Turns profiles into policies.

    Attributes:
        table: the game as written.
        base: the measures that every profile has.
    """

    table: GameTable
    base: Policy

    @property
    def game(self) -> Game:
        """Players and levels."""
        return self.table.game

    def policy(
        self,
        profile: Profile,
        tariffs: Mapping[int, float] | None = None,
        *,
        answered: bool = True,
        retaliation: bool = True,
    ) -> Policy:
        """The policy at a profile.

        Args:
            profile: place of each player's level.
            tariffs: duties that the sender carries out, by player.
            answered: whether targets answer them, as the file says.
            retaliation: whether there is any against those who align, the file's own measures included.
        """
        placed = self.base.placed if retaliation else self._without_retaliation()
        moves = [*self.alignments(profile), *(self.retaliation(profile) if retaliation else ())]
        for player, rate in (tariffs or {}).items():
            moves += self.duties(player, rate, answered=answered)
        return Policy((*placed, *(Placed(measure, "game") for measure in moves)))

    def alignments(self, profile: Profile) -> list[Measure]:
        """One measure for each player above level 0."""
        table, levels = self.table, self.game.levels
        return [
            Alignment.model_validate(
                {
                    "name": f"{player.region[0]} aligns",
                    "region": player.region,
                    "with": table.sender,
                    "products": table.products,
                    "level": levels[at],
                    **self._days(),
                }
            )
            for player, at in zip(table.players, profile, strict=True)
            if levels[at] > 0
        ]

    def retaliation(self, profile: Profile) -> list[Measure]:
        """Exports closed to the players who are above the level that sets it off."""
        table, levels = self.table, self.game.levels
        answer = table.retaliation
        if answer is None:
            return []
        hit = tuple(p.region[0] for p, at in zip(table.players, profile, strict=True) if levels[at] > answer.above)
        if not hit:
            return []
        control = {
            "name": "Retaliation against those who align",
            "by": answer.by,
            "products": answer.products,
            "destinations": hit,
            "coverage": answer.coverage,
            **self._days(),
        }
        return [ExportControl.model_validate(control)]

    def duties(self, player: int, rate: float, *, answered: bool = True) -> list[Measure]:
        """The sender's duty on a player's goods and the player's answer."""
        table, region = self.table, self.table.players[player].region
        back = rate * table.threat.answered if answered else 0.0
        duties = [
            {"name": f"Duty on {region[0]}", "by": table.sender, "origins": region, "rate": rate},
            {"name": f"Answer of {region[0]}", "by": region, "origins": table.sender, "rate": back},
        ]
        on = {"products": table.threat.products, **self._days()}
        return [Tariff.model_validate({**one, **on}) for one in duties if one["rate"] > 0]

    def _days(self) -> dict[str, dt.date]:
        return {"announced": self.table.known(), "from": self.table.begin}

    def joint(self, profile: Profile, rate: float) -> dict[int, float]:
        """The same duty on all who are not aligned as asked."""
        return dict.fromkeys(self.game.unaligned(profile), rate) if rate > 0 else {}

    def _without_retaliation(self) -> Sequence[Placed]:
        players = set(self.game.players)
        return [
            placed
            for placed in self.base.placed
            if not (isinstance(placed.measure, Retaliation) and players & set(placed.measure.against))
        ]
