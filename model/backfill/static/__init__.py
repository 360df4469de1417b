"""Worlds of one period, at the rents of the reference plan."""

from backfill.static.period import Anchor, Start, StaticPeriod, StaticWorlds, static_worlds

__all__ = ["Anchor", "Start", "StaticPeriod", "StaticWorlds", "static_worlds"]
