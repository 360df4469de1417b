"""Compiling the benchmark of 2022 and the reference paths from the project's own source figures."""

from backfill.economy.compile.build import build, compile_tables

__all__ = ["build", "compile_tables"]
