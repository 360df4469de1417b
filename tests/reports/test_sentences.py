"""Sentences say what tables hold, whatever its sign and whatever is missing."""

from __future__ import annotations

import dataclasses
import re

import polars as pl
import pytest

from backfill.reports.answers import comparison, design, game, result, sweep
from backfill.reports.sentence import Sentence
from backfill.reports.words import amount, listed, per_cent, plain, years
from tests.design.test_result import made
from tests.reports import hand_made
from tests.reports.hand_made import check_figure, words_only

SIGNS = (1.0, -1.0, 0.0, 1e-9, None)


def check(told: tuple[Sentence, ...], names: tuple[str, ...] = ()) -> list[str]:
    texts = []
    for one in told:
        for figure in one.figures:
            check_figure(figure)
        assert not re.search(r"\d", words_only(one, names)), words_only(one, names)
        assert one.text[0].isupper() or one.text[0].isdigit() or one.text[0] in "$−"
        assert one.text.endswith(".")
        assert not re.search(r"  | ,|None|nan|\.\.|undefined\b.*undefined|-0\b", one.text), one.text
        texts.append(one.text)
    return texts


@pytest.mark.parametrize("ranged", [False, True])
@pytest.mark.parametrize("sign", SIGNS)
def test_a_result_in_five_sentences(sign: float | None, ranged: bool):
    one = hand_made.result(sign, ranged=ranged)
    told = result.answer(one)
    assert len(told) == 5
    check(told)
    assert len(result.beside(one)) == 3
    check(result.beside(one))
    assert result.beside(hand_made.result(sign, second=False)) == ()
    cells = [cell for sentence in told for figure in sentence.figures for cell in figure.cells]
    for cell in cells:
        table = one.summary if cell.table == "summary" else one.tables[cell.table]
        rows = table.filter(*(pl.col(key) == value for key, value in cell.keys))
        assert rows.height == 1
        assert rows[cell.column][0] == cell.value


@pytest.mark.parametrize(
    ("sign", "ranged", "said"),
    [
        (1.0, False, "acquires 46.0 million H100e of compute, 11.0 million H100e (19%) less than without controls."),
        (-1.0, False, "acquires 68.0 million H100e of compute, 11.0 million H100e (19%) more than without controls."),
        (0.0, False, "acquires 57.0 million H100e of compute, as much as without controls."),
        (1.0, True, "less than without controls (range: 4.40 million H100e to 16.5 million H100e less)."),
        (-1.0, True, "(range: 6.60 million H100e to 18.7 million H100e more)."),
        (None, False, "How much compute the adversary acquires is not known: compute denied is zero or negative."),
    ],
)
def test_compute_by_sign(sign: float | None, ranged: bool, said: str):
    assert said in result.answer(hand_made.result(sign, ranged=ranged))[0].text


def test_a_range_across_zero_names_both_sides():
    one = hand_made.result(1.0)
    wide = one.summary.with_columns(low=pl.lit(-1e7), high=pl.lit(2e6))
    told = result.answer(dataclasses.replace(one, summary=wide))
    assert "(range: 10.0 million H100e less to 2.00 million H100e more)" in told[0].text
    check(told)


def test_what_comes_back_backfilling_and_cost_by_sign():
    less, more, none, unknown = (
        [one.text for one in result.answer(hand_made.result(s))] for s in (1.0, -1.0, 0.0, None)
    )
    assert "73% of that comes back by other routes, above all 10.5 million H100e made at home" in less[1]
    assert "11.0 million H100e stay denied" in less[1]
    assert more[1].startswith("The controls close off no compute")
    assert "ends up with 11.0 million H100e more" in more[1]
    assert none[1].startswith("The controls close off no compute; nothing stays denied")
    assert unknown[1].startswith("How much compute the controls close off is not known")
    assert "fall by $480 billion and others sell $72.0 billion more, 15% of what is lost" in less[2]
    assert none[2].startswith("US sales to the adversary hardly fall")
    assert unknown[2].startswith("How US sales to the adversary change is not known")
    assert less[3].startswith("Third countries lose $15.7 billion and the adversary $47.1 billion")
    assert "and the United States gain $47.1 billion and their allies $15.7 billion, in present value" in less[3]
    assert "their allies gain $13,200 with each H100e denied" in more[3]
    assert none[3].endswith("neither gain nor lose.")
    assert "9.6% more than without controls" in less[4]
    assert "9.6% less than without controls" in more[4]


