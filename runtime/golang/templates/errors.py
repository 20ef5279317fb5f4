"""What goes wrong with a template."""

from __future__ import annotations


class TemplateError(ValueError):
    """A template does not parse or does not execute; the text is Go's."""
