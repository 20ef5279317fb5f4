"""Renders templates. Values reach them as attributes of the view, already literals."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jinja2

from scaffold import prose
from scaffold.layout.fit import fit_module
from scaffold.layout.imports import with_imports
from scaffold.layout.style import PLAIN, Style
from scaffold.rendering.compiled import CompiledLoader
from scaffold.rendering.view import View
from scaffold.spec.model import HandlerSpec


def render(
    template: str, spec: HandlerSpec, package: str = "runtime", style: Style = PLAIN
) -> str:
    """The text that a template gives for a handler.

    Whole Python files get their imports and their layout; entries of other people's
    files are laid out where they are put in.

    Args:
        template: its path below `templates/`, as `create/…/config.py.j2`.
        spec: the handler.
        package: the import package of the runtime it goes into.
        style: how the project wants its Python laid out.
    """
    view = _view(spec, package)
    text = _environment().get_template(template).render(view=view, **view.names())
    if not template.startswith("create/") or not template.endswith(".py.j2"):
        return text
    text = with_imports(text, package, _own_names(spec, package), style.line_length)
    return fit_module(text, style)


def _own_names(spec: HandlerSpec, package: str) -> dict[str, str]:
    """The names that the handler's modules have for each other, and their modules."""
    package = f"{package}.services.{spec.names.kind}"
    return {
        "Config": f"{package}.config",
        "HandlerConfig": f"{package}.handler",
        "Service": f"{package}.service",
        f"{spec.names.class_name}Server": f"{package}.{spec.names.kind}test",
    }


def filled(template: str, **values: object) -> str:
    """The text that a template gives for `values`, as those of `init/` need none of a spec."""
    return _environment().get_template(template).render(**values)


_views: list[View] = []


def _view(spec: HandlerSpec, package: str) -> View:
    """The view of a spec; that of the last one is kept, for its many templates."""
    if not _views or _views[0].spec is not spec or _views[0].package != package:
        _views[:] = [View(spec, package)]
    return _views[0]


def templates_path() -> Path:
    """Where the templates are: inside the wheel, or beside the package in a clone."""
    here = Path(__file__).parents[1]
    inside = here / "templates"
    return inside if inside.is_dir() else here.parent / "templates"


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=CompiledLoader(templates_path()),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    filters = (prose.docstring, prose.markdown, prose.link, prose.uncoded)
    environment.filters |= {each.__name__: each for each in filters}
    return environment
