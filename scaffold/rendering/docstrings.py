"""Lines of docstrings: filters of the templates that contain authors' words."""

from __future__ import annotations

import textwrap

import jinja2

from scaffold import prose


@jinja2.pass_context
def attribute(context: jinja2.runtime.Context, doc: str, name: str) -> str:
    """An entry of an `Attributes:` section of a class."""
    return "\n".join(
        textwrap.wrap(
            f"{name}: {prose.docstring(doc)}",
            context["view"].style.line_length,
            initial_indent=" " * 8,
            subsequent_indent=" " * 12,
            break_long_words=False,
            break_on_hyphens=False,
        )
    )


@jinja2.pass_context
def paragraphs(context: jinja2.runtime.Context, text: str, indent: int) -> str:
    """The text of a docstring: its first sentence, and the rest as a paragraph."""
    width = context["view"].style.line_length
    return "\n".join(prose.paragraphs(text, indent, width))
