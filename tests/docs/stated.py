"""Sentences of README and pages whose figures are kept elsewhere, and tables made of such figures.

A sentence is written here once more, with a place for each figure and where it comes from. `python -m tests.docs.refresh` writes
the figures into the pages; what a sentence claims besides its figures is a condition, as in the notebooks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from string import Formatter

import polars as pl

from tests.docs import stored
from tests.docs.stored import expected, measured

NUMBER = r"[-+]?\d[\d,]*(?:\.\d+)?"
INSTEAD = ("rented abroad", "smuggled through hubs", "own makers")
MILLION, BILLION, PERCENT = 1e-6, 1e-3, 100.0
ALLIED, CURRENT = "allied-alignment", "current-policy"
WELFARE = "welfare, present value"


def _always() -> bool:
    return True


@dataclass(frozen=True)
class Sentence:
    """Words on a page, with figures.

    Attributes:
        page: path in the repository.
        words: the words with replacement fields for figures; white space is as on the page or not.
        figures: their values.
        holds: what the words claim beside the figures.
    """

    page: str
    words: str
    figures: Callable[[], Iterable[float]] = tuple
    holds: Callable[[], bool] = _always

    @property
    def pattern(self) -> re.Pattern[str]:
        """The words with any figures, one group each."""
        parts = []
        for text, field, *_ in Formatter().parse(self.words):
            parts.append(r"\s+".join(map(re.escape, re.split(r"\s+", text))))
            if field is not None:
                parts.append(f"({NUMBER})")
        return re.compile("".join(parts))

    def told(self) -> list[str]:
        """Figures as the sentence writes them."""
        fields = [spec for _, field, spec, _ in Formatter().parse(self.words) if field is not None]
        return [f"{value:{spec}}" for value, spec in zip(self.figures(), fields, strict=True)]

    def written(self, page: str) -> str:
        """The page with the figures as they are.

        Raises:
            ValueError: the words do not stand on the page exactly once.
        """
        found = list(self.pattern.finditer(page))
        if len(found) != 1:
            raise ValueError(f"{self.page}: stands there {len(found)} times: {self.words!r}")
        spans = [found[0].span(n + 1) for n in range(self.pattern.groups)]
        for (start, end), figure in reversed(list(zip(spans, self.told(), strict=True))):
            page = page[:start] + figure + page[end:]
        return page


def _denial() -> Iterator[float]:
    yield MILLION * expected(ALLIED, "compute acquired", "adversary", "reference")
    yield -MILLION * _acquired("from the US")
    yield from (MILLION * _acquired(route) for route in INSTEAD)
    yield MILLION * expected(ALLIED, "compute denied", "adversary")


def _acquired(route: str) -> float:
    return expected(ALLIED, f"compute acquired, {route}", "adversary")


def _nothing_else() -> bool:
    """What is bought elsewhere and what stays denied is what is no longer bought from the US, in whole millions too."""
    fewer, *parts = (round(figure) for figure in list(_denial())[1:])
    left = expected(ALLIED, "compute denied", "adversary")
    return fewer == sum(parts) and abs(_acquired("from the US") + sum(map(_acquired, INSTEAD)) + left) < 0.001 * left


def _logic(column: str) -> float:
    return expected(ALLIED, "capacity, logic_advanced", "adversary", column, "2030")


def _beyond(quantity: str, where: str) -> float:
    return expected(ALLIED, quantity, where, "against_current_policy")


def _range(quantity: str, where: str, scale: float) -> list[float]:
    row = stored.ranges().filter(quantity=quantity, where=where, rank=1)
    return [scale * row[column].item() for column in ("low", "high")]


def _under(quantity: str, where: str) -> tuple[float, float]:
    """Least and largest headline change under any structure."""
    changes = stored.structures().filter(quantity=quantity, where=where)["change"].to_list()
    return min(changes), max(changes)


def _graded() -> tuple[int, ...]:
    count = dict(stored.description().parameters.iter_rows())
    return sum(count.values()), *(count.get(grade, 0) for grade in ("observed", "derived", "assumed"))


def _diversion() -> Iterator[float]:
    for what in ("diverted share of US sales outside China", "premium of smuggled over US price"):
        yield from (PERCENT * measured()[f"{what}, {year}"] for year in (2024, 2025))


def _measured(*names: str, by: float = 1.0) -> Callable[[], list[float]]:
    return lambda: [by * measured()[name] for name in names]


def _own_makers() -> list[float]:
    own = "compute acquired, own makers"
    return [PERCENT * expected(CURRENT, own, "adversary") / expected(CURRENT, own, "adversary", "reference")]


MATURE = "mature plants in China, "
PACKAGING = "site cost of packaging, "
LOST = {
    "US-designed compute sold legally to China", "China's share of Dutch lithography", "China's own share of its equipment",
}  # fmt: skip

SENTENCES = (
    Sentence(
        "README.md",
        "Without controls the adversary acquires {:.0f} million H100e from 2022 to 2030. With them it buys {:.0f} million fewer "
        "from the United States; instead {:.0f} million more are rented abroad, {:.0f} million smuggled and {:.0f} million made "
        "at home, and {:.0f} million stay denied (80% range of the current policy: {:.0f} to {:.0f}).",
        lambda: (*_denial(), *_range("compute denied", "adversary", MILLION)),
        _nothing_else,
    ),
    Sentence(
        "README.md",
        "alignment on tools denies no compute of its own in these years, it takes {:.0f}% off the capacity for advanced logic "
        "in 2030.",
        lambda: [-PERCENT * _logic("against_current_policy") / _logic("current_policy")],
        lambda: _beyond("compute denied", "adversary") < 0.01 * expected(ALLIED, "compute denied", "adversary"),
    ),
    Sentence(
        "README.md",
        "it is off by a factor of {:.2f} (geometric mean), the last value by {:.1f} and a constant share by {:.1f}; but only "
        "{:.0f} of {:.0f} lie within their 80% ranges, and it loses to a naive forecast on chips sold legally, Dutch "
        "lithography and China's own tools.",
        lambda: (*stored.forecasts(), *stored.within()),
        lambda: stored.lost() == LOST,
    ),
    Sentence("README.md", "says that {:.0f} figures inform {:.0f} parameters of {:.0f}", stored.informed),
    Sentence("README.md", "Of {} parameters, by grade: {} observed, {} derived, {} assumed.", _graded),
    Sentence(
        "README.md",
        "the diverted share of US sales outside China is {:.1f}% in 2024 and {:.1f}% in 2025 (published: 5.0% and 5.7%) and the "
        "premium {:.0f}% and {:.0f}% (about 50%)",
        _diversion,
    ),
    Sentence(
        "README.md",
        "Foreign tools sold to China in the reference are {:.0f}% above 2022 in 2023 and {:.0f}% in 2024 (published: 29% and "
        "75%).",
        _measured(*(f"foreign tools sold to China without controls, over 2022, {y}" for y in (2023, 2024)), by=PERCENT),
    ),
    Sentence(
        "docs/validity.md",
        "(with all rules of the current policy {:.0f}%)",
        lambda: [PERCENT * expected(CURRENT, "backfill rate of tools by US allies", "adversary")],
    ),
    Sentence(
        "docs/validity.md",
        "in `allied-alignment` against the current policy by less than half a billion USD over nine years, while the US and its "
        "allies lose {:.0f} and {:.0f}.",
        lambda: [-BILLION * _beyond(WELFARE, where) for where in ("US", "US allies")],
        lambda: abs(_beyond(WELFARE, "adversary")) < 500,
    ),
    Sentence(
        "docs/validity.md",
        "discounted rents ({:.1f} million USD per million USD of yearly output) less tools ({:.2f}) less the cost of adding fast",
        _measured(f"{MATURE}discounted rents", f"{MATURE}tools"),
    ),
    Sentence(
        "docs/validity.md",
        "It comes out at {:.2f}: where a straight line of marginal cost meets zero additions; at the additions of the reference "
        "the last unit costs {:.1f} beside its tools.",
        _measured(f"{MATURE}site cost", f"{MATURE}last unit"),
    ),
    Sentence(
        "docs/validity.md",
        "some {:.0f} to {:.0f} billion USD a year of grants for the first three quarters of what is added.",
        _measured(f"{MATURE}grants, least", f"{MATURE}grants, most", by=BILLION),
        lambda: round(4 * measured()[f"{MATURE}share granted"]) == 3,
    ),
    Sentence(
        "docs/validity.md",
        "scarcity rent comes out as cost ({:.1f} per unit of yearly output against {:.1f} elsewhere).",
        _measured(f"{PACKAGING}Taiwan", f"{PACKAGING}elsewhere"),
    ),
    Sentence(
        "docs/limitations.md",
        '"Compute denied by current policy is {:.0f} million H100e, 80% range {:.0f} to {:.0f}."',
        lambda: (
            MILLION * expected(CURRENT, "compute denied", "adversary"),
            *_range("compute denied", "adversary", MILLION),
        ),
    ),
    Sentence(
        "docs/limitations.md",
        "Their 80% range goes from {:.0f} to {:.0f} billion USD.",
        lambda: _range(WELFARE, "US", BILLION),
        lambda: _range(WELFARE, "US", BILLION)[0] < 0 < _range(WELFARE, "US", BILLION)[1],
    ),
    Sentence(
        "docs/limitations.md",
        "Of what the controls cut, most comes back by other routes at central values; renting is the largest.",
        holds=lambda: (
            expected(CURRENT, "leakage rate", "adversary") > 0.5
            and expected(CURRENT, f"compute acquired, {INSTEAD[0]}", "adversary")
            > max(expected(CURRENT, f"compute acquired, {one}", "adversary") for one in INSTEAD[1:])
        ),
    ),
    Sentence(
        "docs/limitations.md",
        "costs the United States and allies {:.0f} thousand USD, 80% range {:.0f} to {:.0f}.",
        lambda: (
            BILLION * expected(CURRENT, "cost per unit denied", "US and allies"),
            *_range("cost per unit denied", "US and allies", BILLION),
        ),
        lambda: _range("cost per unit denied", "US and allies", 1.0)[0] < 0,
    ),
    Sentence(
        "docs/limitations.md",
        "of {:.0f} figures of 2024 and 2025 only {:.0f} lie within their 80% ranges",
        lambda: stored.within()[::-1],
        lambda: stored.forecasts()[0] < min(stored.forecasts()[1:]),
    ),
    Sentence("docs/limitations.md", "Of {} parameters, by grade: {} observed, {} derived, {} assumed.", _graded),
    Sentence("docs/model-card.md", "Of {} parameters, by grade: {} observed, {} derived, {} assumed", _graded),
    Sentence(
        "docs/model-card.md",
        "Packaging in Taiwan costs its owners three times what it does elsewhere",
        holds=lambda: round(measured()[f"{PACKAGING}Taiwan"] / measured()[f"{PACKAGING}elsewhere"]) == 3,
    ),
    Sentence(
        "docs/model-card.md",
        "Compute denied stays between {:.1f} and {:.1f} million H100e; the sign of US welfare does not",
        lambda: [MILLION * end for end in _under("compute denied", "adversary")],
        lambda: _under(WELFARE, "US")[0] < 0 < _under(WELFARE, "US")[1],
    ),
    Sentence("docs/hindcast.md", "Over 2022 to 2030 the rules raise them by {:.0f}% (`current-policy`)", _own_makers),
)  # fmt: skip


@dataclass(frozen=True)
class Block:
    """A part of a page that is made of stored figures, between two comments.

    Attributes:
        page: path in the repository.
        name: what it is called in the comments.
        made: its lines.
    """

    page: str
    name: str
    made: Callable[[], Sequence[str]]

    @property
    def marks(self) -> tuple[str, str]:
        """Comments around it."""
        return f"<!-- {self.name}: written by `python -m tests.docs.refresh` -->", f"<!-- end of {self.name} -->"

    def written(self, page: str) -> str:
        """The page with the block as it is.

        Raises:
            ValueError: its comments do not stand on the page, once each and in order.
        """
        begin, end = self.marks
        if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
            raise ValueError(f"{self.page}: needs the comments {begin} and {end}, once each")
        return page[: page.index(begin)] + "\n".join([begin, *self.made(), ""]) + page[page.index(end) :]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table."""
    return [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *rows)]


