"""Figures in README and pages are those that are stored, and what is said of them holds."""

from __future__ import annotations

import datetime as dt
from importlib.util import find_spec
from pathlib import Path

import pytest

from backfill.experiments.ranges import PARAMETERS
from tests import refresh
from tests.docs import stored
from tests.docs.pictures import CAPTIONS, dated
from tests.docs.stated import MEANT, PAGES, SENTENCES, Block, Sentence, grades, table, written

AGAIN = "run python -m tests.docs.refresh"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_what_is_stored(page: str, repository: Path):
    text = (repository / page).read_text(encoding="utf-8")
    now, wrong = written(page, text)
    assert wrong == []
    apart = [pair for pair in zip(text.splitlines(), now.splitlines(), strict=False) if pair[0] != pair[1]]
    assert text == now, f"{AGAIN}; page and stored: {apart}"


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda one: one.words[:40])
def test_what_is_claimed_beside_the_figures_holds(sentence: Sentence):
    assert sentence.holds()


def test_figures_are_written_where_they_stand_and_lines_stay():
    one = Sentence("x.md", "Of {:.0f} units {:.1f}% are\nlost, {:,.0f} USD.", lambda: [42.4, 3.14159, -12345.6])
    page = "Before.\nOf 1 units 99% are lost,\n7 USD. After 5."
    assert one.written(page) == "Before.\nOf 42 units 3.1% are lost,\n-12,346 USD. After 5."
    with pytest.raises(ValueError, match="stands there 0 times"):
        one.written("Of 1 unit 99% are lost, 7 USD.")
    with pytest.raises(ValueError, match="stands there 2 times"):
        one.written(page + page)


def test_a_block_is_written_between_its_comments():
    one = Block("x.md", "things", lambda: table(("a", "b"), [("1", "2")]))
    begin, end = one.marks
    assert one.written(f"x\n{begin}\nold\n{end}\ny") == f"x\n{begin}\n| a | b |\n| --- | --- |\n| 1 | 2 |\n{end}\ny"
    with pytest.raises(ValueError, match="once each"):
        one.written(f"x {end} y {begin}")


def test_all_products_and_parameters_have_their_words():
    assert set(MEANT) == set(PARAMETERS)
    assert len(grades()) == 2 + 9
    assert set(stored.ranges()["parameter"]) == set(PARAMETERS)


def test_stored_ranges_are_of_the_expected_changes():
    """Ranges were computed of the summary that is expected."""
    for row in stored.ranges().filter(rank=1).iter_rows(named=True):
        wanted = stored.expected(stored.RANGED, row["quantity"], row["where"], period=row["period"])
        assert row["central"] == pytest.approx(wanted, rel=1e-6), row["quantity"]


def test_pictures_say_of_which_day_they_are():
    for page in CAPTIONS:
        assert "run on 1 March 2027" in dated(page.read_text(encoding="utf-8"), dt.date(2027, 3, 1))
    with pytest.raises(ValueError, match="0 captions"):
        dated("A picture.", dt.date(2027, 3, 1))


def test_everything_stored_is_rewritten_by_a_part(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert all(find_spec(module) for module in refresh.PARTS.values())
    ran: list[str] = []

    def run(command: list[str], cwd: Path):
        ran.append(command[-1])
        return type("Done", (), {"returncode": int(command[-1] == refresh.PARTS["games"])})

    monkeypatch.setattr(refresh.subprocess, "run", run)
    assert refresh.main(["sweeps", "gmaes"]) == 2
    assert "gmaes: no such part" in capsys.readouterr().err
    assert ran == []
    assert refresh.main(["stated", "games"]) == 1
    assert ran == [refresh.PARTS["games"], refresh.PARTS["stated"]]
    assert "to run again: python -m tests.refresh games" in capsys.readouterr().err


@pytest.mark.slow
def test_what_is_measured_is_what_the_model_says():
    from tests.docs.measured import measure

    found = measure()
    assert found.keys() == stored.measured().keys()
    assert found == pytest.approx(stored.measured(), rel=1e-6)
