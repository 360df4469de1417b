"""The page on measures and the README's table name what there is."""

from __future__ import annotations

import re
from pathlib import Path

from backfill.policy.kinds import kinds, sentence
from backfill.policy.library import shipped_names


def test_the_page_lists_every_kind_with_its_sentence(repository: Path):
    text = (repository / "docs" / "measures.md").read_text()
    listed = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", text, re.M))
    assert listed == {name: sentence(measure) for name, measure in kinds().items()}


def test_the_table_of_principles_names_kinds_and_experiments_that_exist(repository: Path):
    text = (repository / "README.md").read_text()
    rows = re.findall(r"^\| (.+) \| (.*) \| (.+) \|$", text[text.index("| principle |") :].split("\n\n")[0], re.M)[1:]
    measures = {name for _, cell, _ in rows for name in re.findall(r"`(\w+)`", cell)} - {"subsystems", "tools"}
    shipped = {name for *_, cell in rows for name in re.findall(r"`([\w-]+)`", cell)}
    assert measures == set(kinds())
    assert shipped | {"no-controls", "current-policy"} == set(shipped_names())
