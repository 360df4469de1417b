"""``backfill list``: the shipped experiments and dated rules."""

from __future__ import annotations

import sys

from backfill.policy.library import read, rule_names, shipped_folders, shipped_names


def listing() -> str:
    """Every shipped file with its title; ``name<TAB>title`` lines where nobody looks at a screen."""
    experiments, rules = shipped_folders()
    named = [(name, experiments / f"{name}.toml") for name in shipped_names()]
    dated = [(name, rules / f"{name}.toml") for name in rule_names()]
    titles = {name: str(read(path).raw.get("title", "")) for name, path in [*named, *dated]}
    if not sys.stdout.isatty():
        return "\n".join(f"{name}\t{title}" for name, title in titles.items())
    wide = max(map(len, titles)) + 2
    lines = [f"  {name.ljust(wide)}{titles[name]}" for name, _ in named]
    return "\n".join(
        [
            "Experiments",
            *lines,
            "",
            "Rules, by the day they were announced",
            *(f"  {name.ljust(wide)}{titles[name]}" for name, _ in dated),
        ]
    )
