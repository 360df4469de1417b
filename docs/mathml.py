"""Equations as MathML, which browsers draw without a script or a network."""

from __future__ import annotations

from docutils import nodes
from latex2mathml.converter import convert


def visit_inline(writer, node: nodes.math) -> None:
    """An equation within a line."""
    writer.body.append(convert(node.astext()))
    raise nodes.SkipNode


def visit_equation(writer, node: nodes.math_block) -> None:
    """An equation that stands by itself, to be read aloud as it is written."""
    label = node.astext().replace('"', "&quot;")
    writer.body.append(
        f'<div class="equation" role="math" aria-label="{label}">{convert(node.astext(), display="block")}</div>'
    )
    raise nodes.SkipNode
