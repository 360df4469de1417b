"""Pages of the site that are made from the package and its data, so that they cannot disagree with them."""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl
from gallery import picture

from backfill.economy.describe import describe
from backfill.policy.kinds import example, fields, kinds, sentence
from backfill.policy.library import rule_names, shipped_folders, shipped_names
from backfill.resources import data_dir, experiments_dir


def write(folder: Path) -> None:
    """Write every generated page, leaving alone what has not changed."""
    pages = {
        "reference.md": _measure_index(),
        "data.md": _data(),
        "parameters.md": _parameters(),
        "sources.md": _sources(),
        "rules.md": _rules(),
        "gallery.md": _gallery(folder),
        "api.md": _api(),
        **{f"measures/{name}.md": _measure(name) for name in kinds()},
    }
    for name, text in pages.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.is_file() or place.read_text(encoding="utf-8") != text:
            place.write_text(text, encoding="utf-8")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")


def _measure_index() -> str:
    rows = [(f"[`{name}`](measures/{name}.md)", sentence(kind).replace("``", "`")) for name, kind in kinds().items()]
    listed = "\n".join(f"measures/{name}" for name in kinds())
    return (
        "# Reference of measures\n\nEvery kind of measure, made from its class. How several of them on the same flow compose "
        "is told in [Measures](../measures.md).\n\n"
        f"{table(('kind', 'what it does'), rows)}\n\n```{{toctree}}\n:hidden:\n\n{listed}\n```\n"
    )


def _measure(name: str) -> str:
    kind = kinds()[name]
    rows = [
        (f"`{field.key}`", field.description, field.unit, field.bounds, f"`{field.default}`" if field.default else "")
        for field in fields(kind)
    ]
    told = inspect.cleandoc(kind.__doc__ or "").replace("``", "`")
    head = ("field", "what it means", "unit", "bounds", "default")
    return (
        f"# `{name}`\n\n{told}\n\n## Fields\n\n{table(head, rows)}\n\n## Sources\n\n{kind.sources}\n\n"
        f"## Example\n\nAn experiment file that runs:\n\n```toml\n{example(kind).rstrip()}\n```\n"
    )


def _data() -> str:
    found = describe()
    baseline = data_dir() / "baseline"
    regions = pl.read_csv(baseline / "regions.csv")
    products = pl.read_csv(baseline / "products.csv")
    grades = [
        (f"`{product}`", f"{total:,.0f} {unit}", *(f"{share:.0%}" for share in shares))
        for product, unit, total, *shares in found.grades.iter_rows()
    ]
    coverage = [(f"`{name}`", f"{rows:,}", spans) for name, rows, spans in found.coverage.iter_rows()]
    moved = [
        (f"`{product}`", f"{origin} to {destination}", f"{before:,.0f}", f"{after:,.0f}", f"{change:+.0%}")
        for product, origin, destination, before, after, change in found.adjustments.head(20).iter_rows()
    ]
    return (
        "\n\n".join(
            [
                "# The benchmark",
                "What `backfill data describe` prints: the tables of 2022 and the paths to 2030, and how well each is known. "
                "Every figure is *observed* (published as it stands, or summed), *derived* (arithmetic on published figures) or "
                "*assumed*.",
                "## Regions",
                table(regions.columns, regions.rows()),
                "## Products",
                table(products.columns, products.rows()),
                "## How well each product is known",
                "Shares of value or volume.",
                table(("product", "world in 2022", "observed", "derived", "assumed"), grades),
                "## Tables",
                table(("table", "rows", "spans"), coverage),
                "## What balancing moved",
                f"Customs cells moved by more than 5%: {found.adjustments.height}. The twenty largest, million USD:",
                table(("product", "flow", "customs", "benchmark", "change"), moved),
            ]
        )
        + "\n"
    )


def _parameters() -> str:
    rows = pl.read_csv(data_dir() / "sources" / "parameters.csv", infer_schema=False)
    named = [name for name in rows.columns if rows[name].drop_nulls().len()]
    return (
        "# Parameters and their priors\n\nEvery parameter of the model with its central value, its range, its grade and source; "
        f"sources are listed under [Sources](sources.md).\n\n{table(named, rows.select(named).rows())}\n"
    )


