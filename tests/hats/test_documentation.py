"""The page on a person's own tables is run as written, top to bottom."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import backfill
from backfill.cli import main


def test_every_block_of_the_page_runs(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    page = (repository / "docs" / "your-own-data.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.S)
    assert len(blocks) == 5
    (tmp_path / "docs").symlink_to(repository / "docs")
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for block in blocks:
        exec(block, names)
    hats = dict(names["world"].welfare.iter_rows())
    assert hats["China"] < 1
    assert hats["United States"] < 1
    assert hats["Rest of the world"] > 1
    assert np.isclose(names["change"]["percent"].min(), 100 * (min(hats.values()) - 1))
    html = (tmp_path / "welfare.html").read_text(encoding="utf-8")
    assert "A tariff war in electronics" in html
    assert "cdn.jsdelivr" not in html.split("<body>")[-1]
    capsys.readouterr()
    check, run = re.findall(r"```sh\nbackfill (.*?)\n```", page)
    assert main(check.split()) == 0
    assert "5 regions, 3 products" in capsys.readouterr().out
    assert main([*run.split(), "--quiet"]) == 0
    result = backfill.load_result(tmp_path / "results" / "control")
    assert result.checks["converged"] == 1
    rates = result.summary.filter(pl.col("quantity").str.starts_with("backfill rate of electronics by "))
    assert rates["change"].is_not_null().sum() == rates.height == 3
    sold = result.tables["exports"].filter(
        pl.col("origin") == "United States", pl.col("destination") == "China", pl.col("product") == "electronics",
        pl.col("period") == "2023", pl.col("quantity") == "volume",
    )  # fmt: skip
    values = dict(sold.select("scenario", "value").iter_rows())
    assert 0.25 < values["control"] / values["no-controls"] < 0.35
