"""The page on a person's own tables is run as written, top to bottom."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from backfill.cli import main


def test_every_block_of_the_page_runs(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    page = (repository / "docs" / "your-own-data.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.S)
    assert len(blocks) == 4
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
    command = re.findall(r"```sh\nbackfill (.*?)\n```", page)[0]
    assert main(command.split()) == 0
    assert "5 regions, 3 products" in capsys.readouterr().out