MEANT = {
    "import_acceptance": "acceptance of imports",
    "control_coverage": "coverage of rules",
    "adversary_demand": "adversaries' demand",
    "quality_theta": "weight of operations in quality",
    "demand_elasticity_compute": "elasticity of demand for compute",
    "sigma_family": "substitution of families of chips",
    "sigma_remote": "substitution of rented for owned compute",
    "sigma_coverage": "substitution among covered buyers and others",
    "sigma_tier": "substitution of lines within a family",
    "seizure_probability": "chance of seizure",
    "diversion_slope": "rise of the cost of diversion",
    "discount_factor": "discount factor",
}
"""Parameters of ``--ranges`` in words."""

TOLD = (
    ("compute denied", "adversary", "compute denied, million H100e", "Compute denied", MILLION, 1),
    (WELFARE, "US", "welfare of the US, bn USD", "US welfare", BILLION, 0),
    (WELFARE, "adversary", "welfare of adversaries, bn USD", "adversaries' welfare", BILLION, 0),
)
"""Headline changes told: row, words in a table, words in a sentence, unit, digits."""

MOST = 3
"""Parameters named for each."""


def _driven(quantity: str, where: str) -> pl.DataFrame:
    rows = stored.ranges().filter(pl.col("quantity") == quantity, pl.col("where") == where)
    return rows.sort("rank").head(MOST)


