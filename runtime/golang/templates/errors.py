"""Errors of templates."""

from __future__ import annotations


class TemplateError(ValueError):
    """A template does not parse or does not execute; the text is Go's."""
