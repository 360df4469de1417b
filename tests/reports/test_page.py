"""The page: one file that loads nothing, valid, in order, with words for who does not see; and the command that writes it."""

from __future__ import annotations

import datetime as dt
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tinyhtml5.parser import HTMLParser as Strict

from backfill.charts import catalogue
from backfill.cli import main
from backfill.experiments.beside import SideBySide
from backfill.reports import make
from backfill.reports.page import is_report, page
from backfill.reports.parts import Report
from tests.design.test_result import made
from tests.effects.test_results import make as effects
from tests.reports import hand_made

LOADING = {
    "script": ("src",),
    "link": ("href",),
    "img": ("src", "srcset"),
    "iframe": ("src",),
    "object": ("data",),
    "embed": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "audio": ("src",),
    "track": ("src",),
    "input": ("src",),
    "image": ("href", "xlink:href"),
    "use": ("href", "xlink:href"),
    "base": ("href",),
    "form": ("action",),
}


class Read(HTMLParser):
    """Elements in order, each with attributes, and the text of styles and headings."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.headings: list[tuple[int, str]] = []
        self.styles, self.text, self._in = "", "", ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs) -> None:
        self._in = tag
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in == "style":
            self.styles += data
        elif self._in != "script":
            self.text += data
            if re.fullmatch("h[1-6]", self._in):
                self.headings[-1] = (self.headings[-1][0], self.headings[-1][1] + data)

    def named(self, tag: str) -> list[dict[str, str]]:
        return [attrs for name, attrs in self.elements if name == tag]


FEW = {name: catalogue.OF_RESULT[name] for name in ("compute-by-route", "waterfall")}


@pytest.fixture(scope="module")
def drawn() -> Report:
    """The report of a small result with two of its charts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "charts_of", lambda thing: FEW)
        return make.of_result(effects(second=True), "results/control")


