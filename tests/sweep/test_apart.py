"""What is told of two files that are not the same."""

from __future__ import annotations

import tomllib

import pytest

from backfill.experiments.sweep.apart import apart

FILE = """
title = "Before"
[sweep]
chunk = 4
[[sweep.levers]]
measure = ["Duty", "Other duty"]
field = "rate"
low = 0.0
[[measures]]
name = "Duty"
rate = 0.1
by = ["USA"]
[[measures]]
name = "Quota"
amount = 3
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("chunk = 4", "chunk = 5", "sweep.chunk: 4 there, 5 here"),
        ("chunk = 4", "", "sweep.chunk: 4 there, nothing here"),
        ("low = 0.0", "low = 0.5", 'sweep.levers "Duty Other duty rate".low: 0.0 there, 0.5 here'),
        ('by = ["USA"]', 'by = ["EUU"]', """measures "Duty".by: ['USA'] there, ['EUU'] here"""),
        ('name = "Quota"', 'name = "Cap"', 'measures "Quota": something there, nothing here; measures "Cap": nothing there, '),
        ('title = "Before"', 'title = "After"', 'title: "Before" there, "After" here'),
        (FILE[FILE.index("[[measures]]") :], "", 'measures "Duty": something there, nothing here; measures "Quota": something'),
        ('title = "Before"', f'title = "{90 * "x"}"', f'title: "Before" there, "{59 * "x"}... here'),
        ("", "", ""),
    ],
)
def test_differences_are_told_by_key(old: str, new: str, told: str):
    found = apart(tomllib.loads(FILE), tomllib.loads(FILE.replace(old, new, 1)))
    assert found.startswith(told)
    assert bool(found) == bool(told)


def test_three_are_told_and_the_others_counted():
    now = dict.fromkeys("abcde", 2)
    assert apart(dict.fromkeys("abcde", 1), now).endswith("c: 1 there, 2 here and 2 more")


def test_order_of_measures_of_one_name_each_makes_no_difference():
    one, other = {"name": "A", "rate": 1}, {"name": "B", "rate": 2}
    assert apart({"measures": [one, other]}, {"measures": [other, one]}) == ""