@pytest.mark.parametrize("rate", [-0.5, 0.0, 0.4, 1.2])
def test_leakage_below_zero_and_above_one(rate: float):
    one = hand_made.result(1.0)
    summary = one.summary.with_columns(
        change=pl.when(pl.col("quantity") == "leakage rate").then(rate).otherwise("change")
    )
    told = result.answer(dataclasses.replace(one, summary=summary))
    check(told)
    said = {
        -0.5: "nothing comes back",
        0.0: "none of it comes back",
        0.4: "40% of that comes back",
        1.2: "(more than was closed off)",
    }
    assert said[rate] in told[1].text


@pytest.mark.parametrize("signs", [(1.0, -1.0), (1.0, 1.0), (1.0, None), (None, None), (0.0, 0.0), (1.0, -1.0, 0.0)])
def test_a_comparison_in_five_sentences(signs: tuple[float | None, ...]):
    both = hand_made.comparison(*signs)
    told = comparison.answer(both)
    assert len(told) == 5
    check(told, both.worlds)
    for figure in (figure for one in told for figure in one.figures):
        for cell in figure.cells:
            rows = both.table.filter(*(pl.col(key) == value for key, value in cell.keys))
            assert rows[cell.column].to_list() == [cell.value]


def test_a_comparison_names_the_ends_and_what_is_not_known():
    texts = [one.text for one in comparison.answer(hand_made.comparison(1.0, -1.0, None))]
    assert "least compute under policy 1: 46.0 million H100e" in texts[0]
    assert "most under policy 2: 68.0 million H100e" in texts[0]
    assert "(not known: policy 3)" in texts[0]
    assert "not known for any" in comparison.answer(hand_made.comparison(None, None))[0].text


@pytest.mark.parametrize("count", [1, 2, 7, 40])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_sweep_in_five_sentences(count: int, sign: float):
    values = [sign * 1e6 * (n + 1) for n in range(count)]
    told = sweep.answer(hand_made.sweep(values, [sign * 100.0 * (n - 2) for n in range(count)]))
    texts = check(told, ("rate", "mode"))
    assert len(told) == 5
    assert ("nine of ten" in texts[1]) == (count >= sweep.FEW)
    if count > 1:
        assert f"there is {'more' if sign > 0 else 'less'}" in texts[2]


def test_a_sweep_with_failures_and_one_without_answers():
    told = sweep.answer(hand_made.sweep([1e6, None, 3e6, 2e6], [-1.0, None, -3.0, -2.0]))
    assert "3 are solved" in told[0].text
    assert "In every scenario the United States lose between $1.00 million and $3.00 million" in told[4].text
    assert sweep.answer(hand_made.sweep([None, None], [None, None]))[-1].text == "No scenario has an answer."


def profile(**levels: float) -> str:
    return ", ".join(f"{who} {level:g}" for who, level in levels.items())


def played(
    *, stable: list[str], tariffs: dict[str, float | None], net: float | None, ranged: bool, offers: float | None
):
    today, asked = profile(NLD=0, JPN=0), profile(NLD=1, JPN=1)
    rows = [
        ("equilibria", "", float(len(stable)), None, None, "count", "; ".join(stable)),
        (
            "moves from today",
            "",
            1.0,
            None,
            None,
            "count",
            f"{profile(NLD=0.5, JPN=0)}: Nobody wants to move any more.",
        ),
    ]
    for others in ("others as today", "others as asked"):
        for who, rate in tariffs.items():
            note = "none up to 100%: the loss saturates" if rate is None else ""
            ends = (rate / 2, rate * 2) if ranged and rate else (None, None)
            rows.append((f"deterring tariff, {others}", who, rate, *ends, "share of the price", note))
            rows.append(
                (f"deterring offer, {others}", who, offers, None, None, "million USD a year", "without a threat")
            )
    rows.append((f"threat carried out at {today}", "USA", net and net / 3, None, None, "share of GDP", "It costs."))
    rows.append((f"the same without terms of trade, at {today}", "USA", net, None, None, "share of GDP", ""))
    schema = {
        "quantity": pl.String,
        "where": pl.String,
        "value": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
        "unit": pl.String,
        "note": pl.String,
    }
    return type(
        "Game",
        (),
        {
            "players": ("NLD", "JPN"),
            "profiles": (today, asked),
            "summary": pl.DataFrame(rows, schema=schema, orient="row"),
        },
    )()