def ranges_table() -> list[str]:
    """Headline changes of the current policy with their ranges and what moves them most, and whether a sign is settled."""
    rows = []
    for quantity, where, words, _, scale, digits in TOLD:

        def figure(value: float, scale: float = scale, digits: int = digits) -> str:
            return f"{scale * value:.{digits}f}"

        moved = _driven(quantity, where)
        told = [
            f"{MEANT[row['parameter']]}, {row['at_low']:g} to {row['at_high']:g}: "
            f"{figure(row['change_at_low'])} to {figure(row['change_at_high'])}"
            for row in moved.iter_rows(named=True)
        ]
        ends = f"{figure(moved['low'][0])} to {figure(moved['high'][0])}"
        rows.append((words, figure(moved["central"][0]), ends, "; ".join(told)))
    us = _driven(WELFARE, "US")
    settled = "is" if us["low"][0] > 0 or us["high"][0] < 0 else "is not"
    sign = f"So the sign of the US welfare change {settled} settled by these priors."
    return [*table(("", "central", "80% range", "moved most by"), rows), "", sign]


def influence() -> list[str]:
    """What moves each headline change of the current policy most, as shares of squared swings."""
    told = []
    for quantity, where, _, words, *_ in TOLD:
        moved = [
            (MEANT[name], f"{share:.0%}")
            for name, share in _driven(quantity, where).select("parameter", "share").iter_rows()
        ]
        *first, last = [f"{name} ({share})" for name, share in moved]
        told.append(f"{words} with {', '.join(first)} and {last}")
    head, *rest = told
    return [
        "In `current-policy` against `no-controls`, by share of the squared swings of its range:",
        "",
        f"- {head.replace(' with ', ' moves most with ', 1)};",
        *(f"- {one};" for one in rest[:-1]),
        f"- {rest[-1]}.",
    ]


