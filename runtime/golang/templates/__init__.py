"""Go's text/template and html/template, as alert messages and details use them."""

from runtime.golang.templates.errors import TemplateError
from runtime.golang.templates.template import Template, html, text
from runtime.golang.values import StringMap, Struct, Time

__all__ = ["StringMap", "Struct", "Template", "TemplateError", "Time", "html", "text"]
