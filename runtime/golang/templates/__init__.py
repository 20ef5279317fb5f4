"""Go's text/template and html/template, as alert messages and details use them."""

from runtime.golang.templates.errors import TemplateError
from runtime.golang.templates.template import GoTemplate, html, text
from runtime.golang.values import StringMap, Struct, Time

__all__ = ["GoTemplate", "StringMap", "Struct", "TemplateError", "Time", "html", "text"]
