"""Cloud control: compute standing elsewhere is closed to users of an adversary."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from backfill.policy.board import Board
from backfill.policy.measure import Measure, Regions, Share, kind


@kind("cloud_control")
class CloudControl(Measure):
    """Closes remote compute standing at providers' sites to the covered share of users elsewhere.

    What stands there is the provider's; users who lose it turn to other sites or to accelerators of their own. Of several
    controls the widest counts.
    """

    also: ClassVar[tuple[str, ...]] = ("cloud", "remote_access")
    sources: ClassVar[str] = (
        "Remote Access Security Act (passed by the House, January 2026; proposed); customer identification "
        "proposed by Commerce, 89 FR 5698 (29 January 2024)."
    )
    example: ClassVar[str] = """\
kind = "cloud_control"
by = "USA"
providers = ["SGP", "MYS", "USA"]  # where the machines stand
destinations = "CHN"               # whose users lose them
coverage = 0.8
from = 2026-07-01
"""

    kind: Literal["cloud_control"] = "cloud_control"
    by: Regions = Field(("USA",), description="who controls")
    providers: Regions = Field(("all",), description="regions where the machines stand")
    destinations: Regions = Field(("adversary",), description="whose users are covered")
    coverage: Share = Field(description="share of users covered")

    def act(self, board: Board) -> None:
        sites, users = board.regions(self.providers), board.regions(self.destinations)
        board.close_remote(self.when(board), sites, users, self.coverage)

    def idle(self, board: Board) -> tuple[str, object, str] | None:
        if self.coverage == 0:
            return "coverage", 0.0, "covers nobody; give a share above 0 or remove the measure"
        if len({*board.regions(self.providers), *board.regions(self.destinations)}) == 1:
            return (
                "providers",
                list(self.providers),
                "is the region itself; remote compute stands elsewhere: name another",
            )
        return None
