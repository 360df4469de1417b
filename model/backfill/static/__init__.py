"""Worlds of one period, at the rents of the reference plan."""

from backfill.static.period import Anchor, StaticPeriod, StaticWorlds, static_worlds

__all__ = ["Anchor", "StaticPeriod", "StaticWorlds", "static_worlds"]
