"""``backfill data``: build the benchmark's tables and describe them."""

from __future__ import annotations

from pathlib import Path

from backfill.errors import CommandError, OutputError
from backfill.resources import data_dir


def build_baseline(sources: Path | None, out: Path | None) -> Path:
    """Compile the tables and return the folder they were written to.

    Raises:
        CommandError: there is no such folder of sources.
        OutputError: the folder cannot be written.
        DataError: a figure is missing or impossible.
    """
    given, folder = sources or data_dir() / "sources", out or data_dir() / "baseline"
    if not given.is_dir():
        raise CommandError(
            "backfill data build", "--sources", str(given), "is no folder; name the folder of source figures"
        )
    from backfill.economy.compile import build

    try:
        build(given, folder)
    except OSError as error:
        raise OutputError(str(folder), "", None, f"cannot be written ({error.strerror or error})") from None
    return folder


def description() -> str:
    """The shipped benchmark in words: coverage, grades, adjustments."""
    from backfill.economy.describe import describe

    return "\n".join(describe().lines())


def priors() -> str:
    """Every uncertain parameter: central value, 80% range, distribution, grade, and what it is."""
    from backfill.economy.priors import load_priors

    lines = []
    for prior in load_priors().values():
        low, high = prior.eighty
        lines.append(
            f"{prior.name}: {prior.central:g} ({low:g} to {high:g}), {prior.unit}; {prior.distribution}, {prior.grade}, "
            f"acts on {prior.acts_on}: {prior.meaning}"
        )
    return "\n".join(lines)


def known_names(mapping: Path | None = None) -> str:
    """Names that experiment files may use: regions by bloc, products by group, parameters with their ranges.

    Args:
        mapping: a file that splits or merges regions; the benchmark's regions if None.

    Raises:
        DataError: the mapping is missing or faulty.
    """
    from backfill.economy.mapping import apply_mapping
    from backfill.economy.priors import GAMES, load_priors
    from backfill.economy.tables import load_tables, load_vocabulary

    words = load_vocabulary() if mapping is None else apply_mapping(load_tables(), mapping).vocabulary()
    blocs = {bloc: [r for r in words.regions if words.bloc[r] == bloc] for bloc in dict.fromkeys(words.bloc.values())}
    regions = {**blocs, "hubs": list(words.hubs), "all": ["every region"]}
    products = {**{name: list(group) for name, group in words.groups.items()}, "all": ["every product"]}
    lines = ["Regions, singly or by bloc:"]
    lines += [f"  {name}: {', '.join(members)}" for name, members in regions.items()]
    lines += ["", "Products, singly:", f"  {', '.join(words.products)}", "", "or by group:"]
    lines += [f"  {name}: {', '.join(members)}" for name, members in products.items()]
    lines += ["", "Parameters, central value and 80% range (`backfill data priors` says what they are):"]
    settable = [prior for prior in load_priors().values() if prior.acts_on != GAMES]
    lines += [f"  {p.name}: {p.central:g} ({p.eighty[0]:g} to {p.eighty[1]:g})" for p in settable]
    return "\n".join(lines)