ASIDE = (
    ("compute denied", "adversary", "compute denied, million H100e", MILLION, 1),
    ("leakage rate", "adversary", "leakage, %", PERCENT, 0),
    (WELFARE, "US", "US welfare, bn USD", BILLION, 0),
    (WELFARE, "US allies", "allies' welfare, bn USD", BILLION, 0),
    (WELFARE, "adversary", "adversary's welfare, bn USD", BILLION, 0),
)
"""Headline changes told under each structure: row, words, unit, digits."""


def structures() -> list[str]:
    """Headline changes of the current policy under each structure; those without a world named below."""
    rows, without = [], []
    for name in stored.structures()["structure"].unique(maintain_order=True):
        found = stored.structures().filter(structure=name)
        if found["quantity"][0] == "all":
            without.append(f"No world: {name}.")
            continue
        cells = [
            f"{scale * found.filter(quantity=quantity, where=where)['change'].item():.{digits}f}"
            for quantity, where, _, scale, digits in ASIDE
        ]
        rows.append((name, *cells))
    return [*table(("structure", *(words for _, _, words, *_ in ASIDE)), rows), *(["", *without] if without else [])]


GROUPED = (
    ("lithography", ("lithography",)),
    ("advanced logic", ("logic_advanced",)),
    ("mature logic; other memory", ("logic_mature", "memory")),
    ("deposition and etch; process control; subsystems", ("deposition_etch", "process_control_test", "subsystems")),
    ("wafers and materials; minerals", ("wafers_materials", "minerals")),
    ("HBM, packaging, EDA, servers, cloud", ("hbm", "packaging", "eda_ip", "servers", "cloud_compute")),
    ("frontier accelerators", ("accelerators_frontier",)),
    ("export-grade and adversary accelerators", ("accelerators_export_grade", "accelerators_adversary")),
    ("electronics; other goods; services", ("electronics", "other_goods", "services")),
)
"""Rows of the table of grades: words, products."""


def grades() -> list[str]:
    """How much of each product's world is observed, derived or assumed."""
    by_product = {product: shares for product, _, _, *shares in stored.description().grades.iter_rows()}
    rows = []
    for words, products in GROUPED:
        columns = zip(*(by_product[product] for product in products), strict=True)
        cells = [[f"{share:.0%}" for share in column] for column in columns]
        rows.append((words, *(cell[0] if len(set(cell)) == 1 else "; ".join(cell) for cell in cells)))
    return table(("product", "observed", "derived", "assumed"), rows)


BLOCKS = (
    Block("README.md", "grades", grades),
    Block("README.md", "ranges", ranges_table),
    Block("docs/model-card.md", "influence", influence),
    Block("docs/model-card.md", "structures", structures),
)


def written(page: str, text: str) -> tuple[str, list[str]]:
    """A page with all its sentences and blocks as they are, and those that could not be written."""
    wrong = []
    for one in (*SENTENCES, *BLOCKS):
        if one.page == page:
            try:
                text = one.written(text)
            except ValueError as error:
                wrong.append(str(error))
    return text, wrong


PAGES = tuple(dict.fromkeys(one.page for one in (*SENTENCES, *BLOCKS)))
