"""The description tells coverage, grades and what balancing moved."""

from __future__ import annotations

import pytest

from backfill.economy.describe import describe
from backfill.economy.schema import GRADES
from backfill.economy.tables import BaselineTables


def test_shares_by_grade_sum_to_one_for_every_product(tables: BaselineTables):
    grades = describe().grades
    assert grades["product"].to_list() == tables.products["product"].to_list()
    assert grades.select(GRADES).sum_horizontal().to_list() == pytest.approx([1.0] * grades.height)
    assert (grades["world"] > 0).all()


def test_largest_adjustments_come_first_and_all_exceed_a_twentieth():
    moved = describe().adjustments
    size = (moved["after_musd"] - moved["before_musd"]).abs().to_list()
    assert size == sorted(size, reverse=True)
    assert moved["change"].abs().min() > 0.05


def test_the_text_names_products_tables_and_adjustments(tables: BaselineTables):
    text = "\n".join(describe().lines())
    assert all(product in text for product in tables.products["product"])
    assert "compute_use" in text
    assert "moved by more than 5%" in text
