"""The filters of templates, and the form in which they write values."""

from __future__ import annotations

import ast

from scaffold import prose
from scaffold.layout.printer import literal, source
from scaffold.rendering.docstrings import attribute, paragraphs

FILTERS = {
    each.__name__: each
    for each in (
        *(prose.code_span, prose.docstring, prose.link, prose.markdown),
        *(prose.started, prose.uncoded, literal, attribute, paragraphs),
    )
}


def written(value: object) -> object:
    """A value as a template writes it: expressions as source code."""
    return source(value) if isinstance(value, ast.expr) else value
