"""Results as tables typed by hand: every sign, nothing, and missing values; and numbers read back from sentences."""

from __future__ import annotations

import re
from types import SimpleNamespace

import polars as pl

from backfill.experiments.results import EffectTables, Result, Status
from backfill.experiments.summary import SCHEMA
from backfill.reports.sentence import Figure, Sentence

SPAN, LAST = "2022-2030", "2030"
PLACES = ("US", "US allies", "third countries", "adversary")
CHANNELS = ("ally", "third country", "diversion", "cloud", "other tier", "domestic")
SCALES = {"trillion": 1e12, "billion": 1e9, "million": 1e6, "thousand": 1e3}


def row(
    quantity, where, period, unit, reference=None, policy=None, change=None, second=None, low=None, high=None, note=""
):
    against = None if second is None or policy is None else policy - second
    return (quantity, where, period, unit, reference, policy, change, second, against, low, high, note)


def result(sign: float | None, *, ranged: bool = False, second: bool = True) -> Result:
    """A result in which everything changes by ``sign`` of something, or of which nothing is known if None."""
    known = sign is not None
    by = sign or 0.0

    def change(value: float) -> float | None:
        return by * value if known else None

    def ends(value: float) -> tuple[float | None, float | None]:
        low, high = sorted((by * value * 0.4, by * value * 1.7))
        return (low - 0.2 * value, high) if ranged and known else (None, None)

    why = "" if known else "undefined: compute denied is zero or negative"
    low, high = ends(-1.1e7)
    rows = [
        row(
            "compute acquired",
            "adversary",
            SPAN,
            "H100e",
            5.7e7,
            5.7e7 - by * 1.1e7 if known else None,
            change(-1.1e7),
            4.6e7,
            low,
            high,
            why,
        ),
        row("compute acquired", "adversary", LAST, "H100e", 1.5e7, 1.2e7, -3e6, 1.2e7),
        row("gross denial", "adversary", SPAN, "H100e", change=change(4.3e7), note=why),
        row("compute denied", "adversary", SPAN, "H100e", change=change(1.1e7), note=why),
        row(
            "leakage rate", "adversary", SPAN, "share of gross denial", change=0.731 if known and by else None, note=why
        ),
        row(
            "capacity, logic_advanced",
            "adversary",
            LAST,
            "million USD of 2022",
            4472.0,
            4472.0 + by * 428 if known else None,
            change(428.0),
            5041.0,
        ),
        row(
            "US to adversary compute, owned stock",
            "world",
            LAST,
            "ratio",
            2.69,
            10.97 if known else None,
            change(8.28),
            10.85,
        ),
        *(
            row(
                "welfare, present value",
                who,
                SPAN,
                "million USD",
                change=change(-31_402.18 * (n - 1.5)),
                note=why,
                low=ends(1e4)[0],
                high=ends(1e4)[1],
            )
            for n, who in enumerate(PLACES)
        ),
        row("cost per unit denied", "US and allies", SPAN, "USD per H100e", change=change(13_190.66), note=why),
    ]
    keys = {"scenario": "mine", "reference": "no-controls", "period": "all"}
    leaks = [
        {**keys, "channel": one, "quantity": "leakage", "unit": "H100e", "value": change(n * 2.1e6), "note": why}
        for n, one in enumerate(CHANNELS)
    ]
    sales = []
    for goods, fall in (("accelerators", -4.8e5), ("tools", -5.0e4), ("chips", 900.0)):
        for who, value in (
            ("us", fall),
            ("ally", -0.3 * fall),
            ("partner", 0.05 * fall),
            ("adversary", 0.1 * fall),
            ("all but the US", -0.15 * fall),
        ):
            sales.append(
                {
                    **keys,
                    "origin": who,
                    "destination": "adversary",
                    "product": goods,
                    "quantity": "change in sales, current value",
                    "unit": "million USD",
                    "value": change(value),
                    "note": why,
                }
            )
        rate = 0.15 if known and by * fall < 0 else None
        sales.append(
            {
                **keys,
                "origin": "all but the US",
                "destination": "adversary",
                "product": goods,
                "quantity": "backfill rate, current value",
                "unit": "share of the fall in US sales",
                "value": rate,
                "note": "" if rate else "undefined",
            }
        )
    empty = EffectTables.empty()
    tables = {name: empty[name] for name in empty}
    tables |= {
        "leakage": pl.DataFrame(leaks, schema_overrides={"value": pl.Float64}),
        "backfilling": pl.DataFrame(sales, schema_overrides={"value": pl.Float64}),
    }
    return Result(
        name="mine",
        reference="no-controls",
        also_against="current-policy" if second else None,
        tables=EffectTables(**tables),
        summary=pl.DataFrame(rows, schema=SCHEMA, orient="row"),
        status=Status.SOLVED,
        message="Every world is solved.",
        checks={"converged": 1.0, "walras": 3e-12, "coupling_step": 2e-3},
        provenance={
            "reference": "no-controls",
            "date": "2026-11-28T16:44:14+00:00",
            "packages": {"backfill": "0.1.0"},
            "parameters": {
                "discount_factor": {"value": 0.94, "grade": "assumed", "source": "backfill_assumption"},
                "seizure_probability": {"value": 0.05, "grade": "derived", "source": "bis_cases"},
                "my <own> & only": {"value": 2.0, "grade": "assumed", "source": "me"},
            },
        },
        resolved='name = "mine"\ntitle = "Mine & <yours>"\npurpose = "Why?"\nreference = "no-controls"\n[horizon]\n'
        "first = 2022\nlast = 2030\n"
        '[[measures]]\nkind = "export_control"\nname = "Tools </script>"\nfrom = 2026-01-01\nby = ["USA"]\nproducts = ["tools"]\n'
        'destinations = ["CHN"]\ncoverage = 0.8\nlicence = "deny"\n',
    )