@pytest.fixture(scope="module")
def reports(drawn: Report) -> dict[str, Report]:
    """A report of each kind; only the result has charts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "charts_of", lambda thing: {})
        both = hand_made.comparison(1.0, -1.0)
        side = SideBySide(both.reference, both.worlds, both.table)
        many = hand_made.sweep([1e6, None, 2e6], [-1.0, None, 3.0])
        many.provenance, many.file, many.name, many.total = {}, 'name = "many"\n', "many", 5
        return {
            "result": drawn,
            "signs": make.of_result(hand_made.result(-1.0, ranged=True), "results/mine"),
            "unknown": make.of_result(hand_made.result(None), "results/mine"),
            "comparison": make.of_comparison(side, both.results, ["a", "b"]),
            "design": make.of_design(made(), "results/mine-design"),
            "sweep": make.of_sweep(many, "results/many-sweep"),
        }


KINDS = ("result", "signs", "unknown", "comparison", "design", "sweep")


@pytest.fixture(scope="module")
def pages(reports: dict[str, Report]) -> dict[str, str]:
    return {kind: page(report) for kind, report in reports.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_loaded_from_anywhere(pages: dict[str, str], kind: str):
    read = Read(pages[kind])
    for tag, attrs in read.elements:
        for name in LOADING.get(tag, ()):
            assert not attrs.get(name) or re.match(r"(data:|#)", attrs[name]), (tag, attrs)
        assert "url(" not in attrs.get("style", "").replace("url(#", "")
        assert not any(name.startswith("on") for name in attrs)
    assert not re.search(r"@import|url\((?!['\"]?(#|data:))", read.styles)
    policy = next(one["content"] for one in read.named("meta") if one.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assert "connect-src" not in policy  # that of default-src, which is nothing


@pytest.mark.parametrize("kind", KINDS)
def test_html_is_valid_and_in_order(pages: dict[str, str], kind: str):
    text = pages[kind]
    parser = Strict()
    parser.parse(text.encode(), transport_encoding="utf-8")
    assert [error for error in parser.errors if "svg" not in str(error)] == []
    read = Read(text)
    assert read.named("html")[0]["lang"] == "en"
    assert [len(read.named(tag)) for tag in ("h1", "main", "nav", "header", "footer", "title")] == [1, 1, 1, 1, 1, 1]
    levels = [level for level, _ in read.headings]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False)), read.headings
    assert all(words.strip() for _, words in read.headings)
    ids = [attrs["id"] for _, attrs in read.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    for one in read.named("a"):
        assert one["href"].startswith("data:") or one["href"].removeprefix("#") in ids
    for _, attrs in read.elements:
        assert attrs.get("aria-labelledby", ids[0]) in ids
    assert read.elements[[tag for tag, _ in read.elements].index("body") + 1][1]["href"] == "#answer"


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_says_the_sentences_and_their_numbers(pages: dict[str, str], reports: dict[str, Report], kind: str):
    read, report = Read(pages[kind]), reports[kind]
    told = [*report.answer, *(report.beside[1] if report.beside else ())]
    whole = " ".join(read.text.split())
    for one in told:
        assert " ".join(one.text.split()) in whole
    values = [float(one["value"]) for one in read.named("data")]
    assert values == pytest.approx([figure.value for one in told for figure in one.figures], rel=1e-9)


def test_every_chart_has_words_a_table_and_a_drawing(pages: dict[str, str], drawn: Report):
    read = Read(pages["result"])
    assert [one.name for one in drawn.drawings] == [f"chart-{name}" for name in FEW]
    assert len(read.named("figure")) == len(drawn.drawings)
    assert len([one for one in read.named("div") if one.get("role") == "img" and len(one["aria-label"]) > 40]) == len(
        drawn.drawings
    )
    for one in drawn.drawings:
        assert one.table.rows, one.name
        assert one.svg.startswith("<svg")
        assert one.title
    assert [name for name, _ in drawn.drawings[0].series][:2] == ["from the US", "from US allies"]


def test_text_of_files_cannot_leave_its_place(pages: dict[str, str]):
    text = pages["signs"]
    assert "Mine &amp; &lt;yours&gt;" in text
    assert "Tools &lt;/script&gt;" in text
    assert "<yours>" not in text


def test_checks_are_said_in_words(reports: dict[str, Report]):
    told = {check.what: check.verdict for check in reports["signs"].checks}
    assert told["Every world is solved"] == "passed"
    assert told["Another round of markets and suppliers changes nothing"] == "not passed"


def test_assumptions_carry_range_grade_and_source(reports: dict[str, Report]):
    report = reports["signs"]
    rows = {row[-1]: row for row in report.assumptions.rows}
    assert rows["discount_factor"][1:5] == ("0.94", "0.9 to 0.97", "per year", "assumed")
    assert rows["my <own> & only"][2] == ""
    assert report.grades == "Of 3 parameters 1 is derived from published figures by arithmetic and 2 are assumed."


def test_what_was_asked_stands_in_words(reports: dict[str, Report]):
    (one,) = reports["signs"].questions
    (measure,) = one.own
    assert measure.what == "The United States stop sales of chipmaking tools to China, for 80% of buyers."
    assert measure.when == "from 1 January 2026"
    assert one.span == "2022 to 2030"


def test_every_kind_of_measure_has_words():
    import tomllib

    from backfill.policy.kinds import kinds
    from backfill.reports.asked import _KINDS, asked

    assert set(_KINDS) == set(kinds())
    for name, kind in kinds().items():
        told = asked({"kind": name, **tomllib.loads(kind.example)}).what
        assert not told.lower().startswith(f"{name.replace('_', ' ')}: "), told
        assert "None" not in told
        assert told.endswith(".")


def test_a_measure_says_whose_place_it_takes():
    from backfill.reports.asked import when

    dated = {"from": dt.date(2026, 7, 1), "supersedes": ["One rule", "Another"]}
    assert when(dated) == "from 1 July 2026; takes the place of One rule, Another"
    assert when({**dated, "supersedes": []}) == "from 1 July 2026"


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two results under ``results``; nothing is drawn."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("backfill.charts.overview.page", lambda one: "")
    monkeypatch.setattr(catalogue, "charts_of", lambda thing: {})
    for name in ("strict", "loose"):
        hand_made.result(1.0).write(f"results/{name}")
    return tmp_path


def test_the_command_writes_a_page_into_the_folder_and_again(written: Path, capsys: pytest.CaptureFixture[str]):
    for _ in range(2):
        assert main(["report", "strict"]) == 0
        assert capsys.readouterr().out.splitlines() == [
            "wrote results/strict/report.html",
            "open results/strict/report.html in a browser",
        ]
    assert is_report(Path("results/strict/report.html").read_text())
    hand_made.result(1.0).write("results/strict")  # a result with a report may be replaced
    assert not Path("results/strict/report.html").exists()


def test_mistakes_are_told_at_once_and_write_nothing(written: Path, capsys: pytest.CaptureFixture[str]):
    def refused(*words: str) -> list[str]:
        assert main(["report", *words]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        return err.splitlines()

    (line,) = refused("strikt")
    assert line.startswith("strikt: no such folder, nor a result under results")
    assert "strict" in line
    assert len(refused("nothing", "nowhere")) == 2
    Path("notes.html").write_text("mine")
    assert refused("strict", "--out", "notes.html") == [
        "notes.html: exists and is no report; name another file with --out"
    ]
    assert refused("strict", "--out", "away/x.html")[0].startswith("away/x.html: is in a folder that does not exist")
    assert refused("strict", "--out", "x.txt")[0].startswith("x.txt: is no name of a page")
    Path("empty").mkdir()
    assert "holds nothing to report" in refused("empty")[0]
    assert "takes the folder" in refused()[0]
    assert Path("notes.html").read_text() == "mine"
    assert {one.name for one in written.iterdir()} == {"results", "notes.html", "empty"}


def test_a_pdf_needs_a_browser_and_says_so(
    written: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("backfill.reports.pdf.browser", lambda: None)
    assert main(["report", "strict", "--pdf"]) == 2
    assert "needs Chromium or Chrome, and none is found" in capsys.readouterr().err
    assert not Path("results/strict/report.html").exists()


def test_a_report_needs_neither_solver_nor_jax(written: Path):
    import subprocess
    import sys

    code = (
        "import sys; from backfill.charts import catalogue as c; c.charts_of = lambda thing: {}\n"
        "from backfill.cli import main; code = main(['report', 'strict', '--quiet'])\n"
        "print(code, [name for name in ('jax', 'pyomo', 'highspy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "[]"]


def test_numbers_of_tables_are_written_as_in_sentences(reports: dict[str, Report]):
    table = reports["signs"].numbers[0]
    assert "range of the change" in table.head
    row = next(row for row in table.rows if row[0] == "compute acquired" and row[2] == "2022–2030")
    assert row[3:7] == (
        "57.0 million H100e",
        "68.0 million H100e",
        "11.0 million H100e",
        "6.60 million H100e to 18.7 million H100e",
    )
