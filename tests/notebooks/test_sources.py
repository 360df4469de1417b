"""Notebooks agree with their sources, and no figure stands in their prose that is not computed."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import jupytext
import pytest

from tests.notebooks.pair import NOTEBOOKS, paired, sources

QUESTIONS = 10
NO_PROSE = (
    re.compile(r"`[^`]*`"),  # code
    re.compile(r"\$\$.*?\$\$|\$[^$]*\$", re.S),  # equations
    re.compile(r"\]\([^)]*\)"),  # where links lead
    re.compile(r"\b(?:19|20)\d\d\b"),  # years
)
FIGURE = re.compile(r"(?<![A-Za-z\d])\d[\d.,]*\s*%?")


def figures(markdown: str) -> list[str]:
    """Figures typed in prose; names such as H100e are none."""
    for pattern in NO_PROSE:
        markdown = pattern.sub(" ", markdown)
    return FIGURE.findall(markdown)


def cells(source: Path, kind: str) -> list[str]:
    """Cells of a kind."""
    return [cell.source for cell in jupytext.read(source).cells if cell.cell_type == kind]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("In 2030 an H100e, `x = 3`, $x^2$ and [this](03_x.ipynb)", []),
        ("falls by 43 million", ["43 "]),
        ("12% and 1,000.5", ["12%", "1,000.5"]),
    ],
)
def test_figures_are_told_from_names_and_years(text: str, found: list[str]):
    assert figures(text) == found


def test_there_is_a_notebook_for_every_question():
    assert [source.stem[:2] for source in sources()] == [f"{n:02d}" for n in range(1, QUESTIONS + 1)]
    assert {path.stem for path in NOTEBOOKS.glob("*.ipynb")} == {source.stem for source in sources()}


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.stem)
def test_a_notebook_is_its_source_without_outputs(source: Path):
    written = source.with_suffix(".ipynb").read_text(encoding="utf-8")
    assert written == paired(source), "run python -m tests.notebooks.pair"


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.stem)
def test_it_asks_a_question_and_types_no_figure(source: Path):
    prose = cells(source, "markdown")
    assert prose[0].splitlines()[0].endswith("?")
    assert {text: found for text in prose if (found := figures(text))} == {}


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.stem)
def test_every_sentence_stands_on_a_check_that_can_fail(source: Path):
    calls = [
        node
        for text in cells(source, "code")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "says"
    ]
    assert len(calls) >= 2
    assert not any(isinstance(call.args[0], ast.Constant) for call in calls)
    typed = [
        part.value
        for call in calls
        for part in ast.walk(call.args[1])
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and figures(part.value)
    ]
    assert [text for text in typed if not text.startswith((".", ":", ","))] == []


def test_a_sentence_that_no_longer_holds_fails(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(NOTEBOOKS)
    from told import Figure, says  # type: ignore[import-not-found]

    assert f"{Figure(43e6, 'H100e')}" == "43 million H100e"
    assert f"{abs(Figure(-2.5, 'H100e')):.1f}" == "2.5"
    with pytest.raises(AssertionError, match="no longer so: less"):
        says(2 < 1, "less")