@pytest.mark.parametrize("ranged", [False, True])
@pytest.mark.parametrize("net", [-0.0007, 0.0007, 0.0, None])
@pytest.mark.parametrize("stable", [[], ["NLD 1, JPN 1"], ["NLD 0, JPN 0", "NLD 0.5, JPN 1"]])
def test_a_game_in_five_sentences(stable: list[str], net: float | None, ranged: bool):
    one = played(stable=stable, tariffs={"NLD": 0.62, "JPN": None}, net=net, ranged=ranged, offers=1283.6)
    told = game.answer(one)
    texts = check(told)
    assert len(texts) == 5
    assert ("There is one equilibrium, at which nobody wants to move: everybody aligns as asked." in texts[0]) == (
        len(stable) == 1
    )
    assert "the Netherlands 62%" in texts[2]
    assert "Japan none" in texts[2]
    assert ("(range: 31% to 124%)" in texts[2]) == ranged
    assert "$1.28 billion a year to the Netherlands" in texts[3]
    verb = {
        -0.0007: "costs the United States 0.07% of GDP",
        0.0007: "brings the United States 0.07% of GDP",
        0.0: "costs the United States nothing",
    }
    assert verb.get(net, "is not known") in texts[4]


def test_a_game_in_which_nothing_is_needed_or_known():
    free = game.answer(
        played(stable=["NLD 1, JPN 1"], tariffs={"NLD": 0.0, "JPN": 0.0}, net=-1e-4, ranged=False, offers=0.0)
    )
    assert "the Netherlands none needed" in free[2].text
    assert "no offer is needed" in free[3].text
    lost = game.answer(
        played(stable=["NLD 1, JPN 1"], tariffs={"NLD": 0.1, "JPN": 0.1}, net=-1e-4, ranged=False, offers=None)
    )
    assert "is not known" in lost[3].text


@pytest.mark.parametrize("along", [True, False])
def test_a_design_in_five_sentences(along: bool):
    told = design.answer(made(along))
    texts = check(told, ("checks", "coverage"))
    assert len(texts) == 4 + along
    assert texts[0] == "The best package has most compute denied: 3.00 million H100e."
    assert "where another $1 billion would allow 80.0 thousand H100e" in texts[2]
    if along:
        assert (
            "cost goes from $20.0 billion to $40.0 billion, compute denied goes from 1.00 million H100e to 3.00 million H100e"
            in texts[4]
        )


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (11_434_930.6, "H100e", "11.4 million H100e"),
        (-31402.2, "million USD", "−$31.4 billion"),
        (0.7314, "share of gross denial", "73%"),
        (-0.00068, "share of GDP", "−0.068% of GDP"),
        (13190.7, "USD per H100e", "$13,200 per H100e"),
        (4899.8, "million USD of 2022", "$4.90 billion"),
        (1177.5, "million USD a year", "$1.18 billion a year"),
        (0.0, "H100e", "0 H100e"),
        (3.112, "ratio", "3.11"),
        (12.0, "count", "12"),
    ],
)
def test_amounts_as_people_write_them(value: float, unit: str, words: str):
    assert amount(value, unit) == words


def test_other_words():
    assert [per_cent(x) for x in (0.05, 0.0965, 1.053, 0.0, -0.02)] == ["5%", "9.7%", "105%", "0%", "−2%"]
    assert [plain(x) for x in (0.5, 2.0, 1200.0, 0.0333333)] == ["0.5", "2", "1,200", "0.03333"]
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert (years("2022-2030"), years("2030")) == ("from 2022 to 2030", "in 2030")