def _sources() -> str:
    rows = pl.read_csv(data_dir() / "sources" / "bibliography.csv", infer_schema=False)
    licences = (data_dir() / "LICENSES.md").read_text(encoding="utf-8")
    licences = re.sub(r"^#", "##", licences, flags=re.M)
    return f"# Sources\n\n{table(rows.columns, rows.rows())}\n\n{licences}\n"


def _experiment(place: Path) -> dict:
    return tomllib.loads(place.read_text(encoding="utf-8"))


def _rules() -> str:
    _, folder = shipped_folders()
    parts = [
        "# The library of rules",
        "Every rule since October 2022 is a file of its own, dated and sourced; `current-policy` is all that came into force. "
        "Proposals are marked so and are in no composed policy.",
    ]
    for name in rule_names():
        raw = _experiment(folder / f"{name}.toml")
        rows = [
            (
                f"[`{m['kind']}`](measures/{m['kind']}.md)", m.get("name", ""), m.get("announced", ""),
                m.get("from", ""), m.get("until", ""), m.get("source", ""),
            )
            for m in raw.get("measures", [])
        ]  # fmt: skip
        parts += [
            f"## {raw.get('title', name)}",
            f"`{name}`. {' '.join(str(raw.get('purpose', '')).split())}",
            table(("kind", "measure", "announced", "from", "until", "source"), rows),
        ]
    return "\n\n".join(parts) + "\n"


_TOLD = ("compute denied", "leakage rate", "cost per unit denied", "revenue lost, net of resale")


_COMMANDS = {"game": "align", "design": "design", "sweep": "sweep"}


def _gallery(folder: Path) -> str:
    parts = [
        "# Gallery of shipped experiments",
        "What each asks and what it answered, from the summaries that the tests hold it to: central values, 2022 to 2030, with "
        "the ranges that are kept; `--ranges` computes those of any other. No sign of US welfare is settled. "
        "The command below each gives the whole answer.",
    ]
    for name in shipped_names():
        place = experiments_dir() / f"{name}.toml"
        raw = _experiment(place)
        parts += [f"## {raw.get('title', name)}", f"`{name}`. {' '.join(str(raw.get('purpose', '')).split())}"]
        expected = place.with_suffix(".expected.csv")
        if expected.is_file():
            summary = pl.read_csv(expected, infer_schema_length=None)
            told = summary.filter(pl.col("quantity").is_in(_TOLD), pl.col("change").is_not_null())
            ranged = _ranges(place)
            rows = [(q, w, p, _told(c), ranged.get((q, w, p), ""), u) for q, w, p, u, c in told.select(
                "quantity", "where", "period", "unit", "change").iter_rows()]  # fmt: skip
            picture(summary, folder / "gallery" / f"{name}.svg")
            parts += [
                f"![Compute that the adversary acquires by route, without and with {name}](gallery/{name}.svg)",
                table(("what", "where", "when", "against the reference", "80% range", "unit"), rows),
            ]
        command = next((told for key, told in _COMMANDS.items() if key in raw), "run")
        parts.append(f"```sh\nbackfill {command} {name}\n```")
    return "\n\n".join(parts) + "\n"


def _told(value: float) -> str:
    """A number with three digits that count."""
    return f"{value:,.3g}" if abs(value) < 1000 else f"{float(f'{value:.3g}'):,.0f}"


def _ranges(place: Path) -> dict[tuple[str, str, str], str]:
    """Ranges of an experiment's headline changes, where they are kept."""
    file = place.with_suffix(".ranges.csv")
    rows = pl.read_csv(file).filter(rank=1).iter_rows(named=True) if file.is_file() else ()
    return {(x["quantity"], x["where"], x["period"]): f"{_told(x['low'])} to {_told(x['high'])}" for x in rows}


def _api() -> str:
    import backfill

    parts = ["# From Python", inspect.cleandoc(backfill.__doc__ or "")]
    for name in backfill.__all__:
        found = getattr(backfill, name)
        if inspect.ismodule(found):
            parts.append(f"```{{eval-rst}}\n.. automodule:: {found.__name__}\n   :members:\n```")
            continue
        directive = "autoclass" if inspect.isclass(found) else "autofunction"
        members = "\n   :members:" if directive == "autoclass" else ""
        parts.append(f"```{{eval-rst}}\n.. {directive}:: {found.__module__}.{found.__qualname__}{members}\n```")
    return "\n\n".join(parts) + "\n"