def comparison(*signs: float | None):
    """Policies beside each other, one for each sign."""
    ones = {f"policy {n}": result(sign) for n, sign in enumerate(signs, 1)}
    first = next(iter(ones.values())).summary
    table = first.select("quantity", "where", "period", "unit", "reference")
    for n, (name, one) in enumerate(ones.items(), 1):
        factor = 1 + n / 7
        table = table.with_columns(
            one.summary["policy"].alias(f"{name}: level"),
            (one.summary["change"] * factor).alias(f"{name}: change"),
            one.summary["low"].alias(f"{name}: low"),
            one.summary["high"].alias(f"{name}: high"),
        )
    return SimpleNamespace(reference="no-controls", worlds=tuple(ones), table=table, results=ones)


def sweep(values: list[float | None], costs: list[float | None]):
    """A sweep of two levers."""
    n = len(values)
    scenarios = pl.DataFrame(
        {
            "scenario": [f"s{i}" for i in range(n)],
            "number": range(n),
            "status": ["solved" if v is not None else "failed" for v in values],
            "reason": ["" if v is not None else "no" for v in values],
            "rate": [i / max(n - 1, 1) for i in range(n)],
            "mode": ["a", "b"] * (n // 2) + ["a"] * (n % 2),
        }
    )
    frames = []
    for quantity, where, unit, column in (
        ("compute denied", "adversary", "H100e", values),
        ("equivalent variation", "us", "million USD", costs),
    ):
        frames.append(
            scenarios.select(
                "scenario",
                period=pl.lit("2027"),
                quantity=pl.lit(quantity),
                where=pl.lit(where),
                product=pl.lit("all"),
                unit=pl.lit(unit),
                value=pl.Series(column, dtype=pl.Float64),
            ).drop_nulls("value")
        )
    return SimpleNamespace(scenarios=scenarios.lazy(), effects=pl.concat(frames).lazy())


def read_number(words: str) -> tuple[float, float]:
    """What written words say, and half a unit of their last digit."""
    found = re.search(r"([−-]?)\$?([\d,]+(?:\.(\d+))?)(e-?\d+)?", words)
    assert found, words
    text = found[2].replace(",", "")
    step = 10.0 ** -len(found[3] or "")
    scale = next((one for word, one in SCALES.items() if word in words), 1.0)
    if found[4]:
        scale *= float("1" + found[4])
    if "%" in words:
        scale *= 0.01
    # Whole numbers may be rounded to three significant digits.
    trailing = len(text) - len(text.rstrip("0")) if "." not in text and len(text) > 3 else 0
    step *= 10.0**trailing
    sign = -1.0 if found[1] else 1.0
    return sign * float(text) * scale, 0.5 * step * scale


def factor(unit: str) -> float:
    """Of a unit of the tables, how many it is of what sentences write."""
    return 1e3 if unit == "thousand H100e" else 1e6 if unit.startswith("million USD") else 1.0


def check_figure(figure: Figure) -> None:
    """A number in a sentence says what its cells hold."""
    written, step = read_number(figure.words)
    assert abs(written - figure.value * factor(figure.unit)) <= 1.0001 * step + 1e-12, (figure.words, figure.value)
    values = [cell.value for cell in figure.cells]
    assert all(value is not None for value in values)
    if len(values) == 2:
        assert figure.value == abs(values[0] / values[1])
    else:
        assert abs(figure.value) in (abs(values[0]), 1000 * abs(values[0]))


def words_only(sentence: Sentence, names: tuple[str, ...] = ()) -> str:
    """The sentence without its numbers, names and years."""
    text = (
        "".join(part for part in sentence.parts if isinstance(part, str))
        .replace("H100e", "")
        .replace("under 5% of the reference's", "")
    )
    for name in (*names, "another $1 billion"):
        text = text.replace(name, "")
    return re.sub(r"\b(from 20\d\d to 20\d\d|in 20\d\d)\b", "", text, flags=re.IGNORECASE)
