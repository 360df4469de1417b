"""Notebooks as JupyterLab opens them, from their sources: ``python -m tests.notebooks.pair`` after a source was changed.

The sources (``notebooks/*.py``) are the truth; the ``.ipynb`` beside each has the same cells and no outputs.
"""

from __future__ import annotations

from pathlib import Path

import jupytext
import nbformat

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def sources() -> list[Path]:
    """Sources of the notebooks in their order."""
    return sorted(NOTEBOOKS.glob("[0-9]*.py"))


def paired(source: Path) -> str:
    """The notebook of a source as a file's text, the same every time."""
    read = jupytext.read(source)
    cells = []
    for n, cell in enumerate(read.cells):
        make = nbformat.v4.new_markdown_cell if cell.cell_type == "markdown" else nbformat.v4.new_code_cell
        cells.append(make(cell.source, id=f"cell-{n + 1:02d}"))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return nbformat.writes(nbformat.v4.new_notebook(cells=cells, metadata=metadata), version=4) + "\n"


def main() -> None:
    """Write all of them."""
    for source in sources():
        source.with_suffix(".ipynb").write_text(paired(source), encoding="utf-8")


if __name__ == "__main__":
    main()
