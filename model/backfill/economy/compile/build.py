"""From source figures to the baseline tables on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backfill.economy.compile import accelerators, capacities, consistency
from backfill.economy.compile.adjustments import adjustments
from backfill.economy.compile.agreement import disagreements
from backfill.economy.compile.demand import chips_pull, tool_billings, totals, world_outputs
from backfill.economy.compile.first import First, customs_patterns, first_matrices
from backfill.economy.compile.grades import flow_grades
from backfill.economy.compile.nest import nest
from backfill.economy.compile.sectors import BROAD, SECTOR, broad_flows, icio
from backfill.economy.compile.sources import PRIOR_COLUMNS, Sources, read_sources
from backfill.economy.compile.tariffs import applied
from backfill.economy.compile.technology import input_shares, purchases, taken_by_compute
from backfill.economy.compile.write import ALL, csv_text, frame, package, write_all
from backfill.economy.schema import TABLES, DataError, dataframely_schema
from backfill.economy.tables import faults_of_tables

LEAST_FLOW = 1e-3


def build(sources: Path, out: Path) -> None:
    """Compile the baseline from ``sources`` into ``out`` (CSV tables and ``datapackage.json``).

    Deterministic: the same sources give the same bytes.

    Raises:
        DataError: a figure is missing, negative or inconsistent; names file, row, column and remedy.
    """
    given = read_sources(sources)
    faults = disagreements(given, sources)
    if faults:
        raise DataError(faults)
    rows = compile_tables(given)
    frames = {table: frame(table, rows[table]) for table in ALL}
    faults = faults_of_tables({table: frames[table] for table in TABLES}, out)
    if faults:
        raise DataError(faults)
    for table in TABLES:
        dataframely_schema(table).validate(frames[table])
    texts = {table: csv_text(data) for table, data in frames.items()}
    files = {f"{table}.csv": text for table, text in texts.items()}
    write_all(files | {"datapackage.json": package(texts, given.bibliography)}, out)


def compile_tables(sources: Sources) -> dict[str, list[tuple]]:
    """Rows of every baseline table.

    Raises:
        DataError: the accounts do not close (`consistency.faults`).
    """
    codes = sources.codes
    sectors = icio(sources)
    made = benchmark_flows(sources, sectors)
    flows = made.flows
    tariffs = applied(sources, sectors)
    output = {p: m.sum(1) for p, m in flows.items()}
    nodes = capacities.planned_nodes(sources, output)
    rents = capacities.rents_of_2022(sources, nodes)
    taken = taken_by_compute(sources, _cloud_markup(sources))
    inputs = input_shares(sources, flows, tariffs, taken)
    margins = dict(sources.rows("margin_share").select("product", "value").iter_rows())
    margin = {p: np.where(output[p] > 0, margins.get(p, 0.0), 0.0) for p in flows}
    rent = {p: np.array([rents.get((p, r), 0.0) for r in codes]) for p in flows}
    faults = consistency.faults(codes, flows, tariffs, inputs, margin, rent, taken)
    if faults:
        raise DataError([f"data/baseline/{fault}" for fault in faults])
    return {
        "regions": sources.regions.rows(),
        "products": [tuple(float(v) if n in (4, 5) else v for n, v in enumerate(r)) for r in sources.products.rows()],
        "flows": _flow_rows(codes, made),
        "tariffs": _tariff_rows(codes, tariffs, flows),
        "inputs": _input_rows(codes, inputs),
        "shares": [
            (p, r, float(margin[p][n]), float(rent[p][n]), "assumed", "backfill_assumption")
            for p in flows
            for n, r in enumerate(codes)
            if margin[p][n] > 0 or rent[p][n] > 0
        ],
        "accelerator_bill": _bill_rows(sources),
        "compute_use": [
            (
                u.year,
                u.user,
                u.product,
                u.channel,
                u.site,
                u.kh100e,
                u.grade,
                "epoch_chip_sales" if u.grade == "derived" else "backfill_assumption",
            )
            for u in accelerators.compute_use(sources)
        ],
        "compute_other": [
            (year, item, float(path[n]), "assumed", "backfill_assumption")
            for item in ("other_goods", "servers", "services")
            for path in [sources.path(accelerators.YEARS, "site_and_operation", partner=item)]
            for n, year in enumerate(accelerators.YEARS)
        ],
        "nodes": capacities.nodes_table(sources, nodes),
        "capacity": capacities.capacity_table(sources, nodes),
        "capacity_paths": capacities.capacity_paths_table(sources),
        "tool_needs": capacities.tool_needs_table(sources, nodes, output, purchases(flows, tariffs)),
        "labour": capacities.labour_table(sources),
        "parameters": _parameter_rows(sources),
        "adjustments": adjustments(codes, made.flows, made.firsts),
    }


@dataclass(frozen=True)
class Benchmark:
    """Flows of 2022 and how they came about.

    Attributes:
        flows: every stack and broad product, million USD by origin and destination.
        firsts: first matrices of the stack.
        carved: where the stack was carved out of a broad product.
    """

    flows: dict[str, np.ndarray]
    firsts: dict[str, First]
    carved: dict[str, np.ndarray]


def benchmark_flows(sources: Sources, sectors: dict[str, np.ndarray]) -> Benchmark:
    """Flows of every stack and broad product in 2022."""
    least = sources.value("least_residual")
    output = world_outputs(sources)
    patterns = customs_patterns(sources, output)
    pull = chips_pull(sources, output, patterns)
    wanted = totals(sources, sectors["electronics"].sum(1), sectors["services"].sum(1), pull)
    firsts = first_matrices(sources, wanted, sectors, patterns)
    sales = _accelerator_sales(sources)
    nested = nest(firsts, wanted, sectors, sales, tool_billings(sources), least)
    stack = {p: np.where(m < LEAST_FLOW, 0.0, m) for p, m in nested.flows.items()}
    broad = broad_flows(sectors, stack, sales, nested.borrowed, least)
    carved = {p: np.zeros_like(sales, bool) for p in BROAD}
    carved["electronics"] |= sales > 0
    for p, m in stack.items():
        home = SECTOR[p] if SECTOR[p] in BROAD else "other_goods"
        carved[home] |= m > 0
    return Benchmark({**stack, **broad}, firsts, carved)


def _accelerator_sales(sources: Sources) -> np.ndarray:
    """Accelerator sales of 2022 by designer and place of delivery, million USD."""
    codes = sources.codes
    price = {product: table[0].sum() for product, table in accelerators.bills(sources).items()}
    out = np.zeros((len(codes), len(codes)))
    for use in accelerators.compute_use(sources):
        if use.year == accelerators.YEARS[0]:
            origin = accelerators.ORIGIN[use.product]
            out[codes.index(origin), codes.index(use.site)] += price[use.product] * use.kh100e
    return out


def _cloud_markup(sources: Sources) -> np.ndarray:
    """Services bought at the site of remote compute in 2022, million USD."""
    codes = sources.codes
    price = accelerators.bills(sources)[accelerators.FRONTIER][0].sum()
    margin = sources.value("cloud_margin")
    out = np.zeros(len(codes))
    for use in accelerators.compute_use(sources):
        if use.year == accelerators.YEARS[0] and use.channel == "cloud":
            out[codes.index(use.site)] += margin * price * use.kh100e
    return out


def _flow_rows(codes: tuple[str, ...], made: Benchmark) -> list[tuple]:
    rows = []
    for product, matrix in made.flows.items():
        grade, source = flow_grades(product, made.firsts.get(product), matrix, made.carved.get(product, matrix))
        rows += [
            (product, codes[i], codes[j], float(matrix[i, j]), str(grade[i, j]), str(source[i, j]))
            for i, j in zip(*np.nonzero(matrix), strict=True)
        ]
    return rows


def _tariff_rows(codes: tuple[str, ...], tariffs: dict[str, np.ndarray], flows: dict[str, np.ndarray]) -> list[tuple]:
    return [
        (p, o, d, float(m[i, j]), *(("derived", "oecd_icio_2022") if p in BROAD else ("observed", "ustr_301")))
        for p, m in tariffs.items()
        for i, o in enumerate(codes)
        for j, d in enumerate(codes)
        if m[i, j] > 0 and flows[p][i, j] > 0
    ]


def _input_rows(codes: tuple[str, ...], inputs: dict[tuple[str, str], np.ndarray]) -> list[tuple]:
    rows = []
    for (product, item), shares in inputs.items():
        broad = product in BROAD and item in BROAD
        for n, region in enumerate(codes):
            if shares[n] > 0:
                grade = ("derived", "wiod_2011") if broad else ("assumed", "backfill_assumption")
                rows.append((region, product, item, float(shares[n]), *grade))
    return rows


def _bill_rows(sources: Sources) -> list[tuple]:
    known = {
        (product, item, int(year)): (grade, source)
        for product, item, year, grade, source in sources.rows("bill")
        .select("product", "partner", "period", "grade", "source")
        .iter_rows()
    }
    return [
        (
            year,
            product,
            accelerators.ORIGIN[product],
            item,
            float(table[n, k]),
            "home" if (product, item) in accelerators.HOME_SOURCED else "market",
            *known.get((product, item, year), ("assumed", "backfill_assumption")),
        )
        for product, table in accelerators.bills(sources).items()
        for n, year in enumerate(accelerators.YEARS)
        for k, item in enumerate(accelerators.ITEMS)
    ]


def _parameter_rows(sources: Sources) -> list[tuple]:
    table = sources.figures.filter(sources.figures["file"] == "parameters.csv")
    columns = ("quantity", "product", "region", "value", "low", "high", "unit", "grade", "source", *PRIOR_COLUMNS)
    return table.select(columns).rows()
