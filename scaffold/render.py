"""Renders templates. Values reach them as attributes of the view, already literals."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jinja2

from scaffold.compiled import CompiledLoader
from scaffold.model import HandlerSpec
from scaffold.view import View


def render(template: str, spec: HandlerSpec, package: str = "runtime") -> str:
    """The text that a template gives for a handler.

    Args:
        template: its path below `templates/`, as `create/…/config.py.j2`.
        spec: the handler.
        package: the import package of the runtime it goes into.
    """
    made = _environment().get_template(template)
    return made.render(view=View(spec, package), **View(spec, package).names())


def templates_path() -> Path:
    """Where the templates are: inside the wheel, or beside the package in a clone."""
    here = Path(__file__).parent
    inside = here / "templates"
    return inside if inside.is_dir() else here.parent / "templates"


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=CompiledLoader(templates_path()),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
