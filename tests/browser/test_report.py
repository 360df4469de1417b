"""The report as people open it: without a network, by pointer and by keyboard, narrow and wide, on screen and on paper."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from backfill.charts import catalogue
from backfill.reports import make
from backfill.reports.page import page
from backfill.reports.pdf import print_page
from tests.browser.conftest import READY_MS, Opened
from tests.charts.conftest import comparison, game, ranged, result, sweep  # noqa: F401 (fixtures)
from tests.design.test_result import made

pytestmark = pytest.mark.browser

KINDS = ("result", "comparison", "game", "design", "sweep")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, ranged, comparison, game, sweep) -> Path:  # noqa: F811
    """Reports of every kind, each with all its charts."""
    root = tmp_path_factory.mktemp("reports")
    many = SimpleNamespace(**vars(sweep), file='name = "many"\n', name="many", total=18)
    reports = {
        "result": make.of_result(ranged, "results/mine"),
        "comparison": make.of_comparison(comparison, {}, ("one", "two")),
        "game": make.of_game(game, "results/mine-game"),
        "design": make.of_design(made(), "results/mine-design"),
        "sweep": make.of_sweep(many, "results/many-sweep"),
    }
    for name, report in reports.items():
        (root / f"{name}.html").write_text(page(report), encoding="utf-8")
    return root


@pytest.fixture
def shown(open_page, folder: Path):
    """Opens a report and waits until its charts are drawn."""

    def show(kind: str = "result", **options) -> Opened:
        one = open_page(folder / f"{kind}.html", **options)
        one.page.wait_for_function("document.documentElement.dataset.ready === 'yes'", timeout=READY_MS)
        return one

    return show


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_network_nothing_fails_and_charts_are_drawn(shown, kind: str):
    one = shown(kind)
    assert (one.failed, one.asked, one.errors) == ([], [], [])
    figures = one.page.locator("figure.chart")
    assert figures.count() >= 2
    assert one.page.locator("figure.chart[data-drawn=yes]").count() == figures.count()
    for n in range(figures.count()):
        box = figures.nth(n).locator(".plot svg").bounding_box()
        assert box
        assert box["width"] > 200
        assert box["height"] > 60


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_serious(shown, kind: str, width: int):
    one = shown(kind, width=width)
    one.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert one.axe() == []


@pytest.mark.parametrize("width", [360, 640, 800, 1280])
def test_nothing_is_wider_than_the_window(shown, width: int):
    one = shown(width=width)
    assert one.page.evaluate("document.documentElement.scrollWidth") <= width
    wide = one.page.evaluate(
        """width => [...document.querySelectorAll("main *")].filter(one => !one.closest(".scroll, pre, .unseen")
           && one.getBoundingClientRect().right > width + 1).map(one => one.outerHTML.slice(0, 80))""",
        width,
    )
    assert wide == []


def test_the_pointer_reads_numbers(shown):
    one = shown()
    bar = one.page.locator("#chart-compute-by-route .mark-rect path").last
    bar.scroll_into_view_if_needed()
    bar.hover()
    tip = one.page.locator("#vg-tooltip-element.visible")
    tip.wait_for(timeout=5000)
    assert "route" in tip.inner_text()
    assert any(letter.isdigit() for letter in tip.inner_text())


def _opacities(one: Opened) -> list[float]:
    return one.page.evaluate(
        """() => [...document.querySelectorAll("#chart-compute-by-route .mark-rect path")]
           .map(path => parseFloat(path.getAttribute("opacity") ?? "1"))"""
    )


def test_a_series_stands_out_when_it_is_picked(shown):
    one = shown()
    assert set(_opacities(one)) == {1.0}
    button = one.page.locator("#chart-compute-by-route .legend button").first
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    one.page.wait_for_function(
        "document.querySelector('#chart-compute-by-route .mark-rect path[opacity=\"0.12\"]') !== null"
    )
    assert 1.0 in _opacities(one)
    button.focus()
    one.page.keyboard.press("Space")
    assert button.get_attribute("aria-pressed") == "false"
    one.page.wait_for_function(
        "document.querySelector('#chart-compute-by-route .mark-rect path[opacity=\"0.12\"]') === null"
    )


def test_the_keyboard_reaches_everything_and_shows_where_it_is(shown):
    one = shown()
    page_ = one.page
    page_.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    wanted = page_.evaluate(
        """() => { const every = [...document.querySelectorAll("a[href], button, summary, [tabindex='0']")];
           every.forEach((one, n) => one.dataset.stop = n); return every.length; }"""
    )
    reached, hidden = set(), []
    for _ in range(wanted + 5):
        page_.keyboard.press("Tab")
        at = page_.evaluate(
            """() => { const one = document.activeElement, style = getComputedStyle(one);
               const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
               return { stop: one.dataset.stop, seen, html: one.outerHTML.slice(0, 80) }; }"""
        )
        if at["stop"] is not None:
            reached.add(at["stop"])
            if not at["seen"]:
                hidden.append(at["html"])
    assert len(reached) == wanted
    assert hidden == []


def test_the_first_stop_leads_to_the_answer(shown):
    one = shown()
    one.page.keyboard.press("Tab")
    assert one.page.evaluate("document.activeElement.textContent") == "Skip to the answer"
    assert one.page.locator(".skip").bounding_box()["y"] >= 0
    one.page.keyboard.press("Enter")
    assert one.page.evaluate("location.hash") == "#answer"


def test_a_chart_opens_its_table_by_keyboard(shown):
    one = shown()
    summary = one.page.locator("#chart-waterfall summary")
    summary.focus()
    one.page.keyboard.press("Enter")
    assert one.page.locator("#chart-waterfall table tbody tr").first.is_visible()


def test_without_scripts_drawings_of_the_file_stand(open_page, folder: Path):
    text = (folder / "result.html").read_text(encoding="utf-8")
    standing = re.findall(r'<div class="plot" role="img" aria-label="[^"]+"><svg [^>]*viewBox', text)
    assert len(standing) == text.count("<figure ") >= 2


def test_motion_is_still_where_it_is_not_wanted(shown):
    one = shown(reduced_motion="reduce")
    assert one.page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


def test_it_prints(folder: Path, tmp_path: Path):
    target = tmp_path / "report.pdf"
    print_page(folder / "result.html", target)
    body = target.read_bytes()
    assert body.startswith(b"%PDF")
    assert len(body) > 30_000
    if shutil.which("pdftotext"):
        text = subprocess.run(["pdftotext", str(target), "-"], capture_output=True, text=True, check=True).stdout
        assert "The answer" in text
        assert "Assumptions and their grades" in text


def test_every_kind_of_chart_there_is_is_drawn_somewhere(folder: Path):
    every = {
        name
        for part in (catalogue.OF_RESULT, catalogue.OF_GAME, catalogue.OF_DESIGN, catalogue.OF_SWEEP)
        for name in part
    }
    drawn = {
        name
        for kind in KINDS
        for name in every
        if f'id="chart-{name}"' in (folder / f"{kind}.html").read_text(encoding="utf-8")
    }
    assert every - drawn <= {"tornado", "exports-map", "flows", "flow-bands"}  # what these small economies lack
