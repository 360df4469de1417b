"""The page that opens without a network."""

from __future__ import annotations

import json
import re

import altair as alt
import pytest

from backfill.charts import offline


@pytest.fixture
def drawn() -> alt.Chart:
    return alt.Chart(alt.Data(values=[{"a": "</script><b>", "b": 2}])).mark_bar().encode(x="a:N", y="b:Q")


def test_page_holds_the_chart_and_the_scripts_that_draw_it(drawn: alt.Chart):
    page = offline.page_of(drawn, "A & B")
    head, body = page.rsplit("<body>", 1)
    assert "<title>A &amp; B</title>" in head
    assert len(head) > 500_000
    written = re.search(r'vegaEmbed\("#chart", (.*), \{"mode": "vega-lite"\}\)', body)
    assert written is not None
    assert json.loads(written[1]) == drawn.to_dict()


def test_text_in_data_cannot_end_the_script(drawn: alt.Chart):
    body = offline.page_of(drawn, "").rsplit("<body>", 1)[1]
    assert body.count("</script>") == 1


def test_scripts_are_those_of_altair_own_page(drawn: alt.Chart):
    own = drawn.to_html(inline=True)
    assert offline.javascript() in own
